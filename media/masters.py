"""Masters in their places: none is ever overwritten, none is lost, and none stays behind under a name that it lost.

Two runs may master the same tracks into one output at once. Whoever finds another master at a name moves it below
`superseded/` and tries again, so each finished master stands in `masters/` or there. Before a master is published, an intent says
so in the ledger: if its worker dies, or another run replaces the track's record, the next run of that track still knows it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from media import store
from media.ledger import Ledger, fingerprint
from media.source import sha256_of
from schemas.errors import TrackError
from schemas.steps import Job

ATTEMPTS = 20
"""Each but the last means that another run published at the same name in the meantime."""


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a master stands or is about to: its name within the output, and what it holds."""

    name: str
    sha256: str


class Shelf:
    """The places of one track's masters in an output."""

    def __init__(self, track_id: str, job: Job) -> None:
        self._job = job
        self._ledger = Ledger(job.output, job.run_id)
        self._kind = f"intents/{fingerprint(track_id)}"

    def put(self, path: Path, uri: str, sha256: str) -> None:
        """Publishes a master; another that stands there is kept under `superseded/`."""
        place = Place(name=uri.removeprefix(self._job.output + "/"), sha256=sha256)
        self._ledger.put(self._kind, _intent(place), place)
        for _ in range(ATTEMPTS):
            try:
                return store.publish(path, uri)
            except FileExistsError:
                self._supersede(uri)
        text = f"other runs published at {uri} {ATTEMPTS} times in a row"
        raise TrackError("OUTPUT_NOT_WRITABLE", text, "Let the other runs end, then run again.")

    def clear(self, standing: Iterable[str], former: Iterable[Place]) -> None:
        """Supersedes what stands of this track beside the URIs in `standing`: `former` masters, and those intended once."""
        names = {uri.removeprefix(self._job.output + "/") for uri in standing}
        for place in {*former, *self._intended(names)}:
            if place.name not in names:
                self._supersede_if(place)

    def _intended(self, known: set[str]) -> list[Place]:
        """The places that this track's masters may have beside the `known` names; only their records are read."""
        ours = {fingerprint(name) for name in known}
        other = [name for name in self._ledger.names(self._kind) if name.partition("-")[0] not in ours]
        found = (self._ledger.get(self._kind, name, Place) for name in other)
        return [place for place in found if place is not None]

    def _supersede_if(self, place: Place) -> None:
        """Supersedes a master where it still stands; another track may have its name by now."""
        uri = store.join(self._job.output, place.name)
        if not holds(uri, place.sha256):
            return
        moved = self._supersede(uri)
        if moved is not None and not holds(moved, place.sha256):
            # Another track published here between the look and the move. It gets its place back, unless it has it already.
            with suppress(FileExistsError):
                store.move(moved, uri)

    def _supersede(self, uri: str) -> str | None:
        """Moves what stands at a name to a free name below `superseded/`; None if another worker was faster."""
        inside = uri.removeprefix(f"{self._job.output}/").removeprefix("masters/")
        stem, ending = os.path.splitext(inside)
        for number in range(1, ATTEMPTS + 1):
            name = inside if number == 1 else f"{stem} ({number}){ending}"
            target = store.join(self._job.output, "superseded", self._job.run_id, name)
            try:
                store.move(uri, target)
            except FileNotFoundError:
                return None
            except FileExistsError:
                continue
            return target
        raise TrackError("OUTPUT_NOT_WRITABLE", f"{inside} was superseded {ATTEMPTS} times", "Run again.")


def holds(uri: str, sha256: str) -> bool:
    """Whether a file is there and is this one."""
    try:
        with store.fetched(uri) as path:
            return sha256_of(path) == sha256
    except OSError:
        return False


def _intent(place: Place) -> str:
    return f"{fingerprint(place.name)}-{place.sha256}"
