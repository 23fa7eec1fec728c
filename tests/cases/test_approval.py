"""Who must approve what, from the published tests of other systems, run through the product (approval_world.py).

Reads ``approval.json`` here, or in the folder ``TUKKU_CASES_DIR``. Each case is passed, failed, or unsupported with the
name of the feature that is missing; a failure fails the suite, and the counts are printed. Where systems differ by
policy, the case's policy is stored as the company's own.
"""

from __future__ import annotations

import json
import os
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from core.data.db import db
from core.data.scope import set_actor, system
from core.testing import factories

from . import approval_form as form
from .approval_world import World
from .neutral import Unsupported, number


def run(case: Mapping[str, Any], app: Flask, key: str) -> str:
    """Return what is wrong, '' if the product agrees; Unsupported names a missing feature."""
    case = form.normal(case)
    world = World(case, app, key)
    world.bring_to(case.get("state", "new"))
    wrong = _compare(world, case.get("expect", {}), "")
    for n, step in enumerate(case.get("steps", ()), 1):
        if step.get("apart"):
            world = World(case, app, f"{key}a{n}")
            world.bring_to(case.get("state", "new"))
        outcome = world.do(step)
        wrong = wrong or _compare(world, step.get("expect", {}), outcome)
    return wrong


def _compare(world: World, expected: Mapping[str, Any], outcome: str) -> str:
    for name, wanted in expected.items():
        found = world.found(name, outcome, wanted)
        if isinstance(wanted, int | float) and not isinstance(wanted, bool):
            wanted = number(wanted)
            if isinstance(found, Decimal) and wanted.as_tuple().exponent <= -2:  # as finely as the case says it
                found = found.quantize(wanted)
        elif name in ("required", "eligible", "deciding_rules"):
            wanted = sorted(wanted)
        elif name in ("history", "approvals"):
            found, wanted = _alike(found, wanted, chronological=name == "history")
        if found != wanted:
            return f"{name} is {found}, {wanted} is expected{f' ({world.rejected})' if world.rejected else ''}"
    return ""


def _alike(found: list[Any], wanted: list[Any], *, chronological: bool) -> tuple[list[Any], list[Any]]:
    """Return both with the words of those that are wanted; open requests have no order, a history has one."""
    if not chronological:
        found, wanted = (sorted(rows, key=lambda row: (row["by"], row.get("state", ""))) for rows in (found, wanted))
    named = [{k: f[k] for k in w if k in f} for f, w in zip(found, wanted, strict=False)]
    return [*named, *found[len(wanted) :]], wanted


def test_approval_cases(app_with: Callable[..., Flask], capsys: pytest.CaptureFixture[str]) -> None:
    """Run every case; print the counts and what is missing."""
    folder = Path(os.environ.get("TUKKU_CASES_DIR") or Path(__file__).parent)
    app = app_with(addons=["approval_chain", "promotions"])
    set_actor(system("tests"))
    factories.make_tax_rate(rate="0")  # amounts of the cases are with or without tax alike
    outcomes: Counter[str] = Counter()
    missing: defaultdict[str, list[str]] = defaultdict(list)
    failed: list[str] = []
    for n, case in enumerate(json.loads((folder / "approval.json").read_text())["cases"]):
        name, portability = str(case.get("id", n)), case.get("portability", "universal")
        try:
            problem = run(case, app, f"case{n}")
        except Unsupported as error:
            outcomes["unsupported"] += 1
            missing[f"{error}{' (universal)' if portability == 'universal' else ''}"].append(name)
            continue
        except Exception as error:  # one case that stumbles must not keep the others from being counted
            db.session.rollback()
            if _in_translation(error):
                outcomes["unsupported"] += 1
                missing[f"a form that is not read: {type(error).__name__} {error}"[:120]].append(name)
                continue
            problem = traceback.format_exc(limit=-3)
        outcomes["failed" if problem else "passed"] += 1
        if problem:
            failed.append(f"{name} ({portability}): {problem}")
    with capsys.disabled():
        counts = ", ".join(f"{outcomes[one]} {one}" for one in ("passed", "failed", "unsupported"))
        print(f"\napproval cases: {counts}")
        for feature, names in sorted(missing.items()):
            print(f"  unsupported {len(names)}x: {feature}: {', '.join(names)}")
    assert not failed, "\n".join(failed)


def _in_translation(error: Exception) -> bool:
    """Tell whether it was reading the case that failed, and not the product that was asked."""
    frames = traceback.extract_tb(error.__traceback__)
    unread = KeyError, TypeError, ValueError, AttributeError, ArithmeticError
    return isinstance(error, unread) and Path(frames[-1].filename).parent == Path(__file__).parent
