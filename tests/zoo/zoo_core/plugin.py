"""Made for another core."""


class Plugin:
    """Nothing."""
