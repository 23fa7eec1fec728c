"""The Finnish and Turkish catalogues are complete and keep the placeholders; the texts reach their reader."""

from __future__ import annotations

from collections.abc import Iterator
from gettext import c2py
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.pofile import read_po
from flask import Flask

from core.cli.i18n_commands import owners
from core.i18n import _, ngettext, spoken, translations
from core.i18n.extract import TARGETS, Problem, catalogue_path, check, fill, update

#: Languages in which every message has to have its text; the others may lag behind.
COMPLETE = ("fi", "tr")
OWNERS = [pytest.param(*owner, id=owner[1]) for owner in owners(None)]


@pytest.fixture
def finnish() -> Iterator[None]:
    """The request of a browser that asks for Finnish."""
    with Flask("shop").test_request_context(headers={"Accept-Language": "fi-FI,fi;q=0.9,en;q=0.5"}):
        yield


@pytest.fixture
def package(tmp_path: Path) -> Path:
    code = '_("Add %(name)s")\nngettext("%(count)s row", "%(count)s rows", 2)\n'
    (tmp_path / "words.py").write_text(code, encoding="utf-8")
    update(tmp_path, "words", locales=("fi",))
    return tmp_path


@pytest.mark.parametrize("locale", COMPLETE)
@pytest.mark.parametrize(("folder", "domain"), OWNERS)
def test_every_message_has_its_text_and_placeholders(folder: Path, domain: str, locale: str) -> None:
    problems = [f"{problem.message!r} {problem.what}" for problem in check(folder, domain, locale)]
    assert not problems, "\n".join([f"{domain} {locale}: run `tukku i18n update`, then translate", *problems])


@pytest.mark.parametrize("locale", TARGETS)
@pytest.mark.parametrize(("folder", "domain"), OWNERS)
def test_plural_forms_are_those_of_the_language(folder: Path, domain: str, locale: str) -> None:
    """Numbers that the language treats alike share a form: what Babel writes for a language changes with its version."""
    path = catalogue_path(folder, domain, locale)
    if path.exists():
        found, language = read_po(path.open("rb")), Locale.parse(locale)
        form, forms = c2py(found.plural_expr), {}
        for number in range(201):
            forms.setdefault(language.plural_form(number), set()).add(form(number))
        assert all(len(shared) == 1 for shared in forms.values())
        assert {number for shared in forms.values() for number in shared} == set(range(found.num_plurals))
        # a noun after a numeral stays in the singular in Turkish, so one form serves
        assert found.num_plurals == (1 if locale == "tr" else len(forms))


def test_thousands_in_a_sentence_are_set_apart_as_the_language_does(finnish: None) -> None:
    assert ngettext("%(count)s product", "%(count)s products", 999).startswith("999 ")
    assert ngettext("%(count)s product", "%(count)s products", 1192).startswith("1\u00a0192 ")


def test_a_missing_text_and_a_lost_placeholder_are_named(package: Path) -> None:
    assert fill(package, "words", "fi", {"Add %(name)s": "Lisää"}) == 1
    lost = Problem("words", "fi", "Add %(name)s", "has placeholders [] instead of ['%(name)s']")
    missing = Problem("words", "fi", "%(count)s row", "is not translated")
    assert list(check(package, "words", "fi")) == [lost, missing]


def test_an_update_keeps_texts_and_drops_what_the_code_no_longer_says(package: Path) -> None:
    fill(package, "words", "fi", {"Add %(name)s": "Lisää %(name)s", "%(count)s row": ("%(count)s rivi", "%(count)s riviä")})
    (package / "words.py").write_text('_("Add %(name)s")\n', encoding="utf-8")
    update(package, "words", locales=("fi",))
    text = catalogue_path(package, "words", "fi").read_text(encoding="utf-8")
    assert "Lisää %(name)s" in text
    assert "riviä" not in text
    assert list(check(package, "words", "fi")) == []


@pytest.mark.usefixtures("finnish")
def test_a_finnish_reader_sees_finnish() -> None:
    assert _("Add to cart") == "Lisää ostoskoriin"
    assert ngettext("%(count)s product", "%(count)s products", 1) == "1 tuote"
    assert ngettext("%(count)s product", "%(count)s products", 5) == "5 tuotetta"


@pytest.mark.usefixtures("finnish")
def test_an_addon_has_its_own_texts_and_falls_back_to_those_of_core() -> None:
    texts = translations("addons.pricing_contract.views")
    assert texts.gettext("Contract prices") == "Sopimushinnat"
    assert texts.gettext("Add to cart") == "Lisää ostoskoriin"


def test_only_languages_with_texts_are_offered() -> None:
    assert {"en", *COMPLETE} <= set(spoken()) <= {"en", *TARGETS}
    assert all(catalogue_path(OWNERS[0].values[0], "core", code).exists() for code in spoken() if code != "en")


def test_a_new_turkish_catalogue_has_one_form(package: Path) -> None:
    update(package, "words", locales=("tr",))
    with catalogue_path(package, "words", "tr").open("rb") as source:
        assert read_po(source).num_plurals == 1
