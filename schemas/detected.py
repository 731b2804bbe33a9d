"""What the detectors saw in one audio file: measured only, judged nowhere here."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from dsp.detectors.sightings import Sightings

Transcode = Literal["clear", "suspect", "certain"]


class Detected(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry for each detector; `docs/meters.md` tells how each works and how often it is right."""

    flat_tops: Sightings = Sightings()
    """Runs of equal samples at the top of a channel's range; the worst in samples."""
    flat_tops_dbfs: float | None = None
    """The level at which the tops are flat: 0 for a converter that clipped, lower if it was turned down afterwards."""
    inter_sample_overs: Sightings = Sightings()
    """Tenths of a second whose true peak exceeds full scale; the worst in dBTP."""
    clicks: Sightings = Sightings()
    """The worst in dB above its surroundings."""
    dropouts: Sightings = Sightings()
    """The worst in seconds."""
    noise_bursts: Sightings = Sightings()
    """The worst in dB above its surroundings."""
    silences: Sightings = Sightings()
    """Silence between two sounding parts; the worst in seconds."""
    head_silence_s: float = 0.0
    tail_silence_s: float = 0.0
    head_dbfs: float | None = None
    """Peak of the first 5 ms."""
    tail_dbfs: float | None = None
    """Peak of the last 5 ms."""
    hum_db: float | None = None
    """How far mains hum stands out of what surrounds it in frequency."""
    hum_hz: float | None = None
    """50 or 60, as found."""
    limited_ratio: float | None = None
    """Share of the music whose peaks lie within 2 dB of the highest; 0 where these lie far above the loudness."""
    upsampled_from_hz: float | None = None
    """The lower rate that the recording was made at, where its band ends like that of a converter."""
    transcode: Transcode = "clear"
    """Whether a lossy coder's traces were found."""
    cutoff_hz: float | None = None
    """Where the band ends as a coder's filter ends it."""
