"""Small outputs as a run would leave them, without a run: Parquet by the records of `schemas/qc.py`, and real FLAC files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from review.desk import Asked, Desk
from review.masters import Catalogue
from schemas.figures import Figures, Overview
from schemas.qc import AlbumRow, MasterFigures, Overviews, RejectedRow, TrackRow
from schemas.signoff import SignOff, masters_key
from tests.makers import sine, write
from transforms.arrow import arrow_schema

DELIVERIES = ("flac24", "cd")
HOSTILE = (
    "</script><script>alert(1)</script>", "../../etc/passwd", "a\0b", "x" * 10_000, "\u202egnp.exe", "'; DROP TABLE x; --",
    "\n\r\t", "=cmd|' /C calc'!A0", "🎹", "%00%2e%2e/", "{{7*7}}", "\\..\\..\\", "-rf", "",
)  # fmt: skip


@dataclass
class Output:
    """An output in the making."""

    path: Path
    sources: Path
    rows: dict[str, list[TrackRow]] = field(default_factory=dict)

    def master(self, track_id: str = "T1", *, hz: float = 440.0, run: str = "R1", **row: Any) -> TrackRow:
        """Masters one track in a run: its source, a FLAC of each delivery and its row; what stood there is replaced."""
        name = row.pop("name", f"1-01 {track_id}")
        album = row.pop("folder", row.get("album_id", "album"))
        source = self.sources / f"{len(list(self.sources.glob('*')))}.wav"
        write(source, sine(hz, seconds=0.1))
        masters = []
        for number, delivery in enumerate(DELIVERIES):
            path = self.path / "masters" / delivery / album / f"{name}.flac"
            write(path, sine(hz * (number + 1), seconds=0.1))
            masters.append(_master(delivery, path))
        made = track_row(
            run_id=run,
            track_id=track_id,
            source_uri=str(source),
            source_sha256=digest(source),
            masters=tuple(masters),
            **row,
        )
        self.rows.setdefault(run, []).append(made)
        return made

    def finish(self, run: str = "R1", rejected: Iterable[str] = (), state: str = "finished") -> None:
        """Writes the tables and the record of a run."""
        write_table(self.path, "tracks", run, TrackRow, self.rows.get(run, []))
        write_table(self.path, "rejected", run, RejectedRow, [rejected_row(run, one) for one in rejected])
        self.record(run, state)

    def record(self, run: str, state: str = "finished") -> None:
        """Writes the record of a run alone."""
        path = self.path / "runs" / f"{run}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"run_id": run, "state": state, "ended": "2026-11-01T00:00:00+00:00"}))


def output_of(place: Path, *track_ids: str, run: str = "R1", **row: Any) -> Output:
    """An output with some tracks of one album, each mastered in one run."""
    made = Output(place / "output", place / "sources")
    made.sources.mkdir(parents=True, exist_ok=True)
    for number, track_id in enumerate(track_ids):
        made.master(track_id, hz=400.0 + 50.0 * number, run=run, name=f"1-{number + 1:02d} song", **row)
    made.finish(run)
    return made


def desk_of(output: Output, **options: Any) -> Desk:
    """Where decisions about it are taken."""
    return Desk(str(output.path), **options)


def asked(desk: Desk, track_id: str, word: str = "approve", **more: Any) -> Asked:
    """A decision about the masters of a track that stand."""
    return Asked(track_id=track_id, masters_key=desk.catalogue.standing()[track_id].key, word=word, **more)  # type: ignore[arg-type]


def look_again(catalogue: Catalogue) -> None:
    """As if the time until the next look had passed."""
    catalogue._looked_s = float("-inf")


def signed(
    number: int = 1,
    track_id: str = "T1",
    word: str = "approve",
    reviewer: str = "Ann",
    masters: Any = None,
    **more: Any,
) -> SignOff:
    """A decision as it is kept; numbers also tell the time."""
    digests: Mapping[str, str] = {"flac24": "aa"} if masters is None else masters
    values = {"at": f"2026-11-27T08:00:{number:02d}.000+00:00", "album_id": "album", **more}
    return SignOff(
        number=number, track_id=track_id, word=word, reviewer=reviewer, masters=dict(digests),
        masters_key=masters_key(digests), **values,
    )  # type: ignore[arg-type]  # fmt: skip


def track_row(**changes: Any) -> TrackRow:
    """A row of `qc/tracks`, dull but for what is changed."""
    values: dict[str, Any] = {
        "run_id": "R1", "track_id": "T1", "album_id": "album", "disc": 1, "sequence": 1, "isrc": "USABC1234567",
        "upc": None, "title": "Song", "artist": "Artist", "genre": None, "profile": "streaming",
        "source_uri": "/nowhere.wav", "source_sha256": "00", "duration_s": 0.1, "rate_hz": 44_100, "channels": 2,
        "source_bits": 24, "dual_mono": False, "verdict": "ready", "outcome": "mastered", "reason": "", "gain_db": 0.0,
        "limiter_max_reduction_db": 0.0, "limiter_mean_reduction_db": 0.0, "source": Figures(), "masters": (),
        "findings": (), "checks": (), "plan": "{}", "overview": Overviews(source=Overview(), master=Overview()),
    }  # fmt: skip
    return TrackRow(**{**values, **changes})


def album_row(**changes: Any) -> AlbumRow:
    """A row of `qc/albums`, dull but for what is changed."""
    values: dict[str, Any] = {
        "run_id": "R1", "album_id": "album", "upc": None, "album": None, "artist": None, "tracks": 1, "duration_s": 0.1,
        "source_integrated_lufs": None, "master_integrated_lufs": None, "target_lufs": None, "loudness_mode": None,
        "gain_db": None, "verdict": "ready", "findings": (),
    }  # fmt: skip
    return AlbumRow(**{**values, **changes})


def rejected_row(run: str, track_id: str) -> RejectedRow:
    """A row of `qc/rejected`."""
    return RejectedRow(
        run_id=run, track_id=track_id, album_id="album", source_uri="/nowhere.wav", row=2, stage="analyse",
        code="SOURCE_SILENT", text="silent", hint="",
    )  # fmt: skip


def write_table(output: Path, table: str, run: str, record: type[msgspec.Struct], rows: Sequence[Any]) -> None:
    """Writes a table of a run as its sink does."""
    path = output / "qc" / table / f"run={run}" / f"{table}-00000-of-00001.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    values = [msgspec.to_builtins(row) for row in rows]
    pq.write_table(pa.Table.from_pylist(values, schema=arrow_schema(record)), path)


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


def _master(delivery: str, path: Path) -> MasterFigures:
    return MasterFigures(
        delivery=delivery, uri=str(path), sha256=digest(path), rate_hz=44_100, bits=24, frames=4_410, ceiling_dbtp=-1.0,
        target_lufs=-14.0,
    )  # fmt: skip
