"""Nothing is wrong with this one: it shows that the others hurt nobody."""


class Plugin:
    """Nothing."""
