"""The addon's permissions."""

from core.api.hooks import Permission
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)

VIEW = "volume_agreements.agreement.view"
EDIT = "volume_agreements.agreement.edit"
OWN = "volume_agreements.agreement.own"

PERMISSIONS = (
    Permission(VIEW, _l("See volume agreements"), ("admin", "sales", "finance")),
    Permission(EDIT, _l("Change volume agreements"), ("admin", "sales")),
    Permission(OWN, _l("See the volume agreements of the own company"), ("orderer", "approver", "company_admin", "viewer")),
)
