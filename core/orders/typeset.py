"""Make PDFs with Typst. Values go in as JSON, so nothing that people type can become markup."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from core.data.write import writing
from core.i18n import _
from core.spec.errors import TukkuError

TIME_LIMIT = 30
_WORKER = Path(__file__).with_name("typeset_worker.py")
_LONG = re.compile(r"\S{26,}")
_BREAK = "\u200b"


class TypesetFailed(TukkuError):
    """The document could not be made; the order itself is not touched."""

    status = 500

    def __init__(self, reason: str) -> None:
        super().__init__(
            "DOCUMENT-FAILED", _("The document could not be made. Try again; if it fails again, tell the administrators.")
        )
        self.reason = reason


def compile_pdf(template: Path, data: Mapping[str, Any], *, at: datetime) -> bytes:
    """Return the PDF of a template; ``at`` is the date written into it. Never called inside ``write()``.

    Raises TypesetFailed when the template is wrong or takes longer than ``TIME_LIMIT`` seconds.
    """
    if writing():
        raise RuntimeError("documents are made outside `with write():`, which holds up everybody else")
    asked = {"template": str(template), "data": broken(data), "fonts": [str(_fonts())], "timestamp": int(at.timestamp())}
    try:
        done = subprocess.run(  # noqa: S603  (our own interpreter and file; values go in as JSON on stdin)
            [sys.executable, str(_WORKER)],
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=TIME_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TypesetFailed(f"{template.name} took more than {TIME_LIMIT} seconds") from error
    if done.returncode:
        raise TypesetFailed(done.stderr.decode(errors="replace")[-2000:])
    return done.stdout


def broken(value: Any) -> Any:
    """Return texts, lists and mappings with places to break in words that no line holds: they would run over figures.

    >>> broken(["M8X40", "x" * 26])[1].count("\u200b")
    6
    """
    if isinstance(value, str):
        return _LONG.sub(lambda word: _BREAK.join(word[0][at : at + 4] for at in range(0, len(word[0]), 4)), value)
    if isinstance(value, Mapping):
        return {key: broken(one) for key, one in value.items()}
    return [broken(one) for one in value] if isinstance(value, list | tuple) else value


def _fonts() -> Path:
    """Return the folder of Source Sans Pro, which has every letter of the languages that Tukku speaks."""
    import font_source_sans_pro

    return Path(font_source_sans_pro.__file__).parent / "files"
