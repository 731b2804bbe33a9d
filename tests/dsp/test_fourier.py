"""Fourier transforms of our own: numpy's, to the rounding of float32."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.fourier import PairTransform, planes, transform_columns, turns

ROUNDING = 5e-7  # of float32 over some 16 additions, re the largest value


def spectrum_of(size: int, window: str) -> tuple[np.ndarray, np.ndarray]:
    """Ours, its frequencies in order, and numpy's, of two random rows."""
    first, second = np.random.default_rng(size).standard_normal((2, size)).astype(np.float32)
    taper = (np.hanning(size) if window == "tapered" else np.ones(size)).astype(np.float32)
    transform = PairTransform(size)
    real, imaginary = transform(first, second, taper)
    ours = np.empty(size, complex)
    ours[transform.bins] = real + 1j * imaginary
    return ours, np.fft.fft((first + 1j * second) * taper.astype(np.float64))


@pytest.mark.parametrize("window", ["plain", "tapered"])
@pytest.mark.parametrize("size", [2**power for power in range(8, 18)])
def test_a_pair_of_rows_has_the_spectrum_that_numpy_finds(size, window):
    ours, theirs = spectrum_of(size, window)
    assert np.abs(ours - theirs).max() < ROUNDING * np.abs(theirs).max()


def test_a_row_that_holds_frequencies_is_found_by_the_first_of_them():
    transform = PairTransform(2_048)
    rows = transform.bins.shape[1]
    assert [rows * k for k in range(len(transform.bins))] == transform.bins[transform.row_of, 0].tolist()


def test_the_same_object_transforms_twice_as_if_it_were_new():
    one, other = np.random.default_rng(1).standard_normal((2, 512)).astype(np.float32)
    transform, plain = PairTransform(512), np.ones(512, np.float32)
    transform(other, one, plain)
    again = [part.copy() for part in transform(one, other, plain)]
    assert np.array_equal(again, PairTransform(512)(one, other, plain))


@pytest.mark.parametrize("rows", [1, 2, 4, 8, 32, 64, 512])
@pytest.mark.parametrize("columns", [1, 3, 48])
def test_every_column_of_a_table_is_transformed_by_itself(rows, columns):
    table = planes(rows, columns)
    table[:] = np.random.default_rng(rows).standard_normal(table.shape)
    theirs = np.fft.fft(table[0] + 1j * table[1], axis=0)[turns(rows).order]
    transform_columns(table[0], table[1], turns(rows))
    assert np.abs(table[0] + 1j * table[1] - theirs).max() < ROUNDING * np.abs(theirs).max()


@pytest.mark.parametrize("size", [0, 1, 128, 300, 1_000])
def test_a_size_that_cannot_be_laid_out_is_refused(size):
    with pytest.raises(ValueError, match=f"power of two of at least 256, got {size}"):
        PairTransform(size)
