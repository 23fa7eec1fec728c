"""A folder of another name."""


class Plugin:
    """Nothing."""
