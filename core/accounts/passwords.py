"""Passwords: what is accepted, how they are hashed, and that an unknown address costs as long as a known one."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from flask_security.utils import hash_password, verify_password

from core.data.write import writing
from core.i18n import _
from core.spec.errors import Invalid, TukkuError, WriteError

SHORTEST, LONGEST = 12, 256
_QUEUE_SECONDS = 5.0
_hashing = threading.Semaphore(2)  # each takes 19 MiB and a core: a flood of sign-ins must not take them all
#: What is guessed first, of twelve characters and more.
_COMMON = frozenset((Path(__file__).parent / "common_passwords.txt").read_text("utf-8").split())


def check(password: str, *, about: Iterable[str] = ()) -> None:
    """Refuse a password that is too short or easily guessed; ``about`` are words of its owner (name, address, company)."""
    if len(password) < SHORTEST:
        raise _refused(_("The password is too short: use at least %(count)s characters.", count=SHORTEST))
    if len(password) > LONGEST:
        raise _refused(_("The password is too long: use at most %(count)s characters.", count=LONGEST))
    folded = password.casefold()
    if folded in _COMMON or len(set(folded)) < 5:
        raise _refused(
            _("This password is among the first that are guessed. Use several words that do not belong together.")
        )
    if _leftover(folded, about) < 6:
        raise _refused(_("The password is mostly your name, address or company. Use words that do not point to you."))


def _leftover(password: str, about: Iterable[str]) -> int:
    """Return how many characters remain without the words that everybody knows about the person."""
    words = {part for text in ("tukku", *about) for part in re.split(r"[\W_]+", text.casefold()) if len(part) >= 4}
    for word in sorted(words, key=len, reverse=True):
        password = password.replace(word, "")
    return len(password)


def _refused(message: str) -> Invalid:
    return Invalid("PASSWORD-WEAK", message, details={"field": "password"})


def hashed(password: str) -> str:
    """Return the Argon2id hash of ``password``; outside ``write()``, because it takes long."""
    if writing():
        raise WriteError("hash the password before `with write():`")
    with _slot():
        return str(hash_password(password))


def matches(password: str, stored: str | None) -> bool:
    """Tell whether ``password`` is the one of ``stored``; None (nobody, or no password yet) takes as long."""
    with _slot():
        right = bool(verify_password(password[:LONGEST], stored or _nobody()))
    return right and stored is not None


@cache
def _nobody() -> str:
    return str(hash_password("nobody has this password"))


@contextmanager
def _slot() -> Iterator[None]:
    if not _hashing.acquire(timeout=_QUEUE_SECONDS):
        raise TukkuError("BUSY", _("Too many people are signing in at once. Try again in a moment."), status=429)
    try:
        yield
    finally:
        _hashing.release()
