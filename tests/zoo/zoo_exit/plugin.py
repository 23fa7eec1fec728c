"""Leaves the process at import."""


class Plugin:
    """Nothing."""
