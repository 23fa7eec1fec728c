"""What it contributes where the toy addon runs."""

from collections.abc import Iterable

from core.api.hooks import Permission, hookimpl


class Bridge:
    """What it contributes where the toy addon runs."""

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare another permission."""
        return [Permission("toy_bridge.note.view", "See things on notes")]
