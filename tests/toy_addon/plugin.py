"""What the toy contributes."""

import time
from collections.abc import Iterable
from pathlib import Path

import click
from flask import Blueprint
from sqlalchemy import select

from core.api.data import db, write
from core.api.hooks import (
    ApiExtension,
    ApiResource,
    CheckoutRule,
    Command,
    ExportFile,
    Finding,
    Impact,
    JobSpec,
    Mount,
    OrderDraft,
    PageContext,
    Panel,
    Permission,
    Stage,
    Subscriber,
    hookimpl,
)
from core.api.restapi import Schema, resource, text
from core.api.ui import public, requires

from .models import Note

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


def agree(draft: OrderDraft) -> tuple[Finding, ...]:
    """Find nothing wrong."""
    return ()


def note_order(event: dict[str, int]) -> None:
    """Look at an order's number, so that an event without one would fail."""
    assert event["number"]


def write_note(payload: dict[str, str]) -> None:
    """Write a note once, however often the job runs; it stops where a file of the folder ``gates`` says so."""
    with write() as session:
        if session.scalar(select(Note.id).where(Note.text == payload["text"])) is None:
            session.add(Note(text=payload["text"]))
            session.flush()
            _pass(payload, "before-commit")
    _pass(payload, "after-commit")


def _pass(payload: dict[str, str], gate: str) -> None:
    shut = Path(payload["gates"], gate) if "gates" in payload else None
    while shut is not None and shut.exists():
        shut.with_suffix(".reached").touch()
        time.sleep(0.02)


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
    def checkout_rules(self) -> Iterable[CheckoutRule]:
        """Look at every order."""
        return [CheckoutRule("agree", Stage.SUBMIT, agree)]

    @hookimpl
    def app_jobs(self) -> Iterable[JobSpec]:
        """Write notes when told to."""
        return [JobSpec("write", write_note)]

    @hookimpl
    def app_subscribers(self) -> Iterable[Subscriber]:
        """Hear of every order."""
        return [Subscriber("order.submitted", "note", note_order)]

    @hookimpl
    def addon_disable_impact(self, addon: str) -> Iterable[Impact]:
        """Say what is lost."""
        return [Impact("3 notes are no longer shown.", 3, "severe")]

    @hookimpl
    def addon_export(self, addon: str) -> Iterable[ExportFile]:
        """Write the notes for people; the second file fails."""
        return [
            ExportFile("notes", ("note",), lambda: db.session.execute(select(Note.text).order_by(Note.id))),
            ExportFile("broken", ("note",), lambda: 1 / 0),  # type: ignore[arg-type, return-value]
        ]

    @hookimpl
    def api_resources(self) -> Iterable[ApiResource]:
        """Offer notes to programs."""
        return [ApiResource("notes", api)]

    @hookimpl
    def api_extensions(self) -> Iterable[ApiExtension]:
        """Say of companies what the toy knows."""
        return [ApiExtension("company", lambda ids: {i: {"notes": 3} for i in ids})]
