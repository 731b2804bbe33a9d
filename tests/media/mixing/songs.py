"""Makers of songs: stems as files, and settings that mix them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import soundfile
from msgspec import structs

from dsp.audio import Audio
from dsp.settings import CompressorSettings, ReverbSettings
from media.source import sha256_of
from schemas.mix import BUS_OF, BusSettings, Input, MixSettings, Return, Send, Strip, Why
from schemas.stems import Role, Song, Stem
from schemas.track import Track
from tests.makers import music, write

RATE_HZ = 48_000
WHY = Why(text="the test wants it")
ROLES: dict[str, Role] = {"bass": "bass", "choir": "backing_vocal", "kick": "kick", "keys": "keys", "vocal": "vocal"}
"""One of each kind; kick is mono."""


def stem_files(
    folder: Path, *, seconds: float = 1.0, rate_hz: int = RATE_HZ, names: Sequence[str] = tuple(ROLES)
) -> dict[str, Path]:
    """A file for each stem."""
    return {
        name: write(folder / f"{name}.wav", stem_sound(name, seconds=seconds, rate_hz=rate_hz), rate_hz)
        for name in names
    }


def stem_sound(name: str, *, seconds: float = 1.0, rate_hz: int = RATE_HZ) -> Audio:
    channels = 1 if name == "kick" else 2
    return music(seconds=seconds, rate_hz=rate_hz, channels=channels, level_dbfs=-24.0, seed=sorted(ROLES).index(name))


def song_of(files: Mapping[str, Path], *, mix_id: str = "song") -> Track:
    """A track that is mixed from these."""
    stems = tuple(Stem(row=row, uri=str(path), stem_id=name) for row, (name, path) in enumerate(files.items(), 2))
    return Track(
        row=2,
        uri="mix.wav",
        track_id=mix_id,
        album_id=mix_id,
        album_folder=mix_id,
        file_stem=mix_id,
        song=Song(stems=stems),
    )


def plain_settings(files: Mapping[str, Path], **changes: Any) -> MixSettings:
    """Every stem as it is."""
    strips = tuple(Strip(stem_id=name, role=ROLES[name], bus=BUS_OF[ROLES[name]]) for name in sorted(files))
    inputs = tuple(Input(stem_id=name, sha256=sha256_of(path)) for name, path in sorted(files.items()))
    buses = tuple(BusSettings(name=bus) for bus in ("drums", "bass", "music", "fx", "backing", "vocals"))  # type: ignore[arg-type]
    plain = MixSettings(mix_id="song", rate_hz=RATE_HZ, inputs=inputs, stems=strips, buses=buses)
    return structs.replace(plain, **changes)


def busy_settings(files: Mapping[str, Path]) -> MixSettings:
    """A compressed bus, places, and a room for each kind."""
    plain = plain_settings(files)
    rooms = tuple(
        Return(name=f"room of {of}", of=of, reverb=ReverbSettings(decay_s=0.4)) for of in ("music", "backing", "vocals")
    )  # type: ignore[arg-type]
    strips = tuple(
        structs.replace(
            strip,
            gain_db=-1.5 * place,
            pan_ratio=(-0.5, 0.0, 0.25)[place % 3],
            sends=(
                Send(
                    to=f"room of {strip.bus if strip.bus in ('backing', 'vocals') else 'music'}", level_db=-9.0, why=WHY
                ),
            ),
        )
        for place, strip in enumerate(plain.stems)
    )
    pressed = CompressorSettings(threshold_dbfs=-30.0, compression_ratio=3.0)
    buses = tuple(
        structs.replace(bus, compressor=pressed) if bus.name in ("music", "vocals") else bus for bus in plain.buses
    )
    return structs.replace(plain, stems=strips, buses=buses, returns=rooms, gain_db=-4.0)


def with_strip(settings: MixSettings, stem_id: str, **changes: Any) -> MixSettings:
    """The settings with some of a strip changed."""
    strips = tuple(structs.replace(one, **changes) if one.stem_id == stem_id else one for one in settings.stems)
    return structs.replace(settings, stems=strips)


def many_stems(folder: Path, *, count: int, seconds: float) -> tuple[Track, MixSettings]:
    """A song of any number of stems, all of one file, and settings with something to do for each of them."""
    path = folder / "keys.wav"
    folder.mkdir(parents=True, exist_ok=True)
    with soundfile.SoundFile(path, "w", RATE_HZ, 2, "PCM_24") as file:  # piece by piece: memory is measured
        for _ in range(round(seconds / 2.0)):
            file.write(stem_sound("keys", seconds=2.0))
    names = [f"stem {place:03}" for place in range(count)]
    track = song_of(dict.fromkeys(names, path))
    strips = tuple(Strip(stem_id=name, role="keys", gain_db=-20.0, pan_ratio=0.2) for name in names)
    inputs = tuple(Input(stem_id=name, sha256=sha256_of(path)) for name in names)
    bus = BusSettings(name="music", compressor=CompressorSettings(threshold_dbfs=-40.0))
    return track, MixSettings(mix_id="song", rate_hz=RATE_HZ, inputs=inputs, stems=strips, buses=(bus,))
