"""Measures of a reverb from what it makes of clicks: decay, density of echoes, and modes that ring."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import maximum_filter1d, median_filter
from scipy.signal import butter, sosfilt, sosfreqz

from dsp.audio import Audio, Floats
from dsp.mixing.reverb import Reverb, decay_s
from dsp.settings import ReverbSettings

OCTAVES_HZ = (125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0)
FROM_DB, TO_DB = -5.0, -35.0
"""Of the energy still to come: T30 (ISO 3382-1)."""
DENSITY_WINDOW_S = 0.02
GAUSSIAN_SHARE = 0.3173
"""Of a normal distribution outside of one standard deviation (Abel and Huang, 121st AES Convention, 2006)."""
MODE_LINES, NEIGHBOURS_HZ = 5, 100.0
"""A mode is as wide as the window makes it: four lines, of a window of half a decay."""


def opened(decay_s: float, **others: float) -> ReverbSettings:
    """A room without pre-delay, its cuts open as far as they go: what measures of the room itself are made with."""
    wide = {"predelay_s": 0.0, "low_cut_hz": 20.0, "high_cut_hz": 20_000.0, **others}
    return ReverbSettings(decay_s=decay_s, **wide)


@lru_cache(maxsize=32)
def responses(settings: ReverbSettings, rate_hz: int, seconds: float) -> Audio:
    """(frames, 4): what both ears hear of a click on the left, and of one on the right."""
    heard = []
    for side in range(2):
        click = np.zeros((round(seconds * rate_hz), 2))
        click[0, side] = 1.0
        heard.append(Reverb(settings, rate_hz).push(click))
    return np.concatenate(heard, axis=1)


def octave(hz: float, rate_hz: int) -> Floats:
    """A filter that passes an octave."""
    top_hz = min(hz * np.sqrt(2.0), 0.49 * rate_hz)
    return np.asarray(butter(4, (hz / np.sqrt(2.0), top_hz), "bandpass", fs=rate_hz, output="sos"))


def measured_decay_s(heard: Audio, hz: float, rate_hz: int) -> float:
    """T30 of an octave, from the energy of all responses together."""
    power = np.square(sosfilt(octave(hz, rate_hz), heard, axis=0)).sum(axis=1)
    return _slope_s(np.cumsum(power[::-1])[::-1], 1.0 / rate_hz)


def wanted_decay_s(settings: ReverbSettings, hz: float, rate_hz: int) -> float:
    """T30 of an octave in which every frequency falls in exactly its own time: the slow ones remain."""
    freqs_hz = np.linspace(hz / 1.7, min(1.7 * hz, 0.499 * rate_hz), 400)
    passed = np.abs(sosfreqz(octave(hz, rate_hz), freqs_hz, fs=rate_hz)[1]) ** 2
    decays_s = np.array([decay_s(settings, freq_hz) for freq_hz in freqs_hz])
    time_s = np.linspace(0.0, 1.5 * settings.decay_s, 2_000)
    energy = (passed * decays_s * 10.0 ** (-6.0 * time_s[:, None] / decays_s)).sum(axis=1)
    return _slope_s(energy, time_s[1])


def echo_density(line: Floats, rate_hz: int, at_s: float) -> float:
    """Share of samples around a moment beyond their standard deviation, over that of noise: 1 is as dense as noise."""
    half, at = round(DENSITY_WINDOW_S * rate_hz / 2.0), round(at_s * rate_hz)
    around = line[at - half : at + half + 1]
    weights = np.hanning(len(around))
    weights /= weights.sum()
    beyond = np.abs(around) > np.sqrt((weights * np.square(around)).sum())
    return float((weights * beyond).sum() / GAUSSIAN_SHARE)


def ringing_db(heard: Audio, rate_hz: int, decay_s: float) -> float:
    """By how much a mode stands out more from its neighbours when all has fallen by 60 dB than it did; worst, 100 Hz to 8 kHz."""
    early, late = (_over_neighbours(heard, rate_hz, decay_s, start) for start in (0.25, 1.25))
    before = np.maximum(1.0, maximum_filter1d(early, MODE_LINES))
    step_hz = 2.0 / decay_s
    inside = slice(round(100.0 / step_hz), round(8_000.0 / step_hz))
    return float(10.0 * np.log10((late / before)[inside].max()))


def _over_neighbours(heard: Audio, rate_hz: int, decay_s: float, start: float) -> Floats:
    """Power around each line of the spectrum over the median of its neighbours, of half a decay from a moment on (in decays)."""
    frames = round(0.5 * decay_s * rate_hz)
    stretch = heard[round(start * decay_s * rate_hz) :][:frames] * np.hanning(frames)[:, None]
    power = np.square(np.abs(np.fft.rfft(stretch, axis=0))).sum(axis=1)
    power = np.convolve(power, np.full(MODE_LINES, 1.0 / MODE_LINES), "same")
    return np.asarray(power / median_filter(power, 2 * round(NEIGHBOURS_HZ * frames / rate_hz / 2.0) + 1))


def _slope_s(energy: Floats, step_s: float) -> float:
    levels_db = 10.0 * np.log10(np.maximum(energy / energy[0], 1e-30))
    first, last = (int(np.argmax(levels_db < level_db)) for level_db in (FROM_DB, TO_DB))
    slope = np.polyfit(step_s * np.arange(first, last), levels_db[first:last], 1)[0]
    return float(-60.0 / slope)
