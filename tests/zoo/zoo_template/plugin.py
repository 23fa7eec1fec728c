"""A template that does not exist."""

from core.spec.ui import Panel
from core.spec.markers import hookimpl


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def ui_panels(self):
        """Contribute a panel."""
        return [Panel("box", "storefront.home", "main", "zoo_template/box.html", lambda context: {})]
