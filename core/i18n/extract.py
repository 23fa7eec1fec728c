"""Extract messages from code and templates, update the catalogues, and check them.

An owner is ``core`` or an addon; each has its own domain and its own ``translations`` folder beside its code.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from core.version import VERSION

#: English is the language of the source; these need a catalogue.
TARGETS = ("fi", "pl", "tr")
KEYWORDS = {
    "_": None,
    "_l": None,
    "gettext": None,
    "lazy": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a catalogue: where, which message, and what."""

    domain: str
    locale: str
    message: str
    what: str


def catalogue_path(package: Path, domain: str, locale: str) -> Path:
    """Return where the catalogue of ``domain`` in ``locale`` lies."""
    return package / "translations" / locale / "LC_MESSAGES" / f"{domain}.po"


_ONE_FORM = b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n'


def extract(package: Path, domain: str) -> Catalog:
    """Return the messages used in the Python files and templates of ``package``."""
    catalogue = Catalog(domain=domain, project="Tukku", version=VERSION, charset="utf-8")
    methods = [("**/tests/**", "ignore"), ("**.py", "python"), ("**/templates/**.html", "jinja2.ext.babel_extract")]
    for name, line, message, comments, context in extract_from_dir(
        package, methods, keywords=KEYWORDS, options_map={"**/templates/**.html": {"silent": "false"}}
    ):
        catalogue.add(message, None, [(name, line)], auto_comments=comments, context=context)
    for text in _of_manifest(package / "addon.toml"):
        catalogue.add(text, None, [("addon.toml", 1)])
    return catalogue


def _of_manifest(manifest: Path) -> Iterator[str]:
    """Yield what pages show of an addon's manifest."""
    if manifest.is_file():
        addon = tomllib.loads(manifest.read_text("utf-8")).get("addon", {})
        yield from (addon[key] for key in ("title", "summary") if addon.get(key))


def update(package: Path, domain: str, locales: Iterable[str] = TARGETS) -> None:
    """Bring the catalogues up to the code: new messages come in empty, unused ones go."""
    template = extract(package, domain)
    for locale in locales:
        path = catalogue_path(package, domain, locale)
        catalogue = _read(path, locale, domain)
        catalogue.update(template, no_fuzzy_matching=True, update_creation_date=False)
        catalogue.obsolete.clear()
        _write(path, catalogue)


def fill(package: Path, domain: str, locale: str, translations: dict[str, str | tuple[str, ...]]) -> int:
    """Write ``translations`` (message to text, or to plural forms) into a catalogue; returns how many were set."""
    path = catalogue_path(package, domain, locale)
    catalogue = _read(path, locale, domain)
    count = 0
    for message in catalogue:
        key = message.id[0] if isinstance(message.id, list | tuple) else message.id
        if key and key in translations:
            message.string = translations[key]
            count += 1
    _write(path, catalogue)
    return count


def check(package: Path, domain: str, locale: str) -> Iterator[Problem]:
    """Yield what is missing or wrong: untranslated messages and placeholders that differ."""
    catalogue = _read(catalogue_path(package, domain, locale), locale, domain)
    for message in extract(package, domain):
        if message.id:
            yield from _check_message(message, catalogue.get(message.id, message.context), domain, locale)


def _check_message(message: Message, found: Message | None, domain: str, locale: str) -> Iterator[Problem]:
    source = message.id if isinstance(message.id, str) else message.id[0]
    texts = [] if found is None else [found.string] if isinstance(found.string, str) else list(found.string)
    if not texts or not all(texts):
        yield Problem(domain, locale, source, "is not translated")
        return
    wanted = set(_PLACEHOLDER.findall(source)) - {"%(count)d", "%(count)s"}
    for text in texts:
        given = set(_PLACEHOLDER.findall(text)) - {"%(count)d", "%(count)s"}
        if given != wanted:
            yield Problem(domain, locale, source, f"has placeholders {sorted(given)} instead of {sorted(wanted)}")


def _read(path: Path, locale: str, domain: str) -> Catalog:
    if not path.exists():
        new = Catalog(locale=locale, domain=domain, project="Tukku", version=VERSION, charset="utf-8")
        # Babel knows two forms of Turkish nouns; after a numeral there is one
        return read_po(BytesIO(_ONE_FORM), locale=locale, domain=domain) if locale == "tr" else new
    with path.open("rb") as source:
        return read_po(source, locale=locale, domain=domain)


def _write(path: Path, catalogue: Catalog) -> None:
    language = catalogue.locale.english_name if catalogue.locale else "English"
    catalogue.header_comment = f"# {language} texts of {catalogue.domain}.\n#"
    catalogue.fuzzy = False
    catalogue.last_translator = catalogue.language_team = catalogue.msgid_bugs_address = "Tukku"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as target:
        write_po(target, catalogue, width=110, sort_output=True, ignore_obsolete=True, no_location=True)
