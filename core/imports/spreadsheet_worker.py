"""Read the first sheet of a workbook in a process of its own: JSON lines on stdout. Imports nothing of core.

A cell far outside of its table, or a file that unpacks to a thousand times its size, takes memory and time without end, and
the reader's way to say so is to end its process. Here that is this one, within the limits that it is given.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import date, datetime, time
from typing import Any

CELLS_AT_ONCE = 5000


def main(path: str, megabytes: str, seconds: str, characters: str) -> None:
    """Write ``{"sheet", "sheets", "total"}``, then lists of ``[number, cells]`` of the filled rows; or ``{"error"}``.

    Ends with an error where that would be more than so many ``characters``: whoever reads them has to keep them.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    limit(int(megabytes), int(seconds))
    left = int(characters)
    try:
        with open(path, "rb") as file:
            book = CalamineWorkbook.from_filelike(file)
        sheet = book.get_sheet_by_index(0)
    except (CalamineError, IndexError, OSError, ValueError) as error:
        say({"error": str(error)})
        return
    say({"sheet": sheet.name, "sheets": len(book.sheet_names), "total": sheet.total_height})
    batch: list[Any] = []
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if any(cell != "" for cell in cells):
            batch.append([number, [told(cell) for cell in cells]])
        if len(batch) * len(cells) >= CELLS_AT_ONCE:
            left -= say(batch)
            batch = []
            if left < 0:
                sys.exit(1)
    if left < say(batch):
        sys.exit(1)


def limit(megabytes: int, seconds: int) -> None:
    """Let this process take so much memory and time, and end it where it wants more."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limits
        return
    for what, most in (
        (resource.RLIMIT_AS, megabytes << 20),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)  # nobody may raise what the machine allows
        with suppress(OSError, ValueError):  # macOS takes no limit of memory
            resource.setrlimit(what, (least, least))


def told(cell: Any) -> Any:
    """Return a cell as JSON has it: a day without time as its date, other instants, times and durations as text."""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return cell if isinstance(cell, str | int | float) else str(cell)


def say(value: Any) -> int:
    """Write a line, and return how long it is."""
    return sys.stdout.write(json.dumps(value) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
