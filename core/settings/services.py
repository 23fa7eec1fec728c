"""Read and change settings: the environment wins, then company, segment, deployment, then the default in code.

A setting is named by its owner (a domain of core, or an addon) and its key; ``core`` stands for whichever domain
of core declares the key. Values for the whole deployment are read with one query per request.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol, cast

from flask import current_app, g
from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from core.data import audit, clock, stamps
from core.data.db import db
from core.data.models import AuditEntry
from core.data.scope import current_actor
from core.data.write import locked, write
from core.i18n import _
from core.registry.registry import registry
from core.settings.models import Setting
from core.settings.values import SettingInvalid, check, from_json, parse, to_json
from core.spec.app import SettingSpec
from core.spec.errors import Conflict, Invalid

CORE = "core"
_TARGETS = "tukku.setting_targets"
_CACHE = "tukku_settings"


class SettingUnknown(Invalid):
    """Nobody declares the setting: a misspelt name, or its addon is not enabled."""

    def __init__(self, owner: str, key: str, known: Sequence[str]) -> None:
        full = f"{owner}.{key}"
        close = get_close_matches(full, known, 1)
        hint = _("Did you mean %(name)s?", name=close[0]) if close else _("`tukku settings list` shows all of them.")
        message = _("There is no setting %(name)s.", name=full)
        super().__init__("SETTING-UNKNOWN", f"{message} {hint}")


class Targets(Protocol):
    """Answers which targets apply to a company; given by core.companies."""

    def of(self, company_id: int) -> tuple[str, ...]:
        """Return ``company:<code>`` of the company and its parents, nearest first, then ``segment:<code>``."""

    def of_each(self, company_ids: Collection[int]) -> Mapping[int, tuple[str, ...]]:
        """Return the same for several companies; statements do not grow with them."""

    def exists(self, target: str) -> bool:
        """Tell whether the company or segment that ``target`` names exists."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A setting with its value for the deployment. ``source`` is default, stored or environment."""

    owner: str
    spec: SettingSpec
    value: Any
    source: str
    env_name: str

    @property
    def name(self) -> str:
        """Owner and key."""
        return f"{self.owner}.{self.spec.key}"


def use_targets(app: Any, targets: Targets) -> None:
    """Let ``targets`` answer for the companies of ``app``."""
    app.extensions[_TARGETS] = targets


def get(owner: str, key: str, *, company: int | None = None) -> Any:
    """Return the value that holds, for ``company`` (its id) if given; SettingUnknown if nobody declares it."""
    owner, spec = find(owner, key)
    given = os.environ.get(env_name(owner, spec))
    if given is not None:
        return parse(spec, given)
    targets = _targets_of(company, spec)
    _read(targets)
    for target in targets:
        stored = _stored(target)
        if (owner, spec.key) in stored:
            return from_json(spec, stored[owner, spec.key])
    return spec.default


def get_each(owner: str, key: str, companies: Collection[int]) -> dict[int, Any]:
    """Return the value that holds for each of several companies (by id); statements do not grow with them."""
    owner, spec = find(owner, key)
    known = cast("Targets | None", current_app.extensions.get(_TARGETS))
    if known is None or spec.scopes == ("deployment",) or env_name(owner, spec) in os.environ:
        return {company: get(owner, key) for company in companies}
    targets = known.of_each(companies)
    _read(sorted({"", *(target for found in targets.values() for target in found)}))
    values = {}
    for company in companies:
        stored = (_stored(target) for target in (*targets.get(company, ()), ""))
        held = next((found for found in stored if (owner, spec.key) in found), None)
        values[company] = spec.default if held is None else from_json(spec, held[owner, spec.key])
    return values


def set_value(owner: str, key: str, value: Any, *, target: str = "", reason: str = "") -> None:
    """Store a typed value for ``target`` ('' for the deployment, ``segment:<code>`` or ``company:<code>``), audited."""
    owner, spec = find(owner, key)
    _check_target(owner, spec, target)
    check(spec, value)
    stored = to_json(value)
    with write():
        row, before = _row(owner, spec.key, target, stored)
        row.value, row.changed_by, row.changed_at = stored, current_actor().name, clock.now()
        _record(owner, spec, target, before, stored, reason)
    _forget()


def reset(owner: str, key: str, *, target: str = "", reason: str = "") -> None:
    """Forget what is stored for ``target``, so that the next wider value, or the default, holds.

    What nobody declares any more can be forgotten too; SettingUnknown where nothing of the kind is stored either.
    """
    with write() as session:
        try:
            owner, spec = find(owner, key)
        except SettingUnknown:
            if session.get(Setting, (owner, key, target)) is None:
                raise
            spec = SettingSpec(key, str, "", key, secret=True)  # whether it was a secret, nobody says any more
        row = session.get(Setting, (owner, spec.key, target))
        if row is not None:
            _record(owner, spec, target, row.value, None, reason)
            session.delete(row)
    _forget()


def everything() -> tuple[Shown, ...]:
    """Return every declared setting with its value for the deployment, in the order of their owners."""
    return tuple(_shown(c.owner, c.value) for c in registry().contributions("app_settings"))


def stored_for(target: str) -> dict[str, Any]:
    """Return what is stored for ``target``, typed, by ``owner.key``; settings of addons that do not run are left out."""
    specs = {(c.owner, c.value.key): c.value for c in registry().contributions("app_settings")}
    found = _stored(target)
    return {f"{o}.{k}": from_json(specs[o, k], value) for (o, k), value in found.items() if (o, k) in specs}


def differing(owner: str) -> tuple[str, ...]:
    """Return the segments and companies for which settings of ``owner`` differ, as targets, sorted."""
    stored = select(Setting.target).where(Setting.owner == owner, Setting.target != "").distinct()
    return tuple(db.session.scalars(stored.order_by(Setting.target)))


def check_target(target: str) -> None:
    """Raise SettingInvalid unless ``target`` names a segment or company that exists."""
    targets = cast("Targets | None", current_app.extensions.get(_TARGETS))
    if targets is None or not targets.exists(target):
        raise SettingInvalid("for", _("there is no %(target)s.", target=target or "–"))


def history(owner: str, key: str = "", limit: int = 20) -> list[AuditEntry]:
    """Return the last changes of the settings of ``owner`` (of one, with ``key``), newest first; secrets stay hidden."""
    wanted = select(AuditEntry).where(AuditEntry.entity == "setting")
    name = AuditEntry.entity_id
    if key:
        wanted = wanted.where(or_(name == f"{owner}.{key}", name.startswith(f"{owner}.{key}@", autoescape=True)))
    else:
        wanted = wanted.where(name.startswith(f"{owner}.", autoescape=True))
    return list(db.session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(limit)))


def find(owner: str, key: str) -> tuple[str, SettingSpec]:
    """Return the declaring owner and the declaration; SettingUnknown with a suggestion if there is none."""
    here = registry()
    declared = here.contributions("app_settings")
    for contribution in declared:
        if contribution.value.key == key and (
            contribution.owner == owner or (owner == CORE and here.is_core(contribution.owner))
        ):
            return contribution.owner, contribution.value
    raise SettingUnknown(owner, key, [f"{c.owner}.{c.value.key}" for c in declared])


def env_name(owner: str, spec: SettingSpec) -> str:
    """Return the name of the environment variable that fixes the setting."""
    return f"TUKKU_{owner}__{spec.key}".upper()


def _shown(owner: str, spec: SettingSpec) -> Shown:
    name = env_name(owner, spec)
    if name in os.environ:
        return Shown(owner, spec, parse(spec, os.environ[name]), "environment", name)
    stored = _stored("")
    if (owner, spec.key) in stored:
        return Shown(owner, spec, from_json(spec, stored[owner, spec.key]), "stored", name)
    return Shown(owner, spec, spec.default, "default", name)


def _targets_of(company: int | None, spec: SettingSpec) -> tuple[str, ...]:
    targets = cast("Targets | None", current_app.extensions.get(_TARGETS))
    if company is None or targets is None or spec.scopes == ("deployment",):
        return ("",)
    return (*targets.of(company), "")


def _check_target(owner: str, spec: SettingSpec, target: str) -> None:
    kind = target.split(":", 1)[0] or "deployment"
    if kind not in spec.scopes:
        scopes = ", ".join(spec.scopes)
        raise SettingInvalid(f"{owner}.{spec.key}", _("it can be set for: %(scopes)s.", scopes=scopes))
    targets = cast("Targets | None", current_app.extensions.get(_TARGETS))
    if target and (targets is None or not targets.exists(target)):
        raise SettingInvalid(f"{owner}.{spec.key}", _("there is no %(target)s.", target=target))
    name = env_name(owner, spec)
    if name in os.environ:
        full = f"{owner}.{spec.key}"
        text = _("%(name)s is fixed by the environment variable %(variable)s.", name=full, variable=name)
        raise Conflict("SETTING-FIXED", text)


def _stored(target: str) -> dict[tuple[str, str], Any]:
    """Return the stored values of a target, by owner and key."""
    _read((target,))
    return _cache()[target]


def _read(targets: Sequence[str]) -> None:
    """Read what is stored for targets with one query at most, once in a request or job."""
    cache = _cache()
    new = tuple(target for target in targets if target not in cache)
    if new:
        cache.update(stamps.kept("settings", ("values", new), lambda: _select(new)))


def _select(targets: Sequence[str]) -> dict[str, dict[tuple[str, str], Any]]:
    found: dict[str, dict[tuple[str, str], Any]] = {target: {} for target in targets}
    columns = select(Setting.target, Setting.owner, Setting.key, Setting.value)
    for target, owner, key, value in db.session.execute(columns.where(Setting.target.in_(targets))):
        found[target][owner, key] = value
    return found


def _cache() -> dict[str, dict[tuple[str, str], Any]]:
    cache: dict[str, dict[tuple[str, str], Any]] = g.setdefault(_CACHE, {})
    return cache


def _forget() -> None:
    g.pop(_CACHE, None)


def _row(owner: str, key: str, target: str, value: Any) -> tuple[Setting, Any]:
    """Return the row of a setting, locked, and what it held; made with ``value`` where there is none."""
    query = locked(select(Setting).where(Setting.owner == owner, Setting.key == key, Setting.target == target))
    row = db.session.scalar(query)
    if row is not None:
        return row, row.value
    row = Setting(owner=owner, key=key, target=target, value=value, changed_by="", changed_at=clock.now())
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:  # somebody else made it at the same moment
        row = db.session.scalars(query).one()
        return row, row.value
    return row, None


def _record(owner: str, spec: SettingSpec, target: str, before: Any, after: Any, reason: str) -> None:
    name = f"{owner}.{spec.key}" + (f"@{target}" if target else "")
    hide = "•••" if spec.secret else None
    audit.record(
        "setting", name[:60], "changed", before={"value": hide or before}, after={"value": hide or after}, reason=reason
    )
