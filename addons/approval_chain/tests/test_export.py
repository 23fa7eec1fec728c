"""What is left to read of the decisions when the addon is uninstalled."""

from __future__ import annotations

from addons.approval_chain.export import files
from addons.approval_chain.tests.test_deciding import say, world
from core.data.scope import acting, system
from core.registry.registry import EXTENSION

__all__ = ["world"]


def test_decisions_are_written_with_who_and_why(world):
    number = world.place(30)
    assert say(world, "bo", number, "approved") == "approved"
    (answers,) = world.app.extensions[EXTENSION].batch("addon_export", only="approval_chain", addon="approval_chain")
    assert [file.name for file in answers[1]] == [file.name for file in files()] == ["decisions"]
    (file,) = answers[1]
    with acting(system("tests")):
        ((order, company, *_tier, by, on_behalf, outcome, comment, at),) = file.rows()
    assert len(file.columns) == 9
    assert (order, company, by, on_behalf, outcome, comment) == (number, "acme", "bo", "", "approved", "because")
    assert at is not None
