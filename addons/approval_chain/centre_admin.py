"""The back-office's pages of cost centres and budgets: a list of all companies, and those of one."""

from __future__ import annotations

from typing import Any

from core.api.i18n import translations
from core.api.ui import Empty, requires, show_list

from . import centre_pages as pages
from .centre_list import CENTRES_OF_ALL
from .limit_views import admin
from .permissions import LIMITS

_, _l, ngettext, _p = translations(__name__)
HERE = "/companies/<company>/cost-centres"


@admin.get("/cost-centres")
@requires(LIMITS)
def all_centres() -> Any:
    """List the cost centres of all companies with what is left of their budgets."""
    empty = Empty(
        _("No cost centres yet"),
        _("Companies keep their own in the shop; you add one on a company's page, or import them."),
        "wallet2",
    )
    return show_list(CENTRES_OF_ALL, "approval_chain/all_centres.html", empty=empty)


@admin.get(HERE)
@requires(LIMITS)
def centres(company: str) -> Any:
    """Show the cost centres of a company."""
    return pages.every(pages.office(company))


@admin.route(f"{HERE}/new", methods=["GET", "POST"])
@requires(LIMITS)
def new_centre(company: str) -> Any:
    """Add a cost centre to a company."""
    return pages.add(pages.office(company))


@admin.route(f"{HERE}/<path:code>/edit", methods=["GET", "POST"])
@requires(LIMITS)
def edit_centre(company: str, code: str) -> Any:
    """Change a cost centre of a company."""
    return pages.edit(pages.office(company), code)


@admin.post(f"{HERE}/<path:code>/remove")
@requires(LIMITS)
def remove_centre(company: str, code: str) -> Any:
    """Delete a cost centre of a company that was never used."""
    return pages.remove(pages.office(company), code)


@admin.get(f"{HERE}/<path:code>/ledger")
@requires(LIMITS)
def ledger(company: str, code: str) -> Any:
    """List what orders changed in the budgets of a company's cost centre."""
    return pages.ledger(pages.office(company), code)


@admin.route(f"{HERE}/<path:code>/budget", methods=["GET", "POST"])
@requires(LIMITS)
def budget(company: str, code: str) -> Any:
    """Set the budget of a company's cost centre."""
    return pages.budget(pages.office(company), code)


@admin.post(f"{HERE}/<path:code>/budget/off")
@requires(LIMITS)
def budget_off(company: str, code: str) -> Any:
    """Take the budget of a company's cost centre out of use."""
    return pages.budget_off(pages.office(company), code)


@admin.get(f"{HERE}/<path:code>")
@requires(LIMITS)
def centre(company: str, code: str) -> Any:
    """Show a cost centre of a company."""
    return pages.one(pages.office(company), code)


@admin.post("/companies/<company>/cost-centre-of/<person>")
@requires(LIMITS)
def set_centre_of(company: str, person: str) -> Any:
    """Say on which cost centre a person's orders for a company are put."""
    return pages.set_whose(pages.office(company), person)
