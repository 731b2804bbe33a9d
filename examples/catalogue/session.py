"""A session of the example catalogue: one song, played onto stems that nobody has mixed yet.

The players hold together; the faders do not: guitars and hats drown the singer. Two files are there by mistake, as they are in
sessions that come in: a copy of another, and a track on which nothing was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from catalogue import songs
from catalogue import synthesiser as play
from catalogue.songs import Note, Song, notes
from catalogue.synthesiser import Audio, Bus

CHORUS_THIRDS = (2, 4)
"""Steps above the melody that the backing voices sing."""


@dataclass(frozen=True, kw_only=True)
class Stem:
    """A file of the session: who plays, how loud it was left, and what the label's row says of it."""

    name: str
    player: Callable[[Song, int, np.random.Generator], Audio] | None = None
    """None: nothing was recorded."""
    peak_dbfs: float = 0.0
    mono: bool = True
    copy_of: str = ""
    role: str = ""
    """As the manifest has it; empty: to be read from the name."""
    presence: str = ""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A song in stems, and the single that it is to become."""

    album_id: str
    mix_id: str
    title: str
    artist: str
    album: str
    genre: str
    upc: str
    song: Song
    rate_hz: int
    stems: tuple[Stem, ...]


def perform(session: Session) -> Iterator[tuple[Stem, Audio]]:
    """Each stem and its sound (frames, channels), one after the other; a copy is the sound that it copies."""
    frames = round(session.song.duration_s * session.rate_hz)
    sources = {stem.name: (number, stem) for number, stem in enumerate(session.stems)}
    for stem in session.stems:
        number, source = sources[stem.copy_of or stem.name]
        if source.player is None:
            yield stem, np.zeros((frames, 1 if source.mono else 2))
            continue
        rng = np.random.default_rng((session.song.seed, number))
        played = source.player(session.song, session.rate_hz, rng)
        sound = played[:, :1] + played[:, 1:] if source.mono else played
        yield stem, sound * (10 ** (source.peak_dbfs / 20) / np.abs(sound).max())


def _kick(song: Song, rate_hz: int, rng: np.random.Generator) -> Audio:
    bus = Bus.silent(song.duration_s, rate_hz)
    for bar, section in _bars(song, "vcb"):
        for beat in (0.0, 2.0, 2.5) if section == "c" else (0.0, 2.0):
            at_s = bar * song.bar_s + beat * song.beat_s + rng.normal(0, 0.002)
            bus.add(play.kick(rate_hz), at_s, rng.uniform(0.8, 1.0))
    return bus.audio


def _snare(song: Song, rate_hz: int, rng: np.random.Generator) -> Audio:
    bus = Bus.silent(song.duration_s, rate_hz)
    for bar, _ in _bars(song, "vc"):
        for beat in (1, 3):
            at_s = bar * song.bar_s + beat * song.beat_s + rng.normal(0, 0.003)
            bus.add(play.snare(rate_hz, rng), at_s, rng.uniform(0.8, 1.0))
    return bus.audio + 0.15 * play.reverb(bus.audio, rate_hz, rng, 0.4)


def _hats(song: Song, rate_hz: int, rng: np.random.Generator) -> Audio:
    bus = Bus.silent(song.duration_s, rate_hz)
    for bar, _ in _bars(song, "vcb"):
        for eighth in range(2 * song.beats):
            at_s = bar * song.bar_s + eighth * song.beat_s / 2 + rng.normal(0, 0.003)
            bus.add(play.hiss(0.03, rate_hz, rng, 6500, 15_000), at_s, (0.4, 0.25)[eighth % 2] * rng.uniform(0.8, 1.2))
    return bus.audio


def _bass(song: Song, rate_hz: int, rng: np.random.Generator) -> Audio:
    bus = Bus.silent(song.duration_s, rate_hz)
    for bar, section in _bars(song, "vcb"):
        for note in notes(song.bass, bar):
            pitch_hz = song.pitch_hz(song.root(bar) + note.degree - 1, -1)
            sound = play.pluck(pitch_hz, 1.1 * note.length_ratio * song.bar_s + 0.2, rate_hz, rng, 0.1)
            bus.add(sound, _start_s(song, bar, note, rng), 1.0 if section == "c" else 0.8)
    return bus.audio


def _guitar(song: Song, rate_hz: int, rng: np.random.Generator) -> Audio:
    """Strums on every beat; played twice by the same hand, no two are alike."""
    bus = Bus.silent(song.duration_s, rate_hz)
    for bar, section in _bars(song, "ivcbo"):
        for beat in range(2 * song.beats if section == "c" else song.beats):
            late_s = beat * song.bar_s / (2 * song.beats if section == "c" else song.beats) + abs(rng.normal(0, 0.008))
            for string, degree in enumerate((1, 5, 8, 10)):
                sound = play.pluck(song.pitch_hz(song.root(bar) + degree - 1), 0.9, rate_hz, rng, 0.7)
                bus.add(sound, bar * song.bar_s + late_s + 0.011 * string, rng.uniform(0.7, 1.0))
    return bus.audio


def _keys(song: Song, rate_hz: int, rng: np.random.Generator) -> Audio:
    bus = Bus.silent(song.duration_s, rate_hz)
    for bar, _ in _bars(song, "ivcb"):
        for note in notes(song.figure, bar):
            for third, pan in ((0, -0.4), (2, 0.1), (4, 0.4)):
                pitch_hz = song.pitch_hz(song.root(bar) + third, 1)
                bus.add(play.bell(pitch_hz, 1.4, rate_hz), _start_s(song, bar, note, rng), rng.uniform(0.6, 0.8), pan)
    return bus.audio


def _lead(song: Song, rate_hz: int, rng: np.random.Generator) -> Audio:
    bus = Bus.silent(song.duration_s, rate_hz)
    for bar, section in _bars(song, "vc"):
        _sing(bus, song, bar, 0, 1.0 if section == "c" else 0.7, 0.0, rng)
    return bus.audio


def _backing(song: Song, rate_hz: int, rng: np.random.Generator) -> Audio:
    bus = Bus.silent(song.duration_s, rate_hz)
    for bar, _ in _bars(song, "c"):
        for steps, pan in zip(CHORUS_THIRDS, (-0.7, 0.7), strict=True):
            _sing(bus, song, bar, steps, 0.8, pan, rng)
    return bus.audio


def _sing(bus: Bus, song: Song, bar: int, steps: int, level: float, pan: float, rng: np.random.Generator) -> None:
    for place, note in enumerate(notes(song.melody, bar)):
        length_s = 0.95 * note.length_ratio * song.bar_s
        vowel = "aeio"[(bar + place) % 4]
        sound = play.voice(song.pitch_hz(note.degree + steps), length_s, bus.rate_hz, rng, vowel)
        bus.add(sound, _start_s(song, bar, note, rng), level * rng.uniform(0.6, 1.0), pan)


def _bars(song: Song, sections: str) -> Iterator[tuple[int, str]]:
    """The bars of these sections."""
    return ((bar, section) for bar, section in enumerate(song.form) if section in sections)


def _start_s(song: Song, bar: int, note: Note, rng: np.random.Generator) -> float:
    return max(0.0, (bar + note.start_ratio) * song.bar_s + float(rng.normal(0, 0.006)))


FIRST_TAKE = Session(
    album_id="first-take",
    mix_id="first-take",
    title="First Take",
    artist="Nora Halvtak",
    album="First Take",
    genre="Pop",
    upc="400026000044",
    song=songs.FIRST_TAKE,
    rate_hz=48_000,
    stems=(
        Stem(name="Kick", player=_kick, peak_dbfs=-12),
        Stem(name="Snare", player=_snare, peak_dbfs=-4),
        Stem(name="Hats", player=_hats, peak_dbfs=-3, role="cymbals"),
        Stem(name="Bass DI", player=_bass, peak_dbfs=-16),
        Stem(name="Gtr L", player=_guitar, peak_dbfs=-1, role="acoustic_guitar"),
        Stem(name="Gtr R", player=_guitar, peak_dbfs=-5, role="acoustic_guitar"),
        Stem(name="Keys", player=_keys, peak_dbfs=-9, mono=False),
        Stem(name="Lead Vox", player=_lead, peak_dbfs=-14, presence="lead"),
        Stem(name="BGV", player=_backing, peak_dbfs=-6, mono=False),
        Stem(name="BGV copy", copy_of="BGV", mono=False),
        Stem(name="Tambourine"),
    ),
)
SESSIONS = (FIRST_TAKE,)
