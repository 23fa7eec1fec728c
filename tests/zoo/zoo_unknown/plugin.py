"""A link behind a permission that nobody declares."""

from core.spec.ui import NavItem
from core.spec.markers import hookimpl


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def ui_nav(self):
        """Contribute a link."""
        return [NavItem("x", "X", "zoo_unknown.page", "zoo_unknown.page.view", "setup")]
