"""The form of an agreement."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from core.api.catalog import Category, Product
from core.api.companies import Company, seller
from core.api.data import clock, db, end_of_day, start_of_day
from core.api.i18n import translations
from core.api.pricing import checked_currency
from core.api.ui import ChoiceField, CodeField, DayField, NumberField, TukkuForm

from .editing import invalid
from .models import Agreement
from .standing import first_day, last_day

_, _l, ngettext, _p = translations(__name__)
KINDS = (("fixed", _l("A fixed price")), ("percent", _l("Percent off the list price")))
STATUSES = (("draft", _l("Draft")), ("active", _l("Active")), ("ended", _l("Ended")))
YEAR = timedelta(days=365)
_PLAIN = ("code", "name", "kind", "status", "note")
#: field of the form -> (column, model, the model's code)
CODES: dict[str, tuple[str, Any, Any]] = {
    "company": ("company_id", Company, Company.code),
    "sku": ("product_id", Product, Product.sku),
    "category": ("category_id", Category, Category.code),
}


class AgreementForm(TukkuForm):
    """An agreement."""

    code = CodeField(_l("Code"), [InputRequired(), Length(max=30)])
    name = StringField(_l("Name"), [InputRequired(), Length(max=100)], description=_l("Buyers read it beside the price."))
    company = StringField(
        _l("Company code"), [InputRequired(), Length(max=40)], description=_l("Its subsidiaries draw from it too.")
    )
    sku = StringField(_l("Article"), [Optional(), Length(max=80)])
    category = StringField(
        _l("Or category"), [Optional(), Length(max=60)], description=_l("With everything that lies below it.")
    )
    quantity = NumberField(_l("Agreed quantity"), [InputRequired()], places=3, minimum=Decimal("0.001"))
    unit = StringField(
        _l("Unit"),
        [Optional(), Length(max=20)],
        description=_l("Of an article always its base unit; say it for a category."),
    )
    kind = ChoiceField(_l("Price"), options=KINDS, default="fixed")
    value = NumberField(_l("Price or percent"), [InputRequired()], places=6, minimum=Decimal(0))
    per = NumberField(
        _l("The price is for so many"), [Optional()], places=3, minimum=Decimal("0.001"), description=_l("Empty: for one.")
    )
    currency = StringField(_l("Currency"), [Optional(), Length(max=3)], description=_l("Empty: that of the company."))
    valid_from = DayField(_l("First day"), description=_l("Empty: today."))
    valid_until = DayField(_l("Last day"), [InputRequired()])
    status = ChoiceField(_l("Status"), options=STATUSES, default="draft")
    note = TextAreaField(_l("Note for the staff"), [Optional(), Length(max=2000)])

    def fill(self, agreement: Agreement) -> None:
        """Show an agreement's values."""
        self.process(obj=agreement)
        for name, (column, model, code) in CODES.items():
            self[name].data = db.session.scalar(select(code).where(model.id == getattr(agreement, column))) or ""
        self.valid_from.data = first_day(agreement.valid_from)
        self.valid_until.data = last_day(agreement.valid_until)

    def values(self) -> dict[str, Any]:
        """Return the columns; Invalid names the field whose code leads nowhere."""
        zone = seller().zone
        found: dict[str, Any] = {name: self[name].data or "" for name in _PLAIN}
        found["unit"] = (self.unit.data or "").strip()
        found["quantity"], found["value"] = self.quantity.data, self.value.data
        found["per"] = Decimal(1) if self.per.data is None else self.per.data
        for name, (column, model, code) in CODES.items():
            found[column] = self._id(name, model, code)
        own = select(Company.currency).where(Company.id == found["company_id"])
        found["currency"] = checked_currency(self.currency.data or db.session.scalars(own).one())
        found["valid_from"] = start_of_day(self.valid_from.data or clock.today(zone), zone)
        found["valid_until"] = end_of_day(self.valid_until.data, zone)
        return found

    def _id(self, name: str, model: Any, code: Any) -> int | None:
        text = (self[name].data or "").strip()
        if not text:
            return None
        found: int | None = db.session.scalar(select(model.id).where(code == text))
        if found is None:
            raise invalid(name, _("There is nothing with the code “%(code)s”.", code=text))
        return found
