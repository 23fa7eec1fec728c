"""The addon's permissions."""

from core.api.hooks import Permission
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)

VIEW = "rebates.rebate.view"
EDIT = "rebates.rebate.edit"
SETTLE = "rebates.settlement.accept"
OWN = "rebates.rebate.own"

PERMISSIONS = (
    Permission(VIEW, _l("See rebates"), ("admin", "sales", "finance")),
    Permission(EDIT, _l("Change rebates"), ("admin", "sales")),
    Permission(SETTLE, _l("Accept or refuse settlements of rebates"), ("admin", "finance")),
    Permission(OWN, _l("See the rebates of the own company"), ("approver", "company_admin", "viewer")),
)
