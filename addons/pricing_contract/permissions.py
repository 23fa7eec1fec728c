"""The addon's permissions."""

from core.api.hooks import Permission
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)

VIEW = "pricing_contract.contract.view"
EDIT = "pricing_contract.contract.edit"
EXPLAIN = "pricing_contract.price.explain"
OWN = "pricing_contract.contract.read_own"

PERMISSIONS = (
    Permission(VIEW, _l("See contracts and price lists"), ("admin", "sales", "finance")),
    Permission(EDIT, _l("Change contracts and price lists"), ("admin", "sales")),
    Permission(EXPLAIN, _l("See why a company pays a price"), ("admin", "sales", "finance")),
    Permission(OWN, _l("See one's own company's contracts"), ("orderer", "approver", "company_admin", "viewer")),
)
