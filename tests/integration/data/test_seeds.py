"""Reference data: loaded again it changes nothing, brings news, and leaves alone what people changed or deleted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import select

from core.data.db import db
from core.data.seeds import Loaded, load
from core.data.write import write
from core.pricing.models import TaxRate
from core.pricing.reference import SEEDS
from core.spec.app import Seed


def test_news_come_in_and_what_people_changed_stays(data_app):
    rates = {"FI": "24", "SE": "25", "PL": "23", "DE": "19"}

    def rows():
        for country, rate in rates.items():
            values = {"country": country, "category": "standard", "rate": Decimal(rate), "valid_from": date(2020, 1, 1)}
            yield country, values

    with write() as session:
        own = TaxRate(country="DE", category="standard", rate=Decimal(16), valid_from=date(2020, 7, 1))
        session.add(own)
    seed = Seed("rates", TaxRate, rows, ("country", "category"))
    assert load("shop", seed) == Loaded(added=3, kept=1)
    assert load("shop", seed) == Loaded(kept=1)
    with write() as session:
        found = {rate.country: rate for rate in session.scalars(select(TaxRate))}
        found["SE"].rate = Decimal(6)
        session.delete(found["PL"])
    rates.update(FI="25.5", SE="26", PL="24", EE="24")
    assert load("shop", seed) == Loaded(added=1, updated=1, kept=3)
    found = {rate.country: rate.rate for rate in db.session.scalars(select(TaxRate))}
    assert found == {"FI": Decimal("25.5"), "SE": 6, "DE": 16, "EE": 24}
    assert load("shop", seed) == Loaded(kept=3)


def test_the_rates_of_europe_load(data_app):
    done = load("pricing", SEEDS[0])
    assert done.added > 50
    assert load("pricing", SEEDS[0]) == Loaded()
