"""The form of a rebate; steps and what counts are written as lines of text, so that they can be pasted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from core.api.catalog import Category, Product
from core.api.companies import Company
from core.api.data import db
from core.api.hooks import Invalid
from core.api.i18n import read_number, translations
from core.api.pricing import checked_currency
from core.api.ui import ChoiceField, CodeField, DayField, TukkuForm, typed_number

from .editing import invalid
from .models import Rebate

_, _l, ngettext, _p = translations(__name__)
ONE_DAY = timedelta(days=1)
PERIODS = (("year", _l("Year")), ("quarter", _l("Quarter")))
BASES = (("net", _l("Net turnover")), ("quantity", _l("Quantity")))
KINDS = (("percent", _l("Percent of the turnover")), ("amount", _l("Amount for each unit")))
MODES = (
    ("retroactive", _l("Of everything, from the first unit")),
    ("prospective", _l("Only of what lies above the threshold")),
)
STATUSES = (("draft", _l("Draft")), ("active", _l("Active")), ("ended", _l("Ended")))
_PLAIN = ("code", "name", "period", "basis", "kind", "mode", "status")


class RebateForm(TukkuForm):
    """A rebate."""

    code = CodeField(_l("Code"), [InputRequired(), Length(max=30)])
    name = StringField(_l("Name"), [InputRequired(), Length(max=100)], description=_l("Buyers read it."))
    company = StringField(
        _l("Company code"), [InputRequired(), Length(max=40)], description=_l("What its subsidiaries buy counts too.")
    )
    currency = StringField(
        _l("Currency"), [Optional(), Length(max=3)],
        description=_l("Empty: that of the company. Orders in another currency do not count."),
    )  # fmt: skip
    status = ChoiceField(_l("Status"), options=STATUSES, default="draft")
    period = ChoiceField(_l("Period"), options=PERIODS, default="year")
    starts = DayField(
        _l("First day"), [InputRequired()], description=_l("Every period begins on this day of the year or quarter.")
    )
    ends = DayField(_l("Last day"), [Optional()], description=_l("Empty: until further notice."))
    basis = ChoiceField(_l("Thresholds are of"), options=BASES, default="net")
    kind = ChoiceField(_l("What comes back"), options=KINDS, default="percent")
    mode = ChoiceField(_l("A step counts"), options=MODES, default="retroactive")
    unit = StringField(
        _l("Base unit"), [Optional(), Length(max=20)], description=_l("Where quantities count; other units are left out.")
    )
    steps = TextAreaField(
        _l("Steps"), [InputRequired(), Length(max=2000)],
        description=_l("One in a line: from which threshold, and percent or amount. For example: 10000 2"),
    )  # fmt: skip
    skus = TextAreaField(_l("Articles that count"), [Optional(), Length(max=20000)], description=_l("Empty: all."))
    categories = TextAreaField(
        _l("Categories that count"), [Optional(), Length(max=5000)], description=_l("With everything that lies below them.")
    )
    note = TextAreaField(_l("Note for the staff"), [Optional(), Length(max=2000)])

    def fill(self, rebate: Rebate) -> None:
        """Show a rebate's values."""
        self.process(obj=rebate)
        self.company.data = db.session.scalar(select(Company.code).where(Company.id == rebate.company_id)) or ""
        self.ends.data = None if rebate.ends is None else rebate.ends - ONE_DAY
        self.steps.data = "\n".join(f"{typed_number(s.threshold)}  {typed_number(s.value)}" for s in rebate.steps)
        self.skus.data = "\n".join(codes_of(Product, Product.sku, (t.product_id for t in rebate.targets)))
        self.categories.data = "\n".join(codes_of(Category, Category.code, (t.category_id for t in rebate.targets)))

    def values(self) -> dict[str, Any]:
        """Return what editing.save takes; Invalid names the field that leads nowhere."""
        found: dict[str, Any] = {name: self[name].data or "" for name in _PLAIN}
        found["note"], found["unit"] = self.note.data or "", (self.unit.data or "").strip()
        company = db.session.scalar(select(Company).where(Company.code == (self.company.data or "").strip()))
        if company is None:
            raise invalid("company", _("There is nothing with the code “%(code)s”.", code=self.company.data or ""))
        found["company_id"] = company.id
        found["currency"] = checked_currency(self.currency.data or company.currency)
        found["starts"] = self.starts.data
        found["ends"] = None if self.ends.data is None else self.ends.data + ONE_DAY
        found["steps"] = [_step(line) for line in (self.steps.data or "").splitlines() if line.strip()]
        found["products"] = ids_of(Product, Product.sku, _codes(self.skus.data), "skus")
        found["categories"] = ids_of(Category, Category.code, _codes(self.categories.data), "categories")
        return found


def _step(line: str) -> tuple[Decimal, Decimal]:
    parts = re.split(r"\s{2,}|\t|;|:|\s(?=\S+$)", line.strip().rstrip("%").strip())
    try:
        threshold, value = (read_number(part) for part in parts if part.strip())
    except (Invalid, ValueError):
        raise invalid("steps", _("“%(line)s” is no step: write a threshold and a value.", line=line.strip()[:60])) from None
    return threshold, value


def _codes(text: str | None) -> list[str]:
    return list(dict.fromkeys(part for part in re.split(r"[\s,;]+", text or "") if part))


def ids_of(model: Any, code: Any, wanted: Iterable[str], field: str) -> list[int]:
    """Return the ids behind codes, in their order; Invalid names the first that leads nowhere."""
    codes = list(wanted)
    found = dict(db.session.execute(select(code, model.id).where(code.in_(codes))).all()) if codes else {}
    for one in codes:
        if one not in found:
            raise invalid(field, _("There is nothing with the code “%(code)s”.", code=one[:80]))
    return [found[one] for one in codes]


def codes_of(model: Any, code: Any, ids: Iterable[int | None]) -> list[str]:
    """Return the codes behind ids, sorted."""
    wanted = [one for one in ids if one is not None]
    return sorted(db.session.scalars(select(code).where(model.id.in_(wanted)))) if wanted else []
