"""Errors that a user or an operator may see: each says what is wrong, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class TukkuError(Exception):
    """A refusal with a stable code and a sentence for people.

    ``code`` is UPPER-KEBAB and stable; ``message`` is a whole (possibly lazy, translated) sentence;
    ``status`` is the HTTP status that a view answers with; ``details`` are plain values for APIs.
    """

    status = 400

    def __init__(
        self, code: str, message: object, *, status: int | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.details = dict(details or {})
        if status is not None:
            self.status = status

    def __str__(self) -> str:
        return f"{self.code} {self.message}"


class Conflict(TukkuError):
    """The thing changed since the caller last looked (HTTP 409); nothing was written."""

    status = 409


class Forbidden(TukkuError):
    """The actor lacks the permission (HTTP 403)."""

    status = 403


class NotFound(TukkuError):
    """The thing does not exist, or is not visible to the actor: the two are not told apart (HTTP 404)."""

    status = 404


class Invalid(TukkuError):
    """The input cannot be accepted as it is (HTTP 422)."""

    status = 422


class ScopeError(RuntimeError):
    """A programming error: a statement without an actor, or outside what the actor may touch."""


class WriteError(RuntimeError):
    """A programming error: a change of the database outside ``with write():``."""
