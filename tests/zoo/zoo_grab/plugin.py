"""A permission of core."""

from core.spec.app import Permission
from core.spec.markers import hookimpl


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def app_permissions(self):
        """Grab one."""
        return [Permission("orders.order.place", "Order")]
