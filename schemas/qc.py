"""The rows that a run leaves behind as Parquet: what reviewers, reports and data people read."""

from __future__ import annotations

from msgspec import Struct

from schemas.figures import Figures, Overview
from schemas.steps import Spent

SCHEMA_VERSION = 2
"""Of the tables below `qc/`. It rises when a column is added; none ever changes its meaning."""


class Finding(Struct, frozen=True, kw_only=True):
    """Something that quality control saw: what was measured against which limit, and where."""

    code: str
    """One of docs/codes.md; codes never change their meaning."""
    severity: str
    """`info`, `warn` or `fail`."""
    measured: float | None = None
    limit: float | None = None
    unit: str | None = None
    at_s: tuple[float, ...] = ()
    """Moments in the track, the worst first where there are many."""
    text: str = ""
    """What was found, as a sentence."""


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
    """Its name in the profile, such as `flac24`."""
    uri: str
    sha256: str
    """Of the delivered file."""
    rate_hz: int
    bits: int
    frames: int
    ceiling_dbtp: float
    """No master may exceed it by more than 0.05 dB."""
    target_lufs: float
    """What the track, or its album, was brought to."""
    targets: tuple[TargetResult, ...] = ()


class VersionFigures(MasterFigures, frozen=True, kw_only=True):
    """A delivered file of a version of a mix; no target is held against it."""

    version: str
    """`instrumental`, `acappella` or `tv`."""
    linked: bool
    """Its gains are those of the full master in every frame: it lines up with it, and versions add up to it."""
    why: str
    """Why it is not linked; empty where it is."""
    own_reduction_db: float
    """The deepest that a limiter of its own turned its peaks down."""


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
    """The manifest's, else its ISRC, else album, disc and sequence, else its file; the same in every run."""
    album_id: str
    """Tracks with the same one share a gain, where the profile says so."""
    disc: int
    sequence: int | None
    """Place on the disc; null where the manifest tells none."""
    isrc: str | None
    upc: str | None
    title: str | None
    artist: str | None
    genre: str | None
    profile: str
    source_uri: str
    source_sha256: str
    """Of the file's bytes, as it was when it was mastered."""
    duration_s: float
    """Of the source."""
    rate_hz: int
    channels: int
    source_bits: int | None
    """Null for a coding with loss."""
    dual_mono: bool
    """A mono source measured as two equal channels."""
    verdict: str
    """`ready`; `listen`: something was found that asks for ears; `rejected`: a check failed, do not deliver."""
    outcome: str
    """`mastered`, or `skipped`: nothing changed, the masters stand and were checked."""
    reason: str
    """Why the track was made again, or skipped."""
    gain_db: float
    """The one gain before the limiter."""
    limiter_max_reduction_db: float
    """The deepest that a peak was turned down, over all deliveries."""
    limiter_mean_reduction_db: float
    """Reduction of the mean gain over the whole track."""
    source: Figures
    masters: tuple[MasterFigures, ...]
    findings: tuple[Finding, ...]
    checks: tuple[CheckRow, ...]
    plan: str
    """JSON: every setting of every processor, and each decision with its reason."""
    overview: Overviews
    versions: tuple[VersionFigures, ...] = ()
    """Masters of the versions of a song that was mixed from stems."""


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
    """Of the manifest, from 1."""
    stage: str
    """The step that it did not survive."""
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
