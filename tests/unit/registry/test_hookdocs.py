"""docs/hooks.md is what the specifications say."""

from __future__ import annotations

from core.registry.hookdocs import PAGE, page
from core.registry.plugins import hook_infos, make_manager


def test_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m core.registry.hookdocs`"


def test_every_hook_has_policy_and_sentence():
    for info in hook_infos(make_manager()).values():
        assert info.kind in ("contribute", "batch", "notify"), info.name
        assert info.on_error in ("build", "isolate", "fail"), info.name
        assert info.help.endswith("."), info.name
        if info.kind == "contribute":
            assert info.result is not None, info.name
            assert info.arguments == (), info.name
