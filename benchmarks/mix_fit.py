"""How well tables of usual levels foretell the balance of a person's mix: what `decisions/mixing/balances/usual.toml` was
fitted with.

    python benchmarks/mix_fit.py FOLDER

FOLDER is filled by `mix_songs.py`. Prints the mean distance of stems from where a table puts them (LU, a level common to a
session left out), on the half that is tuned on and on the half that is kept; nothing is delivered wrong here. Chooses nothing
by itself.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mix_sessions import session_of
from mix_songs import sessions
from msgspec.structs import replace

from decisions.mixing.balances import Balance, Sound, load_balance
from decisions.mixing.levels import usual_levels
from decisions.mixing.session import neutral_settings
from decisions.mixing.standing import Unit, standing
from dsp.audio import Floats

PRACTICE_LU = {
    "vocal": -3.0, "backing_vocal": -9.0, "drums": -5.0, "kick": -8.0, "snare": -8.0, "toms": -12.0, "cymbals": -13.0,
    "room": -14.0, "percussion": -12.0, "bass": -7.0, "electric_guitar": -7.0, "acoustic_guitar": -7.0, "keys": -8.0,
    "synth": -8.0, "strings": -9.0, "brass": -9.0, "woodwind": -9.0, "fx": -14.0, "backing_track": -4.0, "other": -9.0,
}  # fmt: skip
"""The table that the design of the mixer proposed, from practice."""
NO_SOUND = Sound(crest_db=15.0, crest_ratio=0.0, rare_lu=0.0)
RIDGE = 6.0
"""Sessions that a role must be met in before its own mean counts for half."""


class Heard(NamedTuple):
    """The stems of a session, as its maker left them."""

    units: list[Unit]
    tuned: bool

    @property
    def levels(self) -> Floats:
        """Where they stand, LUFS."""
        return np.array([unit.level_lufs for unit in self.units])


def main() -> int:
    """Prints the distances for each way to foretell levels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    found = []
    for material in sessions(parser.parse_args().folder):
        session = session_of(material)
        found.append(Heard(standing(session, neutral_settings(session)), material.tuned))
    usual = load_balance("usual")
    one_level = with_targets(usual, dict.fromkeys(usual.roles, -8.0))
    fitted = fitted_targets([one for one in found if one.tuned], one_level)
    tables = {
        "one level for all": replace(one_level, sound=NO_SOUND),
        "one level, and the sound of each stem": one_level,
        "a table of roles from practice": replace(with_targets(usual, PRACTICE_LU), sound=NO_SOUND),
        "that table, and the sound": with_targets(usual, PRACTICE_LU),
        "roles fitted on the tuning half, and the sound": with_targets(usual, fitted),
        "usual.toml": usual,
    }
    print("| levels by | tuned on | kept |\n|---|---|---|")
    for name, balance in tables.items():
        print(f"| {name} | {_distance(found, balance, True):.2f} | {_distance(found, balance, False):.2f} |")
    return 0


def with_targets(balance: Balance, targets_lu: Mapping[str, float]) -> Balance:
    """A balance with other targets."""
    return replace(balance, roles={k: replace(role, target_lu=targets_lu[k]) for k, role in balance.roles.items()})


def fitted_targets(found: Sequence[Heard], balance: Balance) -> dict[str, float]:
    """The mean of each role over the sessions, drawn towards the one level of all the less often it was met."""
    apart: dict[str, list[float]] = {}
    for one in found:
        left = one.levels - usual_levels(one.units, balance)[0]
        for unit, distance in zip(one.units, left - left.mean(), strict=True):
            apart.setdefault("other" if unit.role.startswith("other") else unit.role, []).append(float(distance))
    moved = {role: sum(each) / (len(each) + RIDGE) for role, each in apart.items()}
    return {role: target.target_lu + moved.get(role, 0.0) for role, target in balance.roles.items()}


def _distance(found: Sequence[Heard], balance: Balance, tuned: bool) -> float:
    return float(np.mean([_of(one, balance) for one in found if one.tuned is tuned]))


def _of(one: Heard, balance: Balance) -> float:
    left = one.levels - usual_levels(one.units, balance)[0]
    return float(np.abs(left - left.mean()).mean())


if __name__ == "__main__":
    sys.exit(main())
