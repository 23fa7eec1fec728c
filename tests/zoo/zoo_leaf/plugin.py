"""Requires one whose requirement does not load."""


class Plugin:
    """Nothing."""
