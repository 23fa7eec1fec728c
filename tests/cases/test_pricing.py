"""Expected prices from the published tests of other systems, run through the product.

Reads ``pricing.json`` here, or in the folder ``TUKKU_CASES_DIR``. Each case is passed, failed, or unsupported with the name
of the feature that is missing; a failure fails the suite, and the counts are printed. Where systems differ by policy, and
Tukku's documented policy is another one, the case says so instead (POLICIES).
"""

from __future__ import annotations

import json
import os
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from addons.pricing_contract.imports import load_contracts
from addons.pricing_contract.models import Contract, ContractPrice
from addons.promotions.models import Promotion
from core.catalog.units import UnitInfo, check_quantity
from core.data.db import db
from core.data.write import write
from core.pricing import display
from core.pricing.money import decimals_of, line_net, round_to
from core.pricing.tax import Treatment
from core.pricing.totals import TotalLine, discounted, totals
from core.settings.services import set_value
from core.spec.errors import Invalid
from core.spec.imports import ImportRow
from core.spec.pricing import PriceLine

from . import free_world, promotions_world
from .neutral import Unsupported, exact, normal, number, only_of, stacked, understood
from .pricing_world import BEST_OF, HUNDRED, VOUCHER, World

#: What other systems decide otherwise than Tukku, by the field of a question or the kind of a case.
POLICIES = {
    "list-merge": "lists are not merged tier by tier: each is asked at the quantity ordered",
    "bundles": "bundles",
    "variants": "surcharges for attributes of variants",
}
#: Fields of questions and expectations that name what is missing.
MISSING = {
    "campaign": "campaigns",
    "subtotal_decimals": "a precision of its own for sums of documents",
    "steps": "changing a buyer's list by country",
    "return_of": "returns: they take the price of what was sold",
    "supplier": "purchase prices",
}
#: Figures that name what is missing.
NOT_SHOWN = {
    "purchase_price": "purchase prices",
    "merged": "lists are not merged tier by tier: each is asked at the quantity ordered",
    "tiers": "lists are not merged tier by tier: each is asked at the quantity ordered",
    "subtotal": "a precision of its own for sums of documents",
}


@pytest.fixture
def office(app_with: Callable[..., Flask]) -> Flask:
    """The whole app, with contract prices and promotions."""
    return app_with(addons=["pricing_contract", "promotions"])


def cases() -> list[dict[str, Any]]:
    """Return the cases of the file."""
    folder = Path(os.environ.get("TUKKU_CASES_DIR") or Path(__file__).parent)
    found: list[dict[str, Any]] = json.loads((folder / "pricing.json").read_text())["cases"]
    return found


def test_pricing_cases(office: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Run every case; print the counts and what is missing."""
    set_value("pricing", "convert_list_prices", True)
    outcomes: Counter[str] = Counter()
    missing: defaultdict[str, list[str]] = defaultdict(list)
    failed: list[str] = []
    for n, case in enumerate(cases()):
        name, portability = case.get("id", n), case.get("portability")
        _end_contracts()
        try:
            problem = run(case)
        except Unsupported as error:
            outcomes["unsupported"] += 1
            missing[f"{error}{' (universal)' if portability == 'universal' else ''}"].append(str(name))
            continue
        except Exception as error:
            db.session.rollback()
            if _in_translation(error):
                outcomes["unsupported"] += 1
                missing[f"a form that is not read: {type(error).__name__} {error}"[:120]].append(str(name))
                continue
            problem = f"the product stopped: {type(error).__name__} {error}"
        outcomes["failed" if problem else "passed"] += 1
        if problem:
            failed.append(f"{name} ({portability}): {problem}")
    with capsys.disabled():
        counts = ", ".join(f"{outcomes[name]} {name}" for name in ("passed", "failed", "unsupported"))
        print(f"\npricing cases: {counts}")
        for feature, names in sorted(missing.items()):
            print(f"  unsupported {len(names)}x: {feature}: {', '.join(names)}")
    assert not failed, "\n".join(failed)


def _in_translation(error: Exception) -> bool:
    """Tell whether it was reading the case that failed, and not the product that was asked."""
    frames = traceback.extract_tb(error.__traceback__)
    return Path(frames[-1].filename).parent == Path(__file__).parent


def _end_contracts() -> None:
    """Let nothing of the last case reach the next one."""
    with write() as session:
        for model in (Contract, Promotion):
            session.execute(update(model).values(status="ended"), execution_options={"synchronize_session": False})


def run(case: Mapping[str, Any]) -> str:
    """Return what is wrong, '' if the product agrees; Unsupported names a missing feature."""
    case = normal(case)
    query, expected = case["query"], case["expected"]
    for part, features in ((query, MISSING), (expected, NOT_SHOWN)):
        for name, feature in features.items():
            if part.get(name) is not None:
                raise Unsupported(feature)
    if case.get("portability") in POLICIES:
        raise Unsupported(POLICIES[case["portability"]])
    quantity = exact(query.get("qty"))
    if isinstance(quantity, Decimal) and quantity < 0 and "discount_applies" not in expected:
        raise Unsupported(MISSING["return_of"])
    understood(case)
    if free_world.is_of_free_goods(case):
        return free_world.compare(case)
    if promotions_world.is_of_orders(case):
        return promotions_world.compare(case)
    world = World(stacked(case))
    if str(query.get("action", "")).startswith("save"):
        return _same("refused", _saving_is_refused(world), expected.get("refused", bool(expected.get("error"))))
    if _quantity_rule(case):
        return _quantity(case)
    try:
        world.build()
    except Invalid as error:
        if expected.get("refused") or expected.get("error"):
            return ""
        raise Unsupported(f"{error.message}") from error
    return _compare(case, world)


def _saving_is_refused(world: World) -> bool:
    """Save the rules as files are imported, and tell whether one of them is refused."""
    if any(word in str(world.query["action"]) for word in ("without naming the customer", "without a customer")):
        row = ImportRow(2, {"code": world.tag, "name": "x", "audience": "company", "currency": "EUR"})
        with write():
            return load_contracts([row])[0].outcome == "error"
    try:
        world.build()
    except Invalid:
        return True
    return False


def _quantity_rule(case: Mapping[str, Any]) -> bool:
    return bool(QUANTITIES & set(case["expected"])) and case.get("portability") == "quantity-rules"


#: What is expected of a quantity: whether it may be ordered, or which is proposed instead.
PROPOSED = ("qty", "quantity", "rounded_qty", "suggested_qty", "corrected_qty", "next_qty")
QUANTITIES = {"accepted", "refused", *PROPOSED}


def _quantity(case: Mapping[str, Any]) -> str:
    expected, product, query = case["expected"], case["products"][0], case["query"]
    only_of(expected, *QUANTITIES)
    pack = number(product.get("pack_size") or 1)
    if "packs" in query:  # sold in whole packages alone: the package is its only unit
        checked = check_quantity(UnitInfo("pack"), number(query["packs"]))
    else:
        minimum = number(product.get("min_order_qty") or pack)
        unit = UnitInfo(
            "pcs",
            minimum=minimum,
            step=number(product.get("order_multiple") or pack),
            maximum=number(product["max_order_qty"]) if product.get("max_order_qty") is not None else None,
        )
        checked = check_quantity(unit, number(query["qty"]))
    for name, wanted in expected.items():
        if name in PROPOSED and checked.rounded != exact(wanted):
            return f"{name} is {checked.rounded}, {wanted} is expected"
    wanted = expected.get("accepted", not expected["refused"] if "refused" in expected else None)
    return "" if wanted is None else _same("accepted", checked.ok, wanted)


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
    if "lines" in case["query"]:
        try:
            return _document(case, world)
        except Invalid as error:  # a discount by hand on what has no price
            raise Unsupported(f"{error.message}") from error
    if "discount_applies" in expected:
        only_of(expected, "discount_applies")
        return _same("discount_applies", _discount_applies(world), expected["discount_applies"])
    if "error" in expected:
        only_of(expected, "error")
        return _same("error", _is_refused(world), True)
    if _takes_off_line(case):
        only_of(expected, "unit_price", "line_net", "line_total", "order_total")
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
        found, target = check(line, case, world), wanted if name == "unit_price_exact" else exact(wanted)
        if found != target and not (found is None and target == 0 and name in SHOWN_DISCOUNTS):
            _another_rounding(name, found, target, case)
            return f"{name} is {found}, {target} is expected; {line!r} from {line.source or 'nothing'}"
    if case.get("winning_rule") and line.price is None and expected.get("unit_price") is not None:
        return f"no rule decided, {case['winning_rule']} should"
    return ""


def _another_rounding(name: str, found: Any, target: Any, case: Mapping[str, Any]) -> None:
    """Raise Unsupported where only the rounding differs: finer unit prices, or sums rounded in another order."""
    if not isinstance(found, Decimal) or not isinstance(target, Decimal):
        return
    if name == "unit_price" and decimals_of(target) > max(2, decimals_of(found)) and round_to(target, 2) == found:
        raise Unsupported("unit prices finer than the list price and the currency")
    if case.get("portability") in ("rounding", "tax") and name != "unit_price" and abs(found - target) == CENT:
        raise Unsupported("sums that are rounded in another order")


def _takes_off_line(case: Mapping[str, Any]) -> bool:
    """Tell whether what the rules take off is taken off by a promotion: by a voucher, or off a price set by hand."""
    by_hand = case["source"].get("system") in BEST_OF and case["query"].get("manual_price") is not None
    off = [rule for rule in case["rules"] if rule["kind"] in ("percent", "amount_off")]
    return any(rule["scope"] == VOUCHER for rule in case["rules"]) or (by_hand and bool(off))


def _voucher(case: Mapping[str, Any], world: World) -> str:
    """Take the voucher off the line, and compare what a unit costs then."""
    quantity = number(case["query"].get("qty", 1))
    net = _net(world.price(), case, world)
    assert net is not None
    line = promotions_world.Item("1", 1, quantity, net, agreed=True)
    names = {str(case["query"].get("product") or next(iter(world.products))): 1}
    saved = sum((one.total for one in promotions_world.off_a_line(case, line, world.currency, names)), Decimal(0))
    figures = {"unit_price": (net - saved) / quantity} | dict.fromkeys(
        ("line_net", "line_total", "order_total"), net - saved
    )
    wrong = [_same(name, figures[name], exact(wanted)) for name, wanted in case["expected"].items()]
    return "; ".join(one for one in wrong if one)


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
    """Compare the sums of an order: its lines, each with what comes off it by hand, and what comes off the whole."""
    query, expected = case["query"], case["expected"]
    percents = query.get("order_discounts_percent") or [query.get("order_discount_percent") or 0]
    stated = str(query.get("tax") or next((p["tax"] for p in case["products"] if p.get("tax")), "0"))
    if len({str(p.get("tax", "")) for p in case["products"]}) > 1 or "fixed" in stated or "incl" in stated:
        raise Unsupported("orders of articles that are taxed in several ways")
    rate = sum(number(part.strip().split("%")[0].strip()) for part in stated.split("+"))
    treatment, lines, full = Treatment("standard", "S", rate), [], []
    for row in query["lines"]:
        name, quantity = (row["product"], row.get("qty", 1)) if isinstance(row, dict) else row[:2]
        of_line = {k: v for k, v in row.items() if k not in ("product", "qty")} if isinstance(row, dict) else {}
        line = world.price(number(quantity), name, of_line)
        if line.price is not None:
            lines.append(TotalLine(line_net(number(quantity), line.price, line.per, world.currency), treatment))
        full.append(line_net(number(quantity), line.list_price or line.price or Decimal(0), line.per, world.currency))
    before = reduced = tuple(lines)
    for percent in percents:
        reduced = discounted(reduced, number(percent), world.currency)
    first, after = totals(before, world.currency), totals(reduced, world.currency)
    figures = {
        "undiscounted": sum(full, Decimal(0)), "order_untaxed": after.net, "order_net": after.net,
        "order_discount": first.net - after.net, "tax": after.tax, "order_total": after.gross,
    }  # fmt: skip
    only_of(expected, *figures)
    for name, wanted in expected.items():
        if name in figures and figures[name] != exact(wanted):
            _another_rounding(name, figures[name], exact(wanted), case)
            return f"{name} is {figures[name]}, {wanted} is expected"
    return ""


def _net(line: PriceLine, case: Mapping[str, Any], world: World) -> Decimal | None:
    quantity = number(case["query"].get("qty", 1))
    return None if line.price is None else line_net(quantity, line.price, line.per, world.currency)


def _rate(case: Mapping[str, Any]) -> Decimal:
    stated = str(case["query"].get("tax_mapping") or case["products"][0].get("tax") or "0%").rpartition("->")[2]
    return sum((number(part.strip().split("%")[0].strip()) for part in stated.split("+")), Decimal(0))


def _tax(line: PriceLine, case: Mapping[str, Any], world: World) -> Decimal:
    return totals([TotalLine(_net(line, case, world), Treatment("standard", "S", _rate(case)))], world.currency).tax


def _gross(line: PriceLine, case: Mapping[str, Any], world: World) -> Decimal:
    treatment = Treatment("standard", "S", _rate(case))
    return totals([TotalLine(_net(line, case, world), treatment)], world.currency).gross


def _undiscounted(line: PriceLine, case: Mapping[str, Any], world: World) -> Decimal | None:
    quantity = number(case["query"].get("qty", 1))
    return None if line.list_price is None else line_net(quantity, line.list_price, line.per, world.currency)


def _shown(line: PriceLine, case: Mapping[str, Any], world: World) -> Decimal | None:
    """Return the price before what is shown as a discount: the list price, if there is less to pay."""
    if any(rule.get("base") == "cost" for rule in case["rules"]) and line.source != "list" and not line.list_price:
        raise Unsupported("discounts that are shown off the cost")
    return line.list_price if _view(line, world).discount is not None else line.price


def _was(line: PriceLine, case: Mapping[str, Any], world: World) -> Decimal | None:
    """Return the price without the sale; without sales it is the list price."""
    if any(rule.get("list_type") == "override" for rule in world.rules) and not world.sales:
        return line.price
    return world.before_sales().price if world.of_lists else line.list_price


def _view(line: PriceLine, world: World) -> display.PriceView:
    return display.view(line, world.currency)


def _line_discount(line: PriceLine, case: Mapping[str, Any], world: World) -> Decimal | None:
    quantity = number(case["query"].get("qty", 1))
    less = _view(line, world).discount
    return None if less is None else line_net(quantity, less, line.per, world.currency)


CENT = Decimal("0.01")
#: No discount is shown where there is none.
SHOWN_DISCOUNTS = (
    "discount_amount",
    "discount_percent",
    "discount_percent_shown",
    "discount_percent_total",
    "line_discount",
)
CHECKS: dict[str, Callable[[PriceLine, Mapping[str, Any], World], Any]] = {
    "unit_price": lambda line, case, world: None if line.price is None else line.price / line.per,
    "unit_price_exact": lambda line, case, world: str(line.price),
    "unit_price_shown": _shown,
    "was_price": _was,
    "undiscounted": _undiscounted,
    "currency": lambda line, case, world: world.currency,
    "per": lambda line, case, world: line.unit,
    "line_net": _net,
    "order_untaxed": _net,
    "order_total": _gross,
    "line_total": _gross,
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
