"""The back-office pages of the addons: state, plan and impact before a change, and following it."""

from __future__ import annotations

import os
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from addons.pricing_contract.models import Contract
from core.backoffice.addons import ADDS
from core.data import clock
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.jobs.models import Job
from core.orders.models import Hold
from core.registry import oplog
from core.registry.models import AddonState, Generation, Incident, Operation, OwnedTable, Process
from core.registry.plugins import hook_infos, make_manager
from core.registry.registry import EXTENSION
from core.runtime.app import build_app
from core.runtime.operator import Operator
from core.settings.models import Setting
from core.testing.apps import bundled_addons
from core.testing.factories import make_company, make_order, make_product, make_staff
from core.testing.signin import sign_in

TESTS = Path(__file__).parents[2]


@pytest.fixture
def shop(app_with):
    return app_with(addons=[], addon_paths=(TESTS, TESTS / "zoo"))


@pytest.fixture
def admin(shop):
    make_staff("root@tukku.example", roles=("admin",))
    return sign_in(shop, "root@tukku.example")


@pytest.fixture
def started(monkeypatch):
    """Note what would be started."""
    calls = []

    def start(self, kind, names, actor, *options):
        calls.append((kind, tuple(names), actor, *options))
        return "op-1"

    monkeypatch.setattr(Operator, "start", start)
    return calls


def test_list_shows_state_and_problems(admin):
    page = admin.get("/admin/addons").text
    assert "Toy" in page
    assert "zoo/zoo_toml/addon.toml: is not TOML" in page


def test_detail_names_what_it_needs(admin):
    page = admin.get("/admin/addons/zoo_leaf").text
    assert "zoo_dependent" in page
    assert "It adds nothing while it does not run." in page
    assert admin.get("/admin/addons/nowhere").status_code == 404


def test_incident_can_be_copied(admin):
    with write() as session:
        now = clock.now()
        session.add(
            Incident(
                fingerprint="x", addon="toy_addon", phase="build", hook="ui_nav", generation=1,
                message="<b>it broke</b>", detail="Traceback …", first_seen=now, last_seen=now, count=2,
            )
        )  # fmt: skip
    page = admin.get("/admin/addons/toy_addon").text
    assert "toy_addon failed in build ui_nav" in page
    assert "&lt;b&gt;it broke&lt;/b&gt;" in page
    assert "<b>it broke" not in page
    assert "toy_addon failed in build ui_nav" in admin.get("/admin/addons/incidents").text


def test_upgrade_shows_what_is_behind_and_starts_the_command(admin, started):
    assert "All tables are at the version of their code." in admin.get("/admin/addons/upgrade").text
    with write() as session:
        session.add(
            AddonState(
                name="zoo_pending", enabled=True, version="1.0", critical=False, changed_by="t", changed_at=clock.now()
            )
        )
    page = admin.get("/admin/addons/upgrade").text
    assert "The tables of zoo_pending are at revision none" in page
    assert "/admin/addons/upgrade" in admin.get("/admin/addons").text
    assert "/admin/addons/operations/op-1" in admin.post("/admin/addons/upgrade").headers["Location"]
    assert [call[:2] for call in started] == [("upgrade", ())]


def test_enable_shows_the_plan_and_starts_the_command(admin, started):
    page = admin.get("/admin/addons/zoo_leaf/enable").text
    assert "zoo_syntax, zoo_dependent" in page
    answer = admin.post("/admin/addons/toy_addon/enable")
    assert answer.headers["Location"].startswith("/admin/addons/operations/op-1?kind=enable&addon=toy_addon&begun=")
    assert started[0][:2] == ("enable", ("toy_addon",))


def test_what_cannot_be_done_is_not_started(admin, started):
    answer = admin.post("/admin/addons/zoo_core/enable")
    assert answer.status_code == 409
    assert "zoo_core 1.0 supports core" in answer.text
    assert started == []


def test_log_is_followed_until_the_end(admin):
    begun = int(clock.now().timestamp())
    path = f"/admin/addons/operations/op-1?kind=enable&addon=toy_addon&begun={begun}"
    assert "<h1>Switch on: Toy</h1>" in admin.get(path).text
    waiting = admin.get(path, headers={"HX-Request": "true"}).text
    assert "hx-trigger" in waiting
    again = re.search(r'hx-get="([^"]+)"', waiting)[1]
    assert "generation=" in again, "for such an address the process first builds what has been decided"
    assert "The command is being started." in waiting
    lost = admin.get(f"/admin/addons/operations/op-1?addon=toy_addon&begun={begun - 300}").text
    assert "The command has not started." in lost
    with write() as session:
        session.add(
            Operation(
                id="op-1", kind="enable", addons="toy_addon", actor="root", state="done",
                log="Done: enable toy_addon.\n", started_at=clock.now(), finished_at=clock.now(),
            )
        )  # fmt: skip
    ended = admin.get("/admin/addons/operations/op-1?addon=toy_addon").text
    assert "Done: enable toy_addon." in ended
    assert 'id="operation" hx-get' not in ended


def test_the_page_of_an_operation_names_processes_that_have_not_followed(shop, admin):
    now = clock.now()
    with write() as session:
        session.add(Operation(
            id="op-2", kind="enable", addons="toy_addon zoo_sound", actor="Root", state="done",
            log="Done: enable toy_addon.\n", started_at=now, finished_at=now,
        ))  # fmt: skip
        session.add(Generation(id=1, number=2, reason="enable toy_addon", changed_at=now))
        for name, generation in (("host:1", 2), ("host:2", 1)):
            session.add(Process(id=name, kind="web", generation=generation, started_at=now, seen_at=now))
    path = "/admin/addons/operations/op-2"
    page = admin.get(path).text
    assert "Switch on: Toy, zoo_sound" in page
    assert "1 process still serves the shop as it was before: host:2." in page
    assert 'id="operation" hx-get' in page
    with write() as session:
        session.get_one(Process, "host:2").generation = 2
    ended = admin.get(path, headers={"HX-Request": "true"}).text
    assert "All processes serve the shop as it is now." in ended
    assert "hx-get" not in ended
    assert "Switch on: Toy, zoo_sound" in admin.get("/admin/addons").text


def test_only_admins_see_the_addons(shop):
    make_staff("sara@tukku.example", roles=("sales",))
    sara = sign_in(shop, "sara@tukku.example")
    assert sara.get("/admin/addons").status_code == 403
    assert sara.post("/admin/addons/toy_addon/enable").status_code == 403


def test_severe_impact_wants_the_name(app_with, started, databases, monkeypatch):
    app = app_with(addons=[], addon_paths=(TESTS,))
    from core.registry import operations
    from core.registry.operations import Tools
    from core.runtime.app import find_addons

    config = app.extensions["tukku.config"]
    tools = Tools(find_addons(config), lambda names, enabled: (), lambda name: ())
    operations.enable(tools, ["toy_addon"], lambda line: None)
    again = build_app(config)
    again.config["WTF_CSRF_ENABLED"] = False
    again.test_client_class = app.test_client_class
    make_staff("root@tukku.example", roles=("admin",))
    admin = sign_in(again, "root@tukku.example")
    page = admin.get("/admin/addons/toy_addon/disable").text
    assert "3 notes are no longer shown." in page
    assert admin.post("/admin/addons/toy_addon/disable", data={"confirm_name": "toy"}).status_code == 422
    assert started == []
    assert admin.post("/admin/addons/toy_addon/disable", data={"confirm_name": "toy_addon"}).status_code == 302
    assert started[0][:2] == ("disable", ("toy_addon",))
    with again.app_context():
        db.session.remove()
        db.engine.dispose()


def test_core_counts_what_rests_while_an_addon_is_off_even_one_that_does_not_load(app_with):
    app, now = app_with(addons=["pricing_contract"]), clock.now()
    config, mine = app.extensions["tukku.config"], "pricing_contract"
    company = make_company("acme")
    orders = [
        make_order(company, [(make_product(state), 1)], number=state, state=state).id for state in ("submitted", "cancelled")
    ]
    with write() as session:
        job = {"addon": mine, "payload": {}, "created_at": now, "run_at": now, "max_attempts": 8}
        for state, key in (("waiting", None), ("held", None), ("done", None), ("waiting", "periodic:x")):
            session.add(Job(**job, name="pricing_contract.publish", state=state, unique_key=key))
        session.add(Setting(owner=mine, key="floor", target="", value=1, changed_by="tests", changed_at=now))
        session.add(OwnedTable(name="pricing_contract_contract", owner=mine))
        terms = {"name": "C", "currency": "EUR", "audience": "public", "created_at": now, "updated_at": now}
        session.add_all(Contract(code=code, **terms) for code in ("C-1", "C-2"))
        hold = {"owner": mine, "code": "floor", "label": "Too cheap", "blocks": ["confirm"], "company_id": company.id}
        for order_id in orders:
            session.add(Hold(**hold, order_id=order_id, since=now, release_permission="orders.hold.force_release"))

    def counted(served):
        return [i.message for i in Operator(config, served).tools().impact(mine)]

    stored = [
        "1 order stays on hold by it; staff may release it with a reason.",
        "2 rows of its tables rest.",
        "1 setting has no effect.",
        "2 jobs of it are held.",
    ]
    said = counted(app)
    at = said.index(stored[0])
    assert said[at : at + 4] == stored
    shown = said[at + 4 :]
    assert [line.split()[1][:4] for line in shown] == ["sche", "addr", "link", "pane", "perm"]
    assert "permissions of these roles rest: Administrator" in shown[-1]
    without = build_app(replace(config, safe_mode=True))
    assert counted(without) == stored
    with without.app_context():
        db.engine.dispose()


def test_uninstalling_wants_the_name_and_says_what_goes(shop, admin, started):
    from core.registry import operations
    from core.registry.operations import Tools
    from core.runtime.app import find_addons

    found = find_addons(shop.extensions["tukku.config"])
    tools = Tools(found, lambda names, enabled: (), lambda name: ())
    operations.enable(tools, ["toy_addon"], lambda line: None)
    path = "/admin/addons/toy_addon/uninstall"
    assert admin.get(path).status_code == 409
    assert "toy_addon is switched on." in admin.get(path).text
    operations.disable(tools, ["toy_addon"], lambda line: None)
    assert path in admin.get("/admin/addons/toy_addon").text
    assert "toy_addon_note" in admin.get(path).text
    assert admin.post(path, data={"confirm_name": "toy"}).status_code == 422
    assert started == []
    assert admin.post(path, data={"confirm_name": "toy_addon", "settings": "1"}).status_code == 302
    assert started == [("uninstall", ("toy_addon",), "root", "--purge")]
    purged = admin.get("/admin/addons/toy_addon/purge")
    assert purged.status_code == 409
    assert "FILES-PRESENT" in purged.text


@pytest.mark.database("sqlite")
def test_started_command_really_enables(shop, admin):
    """The one test with real processes: the page's command, and the trial that it runs in another."""
    assert os.environ.get("TUKKU_DATA_DIR") is None
    location = admin.post("/admin/addons/toy_addon/enable").headers["Location"]
    identity = location.rpartition("/")[2].partition("?")[0]
    until = time.monotonic() + 240
    row = None
    while time.monotonic() < until and (row is None or row.state == "running"):
        time.sleep(0.3)
        db.session.rollback()
        row = db.session.scalars(select(Operation).where(Operation.id == identity)).one_or_none()
    assert row is not None
    assert row.state == "done", row.log
    assert row.log.splitlines()[-1] == "Done: enable toy_addon. The shop is at generation 1."
    assert row.actor == "root"


def test_every_hook_has_words_on_the_page_of_an_addon():
    assert set(hook_infos(make_manager())) == set(ADDS)


def test_an_operation_whose_process_was_killed_is_not_followed_for_ever(admin):
    with write() as session:
        session.add(
            Operation(
                id="op-1", kind="enable", addons="toy_addon", actor="root", state="running",
                log="Trying toy_addon in a process apart.\n", started_at=clock.now(), finished_at=None,
            )
        )  # fmt: skip
    with oplog.operation_lock(db.engine):
        assert 'id="operation" hx-get' in admin.get("/admin/addons/operations/op-1").text
        assert "Interrupted" not in admin.get("/admin/addons").text
    ended = admin.get("/admin/addons/operations/op-1").text
    assert "The command was killed before it ended." in ended
    assert 'id="operation" hx-get' not in ended
    assert "Interrupted" in admin.get("/admin/addons").text


#: What only addons of others use.
FOR_OTHERS: set[str] = set()


@pytest.mark.database("sqlite")
def test_every_hook_is_used_by_core_or_a_bundled_addon(app_with):
    here = app_with(addons=bundled_addons()).extensions[EXTENSION]
    assert {h for h in here.hooks if not (here.contributed.get(h) or here.implementations.get(h))} == FOR_OTHERS


def test_what_would_be_lost_is_said_in_the_readers_language(app_with):
    app = app_with(addons=["pricing_contract"])
    with app.app_context(), acting(system("tests")), write() as session:
        at = clock.now()
        session.add(Contract(code="LIST", audience="public", name="List", currency="EUR", created_at=at, updated_at=at))
    make_staff("root@tukku.example", roles=("admin",), locale="fi")
    page = sign_in(app, "root@tukku.example").get("/admin/addons/pricing_contract/disable").text
    assert "1 segmentin, maan tai kaikkien hinnasto lakkaa" in page
