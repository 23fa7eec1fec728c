"""Run `tukku` and die by SIGKILL just before the given commit: ``python killed_operation.py NUMBER addons enable …``.

What a process has written when it is killed there is exactly what the commits before it left, on disk and in files.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count

from sqlalchemy import Engine, event

from core.cli.main import main


def die_before_commit(number: int) -> None:
    """Count the commits of this process; the one with this number never happens."""
    numbers = count(1)

    def die(_connection: object) -> None:
        if next(numbers) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "commit", die)


if __name__ == "__main__":
    die_before_commit(int(sys.argv.pop(1)))
    main()
