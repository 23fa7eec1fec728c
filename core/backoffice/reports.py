"""Reports: what domains and addons can tell, asked with parameters, read on a page or downloaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flask import Blueprint, abort, render_template, request
from werkzeug.datastructures import MultiDict
from wtforms import Form, StringField
from wtforms.fields.core import UnboundField
from wtforms.validators import InputRequired, Length

from core.data.scope import current_actor
from core.i18n import _
from core.registry.registry import HookFailed, registry
from core.spec.errors import Invalid, NotFound
from core.spec.reports import ReportParameter, ReportSource
from core.ui.access import requires
from core.ui.export import ExportColumn, export_response
from core.ui.fields import ChoiceField, DayField
from core.ui.forms import TukkuForm, refuse
from core.ui.resource import NUMERIC

bp = Blueprint("reports_admin", __name__)
USE = "backoffice.report.use"
SHOWN = 100  # rows on the page; all of them are in the download


@dataclass(frozen=True, slots=True)
class Report:
    """A source and whose it is."""

    owner: str
    source: ReportSource

    @property
    def name(self) -> str:
        """The name by which it is asked for."""
        return f"{self.owner}.{self.source.name}"


def reports() -> list[Report]:
    """Return the reports that the actor may read, in order."""
    found = (Report(c.owner, c.value) for c in registry().contributions("report_sources"))
    return [report for report in found if current_actor().may(report.source.permission)]


def report_named(name: str) -> Report:
    """Return a report; NotFound for one that does not exist or that the actor may not read."""
    found = next((report for report in reports() if report.name == name), None)
    if found is None:
        raise NotFound("REPORT-UNKNOWN", _("There is no report %(name)s.", name=name[:80]))
    return found


def form_of(source: ReportSource, given: Mapping[str, str] | None) -> Form:
    """Return the form that asks for the parameters, with what was answered, else with what is proposed."""
    fields = {parameter.name: _field(parameter) for parameter in source.parameters}
    form_class = type("ReportForm", (TukkuForm,), fields)
    proposed = {p.name: p.default() for p in source.parameters if p.default}
    form: Form = form_class(MultiDict(given) if given else None, data=proposed, meta={"csrf": False})
    return form


def rows_of(report: Report, values: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the rows; Invalid names the parameter that is wrong, HookFailed the addon that fails: no report is partial."""
    try:
        yield from report.source.rows({p.name: values[p.name] or None for p in report.source.parameters})
    except Invalid:
        raise
    except Exception as error:
        registry().incidents.record(report.owner, "request", "report_sources", error, registry().generation)
        raise HookFailed(report.owner, "report_sources") from error


def columns_of(report: Report) -> list[ExportColumn]:
    """Return the columns as the exporter takes them."""
    return [ExportColumn(str(column.label), column.kind) for column in report.source.columns]


@bp.get("/reports")
@requires(USE)
def overview() -> str:
    """List the reports that one may read."""
    return render_template("backoffice/reports.html", reports=reports())


@bp.get("/reports/<name>")
@requires(USE)
def show(name: str) -> Any:
    """Show the first rows, with what is proposed until something is asked; only ask where an answer is required."""
    report = _found(name)
    asked = _asked(report.source)
    form = form_of(report.source, asked)
    rows, more = None, False
    if asked is not None and form.validate():
        try:
            rows = list(islice(rows_of(report, form.data), SHOWN + 1))
        except Invalid as invalid:
            refuse(form, invalid)
    if rows is not None:
        rows, more = rows[:SHOWN], len(rows) > SHOWN
    beside = {column.extra for column in report.source.columns}
    page = render_template(
        "backoffice/report.html",
        report=report,
        form=form,
        rows=rows,
        more=more,
        shown=SHOWN,
        answers={key: value for key, value in (asked or {}).items() if key in form},
        columns=[column for column in report.source.columns if column.name not in beside],
        places={column.name: place for place, column in enumerate(report.source.columns)},
        numeric=NUMERIC,
    )
    return page, 422 if form.errors else 200


@bp.get("/reports/<name>.<any(csv, xlsx):ending>")
@requires(USE)
def download(name: str, ending: str) -> Any:
    """Download every row."""
    report = _found(name)
    form = form_of(report.source, _asked(report.source))
    if not form.validate():
        abort(422)
    next(rows_of(report, form.data), None)  # what is wrong with the answers shows before the download begins
    title, rows = str(report.source.title), rows_of(report, form.data)
    return export_response(report.name.replace(".", "-"), ending, columns_of(report), rows, title)  # type: ignore[arg-type]


def _found(name: str) -> Report:
    try:
        return report_named(name)
    except NotFound:
        abort(404)


def _asked(source: ReportSource) -> Mapping[str, str] | None:
    """Return what was asked, before that what is proposed; None where that leaves a required answer open."""
    if request.args:
        return request.args
    proposed = {p.name: str(answer) for p in source.parameters if (answer := p.default() if p.default else "")}
    unanswered = any(p.required and p.name not in proposed for p in source.parameters)
    return None if unanswered else {p.name: proposed.get(p.name, "") for p in source.parameters}


def _field(parameter: ReportParameter) -> UnboundField[Any]:
    checks = [InputRequired()] if parameter.required else []
    if parameter.kind == "day":
        return DayField(parameter.label, checks, description=parameter.help)
    if parameter.kind == "choice":
        empty = None if parameter.required else "–"
        return ChoiceField(parameter.label, checks, options=parameter.choices or (), empty=empty, description=parameter.help)
    return StringField(parameter.label, [*checks, Length(max=200)], description=parameter.help)
