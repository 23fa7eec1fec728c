"""The first sale at a contract price, in a real browser, on each database."""

from __future__ import annotations

import email.policy
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.demo.loading import PASSWORD
from core.demo.terms import SHOWCASE_SKU as SHOWCASE

from .conftest import Shop

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("story")]
ANNA, ERIK = "anna@konepaja.example", "erik@nordbygg.example"


def price_on_page(page: Page, shop: Shop) -> str:
    page.goto(f"{shop.address}/p/{SHOWCASE}")
    return page.locator(".tk-price-lg .tk-price-now").first.inner_text()


def test_two_companies_see_different_prices_each_with_its_reason(shop: Shop, sign_in: Callable[..., Page]) -> None:
    anna, erik = sign_in(ANNA), sign_in(ERIK)
    assert price_on_page(anna, shop) != price_on_page(erik, shop)
    for page in (anna, erik):
        page.get_by_text("Why this price?").first.click()
        expect(page.locator(".tk-why-body p").first).not_to_be_empty()
    expect(anna.locator(".tk-ladder").first).to_contain_text("from")


def test_search_finds_it_while_typing(shop: Shop, sign_in: Callable[..., Page]) -> None:
    page = sign_in(ANNA)
    search = page.get_by_role("banner").locator("input[name=q]")
    search.press_sequentially("4017 m8x40 8.8 zn", delay=20)
    expect(page.get_by_role("banner")).to_contain_text(SHOWCASE)  # while typing
    search.press("Enter")
    page.locator(f"main a[href$='/p/{SHOWCASE}']").first.click()
    expect(page).to_have_url(re.compile(re.escape(SHOWCASE)))


def test_quick_order_checkout_confirmation_and_shipment(shop: Shop, sign_in: Callable[..., Page]) -> None:
    page = sign_in(ANNA)
    page.goto(f"{shop.address}/quick-order")
    page.locator("textarea").first.fill(f"{SHOWCASE}\t200\n6205-2RS; 10\nNO-SUCH-CODE 5\n")
    page.locator("form:has(textarea)").get_by_role("button", name="Check the rows").click()
    expect(page.locator("main")).to_contain_text("NO-SUCH-CODE")
    page.get_by_role("button", name="Put the ticked rows into the cart").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cart")
    expect(page.locator("main")).to_contain_text(SHOWCASE)
    page.goto(f"{shop.address}/checkout")
    page.get_by_label("Purchase order number").fill("PO-STORY-1")
    page.get_by_role("button", name="Place the order").click()
    expect(page.locator("main")).to_contain_text(re.compile("Thank you", re.IGNORECASE))
    number = re.search(r"/orders/([^/]+)/thanks", page.url)
    assert number, page.url
    answer = page.request.get(f"{shop.address}/orders/{number[1]}/confirmation.pdf")
    assert answer.status == 200
    assert answer.body().startswith(b"%PDF-")
    desk = sign_in("sales@tukku.example")
    desk.goto(f"{shop.address}/admin/orders?q=PO-STORY-1")
    expect(desk.locator("main")).to_contain_text("Konepaja Virtanen Oy")
    desk.locator("main td a").first.click()
    desk.get_by_role("button", name="Record the shipment").click()
    expect(desk.locator("main")).to_contain_text("Completed")


def test_the_other_repeats_an_old_order(shop: Shop, sign_in: Callable[..., Page]) -> None:
    page = sign_in(ERIK)
    page.goto(f"{shop.address}/orders?state=completed")
    page.locator("main td a").first.click()
    page.get_by_role("button", name="Order again").first.click()
    page.wait_for_url(re.compile("/(cart|again)$"))
    if page.url.endswith("/again"):  # something changed since: every line says what became of it
        page.get_by_role("button", name="Put the ticked rows into the cart").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cart")
    page.goto(f"{shop.address}/checkout")
    expect(page.get_by_role("button", name="Place the order")).to_be_visible()


def test_switching_the_addon_moves_prices_at_once(shop: Shop, sign_in: Callable[..., Page]) -> None:
    anna, admin = sign_in(ANNA), sign_in("admin@tukku.example")
    agreed = price_on_page(anna, shop)
    switch(admin, shop, "disable")
    assert price_on_page(anna, shop) != agreed
    switch(admin, shop, "enable")
    assert price_on_page(anna, shop) == agreed


def switch(page: Page, shop: Shop, kind: str) -> None:
    """Switch pricing_contract in the back-office, as an administrator does."""
    page.goto(f"{shop.address}/admin/addons/pricing_contract/{kind}")
    if kind == "disable":
        page.get_by_label("Type pricing_contract to confirm").fill("pricing_contract")
    page.locator("main form button[type=submit]").first.click()
    page.get_by_role("link", name="Go on").click(timeout=60_000)


def test_the_command_line_explains_the_same_price(shop: Shop) -> None:
    said = json.loads(
        shop.tukku("price", "explain", "--company", "KONEPAJA", "--product", SHOWCASE, "--quantity", "10", "--json")
    )
    assert said["price"]
    listed = json.loads(shop.tukku("addons", "list", "--json"))
    assert listed


def test_an_order_is_approved_by_the_button_of_a_mail(shop: Shop, sign_in: Callable[..., Page], browser: Browser) -> None:
    minna = sign_in("minna@konepaja.example")
    minna.goto(f"{shop.address}/a/approval_chain/approval-rules/new")
    minna.get_by_role("button", name="Save the rule").click()  # without conditions: every order
    expect(minna.locator("main")).to_contain_text("Every order: 1 approves")
    anna = sign_in(ANNA)
    anna.goto(f"{shop.address}/quick-order")
    anna.locator("textarea").first.fill(f"{SHOWCASE} 200")
    anna.locator("form:has(textarea)").get_by_role("button", name="Check the rows").click()
    anna.get_by_role("button", name="Put the ticked rows into the cart").click()
    anna.goto(f"{shop.address}/checkout")
    anna.get_by_role("button", name="Place the order").click()
    anna.wait_for_url(re.compile("/thanks$"))
    number = anna.url.split("/")[-2]
    phone = browser.new_page(viewport={"width": 390, "height": 844})  # nobody is signed in there
    phone.goto(mailed_link(shop, phone, "pekka@konepaja.example", r"http\S+/decide/\S+"))
    expect(phone.locator("main")).to_contain_text(SHOWCASE)
    phone.locator("button[value=approved]").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Kiitos")
    phone.close()
    anna.goto(f"{shop.address}/orders/{number}")
    expect(anna.locator("main")).to_contain_text("Confirmed")


def mailed_link(shop: Shop, page: Page, to: str, pattern: str) -> str:
    """Return the address in the newest mail to a person, in this shop; waits until it is sent."""
    folder = Path(shop.environment["TUKKU_DATA_DIR"]) / "mail"
    for _again in range(60):
        for path in sorted(folder.glob("*.eml"), reverse=True):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            body = mail.get_body(("plain",))
            found = re.search(pattern, body.get_content()) if body and to in mail["To"] else None
            if found:
                return re.sub(r"http://[^/]+", shop.address, found[0])
        page.wait_for_timeout(250)
    pytest.fail(f"no mail with such a link to {to}")


def test_a_stepper_reads_numbers_as_the_shop_does(shop: Shop, sign_in: Callable[..., Page]) -> None:
    """What the page's script makes of a typed quantity: exactly what the server would read, or nothing at all."""
    page = sign_in(ANNA)
    page.goto(f"{shop.address}/p/{SHOWCASE}")
    field = page.locator("main [data-stepper] input").first
    for typed, shown in (
        ("1,5", "2"),
        ("1,000", "1000"),
        ("1 000", "1000"),
        ("1.000", "1"),
        ("1e3", "1e3"),
        ("1,00,0", "1,00,0"),
    ):
        field.fill(typed)
        field.press("Tab")
        expect(field).to_have_value(shown)
    page.locator("details.tk-menu summary").last.click()
    page.get_by_role("button", name="Suomi").click()
    field = page.locator("main [data-stepper] input").first
    for typed, shown in (("1,5", "2"), ("1.5", "2"), ("1.000", "1.000"), ("1.000,0", "1000"), ("1 000", "1000")):
        field.fill(typed)
        field.press("Tab")
        expect(field).to_have_value(shown)
    page.locator("details.tk-menu summary").last.click()
    page.get_by_role("button", name="English").click()  # as the other tests of this shop expect her
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_what_was_typed_outlives_the_session(shop: Shop, browser: Browser) -> None:
    page = browser.new_context().new_page()

    def sign_in_as(email: str) -> None:
        page.locator("input[name=email]").fill(email)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("main button[type=submit]").click()

    for who, kept in ((ANNA, "6019-ZZ 2"), (ERIK, "")):
        page.context.clear_cookies()
        page.goto(f"{shop.address}/login?next=/quick-order")
        sign_in_as(ANNA)
        page.locator("textarea[name=rows]").fill("6019-ZZ 2")
        page.context.clear_cookies()
        page.locator("form:has(textarea) button[type=submit]").click()
        expect(page).to_have_url(re.compile("/login"))
        expect(page.locator("#tk-flashes")).not_to_be_empty()
        sign_in_as(who)
        expect(page).to_have_url(f"{shop.address}/quick-order")
        expect(page.locator("textarea[name=rows]")).to_have_value(kept)


def test_a_double_click_is_one(shop: Shop, sign_in: Callable[..., Page]) -> None:
    page = sign_in(ERIK)
    page.goto(f"{shop.address}/p/6019-ZZ")
    page.locator("main form[action='/cart/add'] button[type=submit]").first.dblclick()
    expect(page.get_by_role("banner").locator("#tk-cart")).to_contain_text("1")
    page.goto(f"{shop.address}/cart")
    expect(page.locator("tr", has_text="6019-ZZ").locator("input[name^=quantity-]")).to_have_value("1")
