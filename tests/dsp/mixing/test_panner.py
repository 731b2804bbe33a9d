"""The panner keeps power or sum by its law, mirrors left and right, and leaves alone what is to stay where it is."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.mixing.panner import POWERS, Panner, pan_matrix
from dsp.settings import PannerSettings
from tests.makers import noise

PANS = st.floats(-1.0, 1.0)
LAWS = st.sampled_from(sorted(POWERS))


def sides(**settings: object) -> tuple[float, float]:
    left, right = pan_matrix(PannerSettings(**settings), channels=1)[:, 0]
    return float(left), float(right)


@given(PANS)
def test_the_sine_cosine_law_keeps_the_power_everywhere(pan):
    left, right = sides(pan_ratio=pan)
    assert left**2 + right**2 == pytest.approx(1.0, abs=1e-12)


@given(PANS)
def test_the_law_of_6_db_keeps_the_sum_everywhere(pan):
    assert sum(sides(pan_ratio=pan, law="-6 dB")) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(("law", "expected_db"), [("-3 dB", -3.01), ("-4.5 dB", -4.52), ("-6 dB", -6.02)])
def test_a_law_takes_what_it_is_named_after_from_the_centre_and_nothing_from_the_sides(law, expected_db):
    left, right = sides(law=law)
    assert (left, expected_db) == (right, pytest.approx(20.0 * np.log10(left), abs=0.01))
    assert sides(pan_ratio=1.0, law=law) == (0.0, pytest.approx(1.0))
    assert sides(pan_ratio=-1.0, law=law) == (pytest.approx(1.0), 0.0)


@given(PANS, LAWS, st.floats(0.0, 2.0))
def test_left_and_right_are_mirrored(pan, law, width):
    one = pan_matrix(PannerSettings(pan_ratio=pan, width_ratio=width, law=law), channels=2)
    other = pan_matrix(PannerSettings(pan_ratio=-pan, width_ratio=width, law=law), channels=2)
    assert np.array_equal(one, other[::-1, ::-1])


@given(LAWS)
def test_a_stereo_stem_that_stays_as_it_is_passes_every_bit(law):
    audio = noise(seconds=0.1)
    assert np.array_equal(audio, Panner(PannerSettings(law=law), 2).push(audio))


@given(PANS, LAWS, st.floats(0.0, 2.0))
def test_two_equal_channels_go_where_one_would(pan, law, width):
    mono = noise(seconds=0.01, channels=1)
    one = Panner(PannerSettings(pan_ratio=pan, law=law), 1).push(mono)
    two = Panner(PannerSettings(pan_ratio=pan, law=law, width_ratio=width), 2).push(np.repeat(mono, 2, axis=1))
    centre = sides(law=law)[0]
    assert one / centre == pytest.approx(two, abs=1e-12)


@pytest.mark.parametrize(("width", "expected"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (2.0, 2.0)])
def test_width_multiplies_the_side_and_leaves_the_middle(width, expected):
    audio = noise(seconds=0.1)
    out = Panner(PannerSettings(width_ratio=width), 2).push(audio)
    assert audio.sum(axis=1) == pytest.approx(out.sum(axis=1), abs=1e-12)
    assert expected * (audio[:, 0] - audio[:, 1]) == pytest.approx(out[:, 0] - out[:, 1], abs=1e-12)


@pytest.mark.parametrize("channels", [1, 2])
@given(lengths=st.lists(st.sampled_from([0, 1, 7, 64, 4096]), max_size=8))
def test_cutting_a_stem_into_blocks_never_changes_its_place(channels, lengths):
    audio = noise(seconds=0.2, channels=channels)
    panner = Panner(PannerSettings(pan_ratio=0.3, width_ratio=1.3), channels)
    ends = np.minimum(np.cumsum([0, *lengths]), len(audio))
    blocks = np.split(audio, ends)
    assert np.array_equal(panner.push(audio), np.concatenate([panner.push(block) for block in blocks]))


def test_a_stem_of_three_channels_is_refused():
    with pytest.raises(ValueError, match=re.escape("a stem has 1 or 2 channels, got 3")):
        Panner(PannerSettings(), 3)
