"""Loudness meter: ITU-R BS.1770-5 and EBU Tech 3341/3342, streaming, at any rate.

It keeps the K-weighted energy of each 10 ms tick; momentary, short-term, integrated loudness and loudness range are sums
over these. Mono is one channel (-3.01 LU against the same signal in two) unless asked for as two.
"""

from __future__ import annotations

import math
from array import array
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats
from dsp.gating import (
    ABSOLUTE_GATE_LUFS,
    BINS_PER_LU,
    ENERGY_UNIT,
    OFFSET_LU,
    RELATIVE_GATE_LU,
    GatingBlocks,
    energy_of,
    loudness_lufs,
)
from dsp.kernel import STILL, kernel
from dsp.ticks import PER_S, Folder, TickGrid, window_sums
from dsp.windows import Block, Lines, as_lines

MOMENTARY_TICKS = 40  # 400 ms, BS.1770-5 annex 1; EBU Tech 3341
SHORT_TERM_TICKS = 300  # 3 s, EBU Tech 3341
BLOCK_HOP_TICKS = 10  # 75 % overlap of 400 ms blocks; Tech 3342 asks for 10 Hz or more
RANGE_GATE_LU = -20.0  # EBU Tech 3342
RANGE_TAIL_TICKS = 150
"""Silence that a meter of files puts after the programme, EBU Tech 3342: 1.5 s."""
LOUDEST_TICKS = 30_000
"""The loudest window is looked for in stretches of so many: 5 minutes, half a MiB."""
RANGE_MIN_S = 60.0
"""Loudness range is not meaningful for less (EBU R 128 s1, Tech 3342)."""

CHANNEL_WEIGHTS: dict[int, tuple[float, ...]] = {
    1: (1.0,),
    2: (1.0, 1.0),
    3: (1.0, 1.0, 1.0),
    4: (1.0, 1.0, 1.41, 1.41),
    5: (1.0, 1.0, 1.0, 1.41, 1.41),
    6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41),  # L R C LFE Ls Rs: the LFE is left out
}
"""BS.1770-5 annex 1, table 3, in the channel order of WAV files."""
DUAL_MONO_WEIGHTS = (2.0,)
"""One channel played on two loudspeakers: +3.01 LU."""


class Loudness(NamedTuple):
    """The loudness figures of a programme; None where the programme is too short or too quiet to have one."""

    integrated_lufs: float | None
    loudness_range_lu: float | None
    max_momentary_lufs: float | None
    max_short_term_lufs: float | None


class Stereo(NamedTuple):
    """What a pair of channels tells: gated loudness of parts of it, a part below -70 LUFS counting as -70."""

    balance_lu: float | None
    """Left less right."""
    side_mid_lu: float | None
    """Side less middle."""
    mono_loss_lu: float | None
    """Lost when both channels are mixed to one and played on two loudspeakers."""


class LoudnessMeter:
    """Running loudness of a track; `dual_mono` counts a single channel twice, as two loudspeakers play it.

    Without `stereo` nothing is known of how its two channels compare.

    >>> meter = LoudnessMeter(rate_hz=48_000, channels=1)
    >>> meter.push(np.sin(2 * np.pi * 997 / 48_000 * np.arange(96_000))[:, None])
    >>> round(meter.loudness().integrated_lufs, 2)  # BS.1770-5: 0 dBFS at 997 Hz in one channel reads -3.01
    -3.01
    """

    def __init__(
        self, rate_hz: int, channels: int, *, dual_mono: bool = False, start_frame: int = 0, stereo: bool = True
    ) -> None:
        if channels not in CHANNEL_WEIGHTS:
            raise ValueError(f"loudness is defined here for 1 to 6 channels, got {channels}")
        self._weights = DUAL_MONO_WEIGHTS if dual_mono and channels == 1 else CHANNEL_WEIGHTS[channels]
        self.grid = TickGrid(rate_hz, start_frame)
        self._coefficients = k_weighting(rate_hz)
        self._state = np.zeros((channels, 5))
        self._cross = np.zeros(1)
        self._ticks = array("d")  # 8 bytes a tick: 6 MB for two hours
        self._stereo = stereo and channels == 2
        self._parts = Folder(BLOCK_HOP_TICKS, 3, np.add)  # of two channels: left, right, left times right

    def settle(self, before: Block) -> None:
        """Runs the filters over what comes before a piece of a programme, without counting it."""
        nowhere = np.zeros(0, np.int64)
        self._weigh(as_lines(before), nowhere)
        self._state[:, 4] = self._cross[0] = 0.0

    def push(self, block: Block) -> None:
        """Takes a block (frames, channels)."""
        lines, ends = as_lines(block), self.grid.ends(len(block))
        sums, cross = self._weigh(lines, ends)
        self._ticks.frombytes(self._weighted(sums).tobytes())
        if self._stereo:
            self._parts.push(np.stack([sums[0], sums[1], cross], axis=1))

    def _weigh(self, lines: Lines, ends: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Energies (channels, ticks) of the ticks that end, and the sums of left times right."""
        sums = np.zeros((len(lines), len(ends)))
        cross = np.zeros(len(ends))
        for first in range(0, len(lines), 2):
            second = min(first + 1, len(lines) - 1)
            state = self._state[first : second + 1]
            _weigh(lines[first], lines[second], self._coefficients, state, self._cross, ends, sums[first:], cross)
        return sums, cross

    def _weighted(self, sums: Floats) -> Floats:
        total = np.zeros(sums.shape[1:])
        for weight, energies in zip(self._weights, sums, strict=True):
            total += weight * energies  # channel by channel: a matrix product adds in an order of its own
        return total

    def energies(self) -> Floats:
        """Channel-weighted K-weighted energy (sum of squares) of each complete tick of 10 ms."""
        return np.array(self._ticks)

    def open_energy(self) -> float:
        """That of the tick that has not come to its end."""
        return float(self._weighted(self._state[:, 4]))

    def loudness(self) -> Loudness:
        """The figures of all that was pushed."""
        return loudness_of(self.energies(), self.grid)

    def stereo(self) -> Stereo:
        """What the two channels tell of each other; None throughout for any other number, or where it was not asked for."""
        left, right, cross = self._parts.rows().T.astype(np.float64)
        windows = max(0, len(left) - MOMENTARY_TICKS // BLOCK_HOP_TICKS + 1)
        frames = self.grid.window_frames(windows, MOMENTARY_TICKS, BLOCK_HOP_TICKS)
        # Middle and side as two loudspeakers play them: each plays half the sum, or half the difference.
        parts = (left + right, left, right, (left + right) / 2 + cross, (left + right) / 2 - cross)
        both, *levels = (
            gated_lufs(window_sums(np.maximum(part, 0.0), MOMENTARY_TICKS // BLOCK_HOP_TICKS, 1) / frames)
            for part in parts
        )
        if both is None:
            return Stereo(None, None, None)
        one, other, middle, side = (ABSOLUTE_GATE_LUFS if level is None else level for level in levels)
        return Stereo(balance_lu=one - other, side_mid_lu=side - middle, mono_loss_lu=both - middle)

    def gating_blocks(self) -> GatingBlocks:
        """The blocks above the absolute gate, to be pooled with those of other tracks."""
        return gating_blocks_of(self.energies(), self.grid)


def loudness_of(energies: Floats, grid: TickGrid) -> Loudness:
    """The figures of a programme from the energies of its ticks of 10 ms."""
    padded = np.concatenate([energies, np.zeros(RANGE_TAIL_TICKS)])
    short = mean_squares(padded, grid, SHORT_TERM_TICKS)
    return Loudness(
        integrated_lufs=gated_lufs(mean_squares(energies, grid, MOMENTARY_TICKS)),
        loudness_range_lu=loudness_range_lu(short) if len(energies) >= SHORT_TERM_TICKS else None,
        max_momentary_lufs=_loudest_lufs(energies, grid, MOMENTARY_TICKS),
        max_short_term_lufs=_loudest_lufs(energies, grid, SHORT_TERM_TICKS),
    )


def gating_blocks_of(energies: Floats, grid: TickGrid) -> GatingBlocks:
    """The blocks above the absolute gate, from the energies of the ticks of a programme."""
    return gating_blocks(mean_squares(energies, grid, MOMENTARY_TICKS))


def mean_squares(energies: Floats, grid: TickGrid, window: int, hop: int = BLOCK_HOP_TICKS) -> Floats:
    """Weighted mean square of each window of so many ticks of a programme, from the energies of its ticks."""
    sums = window_sums(energies, window, hop)
    sums /= grid.window_frames(len(sums), window, hop)
    return sums


def _loudest_lufs(energies: Floats, grid: TickGrid, window: int) -> float | None:
    """Of the windows that begin every 10 ms; a stretch of the programme at a time, for those of hours would fill memory."""
    loudest = -1.0
    for first in range(0, len(energies) - window + 1, LOUDEST_TICKS):
        sums = window_sums(energies[first : first + LOUDEST_TICKS + window - 1], window, 1)
        loudest = max(loudest, float((sums / grid.window_frames(len(sums), window, 1, first)).max()))
    return loudness_lufs(loudest)


def gated_lufs(energies: Floats) -> float | None:
    """Integrated loudness of gating blocks (weighted mean squares); BS.1770-5 annex 1, equations 5 to 7."""
    loud = energies[energies > energy_of(ABSOLUTE_GATE_LUFS)]
    if not len(loud):
        return None
    gate = loud.mean() * 10.0 ** (RELATIVE_GATE_LU / 10.0)
    return loudness_lufs(float(loud[loud > gate].mean()))


def loudness_range_lu(energies: Floats) -> float | None:
    """Loudness range of short-term mean squares at 10 Hz; EBU Tech 3342: gates, then nearest-rank P95 - P10."""
    loud = energies[energies >= energy_of(ABSOLUTE_GATE_LUFS)]
    if not len(loud):
        return None
    kept = np.sort(loud[loud >= loud.mean() * 10.0 ** (RANGE_GATE_LU / 10.0)])
    low, high = (kept[int((len(kept) - 1) * p + 0.5)] for p in (0.10, 0.95))
    return 10.0 * math.log10(high / low)


def gating_blocks(energies: Floats) -> GatingBlocks:
    """Gating blocks counted into bins, with their energies as integers."""
    loud = energies[energies > energy_of(ABSOLUTE_GATE_LUFS)]
    bins = ((10.0 * np.log10(loud) + (OFFSET_LU - ABSOLUTE_GATE_LUFS)) * BINS_PER_LU).astype(np.int64)
    levels, where = np.unique(bins, return_inverse=True)
    sums = tuple(round(total / ENERGY_UNIT) for total in np.bincount(where, weights=loud).tolist())
    return GatingBlocks(tuple(levels.tolist()), tuple(np.bincount(where).tolist()), sums)


def k_weighting(rate_hz: int) -> Floats:
    """Coefficients b0 b1 b2 a1 a2 of both stages at a rate: rows of a (2, 5) array.

    BS.1770-5 tabulates 48 kHz only; the analogue prototype behind it (fitted to 9e-16) is mapped by the pre-warped bilinear
    transform, and scaled so that 997 Hz reads as at 48 kHz: without that, 192 kHz reads 0.027 dB low.
    """
    stages = _k_prototype(rate_hz)
    stages[1, :3] *= _gain_at(997.0, _k_prototype(48_000), 48_000) / _gain_at(997.0, stages, rate_hz)
    return stages


def _k_prototype(rate_hz: int) -> Floats:
    k, q = math.tan(math.pi * 1681.974450955533 / rate_hz), 0.7071752369554196
    vh = 10.0 ** (3.999843853973347 / 20.0)
    vb, a0 = vh**0.4996667741545416, 1.0 + k / q + k * k
    shelf = [(vh + vb * k / q + k * k) / a0, 2.0 * (k * k - vh) / a0, (vh - vb * k / q + k * k) / a0]
    shelf += [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0]
    k, q = math.tan(math.pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    a0 = 1.0 + k / q + k * k
    return np.array([shelf, [1.0, -2.0, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0]])


@lru_cache(maxsize=64)
def k_weight_db(hz: float) -> float:
    """Gain of the K-weighting at a frequency.

    >>> round(k_weight_db(997.0), 3)  # BS.1770-5: what -0.691 takes away again
    0.691
    """
    return 20.0 * math.log10(_gain_at(hz, k_weighting(96_000), 96_000))


def _gain_at(hz: float, stages: Floats, rate_hz: int) -> float:
    z = np.exp(-2j * np.pi * hz / rate_hz) ** np.arange(3)
    return float(np.prod(np.abs(stages[:, :3] @ z) / np.abs(1.0 + stages[:, 3:] @ z[1:])))


@kernel
def _still(value: float) -> float:
    """Nothing for what is nearly nothing."""
    return value if abs(value) > STILL else 0.0


@kernel
def _weigh(
    left: Lines,
    right: Lines,
    stages: Floats,
    state: Floats,
    cross_state: Floats,
    ends: NDArray[np.int64],
    sums: Floats,
    crosses: Floats,
) -> None:
    """Two channels through both biquads (transposed direct form II); sums[c, t] = energy of tick t, crosses[t] = sum of LR.

    w[n] = b0 x[n] + s1, s1 = b1 x[n] - a1 w[n] + s2, s2 = b2 x[n] - a2 w[n]. Two channels a loop keep the processor busy
    while each waits for its own recurrence; a channel alone comes as both. The fifth state is the energy of the unfinished tick.
    """
    b0, b1, b2, a1, a2 = stages[0]
    c0, c1, c2, d1, d2 = stages[1]
    one, other = 0, state.shape[0] - 1
    p1, p2, p3, p4, p = state[one]
    q1, q2, q3, q4, q = state[other]
    cross = cross_state[0]
    start = 0
    for tick in range(ends.size + 1):
        end = ends[tick] if tick < ends.size else left.size
        for n in range(start, end):
            x, y = np.float64(left[n]), np.float64(right[n])
            v, w = b0 * x + p1, b0 * y + q1
            p1, q1 = b1 * x - a1 * v + p2, b1 * y - a1 * w + q2
            p2, q2 = b2 * x - a2 * v, b2 * y - a2 * w
            x, y = c0 * v + p3, c0 * w + q3
            p3, q3 = c1 * v - d1 * x + p4, c1 * w - d1 * y + q4
            p4, q4 = c2 * v - d2 * x, c2 * w - d2 * y
            p += x * x
            q += y * y
            cross += x * y
        if tick < ends.size:
            sums[one, tick], sums[other, tick], crosses[tick] = p, q, cross
            p = q = cross = 0.0
            # What a filter fades to in silence becomes denormal: twenty times as slow.
            p1, p2, p3, p4 = _still(p1), _still(p2), _still(p3), _still(p4)
            q1, q2, q3, q4 = _still(q1), _still(q2), _still(q3), _still(q4)
        start = end
    state[one] = (p1, p2, p3, p4, p)
    state[other] = (q1, q2, q3, q4, q)
    cross_state[0] = cross


assert SHORT_TERM_TICKS == 3 * PER_S
