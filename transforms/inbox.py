"""Looks into a folder again and again, without an end: (manifest, digest of its content), when a manifest has come to rest.

The clock of events is that of the looks, and never goes back. A stop file ends the looks: then the clock runs to its end, what is
under way is finished, and so is the pipeline. A manifest may be told twice, never missed: who listens knows it by its content.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp

from media import store
from media.inbox import asked_again, content_digest, manifests, token_of
from media.ledger import fingerprint

MOMENT_S = 0.001
"""The finest that every runner keeps of a time."""


class LookInto(beam.PTransform):
    """Pipeline -> (URI, token) of each manifest in a folder, until there is a file `stop`.

    The token changes with the content, when the same is written again, and when it is asked for again.
    """

    def __init__(self, folder: str, output: str, stop: str, every_s: float) -> None:
        super().__init__()
        self._folder, self._output, self._stop, self._every_s = folder, output, stop, every_s

    def expand(self, start: beam.Pipeline) -> beam.PCollection[tuple[str, str]]:
        looked = start | "Folder" >> beam.Create([self._folder], reshuffle=False)
        return looked | "Look" >> beam.ParDo(_Look(self._output, self._stop, self._every_s)).with_output_types(
            tuple[str, str]
        )


class _Looks(RestrictionProvider):
    """One look after the other, without an end; a drain of the runner's own also ends them."""

    def initial_restriction(self, element: str) -> OffsetRange:
        return OffsetRange(0, sys.maxsize)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, element: str, restriction: OffsetRange) -> int:
        return 1

    def truncate(self, element: str, restriction: OffsetRange) -> None:
        return None


class _File(NamedTuple):
    """A manifest as it was at a look."""

    size_bytes: int
    changed_s: float
    digest: str


class _Look(beam.DoFn):
    """Remembers what it saw at its last look; one that remembers nothing tells everything again."""

    def __init__(self, output: str, stop: str, every_s: float) -> None:
        self._output, self._stop, self._every_s = output, stop, every_s

    def setup(self) -> None:
        self._files: dict[str, _File] = {}
        self._seen: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._next_s = 0.0

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        folder: str,
        tracker: Any = beam.DoFn.RestrictionParam(_Looks()),
        clock: Any = beam.DoFn.WatermarkEstimatorParam(ManualWatermarkEstimator.default_provider()),
    ) -> Iterator[TimestampedValue]:
        """One look."""
        if store.exists(self._stop):
            tracker.try_claim(sys.maxsize)  # beyond the last look: there is none left
            return
        if not tracker.try_claim(tracker.current_restriction().start):
            return
        # Not every runner waits as long as it is asked to before the next look (Flink's of Beam 2.62 does not wait at all).
        time.sleep(max(0.0, self._next_s - time.monotonic()))
        now = later(Timestamp.now(), clock.current_watermark())
        # Each at a time of its own: of two that name the same track, the one that was written later counts.
        for number, (uri, token) in enumerate(self.rested(folder)):
            yield TimestampedValue((uri, token), now + Duration(number * MOMENT_S))
        clock.set_watermark(now)
        self._next_s = time.monotonic() + self._every_s
        tracker.defer_remainder(Duration(self._every_s))

    def rested(self, folder: str) -> list[tuple[str, str]]:
        """Manifests that are the same as at the last look and were not told yet, in the order in which they were written."""
        again = asked_again(self._output)
        looked = {uri: seen for uri in manifests(folder) if (seen := self._looked_at(uri)) is not None}
        tokens = {
            uri: token_of(one.digest, one.changed_s, again.get(fingerprint(uri), "")) for uri, one in looked.items()
        }
        rested = [uri for uri, token in tokens.items() if self._seen.get(uri) == token != self._told.get(uri)]
        self._seen, self._files = tokens, looked
        self._told = {uri: token for uri, token in self._told.items() if uri in tokens} | {u: tokens[u] for u in rested}
        return [(uri, tokens[uri]) for uri in sorted(rested, key=lambda uri: (looked[uri].changed_s, uri))]

    def _looked_at(self, uri: str) -> _File | None:
        """A manifest as it is now; read only where it is not as at the last look. None where it is gone."""
        try:
            size_bytes, changed_s = store.size_and_change(uri)
        except OSError:
            return None
        before = self._files.get(uri)
        if before is not None and (before.size_bytes, before.changed_s) == (size_bytes, changed_s):
            return before
        digest = content_digest(uri)
        return None if digest is None else _File(size_bytes, changed_s, digest)


def later(now: Timestamp, before: Timestamp | None) -> Timestamp:
    """The time of a look: that of the clock, unless the clock went back."""
    return now if before is None or now > before else before
