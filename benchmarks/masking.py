"""Noise-to-mask ratio in the manner of PEAQ (ITU-R BS.1387-1, basic model: FFT ear model, annex 2 section 2.1).

How far the noise that a processor adds lies below what its input masks: for tuning and comparing limiters. The best slow gain
of each half-Bark band is taken out first, so that plain changes of level and of tone do not count as noise; what is faster does.
No model of annoyance and none of delay: the two signals must lie on each other to the sample.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.signal import lfilter

from dsp.audio import Audio, Floats

FRAME, HOP = 2048, 1024  # section 2.1.2
FULL_SCALE_SPL_DB = 92.0  # section 2.1.3: the level of a full-scale sine where the listening level is not known
LOWEST_HZ, HIGHEST_HZ = 80.0, 18_000.0  # section 2.1.5
BAND_BARK = 0.25  # section 2.1.5, basic model
GAIN_BANDS = 2  # quarter-Bark bands that share a slow gain
SLOW_S = 0.4
"""Length of the Hann window over which a gain is fitted (our choice): gains that move in less than half of it count as noise."""
FORWARD_S = 0.008  # section 2.1.9: time constant of forward masking at high frequencies
FORWARD_100_HZ_S = 0.030  # and at 100 Hz
TONE_DB = 6.0
"""So far may the gain of a band lie from that of the whole: noise where there was nothing is not taken for a change of tone."""
SPREADING_POWER = 0.4  # section 2.1.7: how masking from several bands adds up


class _Ear(NamedTuple):
    """What the ear model needs at a rate."""

    weights: Floats
    """Outer and middle ear, as amplitude, per bin."""
    grouping: Floats
    """(bins, bands): the share of each bin that lies in a band."""
    centres_hz: Floats
    internal_noise: Floats
    offsets: Floats
    """Power ratios: how far noise must lie below the excitation to be masked."""


def noise_to_mask_db(reference: Audio, test: Audio, rate_hz: int) -> float:
    """The mean over frames, bands and channels of noise over mask, in dB; lower is cleaner, under about -10 seldom audible.

    `reference` and `test` are (frames, channels) of the same length and in step.
    """
    ratios = [_ratios(one, other, rate_hz) for one, other in zip(reference.T, test.T, strict=True)]
    return float(10.0 * np.log10(np.mean(ratios) + 1e-30))


def _ratios(reference: Floats, test: Floats, rate_hz: int) -> Floats:
    """(frames, bands): power of noise over power of mask."""
    ear = _ear(rate_hz)
    heard, other = _spectra(reference) * ear.weights, _spectra(test) * ear.weights
    noise = (heard - other / _slow_gains(heard, other, ear.grouping, rate_hz)) ** 2 @ ear.grouping
    excitation = _forward(_spread(np.maximum(heard**2 @ ear.grouping, 1e-12) + ear.internal_noise, ear), ear, rate_hz)
    return np.asarray(noise / (excitation * ear.offsets))


def _spectra(line: Floats) -> Floats:
    """Magnitudes of Hann-windowed frames; a full-scale sine has the power of `FULL_SCALE_SPL_DB`."""
    starts = np.arange(0, max(1, len(line) - FRAME + 1), HOP)
    frames = np.pad(line, (0, max(0, FRAME - len(line))))[starts[:, None] + np.arange(FRAME)]
    scale = 10.0 ** (FULL_SCALE_SPL_DB / 20.0) / (FRAME / 4.0) / np.sqrt(1.5)  # a sine's power spreads over 1.5 bins
    return np.asarray(np.abs(rfft(frames * np.hanning(FRAME + 1)[:-1], axis=1)) * scale)


def _slow_gains(heard: Floats, other: Floats, grouping: Floats, rate_hz: int) -> Floats:
    """(frames, bins): the gains that bring `heard` closest to `other` (least squares) over the window of `SLOW_S`."""
    wide = grouping.reshape(len(grouping), -1, GAIN_BANDS).sum(axis=2)
    length = max(1, round(SLOW_S * rate_hz / HOP)) | 1
    window = np.hanning(length + 2)[1:-1]
    pair = [np.apply_along_axis(_same, 0, power @ wide, window) for power in (heard * other, heard**2)]
    whole = pair[0].sum(axis=1, keepdims=True) / np.maximum(pair[1].sum(axis=1, keepdims=True), 1e-9)
    most = 10.0 ** (TONE_DB / 20.0)
    gains = np.clip(pair[0] / np.maximum(pair[1], 1e-9), whole / most, whole * most)
    shares = wide.sum(axis=1, keepdims=True)
    nearest = np.where(shares > 0.0, wide / np.maximum(shares, 1e-9), 0.0)
    return np.asarray(np.where(shares.T > 0.0, np.maximum(gains, 1e-6) @ nearest.T, 1.0))


def _same(line: Floats, window: Floats) -> Floats:
    """A moving sum as long as the line."""
    half = len(window) // 2
    return np.convolve(line, window)[half : half + len(line)]


def _spread(energy: Floats, ear: _Ear) -> Floats:
    """Spreading over frequency (section 2.1.7): 27 dB per Bark downwards, upwards less the louder it is."""
    bands = np.arange(energy.shape[1])
    steps = (bands[None, :] - bands[:, None]) * BAND_BARK  # from the masker (row) to the band (column)
    upwards_db = -24.0 - 230.0 / ear.centres_hz + 0.2 * 10.0 * np.log10(energy)
    spread = np.empty_like(energy)
    for frame, (power, slope_db) in enumerate(zip(energy, upwards_db, strict=True)):
        shape = 10.0 ** (np.where(steps < 0.0, 27.0 * steps, slope_db[:, None] * steps) / 10.0)
        kept = power[:, None] * shape / shape.sum(axis=1, keepdims=True)
        spread[frame] = (kept**SPREADING_POWER).sum(axis=0) ** (1.0 / SPREADING_POWER)
    return np.asarray(spread / _flat_gain(ear))


def _flat_gain(ear: _Ear) -> Floats:
    """What spreading adds to equal bands of 0 dB: it is divided out (section 2.1.7)."""
    bands = np.arange(len(ear.centres_hz))
    steps = (bands[None, :] - bands[:, None]) * BAND_BARK
    slope_db = (-24.0 - 230.0 / ear.centres_hz)[:, None]
    shape = 10.0 ** (np.where(steps < 0.0, 27.0 * steps, slope_db * steps) / 10.0)
    shape /= shape.sum(axis=1, keepdims=True)
    return np.asarray((shape**SPREADING_POWER).sum(axis=0) ** (1.0 / SPREADING_POWER))


def _forward(energy: Floats, ear: _Ear, rate_hz: int) -> Floats:
    """Forward masking (section 2.1.9): excitation falls slowly and rises at once."""
    seconds = FORWARD_S + 100.0 / ear.centres_hz * (FORWARD_100_HZ_S - FORWARD_S)
    decay = np.exp(-HOP / (rate_hz * seconds))
    slow = np.stack([lfilter([1.0 - a], [1.0, -a], line) for a, line in zip(decay, energy.T, strict=True)], axis=1)
    return np.asarray(np.maximum(slow, energy))


@lru_cache(maxsize=4)
def _ear(rate_hz: int) -> _Ear:
    """Sections 2.1.4 to 2.1.6 and 2.1.8 of the standard."""
    lowest, highest = (float(_bark(hz)) for hz in (LOWEST_HZ, HIGHEST_HZ))
    bands = GAIN_BANDS * round((highest - lowest) / (GAIN_BANDS * BAND_BARK))
    edges_hz = 650.0 * np.sinh((lowest + BAND_BARK * np.arange(bands + 1)) / 7.0)
    centres_hz = 650.0 * np.sinh((lowest + BAND_BARK * (np.arange(bands) + 0.5)) / 7.0)
    bins_hz = np.arange(FRAME // 2 + 1) * rate_hz / FRAME
    width_hz = rate_hz / FRAME
    upper = np.minimum(bins_hz[:, None] + width_hz / 2.0, edges_hz[None, 1:])
    lower = np.maximum(bins_hz[:, None] - width_hz / 2.0, edges_hz[None, :-1])
    khz = np.maximum(bins_hz, 1.0) / 1000.0
    weights_db = -0.6 * 3.64 * khz**-0.8 + 6.5 * np.exp(-0.6 * (khz - 3.3) ** 2) - 1e-3 * khz**3.6
    masked_db = np.maximum(3.0, 0.25 * BAND_BARK * np.arange(bands))  # 3 dB up to 12 Bark, then a quarter of the Bark
    return _Ear(
        weights=10.0 ** (weights_db / 20.0),
        grouping=np.maximum(0.0, upper - lower) / width_hz,
        centres_hz=centres_hz,
        internal_noise=10.0 ** (0.4 * 0.364 * (centres_hz / 1000.0) ** -0.8),
        offsets=10.0 ** (-masked_db / 10.0),
    )


def _bark(hz: float) -> NDArray[np.float64]:
    """Section 2.1.5: z = 7 asinh(f / 650)."""
    return np.asarray(7.0 * np.arcsinh(hz / 650.0))
