"""What the back-office's checks of the set-up say of approvals: the first few of each kind, and how many more there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import func, select

from core.api.companies import seller as seller_of_the_shop
from core.api.data import db, today
from core.api.hooks import ConfigCheck, ConfigFinding, Impact
from core.api.i18n import translations

from . import lint, seller
from .contradictions import never_fits
from .models import Rule, SellerRule
from .sentences import describe, names_for

_, _l, ngettext, _p = translations(__name__)
SHOWN = 5


def approvals() -> Iterator[ConfigFinding]:
    """Find rules that never fit or have ended, roles without people, dead ends, circles, and currencies without a rate."""
    yield from _of_the_seller()
    by_code: dict[str, list[lint.Problem]] = defaultdict(list)
    for problem in lint.problems():
        by_code[problem.code].append(problem)
    for code, found in by_code.items():
        for problem in found[:SHOWN]:
            yield ConfigFinding(
                code, problem.level, problem.text, _("Look at the company's rules"),
                "approval_chain_admin.try_company_rules", {"company": problem.company},
            )  # fmt: skip
        more = len(found) - SHOWN
        if more > 0:
            text = ngettext("%(count)s more of this kind.", "%(count)s more of this kind.", more)
            yield ConfigFinding(code, found[0].level, text)


def losses() -> Iterator[Impact]:
    """Yield how many rules ask nobody while the addon is off; core says how many orders stay on hold."""
    rules = sum(db.session.scalar(select(func.count(m.id)).where(m.active)) or 0 for m in (Rule, SellerRule))
    if rules:
        text = ngettext(
            "%(count)s rule asks nobody any more: what is ordered needs no approval.",
            "%(count)s rules ask nobody any more: what is ordered needs no approval.",
            rules,
        )
        yield Impact(text, rules, "severe")


def _of_the_seller() -> Iterator[ConfigFinding]:
    """Find rules of the seller that never fit, have ended, or ask roles in which nobody is."""
    rows = list(db.session.scalars(select(SellerRule).where(SellerRule.active).order_by(SellerRule.id)))
    names, day = names_for(rows), today(seller_of_the_shop().zone)
    held = {role for person in seller.staff() for role in person.roles}
    for row in rows:
        said, found = row.name or describe(row, names).lines[0], ("", "warning", "")
        if row.valid_until is not None and row.valid_until < day:
            found = ("SELLER-RULE-ENDED", "info", _("A rule of the seller has ended: %(rule)s", rule=said))
        elif why := never_fits(row, names.specs):
            found = (
                "SELLER-RULE-NEVER",
                "warning",
                _("A rule of the seller never fits: %(rule)s (%(why)s)", rule=said, why=why),
            )
        elif empty := sorted({role for step in row.steps for role in step["roles"]} - held):
            roles = ", ".join(map(names.role, empty))
            text = _("A rule of the seller asks roles in which nobody is: %(roles)s", roles=roles)
            found = ("SELLER-RULE-EMPTY", "warning", text)
        if found[0]:
            yield ConfigFinding(*found, _("Open the rules"), "approval_chain_admin.seller_rules")


CHECKS = (ConfigCheck("approvals", _l("Approval of orders: rules, roles, limits"), approvals, order=60),)
