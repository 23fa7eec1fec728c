"""A template of core."""

from core.spec.ui import Panel
from core.spec.markers import hookimpl


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def ui_panels(self):
        """Contribute a panel."""
        return [Panel("box", "storefront.home", "main", "storefront/layout.html", lambda context: {})]
