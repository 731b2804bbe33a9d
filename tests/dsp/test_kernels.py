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
import media
from dsp import (
    bands,
    decimator,
    fourier,
    levels,
    loudness,
    oversampling,
    side_chain,
    spectrum,
    true_peak,
    windows,
)
from dsp.audio import Floats
from media import source
from tests.dsp.detector_kernels import DETECTOR_CALLS
from tests.dsp.detector_kernels import IN_FLOAT32 as DETECTORS_IN_FLOAT32
from tests.dsp.mixing.sharing_kernels import SHARING_CALLS
from tests.dsp.processor_kernels import IN_FLOAT32 as PROCESSORS_IN_FLOAT32
from tests.dsp.processor_kernels import PROCESSOR_CALLS
from tests.dsp.stem_kernels import STEM_CALLS
from tests.dsp.strip_kernels import STRIP_CALLS

TOLERANCE = 1e-12  # of values of about 1, in float64
TOLERANCE_FLOAT32 = 1e-5  # sums of 48 products in float32, in any order

DRAW = np.random.default_rng(7)
LINE = DRAW.uniform(-1.2, 1.2, 400).astype(np.float32)
OTHER_LINE = DRAW.uniform(-1.2, 1.2, 400).astype(np.float32)
TABLE = DRAW.uniform(-1.0, 1.0, (2, 16, 16)).astype(np.float32)
INTEGERS = DRAW.integers(-(2**31), 2**31, (200, 2)).astype(np.int32)
COARSE, FINE = oversampling.interpolator(4, 24), oversampling.interpolator(32, 24)
FINE_BY_TAP = np.ascontiguousarray(FINE.folds.T)
WIDE_BY_TAP = np.ascontiguousarray(true_peak.WIDE.folds.T)
ENDS = np.array([50, 120, 200])
BRANCH = bands.BandMeter(48_000, 2)._levels[0]
PHASES = decimator.Decimator(48_000, factor=3, cutoff_hz=4_000.0, channels=1)._phases
PARTIAL = np.array([[0.1, 0.3, -0.2, 0.4], [0.2, 0.5, -0.1, 0.1]])  # sums and extremes of a tick under way

Arguments = Callable[[], list[Any]]

# Each kernel with fresh arguments; what it writes into them is compared as well as what it returns.
CALLS: dict[Any, Arguments] = {
    bands._add: lambda: [LINE, np.array([0.1, 0.2, 10.0])],
    bands._highpass: lambda: [LINE, OTHER_LINE, BRANCH.weights, np.full((2, 4), 0.1), np.ones((2, 3))],
    decimator._decimate: lambda: [
        LINE, PHASES, np.empty((3, 100 + PHASES.shape[1] - 1), np.float32), np.empty(100, np.float32),
    ],
    fourier.transform_columns: lambda: [*TABLE.copy(), fourier.turns(16)],
    fourier._cross_four: lambda: [*TABLE.copy(), 1, 4, 0.9, 0.1, 0.8, 0.2, 0.7, 0.3],
    fourier._cross_two: lambda: [*TABLE.copy(), 2],
    fourier._four_steps: lambda: [
        TABLE.copy(), np.zeros_like(TABLE), TABLE, fourier.turns(16), fourier.turns(16),
    ],
    fourier._turn: lambda: [*TABLE, *np.zeros_like(TABLE), fourier.turns(16).order],
    levels._levels: lambda: [LINE, ENDS, PARTIAL[0].copy(), np.array([0.1, 0.2, 0.3]), np.zeros((3, 4))],
    levels._cross: lambda: [LINE, OTHER_LINE, 0.25],
    loudness._still: lambda: [1e-40],
    loudness._weigh: lambda: [
        LINE, OTHER_LINE, loudness.k_weighting(48_000), np.full((2, 5), 0.1), np.array([0.2]), ENDS,
        np.zeros((2, 3)), np.zeros(3),
    ],
    oversampling.largest: lambda: [LINE],
    oversampling.interpolated_peaks: lambda: [LINE[:111], COARSE.folds, np.empty(64, np.float32)],
    oversampling.interpolated_peak: lambda: [LINE, 100, FINE_BY_TAP],
    oversampling.raise_peaks: lambda: [LINE[:255], 0.5, *side_chain.FILTERS, np.zeros(128, np.float32)],
    oversampling.treble: lambda: [LINE, oversampling.treble_filter()],
    spectrum._add_pair: lambda: [*TABLE, fourier.PairTransform(256).row_of, np.full((3, 8, 16), 0.5)],
    source._pack_three: lambda: [INTEGERS.ravel(), 8, np.empty(1_200, np.uint8)],
    true_peak._read: lambda: [LINE, 100, True, FINE_BY_TAP, WIDE_BY_TAP],
    true_peak._scan: lambda: [LINE, 2, 0.1, np.zeros(2, np.float32), *true_peak._FILTERS],
    windows._copy: lambda: [INTEGERS, 2.0**-31, np.empty((2, 200), np.float32)],
}  # fmt: skip
CALLS |= DETECTOR_CALLS | PROCESSOR_CALLS | SHARING_CALLS | STEM_CALLS | STRIP_CALLS
IN_FLOAT32 = (
    {
        decimator._decimate,
        fourier._cross_four,
        fourier._cross_two,
        fourier._four_steps,
        fourier._turn,
        fourier.transform_columns,
        oversampling.interpolated_peak,
        oversampling.interpolated_peaks,
        oversampling.raise_peaks,
        oversampling.treble,
        spectrum._add_pair,
        true_peak._read,
        true_peak._scan,
    }
    | DETECTORS_IN_FLOAT32
    | PROCESSORS_IN_FLOAT32
)


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
    tolerance = TOLERANCE_FLOAT32 if compiled in IN_FLOAT32 else TOLERANCE
    for one, other in zip(expected, results(compiled, CALLS[compiled]), strict=True):
        assert one == pytest.approx(other, abs=tolerance, rel=tolerance)


def kernels() -> set[str]:
    found = set()
    for package in (dsp, media):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Dispatcher):
                    found.add(f"{value.__module__}.{value.__name__}")
    return found


def test_every_kernel_is_held_against_its_python():
    held = {f"{kernel.__module__}.{kernel.__name__}" for kernel in CALLS}
    assert kernels() - held == set()


@pytest.mark.parametrize("seed", range(3))
def test_the_scan_for_a_true_peak_finds_what_reading_everywhere_finds(seed):
    draw = np.random.default_rng(seed).standard_normal(640) * 0.2
    line = np.convolve(draw, [0.5, 1.0, 0.5])[:640, None]  # no treble: that is read by another interpolator
    meter = true_peak.TruePeakMeter(48_000, 1)
    meter.push(line)
    padded = np.concatenate([np.zeros(24), line[:, 0], np.zeros(48)]).astype(np.float32)
    everywhere = np.empty(len(padded) - 47, np.float32)
    oversampling.interpolated_peaks(padded, FINE.folds, everywhere)
    expected = max(float(np.abs(line).max()), float(everywhere.max()))
    assert expected == pytest.approx(float(meter.finish()[0]), rel=TOLERANCE_FLOAT32)
