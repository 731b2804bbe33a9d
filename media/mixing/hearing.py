"""Hears one stem: its figures and its trace, read from the file in one pass."""

from __future__ import annotations

from pathlib import Path

from dsp.mixing.stem_meter import MAX_CHANNELS, StemMeter, StemReading
from dsp.mixing.trace import Trace
from media.analysis import check_measurable
from media.source import open_source, sha256_of
from schemas.errors import TrackError
from schemas.figures import AudioFormat
from schemas.mix import StemFigures

HEARING_VERSION = 1
"""Raise this with every change of a figure or of a trace: stems are heard again."""


def hear(path: Path, sha256: str | None = None) -> tuple[StemFigures, Trace]:
    """Decodes a stem once and measures it; raises TrackError where it is not sound, or neither mono nor stereo."""
    with open_source(path) as source:
        check_measurable(source.format, path.name)
        if source.format.channels > MAX_CHANNELS:
            text = f"{path.name} has {source.format.channels} channels; a stem is mono or stereo"
            raise TrackError("CHANNELS_UNSUPPORTED", text, "Export the stem as mono or stereo.")
        meter = StemMeter(source.format.rate_hz, source.format.channels)
        for lines in source.windows():
            meter.push(lines.T)
        reading = meter.finish()
        return figures_of(reading, source.format, sha256 or sha256_of(path)), reading.trace


def figures_of(reading: StemReading, audio: AudioFormat, sha256: str = "") -> StemFigures:
    """What was read, as the record that is kept."""
    values = reading._asdict()
    del values["trace"]
    return StemFigures(sha256=sha256, format=audio, **values)
