"""Try the rules: who would approve an order of this person, by when, and why; answered by what decides on real orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from core.api.catalog import Product, find_codes
from core.api.companies import Address, Company, Membership, User, ancestors
from core.api.data import Actor, Scope, acting, clock, db
from core.api.hooks import DraftLine, Invalid, OrderDraft
from core.api.i18n import read_number, translations
from core.api.orders import Wanted, price_lines, priced_draft

from . import allocation, engine, facts, lesser, seller, services, timing
from .loading import in_force, rules_of
from .models import Rule
from .sentences import Names, condition_text, describe, figure_text, names_for
from .spending import Asked
from .turns import steps

_, _l, ngettext, _p = translations(__name__)
MOST_LINES = 500


@dataclass(frozen=True, slots=True)
class Question:
    """An order that is only thought of: lines ("SKU quantity [unit]" each), or else an amount of what counts.

    ``centre`` is the code of the cost centre that bears it; '': that which bears the person's orders.
    """

    company: Company
    user_id: int
    amount: Decimal | None = None
    lines: str = ""
    ship_to: str = ""
    centre: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule and what it says about the order; ``counts`` where it is among those that decide."""

    name: str
    lines: tuple[str, ...]
    said: str
    counts: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What would happen: ``outcome`` in a sentence, who in which turn, by when, the figures, and each rule's verdict."""

    outcome: str
    turns: tuple[tuple[int, str, str], ...]
    escalates: datetime | None
    expires: datetime | None
    #: What would make it unnecessary.
    ways: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]
    verdicts: tuple[Verdict, ...] = field(default=())
    #: What the seller's own rules ask, for the seller's staff only: turn, who, why.
    ours: tuple[tuple[int, str, str], ...] = ()


def people_of(company_id: int) -> list[tuple[str, str]]:
    """Return code and name of those who may order for the company."""
    query = (
        select(User.code, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.company_id == company_id, Membership.role != "viewer", User.active)
        .distinct()
        .order_by(User.name)
    )
    return [(code, name) for code, name in db.session.execute(query)]


def addresses_of(company_id: int) -> list[tuple[str, str]]:
    """Return code and name of the company's delivery addresses."""
    query = select(Address.code, Address.name, Address.city).where(Address.company_id == company_id, Address.active)
    rows = db.session.execute(query.where(Address.use != "bill_to").order_by(Address.is_default.desc(), Address.code))
    return [(row.code, f"{row.code}: {row.name}, {row.city}") for row in rows]


def centres_of(company_id: int) -> list[tuple[str, str]]:
    """Return code and name of the company's cost centres in use."""
    return [(c.code, f"{c.code} · {c.name}") for c in allocation.active({company_id}).values()]


def _bearing(question: Question) -> dict[str, Any]:
    """Return which cost centre bears the order, for the ``extra`` of its draft; Invalid for one that is not in use."""
    usable = allocation.active({question.company.id})
    if question.centre:
        found = next((c for c in usable.values() if c.code == question.centre), None)
        if found is None:
            raise Invalid("BENCH-CENTRE", _("The company has no cost centre %(code)s.", code=question.centre))
    else:
        found = allocation.choice(SimpleNamespace(id=0, company_id=question.company.id, user_id=question.user_id), usable)
    return {allocation.THOUGHT: found} if found else {}


def person(company_id: int, code: str) -> int:
    """Return the id of somebody of the company; Invalid for anybody else."""
    member = select(User.id).join(Membership, Membership.user_id == User.id).where(Membership.company_id == company_id)
    found = db.session.scalar(member.where(User.code == code).limit(1))
    if found is None:
        raise Invalid("PERSON-UNKNOWN", _("Choose somebody who orders for the company."))
    return found


def ask(question: Question, *, ours: bool = False) -> Answer:
    """Answer, with what the seller's rules ask where ``ours``; Invalid says what is wrong in the question."""
    company_id, user_id = question.company.id, question.user_id
    draft, names = _draft(question)
    rows = rules_of(ancestors(company_id))
    trial = services.Trial(draft, Asked(user_id, company_id), {c["fact"] for row in rows for c in row.conditions})
    found = trial.of([draft])[0]
    figures, company, plan = found.figures, found.company, found.plan
    known = facts.specs()
    said = names_for(rows, company_id)
    times = timing.deadlines(company_id, clock.now())
    shown = [name for name in known if name in figures and figures[name] is not None]
    return Answer(
        _outcome(plan),
        tuple(_turns(plan, rows, said)),
        times.escalate_at if plan.needed else None,
        times.expires_at if plan.needed else None,
        tuple(lesser.ways(trial, draft, found, names)) if plan.needed or plan.denied_by else (),
        tuple((str(said.specs[n].title), figure_text(n, figures[n], draft.currency, said)) for n in shown),
        tuple(_verdicts(rows, company, figures, str(user_id), plan, said)),
        tuple(seller.asked_of(draft)) if ours else (),
    )


def _outcome(plan: engine.Plan) -> str:
    if plan.denied_by == engine.NO_RULE:
        return _("The order would not be allowed: no rule fits it.")
    if plan.denied_by:
        return _("The order would not be allowed.")
    return (
        _("The order would wait for approval.") if plan.needed else _("No approval is needed: the order is placed at once.")
    )


def _turns(plan: engine.Plan, rows: Sequence[Rule], names: Names) -> list[tuple[int, str, str]]:
    """Return turn, people, and the reason, of everything that is asked."""
    reasons = {str(row.id): row.name or describe(row, names).lines[0] for row in rows}
    found = []
    for asked in plan.requirements:
        reason = (
            {
                "": _("The total is above what this person may order alone."),
                engine.NO_RULE: _("No rule fits, and the policy asks somebody then."),
            }.get(asked.rule)
            or reasons.get(asked.rule)
            or _("A budget of the cost centre is exceeded.")
        )
        if asked.climbed:
            reason = _("%(reason)s Nobody of those it names may decide: it goes to the administrators above.", reason=reason)
        found.append((asked.tier, steps([asked])[0], reason))
    return found


def _verdicts(
    rows: Sequence[Rule],
    company: engine.Company,
    figures: Mapping[str, Any],
    requester: str,
    plan: engine.Plan,
    names: Names,
) -> list[Verdict]:
    held = {row.id for row in rows_in_force(rows)}
    rules, who = {rule.id: rule for rule in company.rules}, company.person(requester)
    found = []
    for row in rows:
        rule = rules.get(str(row.id))
        counts = str(row.id) in (*plan.rules, plan.denied_by)
        if rule is None or row.id not in held:
            said = _("Not in use on this day.")
        elif not rule.concerns(who):
            said = _("It is about orders of others.")
        elif not rule.fits(figures, who):
            at = next(i for i, c in enumerate(rule.conditions) if not c.holds(figures))
            said = _("Does not fit: %(condition)s.", condition=condition_text(row.conditions[at], row.currency, names))
        elif rule.effect == "bypass":
            said, counts = _("Fits: it lifts what is asked by its company and those below."), not plan.denied_by
        elif counts:
            said = _("Fits, and counts.")
        elif not any(tier.asks(figures.get(engine.TOTAL)) for tier in rule.tiers):
            said = _("Fits, but asks nobody at this total.")
        else:
            said = _("Fits, but does not count: another rule lifts it, or the policy chooses others.")
        found.append(Verdict(row.name, describe(row, names).lines, said, counts))
    return found


def rows_in_force(rows: Sequence[Rule]) -> list[Rule]:
    """Return those of the rules that hold today."""
    ids = [row.id for row in rows]
    kept = set(db.session.scalars(select(Rule.id).where(Rule.id.in_(ids), *in_force(Rule)))) if ids else set()
    return [row for row in rows if row.id in kept]


def _draft(question: Question) -> tuple[OrderDraft, dict[int, str]]:
    """Return the order as rules would see it, and the names of its lines by position."""
    company, bearing = question.company, _bearing(question)
    address = select(Address.id, Address.country).where(Address.company_id == company.id, Address.active)
    if question.ship_to:
        address = address.where(Address.code == question.ship_to)
    ship_to = db.session.execute(address.order_by(Address.is_default.desc(), Address.id).limit(1)).first()
    ship_to_id, country = (ship_to.id, ship_to.country) if ship_to else (None, "")
    if question.lines.strip():
        above, own = ancestors(company.id), company.id
        scope = Scope("companies", (own,), (own,), above)
        buyer = Actor(question.user_id, "", scope, own, None, frozenset({"pricing.price.view", "catalog.product.view"}))
        with acting(buyer):
            priced = price_lines(_wanted(question.lines), ship_to_country=country)
            names = {i: line.article.name for i, line in enumerate(priced.lines, 1) if line.article}
            draft = priced_draft(priced, own, question.user_id, ship_to_id=ship_to_id)
            return replace(draft, extra=bearing), names
    if question.amount is None:
        raise Invalid("BENCH-EMPTY", _("Give an amount, or lines."))
    one, amount = Decimal(1), question.amount
    line = DraftLine("1", 0, None, "", "", one, one, amount, amount, 1)
    zero = Decimal(0)
    draft = OrderDraft(
        0, company.id, question.user_id, company.currency, amount, zero, amount, (line,), ship_to_id=ship_to_id,
        extra=bearing,
    )  # fmt: skip
    return draft, {}


def _wanted(text: str) -> list[Wanted]:
    rows = [row.split() for row in text.splitlines() if row.strip()]
    if len(rows) > MOST_LINES:
        raise Invalid("BENCH-LINES", _("At most %(count)s lines can be tried.", count=MOST_LINES))
    known = find_codes(row[0] for row in rows)
    ids = {matches[0].product_id for matches in known.values() if matches}
    rows_of = db.session.execute(select(Product.id, Product.base_unit).where(Product.id.in_(ids)))
    units = {row.id: row.base_unit for row in rows_of}
    found = []
    for place, row in enumerate(rows, 1):
        matches = known.get(row[0], [])
        if not matches:
            raise Invalid("BENCH-SKU", _("Line %(count)s: there is no product %(code)s.", count=place, code=row[0]))
        quantity = read_number(row[1]) if len(row) > 1 else Decimal(1)
        if not 0 < quantity < 10**9:
            raise Invalid("BENCH-QUANTITY", _("Line %(count)s: enter a quantity above zero.", count=place))
        unit = row[2] if len(row) > 2 else matches[0].unit or units[matches[0].product_id]
        found.append(Wanted(str(place), matches[0].product_id, unit, quantity))
    return found
