"""All figures of a mix beside what is asked of them: calls the parts of the benchmark, prints one table.

    python benchmarks/mixing.py FOLDER [--only 4,5,6] [--without gain_sharing]

FOLDER is filled by `mix_songs.py`; libsonare lies in FOLDER/libsonare (`mix_peers.py` tells how). A part that is not there, or
that cannot run here, is told as such, and its figures stand as not measured.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from pathlib import Path

from mix_table import Row, table

PARTS: dict[str, tuple[int, ...]] = {
    "mix_balance": (4, 5, 6, 7, 8),
    "mix_faults": (13, 14, 15),
    "mix_roles": (16,),
    "mix_processors": (3, 18, 19),
    "gain_sharing": (17,),
    "mix_decisions": (9, 10, 11, 20, 26),
    "mix_render": (1, 2, 3, 12, 21, 22, 23, 24, 25, 27),
}
"""The modules that measure, and the figures that each is to give."""
ALL = range(1, 28)


def main() -> int:
    """Prints the table; 1 where a figure was measured and falls short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--only", default="", help="numbers of figures, with commas: parts that have none of them are not run"
    )
    parser.add_argument("--without", default="", help="names of parts, with commas, that are not run")
    options = parser.parse_args()
    asked = {int(number) for number in options.only.split(",") if number} or {*ALL}
    found: list[Row] = []
    for name, numbers in PARTS.items():
        if asked & {*numbers} and name not in options.without.split(","):
            found += measured(name, numbers, options.folder)
    missing = sorted(asked - {row.number for row in found})
    found += [Row(number, "", "", "not measured") for number in missing]
    print(table(row for row in found if row.number in asked))
    return int(any(row.held is False for row in found))


def measured(name: str, numbers: tuple[int, ...], folder: Path) -> list[Row]:
    """The rows of a part; where it fails, rows that say so."""
    try:
        found: list[Row] = importlib.import_module(name).rows(folder)
    except Exception as error:  # one part that fails must not hide what the others measured
        traceback.print_exc()
        return [Row(number, f"{name} failed", "", f"{type(error).__name__}: {error}", False) for number in numbers]
    return found


if __name__ == "__main__":
    sys.exit(main())
