"""Project-wide fixtures; those for databases and apps are in core.testing.plugin, which addons use too.

What a machine may lack (sample data, a browser) skips its tests with a sentence; where `TUKKU_REQUIRE` names it,
as in `.ci/run`, the same tests fail instead.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# a busy machine is slow, and that is no fault of what is tested
settings.register_profile("tukku", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tukku")

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def _lacking(what: str, sentence: str) -> None:
    if what in os.environ.get("TUKKU_REQUIRE", "").split(","):
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of sample data written by others."""
    given = os.environ.get("TUKKU_SAMPLES_DIR", "")
    if not given or not Path(given).is_dir():
        _lacking("samples", f"TUKKU_SAMPLES_DIR ({given or 'not set'}) is not the folder of sample data")
    return Path(given)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Drive the Chromium of the system; Playwright's own is not downloaded."""
    path = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if path is None:
        _lacking("browser", "there is no Chromium on this machine (on Debian: apt-get install chromium)")
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    return {**browser_type_launch_args, "executable_path": path, "args": flags}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Show pages at the width of a desktop, in English."""
    return {**browser_context_args, "viewport": {"width": 1280, "height": 900}, "locale": "en-GB"}
