"""Who plays: three bands that turn a song into stereo samples: ambient, electronic, acoustic.

Each builds from an intro to a chorus and ends by ringing out. They know nothing of files or albums.
"""

from __future__ import annotations

import numpy as np

from catalogue import synthesiser as play
from catalogue.songs import Song, notes
from catalogue.synthesiser import Audio, Bus, Signal

ENERGY = {"i": 0.45, "v": 0.7, "c": 1.0, "b": 0.6, "o": 0.45}
"""How hard a section is played."""


def ambient(song: Song, rate_hz: int) -> Audio:
    """Slow chords of pads, bells above them, a little surf, a large room."""
    rng = np.random.default_rng(song.seed)
    pads, bells = (Bus.silent(song.duration_s, rate_hz) for _ in range(2))
    for bar, section in enumerate(song.form):
        _add_pad_chord(pads, song, bar, ENERGY[section], rng)
        if section in "vco":
            _add_bells(bells, song, bar, 0.55 * ENERGY[section], rng)
    struck = bells.audio + 0.7 * play.echo(bells.audio, rate_hz, 0.75 * song.beat_s)
    dry = pads.audio + struck + _surf(song, rate_hz, rng)
    return _finish(dry + 0.6 * play.reverb(dry, rate_hz, rng, 3.5), song, rate_hz)


def electronic(song: Song, rate_hz: int) -> Audio:
    """Four on the floor, a bass between the beats, an arpeggio with echoes; all but the drums ducks under the kick."""
    rng = np.random.default_rng(song.seed)
    drums, bass, arpeggio, hook, pads = (Bus.silent(song.duration_s, rate_hz) for _ in range(5))
    for bar, section in enumerate(song.form):
        _add_machine_drums(drums, song, bar, rng)
        _add_pad_chord(pads, song, bar, 0.28 * ENERGY[section], rng)
        _add_arpeggio(arpeggio, song, bar, section)
        if section in "vc":
            _add_synth_bass(bass, song, bar)
        if section == "c":
            _add_hook(hook, song, bar)
    _add_last_chord(arpeggio, song)
    lines = arpeggio.audio + 0.5 * play.echo(arpeggio.audio, rate_hz, 0.75 * song.beat_s) + hook.audio
    synths = lines + pads.audio + 0.35 * play.reverb(lines, rate_hz, rng, 1.6)
    duck = play.pump(len(synths), rate_hz, song.beat_s, 0.65)[:, None]
    return _finish(drums.audio + duck * (bass.audio + synths), song, rate_hz)


def acoustic(song: Song, rate_hz: int) -> Audio:
    """A picked guitar alone, then bass, brushes and a whistle, then a second guitar that strums."""
    rng = np.random.default_rng(song.seed)
    strings, rhythm, lead = (Bus.silent(song.duration_s, rate_hz) for _ in range(3))
    for bar, section in enumerate(song.form):
        _add_picking(strings, song, bar, ENERGY[section], rng)
        if section in "vc":
            _add_plucked_bass(rhythm, song, bar, ENERGY[section], rng)
            _add_brushes(rhythm, song, bar, ENERGY[section] ** 2, rng)
        if section in "vc" and bar >= song.form.index("v") + 2:
            _add_whistle(lead, song, bar, ENERGY[section] ** 1.5, rng)
        if section == "c":
            _add_strums(strings, song, bar, rng)
    _strum(strings, song, len(song.form), 0.0, 0.35, rng)
    dry = play.band(strings.audio, rate_hz, 70, 7000) + rhythm.audio + lead.audio
    return _finish(dry + 0.3 * play.reverb(dry, rate_hz, rng, 1.3), song, rate_hz)


def _add_pad_chord(bus: Bus, song: Song, bar: int, level: float, rng: np.random.Generator) -> None:
    root = song.root(bar)
    # Folding every tone into one octave moves each voice by a step or two from chord to chord.
    voices = [(root + third - 1) % 7 + 1 for third in (0, 2, 4, 6)]
    envelope = play.swell(1.7 * song.bar_s, bus.rate_hz, 0.6 * song.bar_s, 0.75 * song.bar_s)
    for voice, pan in zip(voices, (-0.5, 0.35, -0.2, 0.6), strict=True):
        for side in (pan, -pan):
            sound = play.pad(song.pitch_hz(voice), envelope, bus.rate_hz, rng)
            bus.add(sound, bar * song.bar_s, 0.12 * level, side)
    bass = play.pad(song.pitch_hz(root, -1), envelope, bus.rate_hz, rng)
    bus.add(bass, bar * song.bar_s, 0.22 * level)


def _add_bells(bus: Bus, song: Song, bar: int, level: float, rng: np.random.Generator) -> None:
    for note in notes(song.melody, bar):
        sound = play.bell(song.pitch_hz(note.degree, 1), 3.0, bus.rate_hz)
        start_s = (bar + note.start_ratio) * song.bar_s + rng.normal(0, 0.012)
        bus.add(sound, start_s, level * rng.uniform(0.7, 1.0), rng.uniform(-0.7, 0.7))


def _surf(song: Song, rate_hz: int, rng: np.random.Generator) -> Audio:
    noise = rng.normal(0, 1, (round(song.duration_s * rate_hz), 2))
    at_s = np.arange(len(noise)) / rate_hz
    waves = np.stack([1 + np.sin(2 * np.pi * at_s / 9.1), 1 + np.sin(2 * np.pi * at_s / 9.1 + 1.2)], axis=1)
    return 0.012 * waves * play.band(noise, rate_hz, 250, 900)


def _add_machine_drums(bus: Bus, song: Song, bar: int, rng: np.random.Generator) -> None:
    section = song.form[bar]
    for beat in range(4):
        at_s = bar * song.bar_s + beat * song.beat_s
        if section in "vc":
            bus.add(play.kick(bus.rate_hz), at_s, 0.95)
        if section in "vc" and beat % 2:
            bus.add(play.hiss(0.06, bus.rate_hz, rng, 900, 7000), at_s, 0.17, 0.1)
        if section != "o" and bar > 0:
            _add_hats(bus, at_s, song.beat_s, 1.2 * ENERGY[section], rng)
    if section == "b" and song.form[bar + 1] == "c":
        _add_riser(bus, song, bar, rng)


def _add_hats(bus: Bus, at_s: float, beat_s: float, level: float, rng: np.random.Generator) -> None:
    for sixteenth, (strength, decay_s) in enumerate(((0.05, 0.02), (0.03, 0.015), (0.09, 0.06), (0.035, 0.015))):
        sound = play.hiss(decay_s, bus.rate_hz, rng, 6500, 15_000)
        bus.add(sound, at_s + sixteenth * beat_s / 4, level * strength * rng.uniform(0.8, 1.2), -0.3)


def _add_riser(bus: Bus, song: Song, bar: int, rng: np.random.Generator) -> None:
    frames = round(song.bar_s * bus.rate_hz)
    rise = np.linspace(0, 1, frames) ** 2 * play.swell(song.bar_s, bus.rate_hz, 0.1, 0.03)[:frames]
    for side in (-0.9, 0.9):
        bus.add(play.band(rng.normal(0, 0.2, frames), bus.rate_hz, 2000, 9000) * rise, bar * song.bar_s, 0.8, side)


def _add_arpeggio(bus: Bus, song: Song, bar: int, section: str) -> None:
    root = song.root(bar)
    for place, note in enumerate(notes(song.figure, bar)):
        # The filter opens from section to section: the oldest way to build.
        cutoff_hz = 800 + 5000 * ENERGY[section] ** 2
        sound = play.synth(song.pitch_hz(root + note.degree - 1), 0.35, bus.rate_hz, cutoff_hz)
        bus.add(sound, (bar + note.start_ratio) * song.bar_s, 0.16 * ENERGY[section], (-0.6, 0.6)[place % 2])


def _add_synth_bass(bus: Bus, song: Song, bar: int) -> None:
    for note in notes(song.bass, bar):
        pitch_hz = song.pitch_hz(song.root(bar) + note.degree - 1, -2)
        length_s = max(0.22, 1.2 * note.length_ratio * song.bar_s)
        bus.add(play.synth(pitch_hz, length_s, bus.rate_hz, 1100), (bar + note.start_ratio) * song.bar_s, 0.36)


def _add_hook(bus: Bus, song: Song, bar: int) -> None:
    for note in notes(song.melody, bar):
        sound = play.synth(song.pitch_hz(note.degree, 1), 1.6 * note.length_ratio * song.bar_s, bus.rate_hz, 3500)
        for side, late_s in ((-0.5, 0.0), (0.5, 0.011)):
            bus.add(sound, (bar + note.start_ratio) * song.bar_s + late_s, 0.2, side)


def _add_last_chord(bus: Bus, song: Song) -> None:
    for degree, pan in ((1, -0.5), (3, 0.5), (5, -0.2), (8, 0.2)):
        sound = play.synth(song.pitch_hz(degree), 3.0, bus.rate_hz, 2500)
        bus.add(sound, len(song.form) * song.bar_s, 0.14, pan)


def _add_picking(bus: Bus, song: Song, bar: int, level: float, rng: np.random.Generator) -> None:
    for note in notes(song.figure, bar):
        start_s = (bar + note.start_ratio) * song.bar_s + rng.normal(0, 0.006)
        accent = 1.15 if note.start_ratio == 0 else rng.uniform(0.75, 1.0)
        sound = play.pluck(song.pitch_hz(song.root(bar) + note.degree - 1), 1.8, bus.rate_hz, rng, 0.3 + 0.4 * level)
        bus.add(sound, start_s, 0.26 * level * accent, -0.45)


def _add_strums(bus: Bus, song: Song, bar: int, rng: np.random.Generator) -> None:
    for beat in range(song.beats):
        _strum(bus, song, bar, beat * song.beat_s, 0.13 if beat % 2 else 0.19, rng)
        if beat % 2:
            _strum(bus, song, bar, (beat + 0.5) * song.beat_s, 0.09, rng)


def _strum(bus: Bus, song: Song, bar: int, offset_s: float, level: float, rng: np.random.Generator) -> None:
    root = song.root(bar) if bar < len(song.form) else 1
    ringing_s = 3.8 if bar == len(song.form) else 1.0
    for string, degree in enumerate((1, 5, 8, 10, 12)):
        sound = play.pluck(song.pitch_hz(root + degree - 1), ringing_s, bus.rate_hz, rng, 0.6)
        bus.add(sound, bar * song.bar_s + offset_s + 0.012 * string, level * rng.uniform(0.8, 1.0), 0.55)


def _add_plucked_bass(bus: Bus, song: Song, bar: int, level: float, rng: np.random.Generator) -> None:
    for note in notes(song.bass, bar):
        pitch_hz = song.pitch_hz(song.root(bar) + note.degree - 1, -1)
        sound = play.pluck(pitch_hz, 1.1 * note.length_ratio * song.bar_s + 0.2, bus.rate_hz, rng, 0.0)
        bus.add(sound, (bar + note.start_ratio) * song.bar_s, 0.45 * level, 0.05)


def _add_brushes(bus: Bus, song: Song, bar: int, level: float, rng: np.random.Generator) -> None:
    for beat in range(song.beats):
        at_s = bar * song.bar_s + beat * song.beat_s
        if beat == 0 or (song.beats == 4 and beat == 2):
            bus.add(play.kick(bus.rate_hz, 0.4), at_s, 0.42 * level)
        else:
            bus.add(_brush(0.07, bus.rate_hz, rng), at_s, 0.16 * level, 0.2)
        for late_ratio in (0.0, 0.5):
            bus.add(_brush(0.03, bus.rate_hz, rng), at_s + late_ratio * song.beat_s, 0.04 * level, 0.35)


def _brush(decay_s: float, rate_hz: int, rng: np.random.Generator) -> Signal:
    sound = play.hiss(decay_s, rate_hz, rng, 1800, 9000)
    return sound * play.swell(len(sound) / rate_hz, rate_hz, 0.02, 0.02)[: len(sound)]


def _add_whistle(bus: Bus, song: Song, bar: int, level: float, rng: np.random.Generator) -> None:
    for note in notes(song.melody, bar):
        length_s = 0.97 * note.length_ratio * song.bar_s
        sound = play.whistle(song.pitch_hz(note.degree, 1), length_s, bus.rate_hz, rng)
        bus.add(sound, (bar + note.start_ratio) * song.bar_s + rng.normal(0, 0.008), 0.25 * level, 0.1)


def _finish(audio: Audio, song: Song, rate_hz: int) -> Audio:
    """Sets the level, rounds the peaks, and fades the last three seconds into nothing."""
    shaped = play.band(audio, rate_hz, 25, 18_000) * play.swell(song.duration_s, rate_hz, 0.02, 3.0)[:, None]
    rms = np.sqrt(np.mean(shaped**2))
    return play.soft_clip(shaped * 10 ** (song.level_dbfs / 20) / rms)
