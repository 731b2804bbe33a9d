"""What a track's own view shows beside the table: whole rows, a hundred to a script, which the page loads when it needs one."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from media import store
from review.columns import columnar, packed
from review.drawings import courses, waveforms

CHUNK = 100
"""Tracks in a script: some 100 kB, read in a moment; as the page counts."""
NAME_DIGITS = 16
LEFT_OUT = (
    "overview",
    "track_id",
    "album_id",
    "isrc",
    "upc",
    "title",
    "artist",
    "genre",
    "disc",
    "sequence",
    "verdict",
)
"""Drawn otherwise, or in the table already."""
UNSHOWN = ("side_spectrum_db", "crest_bands_db", "correlation_bands")
"""Of source and masters: for data people, in Parquet."""


def script_of(batch: pa.RecordBatch, output: str) -> tuple[str, str]:
    """Name (by content: the same rows have the same name) and text of the script for up to CHUNK rows of `qc/tracks`."""
    text = packed(_told(batch, output))
    name = sha256(text.encode()).hexdigest()[:NAME_DIGITS]
    return name, f'latheTracks("{name}","{text}");\n'


def _told(batch: pa.RecordBatch, output: str) -> dict[str, Any]:
    names = [name for name in batch.schema.names if name not in LEFT_OUT]
    told = {name: columnar(batch.column(name)) for name in names}
    for side in (told["source"], told["masters"]["of"]):
        for name in UNSHOWN:
            side.pop(name, None)
    masters = told["masters"]["of"]
    masters["path"] = [path_in(uri, name) for uri, name in zip(masters.pop("uri"), masters["delivery"], strict=True)]
    told["source_path"] = [_page_address(uri, output) for uri in told["source_uri"]]
    overview = batch.column("overview")
    told["overview"] = {side: waveforms(overview.field(side)) for side in ("source", "master")}
    if "limiter_db" in [field.name for field in overview.type]:  # rows of older versions have none
        told["overview"]["reduction"] = courses(overview.field("limiter_db"))
    return told


def path_in(uri: str, delivery: str) -> str:
    """Where a master lies below its output, wherever that lies today."""
    return f"masters/{delivery}/" + uri.rsplit(f"/masters/{delivery}/", 1)[-1]


def _page_address(uri: str, output: str) -> str | None:
    """A source as a page in `OUTPUT/report` on the same machine reaches it; None where only a server can."""
    if store.is_remote(uri) or store.is_remote(output):
        return None
    path = Path(os.path.relpath(store.local_path(uri), Path(output) / "report"))
    return quote(path.as_posix())
