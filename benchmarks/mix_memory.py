"""Peak memory in MiB of a process that rehearses and renders a song, and does nothing else: called by `mix_render.py`.

mix_memory.py FOLDER COUNT SECONDS: so many stems, so long; prints one object of JSON.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
from pathlib import Path

from msgspec import structs
from synthetic_stems import track_of, write_stems

from dsp.settings import CompressorSettings
from media.mixing.rehearsal import rehearse_mix
from media.mixing.rendering import render_mix
from media.source import sha256_of
from schemas.mix import BusSettings, Input, MixSettings, Strip
from schemas.steps import MixWish


def memory(folder: Path, count: int, seconds: float) -> dict[str, float]:
    """All stems are one file: what is read does not change what is held."""
    path = write_stems(folder / f"{seconds:g}", seconds=seconds, count=1)[0]
    digest, names = sha256_of(path), [f"stem {place:03}" for place in range(count)]
    track = track_of("memory", [path] * count)
    assert track.song is not None
    stems = tuple(structs.replace(stem, stem_id=name) for stem, name in zip(track.song.stems, names, strict=True))
    strips = tuple(Strip(stem_id=name, role="keys", gain_db=-20.0, pan_ratio=0.2) for name in names)
    settings = MixSettings(
        mix_id="memory",
        rate_hz=48_000,
        inputs=tuple(Input(stem_id=name, sha256=digest) for name in names),
        stems=strips,
        buses=(BusSettings(name="music", compressor=CompressorSettings(threshold_dbfs=-40.0)),),
    )
    track = structs.replace(track, song=structs.replace(track.song, stems=stems))
    rehearse_mix(track, settings)
    render_mix(track, settings, folder / "rendered", MixWish())
    shutil.rmtree(folder / "rendered")
    return {"mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    print(json.dumps(memory(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))))
