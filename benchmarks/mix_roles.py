#!/usr/bin/env python3
"""How often a stem is taken for what it is: by its name, and by its sound alone where the name is kept back.

usage: mix_roles.py FOLDER

FOLDER is filled by `mix_songs.py`. Names are those of tests/decisions/mixing; sounds are the stems of the sessions, whose own
names tell what they are. Thresholds of the sound were set looking at the General-MIDI songs; LMMS songs use other sounds.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from mix_songs import sessions
from mix_table import Row, table

from decisions.mixing.role_sounds import role_by_sound
from decisions.mixing.roles import UNKNOWN, role_by_name
from media.mixing.hearing import hear
from schemas.mix import BUS_OF

TESTS = Path(__file__).resolve().parents[1] / "tests/decisions/mixing"
ASKED_OF_NAMES, ASKED_OF_SOUNDS, MOST_WRONG = 0.95, 0.70, 0.05
OUTCOMES = ("right", "wrong", "unknown")


def main() -> int:
    """Prints the rows."""
    print(table(rows(Path(sys.argv[1]))))
    return 0


def rows(folder: Path) -> list[Row]:
    """Figure 16: two rows for names, two for sounds."""
    return [*map(_of_names, ("track_names.csv", "published_names.csv")), *_of_sounds(folder)]


def _of_names(file: str) -> Row:
    with (TESTS / file).open(encoding="utf-8", newline="") as lines:
        names = [(row["name"], set(row["roles"].split("|"))) for row in csv.DictReader(lines)]
    found = [(named.role if (named := role_by_name(name)) else "", roles) for name, roles in names]
    right, wrong = (
        sum(role in roles for role, roles in found),
        sum(bool(role) and role not in roles for role, roles in found),
    )
    measured = f"{right / len(found):.1%} of {len(found)} right, {wrong / len(found):.1%} taken for something else"
    return Row(
        16, f"role from the name ({file})", f">= {ASKED_OF_NAMES:.0%}", measured, right >= ASKED_OF_NAMES * len(found)
    )


def _of_sounds(folder: Path) -> Iterable[Row]:
    for kind in ("gm", "lmms"):
        found: Counter[str] = Counter()
        for path in (path for one in sessions(folder) if one.kind == kind for path in one.stems()):
            named = role_by_name(path.stem)
            if named:
                found.update(_heard(path, named.role))
        stems = sum(found[outcome] for outcome in OUTCOMES)
        if not stems:
            yield Row(16, f"role from the sound ({kind})", ">= 70%, wrong <= 5%", "no material")
            continue
        parts = ", ".join(f"{found[one] / stems:.1%} {one}" for one in OUTCOMES)
        held = found["right"] >= ASKED_OF_SOUNDS * stems and found["wrong"] <= MOST_WRONG * stems
        measured = f"{parts} of {stems}; on the right bus {found['bus'] / stems:.1%}"
        yield Row(16, f"role from the sound ({kind})", ">= 70%, wrong <= 5%", measured, held)


def _heard(path: Path, role: str) -> Iterable[str]:
    """What became of a stem: right, wrong or unknown; and `bus` where it goes through the bus that it belongs to."""
    heard, _ = role_by_sound(hear(path)[0])
    yield "unknown" if heard is None else "right" if heard == role else "wrong"
    if BUS_OF[heard or UNKNOWN] == BUS_OF[role]:
        yield "bus"


if __name__ == "__main__":
    sys.exit(main())
