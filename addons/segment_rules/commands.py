"""`tukku segment_rules evaluate`."""

from __future__ import annotations

import json

import click

from . import services


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say who would join and leave.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def evaluate(dry_run: bool, as_json: bool) -> None:
    """Evaluate all rules now. Example: tukku segment_rules evaluate --dry-run"""
    outcomes = services.evaluate(dry=dry_run)
    if as_json:
        found = [
            {
                "segment": outcome.code,
                **{
                    name: [
                        {
                            "company": one.buyer.code,
                            "spend": str(one.bought.spend),
                            "orders": one.bought.orders,
                            "share": str(one.bought.share),
                            "failed": list(one.failed),
                        }
                        for one in getattr(outcome, name)
                    ]
                    for name in ("joined", "left", "waiting", "stayed")
                },
            }
            for outcome in outcomes
        ]
        click.echo(json.dumps({"dry_run": dry_run, "segments": found}, indent=2))
        return
    for outcome in outcomes:
        counts = f"{len(outcome.joined)} join, {len(outcome.left)} leave, {len(outcome.waiting)} in grace"
        click.echo(f"{outcome.code}: {counts}, {len(outcome.stayed)} stay.")
        for sign, rows in (("+", outcome.joined), ("-", outcome.left)):
            for one in rows:
                click.echo(f"  {sign} {one.buyer.code}: {one.bought.spend:.2f}, {one.bought.orders} orders")
    if not outcomes:
        click.echo("No segment has an active rule.")
