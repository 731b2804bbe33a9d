"""Two lanes: while a run with --priority is at work, others into the same output or on the same machine wait between tracks.

Its driver writes a beacon again and again; workers of the others look for one before each step. A beacon that stands still
counts for a minute at most, by the clock of whoever looks, so a run that died stops nobody for long.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from media import store
from media.ledger import fingerprint
from schemas.decoding import json_decoder

REFRESH_S = 10.0
STALE_S = 60.0
"""Six times what is promised: a busy driver or a slow store is no dead one."""
LOOK_EVERY_S = 3.0
FORGOTTEN_S = 86_400.0
LOG = logging.getLogger(__name__)
T = TypeVar("T")


class Beat(Struct, frozen=True, kw_only=True):
    """What a beacon tells."""

    run_id: str
    number: int
    """Counts up with each refresh: that it changes is the proof of life, whatever any clock says."""
    told_s: float
    """Time of day, in seconds since 1970."""


def places(output: str) -> list[str]:
    """Where beacons stand: below the output, and in a folder that this user's runs on this machine share."""
    return [store.join(output, ".lanes"), str(Path(tempfile.gettempdir()) / f"lathe-lanes-{os.getuid()}")]


class Beacon:
    """Tells other runs to wait: use as a context manager, and call `refresh` more often than each REFRESH_S."""

    def __init__(self, output: str, run_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        name = f"{run_id}-{fingerprint(output)[:8]}.json"
        self._uris = [store.join(place, name) for place in places(output)]
        self._places, self._run_id, self._clock = places(output), run_id, clock
        self._number, self._told_s = 0, -REFRESH_S

    def __enter__(self) -> Beacon:
        for place in self._places:
            _clear(place)
        self._told_s = self._clock() - REFRESH_S
        self.refresh()
        return self

    def __exit__(self, *error: object) -> None:
        self.put_out()

    def put_out(self) -> None:
        """Takes the beacon away: nobody need wait any more."""
        for uri in self._uris:
            if _try(lambda uri=uri: store.exists(uri)):  # type: ignore[misc]
                _try(lambda uri=uri: store.remove(uri))  # type: ignore[misc]

    def refresh(self) -> None:
        """Shows that the run is alive; a beacon that cannot be written is no reason to end one."""
        if self._clock() - self._told_s < REFRESH_S:
            return
        self._told_s = self._clock()
        self._number += 1
        beat = msgspec.json.encode(Beat(run_id=self._run_id, number=self._number, told_s=time.time()))
        for uri in self._uris:
            _try(lambda uri=uri: store.write_bytes(uri, beat))  # type: ignore[misc]


class Lookout:
    """Looks out for beacons, at most each LOOK_EVERY_S."""

    def __init__(self, output: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._places, self._clock = places(output), clock
        self._known: dict[str, tuple[int, float]] = {}
        """Number of the last beat of a beacon, and when it was seen first by our own clock."""
        self._looked_s = -LOOK_EVERY_S
        self._live: str | None = None

    def let_pass(self, sleep: Callable[[float], None] = time.sleep) -> float:
        """Waits while another run goes first; the seconds that were waited."""
        if self.live() is None:
            return 0.0
        began_s = self._clock()
        while self.live() is not None:
            sleep(LOOK_EVERY_S)
        return self._clock() - began_s

    def live(self) -> str | None:
        """The run that goes first, if any."""
        if self._clock() - self._looked_s >= LOOK_EVERY_S:
            self._live = self._look()
            self._looked_s = self._clock()
        return self._live

    def _look(self) -> str | None:
        beats = {uri: beat for place in self._places for uri, beat in _beats(place).items()}
        live = [
            beat.run_id for uri, beat in beats.items() if self._is_live(uri, beat)
        ]  # all: each has a clock of its own
        return live[0] if live else None

    def _is_live(self, uri: str, beat: Beat) -> bool:
        now_s = self._clock()
        if uri not in self._known:
            # Nothing but the time of day tells how old this one is. One from the future is young: the clocks differ.
            aged_s = max(0.0, time.time() - beat.told_s)
            self._known[uri] = (beat.number, now_s - aged_s)
        elif self._known[uri][0] != beat.number:
            self._known[uri] = (beat.number, now_s)
        return now_s - self._known[uri][1] < STALE_S


class Onlooker:
    """Says, in the driver of a run, when its workers begin to wait and when they go on; used as a Beacon is."""

    def __init__(self, output: str) -> None:
        self._lookout = Lookout(output)
        self._passing: str | None = None

    def __enter__(self) -> Onlooker:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def refresh(self) -> None:
        """Looks, and says what is new."""
        before, self._passing = self._passing, self._lookout.live()
        if self._passing is not None and self._passing != before:
            LOG.warning("waits between tracks: run %s was started with --priority", self._passing)
        elif self._passing is None and before is not None:
            LOG.warning("goes on: run %s has ended", before)


@lru_cache(maxsize=8)
def lookout(output: str) -> Lookout:
    """The one lookout of this process for an output: what it has seen counts for all its tracks."""
    return Lookout(output)


def _beats(place: str) -> dict[str, Beat]:
    if not store.is_remote(place) and not _is_ours(place):
        return {}
    found = {}
    for uri in _try(lambda: store.list_files(place)) or []:
        beat = _try(lambda uri=uri: json_decoder(Beat).decode(store.read_bytes(uri)))  # type: ignore[misc]
        if beat is not None:
            found[uri] = beat
    return found


def _is_ours(place: str) -> bool:
    """Anyone may make a folder among temporary ones: only our own can tell us to wait, or one below our output."""
    try:
        return os.stat(place).st_uid == os.getuid() or Path(place).name == ".lanes"
    except OSError:
        return False


def _clear(place: str) -> None:
    """Takes away beacons of runs that died long ago."""
    for uri, beat in _beats(place).items():
        if time.time() - beat.told_s > FORGOTTEN_S:
            _try(lambda uri=uri: store.remove(uri))  # type: ignore[misc]


def _try(work: Callable[[], T]) -> T | None:
    """The result of some work on a beacon, or None: lanes are a courtesy, and never end a run."""
    try:
        return work()
    except FileNotFoundError:  # it was taken away this moment
        return None
    except Exception as error:  # each store has errors of its own
        LOG.warning("a beacon of runs with --priority cannot be read or written: %s", error)
        return None
