"""What was measured of one audio file. A value that has no meaning is None, never NaN or an infinity."""

from __future__ import annotations

from msgspec import Struct

from dsp.edges import Edge
from dsp.gating import GatingBlocks
from schemas.detected import Detected


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
    side_spectrum_db: tuple[float | None, ...] = ()
    """The same of half the difference of left and right; what it lacks to `spectrum_db` is that of half the sum."""
    slope_db_per_octave: float | None = None
    """Straight line through the third octaves from 100 Hz to 4 kHz, as a density: pink noise has -3.01."""
    psr_min_lu: float | None = None
    """Lowest true peak less loudness of any 3 s (Shepherd et al., AES 143)."""
    psr_min_at_s: float | None = None
    dynamic_range_db: float | None = None
    """DR14 (TT dynamic range meter), mean over the channels, not rounded."""
    crest_bands_db: tuple[float | None, ...] = ()
    """Peak less root mean square in the bands split at `BAND_EDGES_HZ`."""
    correlation_bands: tuple[float | None, ...] = ()
    """Of left and right in the same bands."""
    mono_loss_lu: float | None = None
    """Loudness that is lost when both channels are mixed to one and played on two loudspeakers."""
    side_mid_lu: float | None = None
    """Loudness of the side signal less that of the middle."""
    balance_lu: float | None = None
    """Loudness of the left channel less that of the right."""
    noise_floor_dbfs: float | None = None
    """Root mean square of the quietest twentieth of all 50 ms that are not digital silence."""
    true_bits: int | None = None
    """Bits that the samples use, from the largest down to the last that ever changes."""
    bandwidth_hz: float | None = None
    """Where the spectrum ends: the highest frequency that stands out of the floor above it."""


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
    detected: Detected = Detected()
    dual_mono: bool = False
    """A mono file measured as two equal channels."""
    overview: Overview = Overview()
    tags: dict[str, str] = {}
