"""Clean music for benchmarks: files of folders, and the example catalogue's songs without their faults.

A piece is held out from tuning by its name alone (zlib.crc32), so everybody holds out the same ones.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
from catalogue.albums import ALBUMS, Album, Take
from faults import Part
from make_catalogue import sample

from dsp.audio import Audio

SUFFIXES = (".flac", ".wav")
LEAST_S = 20.0
"""A shorter piece is measured for false alarms, but not spoilt."""
SPOILT_MAX_HZ = 48_000
HIGH_RATE_HZ = 96_000


class Piece(NamedTuple):
    """A file of clean music."""

    name: str
    """Its folder and its stem."""
    path: Path
    rate_hz: int
    frames: int
    bits: int | None
    """None for a file of floats."""
    never_coded: bool
    """No lossy coder ever touched it."""

    @property
    def held_out(self) -> bool:
        """Whether nothing may be tuned on it."""
        return zlib.crc32(self.name.encode()) % 2 == 1

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.frames / self.rate_hz

    def whole(self) -> Audio:
        """All of it."""
        return np.asarray(soundfile.read(self.path, always_2d=True)[0])

    def excerpt(self, seconds: float, part: Part = "anywhere") -> Audio:
        """At most so many seconds: its start, its end, or a place that only its name decides."""
        count = min(self.frames, round(seconds * self.rate_hz))
        spare = self.frames - count
        anywhere = round(spare * zlib.crc32(f"{self.name} from".encode()) / 2**32)
        start = {"start": 0, "end": spare, "anywhere": anywhere}[part]
        return np.asarray(soundfile.read(self.path, frames=count, start=start, always_2d=True)[0])


def pieces_in(paths: Iterable[Path], never_coded: bool) -> list[Piece]:
    """The pieces of files and folders, in the order of their names; hidden folders are left out."""
    files = [file for path in paths for file in ([path] if path.is_file() else _visible(path))]
    return sorted(_piece(file, never_coded) for file in files if file.suffix.lower() in SUFFIXES)


def _visible(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if not any(p.startswith(".") for p in file.relative_to(folder).parts)]


def catalogue_pieces(folder: Path) -> list[Piece]:
    """Every song of the example catalogue without faults, at its own rate and at a high one; kept in a folder."""
    songs = {take.song: (album, take) for album in ALBUMS for take in album.takes if take.song}
    for album, take in songs.values():
        _write(folder / "catalogue", album, take, take.rate_hz or album.rate_hz)
        _write(folder / "catalogue-96k", album, take, HIGH_RATE_HZ)
    return pieces_in([folder], never_coded=True)


def _write(folder: Path, album: Album, take: Take, rate_hz: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{take.title.removesuffix(' II')}.flac"
    if not path.exists():
        samples = sample(album, replace(take, fault=None, half=None), rate_hz)
        soundfile.write(path, samples, rate_hz, subtype=f"PCM_{album.bits}")


def without_doubles(pieces: Iterable[Piece]) -> list[Piece]:
    """Of pieces with the same name the first."""
    first: dict[str, Piece] = {}
    for piece in pieces:
        first.setdefault(piece.name, piece)
    return sorted(first.values())


def chosen(pieces: Sequence[Piece], count: int) -> list[Piece]:
    """At most `count` of them, half of them held out, all albums as evenly as may be."""
    long_enough = [piece for piece in pieces if piece.seconds >= LEAST_S and piece.rate_hz <= SPOILT_MAX_HZ]
    halves = ([p for p in long_enough if p.held_out], [p for p in long_enough if not p.held_out])
    return sorted(piece for half in halves for piece in _evenly(half)[: count // 2])


def _evenly(pieces: Iterable[Piece]) -> list[Piece]:
    """One of each album, then a second of each, and so on; their order within an album is random but fixed."""
    albums: dict[str, list[Piece]] = {}
    for piece in sorted(pieces, key=lambda p: zlib.crc32(f"{p.name} order".encode())):
        albums.setdefault(piece.path.parent.name, []).append(piece)
    ranked = [(rank, album, piece) for album, mine in albums.items() for rank, piece in enumerate(mine)]
    return [piece for _, _, piece in sorted(ranked)]


def _piece(path: Path, never_coded: bool) -> Piece:
    info = soundfile.info(path)
    bits = info.subtype.removeprefix("PCM_")
    return Piece(
        name=f"{path.parent.name}/{path.stem}",
        path=path,
        rate_hz=info.samplerate,
        frames=info.frames,
        bits=int(bits) if bits.isdigit() else None,
        never_coded=never_coded,
    )
