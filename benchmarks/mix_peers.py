"""What others make of a session's levels: the plain sum, equal loudness, and libsonare 1.9.1 in a process of its own.

    pip install --target FOLDER/libsonare libsonare==1.9.1

FOLDER is that of the material. Each gives a gain for each stem. libsonare is asked without a choice of ours but that what is
no level stays off (its trim and fader do not change by that); its answers are kept beside the material, as it takes half a
minute a session.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mix_songs import Material

from decisions.mixing.session import Session

PEERS = ("plain sum", "equal loudness", "libsonare")
_WORKER = Path(__file__).with_name("mix_sonare.py")


def plain_sum(session: Session) -> dict[str, float]:
    """Every stem as it is."""
    return {one.stem.stem_id: 0.0 for one in session.stems}


def equal_loudness(session: Session, target_lufs: float = -30.0) -> dict[str, float]:
    """Each stem to the same integrated loudness over its active time."""
    return {one.stem.stem_id: target_lufs - (one.figures.integrated_lufs or target_lufs) for one in session.stems}


def has_libsonare(folder: Path) -> bool:
    """Whether libsonare was installed beside the material."""
    return (folder / "libsonare" / "libsonare").is_dir()


def libsonare(material: Material, spoils: Sequence[Mapping[str, float]], folder: Path) -> list[dict[str, float]]:
    """For each way of spoiling a session, the gain that libsonare suggests for each stem."""
    kept = folder / "peers" / f"{material.name}.json"
    known = json.loads(kept.read_text()) if kept.exists() else {}
    missing = [one for one in spoils if _key(one) not in known]
    if missing:
        for asked, said in zip(missing, _ask(material, missing, folder, None), strict=True):
            known[_key(asked)] = {name: said["gains_db"][name] for name in asked}
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(known))
    return [known[_key(one)] for one in spoils]


def render_libsonare(material: Material, spoils: Mapping[str, float], folder: Path) -> Path:
    """libsonare's whole scene (levels, equalisers, compressors, pans, reverb), rendered by its own mixer: a .npy file."""
    place = folder / "peers" / f"{material.name}.npy"
    if not place.exists():
        place.parent.mkdir(exist_ok=True)
        _ask(material, [spoils], folder, place)
    return place


def _ask(
    material: Material, spoils: Sequence[Mapping[str, float]], folder: Path, render: Path | None
) -> list[dict[str, Any]]:
    asked = {
        "stems": {path.stem: str(path) for path in material.stems()},
        "spoils": list(spoils),
        "render": None if render is None else str(render),
    }
    paths = {**os.environ, "PYTHONPATH": str(folder / "libsonare")}
    run = subprocess.run(
        [sys.executable, str(_WORKER)], input=json.dumps(asked), env=paths, capture_output=True, text=True, check=True
    )
    said: list[dict[str, Any]] = json.loads(run.stdout)
    return said


def _key(spoils: Mapping[str, float]) -> str:
    return " ".join(f"{name}={gain_db:.6f}" for name, gain_db in sorted(spoils.items()))
