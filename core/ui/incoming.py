"""What a request brings: each text is looked at when it is read, so that no view can forget it.

A form of ours shows the problem at its field (`TukkuForm`); everything else that reads a form or an address gets the
refusal of `core.i18n.characters`, as a page or as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask, Request, request
from werkzeug.datastructures import CombinedMultiDict, ImmutableMultiDict, MultiDict
from werkzeug.routing import IntegerConverter, Map, PathConverter, UnicodeConverter

from core.i18n import _
from core.i18n.characters import checked_text, cleaned, one_line, problem_in
from core.spec.errors import NotFound

#: The largest number of a page, a position or a version in an address or a form.
LARGEST = 2**31 - 1

_SEALED = {"%25": "%", "%2E": ".", "%2F": "/"}
_SEAL = re.compile("|".join(_SEALED))
#: What browsers, servers and proxies take out of a path, or put together.
_TRAVELS_BADLY = {"", ".", ".."}


def seal(code: str) -> str:
    """Write a code so that it is one part of a path: a slash in it is encoded twice, for servers decode a path once.

    >>> seal("ZS/123/2026"), seal("M8x40"), seal("50%")
    ('ZS%2F123%2F2026', 'M8x40', '50%')
    """
    text = _SEAL.sub(lambda found: "%25" + found[0][1:], code).replace("/", "%2F")
    return text.replace(".", "%2E") if text in _TRAVELS_BADLY else text


def unseal(part: str) -> str:
    """Return the code that `seal` wrote; any other text is returned as it is."""
    return _SEAL.sub(lambda found: _SEALED[found[0]], part)


class CodePart(UnicodeConverter):
    """One part of an address: mostly a code, in which there may be a slash (an order's number, an address of an ERP)."""

    def to_python(self, value: str) -> str:
        """Return the code."""
        return unseal(value)

    def to_url(self, value: Any) -> str:
        """Write the code, sealed."""
        return super().to_url(seal(str(value)))


class CodePath(PathConverter):
    """The parts of an address that are a code with slashes; sealed where a part would not travel, as in ``a//b``."""

    def to_python(self, value: str) -> str:
        """Return the code."""
        return unseal(value)

    def to_url(self, value: Any) -> str:
        """Write the code, plainly where that is safe."""
        code = str(value)
        plain = _TRAVELS_BADLY.isdisjoint(code.split("/")) and not _SEAL.search(code)
        return super().to_url(code if plain else seal(code))


class WholeNumber(IntegerConverter):
    """The part of an address that is a number: one that a column can hold, everything else is not found."""

    def __init__(self, map: Map, *args: Any, max: int | None = LARGEST, **options: Any) -> None:
        super().__init__(map, *args, max=max, **options)


class Incoming(ImmutableMultiDict[str, str]):
    """Fields of a form or of an address; reading one whose text cannot be kept raises Invalid with its name.

    The files of a form come in one, too, as they are.
    """

    def __getitem__(self, key: str) -> str:
        """Return the first value of a field."""
        found: Any = super().__getitem__(key)
        return checked_text(found, key) if isinstance(found, str) else found

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # type: ignore[override]
        """Return the first value of a field; a number that no column holds is no number."""
        found = super().get(key, default, type)
        return default if type is int and isinstance(found, int) and abs(found) > LARGEST else found

    def getlist(self, key: str, type: Any = None) -> list[Any]:
        """Return all values of a field."""
        found: list[Any] = super().getlist(key)
        for value in found:
            if isinstance(value, str):
                checked_text(value, key)
        return super().getlist(key, type)

    def lists(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each field with all its values."""
        for key in self:
            checked_text(key, key)
            yield key, self.getlist(key)

    def items(self, multi: bool = False) -> Iterator[tuple[str, str]]:  # type: ignore[override]
        """Yield fields with their first value, or with each."""
        for key, values in self.lists():
            yield from ((key, value) for value in (values if multi else values[:1]))

    def values(self) -> Iterator[str]:  # type: ignore[override]
        """Yield the first value of each field."""
        return (value for _key, value in self.items())

    def listvalues(self) -> Iterator[list[str]]:  # type: ignore[override]
        """Yield all values of each field."""
        return (values for _key, values in self.lists())

    def unchecked(self) -> MultiDict[str, str]:
        """Return the fields as they came, for a form that says itself what is wrong with each."""
        return MultiDict((key, value) for key in self for value in super(Incoming, self).getlist(key))


class CheckedRequest(Request):
    """A request whose form, files and query are `Incoming`."""

    parameter_storage_class = Incoming

    def _load_form_data(self) -> None:
        """Read the form; what cannot be kept is left out of the names of files, which nobody types."""
        read = "form" in self.__dict__
        super()._load_form_data()
        for files in () if read else self.files.listvalues():
            for file in files:
                file.filename = one_line(cleaned(file.filename or ""))


def init_incoming(app: Flask) -> None:
    """Have every request looked at."""
    app.request_class = CheckedRequest
    app.url_map.converters |= {"int": WholeNumber, "default": CodePart, "path": CodePath}
    app.before_request(_check_address)


def _check_address() -> None:
    if problem_in(request.path):
        raise NotFound("BAD-ADDRESS", _("The address has a character that no address here has. Check it, or follow a link."))


def unchecked(formdata: Any) -> Any:
    """Return what WTForms reads of a request as it came."""
    if isinstance(formdata, Incoming):
        return formdata.unchecked()
    if isinstance(formdata, CombinedMultiDict):
        return CombinedMultiDict([unchecked(part) for part in formdata.dicts])
    return formdata
