"""One gain for those who share it: the target exactly where it can be had, less where it would crush, and the reason."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from decisions.album import draft_album
from decisions.gain import GainDecision, decide_gain
from decisions.levels import level_lufs
from schemas.profile import Profile
from schemas.steps import Draft, Rehearsed
from tests.decisions.records import analysed, profile, rehearse, showing

EXACT_LU = 1e-6  # energies are counted in units of 2^-40
GUARD_DB = 0.3  # where even the first take is over the guard, the gain is read between it and the point of no limiting
MODEL_LU = 0.05  # a curve through four takes of a modelled limiter


def rehearsed(chosen: Profile, *tracks: tuple[float, float]) -> list[Rehearsed]:
    """Tracks of an album as (loudness in LUFS, true peak in dBTP), drafted and rehearsed."""
    members = [analysed(number, lufs, peak_dbtp=peak) for number, (lufs, peak) in enumerate(tracks, 1)]
    return [rehearse(draft) for draft in draft_album(members, chosen) if isinstance(draft, Draft)]


def decided(chosen: Profile, *tracks: tuple[float, float]) -> GainDecision:
    return decide_gain(rehearsed(chosen, *tracks), chosen)


def to_target(target_lufs: float, **limiter: float) -> Profile:
    return profile(loudness={"target_lufs": target_lufs}, limiter=limiter)


NO_GUARD = {"max_reduction_db": 30.0, "max_mean_reduction_db": 12.0}


@pytest.mark.parametrize("lufs", [-30.0, -20.0, -14.0, -8.3])
def test_a_track_with_headroom_reaches_the_target_exactly(lufs):
    gain = decided(profile(), (lufs, lufs + 5.0))
    assert (gain.gain_db, gain.expected_lufs, gain.limited) == (
        pytest.approx(-14.0 - lufs, abs=EXACT_LU),
        pytest.approx(-14.0, abs=EXACT_LU),
        None,
    )


def test_an_album_reaches_the_target_with_its_pooled_loudness():
    group = rehearsed(profile(), (-24.0, -18.0), (-20.0, -15.0), (-27.0, -20.0))
    gain = decide_gain(group, profile())
    source_lufs = level_lufs([one.draft.analysis.gating for one in group], "album")
    assert source_lufs is not None
    assert source_lufs + gain.gain_db == pytest.approx(-14.0, abs=EXACT_LU)


def test_by_the_loudest_track_an_album_is_as_loud_as_that_track():
    chosen = profile(loudness={"mode": "loudest"})
    gain = decided(chosen, (-24.0, -18.0), (-18.0, -12.0), (-27.0, -20.0))
    assert gain.gain_db == pytest.approx(4.0, abs=EXACT_LU)


def test_a_dense_track_stops_the_gain_before_it_lies_at_the_ceiling():
    chosen = to_target(-6.0, **NO_GUARD, min_psr_lu=8.0)
    (one,) = rehearsed(chosen, (-20.0, -10.0))
    takes = tuple(replace(take, max_short_term_lufs=-17.0 + take.gain_db) for take in one.takes)
    gain = decide_gain([replace(one, takes=takes)], chosen)
    assert gain.gain_db == pytest.approx(-1.0 - 8.0 + 17.0, abs=0.01)
    assert gain.limited is not None and 'the loudest 3 s of "T1" nearer than 8.0 LU' in gain.limited


def test_a_source_that_is_dense_already_is_not_turned_down_for_it():
    chosen = to_target(-14.0, **NO_GUARD, min_psr_lu=8.0)
    (one,) = rehearsed(chosen, (-8.0, -1.0))
    dense = replace(one.draft, analysis=showing("psr_min_lu", 5.0, one.draft.analysis))
    takes = tuple(replace(take, max_short_term_lufs=-6.0 + take.gain_db) for take in one.takes)
    assert decide_gain([replace(one, draft=dense, takes=takes)], chosen).limited is None


def test_a_target_that_is_given_up_tells_its_price():
    gain = decided(to_target(-14.0, max_reduction_db=2.0, max_mean_reduction_db=12.0), (-20.0, -2.0))
    assert re.search(
        r"the target would cost \d+\.\d dB at the loudest peak and \d+\.\d dB in the mean", gain.limited or ""
    )


def test_what_the_limiter_takes_is_made_up_for():
    chosen = to_target(-14.0, **NO_GUARD)
    gain = decided(chosen, (-20.0, -4.0))  # 3 dB over the ceiling at the plain gain: 0.18 LU lost, and a little more
    lost_lu = (-4.0 + gain.gain_db + 1.0) ** 2 / 50.0
    assert -20.0 + gain.gain_db - lost_lu == pytest.approx(-14.0, abs=MODEL_LU)
    assert gain.limited is None


def test_takes_without_a_limiter_at_work_give_the_target_exactly():
    chosen = profile(cleaning={"offset_limit_dbfs": -60.0})
    members = [analysed(1, -20.0, peak_dbtp=-12.0, offset_ratio=(0.1, 0.1))]  # the filter makes a rehearsal necessary
    (draft,) = draft_album(members, chosen)
    assert isinstance(draft, Draft) and draft.needs_rehearsal
    assert decide_gain([rehearse(draft)], chosen).gain_db == pytest.approx(6.0, abs=EXACT_LU)


def test_a_very_quiet_programme_is_not_raised_beyond_the_limit():
    gain = decided(profile(loudness={"max_gain_db": 18.0}), (-40.0, -30.0))
    assert gain.gain_db == 18.0
    assert gain.expected_lufs == pytest.approx(-22.0, abs=EXACT_LU)
    assert gain.limited == "+26.0 dB would be needed, no programme is raised by more than 18 dB"


def test_a_quiet_programme_with_peaks_is_not_raised_beyond_the_limit_either():
    gain = decided(profile(loudness={"max_gain_db": 10.0}, limiter=NO_GUARD), (-30.0, -11.0))
    assert gain.gain_db == pytest.approx(10.0, abs=1e-9)
    assert (gain.limited or "").startswith("no programme is raised by more than 10 dB; the target would cost ")


def test_a_peak_that_would_be_crushed_stops_the_gain():
    gain = decided(to_target(-14.0, max_reduction_db=2.0, max_mean_reduction_db=12.0), (-20.0, -2.0))
    assert gain.gain_db == pytest.approx(3.0, abs=1e-9)  # -2 + 3 is 2 dB over the ceiling of -1
    assert (gain.limited or "").startswith('more gain would turn "T1" down by more than 2 dB at its loudest peak; ')


def test_a_track_that_would_be_limited_all_along_stops_the_gain():
    chosen = to_target(-14.0, max_reduction_db=30.0, max_mean_reduction_db=0.1)
    gain = decided(chosen, (-20.0, -2.0))
    over_db = -2.0 + gain.gain_db + 1.0
    assert over_db**2 / 50.0 <= 0.1 + MODEL_LU
    assert (gain.limited or "").startswith('more gain would turn "T1" down by more than 0.1 dB in the mean; ')


def test_the_most_delicate_track_holds_back_the_album():
    chosen = to_target(-14.0, max_reduction_db=2.0, max_mean_reduction_db=12.0)
    gain = decided(chosen, (-20.0, -12.0), (-20.0, -2.0), (-20.0, -10.0))
    assert gain.gain_db == pytest.approx(3.0, abs=1e-9)
    assert '"T2"' in (gain.limited or "")


def test_a_guard_below_the_first_take_is_obeyed():
    gain = decided(to_target(-14.0, max_reduction_db=1.0), (-20.0, 2.0))
    assert 2.0 + gain.gain_db + 1.0 <= 1.0 + 1e-9
    assert gain.expected_lufs < -14.0


TRACKS = st.lists(
    st.tuples(st.floats(-45.0, -6.0), st.floats(2.0, 25.0)).map(lambda t: (t[0], min(3.0, t[0] + t[1]))),
    min_size=1,
    max_size=4,
)


@given(TRACKS, st.floats(-30.0, -5.0), st.floats(-30.0, -5.0), st.sampled_from([1.0, 4.0, 30.0]))
def test_a_louder_target_never_gives_a_lower_gain(tracks, one, other, max_reduction_db):
    quiet, loud = (
        decided(to_target(target, max_reduction_db=max_reduction_db), *tracks) for target in sorted((one, other))
    )
    assert quiet.gain_db <= loud.gain_db + GUARD_DB


@settings(max_examples=200)
@given(TRACKS, st.floats(-30.0, -5.0))
def test_no_peak_is_turned_down_further_than_the_guard_allows(tracks, target_lufs):
    chosen = to_target(target_lufs, max_reduction_db=3.0)
    gain = decided(chosen, *tracks)
    assert max(peak for _, peak in tracks) + gain.gain_db + 1.0 <= 3.0 + 1e-6


@given(TRACKS, st.floats(-30.0, -5.0))
def test_a_gain_that_falls_short_says_why(tracks, target_lufs):
    chosen = to_target(target_lufs)
    gain = decided(chosen, *tracks)
    assert gain.limited or gain.expected_lufs == pytest.approx(target_lufs, abs=chosen.loudness.tolerance_lu)


@given(TRACKS, st.randoms(use_true_random=False))
def test_the_order_of_tracks_never_changes_the_gain(tracks, random):
    group = rehearsed(profile(), *tracks)
    assert decide_gain(group, profile()).gain_db == decide_gain(random.sample(group, len(group)), profile()).gain_db


def test_delicate_material_is_limited_half_as_far():
    chosen = to_target(-8.0, max_reduction_db=4.0, max_mean_reduction_db=12.0)
    gains_db = []
    for range_lu in (5.0, 15.0):
        delicate = analysed(1, -20.0, peak_dbtp=-6.0)
        delicate = replace(delicate, analysis=showing("loudness_range_lu", range_lu, delicate.analysis))
        (draft,) = draft_album([delicate], chosen)
        assert isinstance(draft, Draft)
        gains_db.append(decide_gain([rehearse(draft)], chosen).gain_db)
    assert gains_db[0] - gains_db[1] == pytest.approx(2.0, abs=1e-6)
