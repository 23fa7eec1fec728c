"""A step of the checkout in a template of core's."""

from core.spec.markers import hookimpl
from core.spec.orders import CheckoutStep

from wtforms import Form


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def checkout_steps(self):
        """Contribute a step."""
        return [CheckoutStep("site", "Site", Form, dict, print, "orders/steps/about.html")]
