"""How far a mix lies from a person's: balance, mix space, critical bands, and the features that Diff-MST is trained on.

Features and weights are those that Vanka, Steinmetz, Rolland, Reiss and Fazekas describe (Diff-MST, ISMIR 2024); written from the
description, not from their code. None of these figures tells which mix sounds better.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dsp.audio import Audio, Floats
from dsp.loudness import LoudnessMeter
from dsp.mixing.trace import BARK_EDGES_HZ, Trace

FEATURE_LUFS = -16.0
"""Both mixes are brought to it before their features are compared."""
FEATURE_WEIGHTS = (0.1, 0.001, 1.0, 1.0, 0.1)
"""Of root mean square, crest factor, stereo width, stereo imbalance, Bark spectrum."""
FRAME = 32_768
FLOOR = 1e-12


class Balance(NamedTuple):
    """How far the balance of a mix lies from another's, in LU."""

    mae_lu: float
    max_lu: float


class Features(NamedTuple):
    """What Diff-MST hears of a mix; (2,) each for left and right or middle and side."""

    rms_db: Floats
    crest_db: Floats
    width_ratio: float
    imbalance_ratio: float
    bark_db: Floats
    """(2, 24) Of middle and side."""


def balance(errors_db: Mapping[str, float]) -> Balance:
    """Of each stem: its level in ours less that in the person's mix; what all have alike is no error."""
    errors = np.array([errors_db[name] for name in sorted(errors_db)])
    errors -= errors.mean()
    return Balance(float(np.abs(errors).mean()), float(np.abs(errors).max()))


def mix_angle(errors_db: Mapping[str, float]) -> float:
    """Angle in radians between two mixes in the space of gains (Wilson and Fazenda 2015), the person's at one for each stem."""
    gains = 10.0 ** (np.array(list(errors_db.values())) / 20.0)
    return float(np.arccos(min(1.0, gains.sum() / (np.linalg.norm(gains) * np.sqrt(len(gains))))))


def lead_to_rest_lu(lead: Trace, others: Floats) -> float:
    """Loudness of the lead against all others together, where it sounds."""
    there = lead.active
    return 10.0 * float(np.log10(lead.energies[there].mean() / max(others[: lead.steps][there].mean(), FLOOR)))


def bark_distance_db(ours: Features, theirs: Features) -> float:
    """Mean difference of the level in 24 critical bands (middle and side together), a common level left out."""
    ours_db, theirs_db = (10.0 * np.log10((10.0 ** (one.bark_db / 10.0)).sum(axis=0)) for one in (ours, theirs))
    apart = ours_db - theirs_db
    return float(np.abs(apart - apart.mean()).mean())


def feature_distance(ours: Features, theirs: Features) -> float:
    """Weighted sum of the mean squared differences of the five features."""
    apart = [
        float(np.mean((np.asarray(one) - np.asarray(other)) ** 2)) for one, other in zip(ours, theirs, strict=True)
    ]
    return float(np.dot(FEATURE_WEIGHTS, apart))


def features(mix: Audio, rate_hz: int) -> Features:
    """The features of a mix (frames, 2) brought to -16 LUFS."""
    mix = mix * 10.0 ** ((FEATURE_LUFS - _loudness(mix, rate_hz)) / 20.0)
    power = np.square(mix).mean(axis=0) + FLOOR
    middle, side = (mix[:, 0] + mix[:, 1]) / 2.0, (mix[:, 0] - mix[:, 1]) / 2.0
    rms_db = 10.0 * np.log10(power)
    return Features(
        rms_db=rms_db,
        crest_db=20.0 * np.log10(np.abs(mix).max(axis=0) + FLOOR) - rms_db,
        width_ratio=float(np.square(side).mean() / (np.square(middle).mean() + FLOOR)),
        imbalance_ratio=float((power[1] - power[0]) / power.sum()),
        bark_db=np.stack([_bark_db(middle, rate_hz), _bark_db(side, rate_hz)]),
    )


def _bark_db(signal: Floats, rate_hz: int) -> Floats:
    frames = signal[: len(signal) // FRAME * FRAME].reshape(-1, FRAME) * np.hanning(FRAME)
    spectrum = np.square(np.abs(np.fft.rfft(frames, axis=1))).mean(axis=0) / FRAME
    place = np.searchsorted(BARK_EDGES_HZ, np.fft.rfftfreq(FRAME, 1.0 / rate_hz), side="right") - 1
    bands = np.bincount(place, spectrum, minlength=len(BARK_EDGES_HZ))[: len(BARK_EDGES_HZ) - 1]
    return np.asarray(10.0 * np.log10(bands + FLOOR))


def _loudness(mix: Audio, rate_hz: int) -> float:
    meter = LoudnessMeter(rate_hz, mix.shape[1], stereo=False)
    meter.push(np.asarray(mix, np.float32))
    integrated_lufs = meter.loudness()[0]
    return FEATURE_LUFS if integrated_lufs is None else float(integrated_lufs)
