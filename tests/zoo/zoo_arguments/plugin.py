"""A hook with wrong arguments."""

from core.spec.markers import hookimpl


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def catalog_visibility(self, company):
        """Ask for what is not there."""
        return []
