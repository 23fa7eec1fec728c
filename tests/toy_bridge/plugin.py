"""What it contributes alone."""

from collections.abc import Iterable

from core.api.hooks import Permission, hookimpl


class Plugin:
    """What it contributes alone."""

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare one permission."""
        return [Permission("toy_bridge.thing.view", "See things")]
