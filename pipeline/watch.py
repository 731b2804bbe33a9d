"""Masters what arrives in a folder: one batch for each manifest, on one machine; this is not streaming, and says so.

A manifest is taken when it has been the same for two looks, and known by its content: what was done before stands in the ledger,
so a watch that was stopped, or killed, goes on where it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from hashlib import sha256

from msgspec import Struct, structs

from media import store
from media.ledger import Ledger, fingerprint
from pipeline.run import Progress, Request, Summary, run_catalogue
from pipeline.workplace import check_reachable, checked_output
from schemas.errors import CatalogueError

KINDS = (".csv", ".jsonl", ".parquet")
OF_A_MANIFEST = ("MANIFEST_", "NOTHING_SELECTED")
"""Codes that tell of a manifest alone; whatever else is wrong, a profile or the output, would be wrong for the next one too."""
LOOK_EVERY_S = 2.0


class Arrival(Struct, frozen=True, kw_only=True):
    """What became of a manifest with a certain content: the run that mastered it, or why none could."""

    uri: str
    digest: str
    run_id: str | None = None
    code: str | None = None
    problems: tuple[str, ...] = ()


def watch(
    folder: str, request: Request, progress: Progress, waited: Callable[[float], bool]
) -> Iterator[Summary | Arrival]:
    """Yields the summary of each batch, and each manifest that could not be mastered, until `waited` says that it is over.

    `request` is that of a run, but for its manifest. `waited` waits so many seconds and tells whether to stop. Raises
    CatalogueError where folder, output or profile cannot be used.
    """
    check_reachable(folder)
    if not store.is_remote(folder) and not store.local_path(folder).is_dir():
        raise CatalogueError("MANIFEST_MISSING", f"there is no folder {folder} to watch")
    ledger = Ledger(checked_output(request.output), "watch")
    last: dict[str, str] = {}
    stop = False
    while not stop:
        found = {uri: digest for uri in manifests(folder) if (digest := _digest(uri)) is not None}
        for uri, digest in found.items():
            if last.get(uri) == digest and not _is_done(ledger, uri, digest):
                yield _taken(uri, digest, request, progress, ledger)
        last = found
        stop = waited(LOOK_EVERY_S)


def manifests(folder: str) -> list[str]:
    """The manifests that lie in a folder itself, not below it, by name; hidden ones are still being written."""
    if store.is_remote(folder):
        inside = [uri for uri in store.list_files(folder) if "/" not in uri[len(folder.rstrip("/")) + 1 :]]
    else:
        root = os.path.abspath(store.local_path(folder))
        inside = [entry.path for entry in os.scandir(root) if entry.is_file() and not entry.name.startswith(".")]
    return sorted(uri for uri in inside if uri.lower().endswith(KINDS))


def _digest(uri: str) -> str | None:
    try:
        return sha256(store.read_bytes(uri)).hexdigest()
    except OSError:  # it went away, or cannot be read yet
        return None


def _is_done(ledger: Ledger, uri: str, digest: str) -> bool:
    known = ledger.get("arrivals", fingerprint(uri), Arrival)
    return known is not None and known.digest == digest


def _taken(uri: str, digest: str, request: Request, progress: Progress, ledger: Ledger) -> Summary | Arrival:
    """Masters a manifest; one that is wrong is remembered as such, and looked at again when it has changed."""
    outcome: Summary | Arrival
    try:
        outcome = run_catalogue(structs.replace(request, manifest=uri), progress)
        arrival = Arrival(uri=uri, digest=digest, run_id=outcome.run_id)
    except CatalogueError as error:
        if not error.code.startswith(OF_A_MANIFEST):
            raise
        outcome = arrival = Arrival(uri=uri, digest=digest, code=error.code, problems=tuple(error.problems))
    ledger.put("arrivals", fingerprint(uri), arrival)
    return outcome
