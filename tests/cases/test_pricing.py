"""Expected prices from the published tests of other systems, run through the product.

Reads ``pricing.json`` here, or in the folder ``TUKKU_CASES_DIR``. Each case is passed, failed, or unsupported with the name
of the feature that is missing; a failure fails the suite, and the counts are printed. Where systems differ by policy, and
Tukku's documented policy is another one, the case says so instead (POLICIES).
"""

from __future__ import annotations

import json
import os
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from addons.pricing_contract.imports import load_contracts
from addons.pricing_contract.models import Contract, ContractPrice
from addons.pricing_contract.tests.conftest import shop
from core.catalog.units import UnitInfo, check_quantity
from core.data.db import db
from core.data.write import write
from core.pricing import display
from core.pricing.money import line_net
from core.pricing.tax import Treatment
from core.pricing.totals import TotalLine, discounted, totals
from core.spec.errors import Invalid
from core.spec.imports import ImportRow
from core.spec.pricing import PriceLine

from . import promotions_world
from .neutral import Unsupported, number, only_of, stacked, understood
from .pricing_world import HUNDRED, VOUCHER, World

assert shop  # a fixture

#: What other systems decide otherwise than Tukku, by the field of a question or the kind of a case.
POLICIES = {
    "list-merge": "lists are not merged tier by tier: each is asked at the quantity ordered",
    "bundles": "bundles",
    "free-goods": "free goods",
}
#: Fields of questions and expectations that name what is missing.
MISSING = {
    "campaign": "campaigns",
    "subtotal_decimals": "a precision of its own for sums of documents",
    "steps": "changing a buyer's list by country",
}


def cases() -> list[dict[str, Any]]:
    """Return the cases of the file."""
    folder = Path(os.environ.get("TUKKU_CASES_DIR") or Path(__file__).parent)
    found: list[dict[str, Any]] = json.loads((folder / "pricing.json").read_text())["cases"]
    return found


def test_pricing_cases(shop: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Run every case; print the counts and what is missing."""
    outcomes: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    failed: list[str] = []
    for case in cases():
        _end_contracts()
        try:
            problem = run(case)
        except Unsupported as error:
            outcomes["unsupported"] += 1
            missing[f"{error}{' (universal)' if case.get('portability') == 'universal' else ''}"] += 1
            continue
        except Exception as error:
            db.session.rollback()
            if _in_translation(error):
                outcomes["unsupported"] += 1
                missing[f"a form that is not read: {type(error).__name__} {error}"[:120]] += 1
                continue
            problem = f"the product stopped: {type(error).__name__} {error}"
        outcomes["failed" if problem else "passed"] += 1
        if problem:
            failed.append(f"{case['id']} ({case.get('portability')}): {problem}")
    with capsys.disabled():
        counts = ", ".join(f"{outcomes[name]} {name}" for name in ("passed", "failed", "unsupported"))
        print(f"\npricing cases: {counts}")
        for feature, times in sorted(missing.items()):
            print(f"  unsupported {times}x: {feature}")
    assert not failed, "\n".join(failed)


def _in_translation(error: Exception) -> bool:
    """Tell whether it was reading the case that failed, and not the product that was asked."""
    frames = traceback.extract_tb(error.__traceback__)
    return Path(frames[-1].filename).parent == Path(__file__).parent


def _end_contracts() -> None:
    """Let nothing of the last case reach the next one."""
    with write() as session:
        session.execute(update(Contract).values(status="ended"), execution_options={"synchronize_session": False})


def run(case: Mapping[str, Any]) -> str:
    """Return what is wrong, '' if the product agrees; Unsupported names a missing feature."""
    query = case.get("query", {})
    for name, feature in MISSING.items():
        if name in query:
            raise Unsupported(feature)
    if case.get("portability") in POLICIES:
        raise Unsupported(POLICIES[case["portability"]])
    understood(case)
    if promotions_world.is_of_orders(case):
        return promotions_world.compare(case)
    world = World(stacked(case))
    if str(query.get("action", "")).startswith("save a customer-specific rule"):
        return _same("refused", _saving_is_refused(world), case["expected"]["refused"])
    if _quantity_rule(case):
        return _quantity(case)
    try:
        world.build()
    except Invalid as error:
        raise Unsupported(f"{error.message}") from error
    return _compare(case, world)


def _saving_is_refused(world: World) -> bool:
    row = ImportRow(2, {"code": world.tag, "name": "x", "audience": "company", "currency": "EUR"})
    with write():
        return load_contracts([row])[0].outcome == "error"


def _quantity_rule(case: Mapping[str, Any]) -> bool:
    return bool({"accepted", "refused"} & set(case["expected"])) and case.get("portability") == "quantity-rules"


def _quantity(case: Mapping[str, Any]) -> str:
    only_of(case["expected"], "accepted", "refused")
    product = case["products"][0]
    minimum = number(product.get("min_order_qty") or 1)
    if "packs" in case["query"]:  # sold in whole packages alone: the package is its only unit
        checked = check_quantity(UnitInfo("pack"), number(case["query"]["packs"]))
        return _same("accepted", checked.ok, case["expected"].get("accepted", not case["expected"].get("refused", False)))
    unit = UnitInfo(
        "pcs",
        minimum=minimum,
        step=number(product.get("order_multiple") or 1),
        maximum=number(product["max_order_qty"]) if "max_order_qty" in product else None,
    )
    checked = check_quantity(unit, number(case["query"]["qty"]))
    expected = case["expected"].get("accepted", not case["expected"].get("refused", False))
    return _same("accepted", checked.ok, expected)


def _compare(case: Mapping[str, Any], world: World) -> str:
    expected = case["expected"]
    if "stored_min_qty" in expected:
        only_of(expected, "stored_min_qty")
        held = (
            db.session.query(ContractPrice.min_quantity)
            .filter_by(contract_id=next(iter(world.contracts.values())).id)
            .scalar()
        )
        return _same("stored_min_qty", held, number(expected["stored_min_qty"]))
    if "discount_applies" in expected:
        only_of(expected, "discount_applies")
        return _same("discount_applies", _discount_applies(world), expected["discount_applies"])
    if "lines" in case.get("query", {}):
        return _document(case, world)
    if "error" in expected:
        only_of(expected, "error")
        return _same("error", _is_refused(world), True)
    if any(rule["scope"] == VOUCHER for rule in case["rules"]):
        only_of(expected, "unit_price")
        return _voucher(case, world)
    if "refused" in expected:
        only_of(expected, "refused")
        return _same("refused", _is_refused(world), expected["refused"])
    try:
        line = world.price()
    except Invalid as error:
        raise Unsupported(
            "currencies outside ISO 4217" if error.code == "CURRENCY-UNKNOWN" else str(error.message)
        ) from error
    for name, wanted in expected.items():
        if name == "message":  # the words are each system's own
            if not str(line.reason):
                return "there is no reason why there is no price"
            continue
        check = CHECKS.get(name)
        if check is None:
            raise Unsupported(f"the figure {name}")
        found = check(line, case, world)
        target = number(wanted) if isinstance(wanted, int | float) and not isinstance(wanted, bool) else wanted
        if found != target:
            return f"{name} is {found}, {target} is expected; {line!r} from {line.source or 'nothing'}"
    if case.get("winning_rule") and line.price is None and expected.get("unit_price") is not None:
        return f"no rule decided, {case['winning_rule']} should"
    return ""


def _voucher(case: Mapping[str, Any], world: World) -> str:
    """Take the voucher off the line, and compare what a unit costs then."""
    quantity = number(case["query"].get("qty", 1))
    net = _net(world.price(), case, world)
    assert net is not None
    line = promotions_world.Item("1", 1, quantity, net, agreed=True)
    found = promotions_world.asked(case, [line], Decimal(0), world.currency, {})
    saved = sum((saving.total for saving in found), Decimal(0))
    return _same("unit_price", (net - saved) / quantity, number(case["expected"]["unit_price"]))


def _discount_applies(world: World) -> bool:
    try:
        line = world.price()
    except Invalid:
        return False  # a return has no price of its own: it takes the price of what was sold
    return line.source not in ("list", "")


def _is_refused(world: World) -> bool:
    try:
        return world.price().price is None
    except Invalid:
        return True


def _document(case: Mapping[str, Any], world: World) -> str:
    query, expected = case["query"], case["expected"]
    percents = query.get("order_discounts_percent") or [query.get("order_discount_percent")]
    if len(percents) != 1 or percents[0] is None:
        raise Unsupported("several discounts of a document")
    rate = sum(number(part.strip(" %")) for part in str(query.get("tax", "0")).split("+"))
    treatment = Treatment("standard", "S", rate)
    priced = [(world.price(number(q), p), number(q)) for p, q in query["lines"]]
    nets = [line_net(q, line.price, line.per, world.currency) for line, q in priced if line.price is not None]
    lines = [TotalLine(net, treatment) for net in nets]
    reduced = discounted(lines, number(percents[0]), world.currency)
    before, after = totals(lines, world.currency), totals(reduced, world.currency)
    figures = {
        "undiscounted": before.net, "order_untaxed": after.net, "order_discount": before.net - after.net, "tax": after.tax,
        "order_total": after.gross,
    }  # fmt: skip
    only_of(expected, *figures)
    wrong = [
        f"{n} is {figures[n]}, {v} is expected" for n, v in expected.items() if n in figures and figures[n] != number(v)
    ]
    return "; ".join(wrong)


def _net(line: PriceLine, case: Mapping[str, Any], world: World) -> Decimal | None:
    quantity = number(case["query"].get("qty", 1))
    return None if line.price is None else line_net(quantity, line.price, line.per, world.currency)


def _tax(line: PriceLine, case: Mapping[str, Any], world: World) -> Decimal:
    stated = str(case["query"].get("tax_mapping") or case["products"][0].get("tax", "0%")).rpartition("->")[2].strip()
    treatment = Treatment("standard", "S", number(stated.split("%")[0]))
    return totals([TotalLine(_net(line, case, world), treatment)], world.currency).tax


def _view(line: PriceLine, world: World) -> display.PriceView:
    return display.view(line, world.currency)


def _line_discount(line: PriceLine, case: Mapping[str, Any], world: World) -> Decimal | None:
    quantity = number(case["query"].get("qty", 1))
    less = _view(line, world).discount
    return None if less is None else line_net(quantity, less, line.per, world.currency)


CHECKS: dict[str, Callable[[PriceLine, Mapping[str, Any], World], Any]] = {
    "unit_price": lambda line, case, world: None if line.price is None else line.price / line.per,
    "unit_price_exact": lambda line, case, world: str(line.price),
    "unit_price_shown": lambda line, case, world: line.list_price,
    "was_price": lambda line, case, world: line.list_price,
    "undiscounted": lambda line, case, world: line.list_price,
    "currency": lambda line, case, world: world.currency,
    "per": lambda line, case, world: line.unit,
    "line_net": _net,
    "order_total": _net,
    "line_discount": _line_discount,
    "tax": _tax,
    "discount_amount": lambda line, case, world: _view(line, world).discount,
    "discount_percent_shown": lambda line, case, world: _view(line, world).discount_percent,
    "discount_percent": lambda line, case, world: _view(line, world).discount_percent,
    "discount_percent_total": lambda line, case, world: _view(line, world).discount_percent,
    "discount_rate": lambda line, case, world: (_view(line, world).discount_percent or Decimal(0)) / HUNDRED,
}


def _same(name: str, found: Any, wanted: Any) -> str:
    return "" if found == wanted else f"{name} is {found}, {wanted} is expected"
