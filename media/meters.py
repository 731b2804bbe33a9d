"""All meters and detectors side by side on one stream of windows, and their readings as one record."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats, power_to_db, to_db
from dsp.bands import BandMeter
from dsp.detectors.bandwidth import BandEnd, band_end
from dsp.detectors.clicks import ClickDetector
from dsp.detectors.coder_grid import CoderGridDetector
from dsp.detectors.dropouts import DropoutDetector
from dsp.detectors.flat_tops import FlatTopDetector
from dsp.detectors.hum import HumDetector
from dsp.detectors.noise_bursts import NoiseBurstDetector
from dsp.detectors.overs import inter_sample_overs
from dsp.detectors.segments import Segments
from dsp.detectors.silences import SilenceDetector
from dsp.detectors.transcode import transcode_of
from dsp.detectors.word_length import FULL_BITS, WordLengthDetector
from dsp.dynamics import dynamic_range_db, limited_ratio, noise_floor_dbfs
from dsp.edge_meter import EdgeMeter
from dsp.gating import loudness_lufs
from dsp.levels import LevelMeter, Levels
from dsp.loudness import RANGE_MIN_S, SHORT_TERM_TICKS, LoudnessMeter
from dsp.peak_to_loudness import lowest_psr
from dsp.spectrum import SpectrumMeter, slope_db_per_octave
from dsp.ticks import PER_S
from dsp.true_peak import TruePeakMeter
from dsp.windows import Lines
from schemas.detected import Detected
from schemas.figures import Analysis, AudioFormat, Figures, Overview

OVERVIEW_POINTS = 400


def measured(
    windows: Iterable[Lines],
    audio_format: AudioFormat,
    *,
    sha256: str = "",
    tags: dict[str, str] | None = None,
    dual_mono: bool = False,
) -> Analysis:
    """Every figure of a stream of windows (channels, frames), and what the detectors saw in it."""
    meters = Meters(audio_format, dual_mono)
    for lines in windows:
        meters.push(lines)
    return meters.analysis(sha256, tags or {})


class Meters:
    """One meter or detector of each kind."""

    def __init__(self, audio_format: AudioFormat, dual_mono: bool) -> None:
        rate_hz, channels = audio_format.rate_hz, audio_format.channels
        self._format = audio_format
        self._dual_mono = dual_mono and channels == 1
        self._loudness = LoudnessMeter(rate_hz, channels, dual_mono=dual_mono)
        self._levels = LevelMeter(rate_hz, channels)
        self._true_peak = TruePeakMeter(rate_hz, channels)
        self._spectrum = SpectrumMeter(rate_hz, channels)
        self._bands = BandMeter(rate_hz, channels)
        self._edges = EdgeMeter(rate_hz, channels)
        self._flat_tops = FlatTopDetector(rate_hz, channels)
        self._segments = Segments(rate_hz, channels)
        self._clicks = ClickDetector(rate_hz, channels)
        self._dropouts = DropoutDetector(rate_hz, channels)
        self._silence = SilenceDetector(rate_hz)
        self._noise_bursts = NoiseBurstDetector(rate_hz, channels)
        self._hum = HumDetector(self._bands.low_rate_hz, channels)
        self._coder_grid = CoderGridDetector(rate_hz, channels)
        bits = audio_format.bits if not (audio_format.floating or audio_format.lossy) else None
        self._word_length = WordLengthDetector(min(bits, FULL_BITS)) if bits is not None else None

    def push(self, lines: Lines) -> None:
        """Takes a window (channels, frames)."""
        block = lines.T  # the same memory: meters of blocks see rows
        self._loudness.push(block)
        self._levels.push(block)
        self._true_peak.push(block)
        self._spectrum.push(block)
        self._bands.push(block)
        self._edges.push(block)
        self._flat_tops.push(lines)
        self._segments.push(lines)
        self._clicks.push(self._segments)
        self._dropouts.push(self._segments)
        self._silence.push(self._segments)
        self._noise_bursts.push(self._segments)
        self._hum.push(self._bands.low)
        self._coder_grid.push(lines)
        if self._word_length is not None:
            self._word_length.push(lines)

    def analysis(self, sha256: str, tags: dict[str, str]) -> Analysis:
        """The record of all that was pushed."""
        levels, power = self._levels.levels(), self._spectrum.power()
        peaks, band = self._true_peak.finish(), band_end(self._spectrum.fine_power(), self._spectrum.bin_hz)
        head, tail = self._edges.edges()
        figures = self._figures(levels, power[:-1], peaks, band)
        return Analysis(
            sha256=sha256,
            format=self._format,
            figures=figures,
            detected=self._detected(levels, band, figures.integrated_lufs),
            gating=self._loudness.gating_blocks(),
            dual_mono=self._dual_mono,
            offset_ratio=tuple((levels.sums / max(1, levels.frames)).tolist()),
            subsonic_dbfs=power_to_db(float(power[-1])),
            head=head,
            tail=tail,
            overview=_overview(levels.tick_peaks, self._loudness.energies(), self._format.rate_hz),
            tags=tags,
        )

    def _figures(self, levels: Levels, power: Floats, peaks: Floats, band: BandEnd) -> Figures:
        loudness, stereo = self._loudness.loudness(), self._loudness.stereo()
        side = self._spectrum.side_power()
        psr = lowest_psr(self._loudness, self._true_peak)
        true_peak_dbtp = to_db(float(peaks.max()))
        rms_dbfs = power_to_db(float(levels.square_sums.sum()) / max(1, levels.frames * len(levels.square_sums)))
        sample_peak_dbfs = to_db(float(levels.sample_peaks.max()))
        ranged = self._format.duration_s >= RANGE_MIN_S
        return Figures(
            integrated_lufs=loudness.integrated_lufs,
            loudness_range_lu=loudness.loudness_range_lu if ranged else None,
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
            side_spectrum_db=tuple(_level(p) for p in side) if side is not None else (),
            psr_min_lu=psr.lu,
            psr_min_at_s=psr.at_s,
            dynamic_range_db=dynamic_range_db(levels.frame_squares, levels.frame_peaks),
            slope_db_per_octave=slope_db_per_octave(power),
            crest_bands_db=self._bands.crest_db(),
            correlation_bands=self._spectrum.correlation_bands(),
            mono_loss_lu=stereo.mono_loss_lu,
            side_mid_lu=stereo.side_mid_lu,
            balance_lu=stereo.balance_lu,
            noise_floor_dbfs=noise_floor_dbfs(levels.frame_squares),
            bandwidth_hz=band.bandwidth_hz,
            true_bits=self._word_length.finish() if self._word_length is not None else None,
        )

    def _detected(self, levels: Levels, band: BandEnd, integrated_lufs: float | None) -> Detected:
        flat, silence, hum = self._flat_tops.finish(), self._silence.finish(), self._hum.finish()
        transcode = transcode_of(self._coder_grid.finish(), band, self._format.rate_hz)
        return Detected(
            flat_tops=flat.tops,
            flat_tops_dbfs=flat.level_dbfs,
            inter_sample_overs=inter_sample_overs(self._true_peak),
            clicks=self._clicks.finish(self._dropouts.edges()),
            dropouts=self._dropouts.finish(),
            noise_bursts=self._noise_bursts.finish(),
            silences=silence.within,
            head_silence_s=silence.head_s,
            tail_silence_s=silence.tail_s,
            head_dbfs=silence.head_dbfs,
            tail_dbfs=silence.tail_dbfs,
            hum_db=hum.db,
            hum_hz=hum.hz,
            limited_ratio=limited_ratio(levels.frame_squares, levels.frame_peaks, integrated_lufs),
            upsampled_from_hz=band.upsampled_from_hz if transcode != "certain" else None,
            transcode=transcode,
            cutoff_hz=band.edge_hz,
        )


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _level(power: float) -> float | None:
    return None if math.isnan(power) or power <= 0.0 else round(10.0 * math.log10(power), 3)


def _correlation(levels: Levels) -> float | None:
    """Sum of LR over the root of the sums of LL and RR."""
    if len(levels.square_sums) != 2 or not levels.square_sums.all():
        return None
    both = math.sqrt(float(levels.square_sums[0]) * float(levels.square_sums[1]))
    return max(-1.0, min(1.0, levels.cross_sum / both))


def _width(levels: Levels) -> float | None:
    """Energy of L - R over that of L + R."""
    if len(levels.square_sums) != 2:
        return None
    total = float(levels.square_sums.sum())
    middle = total + 2.0 * levels.cross_sum
    return max(0.0, total - 2.0 * levels.cross_sum) / middle if middle > 1e-12 * total else None


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
