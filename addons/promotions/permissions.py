"""The addon's permissions."""

from core.api.hooks import Permission
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)

VIEW = "promotions.promotion.view"
EDIT = "promotions.promotion.edit"

PERMISSIONS = (
    Permission(VIEW, _l("See promotions"), ("admin", "sales", "finance")),
    Permission(EDIT, _l("Change promotions"), ("admin", "sales")),
)
