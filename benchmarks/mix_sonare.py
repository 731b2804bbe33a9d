"""What libsonare 1.9.1 (Apache-2.0, PyPI) suggests for a session: run by `mix_peers.py` in a process of its own.

    PYTHONPATH=FOLDER_OF_LIBSONARE python mix_sonare.py < asked.json > said.json

Asked: `{"stems": {name: file}, "spoils": [{name: gain_db}, ...], "render": file or null}`. Said, for each of `spoils`: the
gain of each stem (trim and fader), and its class. With `render`, the whole scene of the first is rendered there, as .npy.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import libsonare  # type: ignore[import-not-found, unused-ignore]
import numpy as np
import soundfile

BLOCK_FRAMES = 512


ONLY_LEVELS = {"enable_eq": False, "enable_dynamics": False, "enable_image": False, "enable_structure": False}


def main() -> int:
    """Reads what is asked, writes what was suggested."""
    asked = json.load(sys.stdin)
    read = {name: soundfile.read(path, always_2d=True, dtype="float32") for name, path in asked["stems"].items()}
    rate_hz = next(iter(read.values()))[1]
    said = []
    for spoils in asked["spoils"]:
        tracks = [_track(name, audio * np.float32(10.0 ** (spoils[name] / 20.0))) for name, (audio, _) in read.items()]
        options = {} if asked["render"] else ONLY_LEVELS
        suggested = libsonare.suggest_mix_scene(tracks, sample_rate=rate_hz, **options)
        said.append(_answer(suggested))
        if asked["render"]:
            np.save(asked["render"], _rendered(suggested["scene"], tracks, rate_hz))
            break
    json.dump(said, sys.stdout)
    return 0


def _track(name: str, audio: Any) -> Any:
    left, right = audio[:, 0], audio[:, -1]
    return libsonare.MixTrackInput(name, np.ascontiguousarray(left), np.ascontiguousarray(right), name)


def _answer(suggested: dict[str, Any]) -> dict[str, Any]:
    gains = {
        strip["id"]: strip.get("inputTrimDb", 0.0) + strip.get("faderDb", 0.0) for strip in suggested["scene"]["strips"]
    }
    return {"gains_db": gains, "classes": {one["stripId"]: one["source"] for one in suggested["tracks"]}}


def _rendered(scene: dict[str, Any], tracks: list[Any], rate_hz: int) -> Any:
    """Its whole scene, block by block, float32 (frames, 2)."""
    by_id, frames = {track.track_id: track for track in tracks}, max(len(track.left) for track in tracks)
    nothing = libsonare.MixTrackInput("none", np.zeros(0, np.float32), np.zeros(0, np.float32))
    strips = [by_id.get(strip["id"], nothing) for strip in scene["strips"]]  # its returns are strips, too
    mixer = libsonare.Mixer.from_scene_json(json.dumps(scene), sample_rate=rate_hz, block_size=BLOCK_FRAMES)
    mixed = np.zeros((frames, 2), np.float32)
    for start in range(0, frames, BLOCK_FRAMES):
        sides = [[_block(getattr(one, side), start) for one in strips] for side in ("left", "right")]
        block = mixer.process_stereo(*sides)
        kept = min(BLOCK_FRAMES, frames - start)
        mixed[start : start + kept] = np.stack([block.left, block.right], axis=1)[:kept]
    return mixed


def _block(channel: Any, start: int) -> Any:
    block = channel[start : start + BLOCK_FRAMES]
    return np.pad(block, (0, BLOCK_FRAMES - len(block)))


if __name__ == "__main__":
    sys.exit(main())
