"""Mail goes out as a job: the deed never waits for a mail server, and never fails because of one.

With `TUKKU_SMTP_URL` (``smtp://user:password@host:587?starttls=1`` or ``smtps://…``) it is sent; without, it is laid
as a file into the folder ``mail`` of the data directory.
"""

from __future__ import annotations

import base64
import os
import secrets
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from flask import current_app

from core.data import clock
from core.jobs.services import enqueue
from core.settings.services import get

JOB = "jobs.mail"
TIMEOUT = 20  # seconds
_LONGEST_WORD = 60  # characters: in a line of 78 nothing longer can be left as it is


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file sent along: its name, MIME type and bytes."""

    name: str
    type: str
    content: bytes


def send_mail(
    to: str, subject: str, text: str, *, attachments: Sequence[Attachment] = (), locale: str = "en", html: str = ""
) -> None:
    """Put a mail into the outbox; it leaves after the transaction has committed, and again until it succeeded."""
    enqueue(
        JOB,
        {
            "to": to, "subject": " ".join(subject.split()), "text": text, "html": html, "locale": locale,
            "id": secrets.token_hex(16), "at": clock.now().isoformat(),
            "attachments": [
                {"name": a.name, "type": a.type, "content": base64.b64encode(a.content).decode()} for a in attachments
            ],
        },
    )  # fmt: skip


def deliver(payload: dict[str, Any]) -> None:
    """The job: send one mail, or lay it into the folder. Sent twice it has the same Message-ID."""
    message = _message(payload)
    url = os.environ.get("TUKKU_SMTP_URL", "")
    if url:
        _send(message, url)
    else:
        _lay_down(message, payload)


def _reachable(address: str) -> str:
    """Return an address with its domain as the domain name system knows it."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.encode('idna').decode()}" if at and not domain.isascii() else address


class _Policy(EmailPolicy):
    """Keeps subjects as texts: the library would read ``=?utf-8?q?=0D=0A…?=`` in one as an encoded word, and write the
    line end that it means, with the header behind it; and it loses blanks between encoded words of its own."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """Encode a subject; leave all others to the library."""
        return (name, _encoded(value)) if name == "Subject" else super().header_store_parse(name, value)


def _encoded(subject: str) -> str:
    """Return a subject in lines of ASCII, as encoded words where anything in it is more than plain words."""
    plain = subject.isascii() and subject.isprintable() and "=?" not in subject
    if plain and all(len(word) <= _LONGEST_WORD for word in subject.split(" ")):
        return Header(subject, "us-ascii", header_name="Subject").encode()
    return Header(subject, "utf-8", header_name="Subject").encode()


def folder() -> Path:
    """Return the folder into which mail is laid when there is no mail server."""
    return Path(current_app.config["TUKKU_DATA_DIR"]) / "mail"


def _message(payload: dict[str, Any]) -> EmailMessage:
    sender = str(get("jobs", "mail_from"))
    message = EmailMessage(_Policy())
    message["From"] = sender
    message["To"] = Address(addr_spec=_reachable(payload["to"]))
    message["Subject"] = payload["subject"]
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{payload['id']}@{sender.rsplit('@', 1)[-1].strip('>')}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(payload["text"])
    if payload["html"]:
        message.add_alternative(payload["html"], subtype="html")
    for attachment in payload["attachments"]:
        main, _slash, sub = attachment["type"].partition("/")
        content = base64.b64decode(attachment["content"])
        message.add_attachment(content, maintype=main, subtype=sub, filename=attachment["name"])
    message["Content-Language"] = payload["locale"]  # last: content that is set takes such headers out
    return message


def _lay_down(message: EmailMessage, payload: dict[str, Any]) -> None:
    """Write the mail under the name of its writing, so that a job that runs twice leaves one file."""
    target, identity = folder(), payload["id"]
    target.mkdir(parents=True, exist_ok=True)
    scratch = target / f".{identity}"
    scratch.write_bytes(bytes(message))
    scratch.replace(target / f"{datetime.fromisoformat(payload['at']):%Y%m%d-%H%M%S}-{identity[:8]}.eml")


def _send(message: EmailMessage, url: str) -> None:
    parts = urlsplit(url)
    host, secure = parts.hostname or "localhost", parts.scheme == "smtps"
    context = ssl.create_default_context()
    if secure:
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT)
    with server:
        if not secure and parse_qs(parts.query).get("starttls") == ["1"]:
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)
