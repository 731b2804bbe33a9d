#!/usr/bin/env python3
"""Fetches more music for `detectors.py`: an orchestral and an electronic album, and songs played from notes, never coded.

usage: more_music.py FOLDER

Writes FOLDER/coded/<album>/<name>.flac (24 bits, decoded from Vorbis or Opus) and FOLDER/never_coded/notes/<name>.flac
(rendered by fluidsynth). All of it comes from Debian packages (`apt-get download`, unpacked with `dpkg -x`; their licences lie in
usr/share/doc/*/copyright). Needs apt-get, dpkg and, for the notes, fluidsynth on the PATH.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

ALBUMS = {"wesnoth": "wesnoth-1.16-music", "warzone": "warzone2100-music"}
NOTES, SOUNDFONT = "openttd-openmsx", "fluid-soundfont-gm"
SUFFIXES = (".ogg", ".opus")
SHORTEST_S, LONGEST_S = 60.0, 600.0
RATE_HZ = 44_100
GAIN_RATIO = 0.3
"""Leaves room to most songs; the densest still reach full scale and are clipped there, which `known_faults.py` tells."""


def main() -> None:
    """Fetches what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for album, package in ALBUMS.items():
        for path in _long_enough(_unpacked(package, folder)):
            _decode(path, folder / "coded" / album / f"{path.stem}.flac")
    notes, (soundfont,) = _unpacked(NOTES, folder), sorted(_unpacked(SOUNDFONT, folder).rglob("*_GM.sf2"))
    for path in sorted(notes.rglob("*.mid")):
        _play(path, soundfont, folder / "never_coded" / "notes" / f"{path.stem}.flac")


def _unpacked(package: str, folder: Path) -> Path:
    """The folder of a Debian package's files."""
    work = folder / ".packages"
    root = work / package
    if not root.exists():
        work.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", package], cwd=work, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["dpkg", "-x", str(next(work.glob(f"{package}_*.deb"))), str(root)], check=True)
    return root


def _long_enough(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*.o[gp]*")):
        if path.suffix in SUFFIXES and path.is_file() and SHORTEST_S <= soundfile.info(path).duration <= LONGEST_S:
            yield path


def _decode(path: Path, target: Path) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        audio, rate_hz = soundfile.read(path, always_2d=True)
        soundfile.write(target, np.clip(audio, -1.0, 1.0 - 2.0**-23), rate_hz, subtype="PCM_24")


def _play(notes: Path, soundfont: Path, target: Path) -> None:
    """Renders a MIDI file as floats, and stores 24 bits."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "song.wav"
        options = [
            "-ni",
            "-q",
            "-g",
            f"{GAIN_RATIO:g}",
            "-r",
            str(RATE_HZ),
            "-O",
            "float",
            "-T",
            "wav",
            "-F",
            str(sound),
        ]
        subprocess.run(["fluidsynth", *options, str(soundfont), str(notes)], check=True)
        audio, rate_hz = soundfile.read(sound, always_2d=True)
    soundfile.write(target, np.clip(audio, -1.0, 1.0 - 2.0**-23), rate_hz, subtype="PCM_24")


if __name__ == "__main__":
    main()
