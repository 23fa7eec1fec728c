"""The contract suite for an addon named on the command line: ``pytest …/check_addon.py --addon FOLDER``."""

from core.testing import places
from core.testing.contract import AddonContract


class TestContract(AddonContract):
    """All checks, for the addon of ``--addon``."""

    addon = places.CHECKED
