"""`tukku search`: look after the search index."""

from __future__ import annotations

import click

from core.catalog.search.documents import rebuild
from core.data.write import write


@click.group("search")
def search_group() -> None:
    """Look after the search index."""


@search_group.command("rebuild")
def rebuild_command() -> None:
    """Write the search index anew, after a restore or an upgrade. Example: tukku search rebuild"""
    with write(), click.progressbar(length=1, label="Indexing products") as bar:

        def advance(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        count = rebuild(advance)
    click.echo(f"{count} products are indexed.")
