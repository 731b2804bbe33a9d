"""The row that a song leaves behind as Parquet: what became of its stems, how they were set and why, and its files."""

from __future__ import annotations

from msgspec import Struct

from schemas.figures import Figures
from schemas.mix import RenderedFile, StemResult
from schemas.qc import Finding


class MixRow(Struct, frozen=True, kw_only=True):
    """A row of `qc/mixes`: a song that was mixed from stems."""

    run_id: str
    mix_id: str
    """As the manifest has it; the `track_id` of its master."""
    album_id: str
    title: str | None
    artist: str | None
    outcome: str
    """`mixed`, or `skipped`: nothing changed, its files stand and were checked."""
    reason: str
    """Why it was mixed again, or skipped."""
    mastered: bool
    """It went on to be mastered, and has a row in `qc/tracks` too; false where only the mix was asked for."""
    edited: bool
    """Settings that a person wrote were used."""
    rate_hz: int
    duration_s: float
    uri: str
    """The mix, 32-bit float."""
    sha256: str
    settings_uri: str
    """`settings.json` beside it, which is accepted back."""
    figures: Figures
    """Of the mix, measured on its file."""
    stems: tuple[StemResult, ...]
    """Every stem of the manifest: used, muted or left out."""
    files: tuple[RenderedFile, ...]
    """The mix, versions of it, processed stems; masters of the versions stand in `qc/tracks`."""
    findings: tuple[Finding, ...]
    """What the session check saw, and what was done about it."""
    settings: str
    """JSON: every setting of the mix, each with its reason."""
