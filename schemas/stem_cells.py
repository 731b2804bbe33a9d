"""What a cell says of a stem: its role, its place and how near it stands, in Lathe's words or those of RoEx's Automix.

As in `schemas.cells`, each reader raises ValueError with what is wrong and what is allowed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from schemas.cells import clean, read_boolean, read_id
from schemas.identifiers import did_you_mean
from schemas.safe_names import safe_name
from schemas.stems import GainSharingMode, Presence, ReverbWish, Role

STEM_COLUMNS = {
    "mix_id": "",
    "stem_id": "stem stem_name",
    "role": "instrument instrument_group instrumentgroup",
    "presence": "presence_setting presencesetting",
    "pan": "panning pan_preference panpreference",
    "reverb": "reverb_preference reverbpreference",
    "pair": "",
    "automix_group": "",
    "automix_mode": "",
    "weight_db": "",
    "gain_db": "gaindb",
    "mute": "muted",
    "lock": "locked",
    "style": "musical_style musicalstyle",
    "settings": "",
}
"""Column -> its other names, where a manifest has a column `mix_id`; else all of these are kept as they are."""
STEM_SOURCE = ("track_url", "trackurl")
"""What RoEx calls the source of a stem."""
GAIN_RANGE_DB = (-60.0, 40.0)
"""Of an engineer's fader: more is a slip of the keyboard, and less is `mute` (our choice)."""
WEIGHT_RANGE_DB = (-60.0, 60.0)
"""That of gain sharing (`dsp.settings.SharingChannel`)."""

_ROLE_WORDS = {
    "kick": "kicks bass_drum",
    "toms": "tom",
    "cymbals": "cymbal overheads",
    "drums": "drum",
    "percussion": "percs perc",
    "vocal": "vocals vox",
    "backing_vocal": "backing_vocals backing_vox",
    "electric_guitar": "e_guitar",
    "acoustic_guitar": "a_guitar",
    "synth": "synths",
    "strings": "string",
    "woodwind": "woodwinds",
    "other1": "other",
}
# What RoEx writes where the instrument was not told.
_UNTOLD_ROLES = {"unknown"}
_ROLES: dict[str, Role] = {role: role for role in get_args(Role)} | {
    word: role for role, words in _ROLE_WORDS.items() for word in words.split()
}
_PRESENCES: dict[str, Presence] = {word: word for word in get_args(Presence)}
_WISHES: dict[str, ReverbWish] = {word: word for word in get_args(ReverbWish)}
_MODES: dict[str, GainSharingMode] = {word: word for word in get_args(GainSharingMode)}
_PANS: dict[str, dict[str, Any]] = {
    "none": {},
    "no_preference": {},
    "keep": {"keep_pan": True},
    "left": {"pan_ratio": -1.0},
    "centre": {"pan_ratio": 0.0},
    "center": {"pan_ratio": 0.0},
    "right": {"pan_ratio": 1.0},
}
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_Word = TypeVar("_Word")


def _read_stem_id(text: str) -> str:
    safe = safe_name(text)
    if safe != text:
        raise ValueError(f"cannot be the name of a file{did_you_mean(safe)}")
    return safe


def _read_role(text: str) -> Role | None:
    word = re.sub(r"_group_?([1-5]?)$", r"\1", _word(text))
    word = re.sub(r"_([1-5])$", r"\1", word)
    return None if word in _UNTOLD_ROLES else _one_of(_ROLES, word, ", ".join(get_args(Role)))


def _read_pan(text: str) -> dict[str, Any]:
    """The fields of `schemas.stems.Stem` that it sets."""
    number = _number(text)
    if number is not None and abs(number) <= 1.0:
        return {"pan_ratio": number}
    return _one_of(_PANS, _word(text), "none, left, centre, right, keep, or a number from -1 (left) to 1 (right)")


def _reader(words: Mapping[str, _Word]) -> Callable[[str], _Word]:
    return lambda text: _one_of(words, _word(text), ", ".join(words))


def _decibels(low_db: float, high_db: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        number = _number(re.sub(r"\s*dB$", "", text, flags=re.IGNORECASE))
        if number is None or not low_db <= number <= high_db:
            hint = did_you_mean(text.replace(",", ".") if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", text) else "")
            raise ValueError(f"is not a number of decibels from {low_db:g} to {high_db:g}{hint}")
        return number

    return read


def _word(text: str) -> str:
    return re.sub(r"[\W_]+", "_", text.casefold()).strip("_")


def _number(text: str) -> float | None:
    # Word processors write a minus sign, not a hyphen.
    text = text.replace("\u2212", "-")
    # Adding 0 makes one of the two zeros.
    number = float(text) + 0.0 if _DECIMAL.fullmatch(text) else math.nan
    return number if math.isfinite(number) else None


def _one_of(words: Mapping[str, _Word], word: str, allowed: str) -> _Word:
    if word not in words:
        close = get_close_matches(word, words, n=1)
        raise ValueError(f"is not allowed: {allowed}{did_you_mean(''.join(close))}")
    return words[word]


STEM_READERS: dict[str, Callable[[str], Any]] = {
    "mix_id": read_id,
    "stem_id": _read_stem_id,
    "role": _read_role,
    "presence": _reader(_PRESENCES),
    "pan": _read_pan,
    "reverb": _reader(_WISHES),
    "pair": read_id,
    "automix_group": read_id,
    "automix_mode": _reader(_MODES),
    "weight_db": _decibels(*WEIGHT_RANGE_DB),
    "gain_db": _decibels(*GAIN_RANGE_DB),
    "mute": read_boolean,
    "lock": read_boolean,
    "style": clean,
}
