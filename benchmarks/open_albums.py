#!/usr/bin/env python3
"""Prints what the barrier takes while albums are open: state for each track, and time as there are more albums or larger ones.

usage: open_albums.py [ALBUMS]

Tickets come round by round, the first track of every album before the second of any: all albums are open at once. The engine is
the one that plays a TestStream; its own cost is large.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.coders import StrUtf8Coder, TupleCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream
from apache_beam.transforms.window import TimestampedValue

sys.path.insert(0, str(Path(__file__).parent))
from whole_run import Row, print_row

from media.ledger import fingerprint
from schemas.errands import Gathered, Ticket
from transforms.barrier import Gather
from transforms.coders import RecordCoder, register_coders

ENGINE = "apache_beam.runners.direct.direct_runner.BundleBasedDirectRunner"
ALBUMS, TRACKS, BIG_ALBUM = 10_000, 3, 300
STATE_BYTES = 1024


def open_albums(albums: int = ALBUMS) -> Iterator[Row]:
    """State of a track, time for ten times as many albums, time for one album of 300 tracks."""
    yield Row("state of a track in the barrier", f"under {STATE_BYTES} bytes", f"{state_bytes()} bytes")
    few, many = took_s(albums // 10, TRACKS, TRACKS), took_s(albums, TRACKS, TRACKS)
    ratio = f"{many / few:.1f} times {albums // 10:,} ({few:.1f} and {many:.1f} s)"
    yield Row(f"{albums:,} albums open at once", "10 times, in proportion", ratio)
    small, big = took_s(BIG_ALBUM // 10, 10, 1), took_s(1, BIG_ALBUM, 1)
    yield Row(
        f"one album of {BIG_ALBUM} tracks",
        f"as {BIG_ALBUM // 10} of 10",
        f"{big / small:.2f} times ({big:.2f} and {small:.2f} s)",
    )


def ticket(album: int, track: int, tracks: int) -> Ticket:
    """A ticket as long as they are in a run."""
    track_id = f"album-{album:05d}/1/{track:03d}"
    run_id = "20261127T021754Z-b06548e6"
    return Ticket(name=fingerprint("draft", run_id, track_id), run_id=run_id, track_id=track_id, of=tracks)


def state_bytes() -> int:
    """What the barrier holds for a track: its ticket while the album is open, then its name."""
    one = ticket(1, 1, TRACKS)
    return len(RecordCoder(Ticket).encode(one)) + len(one.name)


def took_s(albums: int, tracks: int, rounds: int) -> float:
    """Wall time until all albums have been open and closed; each round brings as many tracks of each."""
    stream = test_stream.TestStream(coder=TupleCoder((StrUtf8Coder(), RecordCoder(Ticket))))
    for first in range(rounds):
        numbers = range(first, tracks, rounds)
        tickets = [(f"album-{album}", ticket(album, track, tracks)) for track in numbers for album in range(albums)]
        stream = stream.advance_watermark_to(first + 1)
        stream = stream.add_elements([TimestampedValue(one, first + 1) for one in tickets])
    began_s = time.monotonic()
    pipeline = beam.Pipeline(runner=ENGINE, options=PipelineOptions(["--streaming", "--allow_unsafe_triggers"]))
    gathered = (
        pipeline | stream.advance_watermark_to_infinity().with_output_types(tuple[str, Ticket]) | Gather(1e6, "draft")
    )
    gathered | beam.Map(_check, tracks)
    pipeline.run().wait_until_finish()
    return time.monotonic() - began_s


def _check(gathered: Gathered, tracks: int) -> Any:
    if len(gathered.tickets) != tracks:
        raise RuntimeError(f"{gathered.group} came out with {len(gathered.tickets)} of {tracks} tracks")


def main() -> None:
    """Measures with so many albums."""
    register_coders()
    print_row(Row("figure", "asked", "measured"))
    for row in open_albums(int(sys.argv[1]) if sys.argv[1:] else ALBUMS):
        print_row(row)


if __name__ == "__main__":
    main()
