"""Every compiled loop is its own plain Python: the compiler changes the speed, not the sound."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

import dsp
from dsp import compressor, levels, limiter, loudness, oversampling, quantiser, spectrum, subsonic, true_peak
from dsp.audio import Floats

TOLERANCE = 1e-12  # of values of about 1, in float64
TOLERANCE_FLOAT32 = 1e-5  # sums of 48 products in float32, in any order

DRAW = np.random.default_rng(7)
BLOCK = DRAW.uniform(-1.2, 1.2, (200, 2))
LINE = DRAW.uniform(-1.2, 1.2, 400).astype(np.float32)
COARSE, FINE = oversampling.interpolator(4, 24), oversampling.interpolator(32, 24)
FINE_BY_PHASE = np.ascontiguousarray(FINE.taps.T)
ENDS = np.array([50, 120, 200])
REDUCTION = DRAW.integers(0, 1 << 36, 200) * (DRAW.random(200) < 0.2)
BOUND = max(COARSE.bound, FINE.bound)

Arguments = Callable[[], list[Any]]

# Each kernel with fresh arguments; what it writes into them is compared as well as what it returns.
CALLS: dict[Any, Arguments] = {
    compressor._compress: lambda: [
        BLOCK, np.array([-20.0, -0.5, 6.0]), np.array([0.99, 0.999]), np.array([1.0, 0.5]), np.empty_like(BLOCK),
    ],
    levels._levels: lambda: [BLOCK, 1, np.array([0.1, 0.2, 0.3]), np.array([-0.1, 0.1]), ENDS, np.zeros((3, 2))],
    levels._cross: lambda: [BLOCK, 0.25],
    levels._flat_tops: lambda: [np.repeat(BLOCK, 3, axis=0), 0, np.array([1.0, 2.0]), np.zeros(20, np.int64)],
    limiter._wanted: lambda: [np.abs(LINE[:201]), 0.5, BLOCK, 1 << 36, np.empty(200, np.int64)],
    limiter._hold: lambda: [REDUCTION.copy(), np.zeros((2, 12), np.int64), np.zeros(4, np.int64), 0.99],
    limiter._smooth: lambda: [REDUCTION.copy(), np.zeros(32, np.int64), np.zeros(2, np.int64)],
    limiter._apply: lambda: [REDUCTION, 2.0**-37, BLOCK, np.empty_like(BLOCK), np.zeros(2)],
    loudness._weigh: lambda: [BLOCK, 0, 1, loudness.k_weighting(48_000), np.full((2, 5), 0.1), ENDS, np.zeros((2, 3))],
    oversampling.largest: lambda: [LINE],
    oversampling.interpolated_peaks: lambda: [LINE[:111], COARSE.taps, np.empty(64, np.float32)],
    oversampling.interpolated_peak: lambda: [LINE, 100, FINE_BY_PHASE],
    quantiser._triangular: lambda: [np.uint64(12_345), 678],
    quantiser._quantise: lambda: [0.8 * BLOCK, 32_768, 1.0, np.uint64(9), 11, 0, np.empty(BLOCK.shape, np.int16)],
    spectrum._copy: lambda: [BLOCK, np.empty((2, 200), np.float32)],
    spectrum._add_power: lambda: [np.fft.rfft(BLOCK.T).astype(np.complex64), np.full(101, 0.5)],
    subsonic._biquad: lambda: [
        BLOCK, 0, subsonic.butterworth_highpass(20.0, 48_000), np.array([0.1, -0.1]), np.zeros_like(BLOCK),
    ],
    true_peak._take: lambda: [BLOCK, 1, np.empty(200, np.float32), 0.4],
}  # fmt: skip
if hasattr(oversampling, "raise_peaks"):
    CALLS[oversampling.raise_peaks] = lambda: [
        LINE[:247], 0.5, COARSE.taps, FINE.taps, FINE_BY_PHASE, BOUND, np.zeros(200, np.float32),
    ]  # fmt: skip
IN_FLOAT32 = {"interpolated_peaks", "interpolated_peak", "raise_peaks", "_scan", "_add_power", "_between"}


def results(function: Callable[..., Any], arguments: Arguments) -> list[Floats]:
    """What a call returns, and the arrays that it was given as they are afterwards."""
    given = arguments()
    with np.errstate(over="ignore"):  # the hash of the dither wraps around, as it should
        returned = function(*given)
    arrays = [argument for argument in given if isinstance(argument, np.ndarray)]
    return [np.asarray(0.0 if value is None else value) for value in (returned, *arrays)]


@pytest.mark.parametrize("compiled", CALLS, ids=lambda kernel: f"{kernel.__module__}.{kernel.__name__}")
def test_a_kernel_is_its_own_python(compiled):
    expected = results(compiled.py_func, CALLS[compiled])
    tolerance = TOLERANCE_FLOAT32 if compiled.__name__ in IN_FLOAT32 else TOLERANCE
    for one, other in zip(expected, results(compiled, CALLS[compiled]), strict=True):
        assert one == pytest.approx(other, abs=tolerance, rel=tolerance)


def kernels() -> set[str]:
    found = set()
    for module in pkgutil.iter_modules(dsp.__path__, "dsp."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Dispatcher):
                found.add(f"{value.__module__}.{value.__name__}")
    return found


def test_every_kernel_is_held_against_its_python():
    held = {f"{kernel.__module__}.{kernel.__name__}" for kernel in CALLS}
    assert kernels() - held - {"dsp.true_peak._scan", "dsp.limiter._between"} == set()  # too slow; see the next test


@pytest.mark.parametrize("seed", range(3))
def test_the_scan_for_a_true_peak_finds_what_reading_everywhere_finds(seed):
    line = np.random.default_rng(seed).standard_normal((640, 1)) * 0.2
    meter = true_peak.TruePeakMeter(1)
    meter.push(line)
    padded = np.concatenate([np.zeros(24), line[:, 0], np.zeros(48)]).astype(np.float32)
    everywhere = np.empty(len(padded) - 47, np.float32)
    oversampling.interpolated_peaks(padded, FINE.taps, everywhere)
    expected = max(float(np.abs(line).max()), float(everywhere.max()))
    assert expected == pytest.approx(float(meter.finish()[0]), rel=TOLERANCE_FLOAT32)
