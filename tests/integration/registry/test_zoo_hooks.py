"""An addon whose hook raises, for every hook that there is: left out at the build, or while serving as the hook says."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.registry.plugins import hook_infos, make_manager
from core.registry.registry import HookFailed
from core.registry.sources import Discovery, FolderSource, discover

from .conftest import TESTS, registry_of
from .test_zoo import assert_shop_is_up

HOOKS = hook_infos(make_manager())
AT_THE_BUILD = [name for name, info in HOOKS.items() if info.kind == "contribute"]
WHILE_SERVING = [name for name, info in HOOKS.items() if info.kind != "contribute"]
MANIFEST = '[addon]\nname = "{0}"\nversion = "1.0"\ntitle = "{0}"\n\n[requires]\ncore = ">=0.1,<0.2"\n'
PLUGIN = '''"""Broken on purpose."""

from core.spec.markers import hookimpl


class Plugin:
    """Raises in one hook."""

    @hookimpl
    def {hook}(self, {arguments}):
        """Raise."""
        raise {error}
'''


@pytest.fixture(scope="module")
def cage(tmp_path_factory: pytest.TempPathFactory) -> Discovery:
    """An addon ``zoo_<hook>`` for each hook, with a sound one beside them."""
    folder = tmp_path_factory.mktemp("cage")
    for hook, info in HOOKS.items():
        write(folder / f"zoo_{hook}", hook, info.arguments, "RuntimeError('the machine is on fire')")
    return discover([FolderSource(folder), FolderSource(TESTS / "zoo")])


def write(addon: Path, hook: str, arguments: tuple[str, ...], error: str) -> None:
    addon.mkdir()
    (addon / "addon.toml").write_text(MANIFEST.format(addon.name))
    (addon / "__init__.py").write_text('"""Broken on purpose."""\n')
    (addon / "plugin.py").write_text(PLUGIN.format(hook=hook, arguments=", ".join(arguments), error=error))


@pytest.mark.parametrize("hook", AT_THE_BUILD)
def test_what_raises_at_the_build_is_left_out_with_its_sentence(hook, built, cage):
    app = built(f"zoo_{hook}", "zoo_sound", discovery=cage)
    (problem,) = registry_of(app).plan.problems_of(f"zoo_{hook}")
    assert (problem.code, problem.message) == (
        "QUARANTINED",
        f"zoo_{hook}: {hook} failed: zoo_{hook}/plugin.py:12: RuntimeError: the machine is on fire.",
    )
    assert registry_of(app).addons == ("zoo_sound",)
    assert_shop_is_up(app)


@pytest.mark.parametrize("hook", WHILE_SERVING)
def test_what_raises_while_serving_is_left_out_or_stops_the_operation(hook, built, cage):
    app = built(f"zoo_{hook}", "zoo_sound", discovery=cage)
    registry, info = registry_of(app), HOOKS[hook]
    arguments = dict.fromkeys(info.arguments)
    if info.on_error == "isolate":
        assert registry.batch(hook, **arguments) == ()
    else:
        assert info.on_error == "fail"
        with pytest.raises(HookFailed) as caught:
            registry.batch(hook, **arguments)
        assert str(caught.value) == (
            f"ADDON-FAILED The operation was stopped because the addon zoo_{hook} failed in {hook}; "
            "nothing was changed. The incident has been recorded for the administrators."
        )
    (failure,) = registry.incidents.take()
    assert (failure.addon, failure.phase, failure.hook) == (f"zoo_{hook}", "request", hook)
    assert failure.message == "the machine is on fire"
    assert_shop_is_up(app)


def test_all_of_them_at_once_hurt_nobody(built, cage):
    app = built("zoo_sound", *(f"zoo_{hook}" for hook in HOOKS), discovery=cage)
    assert set(registry_of(app).addons) == {"zoo_sound", *(f"zoo_{hook}" for hook in WHILE_SERVING)}
    assert_shop_is_up(app)


def test_something_that_is_no_exception_is_caught_too(built, cage, tmp_path):
    write(tmp_path / "zoo_leaves", "ui_nav", (), "SystemExit(3)")
    app = built("zoo_leaves", "zoo_sound", discovery=discover([FolderSource(tmp_path), FolderSource(TESTS / "zoo")]))
    (problem,) = registry_of(app).plan.problems_of("zoo_leaves")
    assert problem.message == "zoo_leaves: ui_nav failed: zoo_leaves/plugin.py:12: SystemExit: 3."
    assert_shop_is_up(app)
