"""What an operator's commands and the back-office need: operations with their tools, and the overview."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask, g

from core.data import clock
from core.data.db import db
from core.data.scope import acting, system
from core.i18n import current_locale
from core.registry.assembly import Ingredients, assemble
from core.registry.operations import Echo, Proposal, Tools, propose_disable, propose_enable, propose_upgrade
from core.registry.overview import AddonRow, Overview, known_quarantine, overview
from core.registry.problems import Problem
from core.registry.registry import EXTENSION, Registry
from core.registry.removal import Removal, RemovalKind, propose
from core.registry.sources import Discovery
from core.registry.state import Snapshot, Stored, read_snapshot
from core.runtime.app import build_app, core_domains, find_addons, make_app
from core.runtime.config import Config
from core.runtime.footprint import footprint
from core.runtime.probe import environment, probe
from core.runtime.readable import write_readable
from core.runtime.seeding import load_seeds
from core.spec.app import Impact


class Operator:
    """The addons of one deployment, looked at once. ``app`` is the serving app; without it one is built."""

    def __init__(self, config: Config, app: Flask | None = None) -> None:
        self.config, self._app = config, app

    @cached_property
    def discovery(self) -> Discovery:
        """Return everything that is installed."""
        return find_addons(self.config)

    @cached_property
    def app(self) -> Flask:
        """Return an app of the present set, for questions to addons."""
        return self._app or build_app(replace(self.config, strict_addons=False), discovery=self.discovery)

    @property
    def registry(self) -> Registry:
        """Return the registry of `app`."""
        found: Registry = self.app.extensions[EXTENSION]
        return found

    def snapshot(self) -> Snapshot:
        """Read the decisions anew; inside an app context."""
        return read_snapshot(db.engine, self.discovery)

    def overview(self) -> Overview:
        """Compute the state of every addon; inside an app context. Imports no addon."""
        snapshot = self.snapshot()
        failed = known_quarantine(snapshot.generation) if snapshot.states else {}
        return overview(self.discovery, snapshot, failed)

    def contributions(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return the keys of what a running addon contributes, by hook; empty for one that does not run."""
        return contributed_by(name, self.registry) if name in self.registry.addons else {}

    def trial_contributions(self, row: AddonRow) -> dict[str, tuple[str, ...]]:
        """Load an addon as if it were enabled and return what it contributes: for short-lived processes."""
        ingredients = self._as_if({*self.snapshot().enabled, row.name, *row.requires})
        return contributed_by(row.name, assemble(ingredients, lambda registry: registry))

    def propose(self, kind: str, names: Sequence[str]) -> Proposal:
        """Return what enabling, disabling or upgrading (of all that is behind) would do."""
        if kind == "upgrade":
            return propose_upgrade(self.discovery)
        ask = propose_enable if kind == "enable" else propose_disable
        return ask(self.tools(), names)

    def propose_removal(self, kind: RemovalKind, name: str) -> Removal:
        """Return what uninstalling or purging would remove."""
        return propose(self.discovery, kind, name)

    def start(self, kind: str, names: Sequence[str], actor: str, *options: str) -> str:
        """Start `tukku addons KIND NAMES` as a process of its own; return the operation's id.

        Confirmation was given on the page. The process outlives the request, and the worker that started it.
        """
        identity = str(uuid.uuid4())
        command = [sys.executable, "-m", "core.cli.main", "addons", kind, *names, *options]
        command += ["--operation", identity, "--actor", actor]
        command += ["--yes"] if kind in ("enable", "disable") else []
        command += ["--confirm", " ".join(names)] if kind not in ("enable", "upgrade") else []
        subprocess.Popen(  # noqa: S603  (our own interpreter and module; the names were found installed)
            command,
            env=environment(self.config),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return identity

    def tools(self) -> Tools:
        """Return what operations need."""
        return Tools(self.discovery, self._probe, self._impact, self._seed)

    def _probe(self, names: Collection[str], enabled: Collection[str]) -> Sequence[Problem]:
        self.config.require_secret()  # without one no app runs, so nothing is begun either
        return probe(self.config, names, enabled)

    def _seed(self, names: Collection[str], enabled: Collection[str], echo: Echo) -> None:
        """Load the reference data of ``names`` as if ``enabled`` ran already: it is there when they are switched on."""
        app = make_app(self.config, self._as_if(enabled))
        with app.app_context(), acting(system("addon seeds")):
            load_seeds(echo, names)
            db.session.remove()
            db.engine.dispose()

    def readable(self, name: str, folder: Path, echo: Echo) -> None:
        """Let a disabled addon write its data for people into ``folder``, in an app in which it runs."""
        try:
            app = make_app(self.config, self._as_if(self._with_required(name)))
        except Exception as error:  # whatever the addon does: its tables are exported without it
            echo(f"{name} does not load and writes no files for people: {error}")
            return
        with app.app_context(), acting(system("addon export")):
            if name in app.extensions[EXTENSION].addons:
                write_readable(name, folder, echo)
            else:
                echo(f"{name} does not load and writes no files for people.")
            db.session.remove()
            db.engine.dispose()

    def _with_required(self, name: str) -> set[str]:
        """Return an addon and, however far, what it requires."""
        names, found = {name}, self.discovery.by_name(name)
        for one in found[:1]:
            for other in one.manifest.requires_addons if one.manifest else ():
                names |= self._with_required(other)
        return names

    def _as_if(self, enabled: Collection[str]) -> Ingredients:
        states = {name: Stored(name, True, "", False, "", clock.now()) for name in enabled}
        return Ingredients(core_domains(), self.discovery, Snapshot(0, states))

    def _impact(self, name: str) -> tuple[Impact, ...]:
        """Ask a running addon what users lose, and count what can be counted; one that does not run is only counted."""
        locale = current_locale()  # of who asks; the actor beneath is the system
        with self.app.app_context(), acting(system("addon impact")):
            g.tukku_locale = locale
            runs = name in self.registry.addons
            answers = self.registry.batch("addon_disable_impact", only=name, addon=name) if runs else ()
            stated = [impact for _, impacts in answers for impact in impacts]
            counted = footprint(name, self.app, self.registry)
            return tuple(replace(impact, message=str(impact.message)) for impact in (*stated, *counted))


def contributed_by(name: str, registry: Registry) -> dict[str, tuple[str, ...]]:
    """Return the keys of what an addon contributes, by hook; a hook called while serving has none."""
    found = {
        hook: tuple(_key(c.value) for c in contributions if c.owner == name)
        for hook, contributions in registry.contributed.items()
    }
    called = {hook for hook, known in registry.implementations.items() if name in {i.owner for i in known}}
    return {hook: found.get(hook, ()) for hook in sorted(registry.hooks) if found.get(hook) or hook in called}


def _key(value: Any) -> str:
    return value.key if isinstance(value.key, str) else str(value.kind)
