"""A link that leads nowhere."""

from core.spec.ui import NavItem
from core.spec.markers import hookimpl


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def ui_nav(self):
        """Contribute a link."""
        return [NavItem("x", "X", "zoo_nav.page", "", "setup")]
