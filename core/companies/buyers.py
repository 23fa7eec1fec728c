"""Answers core.accounts' question: where does a person stand among the companies? Two statements, whatever their number."""

from __future__ import annotations

from sqlalchemy import select

from core.accounts.identity import Buyer, CompanyChoice
from core.companies import tree
from core.companies.models import Company, Membership
from core.data.db import db
from core.data.scope import unscoped

_REASON = "before there is an actor: the memberships say what its scope will be"


class CompanyBuyers:
    """The ``Buyers`` of core.accounts."""

    def standing(self, user_id: int, company_id: int | None, *, exactly: bool = False) -> Buyer | None:
        """Return the standing in ``company_id``, else (unless ``exactly``) in the first company; closed ones never."""
        rows = db.session.execute(
            unscoped(
                select(Company.id, Company.code, Company.name, Membership.role)
                .join(Membership, Membership.company_id == Company.id)
                .where(Membership.user_id == user_id, Company.status != "closed")
                .order_by(Company.name, Company.id),
                _REASON,
            )
        ).all()
        choices = {row.id: CompanyChoice(row.id, row.code, row.name) for row in rows}
        chosen = choices.get(company_id or 0) or (None if exactly else next(iter(choices.values()), None))
        if chosen is None:
            return None
        above, below = tree.around(chosen.id)
        roles = frozenset(row.role for row in rows if row.id == chosen.id)
        return Buyer(chosen, roles, tuple(choices.values()), above, below)

    def portfolio(self, user_id: int) -> tuple[int, ...]:
        """Return the companies that name the person as their sales representative, with their trees."""
        mine = select(Company.id).where(Company.sales_rep_id == user_id)
        return tree.descendants_of(tuple(db.session.scalars(unscoped(mine, _REASON))))
