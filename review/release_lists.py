"""What is to stand in a release, and the two lists that tell of it: `manifest.csv` and `SHA256SUMS`. Nothing is copied here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from msgspec import Struct

from review.desk import Desk
from review.masters import Master, Standing
from review.state import TrackState
from schemas.safe_names import quoted

MANIFEST, SUMS, WITHDRAWN = "manifest.csv", "SHA256SUMS", "withdrawn"
COLUMNS = (
    "track_id", "isrc", "upc", "title", "delivery", "file", "sha256", "approved_by", "approved_at", "run_id",
)  # fmt: skip


class Wanted(Struct, frozen=True, kw_only=True):
    """An approved master."""

    track: Standing
    master: Master
    state: TrackState

    @property
    def file(self) -> str:
        """Its name in the release, as below `masters/`."""
        return self.master.name


def wanted_files(desk: Desk) -> tuple[dict[str, Wanted], list[str]]:
    """The approved masters by name, and why some cannot be released."""
    standing, problems = desk.catalogue.standing(), []
    found: dict[str, Wanted] = {}
    approved = [(standing[track_id], one) for track_id, one in desk.states().items() if one.state == "approved"]
    # Of two tracks that two runs gave one name, the file is the newer run's.
    for track, state in sorted(approved, key=lambda one: (one[0].run_id, one[0].track_id), reverse=True):
        for master in track.masters:
            one = Wanted(track=track, master=master, state=state)
            if _unfit(master):
                problems.append(f"{_told(one)} {_unfit(master)}; run it again")
            elif found.setdefault(master.name, one) is not one:
                taken = found[master.name].track.track_id
                problems.append(
                    f"{_told(one)} lost its name {quoted(master.name)} to track {quoted(taken)}; run it again"
                )
    return found, problems


def manifest_text(released: Iterable[Wanted]) -> str:
    """The signed-off manifest, sorted by file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(one) for one in sorted(released, key=lambda one: one.file))
    return text.getvalue()


def sums_text(released: Iterable[Wanted]) -> str:
    """What `sha256sum -c` reads, sorted by file."""
    return "".join(f"{one.master.sha256}  {one.file}\n" for one in sorted(released, key=lambda one: one.file))


def parsed_sums(text: str) -> dict[str, str]:
    """File -> SHA-256.

    >>> parsed_sums("ab  cd/album/1 Song.wav\\n")
    {'cd/album/1 Song.wav': 'ab'}
    """
    lines = (line.partition("  ") for line in text.split("\n"))
    return {file: digest for digest, _, file in lines if file}


def _told(one: Wanted) -> str:
    return f"track {quoted(one.track.track_id)}, {quoted(one.master.delivery)}:"


def _unfit(master: Master) -> str:
    """Why a master cannot stand in a release under its name; empty where it can."""
    parts = master.name.split("/")
    plain = all(part and part[0] != "." and part.isprintable() and "\\" not in part for part in parts)
    if not plain or len(parts) != 3 or parts[0] != master.delivery:
        return f"has the name {quoted(master.name)}, which no run gives"
    return (
        f"{WITHDRAWN} is where a release moves what is approved no more: rename the delivery"
        if parts[0] == WITHDRAWN
        else ""
    )


def _row(one: Wanted) -> tuple[object, ...]:
    track, master, approvals = one.track, one.master, one.state.approvals
    by, at = "; ".join(approval.reviewer for approval in approvals), max(approval.at for approval in approvals)
    who = (track.track_id, track.isrc, track.upc, track.title)
    return (*who, master.delivery, one.file, master.sha256, by, at, track.run_id)
