"""What is damaged is mended first: an offset, rumble, a few clipped peaks; and nothing else is touched."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from decisions.cleaning import decide_cleaning, decide_declipping, offset_at_start
from decisions.material import Material
from schemas.figures import Analysis
from tests.decisions.records import SILENT, analysis, profile, showing

CLEANING = profile().cleaning  # offset above -60 dBFS, rumble above -20 dB against the music
MUSIC_DB = [-30.0] * 31  # -15.1 dB in all


@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.00099, 0.0), (-0.00099, 0.00099)])
def test_an_offset_below_the_limit_is_left(offset):
    assert decide_cleaning(analysis(offset_ratio=offset), CLEANING)[0] is None


@pytest.mark.parametrize("offset", [(0.00101, 0.0), (0.0, -0.00101), (0.2,)])
def test_an_offset_above_the_limit_in_any_channel_is_taken_away(offset):
    settings, why = decide_cleaning(analysis(offset_ratio=offset, head=SILENT._replace(mean_ratio=offset)), CLEANING)
    assert settings is not None
    assert (settings.offset_ratio, settings.cutoff_hz) == (offset, CLEANING.cutoff_hz)
    assert why.why.startswith("constant offset of")


@pytest.mark.parametrize(("rumble_dbfs", "filtered"), [(-35.2, False), (-34.9, True), (-90.0, False), (-10.0, True)])
def test_rumble_is_taken_away_only_when_it_is_strong_against_the_music(rumble_dbfs, filtered):
    settings, why = decide_cleaning(analysis(spectrum_db=MUSIC_DB, subsonic_dbfs=rumble_dbfs), CLEANING)
    assert filtered == (settings is not None)
    assert filtered == why.why.startswith("rumble from 5 to 16 Hz")


@pytest.mark.parametrize("spectrum_db", [(), (None,) * 31])
def test_without_music_there_is_nothing_to_compare_rumble_with(spectrum_db):
    assert decide_cleaning(analysis(spectrum_db=spectrum_db, subsonic_dbfs=-20.0), CLEANING)[0] is None


def test_a_clean_track_says_that_it_is_left_alone():
    assert decide_cleaning(analysis(), CLEANING)[1].how_much == "off"


@pytest.mark.parametrize(
    ("at_start", "settled"),
    [((0.02, 0.01), (0.02, 0.01)), ((0.0, 0.0), (0.0, 0.0)), ((0.021, 0.0), (0.02, 0.0)), ((), (0.0, 0.0))],
)
def test_the_filter_starts_settled_only_on_an_offset_that_is_there_at_the_start(at_start, settled):
    begins = analysis(offset_ratio=(0.02, 0.01), head=SILENT._replace(mean_ratio=at_start))
    assert settled == offset_at_start(begins)


def clipped(count: int, level_dbfs: float = 0.0, **shown: float) -> Analysis:
    """A track of three minutes with so many clipped peaks."""
    source = showing("flat_tops", count, analysis())
    for name, value in shown.items():
        source = showing(name, value, source)
    return replace(source, detected=replace(source.detected, flat_tops_dbfs=level_dbfs if count else None))


MIX = Material("a mix", 1.0, "")


@pytest.mark.parametrize(("count", "works"), [(0, False), (1, True), (300, True), (360, False), (20_000, False)])
def test_a_few_clipped_peaks_are_damage_and_many_are_meant(count, works):
    settings, why = decide_declipping(clipped(count, -0.5), MIX, CLEANING)
    assert (settings is not None) == works
    assert settings is None or settings.clip_dbfs == (-0.5,)
    assert why.how_much and why.why


def test_what_was_limited_as_a_whole_is_not_declipped():
    assert decide_declipping(clipped(10), Material("heavily limited", 0.5, "dense"), CLEANING)[0] is None


def test_a_profile_can_leave_clipped_peaks_alone():
    assert decide_declipping(clipped(10), MIX, replace(CLEANING, declip_below_hz=0.0))[0] is None
