"""Writes up a mix as a row of quality control: no new figures, only what was measured and decided."""

from __future__ import annotations

import msgspec

from schemas.mix import MixRecord
from schemas.mix_row import MixRow
from schemas.track import Track


def mix_row(track: Track, record: MixRecord, run_id: str, *, mastered: bool) -> MixRow:
    """The row of a song; `run_id` is the run that tells of it."""
    mix = next(file for file in record.files if file.kind == "mix")
    fresh = record.run_id == run_id
    return MixRow(
        run_id=run_id,
        mix_id=record.mix_id,
        album_id=track.album_id,
        title=track.title,
        artist=track.artist,
        outcome="mixed" if fresh else "skipped",
        reason=record.reason if fresh else f"stems, settings and version are those of run {record.run_id}",
        mastered=mastered,
        edited=record.edited,
        rate_hz=record.settings.rate_hz,
        duration_s=record.duration_s,
        uri=mix.uri,
        sha256=mix.sha256,
        settings_uri=record.settings_uri,
        figures=record.figures,
        stems=record.stems,
        files=record.files,
        findings=record.findings,
        settings=msgspec.json.encode(record.settings).decode(),
    )
