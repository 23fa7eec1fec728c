"""Fill the back-office's frame: the side bar by the work, the command field, the person."""

from __future__ import annotations

from flask import g, request, url_for

from core.accounts import identity
from core.i18n import _
from core.ui import nav
from core.ui.links import optional_url
from core.ui.nav import NavLink, NavSection
from core.ui.shells import Bell, OfficeShell, Someone


def office_shell() -> OfficeShell:
    """Return the back-office's frame, made once a request."""
    if "tukku_office_shell" not in g:
        g.tukku_office_shell = _office_shell()
    found: OfficeShell = g.tukku_office_shell
    return found


def _office_shell() -> OfficeShell:
    person = identity.current().person
    home = url_for("backoffice.home")
    first = NavSection("", (NavLink(_("Home"), home, "house", request.path == home),))
    inbox = optional_url("notifications.inbox")
    return OfficeShell(
        home_url=home,
        bell=Bell(inbox, person.unread) if person and inbox else None,
        sections=(first, *nav.sections()),
        user=Someone(person.name, person.email) if person else None,
        command_url=optional_url("backoffice.find"),
        shop_url=url_for("storefront.home"),
        sign_out_url=optional_url("accounts.logout"),
        account=tuple(nav.links("shop", "account")),
    )
