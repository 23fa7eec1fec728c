"""What every addon promises."""

import pytest

from core.testing.contract import AddonContract


@pytest.mark.database("sqlite")
class TestContract(AddonContract):
    """The checks of `tukku addons check`."""

    addon = "assortments"
