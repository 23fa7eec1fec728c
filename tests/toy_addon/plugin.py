"""What the toy contributes."""

from collections.abc import Iterable

import click
from flask import Blueprint

from core.api.hooks import ApiExtension, ApiResource, Command, Impact, Mount, PageContext, Panel, Permission, hookimpl
from core.api.restapi import Schema, resource, text
from core.api.ui import public, requires

bp = Blueprint("toy_addon", __name__)


@bp.get("/hello")
@public("a page for tests")
def hello() -> str:
    """Greet."""
    return "hello from the toy"


@bp.post("/hello")
@public("a page for tests")
def greet() -> str:
    """Greet back."""
    return "greeted"


@bp.get("/secret")
@requires("toy_addon.note.view")
def secret() -> str:
    """Show what only staff may see."""
    return "secret"


@bp.get("/broken")
@public("a page for tests")
def broken() -> str:
    """Fail."""
    raise RuntimeError("the toy broke")


api = resource("toy_addon_notes", __name__, "Notes of the toy.")


class NoteSchema(Schema):
    """A note."""

    text = text(200, required=True)


@api.route("", methods=["POST"])
@requires("toy_addon.note.view")
@api.arguments(NoteSchema)
@api.response(200, NoteSchema)
def note(asked: dict[str, str]) -> dict[str, str]:
    """Say the note again."""
    return asked


@click.command("count")
def count() -> None:
    """Count notes. Example: tukku toy_addon count"""
    click.echo("0 notes")


def load(context: PageContext) -> dict[str, str]:
    """Return the panel's values."""
    return {"text": "a toy panel"}


class Plugin:
    """What the toy contributes."""

    @hookimpl
    def app_mounts(self) -> Iterable[Mount]:
        """Mount the page."""
        return [Mount(bp, "shop")]

    @hookimpl
    def app_permissions(self) -> Iterable[Permission]:
        """Declare who sees notes."""
        return [Permission("toy_addon.note.view", "See notes", ("admin",))]

    @hookimpl
    def app_commands(self) -> Iterable[Command]:
        """Offer a command."""
        return [Command(count)]

    @hookimpl
    def ui_panels(self) -> Iterable[Panel]:
        """Fill a slot of the home page."""
        return [Panel("notes", "storefront.home", "main", "toy_addon/panel.html", load)]

    @hookimpl
    def addon_disable_impact(self, addon: str) -> Iterable[Impact]:
        """Say what is lost."""
        return [Impact("3 notes are no longer shown.", 3, "severe")]

    @hookimpl
    def api_resources(self) -> Iterable[ApiResource]:
        """Offer notes to programs."""
        return [ApiResource("notes", api)]

    @hookimpl
    def api_extensions(self) -> Iterable[ApiExtension]:
        """Say of companies what the toy knows."""
        return [ApiExtension("company", lambda ids: {i: {"notes": 3} for i in ids})]
