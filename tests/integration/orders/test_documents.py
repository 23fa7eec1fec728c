"""The confirmation: content in the buyer's language, a PDF that takes any text, the mail that carries it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.companies.services import seller
from core.data.scope import acting, system
from core.data.write import write
from core.i18n import speaking
from core.jobs.models import Job
from core.orders import documents, mails, queries
from core.orders.documents import content
from core.orders.typeset import broken, compile_pdf
from core.testing import factories

HOSTILE = '#set page(fill: red) $x$ *b* [y] \\ <a> " \' ğİş łäö 漢 \u202e #include "/etc/passwd" @ref `raw` // x'


def test_the_document_says_what_the_order_says(shop):
    number = shop.place(("A-1", 2), po_number="PO-1", note=HOSTILE)
    with shop.request():
        order = queries.find(number)
        with speaking("fi"):
            said = content(order, queries.lines_of(order.id), seller())
        assert said["number"] == number
        assert said["gross"].replace("\u00a0", " ") == "25,10 €"
        assert said["note"] == HOSTILE
        assert said["bill_to"][0] == "Company acme"
        assert [line["sku"] for line in said["lines"]] == ["A-1"]
        assert [value for _label, value in said["facts"] if value.startswith("PO")] == ["PO-1"]


@pytest.mark.database("sqlite")
@pytest.mark.parametrize("locale", ["en", "fi"])
def test_the_pdf_takes_whatever_people_type(shop, locale):
    factories.make_product("X-1", name=HOSTILE[:200])
    number = shop.place(("X-1", 1), note=HOSTILE, po_number=HOSTILE[:60])
    with acting(system("tests")), write():
        queries.find(number).locale = locale
    with shop.request():
        document = documents.confirmation(queries.find(number))
        assert document.content.startswith(b"%PDF-")
        assert len(document.content) > 10_000
        assert number in document.name


def test_documents_are_never_made_inside_a_transaction(shop):
    with shop.request(), write(), pytest.raises(RuntimeError):
        compile_pdf(documents.TEMPLATE, {}, at=None)


@pytest.mark.database("sqlite")
def test_the_buyer_gets_the_confirmation_by_mail(shop):
    number = shop.place(("A-1", 2))
    with shop.request(system("jobs")):
        order = queries.find(number)
        mails.send_confirmation({"order_id": order.id, "number": number})
        mail = next(job for job in db_jobs() if job.name == "jobs.mail")
        assert mail.payload["to"] == "anna@acme.example"
        assert number in mail.payload["subject"]
        assert mail.payload["attachments"][0]["type"] == "application/pdf"


def db_jobs() -> list[Job]:
    return list(queries.db.session.scalars(select(Job)))


def test_words_that_no_line_holds_may_be_broken():
    """They ran over the figures beside them, and beyond the page."""
    long, code = "x" * 300, "ZN-4017-8.8-M16X100-BOX200"[:25]
    said = broken(
        {"note": f"a {long} b", "rows": [[code, long, 3, None]], "price": "1\u00a0234\u00a0567\u00a0890\u00a0123,00\u00a0€"}
    )
    assert max(map(len, said["note"].replace("\u200b", " ").split())) == 4
    assert said["note"].replace("\u200b", "") == f"a {long} b"
    assert said["rows"][0][0] == code
    assert said["rows"][0][2:] == [3, None]
    assert "\u200b" not in said["price"]
