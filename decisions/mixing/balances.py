"""Balances that good mixes usually have: tables in TOML files, one for each genre that differs from the usual one.

A genre's file holds only what differs from `usual.toml`. A genre without a file has the usual balance.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parent / "balances"
USUAL = "usual"


class RoleTarget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a stem of a role stands, and between what all stems of the role together lie; loudness against the mix."""

    target_lu: float
    spread_lu: float
    """How far good mixes scatter around that."""
    least_lu: float = -60.0
    most_lu: float = 0.0
    """Of the sum of the role's stems, while they sound."""


class Presence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it adds to a target that a stem stands in front or behind."""

    lead_lu: float
    background_lu: float
    melody_lu: float
    """For the stem that most probably has the melody, where neither a voice nor the manifest leads."""


class Sound(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the sound of a stem adds to its target, whatever its role."""

    crest_db: float
    """Crest factor to which nothing is added."""
    crest_ratio: float
    """LU for each dB above it."""
    rare_lu: float
    """For each halving of the share of the song in which it sounds."""


class Trust(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is believed of a balance as it is delivered, before it was looked at."""

    unmeant_ratio: float
    """How probable it is that nobody meant it."""
    unmeant_spread_db: float
    """How far faders are off then."""
    meant_spread_db: float
    """How far they are off where somebody meant it."""
    scatter_ratios: tuple[float, ...]
    """Songs differ in how far their stems stray from the usual: by so many times the spread of the table..."""
    scatter_weights: tuple[float, ...]
    """...this often each."""


class Balance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of targets."""

    roles: dict[str, RoleTarget]
    presence: Presence
    sound: Sound
    trust: Trust
    name: str = USUAL

    def of(self, role: str) -> RoleTarget:
        """The target of a role; the five kinds of `other` share one."""
        return self.roles["other" if role.startswith("other") else role]


def names() -> list[str]:
    """The balances that come with Lathe."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def balance_for(style: str | None) -> Balance:
    """The balance of a genre, by the words of its name; the usual one where there is none for it.

    >>> balance_for("Hip-Hop / Rap").name, balance_for("Death Metal").name, balance_for("Polka").name, balance_for(None).name
    ('rap', 'metal', 'usual', 'usual')
    """
    words = re.findall(r"[a-z]+", (style or "").casefold())
    return load_balance(next((word for word in reversed(words) if word in names()), USUAL))


@cache
def load_balance(name: str) -> Balance:
    """A balance by its name."""
    table = _read(USUAL)
    if name != USUAL:
        table = _merged(table, _read(name))
    return msgspec.convert({**table, "name": name}, Balance)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merged(under[key], over[key]) for key in under.keys() & over.keys() if isinstance(under[key], dict)}
    return {**under, **over, **both}
