"""Masters what arrives in a folder: one batch for each manifest, on one machine; this is not streaming, and says so.

A manifest is taken when it has been the same for two looks, and known by its content. Only one whose tracks all have masters is
written down as done, and only for the same request: everything else is tried again when it changes, when a source that was
refused changes, or when the watch begins anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress

from msgspec import Struct, structs

from media import store
from media.inbox import content_digest, manifests
from media.ledger import Ledger
from pipeline.arrivals import Arrival, asked_of, is_done, remember
from pipeline.metrics_file import MetricsFile
from pipeline.refused import RefusedSources
from pipeline.run import Progress, Request, Summary, run_catalogue
from pipeline.tables import table_rows
from pipeline.workplace import check_folder, checked_output
from schemas.errors import CatalogueError

OF_A_MANIFEST = ("MANIFEST_", "NOTHING_SELECTED")
"""Codes that tell of a manifest alone; whatever else is wrong, a profile or the output, would be wrong for the next one too."""
LOOK_EVERY_S = 2.0


class Trouble(Struct, frozen=True, kw_only=True):
    """A manifest that could not be mastered, and why."""

    uri: str
    code: str
    problems: tuple[str, ...]


class Watch:
    """Looks into a folder again and again; `request` is that of a run, but for its manifest.

    Raises CatalogueError where folder, output or profile cannot be used.
    """

    def __init__(self, folder: str, request: Request, progress: Progress, metrics: MetricsFile | None = None) -> None:
        check_folder(folder)
        self._folder, self._request, self._progress = folder, request, progress
        self._metrics = metrics
        self._output = checked_output(request.output)
        self._ledger = Ledger(self._output, "watch")
        self._last: dict[str, str] = {}
        self._tried: dict[str, str] = {}
        self._refused = RefusedSources()

    def run(self, waited: Callable[[float], bool]) -> Iterator[Summary | Trouble]:
        """Yields what came of each manifest, until `waited`, which waits so many seconds, says that it is over."""
        stop = False
        while not stop:
            yield from self.look()
            stop = waited(LOOK_EVERY_S)

    def look(self) -> Iterator[Summary | Trouble]:
        """One look: masters what has come to rest since the last, one after the other."""
        found = {uri: digest for uri in manifests(self._folder) if (digest := content_digest(uri)) is not None}
        again = self._refused.changed()
        for uri, digest in found.items():
            rested = self._last.get(uri) == digest == content_digest(uri)
            if rested and (uri in again or self._is_new(uri, digest)):
                yield self._taken(uri, digest)
        self._last = found

    def _is_new(self, uri: str, digest: str) -> bool:
        if self._tried.get(uri) == digest:
            return False
        if not self._request.force and is_done(self._ledger, uri, digest, asked_of(self._request)):
            self._tried[uri] = digest
            return False
        return True

    def _taken(self, uri: str, digest: str) -> Summary | Trouble:
        asked = asked_of(self._request)  # before the batch: the profile may be edited while it runs
        self._tried[uri] = digest
        self._refused.note(uri, [])
        try:
            summary = run_catalogue(structs.replace(self._request, manifest=uri), self._progress, self._metrics)
        except Exception as error:
            logging.disable(logging.NOTSET)  # a run that fails falls silent for good; a watch goes on
            if content_digest(uri) != digest:
                self._tried.pop(uri)
                return Trouble(uri=uri, code="MANIFEST_CHANGED", problems=("it was changed while it was read",))
            if isinstance(error, CatalogueError) and error.code.startswith(OF_A_MANIFEST):
                return Trouble(uri=uri, code=error.code, problems=tuple(error.problems))
            raise
        rejected = table_rows(self._output, "rejected", summary.run_id, ["source_uri", "code"])
        self._refused.note(uri, rejected)
        if content_digest(uri) != digest:
            self._tried.pop(uri)
        elif not rejected:
            self._remember(uri, Arrival(digest=digest, asked=asked, run_id=summary.run_id))
        return summary

    def _remember(self, uri: str, arrival: Arrival) -> None:
        remember(self._ledger, uri, arrival)
        if not store.is_remote(self._output):
            parts = store.local_path(self._output) / ".parts"
            with suppress(OSError):  # another run is at work
                (parts / "watch").rmdir()
                parts.rmdir()
