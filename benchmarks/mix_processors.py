#!/usr/bin/env python3
"""Prints what the processors of a mix were asked to reach and what they reach, and what each costs.

usage: mix_processors.py [DRUM.wav ...]    (the drums of one kit, a file each, for the gate; a minute without any)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from bleed import best_gate, drum_kit, gated, with_bleed
from rooms import (
    OCTAVES_HZ,
    echo_density,
    measured_decay_s,
    opened,
    responses,
    ringing_db,
    wanted_decay_s,
)

from dsp.audio import Audio
from dsp.chain import Stage, process, start_stage
from dsp.mixing.bus import BusCompressor
from dsp.mixing.ducker import Ducker
from dsp.mixing.panner import POWERS, Panner, pan_matrix
from dsp.mixing.reverb import Reverb
from dsp.settings import (
    AutomationSettings,
    CompressorSettings,
    DelaySettings,
    DuckerSettings,
    GateSettings,
    PannerSettings,
    ReverbSettings,
)

RATE_HZ = 48_000
ROOMS_S = (0.5, 1.4, 2.2)
RATES_HZ = (44_100, 48_000, 96_000)
BLOCKS_FRAMES = (1, 7, 64, 4_096)
SPEED_S, BLOCK_FRAMES, TRIES = 20, 8_192, 3
EXCERPT_S = 20
DRUMS = {
    "kick": GateSettings(threshold_dbfs=-12.0, low_hz=30.0, high_hz=200.0),
    "snare": GateSettings(threshold_dbfs=-12.0, low_hz=150.0, high_hz=5_000.0),
    "hats": GateSettings(threshold_dbfs=-12.0, hold_s=0.01, release_s=0.05, low_hz=5_000.0),
}
BASS = DuckerSettings(threshold_dbfs=-30.0, depth_db=3.0, low_hz=40.0, high_hz=120.0)

Push = Callable[[Audio], object]


class Row(NamedTuple):
    """One line of the table."""

    figure: str
    asked: str
    measured: str


def main() -> None:
    """The table, line by line as it is found."""
    print("| figure | asked | measured |\n|---|---|---|")
    for part in (block_law, delays, pans, gates, rooms, superposition, speeds):
        for row in part():
            print("| " + " | ".join(row) + " |", flush=True)


def processors() -> dict[str, Callable[[], Push]]:
    """Every processor of a mix, at work, started anew; each takes a stereo block, which is its own key where it needs one."""
    automation = AutomationSettings(gains_db=tuple(float(n % 7) - 3.0 for n in range(10 * SPEED_S)))
    return {
        "delay, whole frames": lambda: _whole(start_stage(DelaySettings(delay_frames=480.0), RATE_HZ, 2)),
        "delay, 480.4 frames": lambda: _whole(start_stage(DelaySettings(delay_frames=480.4), RATE_HZ, 2)),
        "automation": lambda: _whole(start_stage(automation, RATE_HZ, 2)),
        "gate, wide": lambda: _whole(start_stage(GateSettings(threshold_dbfs=-20.0), RATE_HZ, 2)),
        "gate of a band": lambda: _whole(start_stage(DRUMS["snare"], RATE_HZ, 2)),
        "ducker": lambda: _keyed(Ducker(BASS, RATE_HZ, 2)),
        "panner": lambda: Panner(PannerSettings(pan_ratio=0.3, width_ratio=0.8), 2).push,
        "bus compressor": lambda: BusCompressor(CompressorSettings(threshold_dbfs=-20.0), RATE_HZ).push,
        "reverb": lambda: Reverb(ReverbSettings(), RATE_HZ).push,
    }


def _whole(stage: Stage) -> Push:
    return stage.push


def _keyed(ducker: Ducker) -> Push:
    return lambda block: ducker.push(block, block[:, ::-1])


def noise(frames: int, seed: int = 1) -> Audio:
    """Stereo, at -20 dBFS, swelling and fading so that dynamics have something to do."""
    swell = 0.1 * (1.0 + np.sin(np.arange(frames) * 2.0 * np.pi / RATE_HZ))
    return np.asarray(np.random.default_rng(seed).standard_normal((frames, 2)) * swell[:, None])


def block_law() -> Iterator[Row]:
    """Figure 3: the same bits however a sound is cut."""
    sound = noise(2 * RATE_HZ)
    for name, start in processors().items():
        whole = pushed(start(), [sound])
        cuts = [list(np.split(sound, range(size, len(sound), size))) for size in BLOCKS_FRAMES]
        ends = np.sort(np.random.default_rng(3).integers(0, len(sound), 40))
        cuts.append([sound[a:b] for a, b in pairwise([0, *ends, len(sound)])])
        same = [np.array_equal(whole, pushed(start(), blocks)) for blocks in cuts]
        yield Row(f"{name}: blocks of 1, 7, 64, 4096 and random frames", "bit for bit", f"{sum(same)} of {len(same)}")


def pushed(push: Push, blocks: Sequence[Audio]) -> Audio:
    """What comes out, one after the other."""
    return np.concatenate([np.asarray(push(block)) for block in blocks])


def delays() -> Iterator[Row]:
    """Phase and gain of tones up to 0.4 of the rate."""
    worst_frames, worst_db = 0.0, 0.0
    for frames in (0.01, 0.25, 0.5, 7.3, 480.75, -12.6):
        for of_rate in (0.001, 0.05, 0.1, 0.2, 0.3, 0.4):
            late_frames, gain_db = lateness(frames, of_rate)
            worst_frames = max(worst_frames, abs(late_frames - frames))
            worst_db = max(worst_db, abs(gain_db))
    yield Row(
        "delay: error of a tone up to 0.4 of the rate", "0.01 frames", f"{worst_frames:.1e} frames, {worst_db:.4f} dB"
    )


def lateness(frames: float, of_rate: float) -> tuple[float, float]:
    """By how many frames a tone comes late (of those that differ by whole periods the nearest), and its gain in dB."""
    angle = 2.0 * np.pi * of_rate * np.arange(6_000)
    out = process(np.sin(angle)[:, None], RATE_HZ, DelaySettings(delay_frames=frames))[1_000:5_000, 0]
    waves = np.stack([np.sin(angle), np.cos(angle)], axis=1)[1_000:5_000]
    in_phase, ahead = np.linalg.lstsq(waves, out, rcond=None)[0]
    expected = np.exp(-2j * np.pi * of_rate * frames)
    error = float(-np.angle((in_phase + 1j * ahead) / expected) / (2.0 * np.pi * of_rate))
    return frames + error, float(20.0 * np.log10(np.hypot(in_phase, ahead)))


def pans() -> Iterator[Row]:
    """The centre of every law, and how far those that keep power or sum do so over all places."""
    places = np.linspace(-1.0, 1.0, 201)
    for law, power in POWERS.items():
        sides = np.array([pan_matrix(PannerSettings(pan_ratio=pan, law=law), 1)[:, 0] for pan in places])
        centre_db = 20.0 * np.log10(sides[100, 0])
        yield Row(f"panner, law {law}: centre", law, f"{centre_db:.2f} dB")
        kept = {1.0: np.square(sides).sum(axis=1), 2.0: np.square(sides.sum(axis=1))}.get(power)
        if kept is not None:
            what = "power" if power == 1.0 else "sum"
            yield Row(
                f"panner, law {law}: change of the {what} over all places",
                "0 dB",
                f"{np.ptp(10.0 * np.log10(kept)):.1e} dB",
            )


def gates() -> Iterator[Row]:
    """Figure 18: bleed in pauses, and what is lost of the drum."""
    kit = drum_kit(RATE_HZ)
    stems = list(kit.values())
    for number, (name, stem) in enumerate(kit.items()):
        found = gated(stem, with_bleed(stems, number), DRUMS[name], RATE_HZ)
        yield _gate_row(f"gate on a made {name}", found.bleed_db, found.damage_db)
    files = [soundfile.read(path, frames=EXCERPT_S * RATE_HZ, always_2d=True) for path in sys.argv[1:]]
    frames = min((len(audio) for audio, _ in files), default=0)
    played = [audio[:frames].mean(axis=1, keepdims=True) for audio, _ in files]
    played = [line / max(np.abs(line).max(), 1e-9) for line in played]
    for number, (path, (_, rate_hz)) in enumerate(zip(sys.argv[1:], files, strict=True)):
        settings, found = best_gate(played[number], with_bleed(played, number), rate_hz)
        told = f"{settings.threshold_dbfs:g} dBFS, {settings.low_hz:g} to {settings.high_hz:g} Hz, hold {settings.hold_s:g} s"
        yield _gate_row(f"gate on {Path(path).stem}, {told}", found.bleed_db, found.damage_db)


def _gate_row(name: str, bleed_db: float, damage_db: float) -> Row:
    kept = f"{damage_db:.1f} dB" if damage_db < 299.0 else "untouched"
    return Row(
        f"{name}, others 12 dB below: bleed in pauses; stem over damage", "-10; 20 dB", f"{bleed_db:.1f}; {kept}"
    )


def rooms() -> Iterator[Row]:
    """Figure 19: decay, density, ringing and likeness of the ears, the worst of all rates."""
    for seconds in ROOMS_S:
        settings = opened(seconds)
        errors, dense, ringing, alike = [], [], [], []
        for rate_hz in RATES_HZ:
            heard = responses(settings, rate_hz, 2.0 * seconds)
            errors.append(
                [measured_decay_s(heard, hz, rate_hz) / wanted_decay_s(settings, hz, rate_hz) for hz in OCTAVES_HZ]
            )
            dense.append(np.mean([echo_density(line, rate_hz, 0.1) for line in heard.T]))
            ringing.append(ringing_db(heard, rate_hz, seconds))
            alike += [np.corrcoef(heard[:, 0], heard[:, 1])[0, 1], np.corrcoef(heard[:, 2], heard[:, 3])[0, 1]]
        worst = 100.0 * np.abs(np.array(errors) - 1.0).max(axis=0)
        octaves = ", ".join(f"{hz:g}: {error:.1f}" for hz, error in zip(OCTAVES_HZ, worst, strict=True))
        yield Row(f"reverb of {seconds:g} s: error of T30, octaves (Hz), %", "5 %", octaves)
        yield Row(f"reverb of {seconds:g} s: density of echoes at 0.1 s", "0.9", f"{min(dense):.2f}")
        yield Row(f"reverb of {seconds:g} s: a mode over its neighbours after 60 dB", "6 dB", f"{max(ringing):.1f} dB")
        yield Row(f"reverb of {seconds:g} s: correlation of the ears", "low", f"{max(np.abs(alike)):.3f}")


def superposition() -> Iterator[Row]:
    """The room of a sum less the sum of rooms."""
    one, other = noise(2 * RATE_HZ, 1), noise(2 * RATE_HZ, 2)
    both, first, second = (Reverb(ReverbSettings(), RATE_HZ).push(sound) for sound in (one + other, one, other))
    rest_db = 20.0 * np.log10(np.abs(both - first - second).max() / np.abs(both).max())
    yield Row("reverb: room of a sum less the sum of rooms", "-130 dB", f"{rest_db:.0f} dB")


def speeds() -> Iterator[Row]:
    """Times realtime, stereo at 48 kHz: processor time of one core, the best of three runs."""
    sound = noise(SPEED_S * RATE_HZ)
    blocks = np.split(sound, range(BLOCK_FRAMES, len(sound), BLOCK_FRAMES))
    for name, start in processors().items():
        taken_s = []
        for _ in range(TRIES):
            push, started = start(), time.process_time()
            for block in blocks:
                push(block)
            taken_s.append(time.process_time() - started)
        cost_ns = 1e9 * min(taken_s) / sound.size
        asked = "60" if name == "reverb" else ""
        yield Row(
            f"{name}: times realtime; ns per sample and channel", asked, f"{SPEED_S / min(taken_s):.0f}; {cost_ns:.1f}"
        )


if __name__ == "__main__":
    main()
