"""Requires one that does not load."""


class Plugin:
    """Nothing."""
