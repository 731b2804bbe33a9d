#!/usr/bin/env python3
"""What the decisions beside the levels do to a mix: masking of the lead, balance of the sides, mono, ride, reasons.

usage: mix_decisions.py FOLDER [--songs 11]

Figures 9, 10, 11, 20 and 26 of a mix. Material: the songs that `mix_songs.py` fetched, 30 s of each, every stem folded to mono
and its gain spoiled by up to 10 dB, as raw tracks come; each mixed twice, with levels alone and with everything, and rendered by
the console. Nobody sings in them: the loudest melody stands in for the lead vocal; for the ride, its phrases get levels of their
own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mix_songs import Material, audio_of, sessions, spoils_db
from mix_table import Row, table

from decisions.mixing.excitation import field_from, shares
from decisions.mixing.levels import decide_levels
from decisions.mixing.masking import LITTLE_RATIO
from decisions.mixing.mix import draft_mix
from decisions.mixing.prediction import spread_db
from decisions.mixing.reasons import overdone, set_values, unexplained
from decisions.mixing.riding import decide_riding, rests
from decisions.mixing.roles import role_of
from decisions.mixing.session import HeardStem, Session, neutral_settings
from dsp.audio import Audio, Floats, to_gain
from dsp.mixing.console import Console
from dsp.mixing.stem_meter import StemMeter, StemReading
from media.mixing.hearing import figures_of
from media.mixing.sound import sound_of
from schemas.figures import AudioFormat
from schemas.mix import MixSettings
from schemas.stems import Song, Stem

SONGS = 11
EXCERPT_S = (20.0, 30.0)
"""From there on, and so long."""
BLOCK = 1 << 14
PHRASE_S = (2.0, 5.0)
PHRASES_DB = 6.0
"""Spread of the levels that phrases get, +-: a singer who works the microphone badly."""
MELODIES = 3
"""So many of a song are ridden."""
THIRD_OCTAVES_HZ = 1000.0 * 2.0 ** (np.arange(-15, 13) / 3.0)
EMPTY_DB = -50.0
"""A third octave so far below the whole mix holds nothing whose loss could be heard."""
LOWS_HZ = 120.0


class Rendered(NamedTuple):
    """A mix, and its stems as they add to it."""

    stems: dict[str, Audio]
    mix: Audio


class Tried(NamedTuple):
    """A song with levels alone, and with everything."""

    name: str
    session: Session
    lead: str
    settings: MixSettings
    before: dict[str, float]
    """Share of each stem that is masked, levels alone."""
    after: dict[str, float]
    mix: Audio
    rate_hz: int


def main() -> int:
    """Prints the figures of all songs, then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", type=int, default=SONGS)
    options = parser.parse_args()
    found = list(tried(options.folder, options.songs))
    for one in found:
        sides, mono = imbalance_db(one.mix), mono_loss(one.mix, one.rate_hz)
        print(
            f"{one.name:40} lead masked {one.before[one.lead]:.3f} -> {one.after[one.lead]:.3f}, most risen "
            f"{_most_risen(one):+.3f}, sides {sides:+.2f} dB, lows {side_of_lows_db(one.mix, one.rate_hz):.0f} dB, "
            f"mono {mono[0]:.2f} LU, {mono[1]:.1f} dB",
            flush=True,
        )
    print(table(rows_of(found, ridden(options.folder, options.songs))))
    return 0 if found else 2


def rows(folder: Path) -> list[Row]:
    """The figures 9, 10, 11, 20 and 26."""
    return rows_of(list(tried(folder, SONGS)), ridden(folder, SONGS))


def rows_of(found: list[Tried], rides: list[tuple[float, float]]) -> list[Row]:
    """The table of what was tried."""
    if not found or not rides:
        nothing = "no material: run mix_songs.py"
        return [Row(number, "", "", nothing) for number in (9, 10, 11, 20, 26)]
    return [*_masking_rows(found), *_stereo_rows(found), *_ride_rows(rides), _reasons_row(found)]


def tried(folder: Path, songs: int) -> Iterator[Tried]:
    """The songs, mixed and rendered."""
    for material in _materials(folder, songs):
        audio, rate_hz = _raw(material)
        session, lead = _session(material)
        if lead is None:
            continue
        level_only = decide_levels(session, neutral_settings(session))
        settings = draft_mix(session)
        if lead not in [strip.stem_id for strip in settings.stems if strip.use]:
            continue  # taken for a bounce or a copy
        first, second = (rendered(audio, each, rate_hz) for each in (level_only, settings))
        before, after = (masked(each.stems, session, rate_hz) for each in (first, second))
        yield Tried(material.name, session, lead, settings, before, after, second.mix, rate_hz)


def ridden(folder: Path, songs: int) -> list[tuple[float, float]]:
    """Of melodies whose phrases were spoiled: what is left of their short-term spread, and how far their rests were raised."""
    found = []
    for material in _materials(folder, songs):
        audio, rate_hz = _raw(material)
        session, _ = _session(material)
        for number, melody in enumerate(list(filter(_is_melody, session.stems))[:MELODIES]):
            sung = audio[melody.stem.stem_id] * _phrases(len(audio[melody.stem.stem_id]), rate_hz, number)[:, None]
            if (one := _ridden(_stem("lead", sung, rate_hz), sung, rate_hz)) is not None:
                found.append(one)
    return found


def _ridden(heard: HeardStem, sung: Audio, rate_hz: int) -> tuple[float, float] | None:
    """The same of one melody as a lead vocal; None where it is even enough to be left alone."""
    lead = heard._replace(role="vocal", role_source="manifest", role_confidence=1.0)
    session = Session(mix_id="ride", song=Song(stems=(lead.stem,)), rate_hz=rate_hz, stems=(lead,))
    settings = decide_riding(session, neutral_settings(session))
    if not settings.stems[0].automation_db:
        return None
    out = _read(rendered({"lead": sung}, settings, rate_hz).stems["lead"], rate_hz).trace.energies
    trace = lead.trace
    before, after = (spread_db(each, trace.active, 3.0) for each in (trace.energies, out))
    still = rests(trace.active) & (trace.energies > 0.0)
    raised = 10.0 * np.log10(out[still].sum() / trace.energies[still].sum()) if still.any() else 0.0
    return after / before, float(raised)


def masked(stems: Mapping[str, Audio], session: Session, rate_hz: int) -> dict[str, float]:
    """Share of each rendered stem that the others cover, while it sounds; rooms are left out."""
    read = {name: _read(audio, rate_hz) for name, audio in stems.items()}
    heard = session.heard()
    sides = {name: _sides(audio) for name, audio in stems.items()}
    bands = {name: one.trace.bands.astype(np.float64) for name, one in read.items()}
    return shares(field_from(bands, sides, {name: heard[name].trace.active for name in stems}))


def rendered(audio: Mapping[str, Audio], settings: MixSettings, rate_hz: int) -> Rendered:
    """The stems through the console."""
    names = sorted(strip.stem_id for strip in settings.stems if strip.use)
    console = Console(sound_of(settings, [audio[name].shape[1] for name in names]), rate_hz)
    frames = len(audio[names[0]])
    desks = [console.push([audio[name][at : at + BLOCK] for name in names]) for at in range(0, frames, BLOCK)]
    desks.append(console.finish())
    stems = {name: np.concatenate([desk.stems[place] for desk in desks]) for place, name in enumerate(names)}
    return Rendered(stems, np.concatenate([desk.mix for desk in desks]))


def imbalance_db(mix: Audio) -> float:
    """Level of left over right."""
    left, right = np.square(mix).mean(axis=0)
    return float(10.0 * np.log10(left / right))


def side_of_lows_db(mix: Audio, rate_hz: int) -> float:
    """Level of the side over that of the middle, below 120 Hz."""
    middle, side = (_spectrum(mix[:, 0] + sign * mix[:, 1], rate_hz) for sign in (1.0, -1.0))
    low = middle[0] < LOWS_HZ
    return float(10.0 * np.log10((side[1][low].sum() + 1e-20) / (middle[1][low].sum() + 1e-20)))


def mono_loss(mix: Audio, rate_hz: int) -> tuple[float, float]:
    """What the mono sum loses: in loudness, and in the third octave that loses most."""
    mono = np.repeat(mix.mean(axis=1, keepdims=True), 2, axis=1)
    stereo_lufs, mono_lufs = (_read(each, rate_hz).integrated_lufs or -70.0 for each in (mix, mono))
    freqs, left = _spectrum(mix[:, 0], rate_hz)
    whole, folded = left + _spectrum(mix[:, 1], rate_hz)[1], 2.0 * _spectrum(mono[:, 0], rate_hz)[1]
    lost = [0.0]
    for hz in THIRD_OCTAVES_HZ:
        band = (freqs >= hz * 2.0 ** (-1 / 6)) & (freqs < hz * 2.0 ** (1 / 6))
        if whole[band].sum() > whole.sum() * 10.0 ** (EMPTY_DB / 10.0):
            lost.append(float(10.0 * np.log10(whole[band].sum() / max(folded[band].sum(), 1e-20))))
    return stereo_lufs - mono_lufs, max(lost)


def _masking_rows(found: list[Tried]) -> list[Row]:
    covered = [one for one in found if one.before[one.lead] >= LITTLE_RATIO]
    falls = [1.0 - one.after[one.lead] / one.before[one.lead] for one in covered]
    risen = [_most_risen(one) for one in found]
    lead = "masked share of the lead, everything against levels alone (measured on rendered stems, rooms left out)"
    mean = 1.0 - sum(one.after[one.lead] for one in covered) / max(sum(one.before[one.lead] for one in covered), 1e-9)
    said = (
        f"falls {100 * mean:.0f} % in {len(covered)} songs where it is 3 % or more,"
        f" {100 * min(falls):.0f} to {100 * max(falls):.0f} %"
        if covered
        else "-"
    )
    return [
        Row(9, lead, "falls >= 20 %", said, bool(covered) and mean >= 0.2),
        Row(
            9,
            "masked share of any other stem",
            "rises <= 0.05",
            f"{max(risen):+.3f} at most, {np.median(risen):+.3f} on the median of {len(found)} songs",
            max(risen) <= 0.05,
        ),
    ]


def _stereo_rows(found: list[Tried]) -> list[Row]:
    sides = [abs(imbalance_db(one.mix)) for one in found]
    lows = [side_of_lows_db(one.mix, one.rate_hz) for one in found]
    losses = [mono_loss(one.mix, one.rate_hz) for one in found]
    loud, bands = max(loss for loss, _ in losses), max(loss for _, loss in losses)
    songs = f"of {len(found)} songs"
    return [
        Row(
            10, "imbalance of left and right", "<= 0.5 dB", f"{max(sides):.2f} dB, the worst {songs}", max(sides) <= 0.5
        ),
        Row(
            10,
            "side below 120 Hz, mono stems",
            "<= -20 dB",
            f"{max(lows):.1f} dB, the worst {songs}",
            max(lows) <= -20.0,
        ),
        Row(11, "loudness lost in mono", "<= 1.5 LU", f"{loud:.2f} LU, the worst {songs}", loud <= 1.5),
        Row(11, "third octave that loses most in mono", "<= 4 dB", f"{bands:.1f} dB, the worst {songs}", bands <= 4.0),
    ]


def _ride_rows(rides: list[tuple[float, float]]) -> list[Row]:
    worst, raised = max(left for left, _ in rides), max(raised for _, raised in rides)
    what = "short-term spread (10 to 90 %) of a lead whose phrases were spoiled by +-6 dB (melodies: no sung stems to be had)"
    mean = float(np.mean([left for left, _ in rides]))
    said = f"-{100 * (1 - mean):.0f} % on the mean of {len(rides)}, -{100 * (1 - worst):.0f} % the least"
    return [
        Row(20, what, "-40 % or more", said, worst <= 0.6),
        Row(20, "rests of 0.5 s or longer", "raised <= 0.5 dB", f"{raised:+.2f} dB at most", raised <= 0.5),
    ]


def _reasons_row(found: list[Tried]) -> Row:
    settings = sum(len(list(set_values(one.settings))) for one in found)
    bare = [place for one in found for place in unexplained(one.settings)]
    much = [place for one in found for place in overdone(one.settings)]
    return Row(
        26,
        "settings that differ from neutral",
        "all with a reason and evidence; none below confidence 0.5 beyond half of its range",
        f"{settings} settings, {len(bare)} without ({', '.join(bare[:3])}), {len(much)} beyond ({', '.join(much[:3])})",
        not bare and not much,
    )


def _most_risen(one: Tried) -> float:
    return max(one.after[name] - one.before[name] for name in one.after if name != one.lead)


def _materials(folder: Path, songs: int) -> list[Material]:
    """General-MIDI songs first: they have the most melodies at once."""
    return sorted(sessions(folder), key=lambda one: (one.kind != "gm", one.name))[:songs]


@lru_cache(maxsize=16)
def _raw(material: Material) -> tuple[dict[str, Audio], int]:
    """The stems as raw tracks come: mono, at any level."""
    audio, rate_hz = audio_of(material)
    start, end = (round(seconds * rate_hz) for seconds in (EXCERPT_S[0], sum(EXCERPT_S)))
    gains_db = spoils_db(material, seed=1)
    found = {}
    for name, stereo in audio.items():
        mono = stereo[start:end].mean(axis=1, keepdims=True, dtype=np.float64) * to_gain(gains_db[name])
        if float(np.abs(mono).max(initial=0.0)) > 1e-3:
            found[name] = mono
    return found, rate_hz


@lru_cache(maxsize=16)
def _session(material: Material) -> tuple[Session, str | None]:
    """The raw stems as a session; its loudest melody is the lead."""
    audio, rate_hz = _raw(material)
    stems = [_stem(stem_id, audio[stem_id], rate_hz) for stem_id in sorted(audio)]
    melodies = [one for one in stems if _is_melody(one)]
    lead = max(melodies, key=lambda one: float(one.trace.energies.sum())).stem.stem_id if melodies else None
    stems = [one._replace(role="vocal", role_source="manifest") if one.stem.stem_id == lead else one for one in stems]
    song = Song(stems=tuple(one.stem for one in stems))
    return Session(mix_id=material.name, song=song, rate_hz=rate_hz, stems=tuple(stems)), lead


def _stem(stem_id: str, audio: Audio, rate_hz: int) -> HeardStem:
    reading = _read(audio, rate_hz)
    held = AudioFormat(
        container="WAV",
        codec="DOUBLE",
        rate_hz=rate_hz,
        channels=audio.shape[1],
        frames=len(audio),
        bits=None,
        floating=True,
    )
    stem = Stem(row=1, uri=f"{stem_id}.wav", stem_id=stem_id)
    figures = figures_of(reading, held, sha256(audio.tobytes()).hexdigest())
    role = role_of(stem, figures)
    return HeardStem(stem, figures, reading.trace, role.role, role.source, role.confidence)


def _is_melody(one: HeardStem) -> bool:
    """It does not consist of hits, nor of lows, and plays most of the time (our choice)."""
    figures = one.figures
    return figures.percussivity_ratio < 0.6 and (figures.centroid_hz or 0.0) > 250.0 and figures.active_ratio > 0.4


def _phrases(frames: int, rate_hz: int, seed: int) -> Floats:
    """A gain that stays for some seconds, then goes within 0.2 s to another."""
    rng, points, values = np.random.default_rng(seed), [0.0], [0.0]
    while points[-1] * rate_hz < frames:
        level_db = rng.uniform(-PHRASES_DB, PHRASES_DB)
        points += [points[-1] + 0.2, points[-1] + 0.2 + rng.uniform(*PHRASE_S)]
        values += [level_db, level_db]
    return np.asarray(10.0 ** (np.interp(np.arange(frames) / rate_hz, points, values) / 20.0))


def _read(audio: Audio, rate_hz: int) -> StemReading:
    meter = StemMeter(rate_hz, audio.shape[1])
    for at in range(0, len(audio), BLOCK):
        meter.push(audio[at : at + BLOCK])
    return meter.finish()


def _sides(audio: Audio) -> tuple[float, float]:
    left, right = np.square(audio).sum(axis=0) + 1e-20
    return float(left / (left + right)), float(right / (left + right))


def _spectrum(line: Floats, rate_hz: int) -> tuple[Floats, Floats]:
    """Frequencies and mean power of windows of a third of a second."""
    size = 1 << 14
    frames = line[: len(line) // size * size].reshape(-1, size) * np.hanning(size)
    powers = np.square(np.abs(np.fft.rfft(frames, axis=1))).mean(axis=0)
    return np.asarray(np.fft.rfftfreq(size, 1.0 / rate_hz), np.float64), np.asarray(powers, np.float64)


if __name__ == "__main__":
    sys.exit(main())
