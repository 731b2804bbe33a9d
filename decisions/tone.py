"""Decides tone and width: one equaliser for each run of joined tracks, the album first and then what is a track's own.

What the album lacks against its norm is shared by all its tracks; of what a track lacks beyond that, it gets its own share.
Both are shrunk by how much good recordings differ (`decisions/deviation.py`), then held to the caps of style and profile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from decisions.deviation import beyond, mean_known, probable_fault_db, tone_deviation_db, width_deviation_db
from dsp.audio import Floats
from dsp.bands import BAND_EDGES_HZ
from dsp.loudness import k_weight_db
from dsp.settings import EqualiserSettings
from dsp.spectrum import CENTRES_HZ
from schemas.figures import Figures
from schemas.norm import Norm
from schemas.plan import Decision
from schemas.profile import Profile
from schemas.style import Intensity

ALBUM_SHARE = 0.18
"""Of the variance of recordings, what an album has in common: 2.5 dB a band between albums, 5.3 dB within (190 tracks)."""
SMALLEST_DB = 0.1
"""Below this a correction is not worth a filter."""
MOST_WIDTH_DB = 2.0
"""No band of the side moves further against the middle (our choice)."""
INTENSITY: dict[Intensity, float] = {"low": 0.5, "medium": 1.0, "high": 1.5}
"""What each intensity makes of the amounts and caps of a style (our choice)."""
CENTRES: Floats = np.array(CENTRES_HZ)
_LOG_CENTRES: Floats = np.array([math.log(hz) for hz in CENTRES_HZ])


class Heard(NamedTuple):
    """What the tone of a track is decided from."""

    figures: Figures
    duration_s: float
    norm: Norm
    touch_ratio: float


class Tone(NamedTuple):
    """The equaliser of a run of tracks, None where nothing is worth one; and what was decided."""

    settings: EqualiserSettings | None
    decisions: tuple[Decision, ...]


def decide_tone(runs: Sequence[Sequence[Heard]], profile: Profile) -> list[Tone]:
    """An equaliser for each run of an album; the tracks of a run share it, so that no seam can be heard."""
    if profile.tone.max_db == 0.0 or not runs:
        left = Decision(what="tone and width", how_much="off", why="the profile leaves them alone")
        return [Tone(None, (left,)) for _ in runs]
    # Tracks that are held against something else tell nothing of what a run lacks.
    albums: dict[Norm, list[int]] = {}
    for number, run in enumerate(runs):
        albums.setdefault(run[0].norm, []).append(number)
    decided: dict[int, Tone] = {}
    for numbers in albums.values():
        middles, sides = (_lacking([runs[n] for n in numbers], side=side) for side in (False, True))
        for number, middle, side in zip(numbers, middles, sides, strict=True):
            decided[number] = _tone(runs[number], middle, side, profile)
    return [decided[number] for number in range(len(runs))]


def tone_change_lu(equaliser: EqualiserSettings | None, spectrum: Sequence[float | None]) -> float:
    """How much an equaliser will about change the loudness of a track with this third-octave spectrum."""
    if equaliser is None:
        return 0.0
    before = after = 0.0
    gains_db = np.interp(_LOG_CENTRES, np.log(equaliser.freqs_hz), equaliser.gains_db).tolist()
    for weighting_db, level_db, gain_db in zip(_centre_weights_db(), spectrum, gains_db, strict=True):
        if level_db is not None:
            weight = 10.0 ** ((level_db + weighting_db) / 10.0)
            before, after = before + weight, after + weight * 10.0 ** (gain_db / 10.0)
    return 10.0 * math.log10(after / before) if before > 0.0 else 0.0


@cache
def _centre_weights_db() -> tuple[float, ...]:
    return tuple(k_weight_db(hz) for hz in CENTRES_HZ)


def _deviation_db(track: Heard, side: bool) -> Floats:
    """What of a track's deviation from its norm lies outside the deadband."""
    deviation_db = (width_deviation_db if side else tone_deviation_db)(track.figures, track.norm)
    return beyond(deviation_db, track.norm.deadband_ratio * _spread_db(track, side))


def _spread_db(track: Heard, side: bool) -> Floats:
    return np.array(track.norm.side_spread_db if side else track.norm.mid_spread_db)


def _lacking(runs: Sequence[Sequence[Heard]], *, side: bool) -> list[Floats]:
    """What each run of an album most probably has too much of: the album's share, and its own.

    The mean of n tracks strays less than a track, but never less than albums differ.
    """
    strays = [[_deviation_db(track, side) for track in run] for run in runs]
    tracks, spread_db = [track for run in runs for track in run], _spread_db(runs[0][0], side)
    mean_db = mean_known([row for rows in strays for row in rows], [track.duration_s for track in tracks])
    share = ALBUM_SHARE + (1.0 - ALBUM_SHARE) / len(tracks)
    together = probable_fault_db(mean_db, math.sqrt(share) * spread_db)
    found = []
    for run, rows in zip(runs, strays, strict=True):
        own_db = mean_known(rows, [track.duration_s for track in run])
        alone = probable_fault_db(own_db - mean_db, math.sqrt(1.0 - ALBUM_SHARE) * spread_db)
        found.append(min(track.touch_ratio for track in run) * (together + alone))
    return found


def _tone(run: Sequence[Heard], middle: Floats, side: Floats, profile: Profile) -> Tone:
    wish, strength, touch = profile.taste.tone, INTENSITY[profile.intensity], min(t.touch_ratio for t in run)
    asked_db = -min(1.0, wish.amount_ratio * strength) * _amount_of_references(run, profile) * middle
    max_db = min(profile.tone.max_db, wish.max_db * strength) * touch
    gains_db = _held(asked_db, max_db, wish.max_rms_db * strength * touch)
    lean_db = _lean(run, profile) * strength * touch
    most_db = profile.tone.max_db
    curve_db = np.clip(gains_db + lean_db, -most_db, most_db)
    # The guard holds for the side as for the middle; without a style of its own the cap of the style does, too.
    side_most_db = most_db if _style_widens(profile) else max(max_db, float(np.abs(curve_db).max()))
    widen_db = np.clip(curve_db + _widening(run, side, profile, strength), -side_most_db, side_most_db) - curve_db
    decisions = (
        _tone_decision(curve_db, asked_db, gains_db, run[0].norm, bool(lean_db.any())),
        _width_decision(widen_db, run, profile),
    )
    return Tone(equaliser_of(curve_db, widen_db), decisions)


def equaliser_of(curve_db: Floats, widen_db: Floats) -> EqualiserSettings | None:
    """The equaliser of a curve of the middle and what the side has more; None where neither is worth a filter."""
    if np.abs(curve_db).max() < SMALLEST_DB:
        curve_db = np.zeros_like(curve_db)
    if np.abs(widen_db).max() < SMALLEST_DB:
        widen_db = np.zeros_like(widen_db)
    if not (curve_db.any() or widen_db.any()):
        return None
    return _settings(curve_db, curve_db + widen_db if widen_db.any() else None)


def _amount_of_references(run: Sequence[Heard], profile: Profile) -> float:
    return profile.reference_amount_ratio if run[0].norm.recordings else 1.0


def _held(gains_db: Floats, max_db: float, max_rms_db: float) -> Floats:
    """The gains within their caps: of each band, and of all together."""
    held = np.clip(gains_db, -max_db, max_db)
    rms_db = float(np.sqrt(np.mean(held**2)))
    return held * min(1.0, max_rms_db / rms_db) if rms_db > 0.0 else held


def _lean(run: Sequence[Heard], profile: Profile) -> Floats:
    """The curve of the style, less where the music leans that way already."""
    wish = profile.taste.tone
    if not wish.lean_hz:
        return np.zeros(len(CENTRES))
    lean_db = np.interp(np.log(CENTRES), np.log(wish.lean_hz), wish.lean_db)
    deviation_db = mean_known([tone_deviation_db(t.figures, t.norm) for t in run], [t.duration_s for t in run])
    there = np.nan_to_num(deviation_db) * np.sign(lean_db) / _spread_db(run[0], side=False)
    return np.asarray(lean_db * np.clip(1.0 - there, 0.0, 1.0))


def _widening(run: Sequence[Heard], side: Floats, profile: Profile, strength: float) -> Floats:
    """Gain of the side against the middle."""
    wish = profile.taste.width
    if wish is None or any(track.figures.side_mid_lu is None for track in run):
        return np.zeros(len(CENTRES))
    towards_db = -wish.amount_ratio * _amount_of_references(run, profile) * side
    band = np.searchsorted(BAND_EDGES_HZ, CENTRES)
    style_db = np.array(wish.side_gains_db)[band] * strength * min(track.touch_ratio for track in run)
    return np.clip(towards_db + style_db, -MOST_WIDTH_DB, MOST_WIDTH_DB)


def _style_widens(profile: Profile) -> bool:
    return profile.taste.width is not None and any(profile.taste.width.side_gains_db)


def _settings(middle_db: Floats, side_db: Floats | None) -> EqualiserSettings:
    return EqualiserSettings(
        freqs_hz=tuple(round(hz, 1) for hz in CENTRES_HZ),
        gains_db=tuple(middle_db.round(2).tolist()),
        side_gains_db=() if side_db is None else tuple(side_db.round(2).tolist()),
    )


def _tone_decision(curve_db: Floats, asked_db: Floats, held_db: Floats, norm: Norm, leans: bool) -> Decision:
    worst = int(np.abs(curve_db).argmax())
    if abs(curve_db[worst]) < SMALLEST_DB:
        why = f"nothing worth a filter is surely a fault against {norm.words}"
        return Decision(what="tone", how_much="0 dB", why=why)
    why = f"what most probably is a fault against {norm.words}" + (", and the style's own curve" if leans else "")
    refused = int(np.abs(asked_db - held_db).argmax())
    if abs(asked_db[refused] - held_db[refused]) >= SMALLEST_DB:
        why += f"; {asked_db[refused]:+.1f} dB at {_hz(refused)} were asked for and held to {held_db[refused]:+.1f}"
    return Decision(what="tone", how_much=f"{curve_db[worst]:+.1f} dB at {_hz(worst)}", why=why)


def _width_decision(widen_db: Floats, run: Sequence[Heard], profile: Profile) -> Decision:
    if profile.taste.width is None:
        return Decision(what="width", how_much="off", why="the style leaves it alone")
    worst = int(np.abs(widen_db).argmax())
    if abs(widen_db[worst]) < SMALLEST_DB:
        mono = any(track.figures.side_mid_lu is None for track in run)
        why = "there is no side signal" if mono else "no band is surely too wide or too narrow"
        return Decision(what="width", how_much="0 dB", why=why)
    why = f"a quarter at most of what differs from {run[0].norm.words}"
    why += ", and what the style adds" if _style_widens(profile) else ""
    return Decision(what="width", how_much=f"side {widen_db[worst]:+.1f} dB at {_hz(worst)}", why=why)


def _hz(band: int) -> str:
    return f"{float(f'{CENTRES_HZ[band]:.2g}'):g} Hz"
