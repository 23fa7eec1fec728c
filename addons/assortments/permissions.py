"""The addon's permissions."""

from core.api.hooks import Permission
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)

VIEW = "assortments.assortment.view"
EDIT = "assortments.assortment.edit"

PERMISSIONS = (
    Permission(VIEW, _l("See assortments, and what a company sees"), ("admin", "sales")),
    Permission(EDIT, _l("Change assortments"), ("admin", "sales")),
)
