"""A slot that does not exist."""

from core.spec.ui import Panel
from core.spec.markers import hookimpl


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def ui_panels(self):
        """Contribute a panel."""
        return [Panel("box", "storefront.home", "mian", "zoo_slot/box.html", lambda context: {})]
