"""What would make an approval unnecessary: a smaller order, one without a line, one to another place; each is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal

from sqlalchemy import select

from core.api.companies import Address
from core.api.data import db, unscoped
from core.api.hooks import DraftLine, OrderDraft
from core.api.i18n import translations
from core.api.pricing import minor_digits, round_money
from core.api.ui import money_text

from . import amounts, basis, engine, reasons, selection
from .loading import facts_named, names_of
from .parts import ASKED
from .services import Trial, Tried
from .shares import spread

_, _l, ngettext, _p = translations(__name__)
#: Lines that are left out one by one, and addresses that are tried.
TRIED, PLACES, NAMED = 50, 20, 3
_REASON = "where a company has its goods sent, for whoever tries its rules"
_PLACES = frozenset({"ship_to", "country"})
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Room:
    """The largest ``total`` of a smaller order that is as asked; ``until``: the round total at which it ends to be.

    ``all_below`` is False where still smaller orders are not as asked.
    """

    total: Decimal
    until: Decimal | None
    all_below: bool


def ways(trial: Trial, draft: OrderDraft, found: Tried, names: Mapping[int, str]) -> list[str]:
    """Say what would make the approval of an order unnecessary, or let it be placed at all; ``names``: lines by position.

    Where no smaller order would, it says why, and what else does.
    """
    said, room, least = [], None, found
    if _free(found.plan):
        return []
    if found.plan.denied_by:
        room, least = largest(trial, draft, found, _allowed)
        if room:
            said.append(_of_allowed(room, draft.currency))
    if room or not found.plan.denied_by:
        room, least = largest(trial, draft, found, _free)
        if room:
            said.append(_of_free(room, draft.currency))
    said += [_("Without %(name)s no approval is needed.", name=name) for name in unneeded(trial, draft, names)]
    return said if room else [_whatever(least), *(said or _otherwise(trial, draft, least))]


def _free(plan: engine.Plan) -> bool:
    """Tell whether nothing but who orders asks for an approval."""
    return not plan.denied_by and all(asked.rule == ASKED for asked in plan.requirements)


def _allowed(plan: engine.Plan) -> bool:
    return not plan.denied_by


def _of_free(room: Room, currency: str) -> str:
    if not amounts.shown():
        return _("A smaller order needs no approval.")
    if not room.all_below:
        return _("At %(amount)s no approval is needed.", amount=money_text(room.total, currency))
    if room.until is not None:
        return _("Below %(amount)s no approval is needed.", amount=money_text(room.until, currency))
    return _("Up to %(amount)s no approval is needed.", amount=money_text(room.total, currency))


def _of_allowed(room: Room, currency: str) -> str:
    if not amounts.shown():
        return _("A smaller order is allowed.")
    if not room.all_below:
        return _("At %(amount)s the order is allowed.", amount=money_text(room.total, currency))
    if room.until is not None:
        return _("Below %(amount)s the order is allowed.", amount=money_text(room.until, currency))
    return _("Up to %(amount)s the order is allowed.", amount=money_text(room.total, currency))


def _whatever(least: Tried) -> str:
    """Say why even the smallest order needs it."""
    denied = least.plan.denied_by
    asking = [denied] if denied else [asked.rule for asked in least.plan.requirements if asked.rule != ASKED]
    why = "; ".join(dict.fromkeys(reasons.short(asking)[one] for one in asking))
    if denied:
        return _("A smaller order is not allowed either: %(why)s.", why=why)
    return _("A smaller order needs approval too: %(why)s.", why=why)


def _otherwise(trial: Trial, draft: OrderDraft, least: Tried) -> list[str]:
    """Say what helps where neither a smaller order nor one line less does: another place or budget, or who may change it."""
    said = [_("Delivered to %(place)s no approval is needed.", place=place) for place in _places(trial, draft)]
    if any(asked.rule.startswith(reasons.BUDGET) for asked in least.plan.requirements):
        said.append(_("Put it on another cost centre, or ask for more budget."))
    if said:
        return said
    people = engine.climb(trial.company.person(trial.requester), trial.company)
    names = ", ".join(names_of(people).values())
    if not names:
        return [_("Your contact person at the seller can tell what to do.")]
    return [_("Who looks after the rules of your company: %(names)s.", names=names)]


def _places(trial: Trial, draft: OrderDraft) -> list[str]:
    """Return the addresses to which the order could go without approval, at most three."""
    if not _PLACES & facts_named([trial.company]):
        return []
    query = select(Address.id, Address.name, Address.city).where(Address.company_id == draft.company_id, Address.active)
    query = query.where(Address.use != "bill_to", Address.id != (draft.ship_to_id or 0)).order_by(Address.code).limit(PLACES)
    rows = db.session.execute(unscoped(query, _REASON)).all()
    tried = trial.of([replace(draft, ship_to_id=row.id) for row in rows])
    free = [row for row, found in zip(rows, tried, strict=True) if _free(found.plan)]
    return [f"{row.name}, {row.city}" for row in free[:NAMED]]


def unneeded(trial: Trial, draft: OrderDraft, names: Mapping[int, str]) -> list[str]:
    """Return the names of the lines without which nobody need approve, at most three; each is tried by itself.

    Freight is taken as it is now; the checkout tells when it changes with the lines.
    """
    count = max(5, min(TRIED, 2000 // (len(trial.company.rules) or 1)))  # each costs an evaluation of all rules
    lines = [line for line in draft.lines[:count] if line.net is not None and len(draft.lines) > 1]
    tried = trial.of([_without(draft, line) for line in lines])
    found = [line for line, one in zip(lines, tried, strict=True) if _free(one.plan)]
    return [names.get(line.position) or line.sku for line in found[:NAMED]]


def _without(draft: OrderDraft, line: DraftLine) -> OrderDraft:
    """Return the order without a line, and without the tax on it."""
    net = line.net or ZERO
    tax = round_money(net * (line.tax_rate or 0) / 100, draft.currency)
    kept = tuple(x for x in draft.lines if x is not line)
    return replace(draft, net=draft.net - net, tax=draft.tax - tax, gross=draft.gross - net - tax, lines=kept)


def resized(draft: OrderDraft, net: Decimal) -> OrderDraft:
    """Return the order with ``net`` of goods: every line is smaller in the same part, charges are as they are.

    ``draft.net`` is above 0. Nets of lines add up to ``net`` to the last coin; quantities are exact parts, not rounded.
    """
    part = net / draft.net
    priced = [line for line in draft.lines if line.net is not None]
    nets = spread(net, [line.net or ZERO for line in priced], minor_digits(draft.currency))
    smaller = {
        line.position: replace(
            line, net=own, quantity=line.quantity * part, base_quantity=line.base_quantity * part
        )
        for line, own in zip(priced, nets, strict=True)
    }  # fmt: skip
    taxed = sum(((line.net or ZERO) * (line.tax_rate or 0) / 100 for line in priced), ZERO)
    tax = draft.tax - round_money(taxed * (1 - part), draft.currency)
    lines = tuple(smaller.get(line.position, line) for line in draft.lines)
    return replace(draft, net=net, tax=tax, gross=net + draft.charges_net + tax, lines=lines)


def largest(trial: Trial, draft: OrderDraft, found: Tried, ok: Callable[[engine.Plan], bool]) -> tuple[Room | None, Tried]:
    """Return how large an order may be that is otherwise the same so that ``ok`` holds, and how the smallest is judged.

    No smaller order: None. Found to the last coin by narrowing: each round judges a few sizes at once, all their figures
    read anew, first those at which rules, limits and budgets begin to ask. Taken for granted is that from some size on a
    larger order is never less asked; where rules are such that it is not so, some size that is ``ok`` is found.
    """
    coin = Decimal(1).scaleb(-minor_digits(draft.currency))
    top = int(draft.net / coin)
    if top < 2:
        return None, found
    at_once = max(6, min(16, 4000 // (len(draft.lines) or 1)))
    begins = _begins(draft, found)
    hints = _near(_sizes(draft, found, begins, top))
    judged: dict[int, Tried] = {}
    low, high = 0, top
    while high - low > 1:
        sizes = _between(low, high, hints, at_once)
        judged.update(zip(sizes, trial.of([resized(draft, coin * size) for size in sizes]), strict=True))
        low = max((size for size in sizes if ok(judged[size].plan)), default=low)
        if not low:
            return None, judged[1]
        high = min((size for size in sizes if size > low), default=high)
    ended = judged.get(high, found).figures[engine.TOTAL]
    holds = all(ok(one.plan) for size, one in judged.items() if size <= low)
    return Room(judged[low].figures[engine.TOTAL], ended if ended in begins else None, holds), judged[1]


def _begins(draft: OrderDraft, found: Tried) -> set[Decimal]:
    """Return the totals below the order's at which something begins to be asked."""
    return set(selection.thresholds(found.figures[engine.TOTAL], str(draft.user_id), found.company))


def _sizes(draft: OrderDraft, found: Tried, begins: Iterable[Decimal], top: int) -> list[Decimal]:
    """Return the sizes, out of ``top`` coins of goods, near which something that is asked may begin to be."""
    total = found.figures[engine.TOTAL]
    fixed = basis.amounts([resized(draft, ZERO)])[0]
    tight = (x for x in found.exceeded.overruns if x.share)
    totals = [*begins, *(total * max(x.left, ZERO) / x.share for x in tight)]
    sizes = [top * (at - fixed) / (total - fixed) for at in totals] if total > fixed else []
    for condition in (c for rule in found.company.rules for c in rule.conditions if c.fact != engine.TOTAL):
        value = found.figures.get(condition.fact)
        if isinstance(value, Decimal) and value > 0 and isinstance(condition.value, Decimal):
            sizes.append(top * condition.value / value)
    return sizes


def _near(sizes: Iterable[Decimal]) -> list[int]:
    """Return whole sizes on both sides of each."""
    whole = {int(size.to_integral_value(ROUND_FLOOR)) for size in sizes}
    return sorted({size + step for size in whole for step in (-1, 0, 1)})


def _between(low: int, high: int, hints: Sequence[int], count: int) -> list[int]:
    """Return some sizes between two, at most twice ``count``: the next one, of the hints as many as fit, others evenly."""
    here = [size for size in hints if low < size < high]
    some = here if len(here) <= count else [here[i * (len(here) - 1) // (count - 1)] for i in range(count)]
    evenly = count if not here else 4
    parts = {low + (high - low) * i // (evenly + 1) for i in range(1, evenly + 1)}
    return sorted({low + 1, *some, *parts} - {low, high})
