"""Importers: how rows of a file become records, by natural key, twice the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

FieldType = Literal["text", "integer", "decimal", "date", "instant", "boolean", "choice", "list", "country"]
Outcome = Literal["created", "updated", "unchanged", "error"]


@dataclass(frozen=True, slots=True)
class ImportField:
    """A column of an import: its type, whether it must be there, and bounds (decimals: ``scale`` digits after the point).

    A country comes as its two letters, also where the file has its name.

    Text of several lines is kept so where ``lines`` says it; elsewhere the ends of lines become spaces.
    A list keeps what it names twice only where ``repeats`` says so.
    """

    name: str
    type: FieldType = "text"
    required: bool = False
    choices: tuple[str, ...] = ()
    scale: int = 6
    max_length: int = 0
    lines: bool = False
    repeats: bool = False
    help: object = ""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A parsed row: its number in the file (header = 1) and typed values by field; absent cells are not in ``values``."""

    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of a row, named by its natural key; for errors ``field`` and ``message`` say what is wrong and its remedy.

    A row that went in may have a ``message`` too: what whoever reads the report should know of it. ``value`` is what
    the file has in the field that is wrong: the import itself notes it.
    """

    number: int
    outcome: Outcome
    key: str = ""
    field: str = ""
    message: object = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class DataImport:
    """A kind of import. ``load(rows)`` gets a batch of parsed rows inside ``write()`` and returns a result for each.

    It resolves references and existing records with set queries (a constant number per batch), upserts by the
    natural ``key`` fields and changes nothing for equal rows. ``open_fields`` names a prefix ("attr:") of free columns.
    ``export()`` yields mappings that the same import would accept.
    """

    kind: str
    title: object
    key: tuple[str, ...]
    fields: tuple[ImportField, ...]
    load: Callable[[Sequence[ImportRow]], Sequence[RowResult]]
    permission: str
    export: Callable[[], Any] | None = None
    open_fields: str = ""
    after: Callable[[], None] | None = None
    order: int = 100

    @property
    def name(self) -> str:
        """The kind, as typed at the command line."""
        return self.kind
