"""What a stem is in its song: as the manifest says, else by its name, else by its sound, else unknown.

A wrong role is worse than none: a name that says nothing, or a sound that could be two things, gives None.
"""

from __future__ import annotations

import re
import unicodedata
from difflib import get_close_matches
from typing import NamedTuple

from decisions.mixing.role_sounds import role_by_sound
from decisions.mixing.role_words import BEHIND, JOINED, LEADS, MOST_WORDS, SILENT, SOURCE, TAILS, WORDS
from schemas.mix import StemFigures
from schemas.stems import Presence, Role, Stem

CERTAIN = 1.0
BY_NAME = 0.9
"""Confidence in a role that a name says: at least 95 of 100 names are read right (tests/decisions/mixing)."""
UNKNOWN: Role = "other1"

# KickIn, SFXPad (but not BGVs), Tom1.
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z]{2})|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_AUDIO = re.compile(r"\.(wav|wave|flac|aiff?|ogg|mp3|w64|rf64|caf|bwf)$", re.IGNORECASE)
_LONG = [word for word, (weight, _) in WORDS.items() if len(word) > 6 and " " not in word and weight == SOURCE]
_LIKENESS = 0.85
"""Of difflib: one wrong letter in seven ("ukelele", "accordian")."""


class NamedRole(NamedTuple):
    """What a name says."""

    role: Role
    presence: Presence | None
    """Only where the name says that too."""


class FoundRole(NamedTuple):
    """What a stem is taken for, where that is known from (`manifest`, `name`, `audio`, `unknown`), and how sure that is."""

    role: Role
    source: str
    confidence: float
    presence: Presence | None = None


def role_of(stem: Stem, figures: StemFigures) -> FoundRole:
    """The role of a stem: the manifest's word, else its name's, else what it sounds like, else `other1`."""
    named = named_role(stem)
    presence = named.presence if named else None
    if stem.role is not None:
        return FoundRole(stem.role, "manifest", CERTAIN, presence)
    if named:
        return FoundRole(named.role, "name", BY_NAME, presence)
    heard, confidence = role_by_sound(figures)
    return FoundRole(heard, "audio", confidence) if heard else FoundRole(UNKNOWN, "unknown", 0.0)


def named_role(stem: Stem) -> NamedRole | None:
    """What the name of a stem says, else that of its file, else that of its folder; None where they say nothing."""
    return role_by_name(stem.stem_id) or _by_file(stem.uri)


def role_by_name(name: str) -> NamedRole | None:
    """What a track called so most probably is, from the words in its name; None where they say nothing.

    >>> role_by_name("Kick In"), role_by_name("GTR DI"), role_by_name("Audio 3")
    (NamedRole(role='kick', presence=None), NamedRole(role='electric_guitar', presence=None), None)
    """
    words = _words(name)
    found = [(weight, length, at, role) for weight, length, at, role in _meanings(words)]
    if not found:
        return None
    # The last of equals: what a name is about stands at its end (organ bass, snare of the drums).
    role = max(found, key=lambda one: one[:3])[3]
    return NamedRole(role, _presence(words, role))


def _by_file(uri: str) -> NamedRole | None:
    """The file's name, else that of its folder: takes called 01 and 02 often lie in one called after the source."""
    folder, _, name = uri.rpartition("/")
    return role_by_name(name) or role_by_name(folder.rpartition("/")[2])


def _words(name: str) -> list[str]:
    text = unicodedata.normalize("NFKC", _AUDIO.sub("", name))
    text = "".join(c for c in unicodedata.normalize("NFD", text) if not "\u0300" <= c <= "\u036f")
    text = unicodedata.normalize("NFC", text).replace("ß", "ss").replace("ø", "o")
    return re.findall(r"[^\W_]+", _HUMP.sub(" ", text).casefold())


def _meanings(words: list[str]) -> list[tuple[int, int, int, Role]]:
    """Weight, number of words, place and role of each group of words that means one; longer groups are taken first."""
    found: list[tuple[int, int, int, Role]] = []
    at = 0
    while at < len(words):
        for length in range(min(MOST_WORDS, len(words) - at), 0, -1):
            meant = _look_up(words[at : at + length])
            if meant:
                found.append((meant[0], length, at, meant[1]))
                break
        at += length if meant else 1
    return found


def _look_up(words: list[str]) -> tuple[int, Role] | None:
    """Words as they stand, else without a plural, else (one alone) as two written together or with a tail."""
    text, plain = " ".join(words), " ".join(map(_singular, words))
    meant = WORDS.get(text) or WORDS.get(plain)
    if meant or len(words) > 1:
        return meant
    return (
        JOINED.get(text)
        or JOINED.get(plain)
        or WORDS.get(text.removesuffix("es"))
        or _with_tail(text)
        or _misspelt(text)
    )


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 2 and word.endswith("s") else word


def _misspelt(word: str) -> tuple[int, Role] | None:
    close = get_close_matches(word, _LONG, n=1, cutoff=_LIKENESS) if len(word) > 6 and word not in SILENT else []
    return WORDS[close[0]] if close else None


def _with_tail(word: str) -> tuple[int, Role] | None:
    heads = (word[: -len(tail)] for tail in TAILS if word.endswith(tail) and len(word) - len(tail) > 2)
    return next((meant for head in heads if (meant := WORDS.get(head) or JOINED.get(head))), None)


def _presence(words: list[str], role: Role) -> Presence | None:
    if role != "backing_vocal" and LEADS & {*words}:
        return "lead"
    return "background" if role != "backing_vocal" and BEHIND & {*words} else None
