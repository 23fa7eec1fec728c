"""A year of orders that ends today: seasons, favourites bought again, and prices as agreed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from core.demo.articles import Article, Package, number
from core.demo.assortment import Row
from core.demo.customers import Customer
from core.demo.people import orderers
from core.demo.terms import SHOWCASE_SKU, Pricer

# How busy a month is, in per cent of an ordinary one.
_SEASON = (80, 85, 100, 115, 125, 120, 70, 105, 120, 115, 100, 65)
_CONSTRUCTION = (55, 60, 90, 125, 145, 140, 95, 130, 130, 105, 75, 50)
_NOTES = (
    "",
    "",
    "",
    "",
    "",
    "Please pack by site.",
    "Call before delivery.",
    "Replacement for the spring service.",
)
#: What is priced by the hundred is also bought by more than the piece.
_SMALL_PARTS = 20
_FREE_FREIGHT_FROM = {"EUR": 250, "SEK": 2800, "PLN": 1000, "USD": 280, "TRY": 9800}
_FREIGHT = {"EUR": "12.9", "SEK": "149", "PLN": "59", "USD": "15", "TRY": "520"}


@dataclass(frozen=True, slots=True)
class Order:
    """One past order with its finished rows."""

    row: Row
    lines: tuple[Row, ...]


class History:
    """Draws the orders of all companies; the same seed and day give the same orders."""

    def __init__(self, goods: Sequence[Article], buyers: Sequence[Customer], pricer: Pricer, seed: int) -> None:
        self._rng = random.Random(f"{seed}/orders")  # noqa: S311 - sample data, not a secret
        self._goods = {article.sku: article for article in goods}
        self._buyers = [buyer for buyer in buyers if buyer.code != "DALAMASKIN"]
        self._pricer = pricer
        self._favourites = {buyer.code: self._choose(buyer) for buyer in self._buyers}

    def favourites(self, code: str) -> tuple[Article, ...]:
        """Return what a company buys again and again."""
        return tuple(article for article, _ in self._favourites[code])

    def orders(self, until: datetime, count: int) -> Iterator[Order]:
        """Yield about `count` orders in the order of their dates, the last six from the day and the hour before `until`."""
        today = until.date()
        moments = sorted(self._moment(today) for _ in range(count - 6))
        moments += _last_moments(until, 6)
        weights = [5 if b.code in ("KONEPAJA", "NORDBYGG") else 1 + (b.place * 3) % 4 for b in self._buyers]
        for place, moment in enumerate(moments):
            pull = [w * _busy(b, moment) for w, b in zip(weights, self._buyers, strict=True)]
            buyer = self._rng.choices(self._buyers, pull)[0]
            if place >= len(moments) - 2:
                buyer = next(b for b in self._buyers if b.code == ("KONEPAJA", "NORDBYGG")[place - len(moments)])
            lines = tuple(self._lines(buyer, moment.date(), str(100_001 + place)))
            if lines:
                yield self._order(buyer, moment, str(100_001 + place), lines, today)

    def _moment(self, today: date) -> datetime:
        """Draw a working hour of the year before today; weekends are nearly empty."""
        while True:
            day = today - timedelta(days=self._rng.randint(1, 365))
            if day.weekday() < 5 or self._rng.random() < 0.05:
                return datetime.combine(day, time(self._rng.randint(6, 15), self._rng.randint(0, 59)))

    def _choose(self, buyer: Customer) -> list[tuple[Article, int]]:
        """Choose what a company buys again and again, with the size of its usual order in packages."""
        liked = _taste(buyer)
        pool = [a for a in self._goods.values() if a.status == "active" and a.packages[0].unit]
        preferred = [a for a in pool if a.picture in liked] or pool
        size = self._rng.randint(14, 40)
        chosen = self._rng.sample(preferred, min(len(preferred), size * 2 // 3))
        chosen += self._rng.sample(pool, min(len(pool), size // 3))
        if buyer.code in ("KONEPAJA", "NORDBYGG"):
            chosen.insert(0, self._goods[SHOWCASE_SKU])
        return [(article, self._rng.randint(1, 8)) for article in dict.fromkeys(chosen)]

    def _lines(self, buyer: Customer, day: date, order: str) -> Iterator[Row]:
        favourites = self._favourites[buyer.code]
        count = min(len(favourites), 1 + int(self._rng.expovariate(0.22)))
        weights = [len(favourites) - place for place in range(len(favourites))]
        chosen = dict.fromkeys(self._rng.choices(favourites, weights, k=count))
        line = 0
        for article, usual in chosen:
            package = self._package(article)
            quantity = self._quantity(article, package, usual)
            price = self._pricer.price(buyer.code, article.sku, quantity * package.factor, day)
            if price is not None:
                line += 1
                per = article.per if package.factor == 1 else 1  # by the hundred are pieces, never boxes
                yield {
                    "order": order,
                    "line": str(line),
                    "sku": article.sku,
                    "unit": package.unit,
                    "quantity": number(quantity),
                    "unit_price": number(price * package.factor * per / article.per),
                    "per": number(per),
                    "discount_percent": "",
                    "shipped": "",
                }

    def _package(self, article: Article) -> Package:
        """Buy by the piece or metre, and by the box where its price is the pieces' price."""
        boxes = [p for p in article.packages[1:] if p.unit in ("box", "pcs") and p.own_price is None]
        return boxes[0] if boxes and self._rng.random() < 0.35 else article.packages[0]

    def _quantity(self, article: Article, package: Package, usual: int) -> Decimal:
        if package.unit == "m":
            return Decimal(self._rng.randint(2, 60)) / 2
        if package.unit == "box":
            return Decimal(max(1, usual // 2 + self._rng.randint(-1, 1)))
        spread = usual * self._rng.choice((1, 2, 5, 10))
        return max(package.minimum, package.step * spread * (_SMALL_PARTS if article.per > 1 else 1))

    def _order(self, buyer: Customer, moment: datetime, code: str, lines: tuple[Row, ...], today: date) -> Order:
        age = (today - moment.date()).days
        state = self._state(age)
        shipped = tuple({**line, "shipped": self._shipped(line, state, age)} for line in lines)
        net = sum(_net(line) for line in lines)
        free = net >= _FREE_FREIGHT_FROM[buyer.currency]
        row = {
            "number": code,
            "company": buyer.code,
            "user": self._orderer(buyer),
            "date": moment.isoformat(timespec="minutes"),
            "currency": buyer.currency,
            "po_number": f"PO-{moment.year}-{self._rng.randint(1000, 9999)}" if self._rng.random() < 0.8 else "",
            "ship_to": f"SITE{self._rng.randint(1, buyer.ship_sites)}",
            "bill_to": "BILL",
            "state": state,
            "note": self._rng.choice(_NOTES),
            "rounding": "line",
            "completed": (moment + timedelta(days=2 + age % 3)).isoformat(timespec="minutes")
            if state == "completed"
            else "",
            "freight": "0" if free else _FREIGHT[buyer.currency],
        }
        return Order(row, shipped)

    def _orderer(self, buyer: Customer) -> str:
        """Draw who ordered: mostly the same person."""
        people = orderers(buyer)
        return self._rng.choices(people, [4] + [1] * (len(people) - 1))[0]

    def _state(self, age: int) -> str:
        if self._rng.random() < 0.02:
            return "cancelled"
        if age > 16:
            return "completed"
        return "submitted" if age < 2 and self._rng.random() < 0.7 else "confirmed"

    def _shipped(self, line: Row, state: str, age: int) -> str:
        if state == "completed":
            return line["quantity"]
        return line["quantity"] if state == "confirmed" and age > 4 and self._rng.random() < 0.6 else "0"


def _last_moments(until: datetime, count: int) -> Iterator[datetime]:
    """Yield moments of the day of `until`, at even distances within the hour before it."""
    end = until.astimezone(UTC)
    midnight = datetime.combine(until, time.min, until.tzinfo).astimezone(UTC)
    span = min(end - midnight, timedelta(hours=1))
    for step in range(count, 0, -1):
        yield (end - span * step / (count + 1)).astimezone(until.tzinfo).replace(tzinfo=None)


def _net(line: Row) -> Decimal:
    return Decimal(line["quantity"]) * Decimal(line["unit_price"]) / Decimal(line["per"])


def _busy(buyer: Customer, moment: datetime) -> int:
    curve = _CONSTRUCTION if "construction" in buyer.segments else _SEASON
    return curve[moment.month - 1]


def _taste(buyer: Customer) -> set[str]:
    """Return the product families that a company mostly buys, by its segment."""
    fixings = {"hex-bolt", "hex-nut", "washer", "socket-head"}
    if "construction" in buyer.segments:
        return {"elbow", "tee", "socket", "nipple", "pipe", "hex-bolt", "threaded-rod", "ball-valve"}
    if "marine" in buyer.segments:
        return {"hex-bolt-shank", "ball-valve", "gasket", "elbow", "tee", "pipe"}
    if "maintenance" in buyer.segments:
        return {"ball-bearing", "taper-bearing", "pillow-block", "o-ring", "circlip-shaft", "circlip-bore"}
    return fixings | ({"ball-bearing", "lock-nut"} if buyer.place % 2 else {"countersunk", "o-ring"})


def item_code_rows(favourites: Sequence[tuple[Customer, Sequence[Article]]]) -> Iterator[Row]:
    """Yield the rows of item_codes.csv: what some companies call the articles they often buy."""
    for buyer, goods in favourites:
        for place, article in enumerate(goods):
            yield {
                "company": buyer.code,
                "code": f"{buyer.code[:2]}-{100_000 + place * 10}",
                "sku": article.sku,
            }
