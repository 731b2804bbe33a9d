"""A manifest between its cells and its tracks: rows that have been read one by one, and the problems found so far."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from schemas.errors import CatalogueError
from schemas.safe_names import quoted


class RowDraft(Struct, kw_only=True):
    """A row whose cells have been read one by one, before it is compared with the others; or the rows of a song as one."""

    row: int
    values: dict[str, Any]
    written: dict[str, str]
    """Column -> its header in this manifest, for messages."""
    extra: dict[str, str]
    name: str = ""
    """The source below its root: what the URI says without saying where the manifest lies."""
    album: str = ""
    """Explicit album_id, or the album's UPC; empty: the track stands alone."""
    track_id: str = ""
    said_in: dict[str, int] = field(default_factory=dict)
    """Column -> the row that says it, where a song has several rows."""

    def at(self, column: str) -> str:
        row = self.said_in.get(column, self.row)
        return f"row {row}, column {quoted(self.written.get(column, column))[1:-1]}: "


class Problems:
    """Sentences and the row each belongs to; 0 for the header."""

    def __init__(self) -> None:
        self._found: list[tuple[int, str]] = []

    def add(self, row: int, sentence: str) -> None:
        self._found.append((row, sentence))

    def stop_if_any(self) -> None:
        if self._found:
            in_order = sorted(self._found, key=lambda found: found[0])
            raise CatalogueError("MANIFEST_INVALID", [sentence for _, sentence in in_order])
