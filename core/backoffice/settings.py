"""The settings screens: one page for each owner, its declared settings as a form, saved together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from wtforms import BooleanField, Field, PasswordField, StringField, TextAreaField
from wtforms.validators import Length

from core.companies.services import seller
from core.companies.targets import names_of
from core.data.write import write
from core.i18n import _
from core.i18n.titles import titles
from core.settings import services
from core.settings.services import Shown, everything, set_value
from core.settings.values import SettingInvalid, choices_of
from core.spec.app import SettingSpec
from core.ui.access import requires
from core.ui.fields import ChoiceField, NumberField
from core.ui.forms import TukkuForm

bp = Blueprint("settings_admin", __name__)
EDIT = "backoffice.settings.edit"
LINE = 2000  # characters; a setting that takes more is written in several lines
SECRET = "••••••••"  # noqa: S105  (what stands for a secret that is set)


@dataclass(frozen=True, slots=True)
class Owner:
    """A domain or addon that has settings."""

    name: str
    title: object
    settings: tuple[Shown, ...]

    @property
    def groups(self) -> dict[str, list[Shown]]:
        """Return the settings by the group that their declarations name, in order."""
        found: dict[str, list[Shown]] = {}
        for shown in self.settings:
            found.setdefault(str(shown.spec.group), []).append(shown)
        return found


@bp.get("/settings")
@requires(EDIT)
def overview() -> str:
    """List the owners of settings with what differs from the defaults."""
    return render_template("backoffice/settings.html", owners=owners())


@bp.route("/settings/<name>", methods=["GET", "POST"])
@requires(EDIT)
def owner(name: str) -> Any:
    """Show and save the settings of one owner, and lead to the segments and companies where they differ."""
    found = owner_named(name)
    if asked := request.args.get("for"):
        return redirect(
            url_for("settings_admin.differing", name=name, target=f"{asked}:{request.args.get('code', '').strip()}")
        )
    form = _form(found.settings)
    if form.validate_on_submit():
        changed = _save(found, form)
        if changed is not None:
            flash(_("Saved.") if changed else _("Nothing was changed."), "success" if changed else "info")
            return redirect(url_for("settings_admin.owner", name=name), 303)
    targets = services.differing(name)
    page = render_template(
        "backoffice/settings_owner.html",
        owner=found,
        form=form,
        scopes=[s for s in ("segment", "company") if any(s in shown.spec.scopes for shown in found.settings)],
        targets=targets,
        target_names=names_of(targets),
        history=services.history(name),
        specs={shown.name: shown.spec for shown in found.settings},
        said=said,
    )
    return page, 422 if form.is_submitted() else 200


def owner_named(name: str) -> Owner:
    found = next((o for o in owners() if o.name == name), None)
    if found is None:
        abort(404)
    return found


def owners() -> list[Owner]:
    """Return those who have settings, core's domains first, with their settings in order."""
    known = titles()
    names: dict[str, list[Shown]] = {}
    for shown in everything():
        names.setdefault(shown.owner, []).append(shown)
    return [Owner(name, known.get(name, name), tuple(found)) for name, found in names.items()]


def _form(settings: Sequence[Shown]) -> TukkuForm:
    fields = {shown.spec.key: field_of(shown) for shown in settings}
    form_class = type("SettingsForm", (TukkuForm,), fields)
    values = {shown.spec.key: value_of(shown) for shown in settings}
    form: TukkuForm = form_class(data=values)
    return form


def value_of(shown: Shown) -> Any:
    if shown.spec.secret:
        return SECRET if shown.value else ""
    return Decimal(shown.value) if shown.spec.type is int and shown.value is not None else shown.value


def said(spec: SettingSpec | None, value: Any) -> object:
    """Return a value of the trail as the form shows it; a setting that is gone (None) has it as it was kept."""
    if value is None:
        return _("as delivered")
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return dict(spec.choices).get(str(value), value) if spec else value


def field_of(shown: Shown) -> Field:
    """Return the form field for a setting; one that the environment fixes can be read only."""
    spec = shown.spec
    fixed = {"disabled": True} if shown.source == "environment" else {}
    help_text = str(spec.help)
    if fixed:
        help_text = _("Fixed by the environment variable %(name)s.", name=shown.env_name)
    common = {"description": help_text, "render_kw": fixed}
    if spec.type is bool:
        return BooleanField(spec.label, **common)
    if spec.secret:
        return PasswordField(spec.label, **common)
    if choices_of(spec):
        return ChoiceField(spec.label, options=tuple(_labelled(spec)), **common)
    if spec.type in (int, Decimal):
        limits = {"minimum": spec.minimum} | ({"maximum": spec.maximum} if spec.maximum is not None else {})
        unit = seller().currency if spec.money else spec.unit
        return NumberField(spec.label, places=0 if spec.type is int else 6, unit_label=unit, **limits, **common)
    limit = spec.maximum if isinstance(spec.maximum, int) else 2000
    kind = TextAreaField if limit > LINE else StringField
    return kind(spec.label, [Length(max=limit)], **common)


def _labelled(spec: Any) -> Iterator[tuple[str, object]]:
    labels = dict(spec.choices)
    yield from ((value, labels.get(value, value)) for value in choices_of(spec))


def _save(found: Owner, form: TukkuForm) -> int | None:
    """Write what differs, all or nothing; return how many, or None where a value was refused (the field says why)."""
    changed = 0
    key = ""
    try:
        with write():
            for shown in found.settings:
                key = shown.spec.key
                value = typed(shown, form[key].data)
                if shown.source != "environment" and value is not None and value != shown.value:
                    set_value(shown.owner, key, value)
                    changed += 1
    except SettingInvalid as error:
        form[key].errors = [*form[key].errors, str(error.message)]
        return None
    return changed


def typed(shown: Shown, value: Any) -> Any:
    """Return the field's value in the setting's type; None leaves the setting as it is."""
    if shown.spec.secret and value in (SECRET, "", None):
        return None
    if shown.spec.type is int:
        return int(value) if value is not None else shown.spec.default
    return shown.spec.default if value is None else value
