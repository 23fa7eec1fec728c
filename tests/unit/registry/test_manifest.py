"""addon.toml: every fault is named with file, key, value, expectation and fix."""

from pathlib import Path

import pytest

from core.registry.manifest import ManifestInvalid, parse_manifest, read_manifest

GOOD = """
[addon]
name = "credit_terms"
version = "0.3.0"
title = "Credit terms"
critical = true
authors = ["Aino", "Bela"]

[requires]
core = ">=0.1,<0.2"
packages = ["openpyxl>=3.1"]

[requires.addons]
approval_chain = ">=0.2"

[optional.addons]
reports = ">=0.1"

[conflicts]
addons = ["prepaid_only"]
reason = "Both decide who may buy on account."

[entry]
plugin = "plugin:CreditTerms"
"""


def faults_of(text: str) -> list[str]:
    with pytest.raises(ManifestInvalid) as caught:
        parse_manifest(text, "addons/x/addon.toml")
    return [str(f) for f in caught.value.faults]


def changed(old: str, new: str) -> list[str]:
    assert old in GOOD
    return faults_of(GOOD.replace(old, new))


def test_good_manifest_is_read_whole():
    manifest = parse_manifest(GOOD, "addons/credit_terms/addon.toml")
    assert manifest.name == "credit_terms"
    assert manifest.critical is True
    assert manifest.authors == ("Aino", "Bela")
    assert dict(manifest.requires_addons) == {"approval_chain": ">=0.2"}
    assert dict(manifest.optional_addons) == {"reports": ">=0.1"}
    assert manifest.conflicts == ("prepaid_only",)
    assert manifest.entry == "plugin:CreditTerms"


def test_small_manifest_has_defaults():
    text = '[addon]\nname="abc"\nversion="1"\ntitle="A"\n[requires]\ncore="<1"\n'
    manifest = parse_manifest(text, "x")
    assert manifest.entry == "plugin:Plugin"
    assert dict(manifest.requires_addons) == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'core = ">=0.1,<0.2"',
            'core = ">0.4"',
            'addons/x/addon.toml: requires.core ">0.4": not a PEP 440 range with an upper bound; '
            'write for example ">=0.1,<0.2"',
        ),
        (
            'version = "0.3.0"',
            'version = "new"',
            'addons/x/addon.toml: addon.version "new": not a PEP 440 version; write for example "1.0.0"',
        ),
        (
            "critical = true",
            'critical = "yes"',
            'addons/x/addon.toml: addon.critical "yes": not true or false; write true or false without quotes',
        ),
        (
            'name = "credit_terms"',
            'name = "Credit-Terms"',
            'addons/x/addon.toml: addon.name "Credit-Terms": not 3 to 30 small letters, digits and '
            "underscores that begin with a letter; rename the addon",
        ),
        (
            'name = "credit_terms"',
            'name = "orders"',
            'addons/x/addon.toml: addon.name "orders": a name that core uses itself; choose another name',
        ),
        (
            'title = "Credit terms"',
            "title = 3",
            "addons/x/addon.toml: addon.title 3: not a text; put it in quotes",
        ),
        (
            'title = "Credit terms"',
            'titel = "Credit terms"',
            "addons/x/addon.toml: addon.titel: unknown; did you mean title?",
        ),
        ("[conflicts]", "[conflict]", "addons/x/addon.toml: [conflict]: unknown; did you mean conflicts?"),
        (
            'approval_chain = ">=0.2"',
            'approval_chain = "two"',
            "addons/x/addon.toml: requires.addons {'approval_chain': 'two'}: not a table of addon names and "
            'PEP 440 ranges; write for example reports = ">=0.1"',
        ),
        (
            'approval_chain = ">=0.2"',
            'credit_terms = ">=0.2"',
            'addons/x/addon.toml: requires.addons "credit_terms": names the addon itself; remove it',
        ),
        (
            '["openpyxl>=3.1"]',
            '["open pyxl!"]',
            "addons/x/addon.toml: requires.packages ['open pyxl!']: not a list of PEP 508 requirements; "
            'write for example ["lxml>=5"]',
        ),
        (
            '"plugin:CreditTerms"',
            '"CreditTerms"',
            'addons/x/addon.toml: entry.plugin "CreditTerms": not "module:Class"; write for example "plugin:CreditTerms"',
        ),
        (
            'authors = ["Aino", "Bela"]',
            'authors = "Aino"',
            'addons/x/addon.toml: addon.authors "Aino": not a list of texts; write for example ["one", "two"]',
        ),
    ],
)
def test_one_wrong_value_gives_its_sentence(old, new, message):
    assert message in changed(old, new)


def test_all_faults_come_at_once():
    messages = faults_of('[addon]\nversion = "x"\n')
    assert messages == [
        "addons/x/addon.toml: addon.name: missing; add name under [addon]",
        'addons/x/addon.toml: addon.version "x": not a PEP 440 version; write for example "1.0.0"',
        "addons/x/addon.toml: addon.title: missing; add title under [addon]",
        "addons/x/addon.toml: requires.core: missing; add core under [requires]",
    ]


def test_table_that_is_a_value_is_named():
    assert "addons/x/addon.toml: addon 3: not a table; write [addon] on a line of its own" in faults_of("addon = 3")


def test_broken_toml_says_where():
    (message,) = faults_of("[addon\n")
    assert message.startswith("addons/x/addon.toml: is not TOML: Expected ']'")
    assert message.endswith("; correct the syntax")


def test_folder_and_name_must_agree(tmp_path: Path):
    folder = tmp_path / "other_name"
    folder.mkdir()
    (folder / "addon.toml").write_text(GOOD)
    with pytest.raises(ManifestInvalid) as caught:
        read_manifest(folder)
    assert str(caught.value).endswith(
        'other_name/addon.toml: addon.name "credit_terms": differs from the folder\'s name "other_name"; '
        "rename one of the two"
    )


def test_latin1_is_refused_with_the_byte(tmp_path: Path):
    folder = tmp_path / "latin"
    folder.mkdir()
    (folder / "addon.toml").write_bytes(b'[addon]\ntitle = "\xe4"\n')
    with pytest.raises(ManifestInvalid) as caught:
        read_manifest(folder)
    assert "latin/addon.toml: is not UTF-8 (byte 17); save it as UTF-8" in str(caught.value)
