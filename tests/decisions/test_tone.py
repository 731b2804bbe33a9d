"""The tone correction is gentle: it moves little, only what lies far off, and never the wrong way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.tone import EMPTY_DB, decide_tone
from schemas.profile import ToneChoice
from tests.decisions.records import profile

ROUNDING_DB = 0.005 + 1e-9  # gains are kept to 0.01 dB
TONE = profile().tone
FIRST_BAND = 2  # 31.5 Hz, the first band of the curve, is the third of a spectrum


def choice(**changes: float) -> ToneChoice:
    return profile(tone=changes).tone


def spectrum(deviations_db: dict[int, float] | None = None, level_db: float = -30.0) -> list[float | None]:
    """The target curve at a level, with deviations at some of the curve's bands."""
    found: list[float | None] = [None] * 31
    for band, target in enumerate(TONE.target_db):
        found[band + FIRST_BAND] = target + level_db + (deviations_db or {}).get(band, 0.0)
    return found


def gains(spectrum_db: list[float | None], tone: ToneChoice = TONE) -> list[float]:
    settings, _ = decide_tone([spectrum_db], tone)
    return list(settings.gains_db) if settings else [0.0] * len(tone.bands_hz)


DEVIATIONS = st.dictionaries(st.integers(0, len(TONE.bands_hz) - 1), st.floats(-30.0, 30.0), max_size=28)


@given(st.lists(st.floats(-0.45, 0.45), min_size=28, max_size=28), st.floats(-80.0, 0.0))
def test_within_the_deadband_nothing_moves(shares, level_db):
    within = {band: share * TONE.deadband_db[band] for band, share in enumerate(shares)}
    assert decide_tone([spectrum(within, level_db)], TONE)[0] is None


@given(DEVIATIONS, st.sampled_from([0.3, 1.0, 3.0]), st.sampled_from([0.2, 0.5, 1.0]))
def test_no_band_ever_moves_further_than_the_cap(deviations, max_db, amount_ratio):
    found = gains(spectrum(deviations), choice(max_db=max_db, amount_ratio=amount_ratio))
    assert max(abs(gain) for gain in found) <= max_db + ROUNDING_DB


@given(st.integers(0, 27), st.floats(0.0, EMPTY_DB - 0.1), st.floats(0.0, EMPTY_DB - 0.1), st.sampled_from([-1, 1]))
def test_more_deviation_never_means_less_correction(band, one, other, sign):
    less, more = sorted((one, other))
    wide = choice(max_db=12.0)
    corrections = [-sign * gains(spectrum({band: sign * size}), wide)[band] for size in (less, more)]
    assert corrections[0] <= corrections[1] + 2 * ROUNDING_DB


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_band_that_is_too_loud_is_turned_down_and_one_too_quiet_up(sign):
    found = gains(spectrum(dict.fromkeys((24, 25, 26), 12.0 * sign)))
    assert found[25] * sign < -0.3
    assert all(gain * sign <= 0.0 for gain in found)


def test_half_of_what_lies_outside_the_deadband_is_corrected():
    wide = choice(max_db=12.0, amount_ratio=0.5)
    found = gains(spectrum(dict.fromkeys((23, 24, 25, 26, 27), 12.0)), wide)  # deadband 6 dB, outside 200 Hz to 4 kHz
    assert found[25] == pytest.approx(-0.5 * (12.0 - 6.0), abs=ROUNDING_DB)


def test_no_filter_is_narrow():
    found = gains(spectrum({25: 20.0}), choice(max_db=12.0))
    assert [0.25, 0.5, 0.25] == pytest.approx([gain / sum(found) for gain in found[24:27]], abs=0.01)


@given(DEVIATIONS, st.floats(-60.0, 0.0), st.floats(-60.0, 0.0))
def test_the_level_of_the_music_does_not_matter(deviations, one_db, other_db):
    one, other = gains(spectrum(deviations, one_db)), gains(spectrum(deviations, other_db))
    assert one == pytest.approx(other, abs=0.01 + 1e-9)


@pytest.mark.parametrize("deviation_db", [-EMPTY_DB - 1.0, -60.0])
def test_a_band_without_music_is_left_alone(deviation_db):
    empty = dict.fromkeys((24, 25, 26, 27), deviation_db)  # a source low-passed at 7 kHz
    assert decide_tone([spectrum(empty)], TONE)[0] is None


def test_a_band_that_was_not_measured_is_left_alone():
    cut = spectrum()
    cut[27:] = [None] * 4
    assert decide_tone([cut], TONE)[0] is None


@pytest.mark.parametrize("off", [{"amount_ratio": 0.0}, {"max_db": 0.0}])
def test_a_profile_can_leave_the_tone_alone(off):
    settings, why = decide_tone([spectrum({25: 20.0})], choice(**off))
    assert settings is None
    assert why.why == "the profile leaves the tone alone"


def test_tracks_of_a_group_are_judged_by_their_mean():
    dull, bright = (dict.fromkeys((24, 25, 26), size) for size in (-12.0, 12.0))
    assert decide_tone([spectrum(dull), spectrum(bright)], TONE)[0] is None


def test_the_order_of_tracks_does_not_matter():
    spectra = [spectrum({25: 20.0}), spectrum({3: -20.0}), spectrum()]
    assert decide_tone(spectra, TONE) == decide_tone(spectra[::-1], TONE)


@pytest.mark.parametrize("spectra", [[], [[None] * 31], [[]]])
def test_without_any_measurement_nothing_is_done(spectra):
    assert decide_tone(spectra, TONE)[0] is None


def test_the_reason_names_the_worst_band_and_the_share():
    settings, why = decide_tone([spectrum(dict.fromkeys((24, 25, 26), 16.0))], TONE)
    assert settings is not None
    assert (why.how_much, why.what) == (f"{min(settings.gains_db):+.1f} dB at 10000 Hz", "tone")
    assert "50% of the excess" in why.why
