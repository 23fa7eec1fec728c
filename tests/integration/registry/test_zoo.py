"""Broken addons: each is left out with its own sentence, and the shop and the others stay up."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy.orm import configure_mappers

from core.companies.models import Company
from core.data.db import Base
from core.registry.assembly import Refused
from core.registry.problems import errors
from core.registry.sources import FolderSource, discover

from .conftest import TESTS, registry_of

MESSAGES = {
    "zoo_syntax": "zoo_syntax: importing addons.zoo_syntax.plugin failed: "
    "zoo_syntax/plugin.py:3: SyntaxError: '(' was never closed.",
    "zoo_exit": "zoo_exit: importing addons.zoo_exit failed: zoo_exit/__init__.py:3: SystemExit: 3.",
    "zoo_import": "zoo_import: importing addons.zoo_import.plugin failed: "
    "zoo_import/plugin.py:3: ModuleNotFoundError: No module named 'no_such_module_anywhere'.",
    "zoo_misspelt": "zoo_misspelt: there is no hook price_stepz; did you mean price_steps?",
    "zoo_arguments": "zoo_arguments: catalog_visibility takes (query), and its implementation asks for company.",
    "zoo_unmarked": "zoo_unmarked: the method ui_nav has a hook's name and lacks @hookimpl.",
    "zoo_first": "zoo_first: ui_nav uses a pluggy ordering option; give the contribution an order instead.",
    "zoo_entry": "zoo_entry: addon.toml names entry.plugin plugin:Elsewhere, and there is no class Elsewhere.",
    "zoo_constructor": "zoo_constructor: creating Plugin failed: zoo_constructor/plugin.py:8: KeyError: 'settings'.",
    "zoo_raises": "zoo_raises: ui_nav failed: zoo_raises/plugin.py:12: ZeroDivisionError: division by zero.",
    "zoo_type": "zoo_type: ui_nav returns NavItem, not str: 'orders'.",
    "zoo_twice": "zoo_twice: app_permissions zoo_twice.page.view is already contributed by zoo_twice.",
    "zoo_grab": "zoo_grab: the permission orders.order.place must be named zoo_grab.<object>.<action>.",
    "zoo_slot": "zoo_slot: ui_panels box names the slot of storefront.home mian, which does not exist; did you mean main?",
    "zoo_page": "zoo_page: ui_panels box names the page storefront.hoem, which does not exist; "
    "did you mean storefront.home?",
    "zoo_template": "zoo_template: the template zoo_template/box.html of panel box cannot be used: "
    "TemplateNotFound('zoo_template/box.html').",
    "zoo_borrow": "zoo_borrow: the template storefront/layout.html must stand in templates/zoo_borrow/.",
    "zoo_nav": "zoo_nav: ui_nav x leads to zoo_nav.page, and there is no such endpoint.",
    "zoo_section": "zoo_section: ui_nav x names the section seutp, which does not exist; did you mean setup?",
    "zoo_unknown": "zoo_unknown: ui_nav x requires the permission zoo_unknown.page.view, which is unknown; "
    "declare it in app_permissions.",
    "zoo_route": "zoo_route: GET /a/zoo_route/list/<int:other> of zoo_route.second is already the address "
    "of zoo_route.first.",
    "zoo_face": "zoo_face: app_mounts zoo_face names the face shpo, which does not exist; did you mean shop?",
    "zoo_swapped": "zoo_swapped: Mount takes a blueprint, then a face, and its blueprint is 'shop'.",
    "zoo_access": "zoo_access: the view zoo_access.page declares no access; add @requires(...) or @public(reason).",
    "zoo_permission": "zoo_permission: the view zoo_permission.page requires the permission "
    "zoo_permission.page.veiw, which is unknown; did you mean zoo_permission.page.view?",
    "zoo_blueprint": "zoo_blueprint: the blueprint orders must be named zoo_blueprint or zoo_blueprint_<something>.",
    "zoo_static": "zoo_static: zoo_static.static serves files by itself; "
    "leave static_folder out of the blueprint and use asset().",
    "zoo_table": "zoo_table: table orders_extra must be named zoo_table_orders_extra, so that its owner can be told.",
    "zoo_ondelete": "zoo_ondelete: the foreign key zoo_ondelete_row.company_id → companies_company does not say "
    "ondelete; write CASCADE, SET NULL, or RESTRICT with a data_owner_note.",
    "zoo_backref": "zoo_backref: Row.company has a backref, which changes another class; "
    "use back_populates between classes of the addon.",
    "zoo_half": "zoo_half: importing addons.zoo_half.models failed: zoo_half/models.py:16: ValueError: half way.",
    "zoo_card": "zoo_card: ui_cards box names the size hlaf, which does not exist; did you mean half?",
    "zoo_hold": "zoo_hold: order_hold_types limit requires the permission zoo_hold.hold.release, which is unknown; "
    "declare it in app_permissions.",
    "zoo_seed": "zoo_seed: app_seeds returns Seed, not tuple: ('rates', 24).",
    "zoo_check": "zoo_check: config_checks mail is already contributed by zoo_check.",
    "zoo_health": "zoo_health: addon_health takes no arguments, and its implementation asks for addon.",
    "zoo_export": "zoo_export: addon_export takes (addon), and its implementation asks for folder.",
    "zoo_step": "zoo_step: the template orders/steps/about.html must stand in templates/zoo_step/.",
    "zoo_step_gone": "zoo_step_gone: the template zoo_step_gone/site.html of step site cannot be used: "
    "TemplateNotFound('zoo_step_gone/site.html').",
    "zoo_report": "zoo_report: report_sources sales names the column beside net curency, which does not exist; "
    "did you mean currency?",
    "zoo_reader": "zoo_reader: report_sources sales requires the permission zoo_reader.report.view, which is unknown; "
    "declare it in app_permissions.",
    "zoo_critical": "zoo_critical: importing addons.zoo_critical.plugin failed: "
    "zoo_critical/plugin.py:3: RuntimeError: no prices today.",
}
PROBLEMS = {
    "zoo_cycle_a": (
        "CYCLE",
        "zoo_cycle_a needs zoo_cycle_b >=1, which is not enabled.",
    ),
    "zoo_missing": ("MISSING", "zoo_missing needs zoo_nowhere >=2, which is not installed."),
    "zoo_core": ("CORE-VERSION", "zoo_core 1.0 supports core >=7,<8, and this is core 0.1.0."),
    "zoo_gone": ("FILES-GONE", "zoo_gone is enabled and its files are not found."),
    "zoo_toml": ("MANIFEST", "zoo/zoo_toml/addon.toml: is not TOML: Expected ']' at the end of a table declaration"),
    "zoo_renamed": (
        "MANIFEST",
        'zoo/zoo_renamed/addon.toml: addon.name "zoo_other": differs from the folder\'s name "zoo_renamed".',
    ),
}


def problems_of(app, name):
    return registry_of(app).plan.problems_of(name)


def assert_shop_is_up(app):
    answer = app.test_client().get("/")
    assert answer.text == "the shop is up"
    configure_mappers()


@pytest.mark.parametrize("name", MESSAGES)
def test_broken_addon_is_quarantined_with_its_sentence(name, built):
    app = built(name, "zoo_sound", "toy_addon")
    (problem,) = problems_of(app, name)
    assert (problem.code, problem.message) == ("QUARANTINED", MESSAGES[name])
    assert problem.remedy == f"Mend {name}, or run `tukku addons disable {name}`; its incident has the details."
    assert registry_of(app).addons == ("toy_addon", "zoo_sound")
    assert_shop_is_up(app)


def test_failed_import_leaves_nothing_behind(built):
    for _ in range(2):
        built("zoo_half", "zoo_relation", "zoo_table", "zoo_backref")
    assert "addons.zoo_half" not in sys.modules
    assert not [t for t in Base.metadata.tables if t.startswith("zoo_") or t == "orders_extra"]
    assert not hasattr(Company, "zoo_rows")
    configure_mappers()


def test_relation_to_nowhere_is_named(built):
    (problem,) = problems_of(built("zoo_relation"), "zoo_relation")
    assert problem.message.startswith("zoo_relation: its models cannot be mapped: ")
    assert "expression 'Compny' failed to locate a name" in problem.message


def test_stranger_must_be_required(built):
    app = built("toy_addon", "zoo_stranger")
    (problem,) = problems_of(app, "zoo_stranger")
    assert problem.message == (
        "zoo_stranger: the foreign key zoo_stranger_row.note_id → toy_addon_note leads to an addon "
        "that its manifest does not require."
    )


@pytest.mark.parametrize("name", [n for n in PROBLEMS if n != "zoo_cycle_a"])
def test_unresolvable_addon_has_its_code(name, built):
    code, message = PROBLEMS[name]
    app = built(name, "zoo_sound")
    (problem,) = problems_of(app, name)
    assert problem.code == code
    assert problem.message.startswith(message)
    assert registry_of(app).addons == ("zoo_sound",)
    assert_shop_is_up(app)


def test_types_in_a_manifest_are_all_named(built):
    messages = [f"{p.message} {p.remedy}" for p in problems_of(built("zoo_types"), "zoo_types")]
    assert messages == [
        "zoo/zoo_types/addon.toml: requires.adons: unknown. Did you mean addons?.",
        'zoo/zoo_types/addon.toml: addon.version 1: not a PEP 440 version. Write for example "1.0.0".',
        "zoo/zoo_types/addon.toml: addon.title true: not a text. Put it in quotes.",
        'zoo/zoo_types/addon.toml: addon.critical "yes": not true or false. Write true or false without quotes.',
        'zoo/zoo_types/addon.toml: requires.core ">=0.1": not a PEP 440 range with an upper bound. '
        'Write for example ">=0.1,<0.2".',
    ]


def test_cycle_shows_the_circle(built):
    plan = registry_of(built("zoo_cycle_a", "zoo_cycle_b", "zoo_sound")).plan
    assert plan.problems_of("zoo_cycle_b")[0].message == (
        "zoo_cycle_b requires itself in a circle: zoo_cycle_a → zoo_cycle_b → zoo_cycle_a."
    )
    assert plan.names == ("zoo_sound",)


def test_version_and_conflict(built):
    plan = registry_of(built("zoo_version", "zoo_conflict", "zoo_sound")).plan
    assert plan.problems_of("zoo_version")[0].message == ("zoo_version needs zoo_sound >=2, which is installed as 1.0.")
    assert plan.problems_of("zoo_conflict")[0].message == (
        "zoo_conflict cannot run together with zoo_sound (Both make the same sound), and both are enabled."
    )


def test_dependents_go_with_the_broken_one(built):
    app = built("zoo_syntax", "zoo_dependent", "zoo_leaf", "zoo_sound")
    plan = registry_of(app).plan
    assert plan.names == ("zoo_sound",)
    assert plan.excluded["zoo_leaf"] == ("zoo_leaf", "zoo_dependent", "zoo_syntax")
    assert plan.problems_of("zoo_leaf")[0].message == (
        "zoo_leaf is left out because zoo_dependent is left out, because of zoo_syntax."
    )


def test_same_name_in_two_places(built):
    twins = discover([FolderSource(TESTS / "zoo"), FolderSource(TESTS / "zoo_twins")])
    app = built("zoo_sound", discovery=twins)
    (problem,) = problems_of(app, "zoo_sound")
    first, second = TESTS / "zoo" / "zoo_sound", TESTS / "zoo_twins" / "zoo_sound"
    assert str(problem) == (
        f"DUPLICATE zoo_sound: zoo_sound was found in {first} and {second}; none of them is used. "
        "Remove or rename all but one."
    )
    assert_shop_is_up(app)


def test_moved_addon_asks_for_a_restart(built, tmp_path: Path):
    built("zoo_sound")
    moved = tmp_path / "zoo_sound"
    moved.mkdir()
    for name in ("addon.toml", "__init__.py", "plugin.py"):
        (moved / name).write_text((TESTS / "zoo" / "zoo_sound" / name).read_text())
    app = built("zoo_sound", discovery=discover([FolderSource(tmp_path)]))
    (problem,) = problems_of(app, "zoo_sound")
    assert problem.message == (
        f"zoo_sound: is loaded from {TESTS / 'zoo' / 'zoo_sound'} and was found in {moved}: "
        "restart the server to use the other one."
    )


def test_disabled_addons_are_never_imported(built):
    for name in list(sys.modules):
        assert not name.startswith("addons.zoo_slow")
    built("zoo_sound")
    assert "addons.zoo_slow" not in sys.modules


def test_whole_zoo_at_once_hurts_nobody(built, zoo):
    names = {f.name for f in zoo.found} - {"zoo_slow", "zoo_version", "zoo_conflict"}
    app = built(*names)
    running = {"zoo_sound", "toy_addon", "toy_bridge", "zoo_batch", "zoo_pending", "zoo_migration", "zoo_page_syntax"}
    assert set(registry_of(app).addons) == running | {"zoo_misplaced", "zoo_package", "zoo_old_package"}
    assert {p.addon for p in errors(registry_of(app).plan.problems)} == names - set(registry_of(app).addons)
    assert_shop_is_up(app)


def test_order_of_discovery_changes_nothing(built, zoo):
    names = ("zoo_sound", "toy_addon", "zoo_batch")
    one = registry_of(built(*names))
    other = registry_of(built(*reversed(names), discovery=type(zoo)(tuple(reversed(zoo.found)), zoo.searched)))
    assert one.addons == other.addons
    assert [c.owner for c in one.contributions("app_mounts")] == [c.owner for c in other.contributions("app_mounts")]


def test_strict_refuses_instead_of_leaving_out(built):
    with pytest.raises(Refused, match=r"zoo_grab: the permission orders.order.place must be named"):
        built("zoo_grab", strict=True)
    with pytest.raises(Refused, match="MISSING zoo_missing: zoo_missing needs zoo_nowhere >=2"):
        built("zoo_missing", strict=True)


def test_safe_mode_loads_none_and_says_so_of_critical_ones(built):
    app = built("zoo_sound", "zoo_critical", safe=True)
    registry = registry_of(app)
    assert registry.addons == ()
    assert [(d.addon, d.reason) for d in registry.degraded] == [("zoo_critical", "Tukku runs in safe mode, without addons.")]


def test_critical_addon_out_by_failure_degrades(built):
    registry = registry_of(built("zoo_critical", "zoo_sound"))
    assert [(d.addon, d.reason) for d in registry.degraded] == [("zoo_critical", MESSAGES["zoo_critical"])]


def test_critical_addon_without_files_degrades_too(built):
    registry = registry_of(built("zoo_gone", critical=["zoo_gone"]))
    assert [d.reason for d in registry.degraded] == ["zoo_gone is enabled and its files are not found."]


def test_sound_set_is_not_degraded(built):
    assert registry_of(built("zoo_sound")).degraded == ()
