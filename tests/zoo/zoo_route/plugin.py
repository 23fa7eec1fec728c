"""Two views at one address."""

from flask import Blueprint

from core.spec.app import Mount, Permission
from core.spec.markers import hookimpl
from core.ui.access import public

bp = Blueprint("zoo_route", __name__)


@bp.get("/list/<int:number>")
@public("zoo")
def first(number):
    """Answer."""
    return "first"


@bp.get("/list/<int:other>")
@public("zoo")
def second(other):
    """Never answer."""
    return "second"


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def app_mounts(self):
        """Mount it."""
        return [Mount(bp, "shop")]

    @hookimpl
    def app_permissions(self):
        """Declare one."""
        return [Permission("zoo_route.page.view", "See")]
