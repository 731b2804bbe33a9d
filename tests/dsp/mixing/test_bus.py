"""A bus compressor is the compressor, as a gain that its members share: they still add up."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dsp.chain import process
from dsp.mixing.bus import BusCompressor
from dsp.settings import CompressorSettings
from tests.dsp.signals import EBU_HZ, null_db, track_with_everything
from tests.makers import noise

SETTINGS = CompressorSettings(threshold_dbfs=-20.0, compression_ratio=3.0)
TRACK = track_with_everything()


def gains(key: np.ndarray, lengths: tuple[int, ...] = ()) -> np.ndarray:
    bus = BusCompressor(SETTINGS, EBU_HZ)
    return np.concatenate([bus.push(block) for block in np.split(key, np.minimum(np.cumsum([0, *lengths]), len(key)))])


def test_it_gives_the_gain_of_the_compressor():
    assert np.array_equal(process(TRACK, EBU_HZ, SETTINGS), TRACK * gains(TRACK)[:, None])


@given(st.lists(st.one_of(st.sampled_from([0, 1, 7, 64, 4096]), st.integers(0, 9_000)), max_size=12))
def test_cutting_the_key_into_blocks_never_changes_the_gains(lengths):
    assert np.array_equal(gains(TRACK), gains(TRACK, tuple(lengths)))


def test_members_add_up_to_the_compressed_sum():
    members = [noise(level_dbfs=-20.0 - 3.0 * seed, rate_hz=EBU_HZ, seed=seed) for seed in range(5)]
    whole = sum(members)
    shared = gains(whole)[:, None]
    assert null_db(whole * shared, sum(member * shared for member in members)) < -250.0


def test_below_the_knee_the_gain_is_exactly_1():
    assert (gains(noise(level_dbfs=-60.0, rate_hz=EBU_HZ)) == 1.0).all()
