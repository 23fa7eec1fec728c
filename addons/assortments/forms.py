"""The form of an assortment."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from core.api.companies import Company, Segment, checked_country, seller
from core.api.data import db, end_of_day, start_of_day
from core.api.hooks import Invalid
from core.api.i18n import pick, translations
from core.api.pricing import BEGINNING
from core.api.ui import ChoiceField, CodeField, DayField, TukkuForm

from .editing import invalid
from .models import Assortment
from .wording import AUDIENCES, MODES, STATUSES, first_day, last_day

_, _l, ngettext, _p = translations(__name__)


def _segments() -> list[tuple[str, object]]:
    return [(s.code, pick(s.name, fallback=s.code)) for s in db.session.scalars(select(Segment).order_by(Segment.code))]


class AssortmentForm(TukkuForm):
    """The head of an assortment; its rows are added on its page."""

    code = CodeField(_l("Code"), [InputRequired(), Length(max=40)])
    name = StringField(_l("Name"), [InputRequired(), Length(max=200)], description=_l("Only the staff reads it."))
    status = ChoiceField(
        _l("Status"), options=STATUSES, default="draft", description=_l("A draft changes nothing: add its goods first.")
    )
    mode = ChoiceField(_l("What is seen"), options=MODES, default="only")
    audience = ChoiceField(_l("For whom"), options=AUDIENCES, default="company")
    company = StringField(_l("Company code"), [Optional(), Length(max=40)], description=_l("Its subsidiaries see the same."))
    segment = ChoiceField(_l("Segment"), options=_segments, empty=_l("None"), default="")
    country = StringField(_l("Country"), [Optional(), Length(max=2)], description=_l("Two letters, for example FI."))
    valid_from = DayField(_l("First day"), description=_l("Empty: it has always held."))
    valid_until = DayField(_l("Last day"), description=_l("Empty: until further notice."))
    note = TextAreaField(_l("Note for the staff"), [Optional(), Length(max=2000)])

    def fill(self, assortment: Assortment) -> None:
        """Show an assortment's values."""
        self.process(obj=assortment)
        self.company.data = db.session.scalar(select(Company.code).where(Company.id == assortment.company_id)) or ""
        self.segment.data = db.session.scalar(select(Segment.code).where(Segment.id == assortment.segment_id)) or ""
        self.valid_from.data = first_day(assortment.valid_from)
        self.valid_until.data = last_day(assortment.valid_until)

    def values(self) -> dict[str, Any]:
        """Return the columns; Invalid names the field whose code leads nowhere."""
        zone, audience = seller().zone, self.audience.data
        found: dict[str, Any] = {
            name: self[name].data or "" for name in ("code", "name", "status", "mode", "audience", "note")
        }
        found["company_id"] = self._id("company", Company) if audience == "company" else None
        found["segment_id"] = self._id("segment", Segment) if audience == "segment" else None
        found["country"] = self._country() if audience == "location" else ""
        found["valid_from"] = start_of_day(self.valid_from.data, zone) if self.valid_from.data else BEGINNING
        found["valid_until"] = end_of_day(self.valid_until.data, zone) if self.valid_until.data else None
        return found

    def _country(self) -> str:
        text = (self.country.data or "").strip()
        try:
            return checked_country(text) if text else ""
        except Invalid as refused:
            raise invalid("country", str(refused.message)) from refused

    def _id(self, name: str, model: Any) -> int | None:
        text = (self[name].data or "").strip()
        found: int | None = db.session.scalar(select(model.id).where(model.code == text)) if text else None
        if text and found is None:
            raise invalid(name, _("There is nothing with the code “%(code)s”.", code=text))
        return found
