"""The addon's permissions."""

from core.api.hooks import Permission
from core.api.i18n import translations
from core.api.pricing import SEE_PRICES

_, _l, ngettext, _p = translations(__name__)

DECIDE = "approval_chain.approval.decide"
RULES = "approval_chain.rule.edit"
RELEASE = "approval_chain.hold.release"
LIMITS = "approval_chain.limit.edit"
VIEW = "approval_chain.rule.view"
SELLER_RULES = "approval_chain.seller_rule.edit"
SELLER_DECIDE = "approval_chain.seller_approval.decide"
SELLER_RELEASE = "approval_chain.seller_hold.release"
CENTRES = "approval_chain.cost_centre.edit"
CENTRES_VIEW = "approval_chain.cost_centre.view"

#: The event that rules, limits, roles, managers or absences of a company changed: {"company_id"}; of the seller's rules.
SETUP, SELLER_SETUP = "approval.setup_changed", "approval.seller_setup_changed"
#: Roles whose holders may decide.
DECIDING = ("approver", "company_admin")
#: The role of who answers for a cost centre of an order, as rules name it.
CENTRE_OWNER = "cost_centre_owner"
#: What shows what goods cost, or an amount that a company set, is for those who may see prices.
_AMOUNTS = (SEE_PRICES,)

PERMISSIONS = (
    Permission(DECIDE, _l("Decide on orders that need approval"), ("approver", "company_admin"), needs=_AMOUNTS),
    Permission(RULES, _l("Set who approves the company's orders"), ("company_admin",), needs=_AMOUNTS),
    Permission(LIMITS, _l("Set limits, cost centres and budgets of any company"), ("admin", "sales"), needs=_AMOUNTS),
    Permission(VIEW, _l("See the approval rules of companies and try them"), ("admin", "sales"), needs=_AMOUNTS),
    Permission(CENTRES, _l("Keep the company's cost centres and budgets"), ("company_admin",), needs=_AMOUNTS),
    Permission(
        CENTRES_VIEW, _l("See cost centres and budgets of the company"), ("approver", "company_admin"), needs=_AMOUNTS
    ),
    Permission(SELLER_RULES, _l("Set which orders wait for the seller's staff"), ("admin",), needs=_AMOUNTS),
    Permission(
        SELLER_DECIDE, _l("Decide on orders that wait for the seller's staff"), ("admin", "sales", "finance"), needs=_AMOUNTS
    ),
    Permission(SELLER_RELEASE, _l("Release orders that wait for the seller's staff"), ("admin",)),
    Permission(RELEASE, _l("Release orders that wait for an approval, with a reason"), ("admin", "sales")),
)
