"""Limits on measured numbers, and targets: the dated rules of those who take masters. Judged in `decisions/checks.py`."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct

Level = Literal["info", "warn", "fail"]
Side = Literal["below", "above"]
Bound = Annotated[float, Meta(ge=-1e6, le=1e6)]

LEVELS: tuple[Level, ...] = ("fail", "warn", "info")
"""The severest first."""


class Crossing(NamedTuple):
    """A bound that a number lies beyond."""

    level: Level
    side: Side
    bound: float


class Limit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said of a number below or above a bound; of several that are crossed the severest counts.

    >>> Limit(warn_above=3.0, fail_above=6.0).crossed_by(7.0)
    Crossing(level='fail', side='above', bound=6.0)
    """

    info_below: Bound | None = None
    info_above: Bound | None = None
    warn_below: Bound | None = None
    warn_above: Bound | None = None
    fail_below: Bound | None = None
    fail_above: Bound | None = None

    def bounds(self) -> list[Crossing]:
        """Every bound that is set, the severest first."""
        return list(_bounds_of(self))

    def crossed_by(self, value: float) -> Crossing | None:
        """The severest bound that a number lies beyond; one that lies on a bound does not cross it."""
        return next((one for one in _bounds_of(self) if _beyond(value, one)), None)

    def contradiction(self) -> str | None:
        """Why these bounds cannot all be meant; None where they can."""
        rising = [("fail_below", "warn_below", "info_below"), ("info_above", "warn_above", "fail_above")]
        for names in rising:
            given = [(name, bound) for name in names if (bound := getattr(self, name)) is not None]
            for (lower, low), (higher, high) in pairwise(given):
                if low > high:
                    return f"{lower} = {low:g} must not exceed {higher} = {high:g}"
        below = max((one.bound for one in self.bounds() if one.side == "below"), default=None)
        above = min((one.bound for one in self.bounds() if one.side == "above"), default=None)
        if below is not None and above is not None and below > above:
            return f"no number is neither below {below:g} nor above {above:g}"
        return None


class Rule(Limit, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule of a target: bounds of a measure, or the values that it may have. Broken at `info`, it is advice."""

    measure: str
    one_of: tuple[float | str, ...] = ()
    otherwise: Level = "fail"
    """What a value outside `one_of` leads to."""
    when_louder_than_lufs: Bound | None = None
    """The rule holds only for files whose integrated loudness exceeds this."""
    why: str = ""


class Target(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Someone who takes masters, and the rules that were theirs at a date."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
    title: str
    date: Annotated[str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    """When the rules were last looked up: they drift."""
    source: str
    confidence: str
    """`primary`: read where they are published; `second-hand`: as others tell them."""
    rule: Annotated[tuple[Rule, ...], Meta(min_length=1)]


@lru_cache(maxsize=4096)  # the same few limits judge every track of a catalogue
def _bounds_of(limit: Limit) -> tuple[Crossing, ...]:
    return tuple(
        Crossing(level, side, float(bound))
        for level in LEVELS
        for side in ("below", "above")
        if (bound := getattr(limit, f"{level}_{side}")) is not None
    )


def _beyond(value: float, one: Crossing) -> bool:
    return value < one.bound if one.side == "below" else value > one.bound
