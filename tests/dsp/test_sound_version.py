"""Notices when the sound of a master changes: a short signal through every processor, held against recorded samples.

After a change that is meant, raise `dsp.SOUND_VERSION` and record again with `python -m tests.dsp.test_sound_version`.
"""

from __future__ import annotations

import numpy as np

from dsp import SOUND_VERSION
from dsp.audio import Audio
from dsp.chain import process
from dsp.quantiser import Quantiser
from dsp.settings import (
    CompressorSettings,
    EqualiserSettings,
    GainSettings,
    LimiterSettings,
    QuantiserSettings,
    ResamplerSettings,
    Settings,
    SubsonicSettings,
)

ROUNDING_STEPS = 2  # of 24 bits: processors may round the last bit of a double differently
FRAMES = 66_150
RECORDED_AT = range(17, 72_000, 4_500)  # frames of the master, left and right
CHAIN: list[Settings] = [
    SubsonicSettings(cutoff_hz=16.0, offset_ratio=(0.01, -0.01)),
    EqualiserSettings(freqs_hz=(100.0, 1000.0, 8000.0), gains_db=(0.8, -0.4, 0.9)),
    CompressorSettings(threshold_dbfs=-18.0, compression_ratio=1.5),
    GainSettings(gain_db=7.5),
    ResamplerSettings(rate_hz=48_000),
    LimiterSettings(ceiling_dbtp=-1.0),
]

# Written by `python -m tests.dsp.test_sound_version`.
RECORDED_VERSION = 3
RECORDED: list[int] = [
    -1475565,
    -831054,
    750711,
    -40758,
    335203,
    -267916,
    -878199,
    2033935,
    315468,
    774712,
    638260,
    -707016,
    -4040593,
    -3486098,
    -968918,
    -388066,
    2689505,
    2505176,
    1098636,
    730467,
    168118,
    -325875,
    -5060947,
    -333413,
    -151533,
    -197185,
    233486,
    -234678,
    -906493,
    -1900688,
    -149818,
    350237,
]

ADVICE = "the sound changed: raise dsp.SOUND_VERSION and record again with `python -m tests.dsp.test_sound_version`"


def signal() -> Audio:
    """Three swelling tones and a hiss from integer arithmetic, on a small offset; the same on every machine."""
    frame = np.arange(FRAMES, dtype=np.int64)
    hiss = (frame * 1_103_515_245 + 12_345) % (1 << 31) % 65_536 / 32_768.0 - 1.0
    swell = 0.2 + 0.8 * (frame % 11_025 < 3_000)
    tones = sum(np.sin(2.0 * np.pi * hz * frame / 44_100.0 + hz) for hz in (55.0, 440.0, 5_000.0))
    left = 0.25 * swell * tones + 0.02 * hiss + 0.01
    right = 0.2 * swell * np.roll(tones, 13) - 0.03 * hiss - 0.01
    return np.stack([left, right], axis=1)


def master() -> list[int]:
    """The chosen samples of the master, in steps of 24 bits."""
    sound = process(signal(), 44_100, *CHAIN)
    integers = Quantiser(QuantiserSettings(bits=24, seed=20_260), 2).push(sound) >> 8
    return [int(value) for at in RECORDED_AT for value in integers[at]]


def test_the_sound_of_a_master_is_the_recorded_one():
    worst = max(abs(one - other) for one, other in zip(RECORDED, master(), strict=True))
    assert (RECORDED_VERSION, worst <= ROUNDING_STEPS) == (SOUND_VERSION, True), f"{ADVICE} (off by {worst} steps)"


def test_the_signal_drives_every_processor():
    whole = process(signal(), 44_100, *CHAIN)
    without = [process(signal(), 44_100, *CHAIN[:at], *CHAIN[at + 1 :]) for at in range(len(CHAIN))]
    assert all(one.shape != whole.shape or np.abs(one - whole).max() > 2.0**-10 for one in without)


if __name__ == "__main__":
    print(f"RECORDED_VERSION = {SOUND_VERSION}")
    print(f"RECORDED: list[int] = {master()}")
