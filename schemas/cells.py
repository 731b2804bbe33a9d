"""What a cell of a manifest says: its text read as an id, a number, a year, a length, a yes or no.

Each reader raises ValueError with what is wrong and what is allowed; the caller adds row, column and value.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from schemas.identifiers import did_you_mean, read_gtin, read_isrc, read_sha256

LONGEST_ID = 200
YEARS = range(1860, 2101)
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_WHOLE = re.compile(r"0*([0-9]{1,5})(?:\.0*)?(?:\s*/\s*[0-9]+)?")
_YEAR = re.compile(r"([0-9]{4})(?:\.0*)?")
_SECONDS = re.compile(r"[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+\.")
_CLOCK = re.compile(r"(?:([0-9]+):(?=[0-9]{2}:))?([0-9]{1,3}):([0-5][0-9](?:\.[0-9]+)?)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def as_text(cell: Any) -> str:
    """A cell as a spreadsheet would show it; whole numbers without a point, because a gap turns integers to floats."""
    if isinstance(cell, str):
        return cell.strip()
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bytes):
        return _text_of_bytes(cell).strip()
    return json.dumps(cell, ensure_ascii=False, default=str) if isinstance(cell, (list, dict)) else str(cell)


def _text_of_bytes(cell: bytes) -> str:
    try:
        return cell.decode()
    except UnicodeDecodeError:
        return cell.hex()


def clean(text: str) -> str:
    """NFC, one space for each control character; a lone surrogate (possible in JSON) is no character at all."""
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text))).strip()


def read_id(text: str) -> str:
    """An identity as its manifest writes it."""
    if _CONTROL.search(text) or _SURROGATE.search(text):
        raise ValueError("holds a control character: remove it")
    if len(text) > LONGEST_ID:
        raise ValueError(f"has {len(text)} characters: at most {LONGEST_ID} are allowed")
    return clean(text)


def read_boolean(text: str) -> bool:
    """true, yes, 1 or false, no, 0, in any case."""
    if text.casefold() not in _BOOLEANS:
        hint = did_you_mean("".join(get_close_matches(text.casefold(), _BOOLEANS, n=1)))
        raise ValueError(f"is neither true, yes, 1 nor false, no, 0{hint}")
    return _BOOLEANS[text.casefold()]


def _read_whole(text: str) -> int:
    match = _WHOLE.fullmatch(text)
    if match is None or not int(match[1]):
        raise ValueError("is not a whole number from 1 to 99999")
    return int(match[1])


def _read_year(text: str) -> int:
    match = _YEAR.fullmatch(text)
    if match and int(match[1]) in YEARS:
        return int(match[1])
    meant = [year for year in re.findall(r"(?<![0-9])[0-9]{4}(?![0-9])", text) if int(year) in YEARS]
    hint = did_you_mean(meant[0] if len(meant) == 1 else "")
    raise ValueError(f"is not a year from {YEARS[0]} to {YEARS[-1]}{hint}")


def _read_duration(text: str) -> float:
    seconds = 0.0
    if clock := _CLOCK.fullmatch(text):
        seconds = (int(clock[1] or 0) * 60 + int(clock[2])) * 60 + float(clock[3])
    elif _SECONDS.fullmatch(text):
        seconds = float(text)
    if 0 < seconds < math.inf:
        return seconds
    hint = did_you_mean(text.replace(",", ".") if re.fullmatch(r"[0-9]+,[0-9]+", text) else "")
    raise ValueError(f"is not a duration: seconds above 0, m:ss or h:mm:ss{hint}")


READERS: dict[str, Callable[[str], Any]] = {
    "album_id": read_id,
    "track_id": read_id,
    "disc": _read_whole,
    "sequence": _read_whole,
    "track_total": _read_whole,
    "isrc": read_isrc,
    "upc": read_gtin,
    "year": _read_year,
    "sha256": read_sha256,
    "duration_s": _read_duration,
    "joins_next": read_boolean,
}
