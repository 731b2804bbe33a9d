"""Measures one audio file in a single pass: the same for a source before mastering and for a master as its proof."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from dsp.audio import MAX_RATE_HZ, MIN_RATE_HZ, to_db
from dsp.loudness import RANGE_MIN_S, LoudnessMeter
from dsp.true_peak import TruePeakMeter
from media.source import open_source, sha256_of
from schemas.errors import TrackError
from schemas.figures import Analysis, AudioFormat

ANALYSIS_VERSION = 4
"""Raise this with every change of a figure: kept analyses are measured again."""
MAX_CHANNELS = 6


class LoudnessFigures(NamedTuple):
    """What EBU R 128 asks of a programme, and nothing else."""

    integrated_lufs: float | None
    loudness_range_lu: float | None
    max_momentary_lufs: float | None
    max_short_term_lufs: float | None
    true_peak_dbtp: float | None


def analyse(path: Path, sha256: str | None = None, *, dual_mono: bool = False, md5: bytes = b"") -> Analysis:
    """Decodes a file once, checks it, and measures it; raises TrackError where it is not sound, or not that of `md5`."""
    from media.meters import measured  # all of them: not needed where loudness alone is asked for

    with open_source(path) as source:
        check_measurable(source.format, path.name)
        digest = sha256 or sha256_of(path)
        return measured(source.windows(md5=md5), source.format, sha256=digest, tags=source.tags, dual_mono=dual_mono)


def measure_loudness(path: Path, *, dual_mono: bool = False) -> LoudnessFigures:
    """Loudness, range and true peak alone, in a third of the time; a FLAC's own checksum is not looked at."""
    with open_source(path) as source:
        check_measurable(source.format, path.name)
        rate_hz, channels = source.format.rate_hz, source.format.channels
        meter, peaks = LoudnessMeter(rate_hz, channels, dual_mono=dual_mono), TruePeakMeter(rate_hz, channels)
        for lines in source.windows(own_checksum=False):
            meter.push(lines.T)
            peaks.push(lines.T)
        found = meter.loudness()
        return LoudnessFigures(
            integrated_lufs=found.integrated_lufs,
            loudness_range_lu=found.loudness_range_lu if source.format.duration_s >= RANGE_MIN_S else None,
            max_momentary_lufs=found.max_momentary_lufs,
            max_short_term_lufs=found.max_short_term_lufs,
            true_peak_dbtp=to_db(float(peaks.finish().max())),
        )


def check_measurable(audio: AudioFormat, name: str) -> None:
    """Raises TrackError for a rate or a number of channels that the meters do not take."""
    if audio.channels > MAX_CHANNELS:
        text = f"{name} has {audio.channels} channels; 1 to {MAX_CHANNELS} can be measured"
        raise TrackError("CHANNELS_UNSUPPORTED", text, "Give a mono or stereo mix.")
    if not MIN_RATE_HZ <= audio.rate_hz <= MAX_RATE_HZ:
        text = f"{name} has a rate of {audio.rate_hz} Hz; {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz can be measured"
        raise TrackError("RATE_UNSUPPORTED", text, "Give the recording at its original rate.")
