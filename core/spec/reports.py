"""Reports: where rows for a table come from, with the questions that are asked before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

ColumnKind = Literal["text", "code", "number", "quantity", "money", "price", "percent", "day", "instant"]


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """A column: ``extra`` names the one with the currency of money and prices, or the unit of quantities."""

    name: str
    label: object
    kind: ColumnKind = "text"
    extra: str = ""


@dataclass(frozen=True, slots=True)
class ReportParameter:
    """A question: a day, a text, or a choice of ``choices()``; ``default()`` is proposed, '' or None is no answer."""

    name: str
    label: object
    kind: Literal["day", "text", "choice"] = "text"
    default: Callable[[], Any] | None = None
    choices: Callable[[], Sequence[tuple[str, object]]] | None = None
    required: bool = False
    help: object = ""


@dataclass(frozen=True, slots=True)
class ReportSource:
    """Rows for the back-office, as a table on a page, as CSV and as XLSX, for whoever holds ``permission``.

    ``rows(values)`` gets an answer for each parameter (date, text, None) and yields a sequence of values for each row, in
    the order of ``columns``; it streams, so that memory does not grow with rows, and sees what the actor may see. It may
    raise Invalid with ``details={"field": name}``.
    """

    name: str
    title: object
    columns: tuple[ReportColumn, ...]
    rows: Callable[[Mapping[str, Any]], Iterable[Sequence[Any]]]
    permission: str
    parameters: tuple[ReportParameter, ...] = ()
    help: object = ""
    order: int = 100

    @property
    def key(self) -> str:
        """The report's name, within its owner."""
        return self.name
