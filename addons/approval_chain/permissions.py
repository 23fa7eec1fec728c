"""The addon's permissions."""

from core.api.hooks import Permission
from core.api.i18n import translations

_, _l, ngettext, _p = translations(__name__)

DECIDE = "approval_chain.approval.decide"
RULES = "approval_chain.rule.edit"
RELEASE = "approval_chain.hold.release"

PERMISSIONS = (
    Permission(DECIDE, _l("Decide on orders that need approval"), ("approver", "company_admin")),
    Permission(RULES, _l("Set who approves the company's orders"), ("company_admin",)),
    Permission(RELEASE, _l("Release orders that wait for an approval, with a reason"), ("admin", "sales")),
)
