"""A misspelt hook."""

from core.spec.markers import hookimpl


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def price_stepz(self):
        """Contribute nothing."""
        return []
