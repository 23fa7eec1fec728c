"""A section of the back-office's form of a company: how long its approvals may take, where it differs from the shop."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from wtforms.validators import Optional

from core.api.companies import Company
from core.api.data import db
from core.api.hooks import FormSection
from core.api.i18n import translations
from core.api.settings import reset, set_value, stored_for
from core.api.ui import NumberField, TukkuForm

from . import timing

_, _l, ngettext, _p = translations(__name__)
KEYS = ("remind_hours", "escalate_hours", "expire_hours")
_SPECS = {spec.key: spec for spec in timing.SETTINGS}


def _hours(key: str) -> NumberField:
    spec = _SPECS[key]
    hint = {"placeholder": _l("as in the settings")}
    return NumberField(
        spec.label, [Optional()], places=0, minimum=spec.minimum, maximum=spec.maximum, description=spec.help, render_kw=hint
    )


class TimesForm(TukkuForm):
    """Working hours; an empty field leaves what the settings say for the shop, a segment or a company above."""

    remind_hours = _hours("remind_hours")
    escalate_hours = _hours("escalate_hours")
    expire_hours = _hours("expire_hours")


def load(company_id: int | None) -> Mapping[str, Any]:
    """Return what is set for the company itself; None where it follows the settings."""
    stored = stored_for(_target(company_id)) if company_id else {}
    return {key: None if (hours := _of(stored, key)) is None else Decimal(hours) for key in KEYS}


def save(company_id: int, values: Mapping[str, Any]) -> None:
    """Write what differs; runs in the transaction that saves the company."""
    target = _target(company_id)
    stored = stored_for(target)
    for key in KEYS:
        before, hours = _of(stored, key), values[key]
        if hours is None and before is not None:
            reset(timing.OWNER, key, target=target)
        elif hours is not None and int(hours) != before:
            set_value(timing.OWNER, key, int(hours), target=target)


def _of(stored: Mapping[str, Any], key: str) -> int | None:
    return stored.get(f"{timing.OWNER}.{key}")


def _target(company_id: int) -> str:
    return f"company:{db.session.get_one(Company, company_id).code}"


SECTION = FormSection("times", "company.edit", TimesForm, load, save, _l("Approval of orders"), "backoffice.settings.edit")
