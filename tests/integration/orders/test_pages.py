"""The story through the pages: quick order, cart, checkout, order, document, desk; without script."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from html import unescape
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.orders import placing
from core.orders.models import Order
from core.pricing.models import ListPrice
from core.testing import factories
from core.testing.signin import sign_in


@dataclass
class Browser:
    """A client that fills the forms of the pages it was shown."""

    client: FlaskClient

    def get(self, url: str, status: int = 200) -> str:
        answer = self.client.get(url)
        assert answer.status_code == status, (url, answer.status_code, answer.text[-2000:])
        self.text = unescape(answer.text)
        return self.text

    def hidden(self, name: str) -> str:
        found = re.search(rf'<input[^>]*name="{name}"[^>]*>', self.text)
        assert found, f"no field {name}"
        value = re.search(r'value="(.*?)"(?: |>|/)', found[0] + ">", re.S)
        return value[1] if value else ""

    def post(self, url: str, status: int = 303, **data: object) -> str:
        token = re.search(r'name="csrf-token" content="([^"]+)"', self.text)
        answer = self.client.post(url, data={"csrf_token": token[1] if token else "", **data})
        assert answer.status_code == status, (url, answer.status_code, answer.text[-3000:])
        self.text = unescape(answer.text) if status != 303 else self.text
        return answer.headers.get("Location", "") if status == 303 else self.text

    def checkout(self) -> dict[str, object]:
        self.get("/checkout")
        seen = re.search(r'name="seen"[^>]*value="([^>]*)"', self.text)
        return {
            "cart_key": self.hidden("cart_key"),
            "expected_total": self.hidden("expected_total"),
            "seen": seen[1],
            "ship_to": "main",
            "bill_to": "main",
            "po_number": "PO-9",
            "wished_date": "",
            "note": "",
        }


@pytest.fixture
def shop_app(app_with: Callable[..., Flask]) -> Flask:
    app = app_with(addons=[])
    acme = factories.make_company("acme")
    factories.make_user("anna@acme.example", company=acme, roles=["orderer"])
    factories.make_user("vera@acme.example", company=acme, roles=["viewer"])
    evil = factories.make_company("evil")
    factories.make_user("eve@evil.example", company=evil, roles=["orderer"])
    factories.make_staff("sam@tukku.example", ["admin"])
    factories.make_product("A-1", price="10.00", name="Bolt <b>&\"'")
    factories.make_product("B-2", price="2.50", units=[factories.Unit("pcs", minimum=Decimal(10), step=Decimal(10))])
    with acting(system("tests")), write():
        from core.settings.services import set_value

        set_value("core", "staff_second_factor", False)
    return app


@pytest.fixture
def visit(shop_app: Flask) -> Callable[[str], Browser]:
    return lambda email: Browser(sign_in(shop_app, email))


def order(page: Browser, rows: str = "A-1;2\nB-2;10") -> str:
    page.get("/quick-order")
    page.post("/quick-order", 200, rows=rows)
    page.post(
        "/cart/add", sku=re.findall(r'name="sku" value="([^"]+)"', page.text), quantity=["2", "10"], unit=["pcs", "pcs"]
    )
    where = page.post("/checkout", **page.checkout())
    return where.split("/")[2]


def test_a_refused_quantity_is_said_although_the_page_stays(visit):
    anna = visit("anna@acme.example")
    anna.get("/cart")
    token = re.search(r'name="csrf-token" content="([^"]+)"', anna.text)
    sent = {"csrf_token": token[1] if token else "", "sku": "A-1", "unit": "", "quantity": "-5"}
    answer = anna.client.post("/cart/add", data=sent, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "more than zero" in unquote(answer.headers["X-Tukku-Message"])


def test_from_pasted_rows_to_the_shipped_order(visit, shop_app):
    anna = visit("anna@acme.example")
    assert "empty" in anna.get("/cart")
    number = order(anna)
    assert "confirmed" in anna.get(f"/orders/{number}/thanks")
    page = anna.get(f"/orders/{number}")
    assert "56.48" in page
    assert "Bolt <b>" in page  # escaped in the page, unescaped by this reader
    assert number in anna.get("/orders?q=bolt")
    assert number not in anna.get("/orders?q=nut")
    pdf = anna.client.get(f"/orders/{number}/confirmation.pdf")
    assert pdf.data.startswith(b"%PDF-")
    assert len(pdf.data) > 5000
    assert "private" in pdf.headers["Cache-Control"]
    csv = anna.client.get(f"/orders/{number}/lines.csv", buffered=True).text
    assert "A-1" in csv
    assert anna.client.get(f"/orders/{number}/lines.xlsx").data.startswith(b"PK")
    assert "A-1" in anna.get("/")

    sam = visit("sam@tukku.example")
    assert number in sam.get("/admin/orders")
    page = sam.get(f"/admin/orders/{number}")
    assert "Mark as shipped" in page
    sam.post(f"/admin/orders/{number}/ship", version=sam.hidden("version"), **{"ship-1": "3"})
    assert "only 2" in sam.get(f"/admin/orders/{number}")
    sam.post(f"/admin/orders/{number}/ship", version=sam.hidden("version"), **{"ship-1": "2", "ship-2": "10"}, label="DN-1")
    assert "Completed" in sam.get(f"/admin/orders/{number}")
    sam.post(f"/admin/orders/{number}/note", note="secret remark")
    assert "secret remark" in sam.get(f"/admin/orders/{number}")
    assert "secret remark" not in anna.get(f"/orders/{number}")


def test_goods_that_came_back_are_recorded_once_with_a_reason_and_told(visit):
    anna = visit("anna@acme.example")
    number = order(anna)
    sam = visit("sam@tukku.example")
    page = f"/admin/orders/{number}"
    assert "Record a return" not in sam.get(page)  # nothing has left yet
    sam.post(f"{page}/ship", version=sam.hidden("version"), **{"ship-1": "2", "ship-2": "4"})
    assert "Record a return" in sam.get(page)
    back = {"version": sam.hidden("version"), "reason": "Wrong thread", "label": "RMA-7", "return-1": "1", "return-2": ""}
    for wrong, said in (
        ({"reason": " "}, "Give a reason"),
        ({"return-1": "3"}, "only 2 are at the buyer"),
        ({"return-1": "-1"}, "more than zero"),
        ({"return-1": "0.5"}, "counted by 1"),
        ({"return-1": ""}, "at least one line"),
        ({"return-9": "1"}, "no line 9"),
    ):
        sam.post(f"{page}/return", **back | wrong)
        assert said in sam.get(page), wrong
        assert "came back</div>" not in sam.text
    for _again in range(2):  # the second sending of the same page records nothing
        sam.post(f"{page}/return", **back)
    assert "Somebody else has changed" in sam.get(page)
    assert "1 came back" in sam.text
    told = anna.get(f"/orders/{number}")
    assert "Goods returned" in told
    assert re.search(r"A-1 1.pc. · RMA-7 · Wrong thread", told)
    assert "1 came back" in told
    anna.post(f"{page}/return", 403, **back)


def test_a_list_is_kept_and_ordered_from(visit):
    anna = visit("anna@acme.example")
    anna.get("/quick-order")
    anna.post("/cart/add", sku="A-1", quantity="2", unit="pcs")
    anna.get("/cart")
    assert anna.post("/lists", name="Monthly") == "/lists"
    key = re.search(r"/lists/(list-[\w-]+)", anna.get("/lists"))[1]
    assert "Ready" in anna.get(f"/lists/{key}")
    eve = visit("eve@evil.example")
    eve.get(f"/lists/{key}", 404)
    eve.get("/lists")
    eve.post(f"/lists/{key}/delete", 404)
    anna.post(f"/lists/{key}/delete")
    assert "No lists yet" in anna.get("/lists")


def test_the_same_order_again(visit):
    anna = visit("anna@acme.example")
    number = order(anna)
    assert "Ready" in anna.get(f"/orders/{number}/again")
    assert anna.post(f"/orders/{number}/again") == "/cart"
    assert "A-1" in anna.get("/cart")


def test_a_changed_price_is_a_409_that_shows_what_changed(visit):
    anna = visit("anna@acme.example")
    anna.get("/quick-order")
    anna.post("/cart/add", sku="A-1", quantity="2", unit="pcs")
    sent = anna.checkout()
    with acting(system("tests")), write():
        db.session.execute(update(ListPrice).where(ListPrice.price == 10).values(price=Decimal("11")))
    page = anna.post("/checkout", 409, **sent)
    assert "10.00" in page
    assert "11.00" in page
    assert "PO-9" in page  # what was typed is kept
    sent = {
        **sent,
        "expected_total": anna.hidden("expected_total"),
        "seen": re.search(r'name="seen"[^>]*value="([^>]*)"', page)[1],
    }
    assert anna.post("/checkout", **sent).endswith("/thanks")


def test_what_was_typed_is_not_written_into_an_order_that_another_window_placed(visit, monkeypatch):
    """A window whose prices are old keeps what was typed with the cart; the other has just ordered it."""
    anna = visit("anna@acme.example")
    anna.get("/quick-order")
    anna.post("/cart/add", sku="A-1", quantity="2", unit="pcs")
    old = anna.checkout()
    with acting(system("tests")), write():
        db.session.execute(update(ListPrice).where(ListPrice.price == 10).values(price=Decimal("11")))
    new, place = {**anna.checkout(), "po_number": "PO-1"}, placing.place

    def and_the_other_window_orders(asked):
        monkeypatch.setattr(placing, "place", place)
        try:
            return place(asked)
        except placing.PriceChanged:
            with anna.client.application.app_context():
                anna.post("/checkout", **new)
            raise

    monkeypatch.setattr(placing, "place", and_the_other_window_orders)
    assert anna.post("/checkout", **{**old, "po_number": "PO-2"}) == "/cart"
    db.session.rollback()
    assert list(db.session.scalars(select(Order.po_number))) == ["PO-1"]


def test_all_findings_are_on_the_page(visit):
    anna = visit("anna@acme.example")
    factories.make_product("C-3", price=None)
    anna.get("/quick-order")
    anna.post("/cart/add", sku=["A-1", "C-3"], quantity=["1", "1"], unit=["", ""])
    assert "ask us for a quote" in anna.get("/cart")
    page = anna.post("/checkout", 422, **anna.checkout())
    assert "C-3 has no price" in page


@pytest.mark.parametrize(
    "fields", [{"expected_total": "NaN"}, {"expected_total": ""}, {"seen": "[1]"}, {"seen": '{"1": "x"}'}, {"seen": "{"}]
)
def test_tampered_checkout_fields_place_nothing(visit, fields):
    anna = visit("anna@acme.example")
    anna.get("/quick-order")
    anna.post("/cart/add", sku="A-1", quantity="1", unit="")
    anna.post("/checkout", 422, **{**anna.checkout(), **fields})
    assert "No orders yet" in anna.get("/orders")


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "1e3", "1000000000000", "１", "ten", "1;drop table"])
def test_bad_quantities_never_reach_the_cart(visit, quantity):
    anna = visit("anna@acme.example")
    anna.get("/quick-order")
    anna.post("/cart/add", sku="A-1", quantity=quantity, unit="")
    assert "empty" in anna.get("/cart")


def test_orders_of_others_are_not_found(visit):
    number = order(visit("anna@acme.example"))
    eve = visit("eve@evil.example")
    for path in ("", "/thanks", "/again", "/confirmation.pdf", "/lines.csv"):
        eve.get(f"/orders/{number}{path}", 404)
    eve.get("/quick-order")
    for path in ("/again", "/cancel"):
        eve.post(f"/orders/{number}{path}", 404)
    eve.get(f"/admin/orders/{number}", 403)
    assert number not in eve.get("/orders")


def test_who_may_only_look_cannot_order(visit):
    vera = visit("vera@acme.example")
    vera.get("/orders")
    assert vera.client.get("/quick-order").status_code == 403
    vera.get("/cart")
    vera.post("/cart/add", 403, sku="A-1", quantity="1")


def test_files_are_read_and_bad_ones_refused(visit):
    anna = visit("anna@acme.example")
    anna.get("/quick-order")
    page = anna.post("/quick-order", 200, file=(io.BytesIO("Koodi;Määrä\r\nA-1;4\r\n".encode("cp1252")), "order.csv"))
    assert "Ready" in page
    anna.get("/quick-order")
    anna.post("/quick-order", 422, file=(io.BytesIO(b"\x00\x01not a workbook"), "order.xlsx"))


def test_a_workbook_with_a_cell_far_away_is_refused_in_words_and_the_shop_goes_on(visit, tmp_path):
    from xlsxwriter import Workbook

    with Workbook(tmp_path / "order.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["SKU", "Quantity"])
        sheet.write_row(1, 0, ["A-1", 3])
    anna = visit("anna@acme.example")
    anna.get("/quick-order")
    assert "Ready" in anna.post("/quick-order", 200, file=((tmp_path / "order.xlsx").open("rb"), "order.xlsx"))
    with Workbook(tmp_path / "far.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "SKU")
        sheet.write(1_048_575, 16_383, "x")
    anna.get("/quick-order")
    page = anna.post("/quick-order", 422, file=((tmp_path / "far.xlsx").open("rb"), "far.xlsx"))
    assert "far.xlsx takes too much memory or time to be read" in page


def test_a_visitor_fills_a_cart_where_the_shop_lets_him(shop_app):
    with acting(system("tests")):
        from core.settings.services import set_value

        for name in ("guest_sees_products", "guest_sees_prices", "guest_may_order"):
            set_value("core", name, True)
    visitor = Browser(shop_app.test_client())
    visitor.get("/cart")
    visitor.post("/cart/add", sku=["A-1", "B-2"], quantity=["2", "3"], unit=["", ""])
    page = visitor.get("/cart")
    assert "20.00" in page
    assert "25.00" in page
    assert "/login" in visitor.client.get("/checkout").headers["Location"]
