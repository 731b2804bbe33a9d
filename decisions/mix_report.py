"""What is to be said of a mix before it is mastered: loudness, dynamics, headroom, stereo, tone band by band, and advice.

Pure: figures and a profile in, a report out. Words follow the numbers; a range is a limit of the profile where it has one, what
four of five good recordings keep to where the norm tells that, else a choice of ours, given here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec.structs import replace

from decisions.deviation import SONG_REACH_BANDS, UNTOLD_SPREAD_DB, tone_deviation_db, width_deviation_db
from decisions.findings import source_findings
from decisions.measures import MEASURES, measured
from dsp.audio import Floats
from dsp.bands import BAND_EDGES_HZ
from dsp.spectrum import CENTRES_HZ
from schemas.figures import Analysis
from schemas.limits import LEVELS, Level, Limit
from schemas.mix_report import Advice, BandReading, MixReport, PhaseReading, Reading, Word
from schemas.norm import Norm
from schemas.profile import Profile

USUAL_SPREADS = 1.28
"""Four of five values of a Gaussian curve lie within so many standard deviations."""
FAR_SPREADS = 2.58
"""99 of 100 do. Beyond that and what the norm's own deadband leaves alone, a band is hardly meant so."""
NARROW_BASS = 2
"""The lowest of the bands below may be as narrow as they like: bass belongs in the middle."""
TONE_BANDS: dict[str, slice] = {
    "sub bass": slice(2, 5),
    "bass": slice(5, 9),
    "low mids": slice(9, 14),
    "mids": slice(14, 19),
    "high mids": slice(19, 24),
    "presence": slice(24, 27),
    "air": slice(27, 30),
}
"""Third octaves from 31.5 Hz to 16 kHz in seven bands, as engineers call them (our choice)."""
MIX_LIMITS: dict[str, Limit] = {
    # Above, mastering can only turn it down; below, its pauses come near the noise of 16 bits (our choice).
    "integrated_lufs": Limit(info_below=-36.0, info_above=-10.0),
    "loudness_range_lu": Limit(
        info_below=2.0, info_above=20.0
    ),  # EBU Tech 3342: more is hard to follow at home; 2 is our choice
    "true_peak_dbtp": Limit(info_below=-30.0, info_above=-1.0),  # what mastering starts from; our choice
    "dynamic_range_db": Limit(info_below=7.0),  # TT meter: red below 8 is its authors' word; our choice is milder
    "imbalance_lu": Limit(info_above=1.5),  # QC practice
}
"""What profiles do not judge of sources, or more mildly, because it is too late there; in a mix it can still be changed."""
LOUDNESS = ("integrated_lufs", "max_short_term_lufs", "loudness_range_lu")
DYNAMICS = ("plr_lu", "psr_min_lu", "dynamic_range_db", "limited_ratio")
HEADROOM = (
    "true_peak_dbtp",
    "sample_peak_dbfs",
    "flat_tops",
    "inter_sample_overs",
    "dc_offset_dbfs",
    "noise_floor_dbfs",
)
STEREO = ("correlation", "polarity_correlation", "bass_correlation", "mono_loss_lu", "side_mid_lu", "imbalance_lu")
CANCELS_BELOW = -0.2
"""Unrelated channels stray to -0.1: below this, a band is lost in mono (`bass_correlation` of the profiles)."""

_SAID: dict[str, tuple[str, str]] = {
    "integrated_lufs": (
        "raise its faders: noise of converters and plug-ins comes nearer",
        "turn its faders down, and any limiter on its sum off",
    ),
    "loudness_range_lu": ("its sections hardly differ: ride the faders", "soft places may be lost: ride the faders"),
    "plr_lu": ("it is as dense as a master: compress less on its sum", ""),
    "dynamic_range_db": ("it is as dense as a master: compress less on its sum", ""),
    "true_peak_dbtp": ("turn it up before it is stored with 16 bits", "leave mastering 1 dB: turn the faders down"),
    "imbalance_lu": ("", "one side outweighs the other: look at what is panned"),
}
_BANDS_SAID = {
    ("level", "low"): "raise what plays there, or make room for it",
    ("level", "high"): "lower what plays there, or cut it in the stems that need it least",
    ("width", "low"): "pan what plays there further out",
    ("width", "high"): "pan what plays there further in",
}


def mix_report(analysis: Analysis, profile: Profile) -> MixReport:
    """What is to be said of a stereo mix, held against the norm, style and limits of a profile."""
    limits, norm = _limits(profile), profile.expected
    tone = _bands(tone_deviation_db(analysis.figures, norm) - _lean_db(profile), norm.mid_spread_db)
    width = _bands(width_deviation_db(analysis.figures, norm), norm.side_spread_db)
    width = (*map(_may_be_narrow, width[:NARROW_BASS]), *width[NARROW_BASS:])
    groups = [tuple(_reading(name, analysis, limits.get(name)) for name in names) for names in _GROUPS]
    loudness, dynamics, headroom, stereo = groups
    phase = _phase(analysis.figures.correlation_bands)
    advice = [
        *(
            Advice(severity=_level(one.severity), about=one.code, text=one.text)
            for one in source_findings(analysis, profile)
        ),
        *_of_readings([*loudness, *dynamics, *headroom, *stereo], profile),
        *_of_bands(tone, norm, "level"),
        *_of_bands(width, norm, "width"),
        *_of_phase(phase),
    ]
    return MixReport(
        norm=norm.name,
        style=profile.style,
        loudness=loudness,
        dynamics=dynamics,
        headroom=headroom,
        stereo=stereo,
        tone=tone,
        width=width,
        phase=phase,
        advice=tuple(sorted(advice, key=lambda one: LEVELS.index(one.severity))),
    )


def word_for(value: float | None, low: float | None, high: float | None) -> Word | None:
    """Where a number lies against a range; its ends belong to it.

    >>> word_for(-3.0, -2.0, 2.0), word_for(2.0, -2.0, 2.0), word_for(3.0, -2.0, None), word_for(3.0, None, None)
    ('low', 'good', 'good', None)
    """
    if value is None or (low is None and high is None):
        return None
    if low is not None and value < low:
        return "low"
    return "high" if high is not None and value > high else "good"


_GROUPS = (LOUDNESS, DYNAMICS, HEADROOM, STEREO)


def _limits(profile: Profile) -> dict[str, Limit]:
    """Those of the profile, ours, and what the norm tells of peaks."""
    norm, of_norm = profile.expected, {}
    if norm.plr_lu is not None:
        usual_lu = USUAL_SPREADS * norm.plr_spread_lu
        low_lu, high_lu = norm.plr_lu - usual_lu, norm.plr_lu + usual_lu
        of_norm["plr_lu"] = Limit(info_below=round(low_lu, 1), info_above=round(high_lu, 1))
    return {**of_norm, **profile.limits, **MIX_LIMITS}


def _reading(name: str, analysis: Analysis, limit: Limit | None) -> Reading:
    one, value = MEASURES[name], measured(name, analysis)
    bounds = limit.bounds() if limit else []
    # What is only told counts as well: a word is said before anything is wrong.
    low = max((bound.bound for bound in bounds if bound.side == "below"), default=None)
    high = min((bound.bound for bound in bounds if bound.side == "above"), default=None)
    word = word_for(value, low, high)
    return Reading(name=name, words=one.words, unit=one.unit, value=value, low=low, high=high, word=word)


def _bands(deviation_db: Floats, spread_db: Sequence[float]) -> tuple[BandReading, ...]:
    return tuple(_band(name, band, deviation_db[band], np.array(spread_db)[band]) for name, band in TONE_BANDS.items())


def _band(name: str, band: slice, deviation_db: Floats, spread_db: Floats) -> BandReading:
    """The mean of what is known of a band; neighbouring third octaves stray together, so their mean strays almost as far."""
    known = ~np.isnan(deviation_db) & (spread_db < UNTOLD_SPREAD_DB)
    half = 10.0 ** (1.0 / 20.0)
    low_hz, high_hz = CENTRES_HZ[band][0] / half, CENTRES_HZ[band][-1] * half
    if not known.any():
        empty = {"deviation_db": None, "least_db": None, "most_db": None, "word": None}
        return BandReading(name=name, low_hz=round(low_hz), high_hz=round(high_hz), **empty)
    places = np.arange(len(known))[known]
    apart = np.abs(places[:, None] - places[None, :])
    strays = np.outer(spread_db[known], spread_db[known]) * np.exp(-apart / SONG_REACH_BANDS)
    usual_db = round(USUAL_SPREADS * math.sqrt(float(strays.mean())), 1)
    mean_db = round(float(deviation_db[known].mean()), 1) + 0.0
    word = word_for(mean_db, -usual_db, usual_db)
    bounds = {"least_db": -usual_db, "most_db": usual_db}
    return BandReading(
        name=name, low_hz=round(low_hz), high_hz=round(high_hz), deviation_db=mean_db, word=word, **bounds
    )


def _may_be_narrow(one: BandReading) -> BandReading:
    return replace(one, least_db=None, word=word_for(one.deviation_db, None, one.most_db))


def _lean_db(profile: Profile) -> Floats:
    """What the style adds to the norm."""
    wish = profile.taste.tone
    if not wish.lean_hz:
        return np.zeros(len(CENTRES_HZ))
    return np.asarray(np.interp(np.log(CENTRES_HZ), np.log(wish.lean_hz), wish.lean_db))


def _phase(correlations: Sequence[float | None]) -> tuple[PhaseReading, ...]:
    edges_hz = (CENTRES_HZ[0], *BAND_EDGES_HZ, CENTRES_HZ[-1])
    return tuple(
        PhaseReading(
            low_hz=round(low_hz),
            high_hz=round(high_hz),
            correlation=None if found is None else round(found, 2) + 0.0,
            word=word_for(found, CANCELS_BELOW, None),
        )
        for low_hz, high_hz, found in zip(edges_hz, edges_hz[1:], correlations, strict=False)
    )


def _of_readings(readings: Iterable[Reading], profile: Profile) -> Iterable[Advice]:
    """Of what the profile says nothing of: its own findings tell the rest."""
    for one in readings:
        theirs = profile.limits.get(one.name)
        if one.value is None or one.word in (None, "good") or (theirs and theirs.crossed_by(one.value)):
            continue
        low, high = _SAID.get(one.name, ("", ""))
        said, bound, side = (low, one.low, "below") if one.word == "low" else (high, one.high, "above")
        if said:
            text = f"{one.words} {one.value:g} {one.unit} is {side} {bound:g} {one.unit}: {said}"
            yield Advice(severity="info", about=one.name, text=text)


def _of_bands(bands: Sequence[BandReading], norm: Norm, what: str) -> Iterable[Advice]:
    """One piece of advice for all bands that lie on one side: they are mostly one thing, as in a dark mix."""
    far_db = (FAR_SPREADS + norm.deadband_ratio) / USUAL_SPREADS
    for word, side in (("high", "above"), ("low", "below")):
        there = [one for one in bands if one.word == word]
        if there:
            far = any(abs(one.deviation_db or 0.0) > far_db * (one.most_db or 0.0) for one in there)
            told = ", ".join(f"{one.name} {one.deviation_db:+.1f} (usual {one.most_db:.1f})" for one in there)
            text = f"{what} {side} {norm.words}, in dB: {told}; if it is not meant so, {_BANDS_SAID[what, word]}"
            yield Advice(severity="warn" if far else "info", about=what, text=text)


def _of_phase(phase: Iterable[PhaseReading]) -> Iterable[Advice]:
    for one in phase:
        if one.word == "low":
            where = (
                f"from {one.low_hz:g} to {one.high_hz:g} Hz left and right go against each other ({one.correlation})"
            )
            text = f"{where}: in mono that is lost; look for a turned polarity, a widener or a delayed double"
            yield Advice(severity="warn", about="phase", text=text)


def _level(severity: str) -> Level:
    return next(level for level in LEVELS if level == severity)
