"""Parametric equaliser: up to 16 bells, shelves, tilts and pass filters, one after the other; no latency, minimum phase.

For corrections that are sharp, few or meant to act like a mixing desk. Broad curves of many points: `dsp.equaliser`.
"""

from __future__ import annotations

import math

import numpy as np

from dsp.audio import Audio, Floats, silence
from dsp.biquad import Analogue, gain_db, inverted, matched
from dsp.kernel import STILL, kernel
from dsp.settings import Band, ParametricSettings

STRIP = 64
"""Frames that one band filters before the next: they stay in the first cache, the state in registers."""


class Parametric:
    """Second-order filters in transposed direct form II, each with the gain of its analogue model to 20 kHz.

    >>> from dsp.chain import process
    >>> settings = ParametricSettings(bands=(Band(kind="low_shelf", freq_hz=100.0, gain_db=6.0),))
    >>> round(float(process(np.full((48_000, 1), 0.25), 48_000, settings)[-1, 0]), 6)
    0.498816
    """

    latency = 0

    def __init__(self, settings: ParametricSettings, rate_hz: int, channels: int) -> None:
        self._channels = channels
        self._filters = filters(settings, rate_hz)
        self._state = np.zeros((len(self._filters), channels, 2))
        self._frame = 0

    def push(self, block: Audio) -> Audio:
        """The filtered block; the block itself if no band has anything to do."""
        if not len(self._filters):
            return block
        out = np.empty_like(block)
        _cascade(block, self._frame % STRIP, self._filters, self._state, out)
        self._frame += len(block)
        return out

    def finish(self) -> Audio:
        """Nothing: the filters hold nothing back."""
        return silence(0, self._channels)


def response_db(settings: ParametricSettings, freqs_hz: Floats, rate_hz: int) -> Floats:
    """The exact gain of all bands together.

    >>> bell = ParametricSettings(bands=(Band(kind="bell", freq_hz=1000.0, gain_db=3.0, quality_ratio=2.0),))
    >>> response_db(bell, np.array([1.0, 1000.0]), 48_000).round(2).tolist()
    [0.0, 3.0]
    """
    gains = np.zeros(np.shape(freqs_hz))
    for coefficients in filters(settings, rate_hz):
        gains += gain_db(coefficients, freqs_hz, rate_hz)
    return gains


def filters(settings: ParametricSettings, rate_hz: int) -> Floats:
    """b0 b1 b2 a1 a2 of every band that does something (bands, 5)."""
    working = [band for band in settings.bands if band.gain_db or band.kind in ("highpass", "lowpass")]
    return np.array([_filter(band, rate_hz) for band in working]).reshape(-1, 5)


def analogue(kind: str, gain_db: float, quality_ratio: float) -> Analogue:
    """The models of the Audio EQ Cookbook (Bristow-Johnson, W3C Note, 2021); a tilt is (G s + 1) / (s + G)."""
    root = 10.0 ** (gain_db / 40.0)
    one = 1.0 / quality_ratio
    slope = math.sqrt(root) * one
    models = {
        "bell": Analogue((1.0, root * one, 1.0), (1.0, one / root, 1.0)),
        "low_shelf": Analogue((root, root * slope, root * root), (root, slope, 1.0)),
        "high_shelf": Analogue((root * root, root * slope, root), (1.0, slope, root)),
        "tilt": Analogue((0.0, root, 1.0), (0.0, 1.0, root)),
        "lowpass": Analogue((0.0, 0.0, 1.0), (1.0, one, 1.0)),
        "highpass": Analogue((1.0, 0.0, 0.0), (1.0, one, 1.0)),
    }
    return models[kind]


def _filter(band: Band, rate_hz: int) -> Floats:
    """The half of all filters whose poles are the sharper part is matched; the others undo their opposite."""
    undo = band.gain_db < 0.0 if band.kind in ("bell", "low_shelf") else band.gain_db > 0.0
    model = analogue(band.kind, -band.gain_db if undo else band.gain_db, band.quality_ratio)
    coefficients = matched(model, band.freq_hz, rate_hz)
    return inverted(coefficients) if undo else coefficients


@kernel
def _cascade(block: Audio, frame: int, filters: Floats, state: Floats, out: Audio) -> None:
    """y = b0 x + s1, s1 = b1 x - a1 y + s2, s2 = b2 x - a2 y, band by band in strips; one or two channels at once.

    Strips are anchored to the start of the track (`frame`: how far into one the block begins), so that filters come to rest
    at the same frame however the track is cut.
    """
    last = block.shape[1] - 1
    start = 0
    while start < block.shape[0]:
        end = min(block.shape[0], start + STRIP - frame)
        frame = (frame + end - start) % STRIP
        given = block[start:end]
        strip = out[start:end]
        for band in range(filters.shape[0]):
            b0, b1, b2, a1, a2 = filters[band]
            s1, s2 = state[band, 0]
            t1, t2 = state[band, last]
            for n in range(given.shape[0]):
                x, u = given[n, 0], given[n, last]
                y, v = b0 * x + s1, b0 * u + t1
                s1, t1 = (b1 * x + s2) - a1 * y, (b1 * u + t2) - a1 * v
                s2, t2 = b2 * x - a2 * y, b2 * u - a2 * v
                strip[n, 0], strip[n, last] = y, v
            if frame == 0 and abs(s1) + abs(s2) < STILL:
                s1 = s2 = 0.0
            if frame == 0 and abs(t1) + abs(t2) < STILL:
                t1 = t2 = 0.0
            state[band, 0, 0], state[band, 0, 1] = s1, s2
            state[band, last, 0], state[band, last, 1] = t1, t2
            given = strip
        start = end
