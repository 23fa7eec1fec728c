"""How much of an order is outside the company's contracts, as rules of other addons may ask."""

from __future__ import annotations

from decimal import Decimal

from addons.pricing_contract.facts import off_contract
from addons.pricing_contract.models import Contract
from core.data import clock
from core.data.write import write
from core.orders.facts import load_facts, order_facts
from core.spec.orders import DraftLine, OrderDraft
from core.testing import factories


def draft(*lines: tuple[str, str]) -> OrderDraft:
    """Return an order with lines of (price source, net)."""
    zero, one = Decimal(0), Decimal(1)
    made = (
        DraftLine(str(i), i, i, f"A-{i}", "pcs", one, one, Decimal(net), Decimal(net), i, source)
        for i, (source, net) in enumerate(lines, 1)
    )
    return OrderDraft(1, 1, None, "EUR", zero, zero, zero, tuple(made))


def test_only_contracts_with_the_company_count(app_with, count_statements):
    app_with(addons=["pricing_contract"])
    company = factories.make_company("acme")
    now = clock.now()
    with write() as session:
        for code, audience, company_id in (("OURS", "company", company.id), ("LIST", "public", None)):
            session.add(
                Contract(
                    code=code, name=code, audience=audience, company_id=company_id, currency="EUR", merge_policy="override",
                    status="active", valid_from=now, created_at=now, updated_at=now,
                )
            )  # fmt: skip
    drafts = [
        draft(("contract:OURS", "75"), ("contract:LIST", "20"), ("list", "5")),
        draft(("contract:OURS", "10")),
        draft(("contract:GONE", "10")),
        draft(),
        draft(("volume:VA-1=320", "30"), ("list", "10")),
    ]
    assert off_contract(drafts) == [Decimal(25), Decimal(0), Decimal(100), None, Decimal(25)]
    assert str(order_facts()["pricing_contract.off_contract"].title) == "Percent of the goods outside our contracts"
    with count_statements() as one:
        load_facts({"pricing_contract.off_contract"}, drafts[:1])
    with count_statements() as all_of_them:
        found = load_facts({"pricing_contract.off_contract", "nobody.gives"}, drafts)
    assert all_of_them.count == one.count == 1
    assert found[0] == {"pricing_contract.off_contract": Decimal(25)}
