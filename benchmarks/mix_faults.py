#!/usr/bin/env python3
"""How many spoiled sessions are seen for what they are, and how many clean ones are suspected (figures 13 to 15 of mixing).

usage: mix_faults.py FOLDER [--half tuned|kept|all] [--pairs 100] [--sessions 200] [--only delays|faults]

FOLDER holds songs as `mix_songs.py` leaves them (FOLDER/lmms/<song>/*.wav, FOLDER/gm/<song>/*.flac). Every second song of a
kind, by name, is one that limits were tuned on; the others are kept for the report. Delays and polarity: pairs of microphones
of one source, by arithmetic (a delay with parts of a frame; clean, under noise, under another stem) and, where pyroomacoustics
can be imported, in a simulated room; and pairs of stems that have nothing in common. Faults: sessions with one each.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from decisions.mixing.checks import candidates, verdicts_of
from decisions.mixing.session import HeardStem, Session
from decisions.mixing.verdicts import Verdict
from dsp.audio import Audio, to_gain
from dsp.mixing.trace import Trace
from media.mixing.hearing import hear
from media.mixing.pairs import measured_links
from schemas.mix import StemFigures
from schemas.stems import Role, Song, Stem

EXCERPT_S = 20.0
MOST_STEMS, FEWEST_STEMS = 8, 4
SOUNDING_DBFS = -45.0
BLEED_DB, NOISE_DB = -12.0, 0.0
"""What is added to the second microphone: another stem, or noise as loud as the sound itself."""
LARGEST_DELAY_S = 0.02
WITHIN_FRAMES = {"clean": 0.1, "bleed -12 dB": 1.0, "noise 0 dB": 1.0, "room": 1.0}
"""How near to the truth a delay has to come: with its parts of a frame where nothing is added."""
RELATED_RATIO = 0.3
FAULTS = ("duplicate", "silent", "bounce", "rate lie", "swapped", "missing")
CODES_OF = {
    "duplicate": "STEM_DUPLICATE",
    "silent": "STEM_SILENT",
    "bounce": "STEM_IS_MIX",
    "rate lie": "STEM_RATE_LIES",
    "swapped": "STEM_NOT_IN_REFERENCE",
    "missing": "STEM_MISSING",
}
MOVING = ("STEM_DELAYED", "STEM_SHIFTED")


class Excerpt(NamedTuple):
    """Stems of a song, cut alike."""

    song: str
    rate_hz: int
    audio: dict[str, Audio]


class Case(NamedTuple):
    """A session and the fault in it: none for a clean one."""

    fault: str
    stem: str
    verdicts: list[Verdict]
    stems: int


def main() -> int:
    """Prints the three figures; 1 where one misses its demand."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--half", choices=("tuned", "kept", "all"), default="kept")
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--only", choices=("delays", "faults"))
    options = parser.parse_args()
    songs = songs_of(options.folder, options.half)
    if len(songs) < 2:
        print(f"{options.folder} holds {len(songs)} songs of that half; two are needed", file=sys.stderr)
        return 2
    print(f"{len(songs)} songs: {', '.join(song.name for song in songs)}")
    good = True
    if options.only != "faults":
        good &= report_pairs(songs, options.pairs)
    if options.only != "delays":
        good &= report_faults(songs, options.sessions)
    return 0 if good else 1


def songs_of(folder: Path, half: str) -> list[Path]:
    """The folders of songs, every second of a kind by name for each half."""
    found = []
    for kind in ("lmms", "gm"):
        songs = sorted(
            path for path in (folder / kind).glob("*") if path.is_dir() and len(list(_files(path))) >= FEWEST_STEMS
        )
        found += [song for number, song in enumerate(songs) if half == "all" or (number % 2 == 0) == (half == "tuned")]
    return found


def _files(song: Path) -> Iterator[Path]:
    yield from (path for path in sorted(song.iterdir()) if path.suffix in (".wav", ".flac") and path.stem != "mix")


@lru_cache(maxsize=64)
def excerpt_of(song: Path, part: int) -> Excerpt:
    """One of three excerpts of a song: the stems that sound in it."""
    paths = list(_files(song))
    rate_hz = soundfile.info(paths[0]).samplerate
    length_s = min(soundfile.info(path).duration for path in paths)
    start = int(max(0.0, min(length_s - EXCERPT_S, (0.15 + 0.3 * part) * length_s)) * rate_hz)
    audio = {}
    for path in paths:
        found = soundfile.read(path, start=start, frames=int(EXCERPT_S * rate_hz), always_2d=True)[0]
        if len(found) and np.abs(found).max() > to_gain(SOUNDING_DBFS) and np.isfinite(found).all():
            audio[path.stem] = found / max(1.0, float(np.abs(found).max()))
    return Excerpt(song.name, rate_hz, audio)


def session_of(folder: Path, stems: dict[str, Stem], reference: Path | None = None, role: Role = "other1") -> Session:
    """A session as a run sees it: heard, held against each other where that seems worth it."""
    heard = tuple(_heard(stem, role) for _, stem in sorted(stems.items()))
    rates = Counter(one.figures.format.rate_hz for one in heard)
    rate_hz = max(rates, key=lambda rate: (rates[rate], rate))
    song = Song(stems=tuple(one.stem for one in heard), reference=str(reference) if reference else None)
    as_stem = Stem(row=0, uri=str(reference), stem_id="reference")
    session = Session(
        mix_id=folder.name,
        song=song,
        rate_hz=rate_hz,
        stems=heard,
        reference=_heard(as_stem, role) if reference else None,
    )
    pairs, sums = measured_links(song, candidates(session), rate_hz)
    return session._replace(pairs=pairs, sums=sums)


def _heard(stem: Stem, role: Role) -> HeardStem:
    figures, trace = _hearing(stem.uri)
    return HeardStem(stem, figures, trace, role, "manifest", 1.0)


@lru_cache(maxsize=4096)
def _hearing(uri: str) -> tuple[StemFigures, Trace]:
    return hear(Path(uri))


# Figures 13 and 14: two microphones.


class Take(NamedTuple):
    """Two recordings of one source, and what is true of them."""

    kind: str
    first: Audio
    second: Audio
    delay_frames: float
    inverted: bool


def report_pairs(songs: list[Path], count: int) -> bool:
    """Delay and polarity of pairs, and that stems with nothing in common are left alone."""
    rng, rows = np.random.default_rng(13), []
    takes = [take for number in range(count) for make in (_arithmetic, _room) if (take := make(songs, rng, number))]
    if not any(take.kind == "room" for take in takes):
        print("room: not measured, pyroomacoustics cannot be imported")
    for kind, within in WITHIN_FRAMES.items():
        rows += _pair_rows(kind, within, [take for take in takes if take.kind == kind])
    rows += _unrelated_rows(songs, rng, count)
    return all(good for *_, good in rows)


def _said(name: str, asked: str, found: str, good: bool) -> tuple[str, str, str, bool]:
    print(f"{'ok  ' if good else 'MISS'} {name:50} asked {asked:24} measured {found}", flush=True)
    return name, asked, found, good


def _pair_rows(kind: str, within: float, takes: list[Take]) -> list[tuple[str, str, str, bool]]:
    errors, unseen, wrong, related = [], 0, 0, 0
    for take in takes:
        with tempfile.TemporaryDirectory() as folder:
            session = _pair_session(Path(folder), take)
        for pair in (pair for pair in session.pairs if pair.of == "both"):
            if abs(pair.correlation) > RELATED_RATIO:
                related += 1
                wrong += pair.inverted != take.inverted
            if pair.delay_frames is None:
                unseen += 1
            else:
                errors.append(abs(pair.delay_frames - take.delay_frames))
    if not takes:
        return []
    largest, most = max(errors, default=0.0), float(np.quantile(errors, 0.9)) if errors else 0.0
    said = f"90 % {most:.3f}, worst {largest:.3f} frames; {unseen} of {len(takes)} not seen"
    return [
        _said(f"13 delay of pairs, {kind}", f"<= {within:g} frames", said, largest <= within),
        _said(
            f"14 polarity of pairs, {kind}", "all that correlate > 0.3", f"{related - wrong} of {related}", not wrong
        ),
    ]


def _pair_session(folder: Path, take: Take) -> Session:
    stems = {}
    for name, audio in (("a", take.first), ("b", take.second)):
        path = folder / f"{name}.wav"
        soundfile.write(path, audio, 48_000, subtype="PCM_24")
        stems[name] = Stem(row=1, uri=str(path), stem_id=name, pair="mics")
    return session_of(folder, stems)


def _source(songs: list[Path], rng: np.random.Generator) -> Audio:
    """A stem of a song, one channel, taken as if it were sampled at 48 kHz."""
    song = songs[int(rng.integers(len(songs)))]
    excerpt = excerpt_of(song, int(rng.integers(3)))
    if not excerpt.audio:
        return _source(songs, rng)
    names = sorted(excerpt.audio)
    audio = excerpt.audio[names[int(rng.integers(len(names)))]].mean(axis=1)
    level = float(np.sqrt(np.square(audio).mean()))
    return audio * (0.05 / level) if level > 1e-4 else _source(songs, rng)


def _arithmetic(songs: list[Path], rng: np.random.Generator, number: int) -> Take | None:
    """A delay of parts of a frame, another tone, and noise or another stem in the second microphone."""
    source = _source(songs, rng)
    delay = float(rng.uniform(-1.0, 1.0) * LARGEST_DELAY_S * 48_000)
    inverted = bool(rng.integers(2))
    kind = ("noise 0 dB", "bleed -12 dB", "clean")[number % 3]
    second = _delayed(source, delay) * (-1.0 if inverted else 1.0) * to_gain(float(rng.uniform(-12.0, 6.0)))
    level = float(np.sqrt(np.square(second).mean()))
    if kind == "noise 0 dB":
        second = second + rng.standard_normal(len(second)) * level * to_gain(-NOISE_DB)
    elif kind == "bleed -12 dB":
        other = _source(songs, rng)
        count = min(len(second), len(other))
        second = second[:count] + other[:count] * (level / 0.05) * to_gain(BLEED_DB)
    return Take(kind, _column(source[: len(second)]), _column(second), delay, inverted)


def _room(songs: list[Path], rng: np.random.Generator, number: int) -> Take | None:
    """Two microphones of a source in a room, the second up to 6.8 m further away; the way between gives the delay."""
    try:
        import pyroomacoustics as pra  # type: ignore[import-not-found, unused-ignore]  # optional: image sources
    except ImportError:
        return None
    size = rng.uniform([6.0, 5.0, 2.8], [10.0, 8.0, 4.0])
    place = np.array([1.0, size[1] / 2, 1.2])
    near = place + np.array([0.15, 0.1, 0.1])
    far = place + rng.uniform([0.3, -0.5, 0.0], [size[0] - 2.0, 0.5, 1.2])
    room = pra.ShoeBox(size, fs=48_000, materials=pra.Material(float(rng.uniform(0.3, 0.7))), max_order=6)
    room.add_source(place, signal=_source(songs, rng)[: 48_000 * 12])
    room.add_microphone_array(np.array([near, far]).T)
    room.simulate()
    first, second = room.mic_array.signals
    if np.abs(first).max() < 1e-4:  # it begins later
        return _room(songs, rng, number)
    inverted = bool(rng.integers(2))
    metres = float(np.linalg.norm(far - place) - np.linalg.norm(near - place))
    scale = 0.5 / max(float(np.abs(first).max()), float(np.abs(second).max()))
    sign = -1.0 if inverted else 1.0
    return Take(
        "room",
        _column(first * scale),
        _column(second * scale * sign),
        metres / pra.constants.get("c") * 48_000,
        inverted,
    )


def _unrelated_rows(songs: list[Path], rng: np.random.Generator, count: int) -> list[tuple[str, str, str, bool]]:
    """Stems that have nothing in common, declared as a pair: of one song and of two."""
    moved = flipped = tried = 0
    while tried < count:
        one, other = (excerpt_of(songs[int(n)], int(rng.integers(3))) for n in rng.integers(len(songs), size=2))
        other = one if tried % 2 else other
        names = (sorted(one.audio), sorted(other.audio))
        if not names[0] or not names[1]:
            continue
        first, second = (listed[int(rng.integers(len(listed)))] for listed in names)
        if one is other and first == second:
            continue
        tried += 1
        take = Take("", one.audio[first], other.audio[second], 0.0, False)
        with tempfile.TemporaryDirectory() as folder:
            codes = [verdict.finding.code for verdict in verdicts_of(_pair_session(Path(folder), take))]
        moved += any(code in MOVING for code in codes)
        flipped += "STEM_INVERTED" in codes
    return [
        _said("13 shifts of unrelated pairs", f"0 of {count}", f"{moved} of {tried}", not moved),
        _said("14 flips of unrelated pairs", f"0 of {count}", f"{flipped} of {tried}", not flipped),
    ]


def _delayed(audio: Audio, frames: float) -> Audio:
    """Later by parts of a frame, exactly: a turn of every frequency, with silence at both ends."""
    padded = np.concatenate([np.zeros(2048), audio, np.zeros(2048)])
    turns = np.exp(-2j * np.pi * np.arange(len(padded) // 2 + 1) / len(padded) * frames)
    return np.fft.irfft(np.fft.rfft(padded) * turns, len(padded))[2048 : 2048 + len(audio)]


def _column(audio: Audio) -> Audio:
    return np.clip(audio, -1.0, 1.0)[:, None]


# Figure 15: sessions with a fault.


def report_faults(songs: list[Path], sessions: int) -> bool:
    """Recall of each fault, and false alarms on clean stems."""
    seen, tried, false, clean = Counter[str](), Counter[str](), Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(2 * sessions):
            fault = FAULTS[number // 2 % len(FAULTS)] if number % 2 == 0 else ""
            case = _case(Path(folder), songs, fault, np.random.default_rng([15, number]))
            clean += case.stems
            for verdict in case.verdicts:
                _count(verdict, case, false)
            if fault:
                tried[fault] += 1
                seen[fault] += _is_seen(case)
                if not _is_seen(case):
                    told = [v.finding.text for v in case.verdicts if v.finding.code in CODES_OF.values()]
                    print(f"     missed: {fault} of {case.stem}: {'; '.join(told) or 'nothing told'}")
            if number % 20 == 19:
                print(
                    f"     {number + 1} sessions: {sum(seen.values())} of {sum(tried.values())} faults seen,"
                    f" {sum(false.values())} false alarms in {clean} clean stems",
                    flush=True,
                )
    recall = sum(seen.values()) / max(1, sum(tried.values()))
    for fault in FAULTS:
        print(f"     {fault:12} {seen[fault]} of {tried[fault]}")
    alarms = sum(false.values()) / max(1, clean)
    print(f"{'ok  ' if recall >= 0.98 else 'MISS'} 15 recall of session faults: asked >= 98 %, measured {recall:.1%}")
    print(
        f"{'ok  ' if alarms <= 0.01 else 'MISS'} 15 false alarms: asked <= 1 % of clean stems, measured {alarms:.2%} of {clean}"
    )
    print(f"     by code: {dict(false)}")
    return recall >= 0.98 and alarms <= 0.01


def _is_seen(case: Case) -> bool:
    code = CODES_OF[case.fault]
    said = [verdict.finding.text for verdict in case.verdicts if verdict.finding.code == code]
    return any(case.fault == "missing" or _names(text, case) for text in said)


def _names(text: str, case: Case) -> bool:
    return text.startswith(f"{case.stem}:") or (case.fault == "duplicate" and case.stem in text)


def _count(verdict: Verdict, case: Case, false: Counter[str]) -> None:
    """What is told of a stem that has no such fault."""
    code = verdict.finding.code
    own = bool(case.fault) and (_names(verdict.finding.text, case) or code == CODES_OF[case.fault])
    if case.fault in ("swapped", "missing") and code == "STEM_MISSING":
        own = True  # what was there before is missing
    if code in (*CODES_OF.values(), *MOVING, "STEM_INVERTED") and not own:
        false[code] += 1
        print(f"     false alarm ({case.fault or 'clean'}): {code} {verdict.finding.text}")


def _case(place: Path, songs: list[Path], fault: str, rng: np.random.Generator) -> Case:
    """A session of some stems of a song, spoiled in one way."""
    excerpt = excerpt_of(songs[int(rng.integers(len(songs)))], int(rng.integers(3)))
    names = sorted(excerpt.audio)
    count = min(len(names), int(rng.integers(FEWEST_STEMS, MOST_STEMS + 1)))
    if count < FEWEST_STEMS:
        return _case(place, songs, fault, rng)
    chosen = {names[int(n)]: excerpt.audio[names[int(n)]] for n in rng.permutation(len(names))[:count]}
    folder = Path(tempfile.mkdtemp(dir=place))
    paths = {name: _kept(place, excerpt, name, audio) for name, audio in chosen.items()}
    referred = fault in ("swapped", "missing") or (not fault and bool(rng.integers(2)))
    reference = _reference(folder, excerpt, chosen, rng) if referred else None
    stem = _SPOILERS[fault](folder, excerpt, chosen, paths, songs, rng) if fault else ""
    stems = {_id(name): Stem(row=1, uri=str(path), stem_id=_id(name)) for name, path in paths.items()}
    session = session_of(folder, stems, reference)
    return Case(fault, _id(stem), verdicts_of(session), len(stems) - bool(fault))


def _id(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def _kept(place: Path, excerpt: Excerpt, name: str, audio: Audio) -> Path:
    """A file of a stem that many sessions share."""
    known = abs(hash((excerpt.song, name, audio.shape, float(audio[::1000].sum()))))
    path = place / f"{known}.wav"
    if not path.exists():
        soundfile.write(path, audio, excerpt.rate_hz, subtype="PCM_24")
    return path


def _written(folder: Path, name: str, audio: Audio, rate_hz: int, subtype: str = "PCM_24") -> Path:
    path = folder / f"{_id(name)}.wav"
    soundfile.write(path, audio, rate_hz, subtype=subtype)
    return path


def _sum(parts: list[Audio], gains: list[float]) -> Audio:
    total = np.zeros((max(len(part) for part in parts), 2))
    for part, gain in zip(parts, gains, strict=True):
        total[: len(part)] += part * gain
    return total / max(1.0, float(np.abs(total).max()))


def _reference(folder: Path, excerpt: Excerpt, chosen: dict[str, Audio], rng: np.random.Generator) -> Path:
    """A rough mix: every stem at a gain of its own, all a little later, as an export has it."""
    gains = [to_gain(float(rng.uniform(-6.0, 6.0))) for _ in chosen]
    mixed = _sum(list(chosen.values()), gains)
    late = int(rng.integers(0, 3_000))
    return _written(folder, "reference", np.concatenate([np.zeros((late, 2)), mixed]), excerpt.rate_hz)


Paths = dict[str, Path]
Spoiler = Callable[[Path, Excerpt, dict[str, Audio], Paths, list[Path], np.random.Generator], str]


def _drawn(chosen: dict[str, Audio], rng: np.random.Generator) -> str:
    return sorted(chosen)[int(rng.integers(len(chosen)))]


def _duplicate(
    folder: Path, excerpt: Excerpt, chosen: dict[str, Audio], paths: Paths, songs: list[Path], rng: np.random.Generator
) -> str:
    """A copy: the same bytes, turned down, turned over, dithered to 16 bits, or late."""
    name = _drawn(chosen, rng)
    audio, kind = chosen[name], int(rng.integers(4))
    if kind == 0:
        paths[f"{name} copy"] = paths[name]
        return f"{name} copy"
    gain = to_gain(float(rng.uniform(-9.0, -1.0))) * (-1.0 if kind == 1 else 1.0)
    late = int(rng.integers(1, 2_000)) if kind == 2 else 0
    copy = np.concatenate([np.zeros((late, audio.shape[1])), audio * gain])
    copy += (rng.random(copy.shape) - rng.random(copy.shape)) * 2.0**-16
    paths[f"{name} copy"] = _written(folder, f"{name} copy", copy, excerpt.rate_hz, "PCM_16")
    return f"{name} copy"


def _silent(
    folder: Path, excerpt: Excerpt, chosen: dict[str, Audio], paths: Paths, songs: list[Path], rng: np.random.Generator
) -> str:
    name = _drawn(chosen, rng)
    audio = rng.standard_normal(chosen[name].shape) * (to_gain(-100.0) if rng.integers(2) else 0.0)
    paths[name] = _written(folder, name, audio, excerpt.rate_hz)
    return name


def _bounced(
    folder: Path, excerpt: Excerpt, chosen: dict[str, Audio], paths: Paths, songs: list[Path], rng: np.random.Generator
) -> str:
    """A rough mix of all, at gains of its own, or of some; in one of two a little late."""
    names = sorted(chosen)
    kept = names if rng.integers(2) else names[: max(3, len(names) // 2)]
    mixed = _sum([chosen[name] for name in kept], [to_gain(float(rng.uniform(-4.0, 4.0))) for _ in kept])
    late = int(rng.integers(0, 2)) * int(rng.integers(1, 500))
    paths["rough mix"] = _written(folder, "rough mix", np.concatenate([np.zeros((late, 2)), mixed]), excerpt.rate_hz)
    return "rough mix"


def _relabelled(
    folder: Path, excerpt: Excerpt, chosen: dict[str, Audio], paths: Paths, songs: list[Path], rng: np.random.Generator
) -> str:
    name = _drawn(chosen, rng)
    rate_hz = 48_000 if excerpt.rate_hz == 44_100 else 44_100
    paths[name] = _written(folder, name, chosen[name], rate_hz)
    return name


def _swapped(
    folder: Path, excerpt: Excerpt, chosen: dict[str, Audio], paths: Paths, songs: list[Path], rng: np.random.Generator
) -> str:
    name = _drawn(chosen, rng)
    others = [excerpt_of(song, 1) for song in songs if song.name != excerpt.song]
    other = others[int(rng.integers(len(others)))]
    audio = other.audio[sorted(other.audio)[int(rng.integers(len(other.audio)))]]
    paths[name] = _written(folder, name, audio / max(1e-6, float(np.abs(audio).max())) * 0.5, excerpt.rate_hz)
    return name


def _dropped(
    folder: Path, excerpt: Excerpt, chosen: dict[str, Audio], paths: Paths, songs: list[Path], rng: np.random.Generator
) -> str:
    """One of the three loudest stems is not there."""
    energies = {name: float(np.square(audio).sum()) for name, audio in chosen.items()}
    name = sorted(energies, key=energies.__getitem__)[-int(rng.integers(1, 4))]
    del paths[name]
    return name


_SPOILERS: dict[str, Spoiler] = {
    "duplicate": _duplicate,
    "silent": _silent,
    "bounce": _bounced,
    "rate lie": _relabelled,
    "swapped": _swapped,
    "missing": _dropped,
}

if __name__ == "__main__":
    sys.exit(main())
