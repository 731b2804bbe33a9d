"""A session as every decision about a mix sees it: the stems of a song with all that was measured of them.

Each step of a mix is a function (session, settings) -> settings; `decisions/mixing/mix.py` holds them in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from dsp.audio import Floats
from dsp.mixing.trace import Trace
from schemas.mix import BUS_OF, BusSettings, Input, MixSettings, PairFigures, StemFigures, Strip, SumFigures, Why
from schemas.stems import Role, Song, Stem

BUS_ORDER = ("drums", "bass", "music", "fx", "backing", "vocals")


class HeardStem(NamedTuple):
    """One stem: what the manifest says, what was measured, and what it is taken for."""

    stem: Stem
    figures: StemFigures
    trace: Trace
    role: Role
    role_source: str
    """`manifest`, `name`, `audio` or `unknown`."""
    role_confidence: float


class Session(NamedTuple):
    """A song to be mixed; the stems stand in the order of stem_id."""

    mix_id: str
    song: Song
    rate_hz: int
    stems: tuple[HeardStem, ...]
    pairs: tuple[PairFigures, ...] = ()
    """Of the stems that may hang together: those of a `pair`, drum microphones, candidates for duplicates and bounces."""
    sums: tuple[SumFigures, ...] = ()
    """Of the reference, and of stems that may be sums of others, as left by a bounce."""
    reference: HeardStem | None = None
    """The reference mix of the manifest, measured as if it were a stem."""

    def heard(self) -> Mapping[str, HeardStem]:
        """The stems by stem_id."""
        return {one.stem.stem_id: one for one in self.stems}


Step: TypeAlias = Callable[[Session, MixSettings], MixSettings]


class Rehearsal(NamedTuple):
    """What came out when the settings of a mix were tried."""

    energies: Mapping[str, Floats]
    """By stem_id, of each strip that is used: of each tenth of a second, after everything but the gain of the mix."""
    true_peak_dbtp: float | None
    max_short_term_lufs: float | None
    """Both of the sum, before the gain of the mix."""


def session_rate_hz(stems: Iterable[HeardStem]) -> int:
    """The rate of a session: that of most of its stems, of two the higher; the others are resampled."""
    rates = Counter(one.figures.format.rate_hz for one in stems)
    return max(rates, key=lambda rate_hz: (rates[rate_hz], rate_hz))


def neutral_settings(session: Session) -> MixSettings:
    """Every stem as it is: what steps start from, and what a plain sum is."""
    return MixSettings(
        mix_id=session.mix_id,
        rate_hz=session.rate_hz,
        inputs=tuple(Input(stem_id=one.stem.stem_id, sha256=one.figures.sha256) for one in session.stems),
        stems=tuple(_neutral(one) for one in session.stems),
        buses=tuple(BusSettings(name=name) for name in BUS_ORDER),  # type: ignore[arg-type]
    )


def _neutral(one: HeardStem) -> Strip:
    stem, why = one.stem, {"role": _of_role(one)}
    if stem.lock:
        why["lock"] = Why(text="the manifest locks it: nothing of it is decided")
    if stem.mute:
        why["use"] = Why(text="the manifest mutes it")
    if stem.gain_db is not None:
        why["gain_db"] = Why(text="the manifest sets its fader")
    return Strip(
        stem_id=stem.stem_id,
        role=one.role,
        use=not stem.mute,
        lock=stem.lock,
        gain_db=stem.gain_db or 0.0,
        pan_ratio=stem.pan_ratio or 0.0,
        bus=BUS_OF[one.role],
        why=why,
    )


def _of_role(one: HeardStem) -> Why:
    said = {"manifest": "the manifest says so", "name": "its name says so", "audio": "it sounds like one"}
    text = said.get(one.role_source, "neither its name nor its sound tells what it is")
    return Why(text=text, confidence=one.role_confidence)
