"""However a stream is cut, detectors see the same windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio
from dsp.windows import WINDOW_FRAMES, Windows, as_lines
from tests.makers import noise

AROUND = [WINDOW_FRAMES - 1, WINDOW_FRAMES, WINDOW_FRAMES + 1]
CUTS = st.lists(st.one_of(st.sampled_from([0, 1, 2, *AROUND, 2 * WINDOW_FRAMES]), st.integers(0, 30_000)), max_size=10)


def windows_of(blocks: list[Audio], scale: float = 1.0) -> list[Audio]:
    windows = Windows(blocks[0].shape[1], scale)
    seen = [window.copy() for block in blocks for window in windows.push(block)]
    return [*seen, *(window.copy() for window in windows.finish())]


@pytest.mark.parametrize("channels", [1, 2, 5])
@given(lengths=CUTS, frames=st.sampled_from([0, 1, *AROUND, 50_000, 3 * WINDOW_FRAMES]))
def test_cutting_a_stream_never_changes_its_windows(channels, lengths, frames):
    audio = noise(seconds=2.0, channels=channels)[:frames]
    expected = [audio.T[:, at : at + WINDOW_FRAMES].astype(np.float32) for at in range(0, frames, WINDOW_FRAMES)]
    found = windows_of(np.split(audio, np.minimum(np.cumsum(lengths, dtype=int), frames)))
    assert [window.tobytes() for window in expected] == [window.tobytes() for window in found]
    assert [window.shape for window in expected] == [window.shape for window in found]


def test_windows_are_rows_that_lie_together_in_memory():
    windows = Windows(2)
    assert all(window.flags.c_contiguous for window in windows.push(noise()))
    assert all(window.flags.c_contiguous for window in windows.finish())


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_integers_of_up_to_24_bits_come_out_exactly(rng, bits):
    samples = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (20_000, 2))
    found = np.concatenate(windows_of([(samples << (32 - bits)).astype(np.int32)], scale=2.0**-31), axis=1)
    assert np.array_equal(samples.T, found.astype(np.float64) * 2.0 ** (bits - 1))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_blocks_of_any_layout_are_the_same_sound(kind, order):
    audio = np.asarray(noise(seconds=1.0), dtype=kind, order=order)
    assert np.array_equal(np.concatenate(windows_of([audio]), axis=1), audio.T.astype(np.float32))


def test_a_window_is_handed_to_a_meter_without_a_copy():
    (window,) = Windows(2).push(noise()[:WINDOW_FRAMES])
    assert np.shares_memory(as_lines(window.T), window)


def test_a_stream_that_has_ended_holds_nothing_back():
    windows = Windows(1)
    assert [window.shape for window in windows.push(noise(channels=1)[:100])] == []
    assert [window.shape for window in windows.finish()] == [(1, 100)]
    assert [window.shape for window in windows.finish()] == []
