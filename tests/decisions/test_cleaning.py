"""The subsonic filter comes in for an offset or for rumble, and for nothing else."""

from __future__ import annotations

import pytest

from decisions.cleaning import decide_cleaning, offset_at_start
from tests.decisions.records import SILENT, analysis, profile

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
