"""What must hold of an output after a fault: right after it, and when the run was taken up again.

An output is a folder or `gs://BUCKET/...`. Nothing is taken on trust: every master is held against the SHA-256 of an
undisturbed run.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from media import store
from pipeline.run_records import FINISHED, run_records
from pipeline.tables import table_rows

MASTERS = "masters"
TEMPORARY = ("beam-temp", ".tmp", ".part")
"""What names of files have in them that were meant to be gone or renamed."""


class Undisturbed(NamedTuple):
    """What a run writes that nobody disturbs."""

    masters: Mapping[str, str]
    """Name below `masters/` -> SHA-256."""
    track_ids: Counter[str]
    files: Mapping[str, int]
    """How many files appear below a folder of the output."""


class Broken(NamedTuple):
    """A law that did not hold, once."""

    law: str
    words: str


LOST_ROW, WRONG_MASTER, HALF_FILE, LEFT_OVER, OTHER = "lost rows", "wrong masters", "half files", "left over", "other"
LAWS = (LOST_ROW, WRONG_MASTER, HALF_FILE, LEFT_OVER, OTHER)


def files_of(output: str, folder: str) -> list[str]:
    """Every file below a folder of an output, hidden ones too, by its name below it."""
    top = store.join(output, folder)
    if store.is_remote(output):
        return [uri[len(top) + 1 :] for uri in store.list_files(top)]
    return [os.path.relpath(os.path.join(at, name), top) for at, _, names in os.walk(top) for name in names]


def masters_of(output: str) -> dict[str, str]:
    """Name and SHA-256 of everything below `masters/`."""
    found = {}
    for name in files_of(output, MASTERS):
        try:
            found[name] = sha256(store.read_bytes(store.join(output, MASTERS, name))).hexdigest()
        except FileNotFoundError:  # a run is at work, and moved it
            continue
    return found


def while_struck(output: str, expected: Undisturbed, spoilt: str = "") -> list[Broken]:
    """A reader who comes at the worst moment sees whole masters or none, but for the file that the fault itself `spoilt`."""
    found = masters_of(output)
    half = [name for name, sha in found.items() if sha not in (expected.masters.get(name), spoilt)]
    return [Broken(HALF_FILE, f"half or wrong after the strike: {name}") for name in half]


def at_the_end(output: str, expected: Undisturbed) -> list[Broken]:
    """Every row told once by the newest run, every master right, none too many, nothing left over."""
    return [*_rows(output, expected), *_masters(output, expected), *_left_over(output)]


def _rows(output: str, expected: Undisturbed) -> list[Broken]:
    newest = next(iter(run_records(output)), {})
    if newest.get("state") != FINISHED:
        return [Broken(LOST_ROW, f"{one}: the newest run is {newest.get('state')}") for one in expected.track_ids]
    rows = [row for table in ("tracks", "rejected") for row in table_rows(output, table, newest["run_id"])]
    told = Counter(row["track_id"] for row in rows)
    lost = (expected.track_ids - told) + (told - expected.track_ids)
    broken = [Broken(LOST_ROW, f"{one} is told {told[one]} times") for one in lost]
    refused = table_rows(output, "rejected", newest["run_id"])
    return [*broken, *(Broken(WRONG_MASTER, f"{row['track_id']} is rejected, {row['code']}") for row in refused)]


def _masters(output: str, expected: Undisturbed) -> list[Broken]:
    found = masters_of(output)
    wrong = [name for name, sha in expected.masters.items() if found.get(name) != sha]
    orphans = [name for name in found if name not in expected.masters]
    broken = [Broken(WRONG_MASTER, f"missing or not as undisturbed: {name}") for name in wrong]
    return [*broken, *(Broken(HALF_FILE, f"orphan: {name}") for name in orphans)]


def _left_over(output: str) -> list[Broken]:
    making = [f".parts/{name}" for name in files_of(output, ".parts")] + _folders(output, ".parts")
    waiting = [f"ledger/waiting/{name}" for name in files_of(output, "ledger/waiting")]
    temporary = [
        f"{folder}/{name}"
        for folder in ("qc", "runs", "ledger", "superseded")
        for name in files_of(output, folder)
        if any(mark in name for mark in TEMPORARY)
    ]
    left = [*making, *waiting, *temporary, *_folders(output, "qc", "beam-temp")]
    return [Broken(LEFT_OVER, f"left over: {name}") for name in left]


def _folders(output: str, folder: str, mark: str = "") -> list[str]:
    """Folders below one of a local output whose names have a mark in them."""
    if store.is_remote(output):
        return []
    return [
        path.relative_to(output).as_posix()
        for path in (Path(output) / folder).rglob("*")
        if path.is_dir() and mark in path.name
    ]
