#!/usr/bin/env python3
"""Prints what single processors were asked to reach and what they reach, and what each costs; no peers are needed.

usage: processors.py [AUDIO ...]    (music for the limiter, 30 s of each file; about two minutes without any)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple, Protocol, get_args

import numpy as np
import soundfile
from bandwise import DENSE, EDGES_HZ, flatness_db, level_db, split_error_dbfs, tone_and_rest
from equalisers import CURVE
from limiter import CEILING_DBTP, DRIVES_DB, TONES_HZ, distortion_db, faded, overs_db, signals
from scipy.signal import lfilter

from dsp.audio import Audio, Floats, to_gain
from dsp.chain import process, start_stage
from dsp.quantiser import Quantiser
from dsp.saturation import SHAPES
from dsp.settings import (
    Band,
    BandDynamics,
    CompressorSettings,
    DeclipperSettings,
    DeEsserSettings,
    DynamicBand,
    DynamicEqualiserSettings,
    EqualiserSettings,
    ExpanderSettings,
    GainSettings,
    ImagerSettings,
    LimiterSettings,
    LowEndFocusSettings,
    MultibandSettings,
    ParametricSettings,
    QuantiserSettings,
    ResamplerSettings,
    SaturationSettings,
    Settings,
    Shaping,
    SubsonicSettings,
    TransientSettings,
)

RATE_HZ = 44_100
BELL = Band(kind="bell", freq_hz=1000.0, gain_db=2.0)
HARSH = DynamicBand(freq_hz=3000.0, threshold_db=-40.0)
IDLE: tuple[Settings, ...] = (
    DeclipperSettings(clip_dbfs=(0.0,)),
    EqualiserSettings(freqs_hz=(100.0, 1000.0, 10_000.0), gains_db=(0.0, 0.0, 0.0)),
    ParametricSettings(bands=(replace(BELL, gain_db=0.0),)),
    DynamicEqualiserSettings(bands=(replace(HARSH, threshold_db=0.0),)),
    DeEsserSettings(threshold_db=0.0),
    ExpanderSettings(threshold_dbfs=-100.0),
    MultibandSettings(edges_hz=EDGES_HZ, bands=(BandDynamics(),) * 4),
    CompressorSettings(threshold_dbfs=0.0),
    TransientSettings(),
    LowEndFocusSettings(contrast_db=0.0),
    SaturationSettings(amount_ratio=0.0),
    ImagerSettings(edges_hz=EDGES_HZ, widths_ratio=(1.0,) * 4),
    GainSettings(gain_db=0.0),
    ResamplerSettings(rate_hz=RATE_HZ),
    LimiterSettings(),
)
"""Every processor that can have nothing to do, in the order of the chain. A subsonic filter in a chain always has."""
CLIPPED, CLIP_RATIO = "declipper, 5 % clipped", 0.2
BUSY: dict[str, Settings] = {
    "declipper, nothing clipped": DeclipperSettings(clip_dbfs=(0.0,)),
    CLIPPED: DeclipperSettings(clip_dbfs=(20.0 * np.log10(CLIP_RATIO),)),
    "subsonic": SubsonicSettings(),
    "equaliser": CURVE,
    "equaliser, middle and side": replace(CURVE, side_gains_db=CURVE.gains_db),
    "parametric, 4 bands": ParametricSettings(bands=(BELL,) * 4),
    "dynamic equaliser, 2 bands": DynamicEqualiserSettings(bands=(replace(HARSH, freq_hz=200.0), HARSH)),
    "de-esser": DeEsserSettings(),
    "expander": ExpanderSettings(threshold_dbfs=0.0),
    "multiband, 4 bands": MultibandSettings(edges_hz=EDGES_HZ, bands=(DENSE,) * 4),
    "compressor": CompressorSettings(threshold_dbfs=-20.0),
    "transients": TransientSettings(attack_db=6.0),
    "transients, within a band": TransientSettings(attack_db=6.0, low_hz=200.0, high_hz=5000.0),
    "low-end focus": LowEndFocusSettings(contrast_db=6.0),
    **{f"saturation, {name}": SaturationSettings(character=name) for name in SHAPES},
    "imager, 4 bands": ImagerSettings(edges_hz=EDGES_HZ, widths_ratio=(0.5, 0.8, 1.0, 1.3)),
    "imager, 4 bands, 2 given back": ImagerSettings(
        edges_hz=EDGES_HZ, widths_ratio=(0.5, 0.8, 1.0, 1.3), recover_ratio=1.0
    ),
    "gain": GainSettings(gain_db=-4.5),
    "resampler, 44.1 to 48 kHz": ResamplerSettings(rate_hz=48_000),
    "limiter, idle": LimiterSettings(ceiling_dbtp=0.0),
    "limiter, 6 dB into it": LimiterSettings(ceiling_dbtp=-13.0),
}
"""In the order of the chain, at work on noise at -20 dBFS, whose peaks lie at -7."""
MEDIUM_DRIVE_DB = 12.0
SUBSONIC_DB = {hz: -10.0 * np.log10(1.0 + (16.0 / hz) ** 4) for hz in (4.0, 8.0, 16.0, 32.0, 64.0)}
"""A Butterworth filter of second order."""
CONVERSIONS_HZ = ((44_100, 48_000), (48_000, 44_100), (88_200, 44_100), (96_000, 44_100), (192_000, 44_100))
HEARD_HZ = (20.0, 997.0, 10_000.0, 15_000.0, 18_000.0, 19_000.0, 20_000.0)
FOLDED_HZ = (23_500.0, 25_000.0, 30_000.0, 40_000.0, 44_000.0, 47_000.0, 70_000.0, 90_000.0)
BLOCK_FRAMES, SPEED_FRAMES, TRIES = 8_192, 1 << 19, 3


class Pushed(Protocol):
    """Whatever takes blocks."""

    def push(self, block: Audio, /) -> object:
        """Takes one."""


class Row(NamedTuple):
    """One line of the table."""

    figure: str
    asked: str
    measured: str


def main() -> None:
    """The table, line by line as it is found."""
    print("| figure | asked | measured |\n|---|---|---|")
    for part in (
        idle_chain,
        split_sum,
        filtered,
        compressed,
        aliases,
        conversions,
        dither,
        tones_limited,
        peaks_limited,
        speeds,
    ):
        for row in part():
            print("| " + " | ".join(row) + " |", flush=True)


def idle_chain() -> Iterator[Row]:
    """The null of a chain with nothing to do."""
    sound = noise(10 * RATE_HZ)
    rest = np.abs(process(sound, RATE_HZ, *IDLE) - sound).max()
    held = ", ".join(type(one).__name__.removesuffix("Settings") for one in IDLE)
    measured = f"{level_db(rest):.0f} dBFS" if rest else "bit for bit"
    yield Row(f"chain with nothing to do against its input: {held}", "-140 dBFS", measured)


def split_sum() -> Iterator[Row]:
    """The bands of the splitter, added up."""
    yield Row("sum of four bands: ripple", "0.01 dB", f"{flatness_db():.0e} dB")
    yield Row("sum of four bands less the sound, noise at -20 dBFS", "-100 dBFS", f"{split_error_dbfs():.0f} dBFS")


def aliases() -> Iterator[Row]:
    """What a driven tone of 10 kHz folds down to."""
    for level_dbfs in (-6.0, 0.0):
        for rate_hz in (44_100, 48_000):
            found = (
                f"{name} {alias_db(SaturationSettings(character=name, drive_db=MEDIUM_DRIVE_DB), rate_hz, level_dbfs):.0f}"
                for name in SHAPES
            )
            figure = (
                f"saturation, worst alias of 10 kHz at {level_dbfs:g} dBFS, drive {MEDIUM_DRIVE_DB:g} dB, {rate_hz} Hz"
            )
            yield Row(figure, "-90 dB", f"{', '.join(found)} dB")


def alias_db(settings: SaturationSettings, rate_hz: int, level_dbfs: float) -> float:
    """The highest line that is no harmonic, over the tone: at 10,007 Hz both fall on different whole Hz."""
    out = process(sine(10_007.0, level_dbfs, 3 * rate_hz, rate_hz), rate_hz, settings)
    lines = np.abs(np.fft.rfft(out[rate_hz : 2 * rate_hz, 0]))
    tone = lines[10_007]
    lines[[0, *range(10_007, rate_hz // 2, 10_007)]] = 0.0
    return float(level_db(lines.max() / tone))


def conversions() -> Iterator[Row]:
    """Level, aliases and purity of tones at another rate, the worst of all."""
    for from_hz, to_hz in CONVERSIONS_HZ:
        levels, rests = np.array([tone_and_rest(resampled(hz, from_hz, to_hz), hz, to_hz) for hz in HEARD_HZ]).T
        ripple_db = np.abs(level_db(levels * np.sqrt(2.0))).max()
        beyond = [hz for hz in FOLDED_HZ if to_hz / 2.0 < hz < from_hz / 2.0]
        worst = [np.abs(resampled(hz, from_hz, to_hz)).max() for hz in beyond]
        alias = f"{level_db(max(worst)):.0f} dB" if worst else "none"
        measured = f"{ripple_db:.4f} dB / {alias} / {level_db(rests[1] / levels[1]):.0f} dB"
        figure = f"resampler, {from_hz} to {to_hz} Hz: ripple to 20 kHz / alias / THD+N of 997 Hz"
        yield Row(figure, "0.01 dB / -140 dB / -150 dB", measured)


def resampled(hz: float, from_hz: int, to_hz: int) -> Floats:
    """The middle half of a tone of a second: its ends excite the filter."""
    tone = faded(sine(hz, 0.0, from_hz, from_hz), from_hz)
    out = process(tone, from_hz, ResamplerSettings(rate_hz=to_hz))[:, 0]
    return np.asarray(out[len(out) // 4 : -len(out) // 4])


def filtered() -> Iterator[Row]:
    """Gains of the subsonic filter, and what it leaves of an offset."""
    for hz, asked_db in SUBSONIC_DB.items():
        out = process(sine(hz, 0.0, 4 * RATE_HZ, RATE_HZ), RATE_HZ, SubsonicSettings())[2 * RATE_HZ :, 0]
        gain_db = level_db(tone_and_rest(out, hz, RATE_HZ)[0] * np.sqrt(2.0))
        yield Row(f"subsonic, cutoff 16 Hz: gain at {hz:g} Hz", f"{asked_db:.2f} dB", f"{gain_db:.2f} dB")
    offset = np.full((RATE_HZ, 1), 0.1)
    known = np.abs(process(offset, RATE_HZ, SubsonicSettings(offset_ratio=(0.1,)))).max()
    yield Row("subsonic, an offset that it was told of: most that is left", "none", f"{known:g}")
    for path in sys.argv[1:]:
        sound, rate_hz = soundfile.read(path, frames=30 * RATE_HZ, always_2d=True)
        peaks = [np.abs(one).max() for one in (sound, process(sound, rate_hz, SubsonicSettings()))]
        yield Row(
            f"subsonic, {path.rpartition('/')[2]}: change of the peak", "", f"{level_db(peaks[1] / peaks[0]):+.1f} dB"
        )


def compressed() -> Iterator[Row]:
    """Gain of steady tones, and what is added to them."""
    for over_db, asked_db in ((-6.0, 0.0), (0.0, -0.5), (6.0, -4.0), (12.0, -8.0)):
        gain_db, _ = gain_and_rest_db(997.0, over_db)
        yield Row(f"compressor, ratio 3, knee 6 dB: {over_db:+g} dB over", f"{asked_db:.1f} dB", f"{gain_db:.2f} dB")
    for hz in TONES_HZ:
        yield Row(
            f"compressor: THD+N of {hz:g} Hz, 12 dB over at ratio 3", "", f"{gain_and_rest_db(hz, 12.0)[1]:.0f} dB"
        )


def gain_and_rest_db(hz: float, over_db: float) -> tuple[float, float]:
    """Of the compressor, from the third second on."""
    settings = CompressorSettings(threshold_dbfs=-20.0, compression_ratio=3.0)
    tone = sine(hz, over_db - 20.0, 4 * RATE_HZ, RATE_HZ)
    level, rest = tone_and_rest(process(tone, RATE_HZ, settings)[2 * RATE_HZ :, 0], hz, RATE_HZ)
    gain, rest_db = level_db(np.array([level * np.sqrt(2.0), rest / level]))
    return float(gain - over_db + 20.0), float(rest_db)


def dither() -> Iterator[Row]:
    """The error of rounding to 16 bits."""
    sound = noise(12 * RATE_HZ)
    error = steps(sound) - sound * 2.0**15
    yield Row("dither, 16 bit: error variance", "0.25 LSB^2 within 1 %", f"{error.var():.4f} LSB^2")
    yield Row("dither, 16 bit: mean error", "0.005 LSB", f"{abs(error.mean()):.4f} LSB")
    over_db = highest_harmonic_db()
    yield Row("dither, 16 bit: harmonics of 1 kHz at -100 dBFS over the noise, 16 spectra", "6 dB", f"{over_db:.1f} dB")


def highest_harmonic_db() -> float:
    """The highest bin around a harmonic over the median bin; noise alone exceeds 6 dB once in 1e9 bins."""
    frames, rate_hz = 1 << 16, 48_000
    line = steps(sine(1000.0, -100.0, 16 * frames, rate_hz)).reshape(16, frames)
    power = np.square(np.abs(np.fft.rfft(line * np.hanning(frames), axis=1))).mean(axis=0)
    harmonics = [power[round(k * 1000.0 / rate_hz * frames) + np.arange(-2, 3)].max() for k in range(2, 23)]
    return float(10.0 * np.log10(max(harmonics) / np.median(power)))


def steps(sound: Audio) -> Floats:
    """Rounded to 16 bits, in steps of the last."""
    return Quantiser(QuantiserSettings(bits=16, seed=1), sound.shape[1]).push(sound).astype(np.float64)


def tones_limited() -> Iterator[Row]:
    """THD+N of tones 6 dB over the ceiling."""
    for hz, asked in zip(TONES_HZ, (-60, -80, -100), strict=True):
        measured = distortion_db(hz, LimiterSettings(ceiling_dbtp=CEILING_DBTP))
        yield Row(f"limiter: THD+N of {hz:g} Hz, 6 dB into it", f"{asked} dB", f"{measured:.0f} dB")


def peaks_limited() -> Iterator[Row]:
    """What comes out over the ceiling, the worst of all drives up to 20 dB."""
    for name, sound, rate_hz in signals(sys.argv[1:]):
        overs = np.array([overs_db(faded(sound, rate_hz), rate_hz, drive_db) for drive_db in DRIVES_DB])
        samples_db, between_db = overs.max(axis=0)
        figure = f"limiter, {name.rpartition('/')[2]}: samples over / true peak over"
        yield Row(figure, "0.00 / 0.05 dB", f"{samples_db:+.2f} / {between_db:+.2f} dB")


def speeds() -> Iterator[Row]:
    """Nanoseconds per sample and channel in stereo: processor time of one core, the best of three runs."""
    sound = dark_noise(SPEED_FRAMES)
    starts: dict[str, Callable[[], Pushed]] = {
        name: partial(start_stage, settings, RATE_HZ, 2) for name, settings in BUSY.items()
    }
    for shaping in get_args(Shaping):
        settings = QuantiserSettings(bits=16, shaping=shaping)
        starts[f"quantiser, {shaping}"] = partial(Quantiser, settings, 2, RATE_HZ)
    for name, start in starts.items():
        heard = np.clip(sound, -CLIP_RATIO, CLIP_RATIO) if name == CLIPPED else sound
        yield Row(f"{name}: ns per sample and channel", "", f"{cost_ns(start, heard):.1f}")


def cost_ns(start: Callable[[], Pushed], sound: Audio) -> float:
    """Of a stage, started anew for each run; the first run also compiles."""
    taken_s = []
    for _ in range(TRIES):
        stage, started = start(), time.process_time()
        for at in range(0, len(sound), BLOCK_FRAMES):
            stage.push(sound[at : at + BLOCK_FRAMES])
        taken_s.append(time.process_time() - started)
    return 1e9 * min(taken_s) / sound.size


def dark_noise(frames: int) -> Audio:
    """Noise at -20 dBFS that falls by 6 dB per octave from 400 Hz on, more or less as music does."""
    sound = lfilter([1.0], [1.0, -0.95], noise(frames), axis=0)
    return np.asarray(0.1 * sound / sound.std())


def noise(frames: int) -> Audio:
    """White noise at -20 dBFS, two channels of their own."""
    return np.random.default_rng(1).standard_normal((frames, 2)) * 0.1


def sine(hz: float, level_dbfs: float, frames: int, rate_hz: int) -> Audio:
    """One channel."""
    return np.asarray(to_gain(level_dbfs) * np.sin(2.0 * np.pi * hz / rate_hz * np.arange(frames))[:, None])


if __name__ == "__main__":
    main()
