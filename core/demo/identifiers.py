"""Check digits of the public identifiers that the demo merchant's data carries."""

from collections.abc import Sequence

_GTIN_EXAMPLES = "9520000"  # GS1 keeps prefix 952 for demonstrations and examples


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def gtin(number: int) -> str:
    """Return the GTIN-13 of an item number below 100,000."""
    body = f"{_GTIN_EXAMPLES}{number:05d}"
    return body + str(-_weighted(body, (1, 3) * 6) % 10)


def finnish_id(number: int) -> str | None:
    """Return a Finnish business id (1234567-8), or None where the check digit would be 10."""
    body = f"{number:07d}"
    rest = _weighted(body, (7, 9, 10, 5, 8, 4, 2)) % 11
    return None if rest == 1 else f"{body}-{(11 - rest) % 11}"


def swedish_id(number: int) -> str:
    """Return a Swedish organisation number (556123-4567) of a nine-digit number."""
    body = f"{number:09d}"
    doubled = (int(digit) * weight for digit, weight in zip(body, (2, 1) * 4 + (2,), strict=True))
    check = -sum(value - 9 if value > 9 else value for value in doubled) % 10
    return f"{body[:6]}-{body[6:]}{check}"


def estonian_id(number: int) -> str:
    """Return an Estonian register code of a seven-digit number that starts with 1."""
    body = f"{number:07d}"
    check = _weighted(body, (1, 2, 3, 4, 5, 6, 7)) % 11
    if check == 10:
        check = _weighted(body, (3, 4, 5, 6, 7, 8, 9)) % 11 % 10
    return f"{body}{check}"


def estonian_vat(number: int) -> str:
    """Return the nine digits of an Estonian VAT number of an eight-digit number."""
    body = f"{number:08d}"
    return body + str(-_weighted(body, (3, 7, 1, 3, 7, 1, 3, 7)) % 10)


def polish_id(number: int) -> str | None:
    """Return a Polish NIP of a nine-digit number, or None where the check digit would be 10."""
    body = f"{number:09d}"
    check = _weighted(body, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11
    return None if check == 10 else f"{body}{check}"


def turkish_id(number: int) -> str:
    """Return a Turkish VKN of a nine-digit number."""
    body = f"{number:09d}"
    total = 0
    for place, digit in enumerate(reversed(body), 1):
        shifted = (int(digit) + place) % 10
        total += (shifted * 2**place % 9 or 9) if shifted else 0
    return f"{body}{-total % 10}"


def german_vat(number: int) -> str:
    """Return the nine digits of a German VAT number of an eight-digit number (ISO 7064 Mod 11, 10)."""
    body = f"{number:08d}"
    check = 5
    for digit in body:
        check = ((check or 10) * 2 % 11 + int(digit)) % 10
    return body + str((1 - (check or 10) * 2 % 11) % 10)
