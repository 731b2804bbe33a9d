#!/usr/bin/env python3
"""Figures of the console and of what it writes: sums, blocks, headroom, memory, speed, same bytes, round trip, RoEx's settings.

    python benchmarks/mix_render.py FOLDER

Sums, headroom and the round trip are measured on every fourth session of FOLDER (`mix_songs.py` fills it) and on one that is made
here, of 16 stems with voices, whose settings are decided as in a run. Memory and speed are measured in processes of their own.
About three minutes of one core, and 6 GB of FOLDER.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
from mix_songs import Material, sessions
from mix_table import Row, table
from msgspec import structs
from synthetic_stems import STEMS, track_of, write_stems

from decisions.mixing.edits import applied, read_settings, written
from decisions.mixing.mix import draft_mix, settle_mix
from decisions.mixing.roles import role_of
from decisions.mixing.session import HeardStem, Rehearsal, Session
from dsp.audio import Audio, to_gain
from dsp.mixing.console import Console
from media.mixing.hearing import hear
from media.mixing.rehearsal import rehearse_mix
from media.mixing.rendering import MixRendering, render_mix
from media.mixing.sound import sound_of, used_strips
from schemas.mix import MixSettings
from schemas.stem_cells import STEM_READERS
from schemas.stems import Stem
from schemas.steps import MixWish
from schemas.track import Track

SUM_DBFS = -120.0
MOST_DBTP = -6.0
BLOCKS = (1, 7, 64, 4_096)
BLOCK_FRAMES = 6_000
"""Of each stem: frame by frame through a whole console takes its time."""
EVERY_SESSION = 4
ALL_FILES = MixWish(stems=True, versions=("instrumental", "acappella", "tv"))
MIB_AT_MOST, MIB_A_STEM, MIB_OF_LENGTH, SECONDS_AT_MOST = 128, 1, 32, 60.0
ROEX_ROLES = (
    "BASS_GROUP DRUMS_GROUP KICK_GROUP SNARE_GROUP CYMBALS_GROUP VOCAL_GROUP BACKING_VOX_GROUP PERCS_GROUP STRINGS_GROUP"
    " SYNTH_GROUP FX_GROUP KEYS_GROUP BRASS_GROUP E_GUITAR_GROUP ACOUSTIC_GUITAR_GROUP BACKING_TRACK_GROUP OTHER_GROUP1"
    " OTHER_GROUP2 OTHER_GROUP3 OTHER_GROUP4 OTHER_GROUP5"
)
ROEX_WORDS = {
    "role": ROEX_ROLES,
    "presence": "NORMAL LEAD BACKGROUND",
    "pan": "NO_PREFERENCE LEFT CENTRE RIGHT",
    "reverb": "NONE LOW MEDIUM HIGH",
}
"""Its words, as its public client has them."""
ROEX_ENDS: dict[str, tuple[float, float]] = {
    "gainDb": (-60.0, 12.0),
    "panning_angle": (-60.0, 60.0),
    "gain": (-20.0, 20.0),
    "q": (0.1, 10.0),
    "centre_freq": (20.0, 20_000.0),
    "threshold": (-60.0, 0.0),
    "ratio": (1.0, 20.0),
    "attack_ms": (0.1, 100.0),
    "release_ms": (1.0, 1_000.0),
}


class Mixed(NamedTuple):
    """A session with the settings that were decided for it, and its files."""

    name: str
    track: Track
    settings: MixSettings
    rendering: MixRendering


def rows(folder: Path) -> list[Row]:
    """Its figures, measured now."""
    work = folder / "mix_render"
    shutil.rmtree(work, ignore_errors=True)
    made = write_stems(work / "stems", seconds=30.0)
    found = [mixed("synthetic", made, work)]
    found += [mixed(one.name, one.stems(), work) for one in _materials(folder)]
    own = found[0]
    measured = [*_sums(found), _blocks(own), _headroom(found), *_memory(work), _speed(work)]
    measured += [_same_bytes(own, work), *_round_trip(found, work), *_roex(own)]
    shutil.rmtree(work)
    return measured


def mixed(name: str, paths: Sequence[Path], work: Path) -> Mixed:
    """A session mixed as a run does it."""
    track = track_of(name, paths)
    settings = decided(track)
    return Mixed(name, track, settings, render_mix(track, settings, work / "mixes" / name, ALL_FILES))


def decided(track: Track) -> MixSettings:
    """The settings that are decided for a song, after a rehearsal."""
    assert track.song is not None
    heard = [_heard(stem) for stem in sorted(track.song.stems, key=lambda stem: stem.stem_id)]
    session = Session(
        mix_id=track.track_id, song=track.song, rate_hz=heard[0].figures.format.rate_hz, stems=tuple(heard)
    )
    draft = draft_mix(session)
    tried = rehearse_mix(track, draft)
    return settle_mix(session, draft, Rehearsal(tried.energies, tried.true_peak_dbtp, tried.max_short_term_lufs))


def _heard(stem: Stem) -> HeardStem:
    figures, trace = hear(Path(stem.uri))
    return HeardStem(stem, figures, trace, *role_of(stem, figures)[:3])


def _materials(folder: Path) -> list[Material]:
    return sessions(folder)[::EVERY_SESSION]


def _sums(found: Sequence[Mixed]) -> list[Row]:
    stems = max(_null_dbfs(one, ("stem", "return"), one.name) for one in found)
    versions = max(_null_dbfs(one, ("version",), one.name) for one in found)
    of = f"peak of what is left, worst of {len(found)} sessions"
    return [
        Row(
            1,
            f"sum law: stems and returns against the mix, {of}",
            "<= -120 dBFS",
            f"{stems:.1f} dBFS",
            stems <= SUM_DBFS,
        ),
        Row(
            2,
            f"version law: instrumental + a cappella, {of}",
            "<= -120 dBFS",
            f"{versions:.1f} dBFS",
            versions <= SUM_DBFS,
        ),
    ]


def _null_dbfs(one: Mixed, kinds: Sequence[str], name: str) -> float:
    parts = [file.path for file in one.rendering.files if file.kind in kinds and file.name != "tv"]
    rest = _sound(one.rendering.files[0].path)
    for path in parts:
        rest -= _sound(path)
    peak = float(np.abs(rest).max())
    return 20.0 * float(np.log10(peak)) if peak else -np.inf


def _sound(path: Path) -> Audio:
    return soundfile.read(path, always_2d=True, dtype="float64")[0]  # type: ignore[no-any-return]


def _blocks(own: Mixed) -> Row:
    """The console of decided settings, with every kind of section in it."""
    paths = {stem.stem_id: stem.uri for stem in own.track.song.stems} if own.track.song else {}
    strips = used_strips(own.settings)
    sounds = [_sound(Path(paths[strip.stem_id]))[4_000 : 4_000 + BLOCK_FRAMES] for strip in strips]
    rng = np.random.default_rng(1)
    cuts = [[*range(0, BLOCK_FRAMES, frames)] for frames in BLOCKS] + [
        sorted(rng.integers(0, BLOCK_FRAMES, 40).tolist())
    ]
    whole = _played(own.settings, sounds, [])
    same = all(np.array_equal(whole, _played(own.settings, sounds, cut)) for cut in cuts)
    figure = f"block law: the whole console of {len(strips)} stems, blocks of {', '.join(map(str, BLOCKS))} and random"
    return Row(3, figure, "bit-exact", "bit-exact" if same else "differs", same)


def _played(settings: MixSettings, sounds: Sequence[Audio], cuts: Sequence[int]) -> Audio:
    console = Console(sound_of(settings, [sound.shape[1] for sound in sounds]), settings.rate_hz)
    edges = [0, *cuts, BLOCK_FRAMES]
    desks = [console.push([sound[a:b] for sound in sounds]) for a, b in pairwise(edges)]
    return np.concatenate([np.concatenate([*desk.stems, *desk.returns], axis=1) for desk in [*desks, console.finish()]])


def _headroom(found: Sequence[Mixed]) -> Row:
    peaks = {one.name: one.rendering.analysis.figures.true_peak_dbtp for one in found}
    worst = max(peak for peak in peaks.values() if peak is not None)
    figure = f"headroom: true peak of the mix, worst of {len(found)} sessions (floats: nothing clips inside)"
    return Row(12, figure, "<= -6 dBTP", f"{worst:.2f} dBTP", worst <= MOST_DBTP)


def _memory(work: Path) -> Iterator[Row]:
    few, many, most = (_child("memory", work, str(count), "10")["mib"] for count in (8, 72, 200))
    long, longer = (_child("memory", work, "2", seconds)["mib"] for seconds in ("240", "7200"))
    a_stem, grown = (many - few) / 64, longer - long
    held = few <= MIB_AT_MOST + 8 * MIB_A_STEM
    yield Row(21, "memory of a process that rehearses and renders 8 stems", "<= 136 MiB", f"{few:.0f} MiB", held)
    yield Row(21, "memory, each stem more (8 to 72)", "<= 1 MiB", f"{a_stem:.2f} MiB", a_stem <= MIB_A_STEM)
    yield Row(21, "memory, 2 h against 4 min", "<= 32 MiB more", f"{grown:.0f} MiB", grown <= MIB_OF_LENGTH)
    yield Row(21, "200 stems are mixed", "they are", f"they are, in {most:.0f} MiB", True)


def _speed(work: Path) -> Row:
    said = _child("speed", work, "16", "240")
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in said.items())
    total = sum(said.values()) - said["stems and versions as well"]
    figure = "speed: 16 stereo stems of 4 min heard, decided, rehearsed, rendered, mastered, processor time of one core"
    return Row(22, figure, "<= 60 s", f"{total:.1f} s ({parts})", total <= SECONDS_AT_MOST)


def _child(what: str, work: Path, *asked: str) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__).with_name(f"mix_{what}.py")), str(work / "cost"), *asked]
    said: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return said


def _same_bytes(own: Mixed, work: Path) -> Row:
    assert own.track.song is not None
    stems = own.track.song.stems
    shuffled = structs.replace(own.track, song=structs.replace(own.track.song, stems=stems[::2] + stems[1::2]))
    settings = decided(shuffled)
    again = render_mix(shuffled, settings, work / "again", ALL_FILES)
    same = _digests(own.rendering) == _digests(again) and written(settings) == written(own.settings)
    figure = "same bytes: all files and settings again, rows in another order (workers and runners: tests/pipeline)"
    return Row(23, figure, "equal SHA-256", "equal" if same else "differ", same)


def _digests(rendering: MixRendering) -> dict[str, str]:
    return {file.name: file.sha256 for file in rendering.files}


def _round_trip(found: Sequence[Mixed], work: Path) -> Iterator[Row]:
    same = all(_again(one, work) for one in found)
    told = "equal" if same else "differ"
    yield Row(24, f"round trip: settings.json back in, {len(found)} sessions", "equal SHA-256", told, same)
    own = found[0]
    moved = own.settings.stems[0]
    louder = [structs.replace(moved, gain_db=moved.gain_db + 1.0), *own.settings.stems[1:]]
    plain = structs.replace(own.settings, buses=tuple(structs.replace(b, compressor=None) for b in own.settings.buses))
    before = render_mix(own.track, plain, work / "before", ALL_FILES)
    after = render_mix(own.track, structs.replace(plain, stems=tuple(louder)), work / "after", ALL_FILES)
    one, other = (_sound(_path(rendering, moved.stem_id)) for rendering in (before, after))
    error_db = abs(20.0 * float(np.log10(np.abs(other).max() / np.abs(one * to_gain(1.0)).max())))
    stems = {file.name for file in before.files if file.kind == "stem"}
    changed = {name for name in stems if _digests(before)[name] != _digests(after)[name]}
    held = error_db <= 1e-5 and changed == {moved.stem_id}
    asked = "its stem by 1.00 dB, no other stem"
    yield Row(
        24, "an edited fader, +1 dB", asked, f"{1.0 + error_db:.5f} dB, stems changed: {', '.join(changed)}", held
    )


def _again(one: Mixed, work: Path) -> bool:
    edits = read_settings(written(one.settings))
    settings = applied(edits, one.track.track_id, one.settings.inputs)
    again = render_mix(one.track, settings, work / "round", MixWish())
    return written(settings) == written(one.settings) and again.files[0].sha256 == one.rendering.files[0].sha256


def _path(rendering: MixRendering, name: str) -> Path:
    return next(file.path for file in rendering.files if file.name == name)


def _roex(own: Mixed) -> Iterator[Row]:
    words = {column: [_reads(column, word) for word in text.split()] for column, text in ROEX_WORDS.items()}
    counts = ", ".join(f"{sum(read)} of {len(read)} {column}s" for column, read in words.items())
    held = all(all(read) for read in words.values())
    yield Row(27, "RoEx's words in a manifest", "21 roles, 3 presences, 4 pans, 4 reverbs", counts, held)
    taken = [_imports(own, end) for end in (0, 1)]
    asked = "gain -60..+12, 6 bands, compressor, pan +-60 degrees"
    yield Row(27, "RoEx's settings, both ends of each range", asked, f"{sum(taken)} of 2 taken over", all(taken))


def _reads(column: str, word: str) -> bool:
    try:
        STEM_READERS[column](word)
    except ValueError:
        return False
    return True


def _imports(own: Mixed, end: int) -> bool:
    """Whether a track with all values at one end comes over: the fader and the place as they are, six bells, a compressor."""
    at = {name: ends[end] for name, ends in ROEX_ENDS.items()}
    band = {name: at[name] for name in ("gain", "q", "centre_freq")}
    press = {name: at[name] for name in ("threshold", "attack_ms", "release_ms")} | {"ratio": max(at["ratio"], 1.1)}
    track: dict[str, Any] = {"gain_settings": {"initial_gain": to_gain(at["gainDb"]), "gain_amplitude": 1.0}}
    track |= {"panning_settings": {"panning_angle": at["panning_angle"]}, "drc_settings": press}
    track |= {"eq_settings": {f"band_{number}": band for number in range(1, 7)}}
    said = json.dumps({"mix_output_settings": {f"{STEMS[0]}.wav": track}}).encode()
    found = applied(read_settings(said), own.name, own.settings.inputs, own.settings)
    strip = next(one for one in found.stems if one.stem_id == STEMS[0])
    kept = abs(strip.gain_db - at["gainDb"]) < 1e-9 and strip.pan_ratio == at["panning_angle"] / 60.0
    return kept and [len(strip.inserts[0].params["bands"]), strip.inserts[1].type] == [6, "compressor"]


if __name__ == "__main__":
    print(table(rows(Path(sys.argv[1]))))
