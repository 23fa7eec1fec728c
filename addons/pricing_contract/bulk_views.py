"""Back-office pages for many contracts at once: prepare a percentage for each, look at what is prepared, publish it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select

from core.api.companies import seller
from core.api.data import db, start_of_day
from core.api.hooks import Action, Conflict, Invalid
from core.api.i18n import translations
from core.api.ui import requires

from . import percents, preparing, publishing
from .change_models import Change
from .change_views import PublishForm
from .forms import PercentForm
from .listing import CONTRACTS
from .models import Contract
from .percents import Rise
from .permissions import EDIT

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("pricing_contract_bulk", __name__, template_folder="templates")
#: Contracts, and prepared changes, that one page takes.
MOST = 200
#: Refusals that are told one by one.
TOLD = 5
ACTIONS = (
    Action("percent", CONTRACTS.key, _l("Change prices by percent"), "pricing_contract_bulk.percent", EDIT, "percent"),
    Action(
        "publish", CONTRACTS.key, _l("Publish prepared changes"), "pricing_contract_bulk.publish", EDIT, "check2", order=110
    ),
)


@bp.post("/many-contracts/percent")
@requires(EDIT)
def percent() -> Any:
    """Ask for a percentage for the chosen contracts, then have it prepared for each that has fixed prices."""
    contracts = _chosen()
    if not 0 < len(contracts) <= MOST:
        return _choose_again(contracts)
    asked = request.form.get("go") == "1"
    form = PercentForm() if asked else PercentForm(formdata=None)
    if asked and form.validate_on_submit():
        try:
            rise = Rise(form.percent.data, form.step.data, form.rounding.data, form.wanted.data or "")
        except Invalid as error:
            form.form_errors.append(str(error.message))
        else:
            return _prepare(contracts, rise)
    prices = percents.fixed_by_contract(contracts)
    page = render_template("pricing_contract/percent_many.html", contracts=contracts, form=form, prices=prices)
    return page, 422 if asked else 200


def _prepare(contracts: Sequence[Contract], rise: Rise) -> Any:
    moved = [one for one in contracts if percents.count_raised(one, rise)]
    for one in moved:
        preparing.by_percent(one, rise)
    if not moved:
        flash(_("No price would change"), "error")
        return redirect(url_for("pricing_contract_admin.contracts"), 303)
    said = ngettext(
        "The change of %(count)s contract is being prepared. Look at it, then publish it.",
        "The changes of %(count)s contracts are being prepared. Look at them, then publish them.",
        len(moved),
    )
    flash(said, "success")
    return redirect(url_for("pricing_contract_admin.contracts", changes="1.."), 303)


@bp.post("/many-contracts/publish")
@requires(EDIT)
def publish() -> Any:
    """Show the open changes of the chosen contracts with whom they touch, then publish those that are ticked."""
    contracts = _chosen()
    if not 0 < len(contracts) <= MOST:
        return _choose_again(contracts)
    ticked = dict(_ticked(request.form.getlist("change")))
    asked = request.form.get("go") == "1"
    form = PublishForm() if asked else PublishForm(formdata=None)
    changes = _open_changes(one.id for one in contracts)
    if not changes:
        flash(_("None of the chosen contracts has a change that can be published."), "error")
        return redirect(url_for("pricing_contract_admin.contracts", changes="1.."), 303)
    if len(changes) > MOST:
        flash(
            _("The chosen contracts have more than %(most)s prepared changes. Choose fewer contracts.", most=MOST), "error"
        )
        return redirect(url_for("pricing_contract_admin.contracts", changes="1.."), 303)
    if asked and form.validate_on_submit():
        if ticked:
            return _publish([one for one in changes if str(one.id) in ticked], ticked, form)
        form.form_errors.append(_("Tick the changes to be published."))
    page = render_template(
        "pricing_contract/publish_many.html", contracts=contracts, form=form, changes=changes,
        decimal=Decimal, ticked=ticked if asked else {str(one.id): one.version for one in changes},
    )  # fmt: skip
    return page, 422 if asked else 200


def _publish(changes: Sequence[Change], versions: dict[str, int], form: PublishForm) -> Any:
    starts = start_of_day(form.starts.data, seller().zone) if form.starts.data else None
    # read before the first is published: others may delete a contract while these wait for their turn
    shown = [(one, one.contract, versions[str(one.id)], f"{one.contract.code}, {one.title}") for one in changes]
    refused = []
    for one, contract, version, name in shown:
        try:
            publishing.publish(contract, one, version, starts, by_job=True)
        except (Conflict, Invalid) as error:
            refused.append(f"{name}: {error.message}")
    done = len(changes) - len(refused)
    if done:
        flash(ngettext("%(count)s change is being published.", "%(count)s changes are being published.", done), "success")
    if gone := len(versions) - len(changes):
        said = ngettext(
            "%(count)s of the ticked changes was not published: it is no longer open.",
            "%(count)s of the ticked changes were not published: they are no longer open.",
            gone,
        )
        flash(said, "error")
    for said in refused[:TOLD]:
        flash(said, "error")
    if len(refused) > TOLD:
        more = len(refused) - TOLD
        flash(ngettext("%(count)s more was not published.", "%(count)s more were not published.", more), "error")
    return redirect(url_for("pricing_contract_admin.contracts", changes="1.." if refused or gone else None), 303)


def _chosen() -> list[Contract]:
    codes = list(dict.fromkeys(request.form.getlist("code")))[: MOST + 1]
    return list(db.session.scalars(select(Contract).where(Contract.code.in_(codes)).order_by(Contract.code)))


def _choose_again(contracts: Sequence[Contract]) -> Any:
    """Send whoever chose no contract, or more than one page takes, back to the list."""
    said = _("Choose at most %(most)s contracts at once.", most=MOST) if contracts else _("Choose contracts first.")
    flash(said, "error")
    return redirect(url_for("pricing_contract_admin.contracts"), 303)


def _open_changes(contract_ids: Iterable[int]) -> list[Change]:
    query = select(Change).join(Contract, Contract.id == Change.contract_id)
    query = query.where(Change.contract_id.in_(list(contract_ids)), Change.state == "open")
    return list(db.session.scalars(query.order_by(Contract.code, Change.number).limit(MOST + 1)))


def _ticked(values: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield the changes that are ticked, by their id, with the version that was shown."""
    for value in values:
        name, _colon, version = value.partition(":")
        if version.isdecimal() and len(version) < 10:
            yield name, int(version)
