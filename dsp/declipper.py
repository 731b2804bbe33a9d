"""Declipper: puts back the peaks that were cut off, as the sound around them foretells; every other sample passes bit for bit.

The sound is an autoregressive process (Janssen, Veldhuis, Vries, IEEE Trans. ASSP 34(2), 1986). Least squares, their answer for
lost samples, comes out too low for clipped ones: a clipped sample is known to lie beyond the level, so each gets its expected
value given that (`dsp.truncated_normal`). Segments on a grid fixed to the start of the track, each with its context (law 1).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio, Floats, joined, silence, to_gain
from dsp.detectors.flat_tops import FLAT_RATIO
from dsp.detectors.prediction import FLOOR_RATIO, NOISE_RATIO, WHOLE, add_lags, foretell, largest, mean_square, solve
from dsp.kernel import kernel
from dsp.settings import DeclipperSettings
from dsp.truncated_normal import expect, invert

ORDER = 64
"""Of the predictor; with 32, 18 tracks driven 3 dB into clipping are restored 0.6 dB less well in the median."""
SEGMENT_FRAMES, WINDOW_FRAMES = 512, 1024
"""The predictor is found over 23 ms (at 44.1 and 48 kHz; as long at higher rates) around each segment; 46 ms are no better."""
FEWEST = 2
"""Restoring single samples, too, gains 0.8 dB at 3 dB overdriven, but would raise peaks that only just reach the level."""
LONGEST = 176
"""4 ms at 44.1 kHz; at higher rates a predictor of this order reaches less far in time, and the work grows with the cube."""
NEAR_FRAMES, MOST_TOGETHER = 16, 24
"""Runs so near to each other are restored together, up to so many samples; at 48 nothing is better."""
DOUBT_RATIO = 1.0
"""Power of what cannot be foretold against that of the prediction's errors over the window; 0.6 is 0.2 to 0.7 dB worse."""


class Declipper:
    """Restores runs of clipped samples; latency: a segment and its context.

    >>> from dsp.chain import process
    >>> broken = np.clip(1.4 * np.sin(np.arange(9_600) * 0.03), -1.0, 1.0)[:, None]
    >>> restored = process(broken, 48_000, DeclipperSettings(clip_dbfs=(0.0,)))
    >>> round(float(restored[2_000:8_000].max()), 1), bool((abs(restored) >= abs(broken)).all())
    (1.2, True)
    """

    def __init__(self, settings: DeclipperSettings, rate_hz: int, channels: int) -> None:
        levels = settings.clip_dbfs * channels if len(settings.clip_dbfs) == 1 else settings.clip_dbfs
        if len(levels) != channels:
            raise ValueError(f"clip_dbfs must have one level or one per channel ({channels}), got {settings.clip_dbfs}")
        doublings = max(0, round(math.log2(rate_hz / 44_100)))
        self._size, self._context = SEGMENT_FRAMES, ((WINDOW_FRAMES << doublings) - SEGMENT_FRAMES) // 2
        self.latency = self._size + self._context
        self._levels = np.array([to_gain(level) for level in levels])
        self._rise_ratio = to_gain(settings.max_rise_db)
        self._most = max(FEWEST, min(LONGEST, int(settings.max_gap_s * rate_hz)))
        self._taper = np.hanning(self._size + 2 * self._context).astype(np.float32)
        self._line = silence(self._context, channels)
        self._over = silence(self._most, channels)  # what the last segment's runs add to the next
        self._taken = self._given = 0

    def push(self, block: Audio) -> Audio:
        """Every segment that the block completes."""
        self._taken += len(block)
        ready = self._advance(block)
        self._given += len(ready)
        return ready

    def finish(self) -> Audio:
        """The rest of the track, as long as what is missing."""
        missing = self._taken - self._given
        whole = -(-missing // self._size) * self._size
        rest = self._advance(silence(whole - missing + self._context, self._line.shape[1]))
        return rest[:missing]

    def _advance(self, block: Audio) -> Audio:
        line, context, size = joined([self._line, block]), self._context, self._size
        frames = max(0, len(line) - 2 * context) // size * size
        out = line[context : context + frames].copy()
        reaching = np.zeros(frames // size, np.bool_)
        _reach(out, float(self._levels.min()) - FLAT_RATIO, size, reaching)
        for at in range(0, frames, size) if self._over.any() or reaching.any() else ():
            self._restore(line[at : at + size + 2 * context], out[at : at + size], bool(reaching[at // size]))
        self._line = line[frames:].copy() if frames else line
        return out

    def _restore(self, window: Audio, out: Audio, reaching: bool) -> None:
        if not reaching and not self._over.any():
            return
        added = np.concatenate([self._over, silence(self._size, window.shape[1])])
        for channel, level in enumerate(self._levels if reaching else ()):
            line, found = np.ascontiguousarray(window[:, channel]), np.zeros(len(added))
            bounds = (level - FLAT_RATIO, level + FLAT_RATIO, level * self._rise_ratio)
            _restore(line, self._context, bounds, self._most, self._taper, found)
            added[:, channel] += found
        out += added[: self._size]
        self._over = added[self._size :]


@kernel
def _reach(audio: Audio, floor: float, size: int, reaching: NDArray[np.bool_]) -> None:
    """Which segments hold a sample at or beyond the floor."""
    values = audio.reshape(audio.size)
    step = size * audio.shape[1]
    for segment in range(reaching.size):
        count = 0
        for value in values[segment * step : (segment + 1) * step]:
            count += abs(value) >= floor
        reaching[segment] = count > 0


@kernel
def _restore(
    line: Floats, context: int, bounds: tuple[float, float, float], most: int, taper: NDArray[np.float32], added: Floats
) -> None:
    """Adds what is missing to the runs that begin in the window's middle; `added` begins with the middle."""
    last = line.size - context
    starts, ends = _runs(line, bounds[0], bounds[1], most)
    if starts.size == 0 or starts[-1] < context:
        return
    lags, weights = np.zeros(ORDER + 1), np.zeros(ORDER)
    add_lags(line.astype(np.float32), taper, WHOLE / max(largest(line), FLOOR_RATIO), lags)
    solve(lags, weights)
    errors = np.empty(line.size - ORDER)
    foretell(line, weights, errors)
    power = DOUBT_RATIO * max(mean_square(errors), FLOOR_RATIO**2)
    products = _products(weights)
    restored, run = line.copy(), 0
    while run < starts.size and starts[run] < last:
        end = run + 1
        while end < starts.size and starts[end] - ends[end - 1] < NEAR_FRAMES:
            if (ends[run : end + 1] - starts[run : end + 1]).sum() > MOST_TOGETHER:
                break
            end += 1
        if ends[end - 1] > context - ORDER and starts[run] >= ORDER and ends[end - 1] <= line.size - ORDER:
            _restore_together(line, starts[run:end], ends[run:end], products, power, bounds[2], restored)
        for at in range(run, end):
            if context <= starts[at] < last:
                for i in range(starts[at], ends[at]):
                    added[i - context] = restored[i] - line[i]
        run = end


@kernel
def _runs(line: Floats, low: float, high: float, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First frames, and frames after the last, of runs of samples of one sign whose magnitude lies between `low` and `high`."""
    starts, ends = np.empty(line.size // FEWEST, np.int64), np.empty(line.size // FEWEST, np.int64)
    count, length = 0, 0
    for i in range(line.size + 1):
        flat = i < line.size and low <= abs(line[i]) <= high
        if length and not (flat and (line[i] > 0.0) == (line[i - 1] > 0.0)):
            if FEWEST <= length <= most:
                starts[count], ends[count] = i - length, i
                count += 1
            length = 0
        length += flat
    return starts[:count], ends[:count]


@kernel
def _products(weights: Floats) -> Floats:
    """b[d] = sum_k a[k] a[k + d], a = (1, -weights): what two samples d frames apart share in the square of all errors."""
    taps = np.ones(weights.size + 1)
    for k in range(weights.size):
        taps[k + 1] = -weights[k]
    products = np.zeros(taps.size)
    for lag in range(taps.size):
        for k in range(taps.size - lag):
            products[lag] += taps[k] * taps[k + lag]
    return products


@kernel
def _restore_together(
    line: Floats,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    products: Floats,
    power: float,
    highest: float,
    restored: Floats,
) -> None:
    """Clipped samples, all as if positive, become their expected values: normal with precision B / power, above their own."""
    count = (ends - starts).sum()
    places, signs = np.empty(count, np.int64), np.empty(count)
    at = 0
    for run in range(starts.size):
        for i in range(starts[run], ends[run]):
            places[at], signs[at] = i, 1.0 if line[i] > 0.0 else -1.0
            restored[i] = 0.0
            at += 1
    low, high = np.abs(line[places]), np.full(count, highest)
    covariance, wanted, means = np.zeros((count, count)), np.zeros(count), np.zeros(count)
    for k in range(count):
        for lag in range(1, products.size):
            wanted[k] -= signs[k] * products[lag] * (restored[places[k] - lag] + restored[places[k] + lag])
        for m in range(count):
            if abs(places[k] - places[m]) < products.size:
                covariance[k, m] = signs[k] * signs[m] * products[abs(places[k] - places[m])]
        covariance[k, k] *= 1.0 + NOISE_RATIO
    invert(covariance)
    for k in range(count):
        for m in range(count):
            means[k] += covariance[k, m] * wanted[m]
            covariance[k, m] *= power
    expect(means, covariance, low, high)
    for k in range(count):
        kept = min(means[k], highest)
        restored[places[k]] = signs[k] * (kept if kept > low[k] else low[k])
