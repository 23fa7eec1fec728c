"""A table without the addon's prefix."""


class Plugin:
    """Nothing."""
