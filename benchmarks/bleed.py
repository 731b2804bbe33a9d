"""Drums that bleed into each other's microphones, and what a gate makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from dsp.audio import Audio, Floats, to_gain
from dsp.chain import process
from dsp.settings import GateSettings

BLEED_DB = -12.0
PAUSE_DB, STEP_S = -60.0, 0.01
"""A pause: steps so far below the peak of the stem itself. Our choice."""


class Gated(NamedTuple):
    """What became of a stem and of what bled into it."""

    bleed_db: float
    """Change of what is heard in the pauses, where only bleed is."""
    damage_db: float
    """Energy of the stem over that of what the gate took from it."""


def drum_kit(rate_hz: int, bars: int = 8) -> dict[str, Audio]:
    """A kick, a snare and hats, of full scale each, one channel; every bar of two seconds the same, but for the noise."""
    draw = np.random.default_rng(18)
    time_s = np.arange(rate_hz // 2) / rate_hz
    kick = np.sin(2.0 * np.pi * (55.0 * time_s + 3.0 * (1.0 - np.exp(-40.0 * time_s)))) * np.exp(-18.0 * time_s)
    rattle = draw.standard_normal(len(time_s)) * np.exp(-30.0 * time_s)
    snare = 0.3 * rattle + np.sin(2.0 * np.pi * 190.0 * time_s) * np.exp(-25.0 * time_s)
    hat = np.diff(draw.standard_normal(len(time_s) + 1)) * np.exp(-60.0 * time_s)
    beats = {
        "kick": (kick, (0.0, 0.75, 1.0)),
        "snare": (snare, (0.5, 1.5)),
        "hats": (hat, tuple(np.arange(0.0, 2.0, 0.25))),
    }
    kit = {}
    for name, (hit, starts_s) in beats.items():
        line = np.zeros((2 * bars + 1) * rate_hz)
        for bar in range(bars):
            for start_s in starts_s:
                at = round((2.0 * bar + start_s) * rate_hz)
                line[at : at + len(hit)] += hit
        kit[name] = (line / np.abs(line).max())[:, None]
    return kit


def with_bleed(stems: Sequence[Audio], of: int) -> Audio:
    """A stem as its microphone hears it: all others BLEED_DB below."""
    others = sum((stem for number, stem in enumerate(stems) if number != of), np.zeros_like(stems[of]))
    return np.asarray(stems[of] + to_gain(BLEED_DB) * others)


def gated(stem: Audio, heard: Audio, settings: GateSettings, rate_hz: int) -> Gated:
    """The gain that the gate gives to what is heard, measured on the stem alone and on its pauses."""
    steps = len(stem) // round(STEP_S * rate_hz)
    out = process(heard, rate_hz, settings)
    gains = np.divide(out, heard, out=np.ones_like(out), where=heard != 0.0)
    power, before, after = (_powers(audio, steps) for audio in (stem, heard, out))
    pauses = power < np.square(np.abs(stem).max() * to_gain(PAUSE_DB))
    bleed = after[pauses].sum() / before[pauses].sum()
    lost = np.square(stem - gains * stem).sum() / np.square(stem).sum()
    return Gated(10.0 * float(np.log10(bleed)), -10.0 * float(np.log10(max(lost, 1e-30))))


def best_gate(stem: Audio, heard: Audio, rate_hz: int, least_db: float = -10.0) -> tuple[GateSettings, Gated]:
    """Of the gates that turn the bleed down by as much the one that damages the stem least; where none does, the strongest.

    As Terrell, Reiss and Sandler choose it (EURASIP JASP, 2010).
    """
    best: tuple[tuple[bool, float], GateSettings, Gated] | None = None
    for settings in _gates():
        found = gated(stem, heard, settings, rate_hz)
        enough = found.bleed_db <= least_db
        rank = (enough, found.damage_db if enough else -found.bleed_db)
        if best is None or rank > best[0]:
            best = rank, settings, found
    assert best is not None, "there are gates to choose from"
    return best[1], best[2]


def _gates() -> Iterator[GateSettings]:
    bands = ((20.0, 20_000.0), (30.0, 200.0), (150.0, 5_000.0), (5_000.0, 20_000.0))
    times_s = product((0.01, 0.05, 0.15), (0.02, 0.1))
    for (low_hz, high_hz), (hold_s, release_s), threshold_dbfs in product(bands, times_s, range(-30, -2, 3)):
        yield GateSettings(
            threshold_dbfs=threshold_dbfs, hold_s=hold_s, release_s=release_s, low_hz=low_hz, high_hz=high_hz
        )


def _powers(audio: Audio, steps: int) -> Floats:
    frames = len(audio) // steps * steps
    return np.asarray(np.square(audio[:frames]).reshape(steps, -1).mean(axis=1))
