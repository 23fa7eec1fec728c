"""Requires one that is nowhere."""


class Plugin:
    """Nothing."""
