"""Tables behind its code."""


class Plugin:
    """Nothing."""
