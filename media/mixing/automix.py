"""Mixes an event's microphones by gain sharing: hears all of them once, mixes them in a second pass, and levels the result.

The first pass reads ambience and bleed, the second knows them and writes floats, which nothing clips; what is written last is
the mix at a true peak that it may have. Memory is a block for each microphone, and ten gains a second.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio, to_db, to_gain
from dsp.loudness import LoudnessMeter
from dsp.mixing.ambience import STEPS_PER_S, Survey, bleed_db, floors_dbfs
from dsp.mixing.control_path import heard_of
from dsp.mixing.gain_sharing import GainSharing
from dsp.mixing.together import Together
from dsp.quantiser import Quantiser
from dsp.settings import GainSharingSettings, QuantiserSettings, SharingChannel
from dsp.ticks import Folder
from dsp.true_peak import TruePeakMeter
from media.encoder import MAX_WAV_BYTES, Encoder
from media.mixing.float_wav import FloatWav
from media.mixing.gain_tables import write_gains
from media.mixing.microphones import OpenMicrophones, Recording, opened_microphones
from media.source import open_source, sha256_of
from schemas.automix import (
    CEILING_DBTP,
    AutomixGroup,
    AutomixRecord,
    AutomixWish,
    Microphone,
    SharedMicrophone,
)
from schemas.errors import TrackError
from schemas.figures import AudioFormat

MIX, STEMS = "mix.wav", "stems"
CEILING_MARGIN_DB = 0.01
"""What the true-peak meter may read low (BS.1770-5 annex 2, at 32 times the rate)."""
SEED = 1
"""Of the dither: the same microphones give the same bytes."""
OPEN_RATIO = 0.5  # in power: -3 dB
MUTE_DB = -120.0


def automix(
    microphones: Sequence[Microphone], recordings: Sequence[Recording], rate_hz: int, wish: AutomixWish, folder: Path
) -> AutomixRecord:
    """Mixes microphones, which lie in these files, into files in `folder`; raises TrackError where one of them fails."""
    files = 1 + len(microphones) * wish.stems
    with opened_microphones(microphones, recordings, rate_hz, files) as desk:
        _check_size(desk, wish)
        groups = _surveyed(desk, microphones, wish)
        mixed = _mixed(desk, microphones, groups, wish, folder)
    gain_db = _allowed_gain_db(mixed.true_peak_dbtp)
    _finish(mixed, gain_db, wish, folder)
    gains = write_gains(folder, wish.gains, [one.name for one in microphones], mixed.powers, mixed.step_s)
    return AutomixRecord(
        mix=MIX,
        sha256=sha256_of(folder / MIX),
        rate_hz=rate_hz,
        channels=mixed.channels,
        bits=32 if wish.floating else 24,
        duration_s=desk.frames / rate_hz,
        integrated_lufs=_plus(mixed.integrated_lufs, gain_db),
        true_peak_dbtp=_plus(mixed.true_peak_dbtp, gain_db),
        gain_db=gain_db,
        gains=gains,
        groups=tuple(groups),
        microphones=_told(microphones, {one.uri: one.format for one in recordings}, groups, mixed.powers, wish),
        notes=(),
    )


class _Mixed(NamedTuple):
    """What the second pass leaves: files of floats, and what was measured of them."""

    mix: Path
    stems: tuple[Path, ...]
    channels: int
    powers: NDArray[np.float32]
    """(steps, microphones) Mean square of each gain."""
    step_s: float
    integrated_lufs: float | None
    true_peak_dbtp: float | None


def _surveyed(desk: OpenMicrophones, microphones: Sequence[Microphone], wish: AutomixWish) -> list[AutomixGroup]:
    """The first pass: each group's settings with its channels, their ambience and, for music, their bleed."""
    members = {name: [i for i, one in enumerate(microphones) if one.group == name] for name in wish.groups}
    surveys = {name: Survey(wish.groups[name], desk.rate_hz, len(places)) for name, places in members.items()}
    for lines in desk.blocks():
        for name, places in members.items():
            surveys[name].push(_heard(lines, places))
    return [
        AutomixGroup(
            name=name,
            microphones=tuple(microphones[i].name for i in places),
            sharing=_measured(wish.groups[name], [microphones[i] for i in places], surveys[name].powers()),
        )
        for name, places in members.items()
    ]


def _measured(
    sharing: GainSharingSettings, microphones: Sequence[Microphone], powers: NDArray[np.float32]
) -> GainSharingSettings:
    floors = floors_dbfs(powers)
    channels = tuple(
        SharingChannel(mode="mute" if one.mute else "auto", weight_db=one.weight_db, floor_dbfs=floor)
        for one, floor in zip(microphones, floors, strict=True)
    )
    return replace(sharing, channels=channels, bleed_db=bleed_db(powers) if sharing.kind == "music" else ())


def _heard(lines: Sequence[Audio], places: Sequence[int]) -> Audio:
    return heard_of([lines[i] for i in places])


def _mixed(
    desk: OpenMicrophones,
    microphones: Sequence[Microphone],
    groups: Sequence[AutomixGroup],
    wish: AutomixWish,
    folder: Path,
) -> _Mixed:
    """The second pass: every microphone times its gain, and their sum."""
    channels, count = max(desk.channels), len(microphones)
    loudness, peak = LoudnessMeter(desk.rate_hz, channels), TruePeakMeter(desk.rate_hz, channels)
    step_frames = round(desk.rate_hz / STEPS_PER_S)
    (folder / STEMS).mkdir(parents=True, exist_ok=True)
    mix, powers = folder / "mix.part", Folder(step_frames, count, np.add)
    stems = tuple(folder / STEMS / f"{one.name}.part" for one in microphones) if wish.stems else ()
    with ExitStack() as opened:
        out = opened.enter_context(FloatWav(mix, desk.rate_hz, channels, desk.frames))
        parts = [
            opened.enter_context(FloatWav(path, desk.rate_hz, width, desk.frames))
            for path, width in zip(stems, desk.channels[: len(stems)], strict=True)
        ]
        for lines, gains in _shared(desk, microphones, groups):
            block = _sum(lines, channels)
            out.write(block)
            loudness.push(block)
            peak.push(block)
            powers.push(np.square(gains))
            for part, line in zip(parts, lines[: len(parts)], strict=True):
                part.write(line)
    powers.push(np.zeros((-desk.frames % step_frames, count)))  # the last step may be shorter
    steps, lufs = powers.rows() / np.float32(step_frames), loudness.loudness().integrated_lufs
    return _Mixed(mix, stems, channels, steps, step_frames / desk.rate_hz, lufs, to_db(float(peak.finish().max())))


def _shared(
    desk: OpenMicrophones, microphones: Sequence[Microphone], groups: Sequence[AutomixGroup]
) -> Iterator[tuple[list[Audio], Audio]]:
    """Blocks of all microphones times their gains, and the gains (frames, microphones)."""
    places = [[i for i, one in enumerate(microphones) if one.group == group.name] for group in groups]
    stages = [GainSharing(group.sharing, desk.rate_hz) for group in groups]
    together = Together([*desk.channels, *map(len, places)])
    count = len(microphones)

    def ready(lines: Sequence[Audio], shares: Sequence[Audio]) -> tuple[list[Audio], Audio]:
        aligned = together.push([*lines, *shares])
        gains = np.empty((len(aligned[0]), count))
        for columns, share in zip(places, aligned[count:], strict=True):
            gains[:, columns] = share
        return [line * gains[:, i : i + 1] for i, line in enumerate(aligned[:count])], gains

    for lines in desk.blocks():
        yield ready(lines, [one.push(_heard(lines, at)) for one, at in zip(stages, places, strict=True)])
    nothing = [np.zeros((0, width)) for width in desk.channels]
    yield ready(nothing, [one.finish() for one in stages])


def _sum(lines: Sequence[Audio], channels: int) -> Audio:
    """One after the other, so that blocks change nothing; a mono microphone stands in both channels alike."""
    total = np.zeros((len(lines[0]), channels))
    for line in lines:
        total += line
    return total


def _allowed_gain_db(true_peak_dbtp: float | None) -> float:
    if true_peak_dbtp is None or true_peak_dbtp <= CEILING_DBTP:
        return 0.0
    return CEILING_DBTP - CEILING_MARGIN_DB - true_peak_dbtp


def _finish(mixed: _Mixed, gain_db: float, wish: AutomixWish, folder: Path) -> None:
    """Writes the files at their level; stems are floats, so that they add up to the mix before it is rounded."""
    for path in mixed.stems:
        _rewrite(path, path.with_suffix(".wav"), gain_db, floating=True)
    if not mixed.stems:
        os.rmdir(folder / STEMS)
    _rewrite(mixed.mix, folder / MIX, gain_db, floating=wish.floating)


def _rewrite(part: Path, path: Path, gain_db: float, *, floating: bool) -> None:
    """A file of floats at another level, or in 24 bits."""
    if floating and gain_db == 0.0:
        os.replace(part, path)
        return
    gain = to_gain(gain_db)
    with open_source(part) as source:
        rate_hz, channels, frames = source.format.rate_hz, source.format.channels, source.format.frames
        if floating:
            with FloatWav(path, rate_hz, channels, frames) as out:
                for block in source.blocks():
                    out.write(block * gain)
        else:
            quantiser = Quantiser(QuantiserSettings(bits=24, seed=SEED), channels)
            with Encoder(path, "wav", 24, rate_hz, channels, {}) as coded:
                for block in source.blocks():
                    coded.write(quantiser.push(block * gain))
    os.remove(part)


def _check_size(desk: OpenMicrophones, wish: AutomixWish) -> None:
    """A plain WAV counts its bytes in 32 bits: said before anything is mixed."""
    size_bytes = desk.frames * max(desk.channels) * 3
    if not wish.floating and size_bytes > MAX_WAV_BYTES:
        text = f"the mix would have {size_bytes / 1e9:.1f} GB, a WAV of 24 bits holds at most 4.29 GB"
        raise TrackError("OUTPUT_TOO_LARGE", text, "Ask for --float, whose files may be longer.")


def _told(
    microphones: Sequence[Microphone],
    formats: dict[str, AudioFormat],
    groups: Sequence[AutomixGroup],
    powers: NDArray[np.float32],
    wish: AutomixWish,
) -> tuple[SharedMicrophone, ...]:
    floors, opened = _floors(groups), _open_ratios(microphones, groups, powers)
    return tuple(
        SharedMicrophone(
            name=one.name,
            uri=one.uri,
            group=one.group,
            channels=len(one.columns),
            rate_hz=formats[one.uri].rate_hz,
            duration_s=formats[one.uri].duration_s,
            weight_db=one.weight_db,
            gain_db=one.gain_db,
            floor_dbfs=floors[one.name],
            open_ratio=opened[one.name],
            mean_gain_db=float(10.0 * np.log10(max(float(column.mean()), 10.0 ** (MUTE_DB / 10.0)))),
            stem=f"{STEMS}/{one.name}.wav" if wish.stems else None,
        )
        for one, column in zip(microphones, powers.T, strict=True)
    )


def _floors(groups: Sequence[AutomixGroup]) -> dict[str, float | None]:
    return {
        name: channel.floor_dbfs
        for group in groups
        for name, channel in zip(group.microphones, group.sharing.channels, strict=True)
    }


def _open_ratios(
    microphones: Sequence[Microphone], groups: Sequence[AutomixGroup], powers: NDArray[np.float32]
) -> dict[str, float]:
    places = {one.name: i for i, one in enumerate(microphones)}
    ratios: dict[str, float] = {}
    for group in groups:
        own = powers[:, [places[name] for name in group.microphones]]
        whole = 1.0 if group.sharing.kind == "music" else np.maximum(own.sum(axis=1, keepdims=True), 1e-12)
        ratios |= dict(zip(group.microphones, (own / whole > OPEN_RATIO).mean(axis=0).tolist(), strict=True))
    return ratios


def _plus(level: float | None, gain_db: float) -> float | None:
    return None if level is None else level + gain_db
