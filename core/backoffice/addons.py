"""The addons of the shop: which run and how they are, and switching them on and off with what it means shown first.

A page never changes an addon itself: it starts the same command as an operator would and follows its log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from core.data import clock
from core.data.db import db
from core.data.scope import current_actor
from core.i18n import _, _l
from core.i18n.texts import texts_of
from core.i18n.titles import title_of
from core.registry import oplog
from core.registry.incidents import report
from core.registry.models import Incident, Operation, Process
from core.registry.operator import operator
from core.registry.overview import AddonRow
from core.registry.processes import alive
from core.registry.registry import registry
from core.registry.removal import RemovalKind
from core.registry.state import read_generation
from core.ui.access import requires

bp = Blueprint("addons_admin", __name__)
VIEW = "backoffice.addon.view"
MANAGE = "backoffice.addon.manage"
KINDS = ("enable", "disable")
#: state of an addon → (state of the common vocabulary, words of its own)
CHIPS: Mapping[str, tuple[str, object]] = {
    "running": ("enabled", ""),
    "available": ("available", ""),
    "disabled": ("disabled", ""),
    "quarantined": ("quarantined", ""),
    "upgrade-pending": ("upgrade_pending", ""),
    "files-gone": ("missing", ""),
    "blocked": ("quarantined", _l("Left out")),
    "broken": ("quarantined", _l("Cannot be read")),
}
#: what hooks are called for people who switch addons
ADDS: Mapping[str, object] = {
    "addon_health": _l("Says how it is"),
    "addon_disable_impact": _l("Says what is lost without it"),
    "addon_export": _l("Writes its data for people"),
    "api_extensions": _l("Adds to what the API says"),
    "api_resources": _l("Resources of the API"),
    "app_commands": _l("Commands"),
    "app_jobs": _l("Background work"),
    "app_mounts": _l("Pages"),
    "app_permissions": _l("Permissions"),
    "app_seeds": _l("Reference data"),
    "app_settings": _l("Settings"),
    "app_subscribers": _l("Reacts to"),
    "app_template_helpers": _l("Helpers of templates"),
    "audit_words": _l("Words of the trail"),
    "catalog_visibility": _l("Decides which products are seen"),
    "checkout_rules": _l("Checks of orders"),
    "checkout_steps": _l("Steps of the checkout"),
    "config_checks": _l("Checks of the set-up"),
    "data_checks": _l("Checks of stored data"),
    "data_imports": _l("Imports and exports"),
    "order_charges": _l("Freight and charges"),
    "order_discounts": _l("Discounts on orders"),
    "order_free_goods": _l("Goods for nothing"),
    "order_facts": _l("Figures for rules"),
    "document_sections": _l("Sections of documents"),
    "notification_kinds": _l("Tells people of"),
    "order_hold_types": _l("Holds of orders"),
    "order_followers": _l("Written with orders"),
    "order_parts": _l("Parts of orders"),
    "price_breaks": _l("Knows quantity breaks"),
    "price_steps": _l("Steps of the price"),
    "quantity_rules": _l("Limits quantities"),
    "report_sources": _l("Reports"),
    "ui_actions": _l("Actions on lists"),
    "ui_cards": _l("Cards on the home page"),
    "ui_columns": _l("Columns of lists"),
    "ui_filters": _l("Filters of lists"),
    "ui_form_sections": _l("Sections of forms"),
    "ui_nav": _l("Links in menus"),
    "ui_panels": _l("Panels on pages"),
}
#: kinds of operations, as people read them
OPERATIONS: Mapping[str, object] = {
    "enable": _l("Switch on"),
    "disable": _l("Switch off"),
    "upgrade": _l("Bring up to date"),
    "uninstall": _l("Uninstall"),
    "purge": _l("Remove what is left"),
}
NEWEST = 50
STARTS_WITHIN = 120  # seconds in which the command writes its row, on a busy machine


@bp.get("/addons")
@requires(VIEW)
def overview() -> str:
    """List every installed addon with its state, and the processes that have not caught up."""
    view = operator().overview()
    return render_template(
        "backoffice/addons.html",
        rows=view.rows,
        chips=CHIPS,
        title_of=title_of,
        summary_of=summary_of,
        late=late(),
        degraded=registry().degraded,
        generation=view.generation,
        operations=[(item, said_of(item.kind, item.addons, view.rows)) for item in oplog.latest(5)],
        killed=oplog.killed(),
        may_upgrade=current_actor().may(MANAGE) and any(row.state == "upgrade-pending" for row in view.rows),
    )


@bp.get("/addons/incidents")
@requires(VIEW)
def incidents() -> str:
    """List the newest failures of addons and of core, each with a report to copy."""
    return render_template("backoffice/incidents.html", incidents=_incidents())


@bp.route("/addons/upgrade", methods=["GET", "POST"])
@requires(MANAGE)
def upgrade() -> Any:
    """Show whose tables are behind their code; a POST starts bringing all of them up to date."""
    found = operator()
    proposal = found.propose("upgrade", ())
    if request.method == "POST" and proposal.names:
        return _to_log(found.start("upgrade", (), current_actor().name), "upgrade")
    return render_template("backoffice/addon_upgrade.html", proposal=proposal)


@bp.get("/addons/<name>")
@requires(VIEW)
def detail(name: str) -> str:
    """Show one addon: what it says of itself, its problems, what it contributes, its incidents."""
    found = operator()
    row = found.overview().row(name) or abort(404)
    return render_template(
        "backoffice/addon.html",
        row=row,
        title=title_of(row),
        summary=summary_of(row),
        chip=CHIPS[row.state],
        contributions=[(ADDS.get(h, h), keys) for h, keys in found.contributions(name).items()],
        incidents=_incidents(name),
        may_manage=current_actor().may(MANAGE),
    )


@bp.route("/addons/<name>/<any(enable, disable):kind>", methods=["GET", "POST"])
@requires(MANAGE)
def change(name: str, kind: str) -> Any:
    """Show what the change means; a POST starts it."""
    found = operator()
    row = found.overview().row(name) or abort(404)
    proposal = found.propose(kind, [name])
    typed_wrong = request.method == "POST" and proposal.severe and request.form.get("confirm_name") != name
    if typed_wrong:
        flash(_("The name differs. Nothing was changed."), "error")
    elif request.method == "POST" and not proposal.problems:
        return _to_log(found.start(kind, [name], current_actor().name), kind, name)
    status = 409 if proposal.problems else 422 if typed_wrong else 200
    page = render_template("backoffice/addon_change.html", row=row, title=title_of(row), kind=kind, proposal=proposal)
    return page, status


@bp.route("/addons/<name>/<any(uninstall, purge):kind>", methods=["GET", "POST"])
@requires(MANAGE)
def remove(name: str, kind: RemovalKind) -> Any:
    """Show what removing an addon's data means; a POST with its name typed starts it."""
    found = operator()
    row = found.overview().row(name) or abort(404)
    removal = found.propose_removal(kind, name)
    typed_wrong = request.method == "POST" and request.form.get("confirm_name") != name
    if typed_wrong:
        flash(_("The name differs. Nothing was changed."), "error")
    elif request.method == "POST" and not removal.problems:
        options = ("--purge",) if kind == "uninstall" and request.form.get("settings") else ()
        return _to_log(found.start(kind, [name], current_actor().name, *options), kind, name)
    status = 409 if removal.problems else 422 if typed_wrong else 200
    return render_template("backoffice/addon_remove.html", row=row, title=title_of(row), kind=kind, removal=removal), status


@bp.get("/addons/operations/<identity>")
@requires(VIEW)
def follow(identity: str) -> str | Response:
    """Show the log of an operation; the fragment asks for itself until the operation has ended."""
    row = db.session.get(Operation, identity)
    begun = request.args.get("begun", 0, int)
    killed = row is not None and row.state == "running" and identity in oplog.killed()
    fragment = bool(request.headers.get("HX-Request"))
    # the command writes its row only after it has started: until then the address says what was asked for
    kind, names = (row.kind, row.addons) if row else (request.args.get("kind", ""), request.args.get("addon", ""))
    # who looks again waits for what has been decided: after "Done" this process serves nothing that was before
    asked = {"kind": kind, "addon": request.args.get("addon"), "begun": begun, "generation": registry().generation + 1}
    return render_template(
        "backoffice/_operation.html" if fragment else "backoffice/operation.html",
        row=row,
        heading=said_of(kind, names, () if fragment else operator().overview().rows),
        late=late() if row is not None and row.state == "done" else (),
        again=url_for("addons_admin.follow", identity=identity, **asked),
        addon=request.args.get("addon", "") or (row.addons.split(" ")[0] if row else ""),
        killed=killed,
        lost=row is None and clock.now().timestamp() - begun > STARTS_WITHIN,
        awaited=asked["generation"],
    )


def _to_log(identity: str, kind: str, addon: str = "") -> Response:
    begun = int(clock.now().timestamp())
    return redirect(url_for("addons_admin.follow", identity=identity, kind=kind, addon=addon, begun=begun))


def _incidents(addon: str = "") -> list[tuple[Incident, str]]:
    newest = select(Incident).order_by(Incident.last_seen.desc()).limit(NEWEST)
    if addon:
        newest = newest.where(Incident.addon == addon)
    return [(incident, report(incident)) for incident in db.session.scalars(newest)]


def late() -> tuple[Process, ...]:
    """Return the processes that do not serve yet what was decided; they follow within seconds, or hang."""
    with db.engine.connect() as connection:
        decided = read_generation(connection)
    return tuple(process for process in alive() if process.generation != decided)


def said_of(kind: str, names: str, rows: Sequence[AddonRow]) -> str:
    """Return what an operation does to which addons, by their titles where ``rows`` know them."""
    known = {row.name: title_of(row) for row in rows}
    addons = ", ".join(known.get(name, name) for name in names.split())
    what = str(OPERATIONS.get(kind) or _("Change of addons"))
    return _("%(what)s: %(addons)s", what=what, addons=addons) if addons else what


def summary_of(row: AddonRow) -> str:
    """Return in the reader's language what an addon does."""
    return texts_of(row.package, row.name).gettext(row.summary) if row.package and row.summary else row.summary
