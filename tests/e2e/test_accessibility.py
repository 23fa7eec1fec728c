"""No page of the demo shop has a serious fault that axe knows: on a desk in light, on a phone in dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from .conftest import Shop

pytestmark = [pytest.mark.browser, pytest.mark.database("sqlite")]  # pages are the same on both

DESK = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
#: who → pages that no menu leads to, where the first link that fits is followed
BUYER, ADMIN = "anna@konepaja.example", "admin@tukku.example"
PEOPLE = {
    BUYER: ("a[href*='/p/']", "a[href^='/orders/']"),
    ADMIN: (
        "main td a[href^='/admin/orders/']",
        "main td a[href^='/admin/companies/']",
        "main td a[href^='/admin/catalog/products/']",
        "main td a[href*='/pricing_contract/contracts/']",
        "main a[href^='/admin/addons/']",
    ),
}
SERIOUS = {"serious", "critical"}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def _addresses(page: Page, selector: str) -> Iterator[str]:
    """Yield the links of the page that the selector finds, without what follows a question mark."""
    found = page.eval_on_selector_all(selector, "links => links.map(link => link.getAttribute('href'))")
    for address in found:
        bare = address.partition("?")[0].partition("#")[0]
        if bare.startswith("/") and "/logout" not in bare and "export" not in bare:
            yield bare


def _faults(page: Page) -> Iterator[str]:
    for fault in Axe().run(page, options=RULES).response["violations"]:
        if fault["impact"] in SERIOUS:
            places = "; ".join(node["html"][:120] for node in fault["nodes"][:3])
            yield f"{page.url}: {fault['id']}: {places}"


@pytest.mark.parametrize(
    ("email", "look"),
    [
        pytest.param(BUYER, DESK, id="buyer-desk-light", marks=pytest.mark.trust),
        pytest.param(BUYER, PHONE, id="buyer-phone-dark"),
        pytest.param(ADMIN, DESK, id="admin-desk-light", marks=pytest.mark.trust),
        pytest.param(ADMIN, PHONE, id="admin-phone-dark", marks=pytest.mark.trust),
    ],
)
def test_axe_finds_nothing_serious(shop: Shop, sign_in: Callable[..., Page], email: str, look: dict[str, Any]) -> None:
    page = sign_in(email, **look)
    todo = list(dict.fromkeys(["/", *_addresses(page, "nav a[href], header a[href]")]))
    followed = dict.fromkeys(PEOPLE[email])
    seen: list[str] = []
    faults: list[str] = []
    while todo:
        address = todo.pop(0)
        page.goto(shop.address + address)
        seen.append(address)
        faults += _faults(page)
        for selector in [s for s, done in followed.items() if not done]:
            new = [found for found in _addresses(page, selector) if found not in (*seen, *todo)]
            if new:
                followed[selector] = new[0]
                todo.append(new[0])
    assert not faults, "\n".join(faults)
    assert len(seen) > 8, seen
    assert all(followed.values()), followed
