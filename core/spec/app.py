"""What an addon contributes to the application: mounts, commands, permissions, settings, jobs, subscribers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import click
    from flask import Blueprint

Face = Literal["shop", "admin", "api"]
Severity = Literal["info", "warning", "severe"]


@dataclass(frozen=True, slots=True)
class Mount:
    """A blueprint of a face. An addon's is mounted under ``/a/<addon>``, ``/admin/a/<addon>`` or ``/api/v1/<addon>``;

    core's domains say their ``prefix`` themselves. Every view declares a permission or that it is public.
    """

    blueprint: Blueprint
    face: Face
    prefix: str | None = None
    order: int = 100

    @property
    def key(self) -> str:
        """The blueprint's name, unique in the deployment."""
        return self.blueprint.name


@dataclass(frozen=True, slots=True)
class Command:
    """A command, placed under ``tukku <addon> …`` (core's domains: directly under ``tukku``)."""

    command: click.Command
    order: int = 100

    @property
    def key(self) -> str:
        """The command's name."""
        return self.command.name or ""


@dataclass(frozen=True, slots=True)
class Permission:
    """A named permission ``<domain or addon>.<object>.<action>`` and the roles that hold it by default.

    Roles: staff ``admin``, ``sales``, ``finance``, ``warehouse``; buyer ``orderer``, ``approver``,
    ``company_admin``, ``viewer``; ``guest`` for visitors where the deployment's switches allow it.
    """

    name: str
    title: object
    roles: tuple[str, ...] = ()
    help: object = ""
    order: int = 100
    #: Staff who hold it keep it while they act for a buyer, beside what the buyer may do.
    carried: bool = False
    #: Permissions without which nobody holds it: what shows amounts of goods needs ``pricing.price.view``.
    needs: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The permission's name."""
        return self.name


@dataclass(frozen=True, slots=True)
class AuditWords:
    """Words for what an addon writes into the audit, each by how it is written there.

    ``things`` are kinds of things ("promotion": "Promotion"), ``deeds`` what is done to them as a part of a sentence
    ("rule_saved": "rule saved"), ``values`` what is kept with it ("min_quantity": "least quantity"). What core has a word
    for (order, company; created, changed; state, rows) has that word; what nobody has stands as it is written.
    """

    things: Mapping[str, object] = field(default_factory=dict)
    deeds: Mapping[str, object] = field(default_factory=dict)
    values: Mapping[str, object] = field(default_factory=dict)
    order: int = 100

    @property
    def key(self) -> str:
        """An addon has one set of words."""
        return "words"


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """One typed setting ``<owner>.<key>``; the environment variable ``TUKKU_<OWNER>__<KEY>`` wins over the stored value.

    ``type`` is bool, int, str, Decimal or a tuple of choices; ``scopes`` says where it may be set. ``money`` marks an
    amount in the seller's currency, which stands beside the field; ``unit`` is what else stands there (%, days).
    """

    key: str
    type: Any
    default: Any
    label: object
    help: object = ""
    scopes: tuple[Literal["deployment", "segment", "company"], ...] = ("deployment",)
    minimum: Any = None
    maximum: Any = None
    choices: tuple[tuple[str, object], ...] = ()
    secret: bool = False
    group: object = ""
    order: int = 100
    #: Returns what is wrong with a value of the right type as a sentence, '' for nothing.
    problem: Callable[[Any], object] | None = None
    money: bool = False
    unit: object = ""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """Work that runs outside requests: ``func(payload: dict)``, idempotent, in an app context as the system actor.

    ``every`` makes it periodic; ``at`` ("HH:MM" in the seller's zone) makes it daily.
    """

    name: str
    func: Callable[[dict[str, Any]], None]
    every: timedelta | None = None
    at: str | None = None
    max_attempts: int = 8
    title: object = ""
    order: int = 100

    @property
    def key(self) -> str:
        """The job's name, prefixed by its owner when stored."""
        return self.name


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A named handler of an event, called after commit, at least once: ``handler(payload: dict)`` is idempotent.

    ``title`` is what administrators read among the background work; without one they read the names of event and handler.
    """

    event: str
    name: str
    handler: Callable[[dict[str, Any]], None]
    order: int = 100
    title: object = ""

    @property
    def key(self) -> str:
        """Event and subscriber."""
        return f"{self.event}:{self.name}"


@dataclass(frozen=True, slots=True)
class Impact:
    """What users lose when an addon is disabled: a whole sentence with its count."""

    message: object
    count: int = 0
    severity: Severity = "info"


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file for people to read: ``<name>.csv`` with a head of ``columns`` and what ``rows()`` yields, text by text."""

    name: str
    columns: tuple[str, ...]
    rows: Callable[[], Iterable[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class TemplateHelper:
    """A filter or global for templates, by name."""

    name: str
    value: Any
    kind: Literal["filter", "global"] = "global"
    order: int = field(default=100)

    @property
    def key(self) -> str:
        """Kind and name."""
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class ConfigFinding:
    """Something that is set up wrongly, as a whole sentence, with the page that mends it.

    ``level``: error (orders go wrong or stop), warning (somebody will stumble), info. ``remedy`` is the link's text.
    """

    code: str
    level: Literal["error", "warning", "info"]
    message: object
    remedy: object = ""
    endpoint: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConfigCheck:
    """A question to the set-up: ``check()`` returns findings, none when all is well; it may read, never write."""

    name: str
    title: object
    check: Callable[[], Iterable[ConfigFinding]]
    order: int = 100

    @property
    def key(self) -> str:
        """The check's name."""
        return self.name


@dataclass(frozen=True, slots=True)
class DataCheck:
    """Something that holds of stored rows at all times, for `tukku doctor`: ``broken()`` yields names of rows where not.

    ``says`` is what holds, as a whole sentence in English; ``remedy`` what an operator does where it does not. ``broken``
    reads and never writes; it reads a stream or batches, so that neither statements nor memory grow with the rows.
    """

    code: str
    says: str
    broken: Callable[[], Iterable[str]]
    remedy: str
    level: Literal["error", "warning"] = "error"
    order: int = 100

    @property
    def key(self) -> str:
        """The check's code, as the doctor shows it."""
        return self.code


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How one part of an addon is right now, cheap to find out: ``state`` ok, warning or failing, and a sentence."""

    name: str
    title: object
    state: Literal["ok", "warning", "failing"] = "ok"
    message: object = ""


@dataclass(frozen=True, slots=True)
class Seed:
    """Reference data of ``model``, a mapped class with an ``id``: ``rows()`` yields a stable key and the columns' values.

    ``match`` names the columns by which a record that is there already is recognised.
    """

    name: str
    model: type[Any]
    rows: Callable[[], Iterable[tuple[str, Mapping[str, Any]]]]
    match: tuple[str, ...]
    title: object = ""
    order: int = 100

    @property
    def key(self) -> str:
        """The seed's name."""
        return self.name
