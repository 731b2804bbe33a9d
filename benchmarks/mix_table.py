"""The table of a mix's figures: what each part of the benchmark measures, beside what is asked of it.

A part is a module of benchmarks/ with `rows(folder) -> list[Row]`; `folder` holds the material (`mix_songs.py` fills it), and
what a part makes itself it may keep there. `benchmarks/mixing.py` calls all parts and prints one table.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol


class Row(NamedTuple):
    """One figure: its number in the list of what is asked of a mix (1 to 27), what it is, what was asked, what was measured."""

    number: int
    figure: str
    asked: str
    measured: str
    held: bool | None = None
    """Whether it was reached; None where that is not for a number to say, or where there is no material."""


class Part(Protocol):
    """A module of the benchmark."""

    def rows(self, folder: Path) -> list[Row]:
        """Its figures, measured now."""
        ...


def table(rows: Iterable[Row]) -> str:
    """The figures as a table of Markdown, by number; the order in which a part gave its rows is kept."""
    said = {True: "yes", False: "**no**", None: "-"}
    lines = ["| # | figure | asked | measured | reached |", "|---|---|---|---|---|"]
    for row in sorted(rows, key=lambda one: one.number):
        lines.append(f"| {row.number} | {row.figure} | {row.asked} | {row.measured} | {said[row.held]} |")
    return "\n".join(lines)
