"""Rules as people read them: whole sentences, one for each step, with the names of people, roles and places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from babel.lists import format_list
from sqlalchemy import select

from core.api.companies import ROLE_TITLES, User, seller
from core.api.data import db, today
from core.api.hooks import OrderFact
from core.api.i18n import current_locale, translations
from core.api.ui import day_text, money_text, percent_text, plain, quantity_text

from . import amounts, basis, facts, managers
from .models import Group
from .permissions import CENTRE_OWNER
from .rule_models import RuleParts

_, _l, ngettext, _p = translations(__name__)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A rule or limit as people read it: ``lines`` are whole sentences, ``notes`` short remarks (ended, switched off)."""

    id: int
    lines: tuple[str, ...]
    own: bool = True
    name: str = ""
    notes: tuple[str, ...] = ()
    holds: bool = True

    @property
    def text(self) -> str:
        """All of it in one."""
        return " ".join(self.lines)


@dataclass(frozen=True, slots=True)
class Names:
    """What is called how: people and their codes by id, roles, and the labels of the figures' values."""

    people: Mapping[int, str] = field(default_factory=dict)
    codes: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    specs: Mapping[str, OrderFact] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def role(self, role: str) -> str:
        """Return what a role is called; one that is gone is said to be."""
        known = {
            **ROLE_TITLES,
            managers.MANAGER: _("Manager of whoever orders"),
            CENTRE_OWNER: _("Owner of the cost centre"),
            **self.groups,
        }
        return str(known.get(role) or _("a role that is gone"))

    def person(self, id_: int) -> str:
        """Return a person's name."""
        return self.people.get(id_) or _("somebody who is gone")


def names_for(rules: Sequence[RuleParts], company_id: int | None = None) -> Names:
    """Return the names that sentences about ``rules`` need; as many statements for one as for many.

    The total is called what counts for orders of the company, by default that for which the reader buys.
    """
    ids = {i for rule in rules for i in (*rule.for_people, *(p for step in rule.steps for p in step["people"]))}
    rows = db.session.execute(select(User.id, User.name, User.code).where(User.id.in_(ids))).all() if ids else []
    specs = dict(facts.specs(ours=True))
    if company_id is not None:
        specs["total"] = replace(specs["total"], title=basis.TITLES[basis.of(company_id)])
    asked = {said["fact"] for rule in rules for said in rule.conditions}
    values = {
        name: {value: str(label) for value, label in spec.options()}
        for name, spec in specs.items()
        if name in asked and spec.options
    }
    return Names({r.id: r.name for r in rows}, {r.id: r.code for r in rows}, group_names(), specs, values)


def group_names() -> dict[str, str]:
    """Return the companies' own roles that the actor may see, by what rules call them."""
    return {group.role: group.name for group in db.session.scalars(select(Group).order_by(Group.name, Group.id))}


def describe(rule: RuleParts, names: Names, own: bool = True) -> Sentence:
    """Return the rule as sentences."""
    day = today(seller().zone)
    over = rule.valid_until is not None and rule.valid_until < day
    to_come = rule.valid_from is not None and rule.valid_from > day
    notes = [
        _("Switched off") if not rule.active else "",
        _("Ended on %(day)s", day=day_text(rule.valid_until)) if over else "",
        _("Until %(day)s", day=day_text(rule.valid_until)) if rule.valid_until and not over else "",
        _("From %(day)s", day=day_text(rule.valid_from)) if to_come else "",
        _("Priority %(count)s", count=rule.priority) if rule.priority else "",
        _("Not for subsidiaries") if not getattr(rule, "inherit", True) else "",
    ]
    holds = rule.active and not over and not to_come
    return Sentence(rule.id, tuple(_lines(rule, names)), own, rule.name, tuple(filter(None, notes)), holds)


def reason_of(rule: RuleParts, names: Names) -> str:
    """Return why an order waits by the rule: its name, or else when it fits."""
    above = [step["above"] for step in rule.steps]
    lowest = min(above, key=lambda text: Decimal(text or 0), default="")
    return rule.name or _when(rule, names, [{"fact": "total", "op": ">", "value": lowest}] if lowest else [])


def _lines(rule: RuleParts, names: Names) -> Iterable[str]:
    if rule.effect != "require":
        when = _when(rule, names)
        yield (
            _("%(when)s: not allowed.", when=when)
            if rule.effect == "deny"
            else _("%(when)s: no approval is needed.", when=when)
        )
        return
    for step in sorted(rule.steps, key=lambda step: step["tier"]):
        above = [{"fact": "total", "op": ">", "value": step["above"]}] if step["above"] else []
        when, who = _when(rule, names, above), who_text(step, names)
        if step["need"] == 0:
            yield _("%(when)s: all of them approve, in turn %(turn)s: %(who)s.", when=when, who=who, turn=step["tier"])
            continue
        yield ngettext(
            "%(when)s: %(count)s approves, in turn %(turn)s: %(who)s.",
            "%(when)s: %(count)s of them approve, in turn %(turn)s: %(who)s.",
            step["need"],
            when=when,
            who=who,
            turn=step["tier"],
        )


def who_text(step: Mapping[str, Any], names: Names) -> str:
    """Return whom a step asks."""
    found = [*map(names.role, step["roles"]), *map(names.person, step["people"])]
    who = ", ".join(found) or names.role("company_admin")
    return _("%(who)s (only who may approve that much)", who=who) if step.get("limited") else who


def _when(rule: RuleParts, names: Names, more: Sequence[Mapping[str, Any]] = ()) -> str:
    weaker = [c for c in rule.conditions if more and _begins(c) and Decimal(c["value"]) <= Decimal(more[0]["value"])]
    said = [condition_text(c, rule.currency, names) for c in (*rule.conditions, *more) if c not in weaker]
    when = _joined(said) if said else _("Every order")
    who = [*map(names.role, rule.for_roles), *map(names.person, rule.for_people)]
    return _("%(when)s, ordered by: %(role)s", when=when, role=", ".join(who)) if who else when


def _begins(said: Mapping[str, Any]) -> bool:
    return said["fact"] == "total" and said["op"] in (">", ">=")


def _joined(said: Sequence[str]) -> str:
    return format_list(list(dict.fromkeys(said)), "standard", current_locale())


def condition_text(said: Mapping[str, Any], currency: str, names: Names) -> str:
    """Return a condition as a part of a sentence."""
    spec = names.specs.get(said["fact"])
    title = str(spec.title) if spec else said["fact"]
    if spec and spec.kind == "money" and not amounts.shown():
        return _unsaid(said["op"]) % {"fact": title}
    value = _value(said, spec.kind if spec else "number", currency, names)
    return {
        ">": _("%(fact)s above %(value)s"),
        ">=": _("%(fact)s at least %(value)s"),
        "<": _("%(fact)s below %(value)s"),
        "<=": _("%(fact)s at most %(value)s"),
        "=": _("%(fact)s exactly %(value)s"),
        "in": _("%(fact)s: %(value)s"),
        "not_in": _("%(fact)s: not %(value)s"),
    }[said["op"]] % {"fact": title, "value": value}


def _unsaid(op: str) -> str:
    """Return what a condition says of an amount to those who may not read it."""
    if op in (">", ">="):
        return _("%(fact)s above a set amount")
    return _("%(fact)s below a set amount") if op in ("<", "<=") else _("%(fact)s of a set amount")


def _value(said: Mapping[str, Any], kind: str, currency: str, names: Names) -> str:
    value = said["value"]
    if isinstance(value, list):
        labels = names.values.get(said["fact"], {})
        return ", ".join(labels.get(code, code) for code in value)
    if kind == "money":
        return money_text(Decimal(value), currency)
    return percent_text(Decimal(value)) if kind == "percent" else plain(Decimal(value))


def figure_text(name: str, value: Any, currency: str, names: Names) -> str:
    """Return the value that an order has for a figure."""
    spec = names.specs.get(name)
    if isinstance(value, frozenset):
        labels = names.values.get(name, {})
        return ", ".join(labels.get(code, code) for code in sorted(value)) or "–"
    if spec is not None and spec.kind == "money":
        return money_text(value, currency)
    return percent_text(value) if spec is not None and spec.kind == "percent" else quantity_text(value)
