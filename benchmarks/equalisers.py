#!/usr/bin/env python3
"""Prints the figures of the equalisers: error of curve and of arithmetic, what is found to sizzle, and time.

usage: equalisers.py [AUDIO ...]    (files through which the de-esser is run, to see how often it takes cymbals for voices)
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import get_args

import numpy as np
import soundfile
from scipy.signal import fftconvolve

from dsp.audio import Audio, Floats
from dsp.biquad import gain_db
from dsp.chain import start_stage
from dsp.de_esser import DeEsser
from dsp.equaliser import impulse_response
from dsp.parametric import analogue, filters
from dsp.settings import (
    Band,
    DeEsserSettings,
    DynamicBand,
    DynamicEqualiserSettings,
    EqualiserSettings,
    ParametricSettings,
    Settings,
)
from dsp.settings.tone import BandKind

RATE_HZ = 44_100
CURVE = EqualiserSettings(
    freqs_hz=(31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0),
    gains_db=(0.6, 1.0, 0.8, 0.3, 0.0, -0.2, -0.5, -0.2, 0.3, 0.8),
)
FREQS_HZ = (20.0, 100.0, 1000.0, 4000.0, 8000.0, 12_000.0, 16_000.0, 18_000.0, 20_000.0)


def main() -> None:
    """All figures."""
    print_curve()
    print_shapes()
    print_times()
    for path in sys.argv[1:]:
        print_sibilants(path)


def print_curve() -> None:
    """How far curve and convolution are from what was asked."""
    noise = np.random.default_rng(1).standard_normal((10 * RATE_HZ, 1)) * 0.1
    for settings in (CURVE, replace(CURVE, phase="minimum")):
        response = impulse_response(settings, RATE_HZ)
        gains_db = 20.0 * np.log10(np.abs(np.fft.rfft(response, 1 << 18)))
        freqs_hz = np.arange(len(gains_db)) * RATE_HZ / (1 << 18)
        heard = (freqs_hz >= 20.0) & (freqs_hz <= 20_000.0)
        wanted_db = np.interp(np.log(freqs_hz[heard]), np.log(settings.freqs_hz), settings.gains_db)
        lead = len(response) // 2 if settings.phase == "linear" else 0
        error = through(settings, noise)[0][:, 0] - fftconvolve(noise[:, 0], response)[lead : lead + len(noise)]
        error_db = 10.0 * np.log10(np.square(error).mean() / np.square(noise).mean())
        curve_db = np.abs(gains_db[heard] - wanted_db).max()
        print(f"equaliser, {settings.phase}: curve within {curve_db:.3f} dB, arithmetic {error_db:.0f} dB")


def print_shapes() -> None:
    """How far each kind of band is from its analogue model up to 20 kHz."""
    for kind in get_args(BandKind):
        for most_db in (6.0, 18.0) if kind not in ("highpass", "lowpass") else (0.0,):
            worst_db = max(
                shape_error_db(kind, most_db, quality, hz) for quality in (0.3, 0.7071, 1.0) for hz in FREQS_HZ
            )
            print(f"parametric, {kind} of {most_db:g} dB: within {worst_db:.3f} dB of its model")


def shape_error_db(kind: BandKind, most_db: float, quality_ratio: float, freq_hz: float) -> float:
    """For a boost; a cut is its inverse. A high-pass is held to 2 kHz, others to 20 kHz and -40 dB."""
    band = Band(kind=kind, freq_hz=min(freq_hz, 2000.0) if kind == "highpass" else freq_hz, gain_db=most_db)
    band = replace(band, quality_ratio=quality_ratio)
    freqs_hz = np.geomspace(5.0, 20_000.0, 1000)
    model_db = 10.0 * np.log10(analogue(kind, most_db, quality_ratio).power(freqs_hz / band.freq_hz))
    found_db: Floats = gain_db(filters(ParametricSettings(bands=(band,)), RATE_HZ)[0], freqs_hz, RATE_HZ)
    return float(np.abs(found_db - model_db)[model_db > -40.0].max(initial=0.0))


def print_times() -> None:
    """Nanoseconds per sample and channel, the best of five."""
    bell = Band(kind="bell", freq_hz=1000.0, gain_db=2.0)
    ringing = DynamicBand(freq_hz=3000.0, threshold_db=-80.0)
    timed: dict[str, tuple[Settings, int]] = {
        "equaliser": (CURVE, 1),
        "equaliser, middle and side": (replace(CURVE, side_gains_db=CURVE.gains_db), 1),
        "parametric, per band of 8": (ParametricSettings(bands=(bell,) * 8), 8),
        "dynamic equaliser, per band of 8, all at work": (DynamicEqualiserSettings(bands=(ringing,) * 8), 8),
        "dynamic equaliser, per band of 8, at rest": (
            DynamicEqualiserSettings(bands=(replace(ringing, threshold_db=0.0),) * 8),
            8,
        ),
        "de-esser": (DeEsserSettings(), 1),
    }
    for rate_hz in (44_100, 96_000, 192_000):
        for name, (settings, parts) in timed.items():
            for channels in (1, 2):
                noise = np.random.default_rng(1).standard_normal((1 << 21, channels)) * 0.05
                seconds = min(through(settings, noise, rate_hz)[1] for _ in range(5))
                print(f"{name}, {rate_hz} Hz, channels: {channels}: {seconds / noise.size / parts * 1e9:.1f} ns")


def through(settings: Settings, audio: Audio, rate_hz: int = RATE_HZ) -> tuple[Audio, float]:
    """The audio through a stage in blocks of 65,536 frames, and how long that took."""
    stage = start_stage(settings, rate_hz, audio.shape[1])
    start = time.process_time()
    out = [*(stage.push(audio[at : at + 65_536]) for at in range(0, len(audio), 65_536)), stage.finish()]
    return np.concatenate(out), time.process_time() - start


def print_sibilants(path: str) -> None:
    """Share of 30 s, in steps of 10 ms, that the de-esser changes by over 0.5 dB, and its deepest cut."""
    rate_hz = soundfile.info(path).samplerate
    audio = soundfile.read(path, frames=30 * rate_hz, start=30 * rate_hz, always_2d=True)[0]
    stage = DeEsser(DeEsserSettings(), rate_hz, audio.shape[1])
    powers = [
        np.add.reduceat(np.square(one).sum(axis=1), np.arange(0, len(one), rate_hz // 100))
        for one in (audio, stage.push(audio) - audio)
    ]
    changed = (powers[1] > (1.0 - 10.0 ** (-0.5 / 20.0)) ** 2 * powers[0]).mean()
    print(f"de-esser, {path}: {100.0 * changed:.1f} % of the time, at most {stage.max_reductions_db[0]:.1f} dB")


if __name__ == "__main__":
    main()
