"""The demo's rules of approval: of the two companies that it shows, of a group, and of the merchant itself."""

from collections.abc import Iterator

from core.demo.assortment import Row

_RULES = (  # company ('' is the merchant), name, effect, conditions, steps
    ("KONEPAJA", "Larger orders", "require", "", "500|approver|1|1;5000|company_admin|1|2"),
    ("KONEPAJA", "Bearings are looked at", "require", "category in bearings;total > 250", "|pekka@konepaja.example|1|1"),
    ("KONEPAJA", "Spare parts need nobody", "bypass", "category in seals;total <= 250", ""),
    ("NORDBYGG", "Above 1 000", "require", "total > 1000", "|approver|1|1"),
    ("NORDBYGG", "Never above 100 000", "deny", "total > 100000", ""),
    ("VIRTANEN", "The group decides on large orders", "require", "total > 20000", "|liisa.laine@virtanen.example|1|3"),
    ("", "More than 35 percent below list", "require", "discount > 35", "|sales|1|1"),
    ("", "Large orders", "require", "total > 25000", "|sales|1|1;50000|admin|1|2"),
    ("", "First order of a new customer", "require", "first in yes", "|sales|1|1"),
)


def approval_rows() -> Iterator[Row]:
    """Yield the rows of approval_rules.csv."""
    for company, name, effect, when, steps in _RULES:
        yield {"company": company, "name": name, "effect": effect, "when": when, "steps": steps}
