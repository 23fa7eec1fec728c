"""Keys, errors, lists, prices, orders, batches: what a program relies on."""

from datetime import timedelta

import pytest
from openapi_spec_validator import validate
from sqlalchemy import func, select

from core.catalog.models import Product
from core.companies.models import Company
from core.data import clock
from core.data.db import db
from core.data.scope import acting, system
from core.data.write import write
from core.orders import lifecycle
from core.orders.models import Order
from core.restapi import gate, keys
from core.restapi.models import ApiAnswer, ApiKey
from core.settings.services import set_value
from core.testing import factories as make
from core.testing.rivals import rival


def _problem(answer, status, code=""):
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["title"]
    assert not code or answer.json["code"] == code
    return answer.json


@pytest.mark.database("sqlite")
def test_the_document_is_valid_and_the_page_stays_at_home(app):
    client = app.test_client()
    document = client.get("/api/v1/openapi.json").json
    validate(document)
    assert document["openapi"] == "3.1.0"
    assert {"/api/v1/orders", "/api/v1/prices/quote", "/api/v1/companies/{code}"} <= set(document["paths"])
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert "http" not in page.text
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in page.headers


@pytest.mark.database("sqlite")
def test_errors_are_problems_below_api_and_pages_elsewhere(app, key_of, login, world):
    ours = key_of(world[1])
    assert _problem(ours("GET", "/companies", Authorization="Bearer tukku_no"), 401)
    assert ours("GET", "/companies", Authorization="Bearer tukku_no").headers["WWW-Authenticate"] == "Bearer"
    make.make_staff("boss@tukku.example")
    _problem(login("boss@tukku.example").get("/api/v1/companies"), 401)  # a session opens nothing here
    _problem(ours.get("/nothing"), 404)
    refused = ours("DELETE", "/orders")
    _problem(refused, 405)
    assert "GET" in refused.headers["Allow"]
    _problem(ours.post("/companies/batch", {"rows": [{"code": "x"}]}), 403)
    wrong = _problem(ours.post("/prices/quote", {"lines": [{"sku": "M8", "quantity": 2}]}), 422, "VALIDATION")
    assert wrong["errors"]["json"]["lines"]["0"]["quantity"] == ['Write the number as a string, for example "12.50".']
    assert "says which members" in wrong["detail"]
    wrong = _problem(
        ours.post("/prices/quote", {"lines": [{"sku": "M8", "quantity": "2", "amount": "2"}]}), 422, "VALIDATION"
    )
    [said] = wrong["errors"]["json"]["lines"]["0"]["amount"]
    assert said == "There is no such member here. Those that are taken: sku, unit, quantity."
    _problem(ours.post("/prices/quote", "{broken"), 400)
    assert app.test_client().get("/nothing-here").mimetype == "text/html"


def test_most_calls_write_nothing_and_none_is_given_twice(app, key_of, world, count_statements):
    caller = key_of(world[1])
    set_value("core", "api_calls_per_minute", 100)
    with clock.frozen(clock.now().replace(second=10) + timedelta(hours=1)):
        writes = 0
        for _ in range(100):
            with count_statements() as counted:
                assert caller.get("/companies").status_code == 200
            writes += any("restapi_use" in sql for sql in counted.seen)
        assert writes == 20
        assert caller.get("/companies").status_code == 429
        gate._taken.clear()  # as another process, which has taken nothing yet
        assert caller.get("/companies").status_code == 429


def test_a_key_is_shown_once_ends_and_is_counted(app, key_of, world):
    caller = key_of(world[1])
    key = db.session.scalar(select(ApiKey))
    assert caller.secret not in (key.secret_hash, key.code)
    assert key.secret_hash == keys.digest(caller.secret)
    assert caller.get("/companies").status_code == 200
    db.session.refresh(key)
    assert key.last_used_at is not None
    set_value("core", "api_calls_per_minute", 3)
    at = clock.now().replace(second=10) + timedelta(hours=1)
    with clock.frozen(at):
        assert [caller.get("/companies").status_code for _ in range(4)] == [200, 200, 200, 429]
        assert caller.get("/companies").headers["Retry-After"] == "50"
    with clock.frozen(at + timedelta(minutes=1)):
        assert caller.get("/companies").status_code == 200
    with clock.frozen(at + timedelta(days=31)):
        _problem(caller.get("/companies"), 401)
        gate.prune({})
    keys.revoke(key.code)
    _problem(caller.get("/companies"), 401)


@pytest.mark.database("sqlite")
def test_a_key_gets_only_what_its_side_may(app, key_of, world):
    with pytest.raises(Exception, match="cannot get the permission"):
        key_of(world[1], "companies.company.edit")
    with pytest.raises(Exception, match="cannot get the permission"):
        key_of(None, "accounts.staff.manage")
    assert not [name for name in keys.offered(None) if name.startswith(("accounts.", "restapi."))]


def test_quotes_agree_with_the_shop_and_say_why_there_is_none(app, key_of, world):
    lines = [{"sku": "M8", "quantity": "2.0"}, {"sku": "ASK", "quantity": "1"}, {"sku": "NO", "quantity": "1"}]
    merchant, ours = key_of(), key_of(world[1])
    answer = ours.post("/prices/quote", {"lines": lines})
    assert answer.status_code == 200, answer.text
    first, second, third = answer.json["lines"]
    assert (first["price"], first["per"], first["net"], first["unit"]) == ("10", "1", "20", "pcs")
    assert second["price"] is None
    assert second["reason"]
    assert third["price"] is None
    assert answer.json["company"] == "ours-code"
    asked = {"company": "ours-code", "lines": lines}
    assert merchant.post("/prices/quote", asked).json["lines"] == answer.json["lines"]
    _problem(merchant.post("/prices/quote", {"lines": lines}), 422, "COMPANY-REQUIRED")
    _problem(ours.post("/prices/quote", {**asked, "company": "theirs-code"}), 404, "COMPANY-UNKNOWN")
    missing = _problem(ours.post("/prices/quote", {**asked, "company": "missing-cod"}), 404)
    assert missing["detail"] == "There is no company missing-cod."


def test_an_order_is_placed_once_and_moved_on(app, key_of, world):
    ours, merchant = key_of(world[1]), key_of()
    body = {"lines": [{"sku": "M8", "quantity": "3"}], "expected_total": "37.65", "po_number": "PO 7"}
    first = ours.post("/orders", body, Idempotency_Key="k1")
    assert first.status_code == 201, first.text
    order = first.json
    assert (order["net"], order["gross"], order["po_number"]) == ("30", "37.65", "PO 7")
    again = ours.post("/orders", body, Idempotency_Key="k1")
    assert (again.status_code, again.json) == (201, order)
    assert again.headers["Idempotency-Replayed"] == "true"
    _problem(ours.post("/orders", {**body, "po_number": "other"}, Idempotency_Key="k1"), 422, "IDEMPOTENCY-REUSED")
    number = order["number"]
    assert first.headers["Location"].endswith(f"/api/v1/orders/{number}")
    read = ours.get(f"/orders/{number}")
    assert read.json == order
    assert ours.get(f"/orders/{number}", If_None_Match=read.headers["ETag"]).status_code == 304
    assert set(ours.get(f"/orders/{number}?fields=number,state").json) == {"number", "state"}
    _problem(ours.post(f"/orders/{number}/confirm"), 403)
    if order["state"] == "submitted":
        _problem(merchant.post(f"/orders/{number}/confirm", If_Match='"999"'), 412)
        assert merchant.post(f"/orders/{number}/confirm", If_Match=read.headers["ETag"]).json["state"] == "confirmed"
    shipped = merchant.post(f"/orders/{number}/ship", {"lines": [{"position": 1, "quantity": "1"}], "label": "DN 1"})
    assert shipped.json["lines"][0]["shipped"] == "1"
    assert merchant.post(f"/orders/{number}/ship").json["state"] == "completed"
    _problem(merchant.post(f"/orders/{number}/cancel", {"reason": "too late"}), 409)
    back = {"lines": [{"position": 1, "quantity": "2"}], "reason": "Wrong thread", "label": "RMA 4"}
    _problem(ours.post(f"/orders/{number}/return", back), 403)
    _problem(merchant.post(f"/orders/{number}/return", {**back, "reason": " "}), 422)
    _problem(merchant.post(f"/orders/{number}/return", {**back, "lines": back["lines"] * 2}), 422, "LINE-TWICE")
    line = merchant.post(f"/orders/{number}/return", back).json["lines"][0]
    assert (line["shipped"], line["returned"], line["price_reason"]) == ("3", "2", "List price")
    _problem(merchant.post(f"/orders/{number}/return", back), 422)


def test_a_price_is_set_by_hand_by_the_merchant_s_program_alone(app, key_of, world):
    _product, ours, _theirs = world
    with acting(system("tests")), write():
        set_value("orders", "confirm_automatically", False)
    placed = key_of(ours).post("/orders", {"lines": [{"sku": "M8", "quantity": "10"}]})
    path = f"/orders/{placed.json['number']}/lines/1/price"
    assert key_of(ours)("PUT", path, {"percents": ["10"], "reason": "Trade fair"}).status_code == 403
    merchant = key_of()
    done = merchant("PUT", path, {"percents": ["10", "5"], "reason": "Trade fair"})
    assert (done.status_code, done.json["net"]) == (200, "85.5")
    line = done.json["lines"][0]
    assert (line["unit_price"], line["agreed"]["before"], line["agreed"]["reason"]) == ("8.55", "10", "Trade fair")
    assert "reason" not in key_of(ours).get(f"/orders/{placed.json['number']}").json["lines"][0]["agreed"]
    refused = merchant("PUT", path, {"price": "11", "reason": "Trade fair"})
    assert (refused.status_code, refused.json["code"]) == (422, "PRICE-RAISED")
    assert merchant("PUT", path, {"price": "1"}).status_code == 422
    assert merchant("DELETE", path).json["lines"][0]["agreed"] is None


def test_a_refused_order_leaves_nothing_and_may_be_sent_again(app, key_of, world):
    ours = key_of(world[1])
    before = db.session.scalar(select(func.count(Order.id)))
    wrong = {"lines": [{"sku": "M8", "quantity": "3"}], "expected_total": "1"}
    assert _problem(ours.post("/orders", wrong, Idempotency_Key="k"), 409, "PRICE-CHANGED")["total"] == "37.65"
    lines = {"lines": [{"sku": "M8", "quantity": "1.5"}, {"sku": "NO", "quantity": "1"}]}
    found = _problem(ours.post("/orders", lines), 422, "LINES-REFUSED")["errors"]["json"]["lines"]
    assert set(found) == {"0", "1"}
    [said] = found["0"]["quantity"]
    assert "cannot be ordered in the quantity 1.5" in said
    assert "The nearest quantity is 2" in said
    assert "was changed" not in said, "nothing is, in a refusal"
    _problem(ours.post("/orders", {**wrong, "ship_to": "theirs-site"}), 422, "ADDRESS-UNKNOWN")
    assert db.session.scalar(select(func.count(Order.id))) == before
    assert db.session.scalar(select(func.count(ApiAnswer.id))) == 0
    assert ours.post("/orders", wrong | {"expected_total": "37.65"}, Idempotency_Key="k").status_code == 201


def test_a_request_at_work_is_not_done_twice(app, key_of, world):
    ours = key_of(world[1])
    body = {"lines": [{"sku": "M8", "quantity": "1"}]}
    order = ours.post("/orders", body, Idempotency_Key="k").json
    with write() as session:  # as if the first one died after it had placed the order, before it could answer
        answer = session.scalar(select(ApiAnswer))
        answer.status, answer.body = None, ""
    assert _problem(ours.post("/orders", body, Idempotency_Key="k"), 409, "IN-FLIGHT")["retry_after"] == 1
    with clock.frozen(clock.now() + timedelta(minutes=5)):
        late = ours.post("/orders", body, Idempotency_Key="k")
    assert (late.status_code, late.json["number"]) == (200, order["number"])


def test_lists_page_filter_sort_and_refuse_nonsense(app, key_of, world):
    for number in range(5):
        make.make_product(f"P{number}")
    merchant = key_of()
    found, path = [], "/products?limit=2&fields=sku&sort=-sku"
    while path:
        page = merchant.get(path).json
        found += [item["sku"] for item in page["items"]]
        cursor = page["next_cursor"]
        path = f"/products?limit=2&fields=sku&sort=-sku&cursor={cursor}" if cursor else ""
    assert found == sorted(found, reverse=True)
    assert len(found) == 7
    assert [o["number"] for o in merchant.get("/orders?company_code=theirs-code").json["items"]] == ["SO-theirs"]
    assert [c["code"] for c in merchant.get("/companies?q=theirs").json["items"]] == ["theirs-code"]
    assert _problem(merchant.get("/products?cursor=rubbish"), 422)["errors"]["query"]["cursor"]
    _problem(merchant.get("/products?colour=red"), 422)
    _problem(merchant.get("/orders?submitted=soon"), 422)
    product = merchant.get("/products/M8").json
    assert product["units"][0]["minimum"] == "1"
    assert product["list_prices"][0]["price"] == "10"
    assert "list_prices" not in key_of(world[1]).get("/products/M8").json


def test_statements_do_not_grow_with_rows(app, key_of, world, count_statements):
    merchant = key_of()
    few = _counts(merchant, count_statements)
    for number in range(20):
        product = make.make_product(f"P{number}")
        make.make_order(make.make_company(f"C{number}"), [(product, 1)], number=f"SO-{number}")
    assert _counts(merchant, count_statements) == few
    assert max(few) <= 22


def _counts(caller, count_statements):
    caller.get("/products")  # the first call of a minute begins a counter
    found = []
    for path in ("/products", "/companies", "/orders"):
        with count_statements() as seen:
            assert caller.get(path).status_code == 200
        found.append(seen.count)
    return found


def test_batches_upsert_by_source_and_external_id(app, key_of, world, count_statements):
    merchant = key_of()
    rows = [
        {"source": "erp", "external_id": str(i), "code": f"E{i}", "name": f"Firm {i}", "country": "FI", "currency": "EUR"}
        for i in range(1000)
    ]
    with count_statements() as seen:
        first = merchant.post("/companies/batch", {"rows": rows}).json
    assert (first["created"], first["failed"]) == (1000, 0)
    assert seen.count < 60
    again = merchant.post("/companies/batch", {"rows": rows}).json
    assert (again["unchanged"], again["updated"], again["created"]) == (1000, 0, 0)
    known = {"source": "erp", "external_id": "7", "name": "Firm Seven"}
    strange = [{"source": "erp", "external_id": "7", "code": "OTHER"}, {"source": "erp", "external_id": "new", "name": "N"}]
    mixed = merchant.post("/companies/batch", {"rows": [known, *strange, {"code": "E8", "country": "??"}]}).json
    assert [row["outcome"] for row in mixed["rows"]] == ["updated", "error", "error", "error"]
    assert [list(row["errors"]) for row in mixed["rows"][1:]] == [["code"], ["code"], ["country"]]
    unreadable = merchant.post("/companies/batch", {"rows": [{"code": "E9", "language": "xx"}]}).json["rows"][0]
    assert (unreadable["key"], list(unreadable["errors"])) == ("E9", ["language"])
    assert db.session.scalar(select(Company.name).where(Company.code == "E7")) == "Firm Seven"
    products = [{"source": "erp", "external_id": "a", "sku": "A1", "name_en": "Bolt", "attributes": {}}]
    assert merchant.post("/products/batch", {"rows": products}).json["created"] == 1
    price = {"source": "erp", "external_id": "a", "unit": "pcs", "currency": "EUR", "price": "1.25"}
    assert merchant.post("/prices/batch", {"rows": [price]}).json["created"] == 1
    assert merchant.post("/prices/batch", {"rows": [price]}).json["unchanged"] == 1
    assert db.session.scalar(select(Product.sku).where(Product.external_id == "a")) == "A1"


def test_a_change_names_the_version_it_is_made_to(app, key_of, world):
    merchant = key_of()
    tag = merchant.get("/companies/ours-code").headers["ETag"]
    changed = merchant("PATCH", "/companies/ours-code", {"name": "New name"}, If_Match=tag)
    assert (changed.status_code, changed.json["name"]) == (200, "New name")
    _problem(merchant("PATCH", "/companies/ours-code", {"name": "Older"}, If_Match=tag), 412)
    wrong = _problem(merchant("PATCH", "/companies/ours-code", {"currency": "??"}), 422)
    assert "currency" in wrong["errors"]["json"]
    assert merchant("PATCH", "/products/M8", {"name_en": "Bolt"}).json["texts"]["en"]["name"] == "Bolt"


@pytest.mark.database("postgres")
def test_a_program_and_the_office_at_one_order_do_not_wait_for_each_other(world, key_of):
    """Both lock the company before the order, also where the program says which version it has seen."""
    merchant = key_of()
    with acting(system("tests")), write():
        set_value("orders", "confirm_automatically", False)
    order = key_of(world[1]).post("/orders", {"lines": [{"sku": "M8", "quantity": "3"}]}).json
    number, tag = order["number"], merchant.get(f"/orders/{order['number']}").headers["ETag"]

    def cancel():
        return lifecycle.cancel(number, "too late").number

    with acting(system("tests")), rival(r"FROM orders_order[\s\S]*FOR UPDATE", cancel) as others:
        assert merchant.post(f"/orders/{number}/confirm", If_Match=tag).json["state"] == "confirmed"
    assert others == [number]
