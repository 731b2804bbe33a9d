"""What identifies music: ISRC (a recording), GTIN (a release: UPC, EAN, ICPN) and the checksum of a source.

Each reader takes what a person wrote and returns the normal form, or raises ValueError with the rule and, where it can
be computed, what was meant. The sentence starts with a verb; the caller puts the place and the value before it.
"""

from __future__ import annotations

import re

GTIN_LENGTHS = (8, 12, 13, 14)

# ISO 3901: country or registrant prefix, registrant, then year (2) and designation (5). It has no check digit.
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
# Spaces and every hyphen or dash that a word processor may have put in.
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015]+")
_DIGESTS = {32: "an MD5", 40: "a SHA-1", 96: "a SHA-384", 128: "a SHA-512"}
_ROUNDED = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+")


def read_isrc(text: str) -> str:
    """`us-abc-12-34567` -> `USABC1234567`."""
    compact = _SEPARATORS.sub("", text)
    isrc = compact.upper().removeprefix("ISRC").removeprefix(":")
    # `isascii` on what was written: upper() would turn a dotless i into a plain I.
    if compact.isascii() and _ISRC.fullmatch(isrc):
        return isrc
    # The letter O for the digit 0, and I or L for 1, are the usual slips of typing.
    meant = isrc[:5] + isrc[5:].translate(str.maketrans("OIL", "011"))
    hint = did_you_mean(meant) if meant.isascii() and _ISRC.fullmatch(meant) else ""
    raise ValueError(f"is not an ISRC: 2 letters, 3 letters or digits, 7 digits{hint}")


def read_gtin(text: str) -> str:
    """The digits of a UPC, EAN or GTIN-14 with a valid check digit, as many as were given."""
    digits = _SEPARATORS.sub("", text)
    if _ROUNDED.fullmatch(digits):
        raise ValueError("was rounded by a spreadsheet: format the column as text and enter the whole number again")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("is not a UPC or EAN: only digits are allowed")
    if len(digits) not in GTIN_LENGTHS:
        raise ValueError(f"has {len(digits)} digits: a UPC or EAN has 8, 12, 13 or 14{_with_zeros(digits)}")
    if not digits.strip("0"):
        raise ValueError("is no release's number: leave the cell empty where there is no UPC")
    if int(digits[-1]) != check_digit(digits[:-1]):
        meant = digits[:-1] + str(check_digit(digits[:-1]))
        raise ValueError(f"has the wrong check digit (the last one){did_you_mean(meant)}")
    return digits


def read_sha256(text: str) -> str:
    """64 hexadecimal digits, in lower case."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return text.lower()
    other = _DIGESTS.get(len(text)) if re.fullmatch(r"[0-9a-fA-F]+", text) else None
    hint = f"; this is {other}: leave the cell empty or give the SHA-256" if other else ""
    raise ValueError(f"is not a SHA-256: 64 hexadecimal digits{hint}")


def check_digit(body: str) -> int:
    """GS1: (10 - sum of the digits weighted 3, 1, 3, ... from the right) mod 10."""
    return -sum(int(digit) * (3, 1)[i % 2] for i, digit in enumerate(reversed(body))) % 10


def gtin14(gtin: str) -> str:
    """The form to compare by: UPC-12, EAN-13 and GTIN-14 of one release differ only in leading zeros."""
    return gtin.zfill(14)


def did_you_mean(meant: str) -> str:
    """The end of a problem's sentence; with nothing meant, nothing."""
    return f"; did you mean {meant}?" if meant else ""


def _with_zeros(digits: str) -> str:
    # A spreadsheet that takes the column for numbers drops leading zeros.
    longer = (digits.zfill(length) for length in GTIN_LENGTHS if 6 <= len(digits) < length)
    valid = (gtin for gtin in longer if int(gtin[-1]) == check_digit(gtin[:-1]))
    return did_you_mean(next(valid, ""))
