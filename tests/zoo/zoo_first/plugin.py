"""A hook that wants to be first."""

import pluggy

hookimpl = pluggy.HookimplMarker("tukku")


class Plugin:
    """Broken on purpose."""

    @hookimpl(tryfirst=True)
    def ui_nav(self):
        """Contribute nothing."""
        return []
