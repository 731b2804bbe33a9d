"""A report on a mix: words follow the numbers, what is wrong is told, and what is usual gives no alarm."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from decisions.choices import Choices, chosen
from decisions.mix_report import _SAID, MIX_LIMITS, TONE_BANDS, mix_report, word_for
from decisions.profile_files import load_profile
from dsp.spectrum import CENTRES_HZ
from tests.decisions.records import analysis, showing

PROFILE = load_profile("streaming")
NORM = PROFILE.expected
CENTRES = np.array(CENTRES_HZ)


def mix(tone_db=0.0, width_db=0.0, **figures):
    """A mix whose middle and side follow the norm, but for what is added to either in each third octave."""
    middle_db = np.array(NORM.mid_db) + tone_db - 40.0
    side_db = middle_db + np.array(NORM.side_db) + width_db
    whole_db = 10.0 * np.log10(10.0 ** (middle_db / 10.0) + 10.0 ** (side_db / 10.0))
    usual = {"plr_lu": NORM.plr_lu, "true_peak_dbtp": -6.0, "sample_peak_dbfs": -6.0, "loudness_range_lu": 7.0}
    stereo = {"correlation": 0.7, "correlation_bands": (0.9, 0.6, 0.6, 0.6), "mono_loss_lu": 0.8, "balance_lu": 0.1}
    spectra = {"spectrum_db": tuple(whole_db.tolist()), "side_spectrum_db": tuple(side_db.tolist())}
    base = analysis(lufs=-18.0)
    measured = {**usual, **stereo, **spectra, "dynamic_range_db": 11.0, **figures}
    return replace(base, figures=replace(base.figures, **measured))


def report(*args, **figures):
    return mix_report(mix(*args, **figures), PROFILE)


def bump(low_hz, high_hz, db):
    return np.where((low_hz <= CENTRES) & (high_hz >= CENTRES), db, 0.0)


def told(found, about):
    return [one for one in found.advice if one.about == about]


numbers = st.floats(-50.0, 50.0)


@given(numbers, st.none() | numbers, st.none() | numbers)
def test_a_word_is_good_exactly_within_its_range(value, low, high):
    word = word_for(value, low, high)
    if low is None and high is None:
        assert word is None
    elif low is not None and value < low:
        assert word == "low"
    else:
        assert word == ("high" if high is not None and value > high else "good")


def test_a_mix_like_the_norm_is_good_throughout_and_gets_no_advice():
    found = report()
    assert found.advice == ()
    assert [one.word for one in found.tone] == ["good"] * 7
    assert [one.deviation_db for one in (*found.tone, *found.width)] == pytest.approx([0.0] * 14, abs=0.11)
    readings = [*found.loudness, *found.dynamics, *found.headroom, *found.stereo]
    assert {one.word for one in readings} <= {"good", None}


def test_six_decibels_of_bass_too_much_are_told():
    found = report(tone_db=bump(50, 140, 6.0))
    assert [one.word for one in found.tone if one.name == "bass"] == ["high"]
    (advice,) = told(found, "level")
    assert "bass +6.0" in advice.text and "above" in advice.text


@pytest.mark.parametrize("name", TONE_BANDS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_is_added_to_a_band_is_read_there_and_told_by_its_word(name, sign):
    added_db = np.zeros(31)
    added_db[TONE_BANDS[name]] = sign * 12.0
    found = {one.name: one for one in report(tone_db=added_db).tone}
    assert found[name].word == ("high" if sign > 0 else "low")
    assert sign * found[name].deviation_db > 6.0


@given(st.floats(-20.0, 20.0))
def test_the_level_of_a_mix_is_no_tone(gain_db):
    assert [one.deviation_db for one in report(tone_db=gain_db).tone] == [one.deviation_db for one in report().tone]


def test_channels_in_opposite_phase_are_an_alarm():
    opposite = {"correlation": -0.95, "correlation_bands": (-0.95,) * 4, "mono_loss_lu": 16.0}
    found = report(**opposite)
    assert [one.word for one in found.phase] == ["low"] * 4
    assert {one.severity for one in told(found, "phase")} == {"warn"}
    assert any(one.severity == "fail" for one in found.advice)
    assert {one.name: one.word for one in found.stereo}["mono_loss_lu"] == "high"


def test_a_single_band_in_opposite_phase_is_told_with_its_place():
    (advice,) = told(report(correlation_bands=(0.9, 0.6, -0.5, 0.6)), "phase")
    assert "from 1000 to 6000 Hz" in advice.text


def test_narrow_bass_is_good_and_wide_bass_is_not():
    narrow, wide = (report(width_db=bump(20, 140, added_db)) for added_db in (-20.0, 14.0))
    assert [one.word for one in narrow.width[:2]] == ["good", "good"]
    assert [one.word for one in wide.width[:2]] == ["high", "high"]


@pytest.mark.parametrize(
    ("figures", "about"),
    [
        ({"true_peak_dbtp": 0.4}, "true_peak_dbtp"),
        ({"plr_lu": 7.0}, "plr_lu"),
        ({"dynamic_range_db": 4.0}, "dynamic_range_db"),
        ({"loudness_range_lu": 1.0}, "loudness_range_lu"),
        ({"balance_lu": 2.0}, "imbalance_lu"),
    ],
)
def test_what_lies_outside_its_range_is_told(figures, about):
    assert told(report(**figures), about)


def test_a_more_dynamic_mix_is_high_and_needs_no_advice():
    found = report(plr_lu=22.0)
    assert {one.name: one.word for one in found.dynamics}["plr_lu"] == "high"
    assert found.advice == ()


def test_clipping_is_told_by_its_code():
    clipped = mix_report(showing("flat_tops", 40, mix()), PROFILE)
    assert [one.severity for one in told(clipped, "SOURCE_CLIPPED")] == ["warn"]


def test_a_style_moves_what_is_expected():
    warm = mix_report(mix(), chosen(PROFILE, Choices(style="punchy")))
    plain = report()
    sub, bass = (two.deviation_db - one.deviation_db for one, two in zip(plain.tone[:2], warm.tone[:2], strict=True))
    assert sub < 0.0 and bass < 0.0  # the style adds bass, so the same bass is less than it asks for
    assert warm.style == "punchy"


@given(
    st.lists(st.none() | st.floats(-160.0, 20.0), min_size=31, max_size=31),
    st.lists(st.none() | st.floats(-1.0, 1.0), max_size=4),
    st.none() | st.floats(-80.0, 10.0),
)
def test_whatever_was_measured_the_report_holds_no_nan(spectrum_db, correlations, peak_db):
    found = report(
        spectrum_db=tuple(spectrum_db),
        side_spectrum_db=tuple(spectrum_db[::-1]),
        correlation_bands=tuple(correlations),
        true_peak_dbtp=peak_db,
    )
    values = [one.deviation_db for one in (*found.tone, *found.width)] + [one.correlation for one in found.phase]
    assert all(value is None or math.isfinite(value) for value in values)


def test_what_a_profile_says_is_not_said_again():
    found = report(balance_lu=7.0)
    assert told(found, "CHANNEL_WEAK") and not told(found, "imbalance_lu")


def test_what_can_be_said_of_a_reading_has_words():
    assert set(MIX_LIMITS) <= set(_SAID)
