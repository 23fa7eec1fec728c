"""Try addons in a process of their own: import, register, contribute, mount, compile templates.

`python -m core.runtime.probe` reads {"names": [...], "enabled": [...]} and writes a list of problems, both JSON.
A process that serves is never the first to import an addon that was not seen to load.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import replace

from jinja2 import Environment, TemplateError, TemplateSyntaxError

from core.data import clock
from core.registry.assembly import Ingredients
from core.registry.failure import AddonFailed
from core.registry.problems import Problem, errors
from core.registry.registry import EXTENSION, Registry
from core.registry.sources import Found
from core.registry.state import Snapshot, Stored, environment_problems
from core.runtime.app import core_domains, find_addons, make_app
from core.runtime.config import Config, load_config

TIMEOUT = 120  # seconds


def probe(config: Config, names: Collection[str], enabled: Collection[str]) -> tuple[Problem, ...]:
    """Return what keeps ``names`` from loading together with ``enabled``, tried in a subprocess.

    It needs no shop: where there is no secret key, one is made up, as nothing is signed with it.
    """
    question = json.dumps({"names": sorted(names), "enabled": sorted(enabled)})
    command = [sys.executable, "-m", "core.runtime.probe"]
    try:
        done = subprocess.run(  # noqa: S603  (our own interpreter and module)
            command,
            input=question,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            env=environment(config if config.secret_key else replace(config, secret_key=secrets.token_urlsafe(48))),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = error.stderr.decode(errors="replace") if isinstance(error.stderr, bytes) else error.stderr or ""
        last = f"; the last it said: {_last(said)}" if said.strip() else ""
        return tuple(_silent(name, f"took more than {TIMEOUT} seconds{last}") for name in names)
    answer = done.stdout.strip().rpartition("\n")[2]
    if done.returncode != 0 or not answer.startswith("["):
        last = _last(done.stderr) or "no message"
        return tuple(_silent(name, f"ended with status {done.returncode}: {last}") for name in names)
    return tuple(Problem(**problem) for problem in json.loads(answer))


def environment(config: Config) -> dict[str, str]:
    """Return the environment in which a subprocess sees the same deployment."""
    paths = os.pathsep.join(str(p) for p in config.addon_paths)
    values = {
        "TUKKU_DATA_DIR": str(config.data_dir),
        "TUKKU_DATABASE_URL": config.database_url,
        "TUKKU_SECRET_KEY": config.secret_key,
        "TUKKU_ADDON_PATHS": paths,
        "TUKKU_URL": config.url,
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return os.environ | values


def try_addons(config: Config, names: Collection[str], enabled: Collection[str]) -> Iterator[Problem]:
    """Build with the wanted set, in this process, and yield what is wrong with ``names``."""
    now = clock.now()
    states = {name: Stored(name, True, "", False, "probe", now) for name in enabled}
    discovery = find_addons(config)
    faults = {f.name: problem for f in discovery.found if f.name in states for problem in environment_problems(f)}
    ingredients = Ingredients(core_domains(), discovery, Snapshot(0, states, faults))
    try:
        app = make_app(config, ingredients)
    except AddonFailed as failure:  # of core: those of addons are left out by the build
        yield failure.of_core()
        return
    registry: Registry = app.extensions[EXTENSION]
    for problem in errors(registry.plan.problems):
        if problem.addon in names:
            yield _retry(problem) if problem.code == "QUARANTINED" else problem
    for found in registry.plan.order:
        if found.name in names:
            yield from _templates(app.jinja_env, found)


def _templates(environment: Environment, found: Found) -> Iterator[Problem]:
    folder = found.location / "templates"
    for file in sorted(folder.rglob("*.html")):
        name = file.relative_to(folder).as_posix()
        try:
            environment.get_template(name)
        except TemplateSyntaxError as error:
            text = f"{found.name}: templates/{name}:{error.lineno}: {str(error.message).rstrip('.')}."
            yield Problem("QUARANTINED", found.name, text, "Mend the template.")
        except TemplateError:
            text = f"{found.name}: templates/{name} must stand in templates/{found.name}/."
            yield Problem("QUARANTINED", found.name, text, "Move it there.")


def _retry(problem: Problem) -> Problem:
    """Nothing runs and no incident was stored: the author mends it and tries again."""
    return replace(problem, remedy=f"Mend {problem.addon} and try again.")


def _last(said: str) -> str:
    return said.strip().rpartition("\n")[2].rstrip(".")


def _silent(name: str, why: str) -> Problem:
    text = f"{name} could not be tried: the process that loads it {why}."
    return Problem("QUARANTINED", name, text, f"Mend {name}; `tukku addons check {name}` shows more.")


def main() -> None:
    """Answer one question from standard input."""
    question = json.loads(sys.stdin.read())
    with contextlib.redirect_stdout(sys.stderr):  # what an addon prints must not disturb the answer
        problems = [p.as_dict() for p in try_addons(load_config(), question["names"], question["enabled"])]
    print(json.dumps(problems))


if __name__ == "__main__":
    main()
