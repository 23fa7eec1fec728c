"""What every addon promises."""

from core.testing.contract import AddonContract


class TestContract(AddonContract):
    """The checks of `tukku addons check`."""

    addon = "loyalty_levels"
