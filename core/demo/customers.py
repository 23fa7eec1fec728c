"""The demo's buying companies: sixty in six countries, as trees, with valid public identifiers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from core.demo import identifiers
from core.demo.assortment import Row

# code | name | parent | country | city | postal code | segments
_DIRECTORY = """
VIRTANEN|Virtanen-yhtiöt Oy||FI|Tampere|33100|gold
KONEPAJA|Konepaja Virtanen Oy|VIRTANEN|FI|Tampere|33960|gold
KONEPAJA-SJK|Konepaja Virtanen Seinäjoki Oy|KONEPAJA|FI|Seinäjoki|60100|gold
VIRTHUOLTO|Virtanen Teollisuushuolto Oy|VIRTANEN|FI|Nokia|37100|gold;maintenance
TELAKKA|Länsirannikon Telakkatyö Oy||FI|Rauma|26100|marine;gold
TELAKKA-TKU|Telakkatyö Turku Oy|TELAKKA|FI|Turku|20100|marine
TELAKKA-HEL|Telakkatyö Helsinki Oy|TELAKKA|FI|Helsinki|00150|marine
POHJARAK|Pohjan Rakennus Oy||FI|Oulu|90100|construction
POHJARAK-ROI|Pohjan Rakennus Rovaniemi Oy|POHJARAK|FI|Rovaniemi|96100|construction
POHJARAK-KAJ|Pohjan Rakennus Kajaani Oy|POHJARAK|FI|Kajaani|87100|construction
HAMEPUTKI|Hämeen Putkityö Oy||FI|Hämeenlinna|13100|construction;silver
SAIMAAKONE|Saimaan Kone Oy||FI|Lappeenranta|53100|silver
SAVOLVI|Savon LVI Oy||FI|Kuopio|70100|construction
JYVASKONE|Jyväs-Kone Oy||FI|Jyväskylä|40100|silver
KAINUUMETALLI|Kainuun Metalli Oy||FI|Sotkamo|88600|
VAASASAHKO|Vaasan Energiatekniikka Oy||FI|Vaasa|65100|maintenance
POHJANMAANTERAS|Pohjanmaan Teräs Oy||FI|Kokkola|67100|gold
KYMIPAPERI|Kymin Paperikone Oy||FI|Kouvola|45100|maintenance;silver
ESPOORAK|Espoon Asuntorakentajat Oy||FI|Espoo|02100|construction
VANTAANHITSI|Vantaan Hitsaus Oy||FI|Vantaa|01300|
PORINKONE|Porin Konehuolto Oy||FI|Pori|28100|maintenance
MIKKELINPUU|Mikkelin Puutaito Oy||FI|Mikkeli|50100|
LAHDENLAAKERI|Lahden Laakeriasennus Oy||FI|Lahti|15100|maintenance
AHVENSHIP|Åland Ship Service Ab||FI|Mariehamn|22100|marine
KEMINNOSTO|Kemin Nosturi Oy||FI|Kemi|94100|silver
SALOKONE|Salon Elementti Oy||FI|Salo|24100|construction
NORDBYGG|Nordbygg AB||SE|Stockholm|111 20|construction;silver
NORDBYGG-GBG|Nordbygg Göteborg AB|NORDBYGG|SE|Göteborg|411 04|construction
NORDBYGG-MMX|Nordbygg Malmö AB|NORDBYGG|SE|Malmö|211 20|construction
SVEAMEK|Svea Mekaniska AB||SE|Västerås|722 11|gold
SVEAMEK-ESK|Svea Mekaniska Eskilstuna AB|SVEAMEK|SE|Eskilstuna|632 20|gold
NORRLANDRO|Norrlands Rör AB||SE|Umeå|903 26|construction
LULEGRUV|Lule Gruvservice AB||SE|Luleå|972 31|maintenance
KARLSKRVARV|Karlskrona Varvsteknik AB||SE|Karlskrona|371 31|marine
SMALANDLAGER|Smålands Lager AB||SE|Jönköping|553 16|silver
DALAMASKIN|Dala Maskin AB||SE|Falun|791 30|
BALTEHITUS|Balti Ehitus OÜ||EE|Tallinn|10111|construction
BALTEHITUS-TRT|Balti Ehitus Tartu OÜ|BALTEHITUS|EE|Tartu|50090|construction
SADAMATEH|Sadama Tehnika AS||EE|Tallinn|10415|marine
PARNUMET|Pärnu Metall OÜ||EE|Pärnu|80010|silver
NARVAENERG|Narva Energiahooldus OÜ||EE|Narva|20308|maintenance
VILJANDIPUIT|Viljandi Puit OÜ||EE|Viljandi|71020|
STALMEX|Stalmex Sp. z o.o.||PL|Katowice|40-001|gold
STALMEX-GDA|Stalmex Gdańsk Sp. z o.o.|STALMEX|PL|Gdańsk|80-001|gold;marine
STALMEX-WRO|Stalmex Wrocław Sp. z o.o.|STALMEX|PL|Wrocław|50-001|gold
STALMEX-OPO|Stalmex Opole Sp. z o.o.|STALMEX-WRO|PL|Opole|45-001|gold
BUDOWNIK|Budownik Warszawa S.A.||PL|Warszawa|00-001|construction
HYDROPOL|Hydropol Łódź Sp. z o.o.||PL|Łódź|90-001|silver
POZNASZYNY|Poznańskie Maszyny S.A.||PL|Poznań|60-001|maintenance
LUBLOZYSKA|Łożyska Lublin Sp. z o.o.||PL|Lublin|20-001|
MARMARA|Marmara Makina Sanayi A.Ş.||TR|İstanbul|34000|gold
MARMARA-KOC|Marmara Makina Kocaeli A.Ş.|MARMARA|TR|Kocaeli|41000|gold
IZMIRTERSANE|İzmir Tersane Hizmetleri Ltd. Şti.||TR|İzmir|35000|marine
ANKARAYAPI|Ankara Yapı Malzemeleri Ltd. Şti.||TR|Ankara|06000|construction
HANSEMASCH|Hanse Maschinenbau GmbH||DE|Hamburg|20095|gold
HANSEMASCH-KIE|Hanse Maschinenbau Kiel GmbH|HANSEMASCH|DE|Kiel|24103|marine
RUHRTECHNIK|Ruhrtechnik GmbH||DE|Essen|45127|maintenance
ISARBAU|Isarbau GmbH||DE|München|80331|construction
SACHSENLAGER|Sachsenlager GmbH||DE|Leipzig|04103|silver
BODENSEEWERFT|Bodensee Werft GmbH||DE|Konstanz|78462|marine
"""
_LANGUAGES = {"FI": "fi", "PL": "pl", "TR": "tr"}
_CURRENCIES = {"SE": "SEK", "PL": "PLN", "TR": "TRY"}
_PHONES = {
    "FI": "+358 50 555",
    "SE": "+46 70 555",
    "EE": "+372 555",
    "PL": "+48 555 01",
    "TR": "+90 555 55",
    "DE": "+49 151 555",
}
_STREETS = {
    "FI": ("Tehtaankatu", "Teollisuustie", "Konepajankuja", "Satamatie", "Varastokatu", "Koulukatu"),
    "SE": ("Industrigatan", "Hamngatan", "Verkstadsvägen", "Lagervägen"),
    "EE": ("Tööstuse tee", "Sadama tn", "Lao tn"),
    "PL": ("ul. Przemysłowa", "ul. Portowa", "ul. Fabryczna"),
    "TR": ("Sanayi Caddesi", "Liman Caddesi", "Atatürk Bulvarı"),
    "DE": ("Industriestraße", "Hafenstraße", "Werkstraße"),
}  # fmt: skip
SALES_REPS = ("sales@tukku.example", "kirsi.lahti@tukku.example", "jukka.aho@tukku.example")


@dataclass(frozen=True, slots=True)
class Customer:
    """A buying company of the demo; `place` is its position in the directory."""

    place: int
    code: str
    name: str
    parent: str
    country: str
    city: str
    postal_code: str
    segments: tuple[str, ...]

    @property
    def currency(self) -> str:
        """Nordbygg buys in euros although it is Swedish; one Turkish company buys in dollars."""
        if self.code.startswith("NORDBYGG"):
            return "EUR"
        return "USD" if self.code == "IZMIRTERSANE" else _CURRENCIES.get(self.country, "EUR")

    @property
    def language(self) -> str:
        """English where the shop does not speak the country's language."""
        return _LANGUAGES.get(self.country, "en")

    @property
    def domain(self) -> str:
        """The mail domain of its people."""
        return f"{self.code.lower()}.example"

    @property
    def sales_rep(self) -> str:
        """The showcase companies belong to the sales desk, the others to one of the representatives."""
        return SALES_REPS[0] if self.code in ("KONEPAJA", "NORDBYGG") else SALES_REPS[self.place % 3]

    @property
    def ship_sites(self) -> int:
        """How many delivery sites it has, one to three."""
        return 1 + (self.place * 7 + len(self.code)) % 3 if not self.parent else 1

    @property
    def phone(self) -> str:
        """A number that nobody has."""
        return f"{_PHONES[self.country]} {1000 + self.place * 37}"


def customers() -> tuple[Customer, ...]:
    """Return the directory, parents before their subsidiaries."""
    rows = (line.split("|") for line in _DIRECTORY.strip().splitlines())
    return tuple(
        Customer(place, code, name, parent, country, city, postal, tuple(filter(None, segments.split(";"))))
        for place, (code, name, parent, country, city, postal, segments) in enumerate(rows)
    )


def public_ids(country: str, place: int) -> tuple[str, str]:
    """Return a business id and a VAT id with right check digits."""
    if country == "FI":
        number = _first(identifiers.finnish_id, 2_900_000 + place * 101)
        return number, "FI" + number.replace("-", "")
    if country == "SE":
        number = identifiers.swedish_id(556_900_000 + place * 1013)
        return number, f"SE{number.replace('-', '')}01"
    if country == "EE":
        return identifiers.estonian_id(1_600_000 + place * 103), "EE" + identifiers.estonian_vat(10_200_000 + place * 107)
    if country == "PL":
        number = _first(identifiers.polish_id, 634_500_000 + place * 1009)
        return number, f"PL{number}"
    if country == "TR":
        number = identifiers.turkish_id(612_000_000 + place * 1021)
        return number, number
    return f"HRB {50_000 + place * 11}", "DE" + identifiers.german_vat(28_400_000 + place * 109)


def _first(make: Callable[[int], str | None], number: int) -> str:
    while (found := make(number)) is None:
        number += 1
    return found


def company_rows(buyers: Sequence[Customer]) -> Iterator[Row]:
    """Yield the rows of companies.csv."""
    for buyer in buyers:
        business_id, vat_id = public_ids(buyer.country, buyer.place)
        yield {
            "code": buyer.code,
            "name": buyer.name,
            "parent": buyer.parent,
            "country": buyer.country,
            "business_id": business_id,
            "vat_id": vat_id,
            "language": buyer.language,
            "currency": buyer.currency,
            "segments": ";".join(buyer.segments),
            "email": f"purchasing@{buyer.domain}",
            "phone": buyer.phone,
            "status": "blocked" if buyer.code == "DALAMASKIN" else "active",
            "sales_rep": buyer.sales_rep,
        }


def address_rows(buyers: Sequence[Customer]) -> Iterator[Row]:
    """Yield the rows of addresses.csv: one place for invoices and one to three for deliveries."""
    for buyer in buyers:
        streets = _STREETS[buyer.country]
        for site in range(buyer.ship_sites + 1):
            street = streets[(buyer.place + site) % len(streets)]
            yield {
                "company": buyer.code,
                "code": "BILL" if site == 0 else f"SITE{site}",
                "use": "bill_to" if site == 0 else "ship_to",
                "name": buyer.name,
                "street": f"{street} {buyer.place % 40 + site * 3 + 1}",
                "street2": "" if site != 1 else ("Portti 2" if buyer.country == "FI" else "Gate 2"),
                "postal_code": buyer.postal_code,
                "city": buyer.city,
                "region": "",
                "country": buyer.country,
                "contact": "",
                "phone": buyer.phone,
                "instructions": "Goods in 7-15, ring the bell at the gate." if site == 1 and buyer.place % 3 == 0 else "",
                "default": "yes" if site < 2 else "no",
            }
