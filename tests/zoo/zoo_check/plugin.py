"""The same check twice."""

from core.spec.markers import hookimpl
from core.spec.app import ConfigCheck



class Plugin:
    """Broken on purpose."""

    @hookimpl
    def config_checks(self):
        """Contribute it twice."""
        return [ConfigCheck("mail", "Mail", lambda: ())] * 2
