"""Mail: written with the deed, laid into a folder or handed to a server, never the reason why a deed fails."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from email.header import decode_header, make_header

import pytest

from core.data.write import write
from core.jobs import mail
from core.jobs.mail import Attachment, send_mail
from core.jobs.plugin import Plugin
from core.jobs.runner import run_due
from core.jobs.services import newest
from core.testing.registries import give_registry


@pytest.fixture
def shop(data_app):
    plugin = Plugin()
    give_registry(
        data_app,
        {"app_jobs": [("jobs", j) for j in plugin.app_jobs()], "app_settings": [("jobs", s) for s in plugin.app_settings()]},
        domains=("jobs",),
    )
    return data_app


def _laid():
    files = sorted(mail.folder().glob("*.eml")) if mail.folder().exists() else []
    return [email.message_from_bytes(f.read_bytes(), policy=email.policy.default) for f in files]


def test_a_mail_lies_in_the_folder_after_its_transaction(shop):
    pdf = Attachment("Tilaus 1.pdf", "application/pdf", b"%PDF-1.7")
    with write():
        send_mail("anna@acme.example", "Tilauksenne ääkkösin", "Kiitos!\n", attachments=[pdf], locale="fi")
        assert _laid() == []
    run_due(shop)
    (message,) = _laid()
    assert message["To"] == "anna@acme.example"
    assert message["Subject"] == "Tilauksenne ääkkösin"
    assert message.get_body().get_content() == "Kiitos!\n"
    (attachment,) = message.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == ("Tilaus 1.pdf", b"%PDF-1.7")


def test_a_mail_of_a_deed_that_failed_is_never_sent(shop):
    with pytest.raises(ZeroDivisionError), write():
        send_mail("anna@acme.example", "x", "y")
        1 / 0  # noqa: B018
    run_due(shop)
    assert _laid() == []


def test_a_subject_cannot_add_headers(shop):
    send_mail("anna@acme.example", "Hello\r\nBcc: evil@example.com", "text")
    run_due(shop)
    (message,) = _laid()
    assert message["Bcc"] is None
    assert message["Subject"] == "Hello Bcc: evil@example.com"


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?A=0D=0ABcc:_evil@example.com?=",
        "Siparişiniz onay bekliyor: 12.345,67 € İğüşöç Çelik Sanayi ve Ticaret Anonim Şirketi",
        "Zażółć gęślą jaźń " * 20 + "koniec",
        "Budget of 4200-ASSEMBLY: used up this month, and more words than one line of a header takes",
        "<script>" + "x" * 1200,
        "ä" * 300,
        "a\x01b\x7fc",
        "",
    ],
)
@pytest.mark.database("sqlite")
def test_a_subject_arrives_as_it_was_written(shop, subject):
    send_mail("anna@acme.example", subject, "text", locale="tr")
    run_due(shop)
    (message,) = _laid()
    assert message["Subject"] == subject or "=?" in subject
    assert message["Bcc"] is None
    assert message["Content-Language"] == "tr"
    (file,) = mail.folder().glob("*.eml")
    lines = file.read_bytes().split(b"\n\n")[0].split(b"\n")
    assert max(len(line) for line in lines) <= 78
    raw = b"\n".join(lines).decode("ascii")
    words = "".join(raw.partition("Subject: ")[2].partition("\nDate:")[0].splitlines())
    assert str(make_header(decode_header(words))) == subject


@pytest.mark.parametrize("to", ["two@a.example, three@b.example", "no address", "a@b.example\nBcc: x@y.example"])
@pytest.mark.database("sqlite")
def test_an_address_that_is_none_fails_as_a_job_and_sends_nothing(shop, to):
    send_mail(to, "x", "y")
    run_due(shop)
    assert _laid() == []
    assert newest()[0].state == "waiting"
    assert newest()[0].error


@pytest.mark.database("sqlite")
def test_a_domain_of_other_letters_is_written_as_its_name_system_knows_it(shop):
    send_mail("anna@ääkkö.example", "x", "y")
    run_due(shop)
    (message,) = _laid()
    assert message["To"] == "anna@xn--kk-uiaa6g.example"


class Sink(socketserver.StreamRequestHandler):
    """A mail server that takes one mail, or refuses at the first word."""

    def handle(self):
        if self.server.broken:
            return self._say("421 not today")
        self._say("220 sink")
        data = False
        for line in self.rfile:
            if data:
                if line == b".\r\n":
                    data = False
                    self._say("250 taken")
                else:
                    self.server.lines.append(line.decode().rstrip())
            elif line.upper().startswith(b"DATA"):
                data = True
                self._say("354 go on")
            elif line.upper().startswith(b"QUIT"):
                return self._say("221 bye")
            else:
                self._say("250 yes")
        return None

    def _say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


@pytest.fixture
def server(monkeypatch):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sink) as running:
        running.lines, running.broken = [], False
        threading.Thread(target=running.serve_forever, daemon=True).start()
        monkeypatch.setenv("TUKKU_SMTP_URL", f"smtp://127.0.0.1:{running.server_address[1]}")
        yield running
        running.shutdown()


@pytest.mark.database("sqlite")
def test_a_mail_server_gets_the_mail(shop, server, monkeypatch):
    monkeypatch.setenv("TUKKU_JOBS__MAIL_FROM", "Ruuvi Oy <shop@ruuvi.example>")
    send_mail("anna@acme.example", "Hello", "text")
    run_due(shop)
    assert "To: anna@acme.example" in server.lines
    assert "From: Ruuvi Oy <shop@ruuvi.example>" in server.lines
    assert _laid() == []


@pytest.mark.database("sqlite")
def test_a_mail_server_that_refuses_is_asked_again_later(shop, server):
    server.broken = True
    send_mail("anna@acme.example", "Hello", "text")
    run_due(shop)
    assert (newest()[0].state, newest()[0].attempts) == ("waiting", 1)
