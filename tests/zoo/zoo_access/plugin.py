"""A view that declares no access."""

from flask import Blueprint

from core.spec.app import Mount, Permission
from core.spec.markers import hookimpl

bp = Blueprint("zoo_access", __name__)


@bp.get("/")
def page():
    """Answer everybody."""
    return "page"


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def app_mounts(self):
        """Mount it."""
        return [Mount(bp, "shop")]

    @hookimpl
    def app_permissions(self):
        """Declare one."""
        return [Permission("zoo_access.page.view", "See")]
