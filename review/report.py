"""Writes the QC report of an output: `report/index.html`, and below `report/tracks` what it loads when a track is looked at.

It reads the Parquet files and the records of runs, nothing else, so it can be made at any time, anywhere.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from media import store
from pipeline.run_records import run_record
from pipeline.workplace import in_the_making
from review.albums import albums_of, newest_albums
from review.catalogue import Catalogue, batches
from review.columns import joined
from review.details import CHUNK, script_of
from review.mixes import listed, mix_script, newest_mixes
from review.page_file import page_of
from review.standing import Standing, rows_of, standing_rows
from schemas.codes import CODES

KEPT_S = 24 * 3600.0
"""For so long a page that was opened before its report was written anew still finds its scripts."""
PACKERS = 2
"""Threads that pack: zlib and Arrow work beside Python."""
BEFORE = ("run_id", "track_id", "verdict", "gain_db", "findings", "masters")


def write_report(output: str, against: str | None = None) -> str:
    """Writes the report of everything that runs left in an output, and returns where it is.

    `against` is the run to compare with, in place of the one before. Raises CatalogueError where there is nothing to report on.
    """
    standing = standing_rows(output, against)
    catalogue, folder = Catalogue(), store.join(output, "report")
    name = f"report-{os.getpid()}-{threading.get_ident()}"  # two may write it at once
    with in_the_making(output, name), store.scratch(output, name) as scratch:
        scripts = _write_scripts(catalogue, standing, output, scratch)
        for part in standing.now:
            if part.table == "rejected":
                catalogue.add_rejected(row for batch in rows_of(part) for row in batch.to_pylist())
        _compare(catalogue, standing)
        mixes = _write_mixes(output, scratch)
        page = page_of(_told(catalogue, standing, output, scripts, mixes))
        _put(scratch, "index.html", page, store.join(folder, "index.html"))
    _sweep(folder, {*scripts, *(song["script"] for song in mixes.values())})
    return store.join(folder, "index.html")


def _write_scripts(catalogue: Catalogue, standing: Standing, output: str, scratch: Path) -> list[str]:
    """Everything about tracks with masters, into the catalogue and into scripts; returns their names in order."""
    names: list[str] = []
    with ThreadPoolExecutor(PACKERS) as packers:
        under_way: deque[Future[tuple[str, str]]] = deque()
        for chunk in _chunks(standing):
            under_way.append(packers.submit(script_of, chunk, output))
            catalogue.add_masters(chunk)
            if len(under_way) > 2 * PACKERS:  # so that memory holds a few chunks, not all
                names.append(_put_script(under_way.popleft().result(), output, scratch))
        names += [_put_script(one.result(), output, scratch) for one in under_way]
    return names


def _write_mixes(output: str, scratch: Path) -> dict[str, dict[str, Any]]:
    """Everything about songs that were mixed, each into a script; returns the list of them."""
    return {
        row["mix_id"]: listed(row, _put_script(mix_script(row, output), output, scratch))
        for row in newest_mixes(output)
    }


def _put_script(script: tuple[str, str], output: str, scratch: Path) -> str:
    name, text = script
    uri = store.join(output, "report", "tracks", f"{name}.js")
    if not store.exists(uri):
        _put(scratch, f"{name}.js", text, uri)
    return name


def _chunks(standing: Standing) -> Iterator[pa.RecordBatch]:
    """Rows that count, of all runs, in pieces of CHUNK; the last is shorter."""
    kept: list[pa.RecordBatch] = []
    for part in standing.now:
        if part.table != "tracks":
            continue
        for batch in rows_of(part):
            kept.append(batch)
            if sum(one.num_rows for one in kept) >= CHUNK:
                *full, rest = batches(joined(kept), CHUNK)
                full, kept = ([*full, rest], []) if rest.num_rows == CHUNK else (full, [rest])
                yield from full
    if kept:
        yield joined(kept)


def _compare(catalogue: Catalogue, standing: Standing) -> None:
    places = {name: i for i, name in enumerate(catalogue.columns["track_id"])}
    for part in standing.before:
        for batch in rows_of(part, BEFORE):
            catalogue.add_before(batch, places)


def _told(
    catalogue: Catalogue, standing: Standing, output: str, scripts: list[str], mixes: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    run = standing.newest
    told = catalogue.told()
    ids = sorted(catalogue.names["run_id"], reverse=True)
    records = {run_id: run_record(output, run_id) for run_id in ids}
    compared = sorted({part.run_id for part in standing.before}, reverse=True)
    albums = albums_of(catalogue, newest_albums(output, ids))
    whole = [*albums.values(), *mixes.values()]
    codes = {*told["codes"], *(finding["code"] for one in whole for finding in one["findings"])}
    return {
        **told,
        "run": {
            "run_id": run["run_id"],
            "ended": run.get("ended"),
            "manifest": run.get("manifest"),
        },
        "versions": {run_id: _versions(record) for run_id, record in ({run["run_id"]: run} | records).items()},
        "compared": _run_words(compared),
        "pieces": scripts,
        "albums": albums,
        "mixes": mixes,
        "norms": _norms(records.values()),
        "words": {code: _words(code) for code in sorted(codes) if code in CODES},
    }


def _versions(record: Mapping[str, Any]) -> str | None:
    """What made the masters of a run, in words."""
    versions = record.get("versions", {})
    return f"{versions['lathe']}, sound version {versions.get('sound')}" if "lathe" in versions else None


def _norms(records: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """By profile, what its tone was held against where a track had no reference; as the newest run had it."""
    found: dict[str, dict[str, Any]] = {}
    for record in records:
        for profile in record.get("profiles", {}).values():
            norm = profile.get("expected", {})
            if "mid_db" in norm:
                found.setdefault(profile["name"], {"name": norm["name"], "mid_db": norm["mid_db"]})
    return found


def _run_words(run_ids: list[str]) -> str | None:
    if not run_ids:
        return None
    return (
        f"run {run_ids[0]}"
        if len(run_ids) == 1
        else f"runs {run_ids[-1]} to {run_ids[0]}, each track with its own last"
    )


def _words(code: str) -> dict[str, str]:
    words = CODES[code]
    return {name: getattr(words, name) for name in ("severity", "title", "meaning", "mend", "ignore")}


def _put(scratch: Path, name: str, text: str, uri: str) -> None:
    path = scratch / name
    path.write_text(text, encoding="utf-8")
    store.replace(path, uri)


def _sweep(folder: str, names: set[str]) -> None:
    """Removes scripts that the page names no more, but for those that a page which is open, or in the making, may name."""
    for uri in store.list_files(store.join(folder, "tracks")):
        if uri.rsplit("/", 1)[-1].removesuffix(".js") not in names:
            with suppress(FileNotFoundError):  # another report was written at the same time
                if time.time() - store.size_and_change(uri)[1] > KEPT_S:
                    store.remove(uri)
