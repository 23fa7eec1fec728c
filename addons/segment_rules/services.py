"""Rules at work: evaluate them all, look at one before it holds, end one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, insert, select

from core.api.catalog import Category
from core.api.companies import Company, CompanySegment, Segment, seller
from core.api.data import audit, db, locked, now, write
from core.api.hooks import NotFound
from core.api.i18n import translations

from .deciding import Step, Terms, step
from .figures import Bought, Buyer, bought, buyers
from .models import Move, Place, Rule

_, _l, ngettext, _p = translations(__name__)
OWNER = "segment_rules"


@dataclass(frozen=True, slots=True)
class Judged:
    """A company under a rule: what it bought, which conditions fail, and what becomes of it."""

    buyer: Buyer
    bought: Bought
    failed: tuple[str, ...]
    step: Step
    by_hand: bool = False


@dataclass(slots=True)
class Outcome:
    """What an evaluation did to a segment, or would do."""

    code: str
    joined: list[Judged] = field(default_factory=list)
    left: list[Judged] = field(default_factory=list)
    waiting: list[Judged] = field(default_factory=list)
    stayed: list[Judged] = field(default_factory=list)


def nightly(_payload: dict[str, Any]) -> None:
    """Evaluate all rules; the job."""
    evaluate()


def evaluate(*, dry: bool = False) -> list[Outcome]:
    """Move companies as the active rules say, each rule in a transaction of its own; may run twice.

    With ``dry`` nothing moves. Raises RateMissing where an order is in a currency without a rate to the seller's.
    """
    codes = db.session.scalars(
        select(Segment.code).join(Rule, Rule.segment_id == Segment.id).where(Rule.active).order_by(Segment.code)
    ).all()
    companies = buyers()
    return [_evaluate(code, companies, dry) for code in codes]


def _evaluate(code: str, companies: Mapping[int, Buyer], dry: bool) -> Outcome:
    if dry:
        return _outcome(rule_of(code), code, companies, now())
    with write():
        rule = _held(code)
        if rule is None or not rule.active:  # ended by somebody else a moment ago
            return Outcome(code)
        at = now()
        outcome = _outcome(rule, code, companies, at)
        _move(rule, outcome, at)
        rule.evaluated_at = at
    return outcome


def _held(code: str) -> Rule | None:
    """Return the rule of a segment, None without one; nobody else moves companies by it until ``write()`` ends."""
    query = select(Rule).join(Segment, Segment.id == Rule.segment_id).where(Segment.code == code)
    return db.session.scalar(locked(query, of=Rule))


def _outcome(rule: Rule, code: str, companies: Mapping[int, Buyer], at: datetime) -> Outcome:
    outcome = Outcome(code)
    into = {Step.JOIN: outcome.joined, Step.LEAVE: outcome.left, Step.WAIT: outcome.waiting, Step.STAY: outcome.stayed}
    for one in judge(rule, companies, at):
        into[one.step].append(one)
    return outcome


def judge(rule: Rule, companies: Mapping[int, Buyer], at: datetime) -> list[Judged]:
    """Return what becomes of every company that is in the segment or fulfils the rule."""
    terms = terms_of(rule)
    category = db.session.get(Category, rule.category_id) if rule.min_share is not None and rule.category_id else None
    path = category.path if category is not None else ""
    facts = bought(at - timedelta(days=rule.window_days), companies, path)
    places: dict[int, datetime | None] = {}
    inside: set[int] = set()
    if rule.id is not None:
        rows = db.session.execute(select(Place.company_id, Place.grace_until).where(Place.rule_id == rule.id))
        places = {row.company_id: row.grace_until for row in rows}
    inside.update(db.session.scalars(select(CompanySegment.company_id).where(CompanySegment.segment_id == rule.segment_id)))
    found = []
    for company_id, buyer in companies.items():
        mine = facts.get(company_id, Bought())
        failed = terms.failed(mine, buyer.country)
        by_hand = company_id in inside and company_id not in places
        fulfils = not failed and terms.complete
        what = step(fulfils, company_id in inside and not by_hand, places.get(company_id), at, terms.grace)
        if by_hand:
            what = Step.STAY
        if what is not Step.OUT:
            found.append(Judged(buyer, mine, failed, what, by_hand))
    return sorted(found, key=lambda one: (-one.bought.spend, one.buyer.code))


def terms_of(rule: Rule) -> Terms:
    """Return a rule's conditions."""
    return Terms(
        rule.min_spend, rule.min_orders, rule.min_share, tuple(rule.countries or ()), timedelta(days=rule.grace_days or 0),
        complete=rule.min_share is None or rule.category_id is not None,
    )  # fmt: skip


def _move(rule: Rule, outcome: Outcome, at: datetime) -> None:
    """Write what was decided: memberships, places, history, audit. The statements do not grow with the companies."""
    places = {row.company_id: row for row in db.session.scalars(select(Place).where(Place.rule_id == rule.id))}
    for one in outcome.joined:
        if one.buyer.id not in places:
            db.session.add(Place(rule_id=rule.id, company_id=one.buyer.id, since=at))
        db.session.add(CompanySegment(company_id=one.buyer.id, segment_id=rule.segment_id))
    for one in outcome.stayed:
        if one.buyer.id in places:
            places[one.buyer.id].grace_until = None
    for one in outcome.waiting:
        place = places[one.buyer.id]
        place.grace_until = place.grace_until or at + timedelta(days=rule.grace_days)
    db.session.flush()
    inside = {one.buyer.id for one in (*outcome.joined, *outcome.stayed, *outcome.waiting)}
    # whoever was taken out by hand holds no place any more, and needs no move
    _take_out(rule, [company_id for company_id in places if company_id not in inside])
    _record(outcome.code, outcome.joined, at, joined=True)
    _record(outcome.code, outcome.left, at, joined=False)


def _take_out(rule: Rule, company_ids: Sequence[int]) -> None:
    """End the memberships and places of these companies."""
    gone = CompanySegment.segment_id == rule.segment_id, CompanySegment.company_id.in_(company_ids)
    db.session.execute(delete(CompanySegment).where(*gone))
    db.session.execute(delete(Place).where(Place.rule_id == rule.id, Place.company_id.in_(company_ids)))


def _record(code: str, moved: Sequence[Judged], at: datetime, *, joined: bool, cause: str = "rule") -> None:
    """Keep why these companies moved: in the history and in the audit."""
    currency = seller().currency
    action = "segment_joined" if joined else "segment_left"
    common = {"segment_code": code, "joined": joined, "cause": cause, "at": at}
    moves, entries = [], []
    for one in moved:
        figures = {
            "spend": str(one.bought.spend), "currency": currency, "orders": one.bought.orders,
            "share": str(one.bought.share), "country": one.buyer.country, "failed": list(one.failed),
        }  # fmt: skip
        moves.append({**common, "company_id": one.buyer.id, "figures": figures})
        entries.append((one.buyer.code, action, one.buyer.id, {"segment": code, **figures}))
    if moves:
        db.session.execute(insert(Move), moves)
    audit.record_all("company", entries, addon=OWNER)


def rule_of(code: str) -> Rule:
    """Return the rule of a segment; NotFound without one."""
    found = db.session.scalar(select(Rule).join(Segment, Segment.id == Rule.segment_id).where(Segment.code == code))
    if found is None:
        raise NotFound("SEGMENT-RULE-UNKNOWN", _("The segment “%(code)s” has no rule.", code=code))
    return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rule as a form gives it; see ``models.Rule``."""

    active: bool
    window_days: int
    grace_days: int
    min_spend: Decimal | None
    min_orders: int | None
    category_id: int | None
    min_share: Decimal | None
    countries: tuple[str, ...]


def fill(rule: Rule, wanted: Wanted) -> Rule:
    """Take the wanted conditions over."""
    for name in ("active", "window_days", "grace_days", "min_spend", "min_orders", "category_id", "min_share"):
        setattr(rule, name, getattr(wanted, name))
    rule.countries = list(wanted.countries)
    return rule


def save(segment: Segment, wanted: Wanted) -> Rule:
    """Write a segment's rule; companies move when it is evaluated next."""
    with write() as session:
        rule = session.scalar(select(Rule).where(Rule.segment_id == segment.id)) or Rule(segment_id=segment.id)
        before = None if rule.id is None else _as_text(rule)
        session.add(fill(rule, wanted))
        session.flush()
        audit.record("segment", segment.code, "rule_saved", addon=OWNER, before=before, after=_as_text(rule))
    return rule


def end(code: str, *, keep: bool) -> int:
    """Delete a segment's rule; its companies stay as though put there by hand (``keep``), or leave. Returns how many."""
    with write() as session:
        rule = _held(code) or rule_of(code)
        places = session.scalars(select(Place.company_id).where(Place.rule_id == rule.id)).all()
        companies, at = buyers(), now()
        if not keep:
            _take_out(rule, places)
            left = [Judged(companies[number], Bought(), (), Step.LEAVE) for number in places if number in companies]
            _record(code, left, at, joined=False, cause="ended")
        audit.record("segment", code, "rule_deleted", addon=OWNER, before=_as_text(rule), after={"kept": keep})
        session.delete(rule)
    return len(places)


def keep(codes: Iterable[str]) -> int:
    """Let companies stay in the segments that rules put them into, as though put there by hand; returns how many."""
    kept: dict[tuple[str, int], list[str]] = {}
    with write() as session:
        # an evaluation holds its rule while it moves companies
        session.scalars(locked(select(Rule).order_by(Rule.id))).all()
        query = (
            select(Company.id, Company.code, Segment.code)
            .select_from(Place)
            .join(Company, Company.id == Place.company_id)
            .join(Rule, Rule.id == Place.rule_id)
            .join(Segment, Segment.id == Rule.segment_id)
            .where(Company.code.in_(set(codes)))
            .order_by(Company.code, Segment.code)
        )
        for company_id, company, segment in session.execute(query):
            kept.setdefault((company_id, company), []).append(segment)
        session.execute(delete(Place).where(Place.company_id.in_([company_id for company_id, _code in kept])))
        entries = [(code, "segments_kept", i, {"segments": segments}) for (i, code), segments in kept.items()]
        audit.record_all("company", entries, addon=OWNER)
    return len(kept)


def _as_text(rule: Rule) -> dict[str, Any]:
    names = ("active", "window_days", "grace_days", "min_spend", "min_orders", "category_id", "min_share", "countries")
    return {name: str(getattr(rule, name)) for name in names}
