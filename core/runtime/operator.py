"""What an operator's commands and the back-office need: operations with their tools, and the overview."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from flask import Flask

from core.data import clock
from core.data.db import db
from core.data.scope import acting, system
from core.registry.assembly import Ingredients, assemble
from core.registry.operations import Proposal, Tools, propose_disable, propose_enable
from core.registry.overview import AddonRow, Overview, known_quarantine, overview
from core.registry.problems import Problem
from core.registry.registry import EXTENSION, Registry
from core.registry.removal import Removal, RemovalKind, propose
from core.registry.sources import Discovery
from core.registry.state import Snapshot, Stored, read_snapshot
from core.runtime.app import build_app, core_domains, find_addons
from core.runtime.config import Config
from core.runtime.probe import environment, probe
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
        names = {*self.snapshot().enabled, row.name, *row.requires}
        states = {name: Stored(name, True, "", False, "", clock.now()) for name in names}
        ingredients = Ingredients(core_domains(), self.discovery, Snapshot(0, states))
        return contributed_by(row.name, assemble(ingredients, lambda registry: registry))

    def propose(self, kind: str, names: Sequence[str]) -> Proposal:
        """Return what enabling or disabling would do."""
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
        command += ["--confirm", " ".join(names)] if kind != "enable" else []
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
        return Tools(self.discovery, self._probe, self._impact)

    def _probe(self, names: Collection[str], enabled: Collection[str]) -> Sequence[Problem]:
        return probe(self.config, names, enabled)

    def _impact(self, name: str) -> tuple[Impact, ...]:
        """Ask a running addon what users lose; one that does not run cannot say."""
        if name not in self.registry.addons:
            return ()
        with self.app.app_context(), acting(system("addon impact")):
            answers = self.registry.batch("addon_disable_impact", only=name, addon=name)
            return tuple(replace(i, message=str(i.message)) for _, impacts in answers for i in impacts)


def contributed_by(name: str, registry: Registry) -> dict[str, tuple[str, ...]]:
    """Return the keys of what an addon contributes, by hook; a hook called while serving has none."""
    found = {
        hook: tuple(_key(c.value) for c in contributions if c.owner == name)
        for hook, contributions in registry.contributed.items()
    }
    called = {hook for hook, known in registry.implementations.items() if name in {i.owner for i in known}}
    return {hook: found.get(hook, ()) for hook in sorted(registry.hooks) if found.get(hook) or hook in called}


def _key(value: Any) -> str:
    return str(getattr(value, "kind", None) or value.key) if not hasattr(value, "face") else str(value.key)
