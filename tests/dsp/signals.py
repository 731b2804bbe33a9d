"""Signals with known answers, and independent measures to hold the meters and processors against."""

from __future__ import annotations

import numpy as np
import soxr
from scipy.signal import firwin

from dsp.audio import Audio, Floats, to_gain
from tests.makers import music, noise

EBU_HZ = 48_000
FADE_S = 0.01  # EBU Tech 3341, cases 15 to 23: fades of 10 ms


def tones(*segments: tuple[float, float | None], hz: float = 1000.0, rate_hz: int = EBU_HZ, channels: int = 2) -> Audio:
    """A sine in segments of (seconds, peak level in dBFS, None for silence), its phase running on through all."""
    ends = np.rint(np.cumsum([0.0, *(seconds for seconds, _ in segments)]) * rate_hz).astype(int)
    out = np.sin(2.0 * np.pi * hz * np.arange(ends[-1]) / rate_hz)
    for (_, level_dbfs), start, end in zip(segments, ends[:-1], ends[1:], strict=True):
        out[start:end] *= 0.0 if level_dbfs is None else to_gain(level_dbfs)
    return np.repeat(out[:, None], channels, axis=1)


def faded(audio: Audio, rate_hz: int = EBU_HZ) -> Audio:
    """The audio with a straight fade at both ends."""
    ramp = np.minimum(1.0, np.arange(len(audio)) / (FADE_S * rate_hz))
    return audio * np.minimum(ramp, ramp[::-1])[:, None]


def fraction_tone(divisor: int, phase_deg: float, amplitude: float, *, seconds: float = 0.25) -> Audio:
    """A stereo sine at a fraction of the rate: its samples miss its peaks by a known amount (Tech 3341, 15 to 19)."""
    angle = 2.0 * np.pi / divisor * np.arange(round(seconds * EBU_HZ)) + np.radians(phase_deg)
    return faded(np.repeat(amplitude * np.sin(angle)[:, None], 2, axis=1))


def burst_between_samples(offset: int, *, seconds: float = 0.25) -> Audio:
    """A tone at fs/6 with one period at fs/4 and full scale, made at 4 fs and decimated (Tech 3341, 20 to 23)."""
    frames = round(seconds * EBU_HZ) * 4
    start = frames // 2 // 24 * 24  # at an upward zero of the carrier, which stands still during the inserted period
    time = np.arange(frames)
    time = np.where(time < start, time, time - 16)
    line = to_gain(-6.0) * np.sin(2.0 * np.pi * time / 24)
    line[start : start + 16] = np.sin(2.0 * np.pi * np.arange(16) / 16)
    line = faded(line[:, None], 4 * EBU_HZ)[:, 0]
    lowpass = firwin(4001, 2 * 0.49 / 4, window=("kaiser", 12.0))  # 4001 taps reproduce EBU's files within 0.011 dB
    return np.repeat(np.convolve(line, lowpass, mode="same")[offset::4, None], 2, axis=1)


def square(hz: float, *, amplitude: float, seconds: float, rate_hz: int = EBU_HZ, channels: int = 2) -> Audio:
    """A hard-edged square wave, with all its aliases: the worst there is between two samples."""
    half_periods = np.floor(2.0 * hz * np.arange(round(seconds * rate_hz)) / rate_hz)
    return np.repeat(amplitude * np.where(half_periods % 2, -1.0, 1.0)[:, None], channels, axis=1)


def clicks(*, amplitude: float, seconds: float, rate_hz: int = EBU_HZ, channels: int = 2) -> Audio:
    """Single samples, pairs and triples of either sign over a soft bed, each channel its own."""
    out = noise(level_dbfs=-50.0, seconds=seconds, rate_hz=rate_hz, channels=channels, seed=5)
    for number, start in enumerate(range(500, len(out) - 3, 1_777)):
        out[start : start + 1 + number % 3, number % channels] = amplitude * (-1) ** (number // 2)
    return out


def programme(*, seconds: float, rate_hz: int = EBU_HZ, channels: int = 2, seed: int = 3) -> Audio:
    """Noise whose level wanders by some 20 dB over seconds, like speech and music do."""
    draw = np.random.default_rng(seed)
    frames = round(seconds * rate_hz)
    knots = draw.uniform(-32.0, -12.0, int(seconds) + 2)
    levels_db = np.interp(np.arange(frames) / rate_hz, np.arange(len(knots)), knots)
    return draw.standard_normal((frames, channels)) * (10.0 ** (levels_db / 20.0))[:, None]


def track_with_everything(channels: int = 2) -> Audio:
    """A soft start, loud music, digital silence, clipped noise and a click: drives every branch of every stage."""
    parts = [
        noise(level_dbfs=-60.0, seconds=0.1, channels=channels),
        music(level_dbfs=-6.0, seconds=0.5, channels=channels),
        np.zeros((6_000, channels)),
        np.clip(noise(level_dbfs=-3.0, seconds=0.3, channels=channels), -1.0, 1.0),
        clicks(amplitude=0.99, seconds=0.2, channels=channels),
    ]
    return np.concatenate(parts)


def true_peak_32x(audio: Audio) -> float:
    """Peak at 32 times the rate by soxr, samples included: an oracle that shares nothing with the meters."""
    edge = np.zeros((512, audio.shape[1]))
    fine = soxr.resample(np.concatenate([edge, audio, edge]), 1.0, 32.0, quality="VHQ")
    return float(max(np.abs(fine).max(), np.abs(audio).max()))


def without_tone(line: Floats, hz: float, rate_hz: int) -> tuple[Floats, float]:
    """What is left of a line when the sine of this frequency is taken out (least squares), and the sine's amplitude."""
    angle = 2.0 * np.pi * hz * np.arange(len(line)) / rate_hz
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    weights = np.linalg.lstsq(waves, line, rcond=None)[0]
    return line - waves @ weights, float(np.hypot(*weights))


def distortion_db(line: Floats, hz: float, rate_hz: int) -> float:
    """THD+N: rms of everything but the fundamental over the rms of the fundamental."""
    rest, amplitude = without_tone(line, hz, rate_hz)
    return float(20.0 * np.log10(max(np.sqrt(np.square(rest).mean()), 1e-300) / (amplitude / np.sqrt(2.0))))


def level_db(ratio: float) -> float:
    """20 log10, with silence far below everything."""
    return float(20.0 * np.log10(max(ratio, 1e-300)))


def null_db(expected: Audio, actual: Audio) -> float:
    """Peak of the difference over the peak of the expected."""
    return level_db(float(np.abs(actual - expected).max() / np.abs(expected).max()))
