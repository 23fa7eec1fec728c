"""The same permission twice."""

from core.spec.app import Permission
from core.spec.markers import hookimpl


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def app_permissions(self):
        """Contribute it twice."""
        return [Permission("zoo_twice.page.view", "See"), Permission("zoo_twice.page.view", "See")]
