"""The settings of one owner where they differ for a segment or a company: each follows, or has a value of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, url_for
from wtforms import BooleanField

from core.backoffice.settings import EDIT, bp, field_of, owner_named, typed, value_of
from core.companies.services import seller
from core.companies.targets import names_of
from core.data.write import write
from core.i18n import _
from core.settings import services
from core.settings.services import Shown
from core.settings.values import SettingInvalid
from core.ui.access import requires
from core.ui.formats import money
from core.ui.forms import TukkuForm


@dataclass(frozen=True, slots=True)
class Differing:
    """A setting for a target: ``own`` tells whether it has a value of its own; ``usual`` is what holds otherwise."""

    shown: Shown
    own: bool
    usual: Any

    @property
    def key(self) -> str:
        """The setting's key."""
        return self.shown.spec.key

    @property
    def usual_text(self) -> str:
        """What holds otherwise, for people."""
        if self.shown.spec.secret:
            return "•••"
        if isinstance(self.usual, bool):
            return _("yes") if self.usual else _("no")
        if self.shown.spec.money:
            return money(self.usual, seller().currency)
        labels = dict(self.shown.spec.choices)
        return str(labels.get(self.usual, self.usual)) or "–"


@bp.route("/settings/<name>/for/<target>", methods=["GET", "POST"])
@requires(EDIT)
def differing(name: str, target: str) -> Any:
    """Show and save what differs for one segment or company."""
    found = owner_named(name)
    try:
        services.check_target(target)
    except SettingInvalid as error:
        flash(str(error.message), "error")
        return redirect(url_for("settings_admin.owner", name=name), 303)
    settings = _settings(found.settings, target)
    form = _form(settings)
    if form.validate_on_submit() and (changed := _save(settings, form, target)) is not None:
        flash(_("Saved.") if changed else _("Nothing was changed."), "success" if changed else "info")
        return redirect(url_for("settings_admin.differing", name=name, target=target), 303)
    title = names_of([target])[target]
    page = render_template("backoffice/settings_target.html", owner=found, title=title, settings=settings, form=form)
    return page, 422 if form.is_submitted() else 200


def _settings(declared: Sequence[Shown], target: str) -> list[Differing]:
    kind, stored = target.partition(":")[0], services.stored_for(target)
    found = []
    for shown in declared:
        if kind in shown.spec.scopes:
            own = shown.name in stored and shown.source != "environment"
            value = stored[shown.name] if own else shown.value
            here = Shown(shown.owner, shown.spec, value, shown.source, shown.env_name)
            found.append(Differing(here, own, shown.value))
    return found


def _form(settings: Sequence[Differing]) -> TukkuForm:
    fields: dict[str, Any] = {}
    for one in settings:
        fixed = {"disabled": True} if one.shown.source == "environment" else {}
        fields[f"own_{one.key}"] = BooleanField(_("Has a value of its own"), render_kw=fixed)
        fields[one.key] = field_of(one.shown)
    values = {one.key: value_of(one.shown) for one in settings} | {f"own_{one.key}": one.own for one in settings}
    form: TukkuForm = type("TargetForm", (TukkuForm,), fields)(data=values)
    return form


def _save(settings: Sequence[Differing], form: TukkuForm, target: str) -> int | None:
    """Write what differs, all or nothing; return how many changed, or None where a value was refused."""
    changed, key = 0, ""
    try:
        with write():
            for one in settings:
                key, spec = one.key, one.shown.spec
                if one.shown.source == "environment":
                    continue
                if not form[f"own_{key}"].data:
                    if one.own:
                        services.reset(one.shown.owner, key, target=target)
                        changed += 1
                    continue
                value = typed(one.shown, form[key].data)
                if value is not None and (not one.own or value != one.shown.value):
                    services.set_value(one.shown.owner, spec.key, value, target=target)
                    changed += 1
    except SettingInvalid as error:
        form[key].errors = [*form[key].errors, str(error.message)]
        return None
    return changed
