"""What people, sign-in and sessions contribute; and how they stand in front of every request."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask import Flask, Response, current_app, request

from core.accounts import access, acting, admin_views, attempts, identity, sessions, views
from core.accounts.commands import users_group
from core.accounts.engine import init_engine
from core.accounts.roles import BUYER, STAFF
from core.accounts.sessions import ServerSessions
from core.data.scope import actor_or_none
from core.i18n import _l
from core.spec.app import Command, JobSpec, Mount, Permission, SettingSpec
from core.spec.markers import hookimpl
from core.spec.ui import NavItem

ISSUER = "Tukku"


def init_app(app: Flask) -> None:
    """Attach sessions, the identity engine and the gate to an app; the gate runs before everything else."""
    app.session_interface = ServerSessions(app)
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False  # the gate checks it, once it is known who asks
    init_engine(app, ISSUER)
    app.before_request_funcs.setdefault(None, []).insert(0, _gate)  # type: ignore[arg-type]
    app.after_request(_keep_private)


def _gate() -> Response | None:
    identity.load_actor()
    access.refuse_cross_site()
    answer = access.enforce()
    if answer is not None:
        return answer
    if current_app.config["WTF_CSRF_ENABLED"] and not request.path.startswith(sessions.API):  # no cookies there
        refused = access.check_token()
        if refused is not None:
            return refused
    acting.clear_away()
    return None


def _keep_private(response: Response) -> Response:
    """Let no cache keep what was made for a person."""
    actor = actor_or_none()
    if actor is not None and actor.user_id is not None:
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _prune(_payload: dict[str, Any]) -> None:
    sessions.prune()
    attempts.prune()


class Plugin:
    """People, sign-in and sessions."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the pages of signing in and one's account, and the back-office's pages about staff."""
        yield Mount(views.bp, "shop", prefix="", order=10)
        yield Mount(admin_views.bp, "admin", prefix="/admin/accounts", order=10)

    @hookimpl
    def app_commands(self) -> Iterable[Command]:
        """Give ``tukku users``."""
        yield Command(users_group)

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Name what may be done about people."""
        yield Permission("accounts.profile.edit", _l("Change one's own details, password and sessions"), (*STAFF, *BUYER))
        yield Permission("accounts.staff.manage", _l("Invite, change and stop members of staff"), ("admin",))
        yield Permission("accounts.user.manage", _l("Import and export people"), ("admin",))
        yield Permission("accounts.session.manage", _l("See who is signed in and end sessions"), ("admin",))

    @hookimpl
    def app_settings(self) -> Iterable[SettingSpec]:
        """Declare who needs a second factor, what visitors may do and what sales see."""
        group, visitors = _l("Sign-in"), _l("Visitors")
        yield SettingSpec(
            "staff_second_factor", bool, True, _l("Staff need a second factor"),
            help=_l("Members of staff set up an authenticator app at their next sign-in. Switch it off only for a trial."),
            group=group, order=10,
        )  # fmt: skip
        yield SettingSpec(
            "buyer_second_factor", str, "nobody", _l("Buyers who need a second factor"),
            help=_l("They set up an authenticator app before anything else. It may be asked of single companies only."),
            scopes=("deployment", "segment", "company"),
            choices=(
                ("nobody", _l("Nobody")),
                ("company_admin", _l("Company administrators")),
                ("approver", _l("Company administrators and approvers")),
                ("everybody", _l("Everybody")),
            ),
            group=group, order=15,
        )  # fmt: skip
        yield SettingSpec(
            "sales_sees_all", bool, True, _l("Sales see all companies"),
            help=_l("Otherwise a sales person sees only the companies that name them, with their subsidiaries."),
            group=group, order=20,
        )  # fmt: skip
        yield SettingSpec("guest_sees_products", bool, True, _l("Visitors see products"), group=visitors, order=30)
        yield SettingSpec(
            "guest_sees_prices", bool, False, _l("Visitors see list prices"),
            help=_l("Prices of contracts are never shown to visitors."), group=visitors, order=31,
        )  # fmt: skip
        yield SettingSpec(
            "guest_may_order", bool, False, _l("Visitors may order"),
            help=_l("Without an account, where they see prices; they follow the order by a link in a mail."),
            group=visitors, order=32,
        )  # fmt: skip

    @hookimpl
    def app_jobs(self) -> Iterable[JobSpec]:
        """Forget sessions and attempts that are over."""
        yield JobSpec("accounts.prune", _prune, every=timedelta(hours=6), title=_l("Forget ended sessions"))

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to one's account and to the staff."""
        own = "accounts.profile.edit"
        yield NavItem("profile", _l("My details"), "accounts.profile", own, "account", "shop", "person", order=10)
        yield NavItem(
            "security", _l("Password and sign-in"), "accounts.security", own, "account", "shop", "shield-lock", order=20
        )
        yield NavItem(
            "staff",
            _l("Staff"),
            "accounts_admin.users_list",
            "accounts.staff.manage",
            "setup",
            icon="person-badge",
            order=20,
        )
        yield NavItem(
            "sessions",
            _l("Signed in now"),
            "accounts_admin.all_sessions",
            "accounts.session.manage",
            "setup",
            icon="key",
            order=30,
        )
