"""The addon's permissions."""

from core.api.hooks import Permission
from core.api.i18n import translations
from core.api.pricing import SEE_PRICES

_, _l, ngettext, _p = translations(__name__)

VIEW = "rebates.rebate.view"
EDIT = "rebates.rebate.edit"
SETTLE = "rebates.settlement.accept"
OWN = "rebates.rebate.own"

PERMISSIONS = (
    Permission(VIEW, _l("See rebates"), ("admin", "sales", "finance"), needs=(SEE_PRICES,)),
    Permission(EDIT, _l("Change rebates"), ("admin", "sales")),
    Permission(SETTLE, _l("Accept or refuse settlements of rebates"), ("admin", "finance"), needs=(SEE_PRICES,)),
    Permission(OWN, _l("See the rebates of the own company"), ("approver", "company_admin", "viewer"), needs=(SEE_PRICES,)),
)
