"""The decimator keeps what lies below its cutoff, and lets nothing above it fold down."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio
from dsp.bands import RATE_OVER_EDGE
from dsp.decimator import STEP, Decimator
from tests.dsp.signals import level_db
from tests.makers import noise, sine

NEAR_DB, PASS_DB = 0.15, 0.7  # up to a third of the cutoff, and up to half: few taps, for meters only
STOP_DB = -55.0  # from three times the cutoff

CUTS = st.lists(st.one_of(st.sampled_from([0, 1, 2, STEP - 1, STEP, STEP + 1]), st.integers(0, 20_000)), max_size=10)
PATHS = [  # rate, factor, cutoff: those of the bands at usual rates
    (rate_hz, max(1, int(rate_hz / (RATE_OVER_EDGE * hz))), hz)
    for rate_hz, hz in [(44_100, 6000.0), (22_050, 1000.0), (3_675, 150.0), (192_000, 6000.0), (8_000, 1000.0)]
]
EVERY_PATH = pytest.mark.parametrize(("rate_hz", "factor", "cutoff_hz"), PATHS)


def decimated(audio: Audio, rate_hz: int, factor: int, cutoff_hz: float) -> Audio:
    decimator = Decimator(rate_hz, factor=factor, cutoff_hz=cutoff_hz, channels=audio.shape[1])
    return decimator.push(audio.T.astype(np.float32))


@pytest.mark.parametrize("channels", [1, 2, 6])
@given(lengths=CUTS, path=st.sampled_from(PATHS))
def test_cutting_a_stream_never_changes_what_is_kept_of_it(channels, lengths, path):
    rate_hz, factor, cutoff_hz = path
    lines = noise(seconds=1.0, channels=channels).T.astype(np.float32)
    whole, parts = (Decimator(rate_hz, factor=factor, cutoff_hz=cutoff_hz, channels=channels) for _ in range(2))
    ends = np.minimum(np.cumsum(lengths, dtype=int), lines.shape[1])
    found = np.concatenate([parts.push(part) for part in np.split(lines, ends, axis=1)], axis=1)
    assert whole.push(lines).tobytes() == found.tobytes()


@EVERY_PATH
@pytest.mark.parametrize("frames", [0, 1, 2, 5, 100, 1_000, 1_001])
def test_one_sample_in_so_many_is_kept(rate_hz, factor, cutoff_hz, frames):
    assert decimated(noise()[:frames], rate_hz, factor, cutoff_hz).shape == (2, -(-frames // factor))


def response_db(hz: float, rate_hz: int, factor: int, cutoff_hz: float) -> float:
    """The level of what comes out of a tone at full scale, once the filter is full; a tone above comes out as its alias."""
    out = decimated(
        sine(hz, level_dbfs=0.0, seconds=20_000 * factor / rate_hz, rate_hz=rate_hz, channels=1),
        rate_hz,
        factor,
        cutoff_hz,
    )
    return level_db(float(np.sqrt(2.0 * np.square(out[0, 2_000:].astype(np.float64)).mean())))


@EVERY_PATH
@pytest.mark.parametrize(("ratio", "allowed_db"), [(0.013, 0.02), (0.1, 0.02), (0.31, NEAR_DB), (0.5, PASS_DB)])
def test_what_lies_below_passes(rate_hz, factor, cutoff_hz, ratio, allowed_db):
    assert response_db(ratio * cutoff_hz, rate_hz, factor, cutoff_hz) == pytest.approx(0.0, abs=allowed_db)


@EVERY_PATH
def test_the_cutoff_is_where_half_the_amplitude_is_left(rate_hz, factor, cutoff_hz):
    assert response_db(cutoff_hz, rate_hz, factor, cutoff_hz) == pytest.approx(-6.02, abs=0.2)


@EVERY_PATH
@pytest.mark.parametrize("ratio", [3.03, 3.3, 3.71])
def test_what_would_fold_down_is_taken_away(rate_hz, factor, cutoff_hz, ratio):
    hz = ratio * cutoff_hz
    if hz < rate_hz / 2:
        assert response_db(hz, rate_hz, factor, cutoff_hz) < STOP_DB


@EVERY_PATH
def test_a_constant_passes_at_its_level(rate_hz, factor, cutoff_hz):
    out = decimated(np.full((20_000, 1), 0.5), rate_hz, factor, cutoff_hz)
    assert out[0, -1] == pytest.approx(0.5, abs=1e-6)
