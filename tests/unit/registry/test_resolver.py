"""The resolver: every sentence, and properties over random sets of addons."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.registry.manifest import Manifest
from core.registry.problems import CODES, Problem, errors
from core.registry.resolver import resolve
from core.registry.sources import Found

CORE = "0.1.0"


def make(name, version="1.0", place="addons", **fields):
    fields.setdefault("requires_core", ">=0.1,<0.2")
    manifest = Manifest(name=name, version=version, title=name, **fields)
    return Found(name, Path(f"/{place}/{name}"), f"addons.{name}", "bundled", manifest)


def texts(plan):
    return [f"{p.code} {p.message} {p.remedy}" for p in plan.problems]


def test_order_is_depth_then_name():
    found = [
        make("credit", requires_addons={"zebra": ""}),
        make("zebra"),
        make("apple", optional_addons={"credit": ""}),
        make("mango"),
    ]
    plan = resolve(found, {f.name for f in found}, CORE)
    assert plan.names == ("mango", "zebra", "credit", "apple")
    assert plan.bridges == (("apple", "credit"),)
    assert plan.problems == ()


def test_disabled_addons_are_left_alone():
    plan = resolve([make("alpha"), make("beta", requires_core="<0.1")], {"alpha"}, CORE)
    assert plan.names == ("alpha",)
    assert plan.problems == ()


def test_missing():
    plan = resolve([make("credit", requires_addons={"approval": ">=0.2"})], {"credit"}, CORE)
    assert texts(plan) == [
        "MISSING credit needs approval >=0.2, which is not installed. Install approval, or disable credit."
    ]


def test_disabled_dependency():
    plan = resolve([make("credit", requires_addons={"approval": ""}), make("approval")], {"credit"}, CORE)
    assert texts(plan) == [
        "DISABLED-DEP credit needs approval, which is not enabled. "
        "Enable approval with `tukku addons enable approval`, or disable credit."
    ]


def test_version():
    found = [make("credit", requires_addons={"approval": ">=2"}), make("approval")]
    plan = resolve(found, {"credit", "approval"}, CORE)
    assert texts(plan) == [
        "VERSION credit needs approval >=2, which is installed as 1.0. "
        "Install a version of approval in that range, or disable credit."
    ]
    assert plan.names == ("approval",)


def test_core_version():
    plan = resolve([make("credit", requires_core=">=0.4,<0.5")], {"credit"}, CORE)
    assert texts(plan) == [
        "CORE-VERSION credit 1.0 supports core >=0.4,<0.5, and this is core 0.1.0. "
        "Install a version of credit for this core, or disable it."
    ]


def test_conflict_excludes_the_one_that_declares_it():
    found = [
        make("credit", conflicts=("prepaid",), conflicts_reason="Both decide who may buy."),
        make("prepaid"),
    ]
    plan = resolve(found, {"credit", "prepaid"}, CORE)
    assert texts(plan) == [
        "CONFLICT credit cannot run together with prepaid (Both decide who may buy), and both are enabled. "
        "Disable credit or prepaid."
    ]
    assert plan.names == ("prepaid",)


def test_cycle_shows_the_path():
    found = [
        make("aaa", requires_addons={"bbb": ""}),
        make("bbb", requires_addons={"ccc": ""}),
        make("ccc", requires_addons={"aaa": ""}),
        make("ddd", requires_addons={"aaa": ""}),
    ]
    plan = resolve(found, {f.name for f in found}, CORE)
    assert texts(plan)[0] == (
        "CYCLE aaa requires itself in a circle: aaa → bbb → ccc → aaa. "
        "Disable one of them, or ask the authors to make one dependency optional."
    )
    assert plan.excluded["ddd"] == ("ddd", "aaa")
    assert plan.names == ()


def test_duplicate_names_both_places():
    plan = resolve([make("alpha", place="one"), make("alpha", place="two")], {"alpha"}, CORE)
    assert texts(plan) == [
        "DUPLICATE alpha was found in /one/alpha and /two/alpha; none of them is used. Remove or rename all but one."
    ]


def test_files_gone():
    assert texts(resolve([], {"alpha"}, CORE)) == [
        "FILES-GONE alpha is enabled and its files are not found. Put the files back "
        "(`tukku addons paths` shows the places), or run `tukku addons disable alpha`."
    ]


def test_manifest_problem_is_passed_on():
    problem = Problem("MANIFEST", "alpha", "alpha/addon.toml: is not TOML.", "Correct the syntax.")
    broken = Found("alpha", Path("/addons/alpha"), "addons.alpha", "bundled", None, (problem,))
    plan = resolve([broken], {"alpha"}, CORE)
    assert plan.problems == (problem,)
    assert dict(plan.excluded) == {"alpha": ("alpha",)}


def test_cascade_keeps_the_chain_to_the_root():
    found = [
        make("aaa", requires_core="<0.1"),
        make("bbb", requires_addons={"aaa": ""}),
        make("ccc", requires_addons={"bbb": ""}),
    ]
    plan = resolve(found, {"aaa", "bbb", "ccc"}, CORE)
    assert plan.excluded["ccc"] == ("ccc", "bbb", "aaa")
    assert texts(plan)[1:] == [
        "BLOCKED bbb is left out because aaa is left out. Mend aaa first.",
        "BLOCKED ccc is left out because bbb is left out, because of aaa. Mend aaa first.",
    ]


def test_fault_from_outside_excludes():
    fault = Problem("QUARANTINED", "aaa", "aaa failed.", "Look at the incident.")
    plan = resolve([make("aaa"), make("bbb", requires_addons={"aaa": ""})], {"aaa", "bbb"}, CORE, {"aaa": fault})
    assert [p.code for p in plan.problems] == ["QUARANTINED", "BLOCKED"]
    assert plan.names == ()


def test_optional_with_wrong_version_is_a_notice():
    plan = resolve([make("aaa", optional_addons={"bbb": ">=2"}), make("bbb")], {"aaa", "bbb"}, CORE)
    assert texts(plan) == [
        "VERSION aaa can use bbb >=2, and bbb 1.0 is installed: their bridge stays off. "
        "Install a version of bbb in that range to use both together."
    ]
    assert errors(plan.problems) == ()
    assert plan.names == ("aaa", "bbb")


def test_optional_circle_is_cut_with_a_notice():
    found = [make("aaa", optional_addons={"bbb": ""}), make("bbb", optional_addons={"aaa": ""})]
    plan = resolve(found, {"aaa", "bbb"}, CORE)
    assert plan.names == ("bbb", "aaa")
    assert plan.bridges == (("aaa", "bbb"), ("bbb", "aaa"))
    assert texts(plan) == [
        "SOFT-CYCLE bbb is loaded before aaa, although it may use it, since aaa comes after bbb. "
        "Nothing to do: both run, and their bridge is on."
    ]


def test_all_problems_come_at_once():
    found = [
        make("aaa", requires_core="<0.1"),
        make("bbb", requires_addons={"zzz": ""}),
        make("ccc", conflicts=("aaa",)),
    ]
    plan = resolve(found, {"aaa", "bbb", "ccc", "gone"}, CORE)
    assert [p.code for p in plan.problems] == ["CORE-VERSION", "MISSING", "CONFLICT", "FILES-GONE"]


NAMES = [f"addon_{c}" for c in "abcdefg"]


@st.composite
def worlds(draw):
    found = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        others = [n for n in NAMES if n != name]
        ranges = st.sampled_from(["", ">=1", ">=2"])
        found.append(
            make(
                name,
                version=draw(st.sampled_from(["1.0", "2.1"])),
                requires_core=draw(st.sampled_from([">=0.1,<0.2", ">=0.1,<0.2", ">=0.4,<0.5"])),
                requires_addons=draw(st.dictionaries(st.sampled_from(others), ranges, max_size=2)),
                optional_addons=draw(st.dictionaries(st.sampled_from(others), ranges, max_size=2)),
                conflicts=tuple(draw(st.lists(st.sampled_from(others), max_size=1))),
            )
        )
    if found and draw(st.booleans()):
        found.append(make(found[0].name, place="twin"))
    return found, frozenset(draw(st.sets(st.sampled_from(NAMES))))


@given(worlds())
def test_every_enabled_addon_runs_or_is_explained(world):
    found, enabled = world
    plan = resolve(found, enabled, CORE)
    assert set(plan.names) | set(plan.excluded) == enabled
    assert not set(plan.names) & set(plan.excluded)
    explained = {p.addon for p in errors(plan.problems)}
    assert explained == set(plan.excluded)
    for problem in plan.problems:
        assert problem.code in CODES
        assert problem.message.endswith(".")
        assert problem.remedy.endswith(".")


@given(worlds())
def test_dependencies_run_before_their_dependents(world):
    found, enabled = world
    plan = resolve(found, enabled, CORE)
    position = {name: i for i, name in enumerate(plan.names)}
    for find in plan.order:
        for other in find.manifest.requires_addons:
            assert position[other] < position[find.name]
        assert not any(c in position for c in find.manifest.conflicts)


@given(worlds(), st.randoms())
def test_order_of_discovery_never_matters(world, random):
    found, enabled = world
    shuffled = found[:]
    random.shuffle(shuffled)
    assert resolve(found, enabled, CORE) == resolve(shuffled, enabled, CORE)


@given(worlds())
def test_chains_end_at_an_own_problem(world):
    found, enabled = world
    plan = resolve(found, enabled, CORE)
    blocked = {p.addon for p in plan.problems if p.code == "BLOCKED"}
    for name, chain in plan.excluded.items():
        assert chain[0] == name
        assert chain[-1] not in blocked
        assert (name in blocked) == (len(chain) > 1)
