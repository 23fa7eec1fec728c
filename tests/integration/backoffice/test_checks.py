"""Set-up checks, status and home: each finding has its sentence and link, and one that fails hurts nobody else."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.data import clock
from core.data.write import write
from core.jobs.services import enqueue
from core.registry.checks import check_contribution
from core.registry.failure import AddonFailed
from core.settings.services import set_value
from core.spec.app import ConfigCheck
from core.spec.ui import Card
from core.testing import factories
from core.testing.signin import sign_in
from core.ui.findings import check_all


def codes():
    return {found.code for checked in check_all() for found in checked.findings}


def test_each_fault_of_the_set_up_is_found_and_gone_when_mended(app):
    from addons.pricing_contract.models import Contract, ContractPrice

    factories.make_company("ACME")
    assert codes() == {"MAIL-SERVER", "MAIL-SENDER"}
    set_value("jobs", "mail_from", "Example <shop@example.com>")
    product = factories.make_product("A-1", price=None)
    factories.make_company("SVE", currency="SEK")
    now = clock.now()
    with write() as session:
        seller = factories.make_seller()
        seller.street, seller.vat_id, seller.business_id, seller.email, seller.country = "", "", "", "", "AT"
        stamps = {"audience": "public", "created_at": now, "updated_at": now}
        old = Contract(code="OLD", name="Old", valid_until=now, **stamps)
        twice = Contract(code="TWICE", name="Twice", currency="EUR", **stamps)
        for start, end in ((now, now + timedelta(days=9)), (now + timedelta(days=5), None)):
            row = ContractPrice(
                value=Decimal(1), product_id=product.id, target=product.id, valid_from=start, valid_until=end
            )
            twice.prices.append(row)
        session.add_all([old, twice])
    assert codes() == {
        "MAIL-SERVER", "SELLER-ADDRESS", "SELLER-IDS", "SELLER-EMAIL", "TAX-RATE-MISSING", "RATE-MISSING",
        "PRICE-MISSING", "CONTRACT-OVERLAP", "CONTRACT-ENDED", "CONTRACT-EMPTY",
    }  # fmt: skip
    factories.make_staff("boss@tukku.example")
    page = sign_in(app, "boss@tukku.example").get("/admin/checks").text
    assert "There is no standard VAT rate for AT" in page
    assert "/admin/a/pricing_contract/contracts/TWICE" in page
    factories.make_staff("sales@tukku.example", roles=["sales"])
    assert sign_in(app, "sales@tukku.example").get("/admin/checks").status_code == 403


@pytest.mark.database("sqlite")
def test_a_failing_check_card_or_health_hurts_only_itself(app):
    factories.make_staff("boss@tukku.example")
    enqueue("jobs.prune", {}, run_at=clock.now() - timedelta(minutes=7))
    client = sign_in(app, "boss@tukku.example")
    page = client.get("/admin/status").text
    assert "The oldest job has waited for 7 minutes" in page
    assert "0 contracts and price lists hold now" in page
    home = client.get("/admin/").text
    assert "Orders to confirm" in home
    assert "Net sales this month" in home

    def broken(*_args):
        raise RuntimeError("on fire")

    real = app.extensions["tukku.registry"]
    broken_card = Card("broken", "backoffice/_queue.html", broken, "half", "Broken")
    app.extensions["tukku.registry"] = _with(real, "ui_cards", broken_card)
    home = client.get("/admin/").text
    assert "jobs could not show this panel" in home
    assert "Orders to confirm" in home
    app.extensions["tukku.registry"] = _with(real, "config_checks", ConfigCheck("broken", "Broken", broken))
    page = client.get("/admin/checks").text
    assert "This check of jobs failed itself" in page
    assert "No mail server is set" in page


def _with(real, hook, value):
    from dataclasses import replace

    from core.registry.registry import Contribution

    return replace(real, contributed={**real.contributed, hook: (*real.contributed[hook], Contribution("jobs", value))})


@pytest.mark.parametrize(
    ("hook", "value", "message"),
    [
        ("ui_cards", Card("c", "toy/c.html", dict, "hafl"), "names the size hafl, which does not exist; did you mean half"),
        ("ui_cards", Card("c", "core/c.html", dict), "the template core/c.html must stand in templates/toy/"),
    ],
)
def test_a_wrong_card_stops_the_build(hook, value, message):
    with pytest.raises(AddonFailed, match=message):
        check_contribution(hook, "toy", value, is_core=False)
