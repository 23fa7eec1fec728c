"""The app factory: one Flask app from the configuration and a snapshot of the addons.

Core's domains come in through the same hooks as addons. The build writes nothing except incidents.
"""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path

from flask import Flask
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PrefixLoader

import core
from core.data import schema
from core.data.db import configure_engine, db, engine_options, make_engine, normalise_url
from core.i18n.templates import install as install_texts
from core.registry.assembly import Ingredients, assemble
from core.registry.build import Domains
from core.registry.incidents import IncidentLog
from core.registry.operator import EXTENSION as OPERATOR
from core.registry.operator import Operator
from core.registry.registry import EXTENSION, Registry
from core.registry.sources import Discovery, default_sources, discover
from core.registry.state import Snapshot, read_snapshot
from core.runtime.config import Config
from core.runtime.errors import init_errors
from core.runtime.mounting import mount_all
from core.runtime.rules import LazyRule
from core.runtime.security import flask_settings, init_security
from core.ui.assets import init_assets
from core.ui.incoming import init_incoming

LOG = logging.getLogger("tukku")
#: Core's domains, in the order in which their contributions stand. Each has `plugin.py` with a class `Plugin`
#: and, where an extension needs the app, a function `init_app(app)`.
DOMAINS = (
    "ui",
    "settings",
    "jobs",
    "accounts",
    "notifications",
    "companies",
    "catalog",
    "pricing",
    "orders",
    "imports",
    "restapi",
    "backoffice",
    "storefront",
)
ROOT = Path(core.__file__).parent


def find_addons(config: Config) -> Discovery:
    """Look through all places of the deployment; imports nothing."""
    return discover(default_sources(config.addon_paths))


def snapshot_of(config: Config, discovery: Discovery | None = None) -> Snapshot:
    """Read the snapshot over a connection of its own."""
    engine = make_engine(config.database_url)
    try:
        return read_snapshot(engine, discovery or find_addons(config))
    finally:
        engine.dispose()


def build_app(config: Config, snapshot: Snapshot | None = None, discovery: Discovery | None = None) -> Flask:
    """Build the app for a snapshot (default: the present one) and store the incidents of the build.

    Raises `Refused` in strict mode, `ConfigInvalid` for an unsafe configuration.
    """
    found = discovery or find_addons(config)
    seen = snapshot if snapshot is not None else snapshot_of(config, found)
    ingredients = Ingredients(core_domains(), found, seen, config.strict_addons, config.safe_mode)
    app = make_app(config, ingredients)
    with app.app_context():
        _flush(ingredients.incidents)
    return app


def make_app(config: Config, ingredients: Ingredients) -> Flask:
    """Build the app and write nothing at all."""
    schema.load()
    return assemble(ingredients, lambda registry: _make(config, ingredients.domains, registry))


def bare_app(config: Config) -> Flask:
    """Return an app with the database and nothing else, for commands that must work when all else is broken."""
    schema.load()
    app = Flask("core", root_path=str(ROOT), static_folder=None, template_folder=None)
    _init_database(app, config)
    return app


def core_domains() -> Domains:
    """Return the names of core's domains with their plugin classes, in order."""
    return tuple((name, importlib.import_module(f"core.{name}.plugin").Plugin) for name in DOMAINS)


def _make(config: Config, domains: Domains, registry: Registry) -> Flask:
    app = Flask("core", root_path=str(ROOT), static_folder=None, template_folder="templates")
    app.url_rule_class = LazyRule
    app.config.update(flask_settings(config))
    app.extensions[EXTENSION] = registry
    app.extensions["tukku.config"] = config
    app.extensions[OPERATOR] = lambda: _operator(app)
    _init_database(app, config)
    init_security(app, config)
    init_incoming(app)
    init_errors(app)
    _init_templates(app, registry)
    init_assets(app, {f.name: f.location / "static" for f in registry.plan.order})
    for _name, plugin in domains:
        init = getattr(sys.modules[plugin.__module__], "init_app", None)
        if init is not None:
            init(app)
    mount_all(app, registry)
    app.teardown_appcontext(lambda _error: _flush(registry.incidents))
    return app


def _operator(app: Flask) -> Operator:
    from core.runtime.operator import Operator as Present  # it builds apps itself, with this module

    return Present(app.extensions["tukku.config"], app)


def _init_database(app: Flask, config: Config) -> None:
    url = normalise_url(config.database_url)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(url),
        TUKKU_DATA_DIR=str(config.data_dir),
    )
    db.init_app(app)
    with app.app_context():
        configure_engine(db.engine)


def _init_templates(app: Flask, registry: Registry) -> None:
    """Core's templates first; an addon's only under its own name, so it can replace nothing."""
    addons: dict[str, BaseLoader] = {
        f.name: FileSystemLoader(f.location / "templates" / f.name) for f in registry.plan.order
    }
    app.jinja_loader = ChoiceLoader([FileSystemLoader(ROOT / "templates"), PrefixLoader(addons)])
    install_texts(app.jinja_env, {f.name: f.import_name for f in registry.plan.order})
    for helper in registry.values("app_template_helpers"):
        target = app.jinja_env.filters if helper.kind == "filter" else app.jinja_env.globals
        target[helper.name] = helper.value


def _flush(incidents: IncidentLog) -> None:
    """Store what waits; a database that cannot take it must not turn a page into an error."""
    try:
        incidents.flush()
    except Exception:
        LOG.exception("incidents could not be stored")
