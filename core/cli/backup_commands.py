"""`tukku backup` and `tukku restore`."""

from __future__ import annotations

from pathlib import Path

import click

from core.cli.context import config_of, failed
from core.data.backup import Manifest
from core.data.backup import backup as make_backup
from core.data.backup import restore as restore_backup
from core.data.backup.archive import fingerprint
from core.data.migrate import CORE, History, addon_history, core_history
from core.runtime.app import find_addons
from core.runtime.config import Config
from core.spec.errors import TukkuError


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write database and stored files to FILE, while the shop goes on. Example: tukku backup monday.tar.gz"""
    config = config_of()
    try:
        made = make_backup(
            config.database_url, config.data_dir, file, _histories(config), secret_key=config.secret_key, say=click.echo
        )
    except TukkuError as error:
        raise failed(error) from error
    size = file.stat().st_size / 1e6
    click.echo(f"{file} is a whole backup: {_content(made)}, {size:.1f} MB. Keep the secret key in another place.")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def restore(file: Path) -> None:
    """Restore FILE into an empty database and data directory. Example: TUKKU_DATA_DIR=new tukku restore monday.tar.gz"""
    config = config_of()
    try:
        found = restore_backup(file, config.database_url, config.data_dir, _histories(config), say=click.echo)
    except TukkuError as error:
        raise failed(error) from error
    click.echo(f"Restored {_content(found)}, as it was at {found.created_at[:19]} UTC.")
    click.echo("Waiting mail and jobs were not run; `tukku jobs list --state failed` shows them.")
    if found.secret_key and found.secret_key != fingerprint(config.secret_key):
        click.echo(
            "The secret key is not the one of the backup: everybody signs in anew, and staff set up "
            "their second factor again. Put the old key into the data directory to avoid that."
        )


def _histories(config: Config) -> dict[str, History]:
    found = {addon.name: addon_history(addon.name, addon.location) for addon in find_addons(config).found}
    return {CORE: core_history(), **found}


def _content(manifest: Manifest) -> str:
    rows = sum(manifest.counts.values())
    return f"{rows} rows in {len(manifest.counts)} tables and {len(manifest.files)} files"
