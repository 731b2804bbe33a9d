"""Hears a stem in one pass: its figures, and its trace over time. What decisions about a mix need to know of it.

It keeps 250 bytes for each tenth of a second, and nothing else that grows. Measures one stem by itself: how stems go together is
`alignment`'s.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats, power_to_db, to_db
from dsp.detectors.flat_tops import FlatTopDetector
from dsp.detectors.hum import HumDetector
from dsp.levels import LevelMeter, Levels
from dsp.mixing.activity import percussivity_ratio
from dsp.mixing.trace import STEPS_PER_S, Trace
from dsp.mixing.trace_meter import TraceMeter, TraceReading
from dsp.windows import Block, Lines, Windows

SILENT_POWER = 1e-14
"""-140 dBFS: what lies below is digital silence, and no floor of noise."""
RINGING_STEPS, LEAST_PAUSE_STEPS = 10, 10
"""Of 0.1 s: what lies so near to music may ring out; so much is needed beyond that."""
QUIET_RATIO = 0.1
"""Of the pauses: what rings out lies above, steady noise everywhere. Our choice."""
MAX_CHANNELS = 2


class StemReading(NamedTuple):
    """What was measured of a stem; None where it is silent or has no such thing (`schemas.mix.StemFigures` tells of each)."""

    trace: Trace
    integrated_lufs: float | None
    loudness_range_lu: float | None
    sample_peak_dbfs: float | None
    crest_db: float | None
    noise_floor_dbfs: float | None
    active_ratio: float
    first_sound_s: float | None
    last_sound_s: float | None
    centroid_hz: float | None
    percussivity_ratio: float
    low_ratio: float
    bands_db: tuple[float | None, ...]
    correlation: float | None
    balance_db: float | None
    offset_ratio: tuple[float, ...]
    flat_tops: int
    hum_db: float | None
    hum_hz: float | None


class StemMeter:
    """Running measurement of a stem of one or two channels.

    >>> meter = StemMeter(rate_hz=48_000, channels=1)
    >>> meter.push(np.sin(2 * np.pi * 997 / 48_000 * np.arange(96_000))[:, None])
    >>> found = meter.finish()
    >>> round(found.integrated_lufs, 2), found.trace.steps, found.active_ratio
    (-3.01, 20, 1.0)
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        if not 1 <= channels <= MAX_CHANNELS:
            raise ValueError(f"channels of a stem must be 1 or 2, got {channels}")
        self._rate_hz, self._channels = rate_hz, channels
        self._windows = Windows(channels)
        self._trace = TraceMeter(rate_hz, channels)
        self._levels = LevelMeter(rate_hz, channels)
        self._flat_tops = FlatTopDetector(rate_hz, channels)
        self._hum = HumDetector(rate_hz, channels)

    def push(self, block: Block) -> None:
        """Takes a block (frames, channels)."""
        for lines in self._windows.push(block):
            self._hear(lines)

    def _hear(self, lines: Lines) -> None:
        self._trace.push(lines)
        self._levels.push(lines.T)
        self._flat_tops.push(lines)
        self._hum.push(lines)

    def finish(self) -> StemReading:
        """What was measured; ends the measurement."""
        for lines in self._windows.finish():
            self._hear(lines)
        return self._reading(self._trace.finish(), self._levels.levels())

    def _reading(self, found: TraceReading, levels: Levels) -> StemReading:
        trace, bark, frames = found.trace, found.bark, found.step_frames
        active, places = trace.active, np.flatnonzero(trace.active)
        heard = _total(frames[active])
        peak_dbfs, total = to_db(float(levels.sample_peaks.max(initial=0.0))), _total(bark.total[active])
        rms_dbfs = power_to_db(total / (heard * self._channels)) if heard else None
        hum = self._hum.finish()
        return StemReading(
            trace=trace,
            integrated_lufs=found.integrated_lufs,
            loudness_range_lu=found.loudness_range_lu,
            sample_peak_dbfs=peak_dbfs,
            crest_db=None if rms_dbfs is None or peak_dbfs is None else peak_dbfs - rms_dbfs,
            noise_floor_dbfs=_floor_dbfs(levels, active),
            active_ratio=heard / max(1, levels.frames),
            first_sound_s=float(places[0]) / STEPS_PER_S if len(places) else None,
            last_sound_s=min(float(places[-1] + 1) / STEPS_PER_S, levels.frames / self._rate_hz)
            if len(places)
            else None,
            centroid_hz=_total(bark.moments[active]) / total if total > 0.0 else None,
            percussivity_ratio=percussivity_ratio(found.ticks),
            low_ratio=_total(bark.low[active]) / total if total > 0.0 else 0.0,
            bands_db=tuple(power_to_db(_total(band[active]) / max(1.0, heard)) for band in bark.bands.T),
            correlation=_correlation(levels),
            balance_db=_balance_db(levels),
            offset_ratio=tuple((levels.sums / max(1, levels.frames)).tolist()),
            flat_tops=self._flat_tops.finish().tops.count,
            hum_db=hum.db,
            hum_hz=hum.hz,
        )


def _floor_dbfs(levels: Levels, active: NDArray[np.bool_]) -> float | None:
    """Level that the quietest tenth of the long pauses stays under; digital silence and what rings out left out."""
    steps = len(levels.frame_squares) // 2
    squares = levels.frame_squares[: 2 * steps].mean(axis=1).reshape(steps, 2).mean(axis=1)
    near = np.convolve(active[:steps], np.ones(2 * RINGING_STEPS + 1), "same") > 0.0 if steps else active[:steps]
    pauses = squares[~near[:steps] & (squares > SILENT_POWER)]
    return power_to_db(float(np.quantile(pauses, QUIET_RATIO))) if len(pauses) >= LEAST_PAUSE_STEPS else None


def _correlation(levels: Levels) -> float | None:
    if len(levels.square_sums) != MAX_CHANNELS or not levels.square_sums.all():
        return None
    both = math.sqrt(float(levels.square_sums[0]) * float(levels.square_sums[1]))
    return max(-1.0, min(1.0, levels.cross_sum / both))


def _balance_db(levels: Levels) -> float | None:
    if len(levels.square_sums) != MAX_CHANNELS or not levels.square_sums.all():
        return None
    return power_to_db(float(levels.square_sums[0]) / float(levels.square_sums[1]))


def _total(values: Floats | NDArray[np.int64]) -> float:
    return float(values.sum())
