"""The demo's people: the merchant's staff, and buyers in every role of every company."""

from collections.abc import Iterator, Sequence

from core.demo.assortment import Row
from core.demo.customers import Customer

_STAFF = (
    ("admin@tukku.example", "Aino Admin", "admin"),
    ("sales@tukku.example", "Sami Salminen", "sales"),
    ("kirsi.lahti@tukku.example", "Kirsi Lahti", "sales"),
    ("jukka.aho@tukku.example", "Jukka Aho", "sales"),
    ("finance@tukku.example", "Fanni Forsman", "finance"),
    ("warehouse@tukku.example", "Ville Varasto", "warehouse"),
)
_SHOWCASE = (  # company, first part of the address, name, roles
    ("KONEPAJA", "anna", "Anna Virtanen", "orderer"),
    ("KONEPAJA", "pekka", "Pekka Mäkelä", "approver"),
    ("KONEPAJA", "minna", "Minna Korhonen", "company_admin;orderer"),
    ("KONEPAJA", "olli", "Olli Nieminen", "viewer"),
    ("NORDBYGG", "erik", "Erik Lindström", "orderer"),
    ("NORDBYGG", "karin", "Karin Åkesson", "approver"),
    ("NORDBYGG", "lars", "Lars Öberg", "company_admin"),
    ("NORDBYGG", "sofia", "Sofia Björk", "viewer"),
)
_ENGLISH = {"anna@konepaja.example", "minna@konepaja.example"}  # so that the showcase can be read by all
_NAMES = {  # country: first names, family names
    "FI": ("Matti Liisa Timo Päivi Jari Sanna Antti", "Hämäläinen Laine Heikkinen Koskinen Järvinen Lehto"),
    "SE": ("Anders Ingrid Johan Åsa Göran Elin", "Andersson Johansson Nyström Sjöberg Ek Wallin"),
    "EE": ("Tanel Kadri Priit Liina Märt Õie", "Tamm Saar Mägi Kask Põld Rebane"),
    "PL": ("Paweł Małgorzata Łukasz Agnieszka Michał", "Kowalski Wójcik Dąbrowski Zieliński Woźniak"),
    "TR": ("Mehmet Ayşe Çağlar Gülşen İbrahim Şebnem", "Yılmaz Öztürk Çelik Şahin Doğan Işık"),
    "DE": ("Jürgen Sabine Björn Käthe Uwe Heike", "Müller Schäfer Krüger Weiß Köhler Voß"),
}  # fmt: skip
_ROLES = ("orderer", "approver", "company_admin", "orderer", "viewer")
_PLAIN = str.maketrans("äöåõüßąćęłńóśźżçğıİşÄÖÅÕÜĄĆĘŁŃÓŚŹŻÇĞŞâÂ", "aoaousacelnoszzcgiIsAOAOUACELNOSZZCGSaA")


def plain(text: str) -> str:
    """Write a name in the letters of a mail address."""
    return text.translate(_PLAIN).lower()


def _people(buyer: Customer) -> Iterator[tuple[str, str, str]]:
    """Yield address, name and roles of a company's people."""
    named = [(f"{start}@{buyer.domain}", name, roles) for code, start, name, roles in _SHOWCASE if code == buyer.code]
    if named:
        yield from named
        return
    first, family = (part.split() for part in _NAMES[buyer.country])
    for place in range(2 + buyer.place % 4):
        name = first[(buyer.place + place) % len(first)], family[(buyer.place * 2 + place) % len(family)]
        yield f"{plain('.'.join(name))}@{buyer.domain}", " ".join(name), _ROLES[place]


def orderers(buyer: Customer) -> tuple[str, ...]:
    """Return the addresses of those who may order for the company."""
    return tuple(email for email, _, roles in _people(buyer) if "orderer" in roles)


def staff_rows() -> Iterator[Row]:
    """Yield the rows of staff.csv, in the form of users.csv: companies name their sales representatives."""
    for email, name, role in _STAFF:
        yield {"email": email, "company": "", "name": name, "language": "en", "roles": role}


def user_rows(buyers: Sequence[Customer]) -> Iterator[Row]:
    """Yield the rows of users.csv; one person works for two companies."""
    for buyer in buyers:
        for email, name, roles in _people(buyer):
            yield _row(email, buyer, name, roles)
        if buyer.code == "KONEPAJA-SJK":
            yield _row("minna@konepaja.example", buyer, "Minna Korhonen", "orderer")


def _row(email: str, buyer: Customer, name: str, roles: str) -> Row:
    language = "en" if email in _ENGLISH else buyer.language
    return {"email": email, "company": buyer.code, "name": name, "language": language, "roles": roles}
