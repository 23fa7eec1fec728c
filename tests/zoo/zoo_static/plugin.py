"""A blueprint that serves its own files."""

from flask import Blueprint

from core.spec.app import Mount, Permission
from core.spec.markers import hookimpl
from core.ui.access import public

bp = Blueprint("zoo_static", __name__, static_folder="static")


@bp.get("/")
@public("zoo")
def page():
    """Answer."""
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
        return [Permission("zoo_static.page.view", "See")]
