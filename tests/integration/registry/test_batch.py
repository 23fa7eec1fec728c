"""Batch hooks while serving: isolate leaves an addon out, fail refuses, and each failure is an incident."""

from __future__ import annotations

import pytest

from core.registry.registry import HookFailed

from .conftest import registry_of


@pytest.fixture
def registry(built):
    return registry_of(built("zoo_batch", "toy_addon"))


def test_fail_closed_refuses_with_a_sentence(registry):
    with pytest.raises(HookFailed) as caught:
        registry.batch("catalog_visibility", query=None)
    assert str(caught.value) == (
        "ADDON-FAILED The operation was stopped because the addon zoo_batch failed in catalog_visibility; "
        "nothing was changed. The incident has been recorded for the administrators."
    )
    (failure,) = registry.incidents.take()
    assert (failure.addon, failure.phase, failure.hook) == ("zoo_batch", "request", "catalog_visibility")
    assert failure.message == "no visibility"
    assert "zoo_batch/plugin.py" in failure.detail


def test_isolated_failure_leaves_the_others(registry):
    answers = registry.batch("addon_disable_impact", addon="toy_addon")
    assert [(owner, str(results[0].message)) for owner, results in answers] == [
        ("toy_addon", "3 notes are no longer shown.")
    ]
    assert [f.message for f in registry.incidents.take()] == ["no impact"]


def test_only_one_owner_is_asked(registry):
    assert registry.batch("addon_disable_impact", only="zoo_sound", addon="zoo_sound") == ()
    assert registry.incidents.take() == ()


def test_wrong_result_is_a_failure(registry):
    with pytest.raises(HookFailed, match="zoo_batch failed in quantity_rules"):
        registry.batch("quantity_rules", lines=(), company_id=None)
    assert registry.incidents.take()[0].message == "quantity_rules returns QuantityRule, not str: 'three'"


def test_attempt_keeps_the_failure_from_the_page(registry):
    assert registry.attempt("toy_addon", "ui_panels", lambda: 7).value == 7
    outcome = registry.attempt("toy_addon", "ui_panels", lambda: 1 / 0)
    assert (outcome.failed, outcome.value) == (True, None)
    assert registry.incidents.take()[0].message == "division by zero"


def test_unknown_hook_suggests_one(registry):
    with pytest.raises(KeyError, match="there is no hook price_step; did you mean price_steps"):
        registry.contributions("price_step")
    with pytest.raises(KeyError, match="ui_nav is a contribute hook, asked for as batch"):
        registry.batch("ui_nav")


def test_registry_cannot_be_changed(registry):
    with pytest.raises(TypeError):
        registry.contributed["ui_nav"] = ()
    with pytest.raises(AttributeError):
        registry.generation = 9


def test_equal_failures_have_one_fingerprint(registry):
    for _ in range(2):
        with pytest.raises(HookFailed):
            registry.batch("catalog_visibility", query=None)
    one, other = registry.incidents.take()
    assert one.fingerprint == other.fingerprint
