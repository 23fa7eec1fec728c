"""Forms about companies: their data, addresses, people, invitations, segments, and the seller."""

from __future__ import annotations

from babel import Locale
from sqlalchemy import select
from wtforms import BooleanField, EmailField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from core.accounts.forms import ChecksField, language_field, password_field
from core.accounts.models import StaffRole, User
from core.accounts.roles import BUYER, TITLES
from core.companies.editing import COUNTRIES, STATUSES
from core.companies.segments import all_segments
from core.data.db import db
from core.i18n import _l, current_locale, pick
from core.ui.fields import ChoiceField, CodeField
from core.ui.forms import TukkuForm
from core.ui.states import state_of


def countries() -> list[tuple[str, str]]:
    """Return the countries in the reader's language, by name."""
    names = Locale.parse(current_locale()).territories
    return sorted(((code, str(names.get(code, code))) for code in COUNTRIES), key=lambda pair: pair[1])


def sales_people() -> list[tuple[str, object]]:
    """Return the staff who may look after a company."""
    rows = db.session.execute(
        select(User.code, User.name)
        .join(StaffRole, StaffRole.user_id == User.id)
        .where(StaffRole.role.in_(("sales", "admin")), User.active)
        .distinct()
        .order_by(User.name)
    )
    return [(code, name) for code, name in rows]


def segment_choices() -> list[tuple[str, object]]:
    """Return the segments with their names."""
    return [(segment.code, pick(segment.name)) for segment in all_segments()]


def buyer_roles() -> list[tuple[str, object]]:
    """Return the roles in a company with their titles."""
    return [(role, TITLES[role]) for role in BUYER]


class CompanyForm(TukkuForm):
    """A company; ids are checked by the rules of its country."""

    code = CodeField(
        _l("Code"),
        [InputRequired(), Length(max=40)],
        description=_l("Names the company in imports and addresses; stays for ever."),
    )
    name = StringField(_l("Name"), [InputRequired(), Length(max=200)])
    parent = CodeField(
        _l("Parent company"),
        [Optional()],
        description=_l("Its code. Contracts and codes of a parent hold for its subsidiaries."),
    )
    country = ChoiceField(_l("Country"), options=countries)
    business_id = StringField(_l("Business ID"), [Length(max=40)])
    vat_id = StringField(_l("VAT ID"), [Length(max=40)])
    currency = StringField(
        _l("Currency"), [InputRequired(), Length(min=3, max=3)], description=_l("Three letters, such as EUR.")
    )
    locale = language_field()
    email = EmailField(_l("E-mail"), [Length(max=255)])
    phone = StringField(_l("Phone"), [Length(max=50)])
    status = ChoiceField(
        _l("Status"),
        options=lambda: [(status, state_of(status).label) for status in STATUSES],
        description=_l("Blocked: may look, not order. Closed: nobody signs in for it."),
    )
    sales_rep = ChoiceField(_l("Looked after by"), options=sales_people, empty=_l("Nobody"))
    segments = ChecksField(_l("Segments"), options=segment_choices)


class AddressForm(TukkuForm):
    """A bill-to or ship-to address."""

    name = StringField(_l("Name"), [InputRequired(), Length(max=200)])
    use = ChoiceField(
        _l("Used for"),
        options=[("both", _l("Deliveries and invoices")), ("ship_to", _l("Deliveries")), ("bill_to", _l("Invoices"))],
    )
    street = StringField(_l("Street"), [InputRequired(), Length(max=200)], render_kw={"autocomplete": "address-line1"})
    street2 = StringField(_l("Second line"), [Length(max=200)])
    postal_code = StringField(_l("Postal code"), [Length(max=20)])
    city = StringField(_l("City"), [InputRequired(), Length(max=100)])
    region = StringField(_l("Region"), [Length(max=100)])
    country = ChoiceField(_l("Country"), options=countries)
    contact = StringField(_l("Contact person"), [Length(max=200)])
    phone = StringField(_l("Phone"), [Length(max=50)])
    instructions = TextAreaField(_l("Instructions for the driver"), [Length(max=2000)])
    is_default = BooleanField(_l("Proposed first"))


class InvitationForm(TukkuForm):
    """Somebody to invite into a company."""

    email = EmailField(_l("E-mail"), [InputRequired(), Length(max=255)])
    name = StringField(_l("First and last name"), [Length(max=200)])
    roles = ChecksField(_l("Roles"), options=buyer_roles)


class RolesForm(TukkuForm):
    """A member's roles; none at all takes the person out of the company."""

    roles = ChecksField(_l("Roles"), options=buyer_roles)


class AcceptForm(TukkuForm):
    """The account that an invited person makes."""

    name = StringField(_l("Your name"), [InputRequired(), Length(max=200)], render_kw={"autocomplete": "name"})
    password = password_field(_l("Password"), "new")
    locale = language_field()


class ActForForm(TukkuForm):
    """For whom a member of staff acts, and why."""

    person = ChoiceField(_l("Person"))
    reason = StringField(
        _l("Reason"),
        [InputRequired(), Length(min=5, max=500)],
        description=_l("Kept with everything that is done. Example: order by phone, the buyer has no access today."),
    )


class SegmentForm(TukkuForm):
    """A segment: a code, and a name in each language."""

    code = CodeField(_l("Code"), [InputRequired(), Length(max=40)])
    name_en = StringField(_l("Name in English"), [InputRequired(), Length(max=100)])
    name_fi = StringField(_l("Name in Finnish"), [Length(max=100)])
    name_pl = StringField(_l("Name in Polish"), [Length(max=100)])
    name_tr = StringField(_l("Name in Turkish"), [Length(max=100)])


class SellerForm(TukkuForm):
    """The merchant's own legal entity, as documents show it."""

    name = StringField(_l("Name"), [InputRequired(), Length(max=200)])
    business_id = StringField(_l("Business ID"), [Length(max=40)])
    vat_id = StringField(_l("VAT ID"), [Length(max=40)])
    street = StringField(_l("Street"), [Length(max=200)])
    postal_code = StringField(_l("Postal code"), [Length(max=20)])
    city = StringField(_l("City"), [Length(max=100)])
    country = ChoiceField(_l("Country"), options=countries)
    email = EmailField(_l("E-mail"), [Length(max=255)])
    phone = StringField(_l("Phone"), [Length(max=50)])
    iban = StringField(_l("IBAN"), [Length(max=40)])
    bic = StringField(_l("BIC"), [Length(max=20)])
    zone = StringField(
        _l("Time zone"),
        [InputRequired(), Length(max=60)],
        description=_l("Business dates follow it. Example: Europe/Helsinki"),
    )
    locale = language_field()
