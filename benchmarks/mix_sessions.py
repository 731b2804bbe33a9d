"""Sessions of the benchmark as decisions see them: heard once and kept beside the material, then spoiled by gains as often as
needed.

A gain moves levels and energies and nothing else that is measured: a spoiled session is computed from what was heard, not
heard again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import soundfile
from mix_songs import Material, audio_of
from msgspec.structs import replace

from decisions.mixing.roles import role_of
from decisions.mixing.session import HeardStem, Session
from dsp.mixing.trace import Trace
from media.mixing.hearing import HEARING_VERSION, hear
from media.mixing.traces import packed, unpacked
from schemas.mix import StemFigures
from schemas.stems import Song, Stem

LEVELS = ("integrated_lufs", "sample_peak_dbfs", "noise_floor_dbfs", "hum_db")
"""The figures that a gain moves."""


def session_of(material: Material) -> Session:
    """A session as its maker balanced it, roles told by the names of its files or by their sound."""
    heard = [_heard(path) for path in material.stems()]
    stems = tuple(Stem(row=row, uri=path.name, stem_id=path.stem) for row, path in enumerate(material.stems(), 2))
    rate_hz = heard[0][0].format.rate_hz
    roles = [role_of(stem, figures)[:3] for stem, (figures, _) in zip(stems, heard, strict=True)]
    listed = zip(stems, heard, roles, strict=True)
    return Session(
        mix_id=material.name,
        song=Song(stems=stems),
        rate_hz=rate_hz,
        stems=tuple(HeardStem(stem, figures, trace, *role) for stem, (figures, trace), role in listed),
    )


def spoiled(session: Session, gains_db: Mapping[str, float]) -> Session:
    """The session with a gain on each stem."""
    return session._replace(stems=tuple(_raised(one, gains_db[one.stem.stem_id]) for one in session.stems))


def with_reference(session: Session, material: Material, folder: Path) -> Session:
    """The session with its maker's mix, heard from a file as any reference is."""
    path = folder / "sums" / f"{material.name}.flac"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        audio, rate_hz = audio_of(material)
        mix = np.sum([audio[name] for name in sorted(audio)], axis=0)
        soundfile.write(path, mix * min(1.0, 0.9 / float(np.abs(mix).max())), rate_hz, subtype="PCM_24")
    figures, trace = _heard(path)
    stem = Stem(row=0, uri=path.name, stem_id="reference")
    return session._replace(reference=HeardStem(stem, figures, trace, "backing_track", "manifest", 1.0))


def with_lead(session: Session) -> Session:
    """The session with its loudest melody called the vocal: a stand-in, where nobody sings."""
    melodies = [one for one in session.stems if _is_melody(one)]
    if not melodies:
        return session
    lead = max(melodies, key=lambda one: float(one.trace.energies.sum()))
    called = lead._replace(role="vocal", role_source="manifest", role_confidence=1.0)
    return session._replace(stems=tuple(called if one is lead else one for one in session.stems))


def _is_melody(one: HeardStem) -> bool:
    """It does not consist of hits, nor of bass (our choice)."""
    figures = one.figures
    return figures.percussivity_ratio < 0.5 and figures.low_ratio < 0.15 and (figures.centroid_hz or 0.0) > 200.0


def _raised(one: HeardStem, gain_db: float) -> HeardStem:
    figures, factor = one.figures, 10.0 ** (gain_db / 10.0)
    moved = {name: level + gain_db for name in LEVELS if (level := getattr(figures, name)) is not None}
    bands_db = tuple(None if band is None else band + gain_db for band in figures.bands_db)
    offset = tuple(part * factor**0.5 for part in figures.offset_ratio)
    trace = one.trace
    return one._replace(
        figures=replace(figures, **moved, bands_db=bands_db, offset_ratio=offset),
        trace=trace._replace(
            energies=trace.energies * factor,
            bands=trace.bands * np.float32(factor),
            onsets=trace.onsets * np.float32(factor),
        ),
    )


def _heard(path: Path) -> tuple[StemFigures, Trace]:
    place = path.with_suffix(f".heard{HEARING_VERSION}")
    if not place.exists():
        figures, trace = hear(path)
        place.write_bytes(msgspec.msgpack.encode((figures, packed(trace))))
    figures, content = msgspec.msgpack.decode(place.read_bytes(), type=tuple[StemFigures, bytes])
    return figures, unpacked(content)
