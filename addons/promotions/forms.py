"""The form of a promotion."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from core.api.catalog import Category, Product
from core.api.companies import Company, Segment, seller
from core.api.data import clock, db, end_of_day, start_of_day
from core.api.hooks import Invalid
from core.api.i18n import pick, translations
from core.api.pricing import checked_currency
from core.api.ui import ChoiceField, CodeField, DayField, NumberField, TukkuForm

from .models import Promotion
from .vouchers import normal

_, _l, ngettext, _p = translations(__name__)
ONE_DAY = timedelta(days=1)

KINDS = (
    ("percent", _l("Percent")),
    ("amount", _l("An amount off the order")),
    ("amount_each", _l("An amount off each unit")),
    ("cheapest_free", _l("The cheapest units are free")),
    ("free_goods", _l("Articles free of charge, beside what is ordered")),
)
STATUSES = (("draft", _l("Draft")), ("active", _l("Active")), ("ended", _l("Ended")))
_PLAIN = (
    "code", "name", "kind", "min_value", "min_quantity", "max_units", "free_quantity", "for_every", "with_charges",
    "on_agreed", "uses", "uses_per_company", "status",
)  # fmt: skip
#: field of the form -> (column, model, the model's code)
_CODES: dict[str, tuple[str, Any, Any]] = {
    "counted_sku": ("counted_product_id", Product, Product.sku),
    "counted_category": ("counted_category_id", Category, Category.code),
    "reduced_sku": ("reduced_product_id", Product, Product.sku),
    "reduced_category": ("reduced_category_id", Category, Category.code),
    "company": ("company_id", Company, Company.code),
    "segment": ("segment_id", Segment, Segment.code),
}


def _segments() -> list[tuple[str, object]]:
    return [(s.code, pick(s.name, fallback=s.code)) for s in db.session.scalars(select(Segment).order_by(Segment.code))]


class PromotionForm(TukkuForm):
    """A promotion."""

    code = CodeField(_l("Code"), [InputRequired(), Length(max=40)])
    name = StringField(
        _l("Name"), [InputRequired(), Length(max=100)], description=_l("Buyers read it on their cart and order.")
    )
    kind = ChoiceField(_l("What comes off"), options=KINDS, default="percent")
    value = NumberField(_l("Percent or amount"), [Optional()], places=4, minimum=Decimal(0))
    currency = StringField(_l("Currency"), [Optional(), Length(max=3)], description=_l("Needed for amounts."))
    min_value = NumberField(
        _l("From a value of"), [Optional()], places=2, minimum=Decimal(0), description=_l("Of the articles, without tax.")
    )
    min_quantity = NumberField(_l("From a quantity of"), [Optional()], places=3, minimum=Decimal(0))
    counted_sku = StringField(
        _l("Article that counts"), [Optional(), Length(max=80)], description=_l("Empty: all articles count.")
    )
    counted_category = StringField(_l("Category that counts"), [Optional(), Length(max=60)])
    reduced_sku = StringField(
        _l("Article that is reduced or given"),
        [Optional(), Length(max=80)],
        description=_l("Empty: all articles are reduced; of articles free of charge, the one that was bought is given."),
    )
    reduced_category = StringField(_l("Category that is reduced"), [Optional(), Length(max=60)])
    max_units = NumberField(
        _l("At most so many units"),
        [Optional()],
        places=3,
        minimum=Decimal("0.001"),
        description=_l("The cheapest units first."),
    )
    free_quantity = NumberField(
        _l("So many units are free"),
        [Optional()],
        places=3,
        minimum=Decimal("0.001"),
        description=_l("Where units are free. Empty: one. Articles free of charge are counted in their base unit."),
    )
    for_every = NumberField(
        _l("For every"),
        [Optional()],
        places=3,
        minimum=Decimal("0.001"),
        description=_l("So many that count, rounded down: 10 here and 1 above make 10 + 1. Empty: once."),
    )
    with_charges = BooleanField(_l("Freight and charges too"))
    on_agreed = BooleanField(_l("On prices of contracts and prices set by hand too"))
    company = StringField(
        _l("Company code"), [Optional(), Length(max=40)], description=_l("Its subsidiaries too. Empty: everybody.")
    )
    segment = ChoiceField(_l("Segment"), options=_segments, empty=_l("None"), default="")
    voucher = StringField(
        _l("Voucher"), [Optional(), Length(max=40)], description=_l("Empty: it counts without being entered.")
    )
    uses = IntegerField(_l("Uses in all"), [Optional(), NumberRange(1, 1_000_000)])
    uses_per_company = IntegerField(_l("Uses for each company"), [Optional(), NumberRange(1, 1_000_000)])
    valid_from = DayField(_l("First day"), description=_l("Empty: from now on."))
    valid_until = DayField(_l("Last day"), description=_l("Empty: until further notice."))
    status = ChoiceField(_l("Status"), options=STATUSES, default="draft")

    def fill(self, promotion: Promotion) -> None:
        """Show a promotion's values."""
        zone = ZoneInfo(seller().zone)
        self.process(obj=promotion)
        for name, (column, model, code) in _CODES.items():
            self[name].data = db.session.scalar(select(code).where(model.id == getattr(promotion, column))) or ""
        self.valid_from.data = promotion.valid_from.astimezone(zone).date()
        end = promotion.valid_until
        self.valid_until.data = None if end is None else end.astimezone(zone).date() - ONE_DAY

    def values(self, known: Promotion | None) -> dict[str, Any]:
        """Return the columns; Invalid names the field whose code leads nowhere."""
        zone = seller().zone
        found: dict[str, Any] = {name: self[name].data for name in _PLAIN}
        found["value"] = self.value.data or Decimal(0)
        found["voucher"] = normal(self.voucher.data or "")
        found["currency"] = checked_currency(self.currency.data) if self.currency.data else ""
        first = self.valid_from.data
        found["valid_from"] = start_of_day(first, zone) if first else known.valid_from if known else clock.now()
        found["valid_until"] = end_of_day(self.valid_until.data, zone) if self.valid_until.data else None
        for one, other in (
            ("counted_sku", "counted_category"), ("reduced_sku", "reduced_category"), ("company", "segment"),
        ):  # fmt: skip
            if self[one].data and self[other].data:
                raise Invalid("PROMOTION-INVALID", _("Name one of the two, not both."), details={"field": other})
        for name, (column, model, code) in _CODES.items():
            found[column] = self._id(name, model, code)
        return found

    def _id(self, name: str, model: Any, code: Any) -> int | None:
        text = (self[name].data or "").strip()
        if not text:
            return None
        found: int | None = db.session.scalar(select(model.id).where(code == text))
        if found is None:
            message = _("There is nothing with the code “%(code)s”.", code=text)
            raise Invalid("PROMOTION-INVALID", message, details={"field": name})
        return found
