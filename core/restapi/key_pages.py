"""The pages about keys, the same for staff and for a company's administrators; each says where they stand."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from core.accounts.forms import ChecksField
from core.accounts.login import is_fresh
from core.companies.models import Company
from core.data.db import db
from core.data.scope import current_actor
from core.i18n import _, _l, ngettext
from core.i18n.titles import TITLES
from core.i18n.titles import titles as owner_titles
from core.registry.registry import registry
from core.restapi import keys
from core.spec.errors import TukkuError
from core.ui.fields import CodeField
from core.ui.forms import TukkuForm, refuse

DAYS = (30, 90, 180, 365)
#: What keys are made for most, offered as one choice.
_USES = (
    (_l("Read prices"), ("catalog.product.view", "pricing.price.view")),
    (_l("Read prices and order"), ("catalog.product.view", "pricing.price.view", "orders.order.place", "orders.order.view")),
)


_READING = (".view", ".read", ".read_own", ".own", ".use", ".explain")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pages stand: the blueprint's name, the layout, and whether a key may be of any company."""

    blueprint: str
    layout: str
    staff: bool

    def url(self, view: str, **values: Any) -> str:
        """Return the address of one of the pages."""
        return url_for(f"{self.blueprint}.{view}", **values)


class Choice(NamedTuple):
    """A permission as a box to tick."""

    name: str
    title: object


class Group(NamedTuple):
    """The permissions of one domain or addon."""

    title: str
    choices: tuple[Choice, ...]

    def ticked(self, names: Collection[str]) -> int:
        """Return how many of them are among ``names``."""
        return sum(choice.name in names for choice in self.choices)


class KeyForm(TukkuForm):
    """A new key."""

    name = StringField(
        _l("Name"),
        [InputRequired(), Length(max=100)],
        description=_l("The program that uses it, for example “ERP, production”."),
    )
    company = CodeField(
        _l("Company"), [InputRequired(), Length(max=40)], description=_l("The code of the company whose data it opens.")
    )
    days = SelectField(_l("Works for"), coerce=int, default=365)
    permissions = ChecksField(_l("What it may do"))


def listing(place: Place) -> str:
    """List the keys."""
    titles = {p.name: p.title for p in registry().values("app_permissions")}
    rows = [(key, company, keys.state(key)) for key, company in keys.listed()]
    return render_template("restapi/keys.html", place=place, rows=rows, titles=titles)


def new(place: Place) -> Any:
    """Make a key and show it once; who gave the password long ago gives it again first."""
    if not is_fresh():
        return redirect(url_for("accounts.prove", next=place.url("new")), 303)
    form = KeyForm()
    of_company = not place.staff or request.args.get("of") == "company" or bool(request.form.get("company"))
    if not place.staff or not of_company:
        del form.company
    form.days.choices = [(n, ngettext("%(count)s day", "%(count)s days", n)) for n in DAYS]
    groups = _groups(keys.offered(None if not of_company else 0 if place.staff else current_actor().company_id))
    names = {choice.name for group in groups for choice in group.choices}
    form.permissions.choices = [(name, name) for name in sorted(names)]
    if form.validate_on_submit():
        try:
            made = keys.create(
                form.name.data or "", form.permissions.data or (), company_id=_company(form, place), days=form.days.data
            )
        except TukkuError as error:
            refuse(form, error)
        else:
            return render_template(
                "restapi/key_made.html",
                place=place,
                key=made.key,
                secret=made.secret,
                header=f"Authorization: Bearer {made.secret[:16]}…",
            )
    uses = [(title, wanted) for title, wanted in _USES if names.issuperset(wanted)]
    page = render_template("restapi/key_new.html", place=place, form=form, groups=groups, uses=uses, of_company=of_company)
    return page, 422 if request.method == "POST" else 200


def _groups(offered: Collection[str]) -> list[Group]:
    """Return what a key may be given, by domain and addon, core's first; reading before changing."""
    known, called = {p.name: p.title for p in registry().values("app_permissions")}, owner_titles()
    found: dict[str, list[Choice]] = {}
    for name in sorted(offered, key=lambda name: (not name.endswith(_READING), name)):
        found.setdefault(name.partition(".")[0], []).append(Choice(name, known.get(name, name)))
    order = {name: number for number, name in enumerate(TITLES)}
    names = sorted(found, key=lambda name: (order.get(name, len(order)), str(called.get(name, name))))
    return [Group(str(called.get(name, name)), tuple(found[name])) for name in names]


def revoke(place: Place, code: str) -> Any:
    """End a key at once."""
    key = keys.revoke(code)
    flash(_("The key “%(name)s” works no more.", name=key.name), "success")
    return redirect(place.url("keys"), 303)


def _company(form: KeyForm, place: Place) -> int | None:
    if not place.staff:
        return current_actor().company_id
    if form.company is None:
        return None
    code = (form.company.data or "").strip()
    found = db.session.scalar(select(Company.id).where(Company.code == code))
    if found is None:
        message = _("There is no company %(code)s.", code=code[:40])
        raise TukkuError("COMPANY-UNKNOWN", message, status=422, details={"field": "company"})
    return found
