"""What was measured of one audio file. A value that has no meaning is None, never NaN or an infinity."""

from __future__ import annotations

from msgspec import Struct

from dsp.edges import Edge
from dsp.gating import GatingBlocks


class AudioFormat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a file holds its sound; `bits` is None for a lossy codec."""

    container: str
    codec: str
    rate_hz: int
    channels: int
    frames: int
    bits: int | None
    lossy: bool = False
    floating: bool = False

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate_hz


class Figures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The figures of a programme, as in the struct `source` of `qc/tracks`."""

    integrated_lufs: float | None = None
    """BS.1770-5, both gates."""
    loudness_range_lu: float | None = None
    """EBU Tech 3342; None below 60 s, where it is not meaningful."""
    max_momentary_lufs: float | None = None
    """Loudest 400 ms, found at a hop of 10 ms."""
    max_short_term_lufs: float | None = None
    """Loudest 3 s, found at a hop of 10 ms."""
    true_peak_dbtp: float | None = None
    """Read at 32 times the rate; never below the sample peak."""
    sample_peak_dbfs: float | None = None
    plr_lu: float | None = None
    """True peak less integrated loudness."""
    crest_db: float | None = None
    """Sample peak less the root mean square over all channels."""
    correlation: float | None = None
    """Of left and right over the whole track; None for mono or silence."""
    width_ratio: float | None = None
    """Energy of left minus right over that of left plus right (Diff-MST)."""
    dc_ratio: float | None = None
    """Largest mean of a channel, full scale 1.0."""
    spectrum_db: tuple[float | None, ...] = ()
    """Third octaves, 20 Hz to 20 kHz, dB re full-scale square; None beyond half the rate and for silence."""


class Overview(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For drawing: about 400 stretches of equal length, smallest and largest sample, and short-term loudness."""

    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    short_term_lufs: tuple[float | None, ...] = ()


class Analysis(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that decisions need to know of a source, and that a proof needs to know of a master."""

    sha256: str
    format: AudioFormat
    figures: Figures
    gating: GatingBlocks
    offset_ratio: tuple[float, ...]
    """Mean of each channel, full scale 1.0."""
    subsonic_dbfs: float | None
    """Level between 5 and 16 Hz."""
    head: Edge
    tail: Edge
    """Both ends of the track: tell whether the music runs on into its neighbours."""
    flat_tops: int = 0
    flat_tops_at_s: tuple[float, ...] = ()
    overview: Overview = Overview()
    tags: dict[str, str] = {}
