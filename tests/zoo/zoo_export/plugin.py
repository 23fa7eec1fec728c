"""A file for people, asked for with an argument that nobody gives."""

from core.spec.markers import hookimpl



class Plugin:
    """Broken on purpose."""

    @hookimpl
    def addon_export(self, folder):
        """Write nothing."""
        return []
