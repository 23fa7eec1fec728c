"""A migration that fails in the middle."""


class Plugin:
    """Nothing."""
