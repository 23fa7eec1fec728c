"""The command line of the platform: works on a new deployment, and when an addon is broken."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError

from core.cli.main import main, plain
from core.registry.problems import Problem

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """A directory that `tukku init` has set up, with the tests' addons in reach."""
    folder = tmp_path_factory.mktemp("deployment")
    environ = {
        "TUKKU_DATA_DIR": str(folder),
        "TUKKU_ADDON_PATHS": f"{TESTS}:{TESTS / 'zoo'}",
    }
    result = CliRunner().invoke(main, ["init"], env=environ)
    assert result.exit_code == 0, result.output
    return environ


@pytest.fixture
def tukku(deployment, monkeypatch):
    monkeypatch.setattr("core.runtime.operator.probe", lambda config, names, enabled: ())

    def run(*words, code=0, answer=None, **environ):
        result = CliRunner().invoke(main, list(words), env=deployment | environ, input=answer)
        assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
        return result.output

    return run


def test_init_creates_a_secret_for_this_user_only(tukku, deployment):
    secret = Path(deployment["TUKKU_DATA_DIR"]) / "secret_key"
    assert secret.stat().st_mode & 0o777 == 0o600
    before = secret.read_text()
    assert tukku("init").splitlines()[-1] == "Ready. `tukku serve` starts the shop."
    assert secret.read_text() == before


def test_list_as_json(tukku):
    answer = json.loads(tukku("addons", "list", "--json"))
    rows = {row["name"]: row for row in answer["addons"]}
    assert rows["toy_addon"]["state"] == "available"
    assert rows["zoo_toml"]["state"] == "broken"
    assert rows["zoo_toml"]["problems"][0]["code"] == "MANIFEST"
    assert rows["zoo_leaf"]["requires"] == {"zoo_dependent": ">=1"}


def test_toggle(tukku):
    assert "To enable: toy_addon." in tukku("addons", "enable", "toy_addon", "--dry-run")
    assert "Done: enable toy_addon." in tukku("addons", "enable", "toy_addon")
    assert "running" in next(line for line in tukku("addons", "list").splitlines() if line.startswith("toy_addon"))
    assert "1. toy_addon" in tukku("addons", "graph")
    assert tukku("toy_addon", "count") == "0 notes\n"
    shown = tukku("addons", "disable", "toy_addon", "--dry-run")
    assert "toy_addon: 3 notes are no longer shown. (severe)" in shown
    assert "The names differ. Nothing was changed." in tukku("addons", "disable", "toy_addon", answer="toy\n", code=1)
    assert "FILES-PRESENT" in tukku("addons", "purge", "toy_addon", code=1)
    assert "ENABLED: toy_addon is switched on." in tukku("addons", "uninstall", "toy_addon", code=1)
    assert "Done: disable toy_addon." in tukku("addons", "disable", "toy_addon", answer="toy_addon\n")
    assert json.loads(tukku("addons", "uninstall", "toy_addon", "--dry-run", "--json"))["tables"] == {"toy_addon_note": 0}
    assert "The name differs. Nothing was changed." in tukku("addons", "uninstall", "toy_addon", answer="toy\n", code=1)
    assert "Done: uninstall toy_addon." in tukku("addons", "uninstall", "toy_addon", "--confirm", "toy_addon")
    assert "Nothing to do: all tables" in tukku("addons", "upgrade")
    assert json.loads(tukku("addons", "upgrade", "--dry-run", "--json"))["names"] == []
    assert "zoo_toml/addon.toml: is not TOML" in tukku("addons", "doctor", code=1)
    assert "No such command 'toy_addon'" in tukku("toy_addon", "count", code=2)


def test_disable_as_json(tukku):
    tukku("addons", "enable", "toy_addon")
    answer = json.loads(tukku("addons", "disable", "toy_addon", "--confirm", "toy_addon", "--json"))
    assert (answer["operation"], answer["names"], answer["done"]) == ("disable", ["toy_addon"], True)


def test_an_author_without_a_shop_checks_an_addon(tmp_path, monkeypatch):
    monkeypatch.setenv("TUKKU_DATA_DIR", str(tmp_path / "nowhere"))
    result = CliRunner().invoke(main, ["addons", "check", "--read-only", str(TESTS / "toy_addon")])
    assert (result.exit_code, result.output) == (0, "toy_addon: no problems.\n")
    assert not (tmp_path / "nowhere").exists()
    assert CliRunner().invoke(main, ["addons", "check"]).exit_code != 0, "which addons are enabled, nobody knows"


def test_without_the_secret_key_addons_are_checked_and_not_enabled(tukku, deployment, tmp_path):
    place = tmp_path / "secret_key"
    key = Path(deployment["TUKKU_DATA_DIR"]) / "secret_key"
    key.rename(place)
    try:
        assert "toy_addon: no problems." in tukku("addons", "check", "toy_addon")
        said = tukku("addons", "enable", "zoo_sound", code=1)
    finally:
        place.rename(key)
    assert f"CONFIG: There is no secret key for {key.parent}. Run `tukku init` to create one." in said
    rows = {row["name"]: row for row in json.loads(tukku("addons", "list", "--json"))["addons"]}
    assert rows["zoo_sound"]["state"] == "available"


def test_refusal_exits_with_one_and_all_reasons(tukku):
    output = tukku("addons", "enable", "zoo_core", "zoo_package", code=1)
    assert "CORE-VERSION: zoo_core 1.0 supports core >=7,<8, and this is core 0.1.0." in output
    assert "PACKAGE: zoo_package needs the Python package no-such-distribution>=1" in output
    answer = json.loads(tukku("addons", "enable", "zoo_core", "--json", code=1))
    assert answer["problems"][0]["code"] == "CORE-VERSION"
    assert answer["done"] is False


def test_refused_trial_is_an_answer(tukku, monkeypatch):
    problem = Problem("QUARANTINED", "toy_addon", "toy_addon: it is broken.", "Mend toy_addon and try again.")
    monkeypatch.setattr("core.runtime.operator.probe", lambda config, names, enabled: (problem,))
    output = tukku("addons", "enable", "toy_addon", code=1)
    assert "QUARANTINED toy_addon: toy_addon: it is broken. Mend toy_addon and try again." in output
    assert "Nothing was changed." in output


def test_running_operation_exits_with_three(tukku, deployment):
    from core.data.db import make_engine
    from core.registry.oplog import operation_lock

    engine = make_engine(f"sqlite:///{deployment['TUKKU_DATA_DIR']}/tukku.sqlite")
    with operation_lock(engine):
        output = tukku("addons", "enable", "zoo_sound", code=3)
    engine.dispose()
    assert "OPERATION-RUNNING: Another operation on the addons is running." in output


def test_commands_work_while_an_addon_is_broken(tukku):
    tukku("addons", "enable", "zoo_syntax")
    assert "zoo_syntax" in tukku("addons", "list")
    assert "QUARANTINED: zoo_syntax: importing addons.zoo_syntax.plugin failed" in tukku("addons", "check", code=1)
    assert "price_steps" in tukku("hooks", "list")
    assert "zoo_syntax: importing" in tukku("check", code=1)
    refused = tukku("serve", "--port", "0", code=1, TUKKU_STRICT_ADDONS="1")
    assert "Error: QUARANTINED zoo_syntax: zoo_syntax: importing addons.zoo_syntax.plugin failed" in refused
    assert "Done: disable zoo_syntax." in tukku("addons", "disable", "zoo_syntax")


def test_paths_and_show(tukku):
    assert str(TESTS / "zoo") in tukku("addons", "paths")
    shown = tukku("addons", "show", "toy_addon")
    assert "Toy (toy_addon) 1.0" in shown
    assert "ui_panels: notes" in shown
    assert "There is no addon nowhere." in tukku("addons", "show", "nowhere", code=1)


def test_hook_is_described(tukku):
    shown = tukku("hooks", "show", "catalog_visibility")
    assert "catalog_visibility(query)" in shown
    assert "batch, on error: fail" in shown
    assert json.loads(tukku("hooks", "show", "ui_nav", "--json"))["result"] == "NavItem"


def test_busy_database_says_what_to_do():
    busy = OperationalError("BEGIN IMMEDIATE", {}, sqlite3.OperationalError("database is locked"))
    assert plain(busy) == "Something else was writing to the database for too long, so this was stopped. Try again."


def test_new_directory_says_what_to_do(tukku, tmp_path):
    output = tukku("addons", "list", code=1, TUKKU_DATA_DIR=str(tmp_path / "none"))
    assert "The database cannot be used: unable to open database file. `tukku init` creates a new one." in output
    assert "There is no secret key" in tukku("check", code=1, TUKKU_DATA_DIR=str(tmp_path / "none"))


def test_wrong_setting_is_named(tukku):
    output = tukku("addons", "list", code=1, TUKKU_SAFE_MODE="maybe")
    assert 'CONFIG: TUKKU_SAFE_MODE "maybe" is neither on nor off; write 1 or 0.' in output


def _commands(command, path=()):
    yield path, command
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            context.obj = None
            names = list(command.commands) if command is not main else []
        for name in names:
            yield from _commands(command.commands[name], (*path, name))


@pytest.mark.parametrize("module", ["addon_commands:addons", "hook_commands:hooks"])
def test_every_command_has_an_example(module):
    import importlib

    name, attribute = module.split(":")
    group = getattr(importlib.import_module(f"core.cli.{name}"), attribute)
    for path, command in _commands(group, (attribute,)):
        assert "Example: tukku " in (command.help or ""), " ".join(path)


def test_a_new_shop_has_a_seller_and_the_check_says_what_is_left(tmp_path):
    def run(*words):
        return CliRunner().invoke(main, list(words), env={"TUKKU_DATA_DIR": str(tmp_path), "TUKKU_ADDON_PATHS": ""})

    refused = run("init", "--country", "XX")
    assert (refused.exit_code, "“XX” is not a country code" in refused.output) == (1, True)
    made = run("init", "--seller", "Rautakauppa AB", "--country", "SE")
    assert "Made the seller Rautakauppa AB: SE, SEK, Europe/Stockholm." in made.output
    assert "Made the seller" not in run("init", "--seller", "Another").output
    found = json.loads(run("check", "--json").output)
    assert {one["code"] for one in found if one["level"] == "error"} == {"SELLER-ADDRESS"}
    assert "/admin/companies/seller" in next(one["remedy"] for one in found if one["code"] == "SELLER-ADDRESS")
