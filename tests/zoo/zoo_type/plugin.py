"""A contribution of another type."""

from core.spec.markers import hookimpl


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def ui_nav(self):
        """Contribute a text."""
        return ["orders"]
