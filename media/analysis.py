"""Measures one audio file in a single pass: the same for a source before mastering and for a master as its proof."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsp.audio import MAX_RATE_HZ, MIN_RATE_HZ, Audio, Floats, power_to_db, to_db
from dsp.edge_meter import EdgeMeter
from dsp.gating import loudness_lufs
from dsp.levels import LevelMeter, Levels
from dsp.loudness import RANGE_MIN_S, SHORT_TERM_TICKS, LoudnessMeter
from dsp.spectrum import SpectrumMeter
from dsp.ticks import PER_S
from dsp.true_peak import TruePeakMeter
from media.source import open_source, sha256_of
from schemas.errors import TrackError
from schemas.figures import Analysis, AudioFormat, Figures, Overview

ANALYSIS_VERSION = 1
"""Raise this with every change of a figure: kept analyses are measured again."""
OVERVIEW_POINTS = 400
MAX_CHANNELS = 6


def analyse(path: Path, sha256: str | None = None) -> Analysis:
    """Decodes a file once, checks it, and measures it; raises TrackError where it is not sound."""
    with open_source(path) as source:
        _check_measurable(source.format, path.name)
        meters = Meters(source.format.rate_hz, source.format.channels)
        for block in source.checked_blocks():
            meters.push(block)
        return meters.analysis(source.format, sha256 or sha256_of(path), source.tags)


def _check_measurable(audio: AudioFormat, name: str) -> None:
    if audio.channels > MAX_CHANNELS:
        text = f"{name} has {audio.channels} channels; 1 to {MAX_CHANNELS} can be measured"
        raise TrackError("CHANNELS_UNSUPPORTED", text, "Give a mono or stereo mix.")
    if not MIN_RATE_HZ <= audio.rate_hz <= MAX_RATE_HZ:
        text = f"{name} has a rate of {audio.rate_hz} Hz; {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz can be measured"
        raise TrackError("RATE_UNSUPPORTED", text, "Give the recording at its original rate.")


class Meters:
    """All meters side by side on one stream of blocks."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._loudness = LoudnessMeter(rate_hz, channels)
        self._levels = LevelMeter(rate_hz, channels)
        self._true_peak = TruePeakMeter(channels)
        self._spectrum = SpectrumMeter(rate_hz, channels)
        self._edges = EdgeMeter(rate_hz, channels)

    def push(self, block: Audio) -> None:
        """Takes a block (frames, channels)."""
        self._loudness.push(block)
        self._levels.push(block)
        self._true_peak.push(block)
        self._spectrum.push(block)
        self._edges.push(block)

    def analysis(self, audio_format: AudioFormat, sha256: str, tags: dict[str, str]) -> Analysis:
        """The record of all that was pushed."""
        levels, power = self._levels.levels(), self._spectrum.power()
        head, tail = self._edges.edges()
        return Analysis(
            sha256=sha256,
            format=audio_format,
            figures=self._figures(levels, power[:-1], audio_format.duration_s),
            gating=self._loudness.gating_blocks(),
            offset_ratio=tuple((levels.sums / max(1, levels.frames)).tolist()),
            subsonic_dbfs=power_to_db(float(power[-1])),
            head=head,
            tail=tail,
            flat_tops=levels.flat_tops,
            flat_tops_at_s=tuple(round(at / self._rate_hz, 3) for at in levels.flat_top_places),
            overview=_overview(levels.tick_peaks, self._loudness.energies(), self._rate_hz),
            tags=tags,
        )

    def _figures(self, levels: Levels, power: Floats, duration_s: float) -> Figures:
        loudness = self._loudness.loudness()
        true_peak_dbtp = to_db(float(self._true_peak.finish().max()))
        rms_dbfs = power_to_db(float(levels.square_sums.sum()) / max(1, levels.frames * len(levels.square_sums)))
        sample_peak_dbfs = to_db(float(levels.sample_peaks.max()))
        return Figures(
            integrated_lufs=loudness.integrated_lufs,
            loudness_range_lu=loudness.loudness_range_lu if duration_s >= RANGE_MIN_S else None,
            max_momentary_lufs=loudness.max_momentary_lufs,
            max_short_term_lufs=loudness.max_short_term_lufs,
            true_peak_dbtp=true_peak_dbtp,
            sample_peak_dbfs=sample_peak_dbfs,
            plr_lu=_difference(true_peak_dbtp, loudness.integrated_lufs),
            crest_db=_difference(sample_peak_dbfs, rms_dbfs),
            correlation=_correlation(levels),
            width_ratio=_width(levels),
            dc_ratio=float(np.abs(levels.sums).max()) / max(1, levels.frames),
            spectrum_db=tuple(_level(p) for p in power),
        )


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _level(power: float) -> float | None:
    return None if math.isnan(power) or power <= 0.0 else round(10.0 * math.log10(power), 3)


def _correlation(levels: Levels) -> float | None:
    """Sum of LR over the root of the sums of LL and RR."""
    if len(levels.square_sums) != 2 or not levels.square_sums.all():
        return None
    return levels.cross_sum / math.sqrt(float(levels.square_sums[0]) * float(levels.square_sums[1]))


def _width(levels: Levels) -> float | None:
    """Energy of L - R over that of L + R."""
    if len(levels.square_sums) != 2:
        return None
    total = float(levels.square_sums.sum())
    middle = total + 2.0 * levels.cross_sum
    return (total - 2.0 * levels.cross_sum) / middle if middle > 1e-12 * total else None


def _overview(tick_peaks: NDArray[np.float32], energies: Floats, rate_hz: int) -> Overview:
    points = min(OVERVIEW_POINTS, len(tick_peaks))
    if not points:
        return Overview()
    starts = np.linspace(0, len(tick_peaks), points, endpoint=False).astype(int)
    return Overview(
        low=tuple(np.minimum.reduceat(tick_peaks[:, 0], starts).astype(float).round(4).tolist()),
        high=tuple(np.maximum.reduceat(tick_peaks[:, 1], starts).astype(float).round(4).tolist()),
        short_term_lufs=tuple(_short_term_lufs(energies, start, rate_hz) for start in starts.tolist()),
    )


def _short_term_lufs(energies: Floats, tick: int, rate_hz: int) -> float | None:
    """Loudness of the 3 s around a tick, or of what there is of them."""
    first = max(0, min(tick - SHORT_TERM_TICKS // 2, len(energies) - SHORT_TERM_TICKS))
    window = energies[first : first + SHORT_TERM_TICKS]
    return _rounded(loudness_lufs(float(window.sum()) * PER_S / (rate_hz * len(window)))) if len(window) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
