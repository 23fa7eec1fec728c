"""What the REST API contributes: its resources, the pages about keys, a command, limits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask import Flask, request

from core.accounts import identity
from core.i18n import _, _l
from core.i18n.characters import problems_in_json
from core.restapi import admin_views, company_views, gate, idempotency, views
from core.restapi.commands import keys_group
from core.restapi.document import init_document
from core.restapi.resources import companies, orders, prices, products
from core.spec.app import Command, JobSpec, Mount, Permission, SettingSpec
from core.spec.errors import Invalid
from core.spec.markers import hookimpl
from core.spec.restapi import ApiResource
from core.spec.ui import NavItem


def init_app(app: Flask) -> None:
    """Let keys open the API, register the resources, and keep the answers to repeated requests."""
    identity.use_keys(app, gate.authenticate)
    init_document(app)
    app.before_request(_begin)
    app.after_request(idempotency.finish)


def _begin() -> Any:
    if not request.path.startswith("/api/"):
        return None
    _check_texts()
    return idempotency.begin()


def _check_texts() -> None:
    """Refuse a body with characters that cannot be kept: every place at once, as a schema says what is wrong."""
    errors: dict[str, Any] = {}
    for path, problem in problems_in_json(request.get_json(silent=True)):
        here = errors
        for step in path[:-1]:
            here = here.setdefault(str(step), {})
        here[str(path[-1]) if path else "_schema"] = [problem]
    if errors:
        message = _("The request holds characters that cannot be kept; “errors” says where.")
        raise Invalid("BAD-CHARACTER", message, details={"errors": {"json": errors}})


class Plugin:
    """The REST API."""

    @hookimpl
    def api_resources(self) -> Iterable[ApiResource]:
        """Give core's own resources."""
        yield ApiResource("companies", companies.bp, 10)
        yield ApiResource("products", products.bp, 20)
        yield ApiResource("prices", prices.bp, 30)
        yield ApiResource("orders", orders.bp, 40)

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the document, its page, and the pages about keys."""
        yield Mount(views.bp, "api", prefix="")
        yield Mount(admin_views.bp, "admin", prefix="/admin/api-keys")
        yield Mount(company_views.bp, "shop", prefix="/company/api-keys")

    @hookimpl
    def app_commands(self) -> Iterable[Command]:
        """Give ``tukku api-keys``."""
        yield Command(keys_group)

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Say who makes keys."""
        yield Permission(admin_views.MANAGE, _l("Make and revoke API keys"), ("admin",))
        yield Permission(company_views.MANAGE, _l("Make and revoke API keys of one's company"), ("company_admin",))

    @hookimpl
    def app_settings(self) -> Iterable[SettingSpec]:
        """Declare the limit of calls."""
        yield SettingSpec(
            "api_calls_per_minute", int, 600, _l("Calls of the API per key and minute"),
            help=_l("A program that calls more often is told to wait."), minimum=1, maximum=1_000_000,
            group=_l("API"), order=10,
        )  # fmt: skip

    @hookimpl
    def app_jobs(self) -> Iterable[JobSpec]:
        """Forget what is not asked for any more."""
        yield JobSpec("restapi.prune", gate.prune, every=timedelta(hours=6), title=_l("Forget old answers of the API"))

    @hookimpl
    def ui_nav(self) -> Iterable[NavItem]:
        """Lead to the keys."""
        yield NavItem("api_keys", _l("API keys"), "restapi_admin.keys", admin_views.MANAGE, "setup", icon="plug", order=35)
        yield NavItem(
            "company_api_keys",
            _l("API keys"),
            "restapi_company.keys",
            company_views.MANAGE,
            "account",
            "shop",
            "plug",
            order=60,
        )
