"""Makes a label's catalogue to try Lathe on: `python examples/make_catalogue.py FOLDER`.

Three albums of synthesised music, six faulty rows among them, a session of stems to be mixed, and `manifest.csv`. It needs numpy
and soundfile, asks nothing of the network, and writes the same bytes every time.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from pathlib import Path

import numpy as np
import soundfile  # type: ignore[import-untyped,unused-ignore]
from catalogue.albums import ALBUMS, Album, Fault, Take
from catalogue.session import SESSIONS, Session, Stem, perform
from catalogue.songs import Song
from catalogue.synthesiser import Audio
from numpy.typing import NDArray

Samples = NDArray[np.int16] | NDArray[np.int32]

CLIPPED_BY_DB = 8.0
DC_OFFSET = (0.02, 0.01)
SILENCE_S = 30.0
TRUNCATED_TO_RATIO = 0.6


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the manifest, its fields in the order of the columns."""

    uri: str
    album_id: str
    disc: int
    sequence: int
    title: str
    artist: str
    album: str
    genre: str
    label: str
    year: int
    isrc: str
    upc: str
    sha256: str
    duration_s: str
    joins_next: str
    profile: str = ""
    reference: str = ""
    mix_id: str = ""
    """The song that it is a stem of."""
    role: str = ""
    presence: str = ""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The bytes of a file and how long it is meant to play."""

    data: bytes
    duration_s: float


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Makes an example catalogue for Lathe: music, faults, manifest.")
    parser.add_argument("folder", type=Path, help="where to write it; made if missing, its files overwritten")
    folder: Path = parser.parse_args(arguments).folder
    seconds = write_catalogue(folder, ALBUMS, SESSIONS)
    takes = [take for album in ALBUMS for take in album.takes]
    faulty = sum(take.fault is not None for take in takes)
    print(
        f"{len(takes)} tracks ({faulty} with a fault on purpose) in {len(ALBUMS)} albums, and {len(SESSIONS)} song in "
        f"{sum(len(one.stems) for one in SESSIONS)} stems, {seconds:.0f} s: {folder / 'manifest.csv'}"
    )
    return 0


def write_catalogue(folder: Path, albums: Sequence[Album], sessions: Sequence[Session] = ()) -> float:
    """Writes all files, then the manifest that names them; returns the seconds of audio written."""
    seconds = 0.0
    rows = []
    for row, recording in chain(_of_albums(albums), _of_sessions(sessions, 1 + sum(len(one.takes) for one in albums))):
        rows.append(row)
        path = folder / row.uri
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if recording:
            path.write_bytes(recording.data)
            seconds += recording.duration_s
    for album in albums:
        if album.profile:
            (folder / _profile_name(album)).write_text(album.profile, encoding="utf-8")
    _write_manifest(folder / "manifest.csv", rows)
    return seconds


def record(album: Album, take: Take) -> Recording | None:
    """The file of one take, faults and all; none where it is missing."""
    if take.fault is Fault.MISSING:
        return None
    rate_hz = take.rate_hz or album.rate_hz
    samples = sample(album, take, rate_hz)
    data = _encode(samples, rate_hz, album.suffix, album.bits)
    if take.fault is Fault.TRUNCATED:
        data = data[: int(TRUNCATED_TO_RATIO * len(data))]
    return Recording(data=data, duration_s=len(samples) / rate_hz)


def sample(album: Album, take: Take, rate_hz: int) -> Samples:
    """The integers of one take."""
    if take.song is None:
        return np.zeros((round(SILENCE_S * rate_hz), 2), np.int32)
    audio = _spoil(_perform(album.perform, take.song, rate_hz), take.fault)
    # Cut after the dither: both halves together are one recording, to the last bit.
    whole = quantise(audio, album.bits, np.random.default_rng(take.song.seed + 1_000))
    middle = len(whole) // 2
    return {None: whole, 1: whole[:middle], 2: whole[middle:]}[take.half]


def quantise(audio: Audio, bits: int, rng: np.random.Generator) -> Samples:
    """Rounds with triangular dither of 2 LSB and stops at full scale; 24 bits stand at the top of an int32.

    Done here because libsndfile would cut floats off without dither.
    """
    full_scale = 2 ** (bits - 1)
    dither = rng.random(audio.shape) - rng.random(audio.shape)
    whole: Audio = np.clip(np.round(audio * full_scale + dither), -full_scale, full_scale - 1)
    if bits == 16:
        return whole.astype(np.int16)
    return whole.astype(np.int32) * np.int32(2 ** (32 - bits))


def describe(album: Album, sequence: int, take: Take, recording: Recording | None, number: int) -> Row:
    """The row of one take; `number` counts through the catalogue."""
    return Row(
        uri=f"{album.album_id}/{sequence:02d} {take.title}.{album.suffix}",
        album_id=album.album_id,
        disc=1,
        sequence=sequence,
        title=take.title,
        artist=album.artist,
        album=album.title,
        genre=album.genre,
        label="Lathe Examples",
        year=2026,
        isrc=f"QZLTH26{number:05d}",
        upc=album.upc,
        sha256=_declared_sha256(take, recording),
        duration_s=f"{recording.duration_s:.3f}" if recording and "duration_s" in take.declares else "",
        joins_next="true" if take.half == 1 else "",
        profile=f"./{_profile_name(album)}" if album.profile else "",
        reference=album.reference,
    )


def stem_recording(session: Session, stem: Stem, audio: Audio) -> Recording:
    """The file of one stem: 24 bits, rounded as an exporter would; the copy of a stem is the same file."""
    seed = session.song.seed + 1_000 + _number(session, stem.copy_of or stem.name)
    # A track on which nothing was recorded is digital silence, not dither.
    samples = quantise(audio, 24, np.random.default_rng(seed)) if audio.any() else np.zeros(audio.shape, np.int32)
    return Recording(data=_encode(samples, session.rate_hz, "wav", 24), duration_s=len(audio) / session.rate_hz)


def describe_stem(session: Session, stem: Stem, recording: Recording, number: int) -> Row:
    """The row of one stem; `number` is that of its song in the catalogue."""
    return Row(
        uri=f"{session.album_id}/{stem.name}.wav",
        album_id=session.album_id,
        disc=1,
        sequence=1,
        title=session.title,
        artist=session.artist,
        album=session.album,
        genre=session.genre,
        label="Lathe Examples",
        year=2026,
        isrc=f"QZLTH26{number:05d}",
        upc=session.upc,
        sha256=sha256(recording.data).hexdigest(),
        duration_s="",
        joins_next="",
        mix_id=session.mix_id,
        role=stem.role,
        presence=stem.presence,
    )


def _profile_name(album: Album) -> str:
    return f"{album.album_id}.toml"


def _in_order(albums: Sequence[Album]) -> Iterator[tuple[Album, int, Take]]:
    for album in albums:
        for sequence, take in enumerate(album.takes, start=1):
            yield album, sequence, take


def _of_albums(albums: Sequence[Album]) -> Iterator[tuple[Row, Recording | None]]:
    for number, (album, sequence, take) in enumerate(_in_order(albums), start=1):
        recording = record(album, take)
        yield describe(album, sequence, take, recording, number), recording


def _of_sessions(sessions: Sequence[Session], first_number: int) -> Iterator[tuple[Row, Recording]]:
    for number, session in enumerate(sessions, start=first_number):
        for stem, audio in perform(session):
            recording = stem_recording(session, stem, audio)
            yield describe_stem(session, stem, recording, number), recording


def _number(session: Session, name: str) -> int:
    return [stem.name for stem in session.stems].index(name)


@lru_cache(maxsize=1)
def _perform(band: Callable[[Song, int], Audio], song: Song, rate_hz: int) -> Audio:
    # Kept for one more call: the two halves of a song follow each other, and it is played once.
    return band(song, rate_hz)


def _spoil(audio: Audio, fault: Fault | None) -> Audio:
    if fault is Fault.CLIPPED:
        return np.asarray(audio * (10 ** (CLIPPED_BY_DB / 20) / np.abs(audio).max()))
    if fault is Fault.DC_OFFSET:
        return np.asarray(audio + np.array(DC_OFFSET))
    return audio


def _encode(samples: Samples, rate_hz: int, suffix: str, bits: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=suffix.upper(), subtype=f"PCM_{bits}")
    return file.getvalue()


def _declared_sha256(take: Take, recording: Recording | None) -> str:
    if recording is None or "sha256" not in take.declares:
        return ""
    other_take = b"another take" if take.fault is Fault.WRONG_SHA256 else b""
    return sha256(recording.data + other_take).hexdigest()


def _write_manifest(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [column.name for column in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


if __name__ == "__main__":
    raise SystemExit(main())
