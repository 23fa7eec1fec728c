"""What runs behind the pages: background work with its failures, and the trail of who changed what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from sqlalchemy import String, and_, cast, func, select

from core.accounts.models import User
from core.backoffice.settings import titles
from core.companies.models import Company
from core.data.db import db
from core.data.models import AuditEntry
from core.i18n import _, _l, ngettext
from core.jobs import work
from core.jobs.models import Job
from core.jobs.services import discard, retry
from core.jobs.work import words_of
from core.spec.errors import Conflict, NotFound
from core.spec.ui import Action, PageContext
from core.ui.access import requires
from core.ui.deeds import deed, thing, told, value
from core.ui.formats import breakable
from core.ui.links import optional_url
from core.ui.listing import show_list
from core.ui.listpage import Empty
from core.ui.resource import Field, Resource, View
from core.ui.states import state_choices

bp = Blueprint("work_admin", __name__)
SEE_JOBS, RETRY_JOBS, SEE_AUDIT = "jobs.job.view", "jobs.job.retry", "backoffice.audit.view"

JOBS = Resource(
    key="jobs.jobs",
    title=_l("Background work"),
    id=Job.id,
    code="job",
    fields=(
        Field("job", _l("Job"), cast(Job.id, String), "code", sort=False, filter=False),
        Field("name", _l("Work"), Job.name, search=True, show=lambda name: _titles().get(name) or words_of(name)),
        Field(
            "state",
            _l("State"),
            Job.state,
            "state",
            choices=state_choices("waiting", "running", "done", "failed", "held", "discarded"),
        ),
        Field("created", _l("Added"), Job.created_at, "instant"),
        Field("run_at", _l("Runs at"), Job.run_at, "instant", shown=False),
        Field("attempts", _l("Attempts"), Job.attempts, "number"),
        Field("addon", _l("Owner"), Job.addon, shown=False, show=lambda name: str(titles().get(name, name))),
        Field(
            "error",
            _l("Error"),
            Job.error,
            search=True,
            sort=False,
            show=lambda text: text.strip().rpartition("\n")[2][:120],
        ),
    ),
    order="-created",
    endpoint="work_admin.job",
    search_label=_l("Find by work or error"),
    count=lambda number: ngettext("%(count)s job", "%(count)s jobs", number),
    views=(
        View("all", _l("All")),
        View("waiting", _l("Waiting"), {"state": "waiting"}),
        View("running", _l("Running"), {"state": "running"}),
        View("failed", _l("Failed"), {"state": "failed"}),
        View("held", _l("Held"), {"state": "held"}),
    ),
)


def _titles() -> Mapping[str, str]:
    """Return the titles of all work, collected once a request."""
    found: Mapping[str, str] = g.setdefault("tukku_work_titles", None) or work.titles()
    g.tukku_work_titles = found
    return found


def _change(after: Mapping[str, Any] | None) -> str:
    said = (f"{value(key)}: {_plain(kept)}" for key, kept in (after or {}).items() if kept not in (None, ""))
    return ", ".join(said)[:160]


def _plain(value: Any) -> str:
    """Return a value of the trail in words: lists with commas, what stands in a list of theirs with spaces."""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if not isinstance(value, list):
        return str(value)
    return ", ".join(" ".join(map(str, part)) if isinstance(part, list) else str(part) for part in value)


AUDIT = Resource(
    key="backoffice.audit",
    title=_l("Who changed what"),
    id=AuditEntry.id,
    code="number",
    source=lambda statement: statement.outerjoin(Company, Company.id == AuditEntry.company_id).outerjoin(
        User, and_(AuditEntry.entity.in_(("user", "member")), User.code == AuditEntry.entity_id)
    ),
    fields=(
        Field("at", _l("When"), AuditEntry.at, "instant"),
        Field("actor", _l("Who"), AuditEntry.actor, search=True),
        Field("action", _l("Did"), AuditEntry.action, search=True, show=deed),
        Field("entity", _l("Kind"), AuditEntry.entity, search=True, show=thing),
        Field("code", _l("Which"), func.coalesce(User.name, AuditEntry.entity_id), search=True, show=breakable),
        Field("company", _l("Company"), Company.name, search=True),
        Field("reason", _l("Reason"), AuditEntry.reason, search=True, sort=False, shown=False),
        Field("after", _l("New values"), AuditEntry.after, show=_change, sort=False, filter=False),
        Field("number", _l("Entry"), cast(AuditEntry.id, String), sort=False, filter=False, column=False),
    ),
    order="-at",
    link=lambda _code: "",
    search_label=_l("Find by person, action or code"),
    count=lambda number: ngettext("%(count)s entry", "%(count)s entries", number),
)


@bp.get("/jobs")
@requires(SEE_JOBS)
def jobs() -> Any:
    """List background work."""
    again = Action("retry", JOBS.key, _l("Run again"), "work_admin.run_again", RETRY_JOBS, "arrow-clockwise")
    drop = Action("discard", JOBS.key, _l("Discard"), "work_admin.drop", RETRY_JOBS, "trash", dangerous=True)
    empty = Empty(
        _("No background work yet"), _("Mail, imports and everything that follows an order appear here."), "clock-history"
    )
    return show_list(JOBS, "backoffice/list.html", actions=(again, drop), empty=empty)


@bp.get("/jobs/<int:code>")
@requires(SEE_JOBS)
def job(code: int) -> str:
    """Show one piece of work with its error."""
    found = db.session.get(Job, code)
    if found is None:
        abort(404)
    title, owner = _titles().get(found.name) or words_of(found.name), titles().get(found.addon, found.addon)
    return render_template("backoffice/job.html", job=found, title=title, owner=owner)


@bp.post("/jobs/retry")
@requires(RETRY_JOBS)
def run_again() -> Any:
    """Let failed or held work run again; what is neither is left alone and said."""
    done = _each(retry)
    if done:
        flash(ngettext("%(count)s job will run again.", "%(count)s jobs will run again.", done), "success")
    return redirect(url_for("work_admin.jobs", state="failed"), 303)


@bp.post("/jobs/discard")
@requires(RETRY_JOBS)
def drop() -> Any:
    """Give up work that waits, failed or is held; what runs or is done is left alone and said."""
    done = _each(discard)
    if done:
        flash(ngettext("%(count)s job is discarded.", "%(count)s jobs are discarded.", done), "success")
    return redirect(url_for("work_admin.jobs"), 303)


def _each(change: Callable[[int], None]) -> int:
    """Change the chosen jobs one by one, say what was refused, and return how many were changed."""
    done, refused = 0, []
    for job_id in [int(code) for code in request.form.getlist("code") if code.isdigit()]:
        try:
            change(job_id)
            done += 1
        except (Conflict, NotFound) as error:
            refused.append(str(error.message))
    for message in refused[:3]:
        flash(message, "warning")
    return done


@bp.get("/audit")
@requires(SEE_AUDIT)
def audit() -> Any:
    """List what people and jobs changed."""
    return show_list(AUDIT, "backoffice/list.html", empty=Empty(_("Nothing has been changed yet"), icon="clock-history"))


def failed_jobs() -> int | None:
    """Return how many jobs have failed for good, None for none: the badge in the side bar."""
    return db.session.scalar(select(func.count(Job.id)).where(Job.state == "failed")) or None


def queues(_context: PageContext) -> Mapping[str, Any] | None:
    """Return the queue of failed work for the home page; hidden while there is none."""
    count = failed_jobs()
    if not count:
        return None
    url = optional_url("work_admin.jobs", state="failed")
    item = {"label": _("Background work that failed"), "url": url, "icon": "exclamation-octagon", "note": "", "count": count}
    return {"items": [item | {"urgent": True}]}


def lately(_context: PageContext) -> Mapping[str, Any] | None:
    """Return the last changes for the home page, signing in aside."""
    wanted = select(AuditEntry).where(AuditEntry.action.not_in(("signed_in", "signed_out"))).order_by(AuditEntry.id.desc())
    entries = db.session.scalars(wanted.limit(6)).all()
    people = select(User.code, User.name).where(User.code.in_([e.entity_id for e in entries if e.entity == "user"]))
    names = {code: name for code, name in db.session.execute(people)}  # noqa: C416  (rows are no pairs to mypy)
    events = [
        {
            "icon": "pencil",
            "text": told(e.entity, names.get(e.entity_id, e.entity_id), e.action),
            "who": e.actor,
            "at": e.at,
            "note": e.reason,
        }
        for e in entries
    ]
    return {"events": events, "more_url": optional_url("work_admin.audit")} if events else None
