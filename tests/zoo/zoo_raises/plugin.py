"""An exception in a contribution hook."""

from core.spec.markers import hookimpl


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def ui_nav(self):
        """Divide."""
        return [1 / 0]
