"""`tukku i18n`: extract, update and check the translations of core and of addons."""

from __future__ import annotations

from pathlib import Path

import click

from core.i18n import extract

_ROOT = Path(__file__).resolve().parents[2]


def owners(name: str | None) -> list[tuple[Path, str]]:
    """Return (package folder, domain) of core and the bundled addons, or of one of them."""
    found = [(_ROOT / "core", "core")]
    found += [(p.parent, p.parent.name) for p in sorted((_ROOT / "addons").glob("*/addon.toml"))]
    chosen = [owner for owner in found if name in (None, owner[1])]
    if not chosen:
        raise click.BadParameter(f"there is no {name}; known: {', '.join(domain for _, domain in found)}")
    return chosen


@click.group("i18n")
def i18n() -> None:
    """Translations. Example: tukku i18n check --locale fi"""


@i18n.command("update")
@click.option("-a", "--addon", "name", help="Only this owner (core or an addon).")
def update(name: str | None) -> None:
    """Bring the catalogues up to the code. Example: tukku i18n update -a core"""
    for package, domain in owners(name):
        extract.update(package, domain)
        click.echo(f"{domain}: {', '.join(extract.TARGETS)} updated")


@i18n.command("check")
@click.option("-a", "--addon", "name", help="Only this owner (core or an addon).")
@click.option("--locale", "locales", multiple=True, default=("fi",), show_default=True)
def check(name: str | None, locales: tuple[str, ...]) -> None:
    """List missing translations and wrong placeholders; exit 1 if there are any. Example: tukku i18n check"""
    problems = [
        problem
        for package, domain in owners(name)
        for locale in locales
        for problem in extract.check(package, domain, locale)
    ]
    for problem in problems:
        click.echo(f"{problem.domain} {problem.locale}: {problem.message!r} {problem.what}")
    if problems:
        raise SystemExit(1)
    click.echo("every message is translated")
