"""Reference data that are no Seed."""

from core.spec.markers import hookimpl



class Plugin:
    """Broken on purpose."""

    @hookimpl
    def app_seeds(self):
        """Contribute a pair."""
        return [("rates", 24)]
