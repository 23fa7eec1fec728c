"""Cost centres and budgets of two of the demo's customers, and on which of them their orders were put."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from core.demo.assortment import Row

_CENTRES = (  # company, code, name, who answers for it, amount by the month, what becomes of an order that exceeds it
    ("KONEPAJA", "4100-MAINT", "Maintenance", "pekka@konepaja.example", "6000", "require"),
    ("KONEPAJA", "4200-ASSEMBLY", "Assembly", "pekka@konepaja.example", "2500", "block"),
    ("KONEPAJA", "4300-TOOLS", "Tools and consumables", "minna@konepaja.example", "2400", "warn"),
    ("NORDBYGG", "STHLM", "Stockholm sites", "", "9000", "require"),
    ("NORDBYGG", "SERVICE", "Service vans", "", "1200", "warn"),
)

#: Whose orders go where unless they choose another.
_PEOPLE = {"4100-MAINT": "anna@konepaja.example", "STHLM": "erik@nordbygg.example"}


def cost_centre_rows() -> Iterator[Row]:
    """Yield the rows of cost_centres.csv."""
    for company, code, name, owner, _amount, _mode in _CENTRES:
        yield {
            "company": company,
            "code": code,
            "name": name,
            "owner": owner,
            "active": "yes",
            "people": _PEOPLE.get(code, ""),
        }


def budget_rows(today: date) -> Iterator[Row]:
    """Yield the rows of budgets.csv; the budgets count what was ordered in the last months."""
    for company, code, _name, _owner, amount, mode in _CENTRES:
        yield {
            "company": company, "cost_centre": code, "period": "month", "amount": amount, "mode": mode,
            "carry_over": "left" if mode == "warn" else "none", "starts": (today - timedelta(days=150)).isoformat(),
        }  # fmt: skip


def order_cost_centre_rows(orders: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows of order_cost_centres.csv: the orders of these companies take their cost centres in turn."""
    turn = {company: [c[1] for c in _CENTRES if c[0] == company] for company, *_rest in _CENTRES}
    for place, order in enumerate(orders):
        codes = turn.get(order["company"], [])
        if codes:
            yield {"order": order["number"], "line": "", "cost_centre": codes[place % len(codes)]}
