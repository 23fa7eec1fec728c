"""A view behind a misspelt permission."""

from flask import Blueprint

from core.spec.app import Mount, Permission
from core.spec.markers import hookimpl
from core.ui.access import requires

bp = Blueprint("zoo_permission", __name__)


@bp.get("/")
@requires("zoo_permission.page.veiw")
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
        return [Permission("zoo_permission.page.view", "See")]
