"""Back-office pages: the rules, one rule with whom it would move, and the history of moves."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select

from core.api.companies import Company, Segment, segment_by_code, seller
from core.api.data import db, now
from core.api.i18n import pick, translations
from core.api.jobs import enqueue
from core.api.ui import Empty, Field, Resource, View, requires, safe_next, show_list

from . import services, wording
from .deciding import Step
from .figures import buyers
from .forms import NewRuleForm, RuleForm, free_segments
from .models import Move, Place, Rule
from .permissions import EDIT

_, _l, ngettext, _p = translations(__name__)
bp = Blueprint("segment_rules", __name__, template_folder="templates")
SHOWN = 25
JOB = f"{services.OWNER}.evaluate"
MOVES = Resource(
    key="segment_rules.moves",
    title=_l("Moves between segments"),
    id=Move.id,
    code="company",
    source=lambda statement: statement.join(Company, Company.id == Move.company_id),
    fields=(
        Field("company", _l("Company"), Company.code, "code", search=True),
        Field("name", _l("Name"), Company.name, search=True),
        Field("segment", _l("Segment"), Move.segment_code, "code", search=True),
        Field(
            "joined",
            _l("Move"),
            Move.joined,
            choices=lambda: [("1", _("joined")), ("0", _("left"))],
            show=lambda value: _("joined") if value else _("left"),
        ),
        Field("why", _l("Why"), Move.figures, show=wording.reason, on_card=False, sort=False, filter=False),
        Field("at", _l("When"), Move.at, "instant"),
    ),
    order="-at",
    endpoint="companies_admin.company",
    search_label=_l("Find by company or segment"),
    count=lambda number: ngettext("%(count)s move", "%(count)s moves", number),
    views=(View("all", _l("All")),),
)


@bp.get("/")
@requires(EDIT)
def rules() -> Any:
    """List the rules with their sentences and how many companies are in by them."""
    placed = select(Place.rule_id, func.count().label("many")).group_by(Place.rule_id).subquery()
    query = (
        select(Rule, Segment, func.coalesce(placed.c.many, 0))
        .join(Segment, Segment.id == Rule.segment_id)
        .outerjoin(placed, placed.c.rule_id == Rule.id)
        .order_by(Segment.code)
    )
    rows = [(rule, segment, many, wording.sentence(rule)) for rule, segment, many in db.session.execute(query)]
    return render_template("segment_rules/rules.html", rows=rows, pick=pick)


@bp.post("/evaluate")
@requires(EDIT)
def evaluate() -> Any:
    """Evaluate all rules now, in the background."""
    enqueue(JOB, {}, unique_key=JOB)
    flash(_("All rules are being evaluated. Who joins or leaves stands among the moves in a moment."), "success")
    return redirect(url_for(".rules"), 303)


@bp.post("/companies/keep")
@requires(EDIT)
def keep() -> Any:
    """Keep the companies that were chosen in their list where rules put them."""
    count = services.keep(request.form.getlist("code"))
    if count:
        text = ngettext(
            "%(count)s company stays in its segments, whatever the rules say.",
            "%(count)s companies stay in their segments, whatever the rules say.",
            count,
        )
        flash(text, "success")
    else:
        flash(_("None of them is in a segment by a rule."), "error")
    return redirect(safe_next(request.form.get("next"), url_for("companies_admin.companies")), 303)


@bp.route("/new", methods=["GET", "POST"])
@requires(EDIT)
def new() -> Any:
    """Give a segment a rule."""
    form = NewRuleForm()
    segment = segment_by_code(form.segment.data) if form.segment.data else None
    return _edited(form, segment, None)


@bp.route("/<code>", methods=["GET", "POST"])
@requires(EDIT)
def rule(code: str) -> Any:
    """Show a segment's rule, whom it would move now, and who moved; change it."""
    found = services.rule_of(code)
    form = RuleForm() if request.method == "POST" else RuleForm.of(found)
    return _edited(form, found.segment, found)


def _edited(form: RuleForm, segment: Segment | None, found: Rule | None) -> Any:
    """Show the form; with the button “look” say what the rule would do, with the other save it."""
    judged: list[services.Judged] | None = None
    if request.method == "POST" and form.validate_on_submit() and segment is not None:
        wanted = form.wanted()
        if wanted is not None and "look" in request.form:
            trial = services.fill(Rule(id=found.id if found else None, segment_id=segment.id), wanted)
            judged = services.judge(trial, buyers(), now())
        elif wanted is not None:
            services.save(segment, wanted)
            flash(_("The rule is saved. Companies move at the next evaluation: tonight, or when you start it."), "success")
            return redirect(url_for(".rule", code=segment.code), 303)
    elif found is not None and request.method == "GET":
        judged = services.judge(found, buyers(), now())
    moves = []
    if found is not None:
        moves = db.session.scalars(
            select(Move).where(Move.segment_code == found.segment.code).order_by(Move.at.desc(), Move.id.desc()).limit(SHOWN)
        ).all()
    failed = bool(form.errors)
    return render_template(
        "segment_rules/rule.html",
        form=form, rule=found, segment=segment, judged=judged, shown=SHOWN, steps=Step, moves=moves, reason=wording.reason,
        sentence=wording.sentence(found) if found else "", pick=pick, currency=seller().currency,
        free=True if found else bool(free_segments()),
    ), 422 if failed and request.method == "POST" else 200  # fmt: skip


@bp.post("/<code>/delete")
@requires(EDIT)
def delete(code: str) -> Any:
    """Delete a rule; its companies stay or leave, as chosen."""
    keep = request.form.get("companies") != "leave"
    count = services.end(code, keep=keep)
    if keep:
        text = ngettext(
            "The rule is deleted; %(count)s company stays.", "The rule is deleted; %(count)s companies stay.", count
        )
    else:
        text = ngettext(
            "The rule is deleted; %(count)s company has left.", "The rule is deleted; %(count)s companies have left.", count
        )
    flash(text, "success")
    return redirect(url_for(".rules"), 303)


@bp.get("/moves")
@requires(EDIT)
def moves() -> Any:
    """List who joined and left which segment, when and why."""
    empty = Empty(_("Nobody has moved yet"), _("Rules are evaluated every night; who joins or leaves stands here."), "tags")
    return show_list(MOVES, "segment_rules/moves.html", empty=empty)
