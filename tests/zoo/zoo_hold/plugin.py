"""A hold that nobody could release."""

from core.spec.markers import hookimpl
from core.spec.orders import HoldType



class Plugin:
    """Broken on purpose."""

    @hookimpl
    def order_hold_types(self):
        """Contribute a hold."""
        return [HoldType("limit", "Limit", "zoo_hold.hold.release", lambda draft: None)]
