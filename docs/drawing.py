"""What the plots share: axes, test sounds whose level is known at every moment, and measures of what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.signal import butter, hilbert, sosfilt, sosfiltfilt

from dsp.audio import Audio, Floats, to_gain
from dsp.chain import process
from dsp.saturation import curve
from dsp.settings import DeclipperSettings, ResamplerSettings, SaturationSettings, Settings
from dsp.settings.colour import Character
from dsp.splitter import BandSplitter

Numbers: TypeAlias = NDArray[np.floating[Any]]
STYLE: Any = {
    "svg.hashsalt": "lathe",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": "cycler('color', ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'])",
    "grid.color": "#dddddd",
    "lines.linewidth": 1.3,
    "legend.framealpha": 0.8,
}
"""Colours after Okabe and Ito, which every eye tells apart; white behind, so that a plot is read on a dark page too."""
GREY = "#888888"
RATE_HZ, CD_HZ = 48_000, 44_100
POINTS = 400
"""A line has no more: a plot stays small enough to be kept in the repository."""
LOWEST_DB = -300.0
TICKS_HZ = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


def panels(*titles: str) -> tuple[Figure, list[Axes]]:
    """A figure with axes side by side, one for each title."""
    width = 8.4 if len(titles) < 3 else 10.5
    figure = Figure(figsize=(width, 3.2), layout="constrained")
    every = [figure.add_subplot(1, len(titles), number + 1) for number in range(len(titles))]
    for axes, title in zip(every, titles, strict=True):
        axes.set_title(title, loc="left")
    return figure, every


def line(axes: Axes, x: Numbers, y: Numbers, name: str | None = None, **style: Any) -> None:
    """A line, thinned out."""
    every = -(-len(x) // POINTS)
    axes.plot(x[::every], y[::every], label=name, **style)


def over_frequency(axes: Axes, what: str, low: float, high: float, low_hz: int = 20, high_hz: int = 20_000) -> None:
    """A logarithmic axis of frequency, and an axis of levels."""
    axes.set(xscale="log", xlabel="frequency, Hz", ylabel=what, xlim=(low_hz, high_hz), ylim=(low, high))
    frequency_ticks(axes, [hz for hz in TICKS_HZ if low_hz <= hz <= high_hz])


def frequency_ticks(axes: Axes, freqs_hz: Sequence[int]) -> None:
    """Only these, in short."""
    axes.set_xticks(freqs_hz, [f"{hz // 1000}k" if hz >= 1000 else f"{hz}" for hz in freqs_hz])
    axes.set_xticks([], minor=True)


def static_curve(axes: Axes, settings: Settings, levels_dbfs: Floats) -> None:
    """Levels that come out of steady tones."""
    out = [radius_db(process(turning(np.full(RATE_HZ, one)), RATE_HZ, settings))[-4_800:].mean() for one in levels_dbfs]
    axes.plot(levels_dbfs, levels_dbfs, color=GREY, ls="--", lw=1.0)
    axes.plot(levels_dbfs, out)
    axes.set(xlabel="level in, dBFS", ylabel="level out, dBFS")


def around_time(axes: Axes, time_s: Floats, levels_db: Floats, settings: Settings) -> None:
    """The level of a tone before and after, and the gain between."""
    tone = turning(levels_db)
    after_db = radius_db(process(tone, RATE_HZ, settings))
    line(axes, time_s, levels_db, "level in, dBFS", color=GREY, ls="--")
    line(axes, time_s, after_db, "level out, dBFS")
    line(axes, time_s, after_db - levels_db, "gain, dB")
    axes.set_ylabel("dB")
    axes.legend(loc="best")


def level_db(ratios: Floats) -> Floats:
    """20 log10, from a floor on."""
    return np.asarray(20.0 * np.log10(np.maximum(ratios, to_gain(LOWEST_DB))))


def turning(levels_db: Floats, hz: float = 997.0) -> Audio:
    """A tone whose two channels are a quarter of a period apart: the radius is its level at every moment."""
    angle = 2.0 * np.pi * hz * np.arange(len(levels_db)) / RATE_HZ
    return np.asarray(10.0 ** (levels_db[:, None] / 20.0) * np.stack([np.cos(angle), np.sin(angle)], axis=1))


def turned(sound: Floats) -> Audio:
    """Any sound and its Hilbert transform as two channels, for the same purpose."""
    whole = hilbert(sound)
    return np.stack([whole.real, whole.imag], axis=1)


def radius_db(audio: Audio) -> Floats:
    """Level of two channels that turn."""
    return level_db(np.hypot(*audio.T))


def click(frames: int, channels: Sequence[float] = (1.0,)) -> Audio:
    """One frame of these values in the middle of silence."""
    audio = np.zeros((frames, len(channels)))
    audio[frames // 2] = channels
    return audio


def gain_db(settings: Settings, freqs_hz: Floats, rate_hz: int = RATE_HZ, channels: Sequence[float] = (1.0,)) -> Floats:
    """Gain of a processor that is a filter, from what it makes of a click."""
    return spectrum_db(process(click(1 << 18, channels), rate_hz, settings)[:, 0], freqs_hz, rate_hz)


def spectrum_db(response: Floats, freqs_hz: Floats, rate_hz: int = RATE_HZ) -> Floats:
    """Gain of a response at these frequencies."""
    gains = np.abs(np.fft.rfft(response))
    return level_db(np.interp(freqs_hz, np.fft.rfftfreq(len(response), 1.0 / rate_hz), gains))


def bands_of_a_click(edges_hz: tuple[float, ...]) -> Floats:
    """What the splitter makes of a click: (bands, frames)."""
    stage, audio = BandSplitter(edges_hz, RATE_HZ, 1), click(1 << 18)
    parts = [split.bands[:, 0].copy() for split in stage.push(audio)]
    return np.concatenate([*parts, *(split.bands[:, 0].copy() for split in stage.finish())], axis=1).astype(np.float64)


def tops(levels: Floats, low_hz: int, high_hz: int) -> tuple[Floats, Floats]:
    """The largest of a spectrum of whole Hz within each step of a logarithmic axis, and where it lies."""
    edges = np.unique(np.geomspace(low_hz, high_hz, POINTS).round().astype(int))
    highest = np.maximum.reduceat(levels[:high_hz], edges[:-1])
    return np.sqrt(edges[:-1] * (edges[1:] - 1.0)), highest


def band_level_db(audio: Audio, low_hz: float, high_hz: float) -> Floats:
    """Level of a band in steps of 10 ms."""
    band = sosfiltfilt(butter(4, (low_hz, high_hz), "bandpass", fs=RATE_HZ, output="sos"), audio[:, 0])
    return np.asarray(10.0 * np.log10(np.square(band).reshape(-1, RATE_HZ // 100).mean(axis=1) + 1e-10))


def vowel() -> Audio:
    """0.2 s of a buzz of 150 Hz through three formants of an a."""
    time_s = np.arange(RATE_HZ // 5) / RATE_HZ
    formants = ((700.0, 1.0), (1_200.0, 0.5), (2_600.0, 0.1))
    weights = [sum(height / (1.0 + ((150.0 * k - hz) / 120.0) ** 2) for hz, height in formants) for k in range(1, 40)]
    waves = [weight * np.sin(2.0 * np.pi * 150.0 * k * time_s + k * k) for k, weight in enumerate(weights, start=1)]
    return np.asarray(0.1 * np.sum(waves, axis=0) * np.hanning(len(time_s)) ** 0.25)[:, None]


def hiss(level_dbfs: float) -> Audio:
    """0.2 s of noise from 5 to 9 kHz."""
    draw = np.random.default_rng(1).standard_normal(RATE_HZ // 5)
    noise = sosfilt(butter(4, (5_000.0, 9_000.0), "bandpass", fs=RATE_HZ, output="sos"), draw)
    faded = noise * np.hanning(len(noise)) ** 0.25
    return np.asarray(to_gain(level_dbfs) * faded / faded.std())[:, None]


def chords() -> Audio:
    """Two seconds of something like music: notes with overtones, and a little noise."""
    draw, time_s = np.random.default_rng(4), np.arange(2 * CD_HZ) / CD_HZ
    sound = 0.01 * draw.standard_normal(len(time_s))
    for start_s in np.arange(0.0, 2.0, 0.25):
        after_s = np.maximum(time_s - start_s, 0.0)
        for root_hz in 110.0 * 2.0 ** (draw.integers(0, 30, 3) / 12.0):
            for k in range(1, 12):
                wave = np.sin(2.0 * np.pi * root_hz * k * after_s * draw.uniform(0.999, 1.001))
                sound += wave * np.exp(-(3.0 + k) * after_s) * np.minimum(1.0, after_s / 0.01) / k
    return sound[:, None]


def drums() -> Floats:
    """Two seconds of bass drum, hi-hat and a chord, up to 9 dB over full scale."""
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    beat_s, half_s = time_s % 0.5, time_s % 0.25
    drum = np.sin(2.0 * np.pi * (60.0 * beat_s + 4.0 * (1.0 - np.exp(-beat_s / 0.03)))) * np.exp(-beat_s / 0.12)
    hat = np.random.default_rng(1).standard_normal(len(time_s)) * np.exp(-half_s / 0.02)
    chord = sum(np.sin(2.0 * np.pi * hz * time_s) for hz in (220.0, 277.2, 329.6))
    sound = drum + 0.03 * hat + 0.12 * chord
    return np.asarray(to_gain(9.0) * sound / np.abs(sound).max())


def curve_of(character: Character) -> tuple[Floats, Floats]:
    """What goes into a curve, and what comes out."""
    driven = np.linspace(-2.0, 2.0, 41)
    shape = curve(character)
    u = np.clip(driven / shape.limit, -1.0, 1.0)
    return driven, shape.limit * (u + np.polyval([*shape.added[::-1], 0.0, 0.0], u))


def harmonics_db(settings: SaturationSettings, level_dbfs: float) -> Floats:
    """The second to seventh harmonic of 1 kHz over the tone; none below -120 dB."""
    tone = to_gain(level_dbfs) * np.sin(2.0 * np.pi * 1000.0 * np.arange(RATE_HZ // 2) / RATE_HZ)[:, None]
    found = np.abs(np.fft.rfft(process(tone, RATE_HZ, settings)[-4_800:, 0]))[100:800:100]
    ratios = level_db(found[1:] / found[0])
    return np.where(ratios > -120.0, ratios, np.nan)


def clipped_and_restored(truth: Audio, drive_db: float) -> tuple[Audio, Audio]:
    """Sound driven over full scale: cut off there, and what the declipper makes of that."""
    clipped = np.clip(truth * to_gain(drive_db), -1.0, 1.0)
    return clipped, process(clipped, CD_HZ, DeclipperSettings(clip_dbfs=(0.0,)))


def restored(truth: Audio, drive_db: float) -> Floats:
    """Clipped samples over their error, before and after."""
    driven = truth * to_gain(drive_db)
    lost = np.abs(driven) >= 1.0
    errors = [np.square(one - driven)[lost].sum() for one in clipped_and_restored(truth, drive_db)]
    return np.asarray(10.0 * np.log10(np.square(driven)[lost].sum() / np.array(errors)))


def converted(hz: float, seconds: float = 1.0) -> Floats:
    """The middle half of a faded tone from 96 to 44.1 kHz."""
    frames = round(96_000 * seconds)
    tone = np.sin(2.0 * np.pi * hz * np.arange(frames) / 96_000)
    ramp = np.minimum(1.0, np.minimum(np.arange(frames), np.arange(frames)[::-1]) / 9_600)
    out = process((tone * ramp)[:, None], 96_000, ResamplerSettings(rate_hz=CD_HZ))[:, 0]
    return out[len(out) // 4 : -len(out) // 4]
