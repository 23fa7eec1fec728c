"""The category tree and the attributes as plain values, read when they have changed: they are small and used everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from flask import g, has_request_context
from sqlalchemy import select

from core.catalog.models import Attribute, Category
from core.data import stamps
from core.data.db import db
from core.i18n import _, pick
from core.ui.formats import qty

_TREE, _ATTRIBUTES = "catalog_tree", "catalog_attributes"


@dataclass(frozen=True, slots=True)
class CategoryNode:
    """A category; ``route`` is its place in addresses ("fasteners/bolts"), ``hidden`` says it is not in the shop."""

    id: int
    code: str
    route: str
    texts: Mapping[str, str]
    parent_id: int | None
    hidden: bool

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return pick(self.texts, fallback=self.code)


@dataclass(frozen=True, slots=True)
class Tree:
    """All categories, parents before children, siblings in their order."""

    nodes: Mapping[int, CategoryNode]
    children: Mapping[int | None, tuple[CategoryNode, ...]]
    by_code: Mapping[str, CategoryNode] = field(default_factory=dict)

    def line(self, node: CategoryNode | None) -> tuple[CategoryNode, ...]:
        """Return the categories from the root down to ``node``."""
        found: list[CategoryNode] = []
        while node is not None:
            found.insert(0, node)
            node = self.nodes.get(node.parent_id) if node.parent_id else None
        return tuple(found)

    def below(self, node: CategoryNode) -> tuple[int, ...]:
        """Return the ids of ``node`` and of everything beneath it."""
        found = [node.id]
        for child in self.children.get(node.id, ()):
            found += self.below(child)
        return tuple(found)

    def shown(self, node: CategoryNode) -> bool:
        """Tell whether neither ``node`` nor a parent is hidden."""
        return not any(step.hidden for step in self.line(node))

    def sums(self, counts: Mapping[int | None, int]) -> dict[int, int]:
        """Return for each category the count of its own products and of all beneath it."""
        totals = dict.fromkeys(self.nodes, 0)
        for category_id, count in counts.items():
            for step in self.line(self.nodes.get(category_id)) if category_id else ():
                totals[step.id] += count
        return totals


@dataclass(frozen=True, slots=True)
class AttributeInfo:
    """A technical attribute."""

    id: int
    code: str
    texts: Mapping[str, str]
    type: str
    unit: str
    facet: bool
    labels: Mapping[str, Mapping[str, str]]

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return pick(self.texts, fallback=self.code)

    @property
    def numeric(self) -> bool:
        """True for numbers."""
        return self.type == "number"

    def label(self, text: str) -> str:
        """Return a stored value as the reader sees it, without the unit."""
        if self.type == "boolean":
            return _("Yes") if text == "yes" else _("No")
        if self.type == "number":
            return _number(text)
        return pick({"en": text, **self.labels.get(text, {})})

    def value(self, text: str) -> str:
        """Return a stored value with its unit."""
        return f"{self.label(text)}\u00a0{self.unit}" if self.unit else self.label(text)


def tree() -> Tree:
    """Return the category tree; one statement in a request."""
    return _once(_TREE, _read_tree)  # type: ignore[return-value]


def attributes() -> dict[str, AttributeInfo]:
    """Return the attributes by code, in their order; one statement in a request."""
    return _once(_ATTRIBUTES, _read_attributes)  # type: ignore[return-value]


def forget() -> None:
    """Read anew what was changed in this request."""
    if has_request_context():
        for key in (_TREE, _ATTRIBUTES):
            g.pop(key, None)


def _once(key: str, read: object) -> object:
    if not has_request_context():
        return read()  # type: ignore[operator]
    if key not in g:
        setattr(g, key, stamps.kept("catalogue", key, read))  # type: ignore[arg-type]
    return g.get(key)


def _read_tree() -> Tree:
    c = Category
    rows = db.session.execute(select(c.id, c.code, c.path, c.name, c.parent_id, c.hidden).order_by(c.position, c.code))
    nodes = {
        id: CategoryNode(id, code, path.strip("/"), name, parent, hidden) for id, code, path, name, parent, hidden in rows
    }
    children: dict[int | None, list[CategoryNode]] = {}
    for node in nodes.values():
        children.setdefault(node.parent_id, []).append(node)
    frozen = {parent: tuple(found) for parent, found in children.items()}
    return Tree(nodes, frozen, {node.code: node for node in nodes.values()})


def _read_attributes() -> dict[str, AttributeInfo]:
    a = Attribute
    rows = db.session.execute(select(a.id, a.code, a.name, a.type, a.unit, a.facet, a.labels).order_by(a.position, a.code))
    return {row.code: AttributeInfo(*row[:-1], row.labels or {}) for row in rows}


def _number(text: str) -> str:
    try:
        return qty(Decimal(text))
    except InvalidOperation:
        return text
