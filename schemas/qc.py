"""The rows that a run leaves behind as Parquet: what reviewers, reports and data people read."""

from __future__ import annotations

from msgspec import Struct

from schemas.figures import Figures, Overview
from schemas.steps import Spent


class Finding(Struct, frozen=True, kw_only=True):
    """Something that quality control saw: what was measured against which limit, and where."""

    code: str
    severity: str
    measured: float | None = None
    limit: float | None = None
    unit: str | None = None
    at_s: tuple[float, ...] = ()
    text: str = ""


class TargetResult(Struct, frozen=True, kw_only=True):
    """How a file stands against a target: each rule that it breaks in words, by what breaking it leads to."""

    target: str
    date: str
    """When the target's rules were last looked up: year and month."""
    passed: bool
    """Whether no rule failed; a risk does not fail."""
    failed: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


class CheckRow(Struct, frozen=True, kw_only=True):
    """A number that was held against a limit of the profile, also where it passed."""

    subject: str
    """`source`, or the name of a delivery."""
    measure: str
    value: float
    unit: str
    severity: str
    """`passed`, `info`, `warn` or `fail`."""
    limits: str
    """All bounds in words, such as `warn above 3, fail above 6`."""


class MasterFigures(Figures, frozen=True, kw_only=True):
    """A delivered file, measured by decoding it again."""

    delivery: str
    uri: str
    sha256: str
    rate_hz: int
    bits: int
    frames: int
    ceiling_dbtp: float
    target_lufs: float
    targets: tuple[TargetResult, ...] = ()


class Overviews(Struct, frozen=True, kw_only=True):
    """For drawing: the track before and after."""

    source: Overview
    master: Overview
    limiter_db: tuple[float, ...] = ()
    """The limiter's deepest reduction in each of about 400 stretches of equal length."""


class TrackRow(Struct, frozen=True, kw_only=True):
    """A row of `qc/tracks`: a track that has masters."""

    run_id: str
    track_id: str
    album_id: str
    disc: int
    sequence: int | None
    isrc: str | None
    upc: str | None
    title: str | None
    artist: str | None
    genre: str | None
    profile: str
    source_uri: str
    source_sha256: str
    duration_s: float
    rate_hz: int
    channels: int
    source_bits: int | None
    dual_mono: bool
    """A mono source measured as two equal channels."""
    verdict: str
    outcome: str
    reason: str
    """Why the track was made again, or skipped."""
    gain_db: float
    limiter_max_reduction_db: float
    limiter_mean_reduction_db: float
    source: Figures
    masters: tuple[MasterFigures, ...]
    findings: tuple[Finding, ...]
    checks: tuple[CheckRow, ...]
    plan: str
    """JSON: every setting of every processor, and each decision with its reason."""
    overview: Overviews


class AlbumRow(Struct, frozen=True, kw_only=True):
    """A row of `qc/albums`; loudness is pooled over the gating blocks of all tracks."""

    run_id: str
    album_id: str
    upc: str | None
    album: str | None
    artist: str | None
    tracks: int
    duration_s: float
    source_integrated_lufs: float | None
    master_integrated_lufs: float | None
    target_lufs: float | None
    loudness_mode: str | None
    """`album`: the pooled loudness is to meet the target; `loudest`: that of the loudest track; `track`: each track's own."""
    gain_db: float | None
    """The one gain of the album; None where its tracks have gains of their own."""
    verdict: str
    findings: tuple[Finding, ...]


class RejectedRow(Struct, frozen=True, kw_only=True):
    """A row of `qc/rejected`: a track without a master, and why."""

    run_id: str
    track_id: str
    album_id: str
    source_uri: str
    row: int
    stage: str
    code: str
    text: str
    hint: str


class WorkRow(Struct, frozen=True, kw_only=True):
    """A row of `qc/work`: how far a run came with a track, and what that took; also of tracks that it only measured."""

    run_id: str
    track_id: str
    album_id: str
    state: str
    """`mastered`, `skipped`, `rejected`; or `measured`: only here so that its album was decided as a whole."""
    stage: str
    """The last step that it reached."""
    code: str | None
    """Why it went no further, where it was rejected."""
    audio_s: float | None
    """Length of the source; null where it was not measured."""
    rate_hz: int | None
    channels: int | None
    deliveries: int | None
    """Number of masters; null where none were to be made."""
    cpu_s: float
    """Of all steps together."""
    wall_s: float
    waited_s: float
    bytes_read: int
    bytes_written: int
    steps: tuple[Spent, ...]
