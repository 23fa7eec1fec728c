"""Commands about people: ``tukku users …``."""

from __future__ import annotations

import json

import click
from sqlalchemy import select

from core.accounts import users
from core.accounts.models import User
from core.accounts.roles import STAFF
from core.accounts.sessions import revoke_all
from core.data.db import db
from core.data.scope import acting, system
from core.spec.errors import TukkuError


@click.group("users")
def users_group() -> None:
    """List people, make the first administrator, stop somebody.

    Example: tukku users create-staff anna@example.com "Anna Admin" --role admin
    """


@users_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_users(as_json: bool) -> None:
    """List everybody with address, name, staff roles and state."""
    rows = [
        {
            "email": user.email,
            "name": user.name,
            "staff_roles": sorted(row.role for row in user.staff_roles),
            "active": user.active,
            "second_factor": bool(user.tf_totp_secret),
        }
        for user in db.session.scalars(select(User).order_by(User.email))
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        state = "" if row["active"] else "  (disabled)"
        click.echo(f"{row['email']:<40} {row['name']:<30} {', '.join(row['staff_roles'])}{state}")


@users_group.command("create-staff")
@click.argument("email")
@click.argument("name")
@click.option("--role", "roles", type=click.Choice(STAFF), multiple=True, required=True, help="May be given several times.")
def create_staff(email: str, name: str, roles: tuple[str, ...]) -> None:
    """Add a member of staff; prints the link by which they choose their password.

    Example: tukku users create-staff anna@example.com "Anna Admin" --role admin
    """
    try:
        with acting(system("tukku users create-staff")):
            _user, link = users.invite_staff(email, name, roles)
    except TukkuError as error:
        raise click.ClickException(str(error.message)) from error
    click.echo(f"{email} chooses a password here, within 14 days:\n{link}")


@users_group.command("disable")
@click.argument("email")
def disable(email: str) -> None:
    """Stop a person at once and end their sessions.

    Example: tukku users disable anna@example.com
    """
    _switch(email, active=False)


@users_group.command("enable")
@click.argument("email")
def enable(email: str) -> None:
    """Let a person sign in again.

    Example: tukku users enable anna@example.com
    """
    _switch(email, active=True)


def _switch(email: str, *, active: bool) -> None:
    with acting(system("tukku users")):
        user = users.find(email)
        if user is None:
            raise click.ClickException(f"There is nobody with the address {email}. See: tukku users list")
        try:
            users.set_active(user, active)
        except TukkuError as error:
            raise click.ClickException(str(error.message)) from error
    click.echo(f"{email} is {'enabled' if active else 'disabled'}.")


@users_group.command("sign-out")
@click.argument("email")
def sign_out(email: str) -> None:
    """End all sessions of a person.

    Example: tukku users sign-out anna@example.com
    """
    with acting(system("tukku users sign-out")):
        user = users.find(email)
        if user is None:
            raise click.ClickException(f"There is nobody with the address {email}. See: tukku users list")
        ended = revoke_all(user.id)
    click.echo(f"{ended} sessions ended.")
