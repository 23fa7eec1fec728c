"""`tukku addons migration` writes what the models say and the migrations do not make, and tries it."""

from __future__ import annotations

import itertools
import re

import pytest
from click.testing import CliRunner

from core.cli.main import main

_numbers = itertools.count()


@pytest.fixture
def addon(tmp_path):
    """The folder of an addon with a table; under a name of its own, since a process imports an addon once."""
    name = f"revised_{next(_numbers)}"
    tukku(tmp_path, "addons", "new", name, "--with", "models", "--into", str(tmp_path))
    return tmp_path / name


def tukku(folder, *words, code=0):
    environ = {"TUKKU_DATA_DIR": str(folder / "data"), "TUKKU_ADDON_PATHS": str(folder)}
    result = CliRunner().invoke(main, list(words), env=environ)
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return result.output


def change(addon, *pairs):
    models = addon / "models.py"
    text = models.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    models.write_text(text)


COLOUR = "    text: Mapped[str] = mapped_column(String(200))\n"


def test_without_a_difference_nothing_is_written(addon):
    said = tukku(addon.parent, "addons", "migration", addon.name, code=1)
    assert f"The migrations of {addon.name} make what its models say: there is nothing to write." in said


def test_next_migration_is_written_tried_and_taken(addon):
    change(addon, (COLOUR, COLOUR + "    colour: Mapped[str | None] = mapped_column(String(20), index=True)\n"))
    said = tukku(addon.parent, "addons", "migration", str(addon), "-m", "Add a colour")
    path = addon / "migrations" / "versions" / "0002_add_a_colour.py"
    assert "0002_add_a_colour.py is written; up, down and up again work on a scratch database." in said
    text = path.read_text()
    assert text.startswith('"""Add a colour."""')
    assert f'revision = "{addon.name}_0002"\ndown_revision = "{addon.name}_0001"' in text
    assert "from core.data" not in text
    assert not re.search("# ###", text)
    tukku(addon.parent, "init")
    tukku(addon.parent, "addons", "enable", addon.name)
    said = tukku(addon.parent, "addons", "check", str(addon), "--read-only")
    assert "no problems" in said
    assert "nothing to write" in tukku(addon.parent, "addons", "migration", addon.name, code=1)


def test_first_migration_is_written_where_there_is_none(addon):
    (addon / "migrations" / "versions" / "0001_initial.py").unlink()
    tukku(addon.parent, "addons", "migration", addon.name)
    text = (addon / "migrations" / "versions" / "0001_initial.py").read_text()
    assert "down_revision = None" in text
    assert "types.Instant()" in text


def test_a_column_that_rows_lack_is_refused(addon):
    change(addon, (COLOUR, COLOUR + "    weight: Mapped[int]\n"))
    said = tukku(addon.parent, "addons", "migration", addon.name, code=1)
    assert f"The new column {addon.name}_note.weight may not be empty, and rows that are there have no value for it" in said
    assert len(list((addon / "migrations" / "versions").glob("*.py"))) == 1


def test_the_types_of_columns_are_compared(addon):
    change(addon, ("mapped_column(String(200))", "mapped_column(String(40))"))
    said = tukku(addon.parent, "addons", "migration", addon.name, "-m", "Shorten notes")
    assert (
        f"It makes the column {addon.name}_note.text VARCHAR(40), which was VARCHAR(200): "
        "values that do not fit stop it, or are cut."
    ) in said
    text = (addon / "migrations" / "versions" / "0002_shorten_notes.py").read_text()
    assert re.search(r"type_=sa\.String\(length=40\)", text)
    assert re.search(r"type_=sa\.(VARCHAR|String)\(length=200\)", text), "the way back"
    assert "nothing to write" in tukku(addon.parent, "addons", "migration", addon.name, code=1)


def test_a_column_becomes_one_of_cores_types(addon):
    change(addon, ("text: Mapped[str] = mapped_column(String(200))", "text: Mapped[Decimal] = mapped_column(Amount)"))
    change(addon, ("from core.api.data import ", "from decimal import Decimal\n\nfrom core.api.data import Amount, "))
    said = tukku(addon.parent, "addons", "migration", addon.name)
    assert f"It makes the column {addon.name}_note.text Amount, which was VARCHAR(200)" in said
    assert "type_=types.Amount()" in (addon / "migrations" / "versions" / "0002_change.py").read_text()


def test_what_is_lost_is_said(addon):
    change(addon, (COLOUR, ""))
    said = tukku(addon.parent, "addons", "migration", addon.name)
    assert f"It removes the column {addon.name}_note.text with its values." in said


def test_broken_models_and_unknown_names_are_said(addon):
    change(addon, ("from datetime", "from datetim"))
    assert "No module named 'datetim'" in tukku(addon.parent, "addons", "migration", addon.name, code=1)
    assert "There is no addon nobody." in tukku(addon.parent, "addons", "migration", "nobody", code=1)
