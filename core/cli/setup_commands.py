"""`tukku init`, `serve`, `check`, `upgrade`: setting a deployment up, running it, keeping it current."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import replace

import click

from core.cli.context import REFUSED, config_of, emit, json_option, working
from core.data.db import make_engine
from core.data.migrate import core_history, pending
from core.registry import operations
from core.registry.assembly import Refused
from core.registry.failure import AddonFailed
from core.registry.problems import Problem
from core.runtime.app import bare_app, build_app
from core.runtime.config import Config, create_secret, load_config
from core.runtime.operator import Operator
from core.spec.errors import TukkuError


@click.command("init")
@click.option("--demo", is_flag=True, help="Load the demo merchant, with all bundled addons.")
@click.option("--with", "names", multiple=True, metavar="ADDON", help="Enable this addon; may be repeated.")
@click.option("--seller", default="My company", show_default=True, metavar="NAME", help="The merchant's legal name.")
@click.option("--country", default="FI", show_default=True, help="The merchant's country; gives currency and time zone.")
@click.option("--currency", default="", metavar="EUR", help="Another currency than the country's.")
@click.option("--zone", default="", metavar="ZONE", help="Another time zone than the country's, such as Europe/Madrid.")
def init(demo: bool, names: tuple[str, ...], seller: str, country: str, currency: str, zone: str) -> None:
    """Create data directory, secret key, tables and the seller. May be repeated; what is there stays.

    Example: tukku init --seller "Rautakauppa Oy" --country FI --with pricing_contract
    """
    config = config_of()
    if create_secret(config.data_dir):
        click.echo(f"Created a secret key in {config.data_dir}.")
        config = click.get_current_context().find_root().obj = load_config()
    config.require_secret()
    operator = Operator(config)
    with working(bare_app(config)):
        operations.upgrade_all(operator.discovery, click.echo)
        wanted = names or (_bundled(operator) if demo else ())
        if wanted:
            operations.enable(operator.tools(), wanted, click.echo)
    if demo:
        from core.demo import load_demo

        with working(build_app(config)):
            load_demo(click.echo)
    else:
        _make_seller(config, seller, country, currency, zone)
    _load_seeds(config)
    if not demo:
        click.echo('The first administrator: `tukku users create-staff anna@example.com "Anna Admin" --role admin`.')
        click.echo("What is left to fill in, with the page for each: `tukku check`.")
    click.echo("Ready. `tukku serve` starts the shop.")


def _make_seller(config: Config, name: str, country: str, currency: str, zone: str) -> None:
    """Give a new shop its seller, without whom nothing has a price; one that is there stays as it is."""
    from core.companies.editing import make_seller

    with working(build_app(config)):
        made = make_seller(name, country, currency=currency, zone=zone)
        if made is not None:
            click.echo(f"Made the seller {made.name}: {made.country}, {made.currency}, {made.zone}.")


def _bundled(operator: Operator) -> tuple[str, ...]:
    return tuple(f.name for f in operator.discovery.found if f.source == "bundled" and f.manifest)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, default=None, help="Port to listen on.  [default: PORT, else 8000]")
@click.option("--no-jobs", is_flag=True, help="Leave background work to `tukku worker`.")
def serve(host: str, port: int | None, no_jobs: bool) -> None:
    """Serve the shop until interrupted. Example: tukku serve --port 8080"""
    from core.runtime.serve import serve as run

    config = config_of()
    chosen = port if port is not None else int(os.environ.get("PORT") or 8000)
    if "TUKKU_URL" not in os.environ and config.url == "http://127.0.0.1:8000":
        config = replace(config, url=f"http://127.0.0.1:{chosen}")
    try:
        run(config, host, chosen, jobs=not no_jobs, announce=click.echo)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise click.ClickException(f"Port {chosen} is taken by another program: choose one with --port or PORT.") from error


@click.command("upgrade")
def upgrade() -> None:
    """Bring the tables of core and addons to this version of the code. Example: tukku upgrade"""
    operator = Operator(config_of())
    with working(bare_app(operator.config)):
        operations.upgrade_all(operator.discovery, click.echo)
    _load_seeds(operator.config)


@click.command("seed")
def seed() -> None:
    """Load the reference data of domains and addons again; what people changed stays. Example: tukku seed"""
    _load_seeds(config_of())


def _load_seeds(config: Config) -> None:
    from core.runtime.seeding import load_seeds

    with working(build_app(config)):
        load_seeds(click.echo)


@click.command("check")
@json_option
def check(as_json: bool) -> None:
    """Check configuration, database, addons, and what each finds set up wrongly. Example: tukku check --json

    Ends with 1 where something is out of order; warnings and notes alone end with 0.
    """
    config = config_of()
    problems = list(_problems(config))
    findings = [] if problems else list(_findings(config))
    if as_json:
        emit([*(p.as_dict() for p in problems), *findings])
    for problem in problems if not as_json else ():
        click.echo(str(problem))
    for found in findings if not as_json else ():
        click.echo(f"{found['level']:<8}{found['owner']}: {found['message']}")
        if found["remedy"]:
            click.echo(f"        {found['remedy']}")
    if problems or any(found["level"] == "error" for found in findings):
        raise SystemExit(REFUSED)
    if not as_json and not findings:
        click.echo("Everything is in order.")


def _findings(config: Config) -> Iterator[dict[str, str]]:
    """Yield what the checks of domains and addons find, with the address of the page that mends it."""
    from core.runtime.diagnosis import remedy_of
    from core.ui.findings import check_all

    with working(build_app(config)):
        for checked in check_all():
            for found in checked.findings:
                yield {
                    "code": found.code, "owner": checked.owner, "level": found.level,
                    "message": str(found.message), "remedy": remedy_of(found),
                }  # fmt: skip


def _problems(config: Config) -> Iterator[Problem]:
    try:
        config.require_secret()
        engine = make_engine(config.database_url)
        if pending(engine, core_history()):
            yield Problem("UPGRADE-PENDING", "core", "Core's tables are behind its code.", "Run `tukku upgrade`.")
            return
        build_app(replace(config, strict_addons=True))
    except Refused as refused:
        yield from refused.problems
    except AddonFailed as failure:
        yield failure.of_core()
    except TukkuError as error:
        yield Problem(error.code, "core", str(error.message), "")
