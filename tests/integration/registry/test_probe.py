"""The trial before enabling: what it finds, and a process that never answers."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from jinja2 import Environment, FileSystemLoader

from core.registry.sources import FolderSource
from core.runtime import probe as trial

from .conftest import TESTS, Domain


@pytest.fixture
def deployment(config, monkeypatch):
    monkeypatch.setattr("core.runtime.probe.core_domains", lambda: (("shop", Domain),))
    return replace(config, addon_paths=(TESTS, TESTS / "zoo"))


def tried(deployment, *names, beside=()):
    return [f"{p.message} {p.remedy}" for p in trial.try_addons(deployment, names, {*names, *beside})]


def test_sound_addons_have_no_problems(deployment):
    assert tried(deployment, "toy_addon", "toy_bridge") == []


def test_failure_says_to_mend_and_try_again(deployment):
    assert tried(deployment, "zoo_entry") == [
        "zoo_entry: addon.toml names entry.plugin plugin:Elsewhere, and there is no class Elsewhere. "
        "Mend zoo_entry and try again."
    ]


def test_templates_are_compiled(deployment):
    assert tried(deployment, "zoo_page_syntax") == [
        "zoo_page_syntax: templates/zoo_page_syntax/page.html:1: Expected an expression, "
        "got 'end of statement block'. Mend the template."
    ]
    assert tried(deployment, "zoo_misplaced") == [
        "zoo_misplaced: templates/page.html must stand in templates/zoo_misplaced/. Move it there."
    ]


def test_a_sentence_of_jinja_keeps_one_full_stop(tmp_path):
    manifest = '[addon]\nname = "slots"\nversion = "1"\ntitle = "S"\n[requires]\ncore = ">=0.1,<0.2"\n'
    for name, said in (("addon.toml", manifest), ("templates/slots/page.html", "{% if x %}")):
        path = tmp_path / "slots" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(said)
    (found,) = FolderSource(tmp_path).search()[1]
    (problem,) = trial._templates(Environment(loader=FileSystemLoader(found.location / "templates"), autoescape=True), found)
    assert problem.message.endswith("needs to be closed is 'if'.")


def test_problems_of_others_do_not_stop_it(deployment):
    assert tried(deployment, "zoo_sound", beside=["zoo_syntax", "zoo_missing"]) == []


def test_missing_package_is_found(deployment):
    (message,) = tried(deployment, "zoo_package")
    assert message.startswith("zoo_package needs the Python package no-such-distribution>=1, which is not installed.")


def test_slow_import_is_given_up(deployment, monkeypatch):
    monkeypatch.setattr(trial, "TIMEOUT", 1)
    (problem,) = trial.probe(replace(deployment, secret_key=""), ["zoo_slow"], ["zoo_slow"])
    assert problem.message == ("zoo_slow could not be tried: the process that loads it took more than 1 seconds.")
    assert problem.remedy == "Mend zoo_slow; `tukku addons check zoo_slow` shows more."


def test_what_a_process_said_before_it_was_given_up_is_told(deployment, monkeypatch):
    def given_up(command, **_options):
        raise subprocess.TimeoutExpired(command, 1, stderr=b"a warning\nwaiting for the licence server.\n")

    monkeypatch.setattr(trial.subprocess, "run", given_up)
    (problem,) = trial.probe(deployment, ["zoo_slow"], ["zoo_slow"])
    assert problem.message.endswith("took more than 120 seconds; the last it said: waiting for the licence server.")
