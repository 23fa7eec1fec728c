"""What of an order counts: one setting for limits, budgets and the total of rules, said beside their numbers.

An order counts with or without tax, and with or without freight and charges. What comes off the whole order comes off its
goods. A part of an order without freight bears its part of the tax; with freight the whole tax counts, to the last cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from babel.support import LazyProxy

from core.api.data import current_actor, once
from core.api.hooks import OrderDraft, SettingSpec
from core.api.i18n import translations
from core.api.orders import discounts_of
from core.api.pricing import round_money
from core.api.settings import get, get_each

_, _l, ngettext, _p = translations(__name__)
OWNER, KEY = "approval_chain", "amount_basis"
NET, NET_GOODS, GROSS, GROSS_GOODS = "net", "net_goods", "gross", "gross_goods"
BASES = (NET, NET_GOODS, GROSS, GROSS_GOODS)
TAXED, GOODS = (GROSS, GROSS_GOODS), (NET_GOODS, GROSS_GOODS)
TITLES = {
    NET: _l("Total without tax"), NET_GOODS: _l("Total without tax and freight"), GROSS: _l("Total with tax"),
    GROSS_GOODS: _l("Total with tax, without freight"),
}  # fmt: skip
COUNTED = {
    NET: _l("Goods and freight without tax."), NET_GOODS: _l("Goods without tax and freight."),
    GROSS: _l("Goods and freight with tax."), GROSS_GOODS: _l("Goods with tax, without freight."),
}  # fmt: skip
SETTING = SettingSpec(
    KEY, BASES, NET, _l("What of an order counts"),
    _l("For limits, budgets and the total of rules alike. What is entered in a budget already stays as it was counted."),
    ("deployment", "segment", "company"), choices=tuple(TITLES.items()), group=_l("Approval of orders"),
)  # fmt: skip


def of(company_id: int | None) -> str:
    """Return the basis for orders of a company; None: of the deployment."""
    return of_each([company_id])[company_id] if company_id is not None else str(get(OWNER, KEY))


def of_each(company_ids: Iterable[int]) -> Mapping[int, str]:
    """Return the basis for orders of each company; statements do not grow with them."""
    ids = tuple(sorted(set(company_ids)))
    return once(("approval_chain.basis", ids), lambda: _of_each(ids))


def _of_each(ids: Sequence[int]) -> Mapping[int, str]:
    return (
        get_each(OWNER, KEY, ids)
        if len(ids) > 1
        else {company_id: get(OWNER, KEY, company=company_id) for company_id in ids}
    )


def counted(company_id: int | None) -> str:
    """Say what counts, for beside the numbers."""
    return str(COUNTED[of(company_id)])


#: The total of rules, as it is called for the company for which the reader buys.
TITLE = LazyProxy(lambda: str(TITLES[of(current_actor().company_id)]), enable_cache=False)


def amounts(drafts: Sequence[OrderDraft], bases: Mapping[int, str] | None = None) -> list[Decimal]:
    """Return what of each order counts, in its currency; one statement where some count without freight.

    ``bases`` are those of their companies, by default as the settings say.
    """
    bases = of_each(d.company_id for d in drafts) if bases is None else bases
    return [part(bases[d.company_id], d, off) for d, off in zip(drafts, _off(drafts, bases), strict=True)]


def _off(drafts: Sequence[OrderDraft], bases: Mapping[int, str]) -> list[Decimal]:
    bare = any(bases[draft.company_id] in GOODS for draft in drafts)
    return discounts_of(drafts) if bare else [Decimal(0)] * len(drafts)


def part(basis: str, order: Any, off: Decimal = Decimal(0)) -> Decimal:
    """Return what of an order counts on a basis; ``order`` has net, charges_net, gross and currency.

    ``off`` is what comes off the whole of it, 0 or less; asked for without freight only.
    """
    whole: Decimal = order.net + order.charges_net
    counts = max(order.net + off, Decimal(0)) if basis in GOODS else whole
    if basis not in TAXED:
        return counts
    return round_money(counts * order.gross / whole, order.currency) if whole else Decimal(order.gross)


def of_line(basis: str, net: Decimal, tax_rate: Decimal | None) -> Decimal:
    """Return what of a line counts, not rounded; ``tax_rate`` in percent."""
    return net * (100 + (tax_rate or 0)) / 100 if basis in TAXED else net
