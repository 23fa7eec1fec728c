"""Between a rule and its form: what its rows say, and what is wrong in them, at the field where it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from core.api.companies import User
from core.api.data import db
from core.api.hooks import Invalid
from core.api.i18n import translations

from . import facts, reading
from .forms import RuleForm
from .rule_models import RuleParts
from .sentences import names_for

_, _l, ngettext, _p = translations(__name__)
ROWS = 4


def data_of(rule: RuleParts | None, who: str = "approver") -> dict[str, Any]:
    """Return what the form shows of a rule, with empty rows for more; None: of a new one, which asks ``who``."""
    if rule is None:
        return {"conditions": [{}] * ROWS, "steps": [{"who": who}, *[{}] * (ROWS - 1)]}
    names = names_for([rule])
    conditions = [{"fact": c["fact"], "op": c["op"], "value": reading.typed(c)} for c in rule.conditions]
    steps = [
        {
            "above": _decimal(step["above"]),
            "who": who,
            "need": str(step["need"]),
            "tier": step["tier"],
            "limited": step.get("limited", False),
        }
        for step in rule.steps
        for who in (*step["roles"], *(f"@{names.codes.get(p, '')}" for p in step["people"]))
    ]
    plain = ("name", "effect", "valid_from", "valid_until", "priority", "active")
    return {
        **{name: getattr(rule, name) for name in plain},
        "inherit": getattr(rule, "inherit", True),
        "orderers": [*rule.for_roles, *(f"@{names.codes.get(p, '')}" for p in rule.for_people)],
        "conditions": [*conditions, *[{}] * max(2, ROWS - len(conditions))],
        "steps": [*steps, *[{}] * max(2, ROWS - len(steps))],
    }


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def values_of(form: RuleForm) -> dict[str, Any] | None:
    """Return the columns that the (validated) form says, None where its rows are wrong; what is, stands at the fields."""
    conditions, steps = _conditions(form), _steps(form)
    if form.valid_from.data and form.valid_until.data and form.valid_until.data < form.valid_from.data:
        _add(form.valid_until, _("The last day is before the first."))
    if form.effect.data == "require" and not steps and not _wrong(form):
        _add(form.steps[0].form.who, _("Say who approves."))
    if form.effect.data != "require":
        steps = []
    if _wrong(form):
        return None
    orderers = form.orderers.data or []  # a form that names nobody may leave the field out
    ids = _ids([*orderers, *(who for step in steps for who in step["who"])])
    return {
        "name": (form.name.data or "").strip(),
        "effect": form.effect.data,
        "priority": form.priority.data or 0,
        "valid_from": form.valid_from.data,
        "valid_until": form.valid_until.data,
        "inherit": form.inherit.data,
        "active": form.active.data,
        "conditions": conditions,
        "for_roles": _roles(orderers),
        "for_people": [ids[who] for who in orderers if who in ids],
        "steps": [
            {
                "above": step["above"],
                "roles": _roles(step["who"]),
                "people": [ids[who] for who in step["who"] if who in ids],
                "need": step["need"],
                "tier": step["tier"],
                "limited": step["limited"],
            }
            for step in steps
        ],
    }


def _conditions(form: RuleForm) -> list[dict[str, Any]]:
    specs, found = facts.specs(ours=form.ours), []
    for row in (entry.form for entry in form.conditions):
        if not row.fact.data:
            if (row.value.data or "").strip():
                _add(row.fact, _("Say what the value is about."))
            continue
        try:
            found.append(reading.condition(specs, row.fact.data, row.op.data, row.value.data or ""))
        except Invalid as error:
            _add(row[str((error.details or {}).get("field", "value"))], str(error.message))
    return found


def _steps(form: RuleForm) -> list[dict[str, Any]]:
    """Return the steps; rows that differ only in who decides are one, of which ``need`` decide."""
    found: dict[tuple[str, int, int, bool], list[str]] = {}
    for row in (entry.form for entry in form.steps):
        above = "" if row.above.data is None else str(row.above.data)
        if not row.who.data:
            if above and form.effect.data == "require":
                _add(row.who, _("Say who approves from this total on."))
            continue
        step = (above, int(row.need.data), row.tier.data or 1, bool(row.limited.data))
        found.setdefault(step, []).append(row.who.data)
    return [
        {"above": above, "need": need, "tier": tier, "limited": limited, "who": list(dict.fromkeys(who))}
        for (above, need, tier, limited), who in found.items()
    ]


def _roles(chosen: Iterable[str]) -> list[str]:
    return [value for value in chosen if not value.startswith("@")]


def _ids(chosen: Sequence[str]) -> Mapping[str, int]:
    codes = [value[1:] for value in chosen if value.startswith("@")]
    rows = db.session.execute(select(User.code, User.id).where(User.code.in_(codes))) if codes else ()
    return {f"@{code}": id_ for code, id_ in rows}


def _add(field: Any, text: str) -> None:
    field.errors = [*field.errors, text]


def _wrong(form: RuleForm) -> bool:
    rows = [*form.conditions, *form.steps]
    return any(field.errors for row in rows for field in row.form) or bool(form.valid_until.errors)
