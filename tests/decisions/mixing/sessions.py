"""Makers of sessions for tests: stems that were never recorded, with the figures and the trace that a meter would find."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from itertools import pairwise
from typing import Any

import numpy as np

from decisions.mixing.session import HeardStem, Session
from dsp.audio import Floats
from dsp.gating import OFFSET_LU
from dsp.loudness import k_weight_db
from dsp.mixing.trace import BARK_BANDS, BARK_EDGES_HZ, ONSETS_PER_S, STEPS_PER_S, Trace
from schemas.figures import AudioFormat
from schemas.mix import PairFigures, StemFigures
from schemas.stems import Role, Song, Stem

RATE_HZ = 48_000
SECONDS = 40.0
SILENCE_DB = -120.0
Course = Callable[[Floats], Floats]
"""Seconds -> level in dB over the stem's loudest."""


def steady(time_s: Floats) -> Floats:
    """A pad: always there."""
    return np.zeros_like(time_s)


def hits(every_s: float, first_s: float = 0.0, decay_db_per_s: float = 120.0) -> Course:
    """Single hits that die away."""
    return lambda time_s: np.where(
        time_s < first_s, SILENCE_DB, -decay_db_per_s * np.mod(time_s - first_s + 1e-9, every_s)
    )


def phrases(sung_s: float = 4.0, rest_s: float = 2.0, levels_db: Sequence[float] = (0.0,)) -> Course:
    """Phrases with rests between them, each at the next of some levels."""

    def course(time_s: Floats) -> Floats:
        number, place_s = np.divmod(time_s, sung_s + rest_s)
        wanted = np.array(levels_db)[number.astype(int) % len(levels_db)]
        return np.where(place_s < sung_s - 1e-9, wanted, SILENCE_DB)

    return course


def stem(
    stem_id: str,
    role: Role,
    *,
    lufs: float = -23.0,
    hz: tuple[float, float] = (100.0, 8_000.0),
    tilt_db_per_bark: float = 0.0,
    course: Course = steady,
    seconds: float = SECONDS,
    crest_db: float = 12.0,
    percussivity_ratio: float = 0.2,
    channels: int = 1,
    noise_db: float = SILENCE_DB,
    bands: dict[int, float] | None = None,
    role_confidence: float = 1.0,
    figures: dict[str, Any] | None = None,
    **manifest: Any,
) -> HeardStem:
    """A stem of a role: `lufs` over its active time, energy between two frequencies, louder and softer by its course.

    `bands` adds so many dB to Bark bands, `noise_db` is what lies in its pauses, `figures` overrides what was measured, and
    other names are columns of the manifest.
    """
    time_s = np.arange(round(seconds * STEPS_PER_S)) / STEPS_PER_S
    level_db = course(time_s)
    shape = 10.0 ** ((_shape_db(hz, tilt_db_per_bark, bands or {})) / 10.0)
    active = level_db > -50.0
    powers = 10.0 ** (np.maximum(level_db, noise_db) / 10.0)
    trace = scaled(powers[:, None] * shape, active, lufs)
    return HeardStem(
        stem=Stem(row=1, uri=f"{stem_id}.wav", stem_id=stem_id, role=role, **manifest),
        figures=_figures(stem_id, trace, channels, crest_db, percussivity_ratio, figures or {}),
        trace=trace,
        role=role,
        role_source="manifest",
        role_confidence=role_confidence,
    )


def session(*stems: HeardStem, pairs: Sequence[PairFigures] = (), style: str | None = None) -> Session:
    """A song of some stems."""
    ordered = tuple(sorted(stems, key=lambda one: one.stem.stem_id))
    song = Song(stems=tuple(one.stem for one in ordered), style=style)
    return Session(mix_id="song", song=song, rate_hz=RATE_HZ, stems=ordered, pairs=tuple(pairs))


def pair(first: str, second: str, **changes: Any) -> PairFigures:
    """Two stems that have nothing to do with each other, but for what is said."""
    plain: dict[str, Any] = {
        "delay_frames": None, "peak_ratio": 1.5, "stable_ratio": 0.1, "inverted": False, "correlation": 0.0,
        "gain_db": None, "residual_db": None, "of": "both",
    }  # fmt: skip
    return PairFigures(first=first, second=second, **{**plain, **changes})


def scaled(bands: Floats, active: np.ndarray[Any, Any], lufs: float) -> Trace:
    """A trace of some band powers over time, brought to a loudness over its active time."""
    weights = 10.0 ** (np.array([_centre_weight_db(k) for k in range(BARK_BANDS)]) / 10.0)
    energies = bands @ weights
    mean = float(energies[active].mean()) if active.any() else 0.0
    gain = 10.0 ** ((lufs - OFFSET_LU) / 10.0) / mean if mean > 0.0 else 0.0
    rises = np.zeros(len(bands) * ONSETS_PER_S // STEPS_PER_S)
    rises[:: ONSETS_PER_S // STEPS_PER_S] = np.maximum(np.diff(energies * gain, prepend=0.0), 0.0)
    return Trace(energies * gain, (bands * gain).astype(np.float32), active, rises.astype(np.float32))


def full_session() -> Session:
    """A band: drums, bass, two guitars, keys, a lead and a backing vocal."""
    return session(
        stem("kick", "kick", hz=(40.0, 200.0), course=hits(0.5), lufs=-22.0, percussivity_ratio=0.9),
        stem("snare", "snare", hz=(150.0, 8_000.0), course=hits(1.0, 0.5), lufs=-22.0, percussivity_ratio=0.9),
        stem("hats", "cymbals", hz=(4_000.0, 15_000.0), course=hits(0.25), lufs=-30.0, percussivity_ratio=0.8),
        stem("bass", "bass", hz=(40.0, 400.0), lufs=-22.0),
        stem("guitar a", "electric_guitar", hz=(150.0, 5_000.0), lufs=-22.0),
        stem("guitar b", "electric_guitar", hz=(200.0, 4_000.0), lufs=-23.0),
        stem("keys", "keys", hz=(150.0, 6_000.0), lufs=-24.0),
        stem("lead", "vocal", hz=(150.0, 8_000.0), tilt_db_per_bark=-0.8, course=phrases(), lufs=-20.0),
        stem("choir", "backing_vocal", hz=(200.0, 7_000.0), course=phrases(2.0, 4.0), lufs=-26.0),
    )


def _shape_db(hz: tuple[float, float], tilt_db_per_bark: float, bands: dict[int, float]) -> Floats:
    """Band levels: as much in each band between two frequencies, 60 dB less elsewhere."""
    shape_db = np.full(BARK_BANDS, -60.0)
    for k in range(BARK_BANDS):
        if BARK_EDGES_HZ[k + 1] > hz[0] and BARK_EDGES_HZ[k] < hz[1]:
            shape_db[k] = tilt_db_per_bark * k
        shape_db[k] += bands.get(k, 0.0)
    return shape_db


@cache
def _centre_weight_db(band: int) -> float:
    return k_weight_db(0.5 * (BARK_EDGES_HZ[band] + BARK_EDGES_HZ[band + 1]))


def _range_lu(energies: Floats) -> float:
    """EBU Tech 3342: of the loudness over 3 s, gated at 20 LU below its mean, the 10th to the 95th percentile."""
    around = np.convolve(energies, np.full(30, 1.0 / 30.0), mode="valid")
    around = around[around > 1e-7]
    kept = around[around > 0.01 * around.mean()]
    low, high = np.percentile(10.0 * np.log10(kept), (10, 95))
    return float(high - low)


def _figures(
    stem_id: str, trace: Trace, channels: int, crest_db: float, percussivity_ratio: float, changed: dict[str, Any]
) -> StemFigures:
    powers = trace.bands.sum(axis=1, dtype=np.float64)
    active = powers[trace.active] if trace.active.any() else np.array([1e-20])
    mean_bands = trace.bands[trace.active].mean(axis=0) if trace.active.any() else np.zeros(BARK_BANDS)
    centres = np.array([0.5 * (a + b) for a, b in pairwise(BARK_EDGES_HZ)])
    rms_dbfs = 10.0 * math.log10(float(active.mean()) / channels)
    pauses = powers[~trace.active]
    sounding = np.flatnonzero(trace.active) / STEPS_PER_S
    made: dict[str, Any] = {
        "sha256": sha256(stem_id.encode()).hexdigest(),
        "format": AudioFormat(
            container="WAV",
            codec="PCM_24",
            rate_hz=RATE_HZ,
            channels=channels,
            frames=trace.steps * RATE_HZ // 10,
            bits=24,
        ),
        "integrated_lufs": OFFSET_LU + 10.0 * math.log10(float(trace.energies[trace.active].mean())),
        "loudness_range_lu": _range_lu(trace.energies),
        "sample_peak_dbfs": rms_dbfs + crest_db,
        "crest_db": crest_db,
        "noise_floor_dbfs": 10.0 * math.log10(float(pauses.mean())) if pauses.size and pauses.any() else None,
        "active_ratio": float(trace.active.mean()),
        "first_sound_s": float(sounding[0]) if sounding.size else None,
        "last_sound_s": float(sounding[-1]) if sounding.size else None,
        "centroid_hz": float(centres @ mean_bands / mean_bands.sum()),
        "percussivity_ratio": percussivity_ratio,
        "low_ratio": float(mean_bands[:1].sum() / mean_bands.sum()),
        "bands_db": tuple(10.0 * math.log10(float(e)) if e > 0.0 else None for e in mean_bands),
        "correlation": 0.5 if channels == 2 else None,
        "balance_db": 0.0 if channels == 2 else None,
        "offset_ratio": (0.0,) * channels,
        "flat_tops": 0,
    }
    return StemFigures(**{**made, **changed})
