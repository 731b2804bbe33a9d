#!/usr/bin/env python3
"""Gets sessions whose balance is known: stems that somebody balanced by ear, so that their plain sum is that person's mix.

usage: mix_songs.py FOLDER [--songs 12]

lmms: demo songs of LMMS (Debian package lmms), each track rendered by itself; electronic and band music as mixed by its makers.
gm: General-MIDI songs (Debian packages openttd-openmsx, fluidsynth, fluid-soundfont-gm; PyPI mido), rendered channel by channel
by `music/get_stems.py` of the shared folder beside the checkout; balanced by their arrangers, which is no record's balance.
Writes FOLDER/lmms/<song>/*.wav, FOLDER/gm/<song>/*.flac and, cut to 90 s, FOLDER/sessions/<song>/*.flac; keeps what is there.
Neither has a sung vocal: songs with several stems and a voice that may be used freely cannot be had without the net.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from dsp.audio import Audio
from schemas.safe_names import safe_name

LMMS_SONGS = Path("/usr/share/lmms/projects/demos")
MIDI_SONGS = Path("/usr/share/games/openttd/baseset/openmsx")
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
GET_STEMS = Path(__file__).resolve().parents[2] / "shared" / "music" / "get_stems.py"
LONGEST_S = 90.0
BROKEN_PEAK = 100.0
"""A track with a sample beyond this, or with one that is no number, was rendered wrong (a filter of LMMS that ran away). It is
left out: the balance of the others among each other stays what it was."""
FEWEST_STEMS = 5
SLOWEST_S = 1_200
"""A song that takes longer to render is cut off: the tracks that are done by then are its session."""
SESSION_PEAK = 0.9
INAUDIBLE_LU = 30.0
"""A stem whose energy lies so far below the sum's is not heard in it: how its maker levelled it says nothing (some LMMS songs
hold tracks that were turned down instead of deleted)."""
GM_NAMES = {
    "chromperc": "mallets",
    "ensemble": "strings",
    "lead": "synth lead",
    "percussive": "percussion",
    "pipe": "flute",
    "reed": "reeds",
}
"""Families of General MIDI in the words that people name tracks with."""


class Material(NamedTuple):
    """A session whose plain sum is a person's mix."""

    name: str
    kind: str
    """`lmms` or `gm`."""
    folder: Path
    tuned: bool
    """Whether tables may be fitted on it: every second song of a kind, by name; the others are kept for the report."""

    def stems(self) -> list[Path]:
        """Its files, in the order of their names."""
        return sorted(self.folder.glob("*.flac"))


def main() -> int:
    """Renders what is missing; 2 if nothing could be rendered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", type=int, default=12, help="at most so many General-MIDI songs")
    options = parser.parse_args()
    _render_lmms(options.folder / "lmms")
    _render_midi(options.folder / "gm", options.songs)
    found = sessions(options.folder)
    for one in found:
        print(f"{one.kind:5} {one.name:45} {len(one.stems()):3} stems, {'tuned on' if one.tuned else 'kept'}")
    return 0 if found else 2


def sessions(folder: Path) -> list[Material]:
    """The sessions in a folder that `main` filled, cut and scaled as they are measured."""
    found = []
    for kind in ("lmms", "gm"):
        songs = sorted(path for path in (folder / kind).glob("*") if path.is_dir())
        for number, song in enumerate(songs):
            cut = folder / "sessions" / song.name
            if not cut.is_dir():
                _cut(song, cut)
            one = Material(song.name, kind, cut, tuned=number % 2 == 0)
            if len(one.stems()) >= FEWEST_STEMS:
                found.append(one)
    return found


def audio_of(material: Material) -> tuple[dict[str, Audio], int]:
    """The stems by the names of their files, all as long as the longest, in stereo; and their rate."""
    read = {path.stem: soundfile.read(path, always_2d=True, dtype="float32") for path in material.stems()}
    frames = max(len(audio) for audio, _ in read.values())
    return {name: _stereo(audio, frames) for name, (audio, _) in read.items()}, next(iter(read.values()))[1]


def spoils_db(material: Material, seed: int, most_db: float = 10.0) -> dict[str, float]:
    """A gain for each stem, uniform within +-`most_db`: how a session is spoiled."""
    names = [path.stem for path in material.stems()]
    rng = np.random.default_rng([seed, *material.name.encode()])
    return dict(zip(names, rng.uniform(-most_db, most_db, len(names)).tolist(), strict=True))


def _stereo(audio: Audio, frames: int) -> Audio:
    wide = np.repeat(audio, 2, axis=1) / np.sqrt(2.0) if audio.shape[1] == 1 else audio[:, :2]
    return np.pad(wide, ((0, frames - len(wide)), (0, 0)))


def _render_lmms(folder: Path) -> None:
    """A song counts as rendered only once all its tracks are: it is rendered beside its place, then moved there."""
    folder.mkdir(parents=True, exist_ok=True)
    for project in sorted(LMMS_SONGS.rglob("*.mmpz"), key=lambda path: path.stem):
        place, half_done = folder / project.stem, folder.parent / "rendering" / project.stem
        if place.is_dir():
            continue
        half_done.mkdir(parents=True, exist_ok=True)
        print(f"rendering {project.stem}", file=sys.stderr)
        command = ["lmms", "--allowroot", "rendertracks", str(project), "-a", "-o", str(half_done), "-f", "wav"]
        try:
            environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
            subprocess.run(command, env=environment, timeout=SLOWEST_S, check=True, capture_output=True)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
            for path in sorted(half_done.glob("*"), key=lambda path: path.stat().st_mtime)[-1:]:
                path.unlink()  # unfinished; the tracks before it are whole
        half_done.rename(place)


def _render_midi(folder: Path, songs: int) -> None:
    if not (folder / "stems.json").exists():
        source = [str(folder), str(SOUNDFONT), str(MIDI_SONGS), "--songs", str(songs)]
        subprocess.run([sys.executable, str(GET_STEMS), *source], check=True)


def _cut(song: Path, folder: Path) -> None:
    """The first 90 s of each stem that sounds, all scaled alike so that none clips: the balance stays as it is."""
    paths = [path for path in sorted(song.glob("*")) if path.suffix in (".wav", ".flac") and path.stem != "mix"]
    read = {path.stem: _beginning(path) for path in paths}
    energies = {name: _energy(audio) for name, (audio, _) in read.items() if _peak(audio) < BROKEN_PEAK}
    softest = max(1e-9, sum(energies.values()) * 10.0 ** (-INAUDIBLE_LU / 10.0))
    sounding = {name: read[name] for name, energy in energies.items() if energy > softest}
    unfinished = folder.with_name(f".{folder.name}")
    unfinished.mkdir(parents=True, exist_ok=True)
    scale = SESSION_PEAK / max((_peak(audio) for audio, _ in sounding.values()), default=1.0)
    for name, (audio, rate_hz) in sounding.items():
        soundfile.write(unfinished / f"{_plain_name(name)}.flac", audio * min(1.0, scale), rate_hz, subtype="PCM_24")
    unfinished.rename(folder)


def _plain_name(name: str) -> str:
    """The name of a track, without the endings of its samples (`3_kick.ds`)."""
    words = re.sub(r"[.](ds|ogg|wav)", "", name)
    number, _, family = words.partition("-")
    return safe_name(f"{number}-{GM_NAMES.get(family, family)}" if family in GM_NAMES else words)


def _beginning(path: Path) -> tuple[Audio, int]:
    rate_hz = soundfile.info(path).samplerate
    audio, _ = soundfile.read(path, frames=int(LONGEST_S * rate_hz), always_2d=True, dtype="float32")
    return audio, rate_hz


def _energy(audio: Audio) -> float:
    return float(np.square(audio, dtype=np.float64).sum())


def _peak(audio: Audio) -> float:
    return float(np.abs(audio).max()) if audio.size else 0.0


def names_of(materials: Sequence[Material], *, tuned: bool) -> list[str]:
    """The songs of one half."""
    return [one.name for one in materials if one.tuned is tuned]


if __name__ == "__main__":
    sys.exit(main())
