"""Back-office pages: upload a file, see what it would do, run it; download what is there."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask_wtf.file import FileField, FileRequired

from core.data.scope import current_actor
from core.i18n import _, _l
from core.imports import runs
from core.imports.exporting import table
from core.imports.kinds import kind_named, kinds
from core.spec.errors import Forbidden, Invalid, NotFound
from core.spec.imports import DataImport
from core.ui.access import requires
from core.ui.export import export_response
from core.ui.fields import ChoiceField
from core.ui.forms import TukkuForm

USE = "imports.data.use"
bp = Blueprint("imports", __name__)


def allowed() -> list[DataImport]:
    """Return the kinds that the actor may import and export."""
    actor = current_actor()
    return [kind for kind in kinds() if actor.may(kind.permission)]


def _allowed(name: str) -> DataImport:
    kind = kind_named(name)
    if not current_actor().may(kind.permission):
        raise Forbidden("IMPORT-FORBIDDEN", _("You may not import or export %(kind)s.", kind=kind.title))
    return kind


def _choices() -> list[tuple[str, object]]:
    return [(kind.kind, kind.title) for kind in allowed()]


class UploadForm(TukkuForm):
    """A file and what it holds."""

    kind = ChoiceField(_l("What the file holds"), options=_choices)
    file = FileField(
        _l("File"),
        [FileRequired(_l("Choose a file."))],
        description=_l("CSV, XLSX or ODS; the first row names the columns."),
    )


@bp.get("/")
@requires(USE)
def index() -> Any:
    """Show the upload form, recent imports, and what can be downloaded."""
    form = UploadForm(kind=request.args.get("kind"))
    return _page(form)


@bp.post("/")
@requires(USE)
def upload() -> Any:
    """Keep the file and have it tried."""
    form = UploadForm()
    if form.validate_on_submit():
        try:
            run = runs.begin(_allowed(form.kind.data).kind, form.file.data)
            return redirect(url_for("imports.show", token=run.token), 303)
        except Invalid as error:
            form.file.errors = [str(error.message)]
    return _page(form), 422


def _page(form: UploadForm) -> str:
    mine = [run for run in runs.recent() if _may_see(run)]
    return render_template("imports/index.html", form=form, runs=mine, kinds=allowed(), names=_titles())


def _titles() -> dict[str, object]:
    return {kind.kind: kind.title for kind in kinds()}


def _may_see(run: runs.Run) -> bool:
    return run.kind in {kind.kind for kind in allowed()}


def _run(token: str) -> runs.Run:
    run = runs.find(token)
    if not _may_see(run):
        raise NotFound("IMPORT-UNKNOWN", _("There is no such import any more; upload the file again."))
    return run


@bp.get("/<token>")
@requires(USE)
def show(token: str) -> Any:
    """Show how far an import has come, or its report; asked for by htmx, only that part."""
    run = _run(token)
    template = "imports/_state.html" if request.headers.get("HX-Request") else "imports/run.html"
    return render_template(template, run=run, title=_titles().get(run.kind, run.kind))


@bp.get("/<token>/refused.csv")
@requires(USE)
def refused(token: str) -> Any:
    """Download every row that was refused, with what is wrong."""
    run = _run(token)
    if run.waiting or not runs.refused_of(run).is_file():
        raise NotFound("IMPORT-NO-REPORT", _("There is no report of this import yet."))
    name = f"{run.name.rpartition('.')[0]}-refused.csv"
    return send_file(runs.refused_of(run), "text/csv", as_attachment=True, download_name=name)


@bp.post("/<token>/run")
@requires(USE)
def carry_out(token: str) -> Any:
    """Import a file that was tried."""
    run = runs.carry_out(_run(token))
    flash(_("The import has begun."), "success")
    return redirect(url_for("imports.show", token=run.token), 303)


@bp.post("/<token>/stop")
@requires(USE)
def stop(token: str) -> Any:
    """Stop an import that is at work."""
    runs.stop(_run(token))
    flash(_("The import ends after the rows that are in hand."), "success")
    return redirect(url_for("imports.show", token=token), 303)


@bp.get("/export/<name>.<any(csv, xlsx):ending>")
@requires(USE)
def download(name: str, ending: str) -> Any:
    """Download every row of a kind, in the form that the import reads."""
    kind = _allowed(name)
    columns, rows = table(kind)
    return export_response(kind.kind, ending, columns, rows)  # type: ignore[arg-type]
