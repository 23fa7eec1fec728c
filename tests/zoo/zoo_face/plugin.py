"""A mount with a face that does not exist."""

from flask import Blueprint

from core.spec.app import Mount
from core.spec.markers import hookimpl

bp = Blueprint("zoo_face", __name__)


class Plugin:
    """Broken on purpose."""

    @hookimpl
    def app_mounts(self):
        """Mount it."""
        return [Mount(bp, "shpo")]
