"""Requires a newer version."""


class Plugin:
    """Nothing."""
