#!/usr/bin/env python3
"""Prints what the band-wise processors do to test signals, and what they cost (processor time of one core).

usage: bandwise.py
"""

from __future__ import annotations

import time

import numpy as np

from dsp.audio import Audio, Floats, to_gain
from dsp.chain import process, start_stage
from dsp.settings import (
    BandDynamics,
    ExpanderSettings,
    ImagerSettings,
    LowEndFocusSettings,
    MultibandSettings,
    Settings,
    TransientSettings,
)
from dsp.splitter import BandSplitter, band_responses

RATE_HZ = 48_000
EDGES_HZ = (120.0, 1000.0, 5000.0)
DENSE = BandDynamics(threshold_dbfs=-20.0, compression_ratio=2.0)
LIFTED = BandDynamics(lift_threshold_dbfs=-30.0, lift_ratio=2.0, max_lift_db=8.0, lift_floor_dbfs=-60.0)
SPEED_S, BLOCK_FRAMES = 30, 8_192
SPEEDS: dict[str, Settings] = {
    "multiband, 4 bands busy": MultibandSettings(edges_hz=EDGES_HZ, bands=(DENSE,) * 4),
    "multiband, 1 of 4 busy": MultibandSettings(edges_hz=EDGES_HZ, bands=(DENSE, *[BandDynamics()] * 3)),
    "expander, open": ExpanderSettings(threshold_dbfs=-60.0),
    "expander, closed": ExpanderSettings(threshold_dbfs=0.0),
    "transients": TransientSettings(attack_db=6.0),
    "low-end focus": LowEndFocusSettings(contrast_db=6.0),
    "imager, 4 bands": ImagerSettings(edges_hz=EDGES_HZ, widths_ratio=(0.5, 0.8, 1.0, 1.3)),
    "imager, 4 bands, 2 given back": ImagerSettings(
        edges_hz=EDGES_HZ, widths_ratio=(0.5, 0.8, 1.0, 1.3), recover_ratio=1.0
    ),
}


def main() -> None:
    """One section for each processor."""
    for section in (splitter, multiband, expander, transients, imager, speeds):
        print(f"\n{section.__name__}")
        section()


def splitter() -> None:
    """Sum, null, slopes and ringing of the bands."""
    responses = band_responses((1000.0,), RATE_HZ, 1 << 16)
    for octaves in (-1.0, -0.5, 0.0, 0.5, 1.0):
        bin_number = round(1000.0 * 2.0**octaves / RATE_HZ * (1 << 16))
        low_db, high_db = level_db(np.abs(responses[:, bin_number]))
        print(f"  {octaves:+4.1f} octaves from the edge: low {low_db:6.1f} dB, high {high_db:6.1f} dB")
    print(f"  sum of 4 bands: flat within {flatness_db():.1e} dB")
    print(f"  sum of 4 bands less the sound, noise at -20 dBFS: {split_error_dbfs():.1f} dBFS")
    ringing = level_db(np.abs(np.fft.irfft(responses[0]))[: RATE_HZ // 200])
    period = RATE_HZ // 1000
    for periods in (0.5, 1.0, 1.5):
        before = ringing[round(periods * period) :].max() - ringing[0]
        print(f"  {periods} periods before a click, and earlier: {before:.1f} dB")


def flatness_db() -> float:
    """How far the sum of four bands is from flat."""
    return float(np.abs(level_db(band_responses(EDGES_HZ, RATE_HZ, 1 << 16).sum(axis=0))).max())


def split_error_dbfs() -> float:
    """The largest value of what the sum of four bands of noise at -20 dBFS leaves of it."""
    noise = np.random.default_rng(1).standard_normal((5 * RATE_HZ, 2)) * 0.1
    stage = BandSplitter(EDGES_HZ, RATE_HZ, 2)
    rests = [split.audio - split.bands.sum(axis=0).T for part in (stage.push(noise), stage.finish()) for split in part]
    return float(level_db(np.abs(np.concatenate(rests)).max()))


def multiband() -> None:
    """Gain and distortion of tones, and the release."""
    settings = MultibandSettings(edges_hz=(5000.0,), bands=(DENSE, BandDynamics()))
    for hz in (50.0, 100.0, 997.0):
        audio = sine(hz, -14.0)
        gain, distortion_db = against(audio, process(audio, RATE_HZ, settings), hz)
        print(f"  {hz:6.0f} Hz 6 dB over at ratio 2: {gain:+.2f} dB, THD+N {distortion_db:.1f} dB")
    lifting = MultibandSettings(edges_hz=(5000.0,), bands=(LIFTED, BandDynamics()))
    for level_dbfs in (-20.0, -40.0, -50.0, -55.0, -60.0):
        audio = sine(400.0, level_dbfs)
        print(f"  lift at {level_dbfs:.0f} dBFS: {against(audio, process(audio, RATE_HZ, lifting), 400.0)[0]:+.2f} dB")


def expander() -> None:
    """Gain of steady tones around the threshold."""
    settings = ExpanderSettings(threshold_dbfs=-40.0, range_db=20.0)
    for level_dbfs in (-37.0, -40.0, -43.0, -50.0, -70.0):
        audio = sine(997.0, level_dbfs)
        print(f"  {level_dbfs:.0f} dBFS: {against(audio, process(audio, RATE_HZ, settings), 997.0)[0]:+.2f} dB")


def transients() -> None:
    """Gain of a drum hit over time at two levels."""
    time_s = np.arange(RATE_HZ) / RATE_HZ
    hit = (np.exp(-time_s / 0.1) * np.cos(2.0 * np.pi * 200.0 * time_s))[:, None]
    hit = np.concatenate([np.zeros((RATE_HZ // 2, 1)), hit, np.zeros((RATE_HZ // 2, 1))])
    settings = TransientSettings(attack_db=6.0, sustain_db=-6.0)
    for level_dbfs in (0.0, -30.0):
        out = process(hit * to_gain(level_dbfs), RATE_HZ, settings) / to_gain(level_dbfs)
        parts = [slice(RATE_HZ // 2 + at * 48, RATE_HZ // 2 + (at + 5) * 48) for at in (0, 5, 15, 30, 60, 120, 240)]
        gains = [10.0 * np.log10(np.square(out[part]).mean() / np.square(hit[part]).mean()) for part in parts]
        print(f"  hit at {level_dbfs:+.0f} dBFS, after 0 5 15 30 60 120 240 ms:", *(f"{gain:+.2f}" for gain in gains))


def imager() -> None:
    """Width of tones by band."""
    settings = ImagerSettings(edges_hz=(200.0, 2000.0), widths_ratio=(0.5, 1.0, 1.5), mono_below_hz=80.0)
    for hz in (40.0, 57.0, 120.0, 600.0, 8000.0):
        side = sine(hz, -20.0)
        out = process(np.concatenate([side, -side], axis=1), RATE_HZ, settings)
        print(f"  side at {hz:6.0f} Hz: {against(side, out[:, :1], hz)[0]:+.2f} dB")


def speeds() -> None:
    """Nanoseconds per sample and channel, stereo, the second of two runs."""
    noise = np.random.default_rng(1).standard_normal((SPEED_S * RATE_HZ, 2)) * 0.1
    for edges_hz in ((120.0,), EDGES_HZ, (50.0, 120.0, 500.0, 2000.0, 8000.0)):
        for _ in range(2):
            split, started = BandSplitter(edges_hz, RATE_HZ, 2), time.process_time()
            for at in range(0, len(noise), BLOCK_FRAMES):
                sum(1 for _ in split.push(noise[at : at + BLOCK_FRAMES]))
            taken_s = time.process_time() - started
        print(f"  split, {len(edges_hz)} edges: {1e9 * taken_s / noise.size:.1f} ns")
    for name, settings in SPEEDS.items():
        for _ in range(2):
            stage, started = start_stage(settings, RATE_HZ, 2), time.process_time()
            for at in range(0, len(noise), BLOCK_FRAMES):
                stage.push(noise[at : at + BLOCK_FRAMES])
            taken_s = time.process_time() - started
        print(f"  {name}: {1e9 * taken_s / noise.size:.1f} ns, latency {stage.latency} frames")


def sine(hz: float, level_dbfs: float) -> Audio:
    """Five seconds of one channel."""
    return np.asarray(to_gain(level_dbfs) * np.sin(2.0 * np.pi * hz / RATE_HZ * np.arange(5 * RATE_HZ))[:, None])


def against(audio: Audio, out: Audio, hz: float) -> tuple[float, float]:
    """Gain of a steady tone in its fourth second, and THD+N, in dB."""
    before, _ = tone_and_rest(audio[3 * RATE_HZ : 4 * RATE_HZ, 0], hz, RATE_HZ)
    after, rest = tone_and_rest(out[3 * RATE_HZ : 4 * RATE_HZ, 0], hz, RATE_HZ)
    gain, distortion = level_db(np.array([after / before, rest / after]))
    return float(gain), float(distortion)


def tone_and_rest(line: Floats, hz: float, rate_hz: int) -> tuple[float, float]:
    """Rms of the tone in a line (least squares), and of everything else."""
    angle = 2.0 * np.pi * hz / rate_hz * np.arange(len(line))
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    tone = waves @ np.linalg.lstsq(waves, line, rcond=None)[0]
    return float(np.sqrt(np.square(tone).mean())), float(np.sqrt(np.square(line - tone).mean()))


def level_db(ratios: Floats) -> Floats:
    """20 log10."""
    return np.asarray(20.0 * np.log10(np.maximum(ratios, 1e-12)))


if __name__ == "__main__":
    main()
