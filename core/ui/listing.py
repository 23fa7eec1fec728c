"""A list page from a resource: filters, search, sort, columns, totals, keyset pages and exports, all in the URL.

A view is two lines::

    @bp.get("/orders")
    @requires("orders.order.read")
    def orders():
        return show_list(ORDERS, "orders/desk.html", actions=(...), empty=Empty(...))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from flask import redirect, render_template, request, url_for
from sqlalchemy import Select, func
from werkzeug.datastructures import MultiDict
from werkzeug.urls import iri_to_uri

from core.data.db import db
from core.data.scope import actor_or_none
from core.i18n import _, ngettext
from core.registry.registry import Contribution, registry
from core.spec.errors import Invalid
from core.spec.ui import Action
from core.ui.export import ExportColumn, export_response
from core.ui.filters import Applied, apply_addon, apply_field, field_choices, hint, searched
from core.ui.keyset import Sort, decode, window
from core.ui.links import may_open, row_url
from core.ui.listpage import Chip, Column, Empty, Filter, Link, ListPage, Pager, Row, Total, ViewMenu
from core.ui.resource import Field, Resource
from core.ui.saved import ALL, SavedView, SavedViews, kept, saved_views
from core.ui.states import state_of

RESERVED = frozenset({"q", "sort", "after", "before", "col", "export", "view"})
EXPORT_CHUNK = 500


def show_list(
    resource: Resource,
    template: str,
    *,
    where: Iterable[Any] = (),
    actions: Sequence[Action] = (),
    empty: Empty | None = None,
    **context: Any,
) -> Any:
    """Answer with the list as a page (``page`` in the template), or as the file that ``?export=`` asks for.

    Asked for nothing, the list opens with the view that the actor chose to see first.
    """
    saved = saved_views(resource.key)
    asked = Listing(resource, request.args, request.path, tuple(where), saved)
    if saved.first and not request.args:
        return redirect(asked.view_url(saved.first))
    if request.args.get("export") in ("csv", "xlsx"):
        return asked.export(request.args["export"])
    return render_template(template, page=asked.page(actions, empty), **context)


def listed_codes(resource: Resource, *, where: Iterable[Any] = (), most: int) -> list[str]:
    """Return the codes of the rows that the list shows under the request's filters, all pages, in its order; one statement.

    For what is to be done to everything that a list shows; at most ``most`` + 1, so that a caller sees when it is more.
    """
    asked = Listing(resource, request.args, request.path, tuple(where))
    code = resource.field(resource.code).expression
    statement = resource.select(*asked.sort.columns(), code.label("code")).where(*asked.conditions())
    return [str(row.code) for row in db.session.execute(asked.sort.order(statement).limit(most + 1))]


class Listing:
    """One question to a resource, as the URL puts it."""

    def __init__(
        self,
        resource: Resource,
        args: MultiDict[str, str],
        path: str,
        where: tuple[Any, ...] = (),
        saved: SavedViews = SavedViews(),
    ) -> None:
        self.resource, self.args, self.path, self.where, self.saved = resource, args, path, where, saved
        self.view = saved.find(args.get("view", ""))
        self.fields = resource.readable()
        self.by_name = {f.name: f for f in self.fields}
        actor = actor_or_none()

        def mine(hook: str) -> dict[str, Contribution[Any]]:
            found = (c for c in registry().contributions(hook) if c.value.list == resource.key)
            allowed = (c for c in found if not c.value.permission or (actor and actor.may(c.value.permission)))
            return {f"{c.owner}__{c.value.key}": c for c in allowed}

        self.addon_columns, self.addon_filters = mine("ui_columns"), mine("ui_filters")
        self.applied, self.problems = self._read_filters()
        self.sort_field, self.descending = self._read_sort()
        self.chosen = self._read_columns()

    # ---- what the URL asks for ----

    def _read_filters(self) -> tuple[dict[str, Applied], list[str]]:
        applied: dict[str, Applied] = {}
        problems: list[str] = []
        for name in self._filter_names():
            text = self.args.get(name, "").strip()
            if not text:
                continue
            try:
                applied[name] = (
                    apply_addon(self.addon_filters[name], text, self.resource.id)
                    if name in self.addon_filters
                    else apply_field(self.by_name[name], text)
                )
            except Invalid as error:
                problems.append(str(error.message))
        return applied, problems

    def _filter_names(self) -> list[str]:
        return [f.name for f in self.fields if f.filter and f.name not in RESERVED] + list(self.addon_filters)

    def _read_sort(self) -> tuple[Field, bool]:
        wanted = self.args.get("sort", "")
        name = wanted.lstrip("-")
        if name not in self.by_name or not self.by_name[name].sort:
            wanted = self.resource.order
            name = wanted.lstrip("-")
        return self.resource.field(name), wanted.startswith("-")

    def _read_columns(self) -> tuple[Column, ...]:
        own = [
            Column(f.name, f.label, f.kind, f.numeric, f.on_card, *self._sort_link(f), f, beside=self._beside(f))
            for f in self.fields
            if f.column
        ]
        theirs = [
            Column(
                name, c.value.label, _kind(c.value), c.value.numeric or c.value.money, c.value.on_card, source=c,
                beside=_("Currency") if c.value.money else "",
            )
            for name, c in self.addon_columns.items()
        ]  # fmt: skip
        self.all_columns = (*own, *theirs)
        wanted = set(self.args.getlist("col"))
        shown = [c for c in self.all_columns if (c.name in wanted if wanted else _default(c))]
        code = next((c for c in own if c.name == self.resource.code), own[0])
        return tuple(shown if code in shown else [code, *shown])

    def _beside(self, f: Field) -> str:
        """Return the heading of the currency or unit that stands beside a field in a file."""
        return str(self.resource.field(f.extra).label) if f.extra else ""

    def _sort_link(self, f: Field) -> tuple[str, str]:
        if not f.sort:
            return "", ""
        current = f.name == self.sort_field.name
        direction = ("desc" if self.descending else "asc") if current else ""
        first = "-" if f.kind in ("money", "instant", "day", "quantity", "number") else ""
        wanted = ("" if self.descending else "-") + f.name if current else first + f.name
        return self.url(sort=wanted), direction

    def url(self, drop: Sequence[str] = (), **changes: str) -> str:
        """Return the list's address with some values changed; every change goes back to the first page."""
        passing = {*drop, *changes, "after", "before", "export"}
        stay = [(k, v) for k, v in self.args.items(multi=True) if k not in passing]
        return self._address([(k, v) for k, v in (*stay, *changes.items()) if v])

    def _address(self, pairs: Iterable[tuple[str, str]]) -> str:
        """Return the list's address with a query; without one it says so, where the list would open with a saved view."""
        query = "&".join(f"{_quoted(k)}={_quoted(v)}" for k, v in pairs) or (f"view={ALL}" if self.saved.first else "")
        return iri_to_uri(self.path + ("?" + query if query else ""))

    def view_url(self, view: SavedView) -> str:
        """Return the address of a saved view: what it holds stands in the address, so that it can be changed and sent."""
        return self._address([*view.params, ("view", view.code)])

    # ---- statements ----

    def conditions(self) -> list[Any]:
        """Return everything that narrows the list, paging aside."""
        query = self.args.get("q", "").strip()
        return [*self.where, *(a.condition for a in self.applied.values()), *searched(self.fields, query)]

    def statement(self) -> Select[Any]:
        """Return the filtered SELECT of id, sort value and every field that a column needs."""
        names = {c.name for c in self.chosen if c.field} | {self.resource.code}
        names |= {c.field.extra for c in self.chosen if c.field and c.field.extra}
        columns = [self.resource.field(name).expression.label(name) for name in sorted(names)]
        return self.resource.select(*self.sort.columns(), *columns).where(*self.conditions())

    @property
    def sort(self) -> Sort:
        """Return the order of the list."""
        return self.resource.sort(self.sort_field, descending=self.descending)

    def page(self, actions: Sequence[Action] = (), empty: Empty | None = None) -> ListPage:
        """Ask the database (rows, then count and totals, then one query per addon column) and fill the page."""
        after, before = decode(self.args.get("after", "")), decode(self.args.get("before", ""))
        statement = self.sort.order(self.statement(), backwards=before is not None)
        cursor = before or after
        if cursor is not None:
            statement = statement.where(self.sort.beyond(cursor, backwards=before is not None))
        found = db.session.execute(statement.limit(self.resource.page_size + 1)).all()
        cut = window(found, self.resource.page_size, after=after, before=before)
        count, totals = self._totals()
        page = self._frame(actions, empty)
        page.rows, page.count, page.totals = tuple(self._rows(cut.rows)), count, totals
        page.pager = Pager(
            self._said(len(cut.rows), count),
            self.url() if cursor is not None else "",
            self._page_url("before", cut.before.encode()) if cut.before else "",
            self._page_url("after", cut.after.encode()) if cut.after else "",
        )
        return page

    def _page_url(self, name: str, value: str) -> str:
        here = self.url()
        return f"{here}{'&' if '?' in here else '?'}{name}={value}"

    def _totals(self) -> tuple[int, tuple[Total, ...]]:
        """Return the number of rows and the sums, by currency where the sums are of money: one statement."""
        sums = [c.field for c in self.chosen if c.field and c.field.total]
        extra = next((f.extra for f in sums if f.extra), "")
        keys = [self.resource.field(extra).expression] if extra else []
        columns = [func.count(), *(func.sum(f.expression) for f in sums), *keys]
        statement = self.resource.select(*columns).where(*self.conditions()).group_by(*keys).order_by(*keys)
        found = db.session.execute(statement).all()
        count = sum(row[0] for row in found)
        if not sums or count < 2:
            return count, ()
        return count, tuple(
            Total(
                _("Total in %(currency)s", currency=row[-1]) if extra and len(found) > 1 else _("Total"),
                {f.name: value for f, value in zip(sums, row[1:], strict=False)},
                str(row[-1]) if extra else "",
            )
            for row in found
        )

    def _rows(self, found: Sequence[Any]) -> Iterator[Row]:
        ids = [row.id_ for row in found]
        addon = {c.name: self._addon_values(c, ids) for c in self.chosen if c.source}
        for row in found:
            values = row._mapping
            code = str(values[self.resource.code] or "")
            cells = {c.name: self._shown(c, values) if c.field else addon[c.name].get(row.id_) for c in self.chosen}
            extras = {c.name: values.get(c.field.extra) for c in self.chosen if c.field and c.field.extra}
            for c in self.chosen:
                if c.beside and c.source:
                    cells[c.name], extras[c.name] = cells[c.name] or (None, None)
            yield Row(row.id_, code, self._link(code), cells, extras)

    def _addon_values(self, column: Column, ids: Sequence[int]) -> Mapping[int, Any]:
        source = column.source
        if source is None or not ids:
            return {}
        return registry().attempt(source.owner, "ui_columns", source.value.values, ids).value or {}

    def _shown(self, column: Column, values: Mapping[str, Any]) -> Any:
        value = values[column.name]
        show = column.field.show if column.field else None
        return show(value) if show else value

    def _link(self, code: str) -> str:
        if self.resource.link:
            return self.resource.link(code)
        return row_url(self.resource.endpoint, code) if self.resource.endpoint else ""

    # ---- what stands around the rows ----

    def _frame(self, actions: Sequence[Action], empty: Empty | None) -> ListPage:
        names = self._filter_names()
        chosen = [(k, v) for k, v in self.args.items(multi=True) if k in ("sort", "col", "view")]
        filters = [(k, v) for k, v in self.args.items() if k in names and v]
        query = self.args.get("q", "").strip()
        page = ListPage(self.resource.title, self.path, self.url(), query, self.resource.search_label)
        page.columns = self.chosen
        page.filters = tuple(self._filter(name) for name in names)
        page.chips = tuple(Chip(a.text, self.url(drop=(name,))) for name, a in self.applied.items())
        page.problems = tuple(self.problems)
        page.column_choices = tuple(Link(c.label, "", name=c.name, shown=c in self.chosen) for c in self.all_columns)
        page.actions = tuple(self._actions(actions))
        page.exports = (
            Link(_("CSV file"), self.url(export="csv"), "file-earmark-text"),
            Link(_("Excel workbook"), self.url(export="xlsx"), "file-earmark-spreadsheet"),
        )
        page.views = tuple(self._views())
        page.view_menu, page.notice = self._view_menu(), self._notice()
        page.clear_url = self.url(drop=(*names, "q"))
        page.kept, page.kept_with_filters = tuple(chosen), (*chosen, *filters)
        page.kept_without_columns = tuple((k, v) for k, v in (*page.kept_with_filters, ("q", query)) if k != "col" and v)
        page.empty = empty or page.empty
        return page

    def _filter(self, name: str) -> Filter:
        value = self.args.get(name, "")
        if name in self.addon_filters:
            spec = self.addon_filters[name].value
            return Filter(name, spec.label, value, spec.choices())
        f = self.by_name[name]
        return Filter(name, f.label, value, field_choices(f), hint(f))

    def _actions(self, own: Sequence[Action]) -> Iterator[Link]:
        actor = actor_or_none()
        theirs = [a for a in registry().values("ui_actions") if a.list == self.resource.key]
        for action in sorted((*own, *theirs), key=lambda a: a.order):
            allowed = not action.permission or (actor is not None and actor.may(action.permission))
            if allowed and may_open(action.endpoint):
                yield Link(action.label, url_for(action.endpoint), action.icon, dangerous=action.dangerous)

    def _views(self) -> Iterator[Link]:
        """Yield the tabs: those made ready, then the saved ones; a list that has only saved ones gets one of all rows."""
        asked = {k: v for k, v in self.args.items() if k in self._filter_names() and v}
        ready = self.resource.views
        if self.saved.views and all(view.params for view in ready):
            yield Link(_("All"), self._address(()), current=self.view is None and not asked)
        for view in ready:
            here = self.view is None and asked == dict(view.params)
            yield Link(view.label, self._address(view.params.items()), current=here)
        for mine in self.saved.views:
            icon = "star" if mine.first else "people" if mine.shared else "bookmark"
            yield Link(mine.name, self.view_url(mine), icon, current=mine is self.view)

    def _view_menu(self) -> ViewMenu | None:
        if not self.saved.may_save:
            return None
        shown, view = kept(self.args.items(multi=True)), self.view
        mine = view is not None and (view.mine or self.saved.may_share)
        changed = view is not None and shown != view.params
        return ViewMenu(self.resource.key, self.path, urlencode(shown), view, changed, mine, self.saved.may_share)

    def _notice(self) -> str:
        """Say that a saved view asks for what is not there: an addon is off, or the reader may not see it."""
        if self.view is None:
            return ""
        known = {*self._filter_names(), "q"}
        columns, sorts = {c.name for c in self.all_columns}, {f.name for f in self.fields if f.sort}
        places: Mapping[str, set[str]] = {"col": columns, "sort": sorts}
        gone = [k for k, v in self.view.params if (v.lstrip("-") not in places[k] if k in places else k not in known)]
        if not gone:
            return ""
        return _("This view also asks for something that is not there any more, or that you may not see. It was left out.")

    def _said(self, shown: int, count: int) -> str:
        total = self.resource.count(count) if self.resource.count else ngettext("%(count)s row", "%(count)s rows", count)
        return total if shown == count else _("%(shown)s of %(total)s", shown=shown, total=total)

    # ---- export ----

    def export(self, kind: Any) -> Any:
        """Return the whole filtered list with the columns shown, a currency or unit beside each figure."""
        columns: list[ExportColumn] = []
        for c in self.chosen:
            columns.append(ExportColumn(str(c.label), c.kind))
            if c.beside:
                columns.append(ExportColumn(c.beside))
        name = self.resource.key.rpartition(".")[2]
        return export_response(name, kind, columns, self._export_rows(), str(self.resource.title))

    def _export_rows(self) -> Iterator[list[Any]]:
        statement = self.sort.order(self.statement()).execution_options(yield_per=EXPORT_CHUNK)
        for part in db.session.execute(statement).partitions(EXPORT_CHUNK):
            for row in self._rows(part):
                cells: list[Any] = []
                for c in self.chosen:
                    value = row.cells[c.name]
                    cells.append(str(state_of(value).label) if c.kind == "state" and value else value)
                    if c.beside:
                        cells.append(row.extras.get(c.name))
                yield cells


def _kind(column: Any) -> str:
    return "money" if column.money else "quantity" if column.numeric else "text"


def _default(column: Column) -> bool:
    if column.field is not None:
        return column.field.shown
    return bool(column.source and column.source.value.default)


def _quoted(text: str) -> str:
    return quote(str(text), safe="")
