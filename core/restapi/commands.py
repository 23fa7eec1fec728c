"""`tukku api-keys`: keys for programs, from the command line."""

from __future__ import annotations

import json
from typing import Any

import click
from sqlalchemy import select

from core.companies.models import Company
from core.data.db import db
from core.restapi import keys
from core.restapi.models import ApiKey
from core.spec.errors import NotFound


@click.group("api-keys")
def keys_group() -> None:
    """See, make and revoke keys of the REST API. Example: tukku api-keys list"""


@keys_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def list_(as_json: bool) -> None:
    """List the keys, newest first. Example: tukku api-keys list --json"""
    codes = {c.id: c.code for c in db.session.execute(select(Company.id, Company.code))}
    rows = [_plain(key, codes.get(key.company_id or 0, "")) for key, _name in keys.listed()]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        used = row["last_used_at"][:16] or "never used"
        where = row["company"] or "(merchant)"
        line = f"{row['code']}  {row['state']:<8} {where:<20} until {row['expires_at'][:10]}  {used:<16}  {row['name']}"
        click.echo(line)
    if not rows:
        click.echo("There is no key yet.")


@keys_group.command("create")
@click.argument("name")
@click.option(
    "--company", default="", help="The code of the company whose data it opens; the merchant's whole data without it."
)
@click.option("--permission", "permissions", multiple=True, help="What it may do; again for more. Without: all there is.")
@click.option("--days", type=click.IntRange(1, keys.LONGEST), default=365, show_default=True, help="How long it works.")
def create(name: str, company: str, permissions: tuple[str, ...], days: int) -> None:
    """Make a key and show it, this once.

    Example: tukku api-keys create "ERP of Konepaja" --company KONEPAJA --permission orders.order.place
    """
    company_id = None
    if company:
        company_id = db.session.scalar(select(Company.id).where(Company.code == company))
        if company_id is None:
            raise NotFound("COMPANY-UNKNOWN", f"There is no company {company}.")
    made = keys.create(name, permissions or keys.offered(company_id), company_id=company_id, days=days)
    click.echo(made.secret)
    click.echo(f"Keep it safe: it is not shown again. It ends on {made.key.expires_at:%Y-%m-%d}.", err=True)


@keys_group.command("revoke")
@click.argument("code")
def revoke(code: str) -> None:
    """End a key at once, by its code. Example: tukku api-keys revoke 0f3a9c1b2d"""
    key = keys.revoke(code)
    click.echo(f"The key {key.code} ({key.name}) works no more.")


def _plain(key: ApiKey, company: str) -> dict[str, Any]:
    return {
        "code": key.code,
        "name": key.name,
        "state": keys.state(key),
        "company": company,
        "permissions": key.permissions,
        "created_by": key.created_by,
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat(),
        "last_used_at": key.last_used_at.isoformat() if key.last_used_at else "",
    }
