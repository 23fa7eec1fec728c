"""An entry class that is not there."""


class Plugin:
    """Nothing."""
