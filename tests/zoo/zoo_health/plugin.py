"""Health with an argument that nobody gives."""

from core.spec.markers import hookimpl



class Plugin:
    """Broken on purpose."""

    @hookimpl
    def addon_health(self, addon):
        """Say nothing."""
        return []
