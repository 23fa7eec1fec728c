"""Characters that no text may hold: named with their place, and how to mend it."""

from __future__ import annotations

import pytest

from core.i18n.characters import checked_text, cleaned, one_line, problem_in, problems_in_json
from core.spec.errors import Invalid

TURNING = (
    "turns the direction of the text, so it would read as something else than it is. Delete it, or type the text again."
)
INVISIBLE = "is invisible and cannot be kept. Delete it, or type the text again."


@pytest.mark.parametrize("code", [*range(0x20), 0x7F, *range(0x80, 0xA0), 0xD800, 0xDFFF, 0xFFFE, 0xFFFF])
def test_controls_halves_and_what_is_no_character_are_named(code):
    said = "" if chr(code) in "\t\n\r" else f"Character 3 (U+{code:04X}) {INVISIBLE}"
    assert problem_in(f"ab{chr(code)}c") == said


@pytest.mark.parametrize("code", [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_what_turns_the_direction_is_named(code):
    assert problem_in(f"{chr(code)}b") == f"Character 1 (U+{code:04X}) {TURNING}"


@pytest.mark.parametrize("text", ["", "åäö ğış łóż", "שלום", "a\u200db", "👩‍🔧", "a\u00adb", "x" * 100_000, "<b>'; --"])
def test_every_other_text_is_kept(text):
    assert problem_in(text) == ""
    assert checked_text(text) == cleaned(text) == text


def test_a_refusal_says_where():
    with pytest.raises(Invalid) as refused:
        checked_text("a\x00", "note\x00")
    assert refused.value.message == f"note: Character 2 (U+0000) {INVISIBLE}"
    assert refused.value.details == {"field": "note"}


def test_one_line_has_spaces_for_its_ends_of_lines():
    assert one_line("Main\r\nstreet\t1\u2028B") == "Main street 1 B"


def test_problems_in_json_have_their_path():
    found = dict(problems_in_json({"rows": [{"name": "a"}, {"name": "b\ud800"}], "x\x00": "c", "n": 1, "t": "d\te"}))
    assert list(found) == [("rows", 1, "name"), (r"'x\x00'",)]
