"""Cost centres as companies keep them, what people choose in their cart, and whose they are by default."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, func, select

from core.api.companies import Membership, User, lock_company
from core.api.data import audit, clock, db, once, write
from core.api.hooks import Invalid, NotFound
from core.api.i18n import translations
from core.api.orders import Order, OrderLine

from . import allocation
from .centre_models import CentreDefault, CostCentre, LineCentre, OrderCentre
from .permissions import DECIDING

_, _l, ngettext, _p = translations(__name__)
OWNER = "approval_chain"
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,39}")


def every(company_id: int) -> list[tuple[CostCentre, str]]:
    """Return the company's cost centres with the names of their owners, those in use first."""
    query = select(CostCentre, User.name).outerjoin(User, User.id == CostCentre.owner_id)
    rows = db.session.execute(query.where(CostCentre.company_id == company_id).order_by(CostCentre.code)).all()
    return sorted(((row.CostCentre, row.name or "") for row in rows), key=lambda x: not x[0].active)


def by_code(company_id: int, code: str) -> CostCentre:
    """Return a cost centre of the company; NotFound if it has none with the code."""
    found = db.session.scalar(select(CostCentre).where(CostCentre.company_id == company_id, CostCentre.code == code))
    if found is None:
        raise NotFound("COST-CENTRE-UNKNOWN", _("There is no cost centre %(code)s.", code=code[:40]))
    return found


def owners(company_id: int) -> list[tuple[str, str]]:
    """Return who may own a cost centre, by their code: those who may approve."""
    query = (
        select(User.code, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.company_id == company_id, Membership.role.in_(DECIDING), User.active)
        .distinct()
        .order_by(User.name)
    )
    return [(code, name) for code, name in db.session.execute(query)]


def owner_codes(company_id: int) -> list[tuple[str, int]]:
    """Return code and id of those who may own a cost centre."""
    known = [code for code, _name in owners(company_id)]
    return [(row.code, row.id) for row in db.session.execute(select(User.code, User.id).where(User.code.in_(known)))]


def add(company_id: int, values: Mapping[str, Any]) -> CostCentre:
    """Add a cost centre; Invalid where the code is taken or not one."""
    code = values["code"].strip()
    if not CODE.fullmatch(code):
        text = _("A code has letters, digits, dots, dashes and strokes, up to 40. Example: 4100-MAINT")
        raise Invalid("CODE", text, details={"field": "code"})
    with write() as session:
        lock_company(company_id)
        taken = select(CostCentre.id).where(CostCentre.company_id == company_id, func.lower(CostCentre.code) == code.lower())
        if session.scalar(taken) is not None:
            text = _("There is a cost centre %(code)s already.", code=code)
            raise Invalid("CODE-TAKEN", text, details={"field": "code"})
        centre = CostCentre(company_id=company_id, code=code, name=values["name"].strip(), created_at=clock.now())
        centre.owner_id = _owner(company_id, values.get("owner") or "")
        session.add(centre)
        session.flush()
        _record(centre, "added")
    return centre


def change(centre: CostCentre, values: Mapping[str, Any]) -> None:
    """Change name, owner, and whether it is in use; orders keep the name under which they were placed."""
    with write() as session:
        found = session.get_one(CostCentre, centre.id, populate_existing=True)
        found.name, found.active = values["name"].strip(), bool(values["active"])
        found.owner_id = _owner(found.company_id, values.get("owner") or "")
        session.flush()
        _record(found, "changed")


def remove(centre: CostCentre) -> None:
    """Delete a cost centre on which nothing was ever put; Invalid for one that was used."""
    with write() as session:
        lock_company(centre.company_id)
        used = session.scalar(select(LineCentre.id).where(LineCentre.cost_centre_id == centre.id).limit(1))
        if used is not None:
            text = _("Orders were put on the cost centre %(code)s; switch it off instead.", code=centre.code)
            raise Invalid("COST-CENTRE-USED", text)
        _record(centre, "removed")
        session.delete(session.get_one(CostCentre, centre.id))


def people(company_id: int) -> list[tuple[str, str, str]]:
    """Return code and name of everybody in the company, and the code of the cost centre that is theirs."""
    query = (
        select(User.code, User.name, CostCentre.code)
        .join(Membership, Membership.user_id == User.id)
        .outerjoin(CentreDefault, (CentreDefault.user_id == User.id) & (CentreDefault.company_id == company_id))
        .outerjoin(CostCentre, CostCentre.id == CentreDefault.cost_centre_id)
        .where(Membership.company_id == company_id, User.active)
        .distinct()
        .order_by(User.name, User.code)
    )
    return [(user, name, centre or "") for user, name, centre in db.session.execute(query)]


def set_default(company_id: int, user_code: str, code: str) -> None:
    """Say on which cost centre a person's orders are put ('' for none)."""
    with write() as session:
        lock_company(company_id)
        member = select(User.id).join(Membership, Membership.user_id == User.id)
        user_id = session.scalar(member.where(Membership.company_id == company_id, User.code == user_code).limit(1))
        if user_id is None:
            raise NotFound("PERSON-UNKNOWN", _("There is no such person in the company."))
        mine = (CentreDefault.company_id == company_id, CentreDefault.user_id == user_id)
        session.execute(delete(CentreDefault).where(*mine))
        if code:
            centre = by_code(company_id, code)
            session.add(CentreDefault(company_id=company_id, user_id=user_id, cost_centre_id=centre.id))
        after = {"cost_centre": code}
        audit.record("user", user_code, "cost centre set", company_id=company_id, after=after, addon=OWNER)


def choose(order: Order, code: str) -> None:
    """Put a whole cart on a cost centre, '' for none; inside ``write()`` with the company locked."""
    centre_id = _usable(order.company_id)[code] if code else None
    db.session.execute(delete(LineCentre).where(LineCentre.order_id == order.id))
    db.session.merge(OrderCentre(order_id=order.id, company_id=order.company_id, cost_centre_id=centre_id))
    db.session.flush()


def choose_lines(order: Order, codes: Mapping[int, str]) -> None:
    """Put lines of a cart (by id) on cost centres; lines that are not named go on that of the cart.

    Invalid for a cost centre that is not in use, and where the cart was ordered meanwhile: an order keeps its own.
    """
    with write() as session:
        lock_company(order.company_id)
        if session.scalar(select(Order.state).where(Order.id == order.id)) != "cart":
            text = _("This cart has just been ordered, perhaps in another window; its lines stay on their cost centres.")
            raise Invalid("CART-CHANGED", text)
        usable, known = _usable(order.company_id), allocation.active({order.company_id})
        lines = {x.id: x.position for x in session.scalars(select(OrderLine).where(OrderLine.order_id == order.id))}
        session.execute(delete(LineCentre).where(LineCentre.order_id == order.id))
        for line_id, code in codes.items():
            if line_id in lines and code:
                centre = known[usable[code]]
                session.add(
                    LineCentre(
                        order_id=order.id, line_id=line_id, position=lines[line_id], company_id=order.company_id,
                        cost_centre_id=centre.id, code=centre.code, name=centre.name,
                    )
                )  # fmt: skip
        session.flush()


class _Usable(dict[str, int]):
    def __missing__(self, code: str) -> int:
        text = _("%(code)s is not a cost centre in use; choose another.", code=code[:40])
        raise Invalid("COST-CENTRE-UNKNOWN", text, details={"field": "cost_centre"})


def _usable(company_id: int) -> Mapping[str, int]:
    return _Usable({c.code: c.id for c in allocation.active({company_id}).values()})


def _owner(company_id: int, code: str) -> int | None:
    if not code:
        return None
    if code not in dict(owners(company_id)):
        text = _("The owner of a cost centre must be somebody of the company who may approve orders.")
        raise Invalid("OWNER", text, details={"field": "owner"})
    return db.session.scalar(select(User.id).where(User.code == code))


def owner_ids(centre_ids: Iterable[int]) -> dict[int, int | None]:
    """Return who owns the cost centres."""
    ids = tuple(sorted(centre_ids))
    query = select(CostCentre.id, CostCentre.owner_id).where(CostCentre.id.in_(ids))
    return once(("approval_chain.owners", ids), lambda: {row.id: row.owner_id for row in db.session.execute(query)})


def _record(centre: CostCentre, action: str) -> None:
    after = {"code": centre.code, "name": centre.name, "active": centre.active, "owner": centre.owner_id}
    audit.record("cost centre", centre.code, action, company_id=centre.company_id, after=after, addon=OWNER)
