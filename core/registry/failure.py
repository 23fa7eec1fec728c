"""The exception that says: this addon, in this step, for this reason, cannot run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.registry.problems import Problem


class AddonFailed(Exception):
    """An addon cannot be part of this build; it is left out with its dependents."""

    def __init__(self, addon: str, message: str, hook: str = "") -> None:
        super().__init__(message)
        self.addon, self.message, self.hook = addon, message, hook

    def problem(self) -> Problem:
        """Return the failure as the problem that keeps the addon out."""
        remedy = f"Mend {self.addon}, or run `tukku addons disable {self.addon}`; its incident has the details."
        return Problem("QUARANTINED", self.addon, self.message, remedy)

    def of_core(self) -> Problem:
        """Return the failure as a problem of core, where it was one of core's domains that failed."""
        return Problem("CORE", self.addon, self.message, "This is a fault of Tukku itself: please report it.")


def explain(error: BaseException, folder: Path) -> str:
    """Say what was raised and, where the addon's own code is on the way, in which line of it."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shown(Path(error.filename), folder)}:{error.lineno}: {type(error).__name__}: {error.msg}"
    place = _own_line(error, folder)
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"{place}: {text}" if place else text


def nearest(error: BaseException, folders: Mapping[str, Path]) -> str:
    """Return the name of the folder whose code (or template) is nearest to where ``error`` was raised, '' for none.

    Where an exception was turned into another, what caused it counts first.
    """
    if error.__cause__ is not None and (cause := nearest(error.__cause__, folders)):
        return cause
    found, step = "", error.__traceback__
    while step is not None:
        file = Path(step.tb_frame.f_code.co_filename)
        found = next((name for name, folder in folders.items() if file.is_relative_to(folder)), found)
        step = step.tb_next
    return found


def _own_line(error: BaseException, folder: Path) -> str:
    found, step = "", error.__traceback__
    while step is not None:
        file = Path(step.tb_frame.f_code.co_filename)
        if file.is_relative_to(folder):
            found = f"{_shown(file, folder)}:{step.tb_lineno}"
        step = step.tb_next
    return found


def _shown(file: Path, folder: Path) -> str:
    return str(file.relative_to(folder.parent)) if file.is_relative_to(folder) else file.name
