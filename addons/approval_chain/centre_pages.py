"""Pages of cost centres and their budgets: the same for a company's administrators and for the seller's staff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for

from core.api.companies import Company, company_by_code
from core.api.data import current_actor
from core.api.hooks import Invalid, NotFound
from core.api.i18n import translations
from core.api.ui import day_text, money_text, optional_url, show_list

from . import basis, budgets, cost_centres, limits
from .centre_forms import centre_form, usable
from .centre_list import EMPTY_LEDGER, LEDGER, BudgetForm
from .ledger_models import Budget
from .limit_views import company_of_actor
from .permissions import CENTRES, LIMITS

_, _l, ngettext, _p = translations(__name__)


@dataclass(frozen=True, slots=True)
class Room:
    """Where the pages stand: in the shop for one's own company, or in the back-office for any."""

    company: Company
    blueprint: str
    layout: str
    order_page: str
    may_edit: bool
    above: tuple[tuple[str, str], ...] = ()
    where: Mapping[str, str] = field(default_factory=dict)

    def go(self, page: str, **values: Any) -> str:
        """Return the address of one of the pages here."""
        return url_for(f"{self.blueprint}.{page}", **self.where, **values)

    def crumbs(self, *below: tuple[str, str]) -> list[tuple[str, str]]:
        """Return the way to a page."""
        return [*self.above, (_("Cost centres"), self.go("centres") if below else ""), *below]

    def show(self, template: str, **values: Any) -> str:
        """Return a page drawn in the frame of the room."""
        return render_template(template, room=self, layout=self.layout, **values)


def shop() -> Room:
    """Return the room of the company for which the actor buys."""
    may = current_actor().may(CENTRES)
    return Room(company_of_actor(), "approval_chain", "storefront/layout.html", "orders.order", may)


def office(code: str) -> Room:
    """Return the room of any company for the seller's staff."""
    company = company_by_code(code)
    above = (
        (_("Companies"), optional_url("companies_admin.companies") or ""),
        (company.name, optional_url("companies_admin.company", code=company.code) or ""),
    )
    return Room(
        company, "approval_chain_admin", "backoffice/layout.html", "orders_admin.order", current_actor().may(LIMITS), above,
        {"company": company.code},
    )  # fmt: skip


def every(room: Room) -> Any:
    """Show the company's cost centres, and whose orders go where."""
    rows = cost_centres.every(room.company.id)
    standing = budgets.in_force(row.id for row, _owner in rows)
    people = {"rows": cost_centres.people(room.company.id), "choices": usable(room.company.id)} if room.may_edit else {}
    return room.show("approval_chain/centres.html", rows=rows, standing=standing, people=people)


def add(room: Room) -> Any:
    """Add a cost centre."""
    form = centre_form(room.company.id)
    del form.active
    if form.validate_on_submit():
        try:
            made = cost_centres.add(room.company.id, form.data)
        except Invalid as error:
            refuse(form, error)
        else:
            flash(_("The cost centre %(code)s is saved.", code=made.code), "success")
            return redirect(room.go("centre", code=made.code), 303)
    return _form(room, form, _("Add a cost centre"), room.go("centres"))


def edit(room: Room, code: str) -> Any:
    """Change a cost centre."""
    found = cost_centres.by_code(room.company.id, code)
    owner = {user_id: c for c, user_id in cost_centres.owner_codes(room.company.id)}.get(found.owner_id or 0, "")
    form = centre_form(room.company.id, {"code": found.code, "name": found.name, "owner": owner, "active": found.active})
    del form.code
    if form.validate_on_submit():
        try:
            cost_centres.change(found, form.data)
        except Invalid as error:
            refuse(form, error)
        else:
            flash(_("The cost centre %(code)s is saved.", code=code), "success")
            return redirect(room.go("centre", code=code), 303)
    return _form(room, form, code, room.go("centre", code=code))


def _form(room: Room, form: Any, title: str, back: str) -> Any:
    return room.show(
        "approval_chain/centre_form.html", form=form, title=title, back=back
    ), 422 if form.is_submitted() else 200


def remove(room: Room, code: str) -> Any:
    """Delete a cost centre that was never used."""
    try:
        cost_centres.remove(cost_centres.by_code(room.company.id, code))
    except Invalid as error:
        flash(str(error.message), "error")
        return redirect(room.go("centre", code=code), 303)
    flash(_("The cost centre %(code)s is removed.", code=code), "success")
    return redirect(room.go("centres"), 303)


def one(room: Room, code: str) -> Any:
    """Show a cost centre."""
    found = cost_centres.by_code(room.company.id, code)
    owner = next((name for row, name in cost_centres.every(room.company.id) if row.id == found.id), "")
    shown = budgets.in_force([found.id]).get(found.id)
    return room.show("approval_chain/centre.html", centre=found, owner=owner, shown=shown, **_of_budget(shown))


def _of_budget(shown: budgets.Shown | None) -> dict[str, Any]:
    """Return what the page says of a budget besides how it stands."""
    if shown is None:
        return {"past": (), "amounts": ()}
    budget = shown.budget
    amounts = [
        {
            "text": _("%(amount)s since %(day)s", amount=money_text(row.amount, budget.currency), day=day_text(row.since)),
            "who": row.by_name, "at": row.at, "icon": "wallet2",
        }
        for row in budgets.amounts_of([budget.id])
    ]  # fmt: skip
    return {
        "past": budgets.history(budget), "amounts": amounts, "by": limits.BY[budget.period],
        "mode": budgets.MODE_TITLES[budget.mode], "carry": budgets.CARRY_TITLES[budget.carry_over],
    }  # fmt: skip


def set_whose(room: Room, person: str) -> Any:
    """Say on which cost centre a person's orders are put."""
    try:
        cost_centres.set_default(room.company.id, person, request.form.get("cost_centre", ""))
        flash(_("The cost centre of the person is saved."), "success")
    except NotFound as error:
        flash(str(error.message), "error")
    return redirect(room.go("centres") + "#people", 303)


def ledger(room: Room, code: str) -> Any:
    """List what orders changed in the cost centre's budgets, or answer with the file that ``?export=`` asks for."""
    centre = cost_centres.by_code(room.company.id, code)
    resource = replace(LEDGER, endpoint=room.order_page)
    where = (Budget.cost_centre_id == centre.id,)
    values = {"centre": centre, "room": room, "layout": room.layout}
    return show_list(resource, "approval_chain/ledger.html", where=where, empty=EMPTY_LEDGER, **values)


def budget(room: Room, code: str) -> Any:
    """Set the budget of a cost centre."""
    centre = cost_centres.by_code(room.company.id, code)
    shown = budgets.in_force([centre.id]).get(centre.id)
    known = {
        "period": shown.budget.period, "amount": shown.standing.amount, "mode": shown.budget.mode,
        "carry_over": shown.budget.carry_over,
    } if shown else {}  # fmt: skip
    form = BudgetForm(data=known)
    if shown:
        del form.starts
    if form.validate_on_submit():
        try:
            budgets.save(centre, room.company, form.data)
        except Invalid as error:
            refuse(form, error)
        else:
            flash(_("The budget is saved."), "success")
            return redirect(room.go("centre", code=code), 303)
    page = room.show(
        "approval_chain/budget_form.html",
        form=form,
        centre=centre,
        shown=shown,
        currency=room.company.currency,
        counted=basis.counted(room.company.id),
    )
    return page, 422 if form.is_submitted() else 200


def budget_off(room: Room, code: str) -> Any:
    """Take the budget in force out of use."""
    budgets.switch_off(cost_centres.by_code(room.company.id, code))
    flash(_("The budget is switched off; its ledger stays."), "success")
    return redirect(room.go("centre", code=code), 303)


def refuse(form: Any, error: Invalid) -> None:
    """Put what is wrong at the field that it concerns, or at the first."""
    name = str((error.details or {}).get("field", ""))
    field = form[name] if name in form else next(iter(form))
    field.errors = [*field.errors, str(error.message)]
