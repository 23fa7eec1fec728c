"""What every addon promises, as tests: ``class TestContract(AddonContract): addon = "my_addon"``.

`tukku addons check FOLDER` runs the same on an addon that has no tests of its own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from flask import Flask
from sqlalchemy import Engine, inspect
from werkzeug.routing import Rule

from core.accounts.roles import guest_permissions, permissions_of
from core.catalog.models import Product
from core.data.db import Base, db, make_engine
from core.data.migrate import History, addon_history, downgrade, drift, upgrade
from core.data.scope import Actor, Scope, acting
from core.i18n import extract
from core.orders import cart, pages
from core.orders.merging import NewItem
from core.pricing.services import context, ladders, price
from core.registry import operations
from core.registry.lint import lint
from core.registry.loader import load
from core.registry.operations import Tools
from core.registry.registry import EXTENSION, Registry
from core.registry.removal import remove
from core.registry.sources import Found
from core.runtime.config import Config
from core.runtime.mounting import BLUEPRINTS, owner_of
from core.runtime.operator import contributed_by
from core.runtime.probe import environment, probe
from core.runtime.sweeps import sweep
from core.settings.values import check as check_setting
from core.spec.orders import Stage
from core.spec.pricing import PriceRequest
from core.testing import factories, places
from core.testing.signin import sign_in
from core.testing.statements import count_statements

MANY = 12
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']", re.IGNORECASE)
#: Builds a shop without the addon in a process of its own, and prints which of its modules are loaded all the same.
_APART = """
import json, sys
from core.registry.assembly import Ingredients
from core.registry.state import Snapshot
from core.runtime.app import core_domains, find_addons, make_app
from core.runtime.config import load_config
config = load_config()
make_app(config, Ingredients(core_domains(), find_addons(config), Snapshot(0, {}, {})))
name = sys.argv[1]
print(json.dumps([m for m in sys.modules if m == name or m.startswith(name + ".")]))
"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who opens a page: a role, whether of the seller's staff."""

    role: str
    staff: bool = False

    @property
    def email(self) -> str:
        """The address that the factories made the person with."""
        return f"{self.role}@visitors.example"


VISITORS = (Visitor("admin", True), Visitor("warehouse", True), Visitor("company_admin"), Visitor("viewer"))


class AddonContract:
    """The checks; a subclass says which ``addon``."""

    addon: ClassVar[str] = ""

    # -- what it is

    def test_manifest_is_read_and_texts_are_there(self) -> None:
        """The manifest is sound, and people find a README and what changed."""
        found = self._found()
        assert not found.problems, "\n".join(map(str, found.problems))
        for name in ("README.md", "CHANGES.md"):
            places_ = (found.location, found.location.parent)
            assert any((folder / name).is_file() for folder in places_), f"{name} is missing in {found.location}"

    def test_code_reads_clean(self) -> None:
        """It imports what was promised, and ships nothing that nobody uses."""
        problems = lint(self._found())
        assert not problems, "\n".join(map(str, problems))

    def test_loads_in_a_process_of_its_own(self, tmp_path: Path) -> None:
        """It loads with nothing but what it requires, and every template compiles."""
        names = self._with_required()
        problems = probe(self._config(tmp_path), [self.addon], names)
        assert not problems, "\n".join(map(str, problems))

    def test_is_not_imported_while_it_is_off(self, tmp_path: Path) -> None:
        """A shop without it never runs a line of its code."""
        command = [sys.executable, "-c", _APART, self._found().import_name]
        done = subprocess.run(
            command, env=environment(self._config(tmp_path)), capture_output=True, text=True, timeout=120, check=True
        )
        assert json.loads(done.stdout.strip().splitlines()[-1]) == []

    # -- tables

    def test_migrations_go_up_down_and_up_again(self, databases: Any) -> None:
        """Up makes what the models say, down leaves nothing, and up again works."""
        found = self._found()
        history = addon_history(self.addon, found.location)
        engine = make_engine(databases.migrated([n for n in self._with_required() if n != self.addon]))
        try:
            load(found)
            upgrade(engine, history)
            self._agrees(engine, history)
            downgrade(engine, history)
            assert self._tables(engine) == set(), "downgrade left tables behind"
            upgrade(engine, history)
            self._agrees(engine, history)
        finally:
            engine.dispose()

    def test_rows_of_companies_have_a_scope(self, app_with: Callable[..., Flask]) -> None:
        """A class whose rows belong to companies says who sees them; what core's rows are kept for is explained."""
        app_with(addons=self._with_required())
        manifest = self._found().manifest
        for mapper in Base.registry.mappers:
            table: Any = mapper.local_table
            if not str(table.name).startswith(f"{self.addon}_"):
                continue
            targets = {key.target_fullname.split(".")[0]: key.ondelete for key in table.foreign_keys}
            if "companies_company" in targets:
                assert getattr(mapper.class_, "__scope__", None), f"{mapper.class_.__name__} declares no __scope__"
            kept = [t for t, rule in targets.items() if rule == "RESTRICT" and not t.startswith(f"{self.addon}_")]
            if kept and manifest is not None:
                assert manifest.data_owner_note, f"{table.name} keeps rows of {kept[0]}: say why in addon.data_owner_note"

    # -- its life

    def test_is_switched_on_off_and_out(self, data_app: Flask) -> None:
        """On, off, on again, off, and out: after that nothing of it is left."""
        tools = Tools(places.discovery(), lambda names, enabled: (), lambda name: ())
        said: list[str] = []
        for act in (operations.enable, operations.disable, operations.enable, operations.disable):
            done = act(tools, [self.addon], said.append)
            assert not done.problems, "\n".join(map(str, done.problems))
        if self._tables(db.engine):
            assert not remove(tools.discovery, "uninstall", self.addon, said.append).problems, "\n".join(said)
        assert self._tables(db.engine) == set(), "uninstall left tables behind"

    def test_contributes_the_same_each_time(self, app_with: Callable[..., Flask]) -> None:
        """Two builds give equal contributions, and the defaults of its settings are allowed."""
        made = [self._registry(app_with(addons=self._with_required())) for _ in range(2)]
        first, second = (contributed_by(self.addon, registry) for registry in made)
        assert first == second
        for one in made[0].contributions("app_settings"):
            if one.owner == self.addon:
                check_setting(one.value, one.value.default)

    def test_checks_of_data_find_nothing_in_a_new_shop(self, app_with: Callable[..., Flask]) -> None:
        """What it says of its rows for `tukku doctor` can be asked, and holds where there are none."""
        app_with(addons=self._with_required())
        wrong = [swept for swept in sweep() if swept.owner == self.addon and (swept.count or swept.failure)]
        assert not wrong, "\n".join(swept.failure or str(swept) for swept in wrong)

    # -- pages

    def test_pages_open_for_those_who_may_and_nobody_else(self, app_with: Callable[..., Flask]) -> None:
        """Each page without arguments answers people of its face who may, refuses others, and has no inline code."""
        app = app_with(addons=self._with_required())
        company = factories.make_company("visitors")
        for visitor in VISITORS:
            if visitor.staff:
                factories.make_staff(visitor.email, [visitor.role])
            else:
                factories.make_user(visitor.email, company=company, roles=[visitor.role])
        clients = {None: app.test_client(), **{v: sign_in(app, v.email) for v in VISITORS}}
        for rule in self._pages(app):
            for visitor, client in clients.items():
                answer = client.get(rule.rule)
                if not self._may(app, rule, visitor):
                    assert answer.status_code in (302, 303, 401, 403, 404), f"{rule.rule} opens for {visitor}"
                elif visitor is not None and visitor.staff == rule.rule.startswith("/admin"):
                    assert answer.status_code < 400, f"{rule.rule} answers {answer.status_code} to {visitor}"
                    assert not INLINE.search(answer.text), f"{rule.rule} has a script or style in its HTML"

    def test_statements_do_not_grow_with_lines(self, app_with: Callable[..., Flask]) -> None:
        """Prices, ladders and the cart ask the database as often for many lines as for one."""
        app = app_with(addons=self._with_required())
        company = factories.make_company("buyer")
        user = factories.make_user("buyer@visitors.example", company=company).id
        products = [factories.make_product(f"L-{number}") for number in range(MANY)]
        own = (company.id,)
        actor = Actor(user, "buyer", Scope("companies", own, own, own), company.id, None, permissions_of(["orderer"]))
        pairs = [(p.id, p.base_unit) for p in products]
        one, many = (self._counted(app, actor, products[:n], pairs[:n]) for n in (1, MANY))
        assert many <= one, f"{one} statements for one line and {many} for {MANY}"

    # -- texts

    def test_translations_are_complete(self) -> None:
        """Every language that it ships has every text, with the same placeholders."""
        folder = self._found().location
        shipped = [p.name for p in sorted((folder / "translations").glob("*")) if (p / "LC_MESSAGES").is_dir()]
        wrong = [problem for locale in shipped for problem in extract.check(folder, self.addon, locale)]
        assert not wrong, "\n".join(f"{p.locale}: {p.message!r} {p.what}" for p in wrong)

    # -- helpers

    def _found(self) -> Found:
        founds = places.discovery().by_name(self.addon)
        assert founds, f"there is no addon {self.addon}: run pytest in its folder, or install it"
        return founds[0]

    def _with_required(self) -> list[str]:
        """Return the addon with everything that it requires, those first."""
        names: dict[str, None] = {}

        def add(name: str) -> None:
            for found in places.discovery().by_name(name)[:1]:
                for other in found.manifest.requires_addons if found.manifest else ():
                    add(other)
            names[name] = None

        add(self.addon)
        return list(names)

    def _config(self, folder: Path) -> Config:
        secret = "a secret for a process that serves nobody, long enough"
        return Config(folder, f"sqlite:///{folder / 'none.sqlite'}", secret, tuple(places.PATHS), testing=True)

    def _tables(self, engine: Engine) -> set[str]:
        return {name for name in inspect(engine).get_table_names() if name.startswith(f"{self.addon}_")}

    def _agrees(self, engine: Engine, history: History) -> None:
        differences = drift(engine, history)
        assert not differences, f"the models and the migrations of {self.addon} differ: {differences}"

    def _registry(self, app: Flask) -> Registry:
        found: Registry = app.extensions[EXTENSION]
        assert self.addon in found.addons, f"{self.addon} was left out: {[str(p) for p in found.plan.problems]}"
        return found

    def _pages(self, app: Flask) -> Iterator[Rule]:
        owners = app.extensions[BLUEPRINTS]
        for rule in app.url_map.iter_rules():
            own = owner_of(owners, rule.endpoint.rpartition(".")[0]) == self.addon
            if own and not rule.arguments and "GET" in (rule.methods or ()) and not rule.rule.startswith("/api/"):
                yield rule

    def _may(self, app: Flask, rule: Rule, visitor: Visitor | None) -> bool:
        wanted = getattr(app.view_functions[rule.endpoint], "tukku_permissions", None)
        if wanted is None:
            return True
        held = permissions_of([visitor.role]) if visitor else guest_permissions()
        return bool(set(wanted) & set(held))

    def _counted(self, app: Flask, actor: Actor, products: list[Product], pairs: list[tuple[int, str]]) -> int:
        """Price the products, put them into the cart and show it; return how many statements looking took."""
        with app.test_request_context("/"), acting(actor):
            cart.add([NewItem(p.sku, Decimal(1)) for p in products])
            pages.cart_page(Stage.SUBMIT)  # what was put in is read again, and what is kept for the request is there
            where = context()
            with count_statements() as seen:
                price(where, [PriceRequest(str(i), i, unit) for i, unit in pairs])
                ladders(where, pairs)
                pages.cart_page(Stage.SUBMIT)
        return seen.count
