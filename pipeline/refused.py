"""Sources that were refused, by manifest: so that a watch takes a manifest again when one of them appears or changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from media import store

MISSING = "SOURCE_MISSING"
Stamps = dict[str, tuple[int, float] | None]
"""Sources with size and time of change; None where there is none."""


class RefusedSources:
    """What a watch remembers of rejections, for as long as it lives."""

    def __init__(self) -> None:
        self._refused: dict[str, Stamps] = {}
        self._last: dict[str, Stamps] = {}

    def note(self, manifest: str, rejected: Iterable[Mapping[str, Any]]) -> None:
        """Keeps the sources of rows (`source_uri`, `code`) in place of what was known of a manifest."""
        # One that was missing may have come since: it counts as missing, so that it is seen.
        self._refused[manifest] = {
            row["source_uri"]: None if row["code"] == MISSING else stamp(row["source_uri"]) for row in rejected
        }

    def changed(self) -> list[str]:
        """Manifests with a source that is another now, and has been so for two looks; each is told once."""
        changed = [manifest for manifest in self._refused if self._has_changed(manifest)]
        for manifest in changed:
            del self._refused[manifest]
        return changed

    def _has_changed(self, manifest: str) -> bool:
        refused = self._refused[manifest]
        now: Stamps = {source: stamp(source) for source in refused}
        before, self._last[manifest] = self._last.get(manifest), now
        return now != refused and now == before


def stamp(uri: str) -> tuple[int, float] | None:
    """Size and time of change of a source; None where there is none, or none that can be looked at."""
    try:
        return store.size_and_change(uri)
    except OSError:
        return None
