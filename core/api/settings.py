"""Settings as they hold for the deployment, a segment or a company; an addon declares its own by ``app_settings``."""

from core.settings.services import get, get_each, reset, set_value, stored_for

__all__ = ["get", "get_each", "reset", "set_value", "stored_for"]
