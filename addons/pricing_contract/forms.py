"""Forms of contracts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from wtforms import BooleanField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from core.api.companies import Company, Segment, checked_country, seller
from core.api.data import db, end_of_day, start_of_day
from core.api.hooks import Invalid
from core.api.i18n import pick, translations
from core.api.pricing import BEGINNING, checked_currency
from core.api.ui import ChoiceField, CodeField, DayField, NumberField, TukkuForm

from .days import first_day, last_day
from .imports import NOT_OF_A_LINE
from .models import Contract

_, _l, ngettext, _p = translations(__name__)
#: The largest priority, either way.
PRIORITY = 999_999_999

AUDIENCES = (
    ("company", _l("One company and its subsidiaries")),
    ("segment", _l("A segment of companies")),
    ("location", _l("Companies of a country")),
    ("public", _l("Everybody, visitors too")),
)
POLICIES = (
    ("override", _l("Final: this price, even if another is lower")),
    ("best_of", _l("Best of: the lower of this and what follows")),
    ("fallback", _l("Fallback: only where there is no other price")),
)
DATE_BASES = (
    ("order", _l("The day of the order")),
    ("wished", _l("The wished day of delivery, where there is one")),
)
BELOW_FIRST = (
    ("none", _l("No price: the buyer asks for a quote")),
    ("whole", _l("The first price, for whole quantities")),
    ("fraction", _l("The first price, for fractions")),
    ("below_one", _l("The first price, for less than one unit")),
    ("any", _l("The first price, for any quantity")),
)
BREAKS = (
    ("whole", _l("The price of the break, for all of them")),
    ("progressive", _l("Its price for the units above the break; those below keep theirs")),
)
COUNTS = (
    ("line", _l("What the line orders")),
    ("product", _l("The product on all lines of the order, in all its units")),
    ("family", _l("The whole category, or all products, on all lines of the order")),
)
PERIODS = (
    ("", _l("Do not count")),
    ("month", _l("Count, of this month")),
    ("quarter", _l("Count, of this quarter")),
    ("year", _l("Count, of this year")),
    ("contract", _l("Count, since the contract’s first day")),
)
STATUSES = (("draft", _l("Draft")), ("active", _l("Active")), ("ended", _l("Ended")))
ROUNDINGS = (("half_up", _l("To the nearest")), ("up", _l("Up")), ("down", _l("Down")))


def _segments() -> list[tuple[str, object]]:
    return [(s.code, pick(s.name, fallback=s.code)) for s in db.session.scalars(select(Segment).order_by(Segment.code))]


def _told(field: Any) -> str:
    """Return a field's value as people read it."""
    if isinstance(field.data, bool):
        return str(_("Yes") if field.data else _("No"))
    if hasattr(field, "iter_choices"):
        return next((str(choice.label) for choice in field.iter_choices() if choice.value == field.data), "")
    return "" if field.data is None else str(field.data)


class ContractForm(TukkuForm):
    """The head of a contract."""

    code = CodeField(_l("Code"), [InputRequired(), Length(max=40)])
    name = StringField(
        _l("Name"), [InputRequired(), Length(max=200)], description=_l("Buyers read it as the reason for their price.")
    )
    audience = ChoiceField(_l("For whom"), options=AUDIENCES, default="company")
    company = StringField(
        _l("Company code"), [Optional(), Length(max=40)], description=_l("Its subsidiaries inherit the contract.")
    )
    segment = ChoiceField(_l("Segment"), options=_segments, empty=_l("None"), default="")
    country = StringField(
        _l("Country"), [Optional(), Length(max=2)], description=_l("Two letters, for example FI; empty for any country.")
    )
    currency = StringField(
        _l("Currency"),
        [Optional(), Length(max=3)],
        description=_l("Empty for a list of percents, which holds in every currency."),
    )
    merge_policy = ChoiceField(_l("Beside other prices"), options=POLICIES, default="override")
    priority = IntegerField(
        _l("Priority"),
        [InputRequired(), NumberRange(-PRIORITY, PRIORITY)],
        default=0,
        description=_l("Among contracts of the same audience the larger is looked at first."),
    )
    valid_from = DayField(_l("First day"), description=_l("Empty: it has always held."))
    valid_until = DayField(_l("Last day"), description=_l("Empty: until further notice."))
    status = ChoiceField(_l("Status"), options=STATUSES, default="draft")
    show_list = BooleanField(_l("Show the list price struck through"))
    allow_inverted = BooleanField(_l("A larger quantity may cost more for each unit"))
    date_basis = ChoiceField(_l("Prices of which day"), options=DATE_BASES, default="order")
    breaks = ChoiceField(_l("A quantity above a break costs"), options=BREAKS, default="whole")
    counts = ChoiceField(_l("What counts towards a break"), options=COUNTS, default="line")
    period = ChoiceField(
        _l("Earlier orders"),
        options=PERIODS,
        default="",
        description=_l("Of the company and its subsidiaries, without what was cancelled or came back."),
    )
    below_first = ChoiceField(_l("Quantities below the first price"), options=BELOW_FIRST, default="none")
    closes = BooleanField(
        _l("Nothing follows"),
        description=_l("What has no price here or before has none: neither other lists nor the list price count."),
    )
    note = TextAreaField(_l("Note for colleagues"), [Optional(), Length(max=2000)])

    def fill(self, contract: Contract) -> None:
        """Show a contract's values."""
        zone = ZoneInfo(seller().zone)
        self.process(obj=contract)
        self.company.data = db.session.scalar(select(Company.code).where(Company.id == contract.company_id)) or ""
        self.segment.data = db.session.scalar(select(Segment.code).where(Segment.id == contract.segment_id)) or ""
        self.valid_from.data = first_day(contract.valid_from, zone)
        self.valid_until.data = last_day(contract.valid_until, zone)

    def differences(self, contract: Contract) -> list[str]:
        """Return a sentence for each field whose value in the contract is another than the one typed."""
        now = ContractForm(formdata=None)
        now.fill(contract)
        pairs = [(field, now[field.short_name]) for field in self if field.short_name not in ("code", "csrf_token")]
        return [
            _(
                "%(field)s: it is “%(now)s” now, you wrote “%(typed)s”.",
                field=mine.label.text,
                now=_told(here),
                typed=_told(mine),
            )
            for mine, here in pairs
            if (here.data or None) != (mine.data or None)
        ]

    def head(self) -> dict[str, Any]:
        """Return the values for the model; Invalid where a code leads nowhere."""
        zone, audience = seller().zone, self.audience.data
        names = ("code", "name", "audience", "merge_policy", "priority", "status", "show_list", "allow_inverted", "note")
        names += ("below_first", "closes", "date_basis", "breaks", "counts", "period")
        values = {name: self[name].data for name in names}
        values["company_id"] = self._found("company", Company) if audience == "company" else None
        values["segment_id"] = self._found("segment", Segment) if audience == "segment" else None
        values["country"] = checked_country(self.country.data) if (self.country.data or "").strip() else ""
        if audience == "location" and not values["country"]:
            raise Invalid("CONTRACT-COUNTRY", _("Name the country with two letters, for example FI."))
        values["currency"] = checked_currency(self.currency.data) if self.currency.data else ""
        values["valid_from"] = start_of_day(self.valid_from.data, zone) if self.valid_from.data else BEGINNING
        values["valid_until"] = end_of_day(self.valid_until.data, zone) if self.valid_until.data else None
        if values["period"] and values["counts"] == "line":
            raise Invalid("CONTRACT-COUNTS", NOT_OF_A_LINE)
        values["note"] = values["note"] or ""
        return values

    def _found(self, name: str, model: type[Any]) -> int:
        code = (self[name].data or "").strip()
        found = db.session.scalar(select(model.id).where(model.code == code)) if code else None
        if found is None:
            raise Invalid(
                "CONTRACT-AUDIENCE",
                _(
                    'Say for whom the contract is: there is no %(what)s with the code "%(code)s".',
                    what=self[name].label.text.lower(),
                    code=code,
                ),
            )
        return int(found)


class PercentForm(TukkuForm):
    """A change of fixed prices: all of them, or those that a search finds."""

    percent = NumberField(
        _l("Change in percent"),
        [InputRequired()],
        places=4,
        unit_label="%",
        description=_l("3 is three percent dearer, -3 cheaper."),
    )
    step = NumberField(
        _l("Round to a multiple of"),
        [Optional()],
        places=4,
        minimum=Decimal("0.0001"),
        description=_l("0.05, or 1. Empty: the currency's smallest unit."),
    )
    rounding = ChoiceField(_l("Round"), options=ROUNDINGS, default="half_up")
    wanted = StringField(
        _l("Only rows with"),
        [Optional(), Length(max=200)],
        description=_l("Part of a code, of a name, or of a category's code. Empty: all rows."),
    )


class CopyForm(TukkuForm):
    """A copy of a contract under another code."""

    code = CodeField(_l("Code of the copy"), [InputRequired(), Length(max=40)])
    name = StringField(_l("Name of the copy"), [InputRequired(), Length(max=200)])
    company = StringField(
        _l("For the company"), [Optional(), Length(max=40)], description=_l("Empty: the same audience as here.")
    )
    percent = NumberField(_l("Change prices by percent"), [Optional()], places=4, unit_label="%")
