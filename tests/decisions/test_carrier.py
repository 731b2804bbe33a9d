"""What a carrier asks of every master is done whatever the music, and not where there is nothing to do."""

from __future__ import annotations

import pytest

from decisions.album import draft_album
from decisions.carrier import decide_ends, decide_expander, decide_mono_bass
from decisions.choices import Choices, chosen
from decisions.gain import decide_gain
from decisions.material import Material
from schemas.profile import CarrierChoice
from schemas.steps import Draft
from tests.decisions.records import analysed, profile, rehearse

VINYL = profile("vinyl")
MIX = Material("a mix", 1.0, "")


def test_no_carrier_asks_for_nothing():
    assert (decide_ends(None, 44_100)[0], decide_mono_bass(None, 0.5)[0]) == (None, None)


def test_a_lacquer_is_cut_without_the_ends_of_the_band():
    settings, _ = decide_ends(VINYL.carrier, 96_000)
    assert settings is not None
    assert [(band.kind, band.freq_hz) for band in settings.bands] == [("highpass", 25.0), ("lowpass", 17_000.0)]


def test_a_low_pass_beyond_the_rate_is_left_out():
    settings, _ = decide_ends(CarrierChoice(lowpass_hz=21_000.0), 44_100)
    assert settings is None


@pytest.mark.parametrize(("correlation", "works"), [(0.3, True), (-0.5, True), (1.0, False), (None, False)])
def test_bass_goes_to_the_middle_where_it_has_a_side(correlation, works):
    settings, _ = decide_mono_bass(VINYL.carrier, correlation)
    assert (settings is not None) == works
    assert settings is None or settings.mono_below_hz == 150.0


def test_a_voice_is_expanded_below_its_loudness():
    settings, _ = decide_expander(-22.0, MIX, profile("podcast"))
    assert settings is not None and settings.threshold_dbfs == -42.0
    assert decide_expander(-22.0, MIX, profile())[0] is None


@pytest.mark.parametrize(
    ("lufs", "peak_dbtp", "gain_db"), [(-24.0, -3.0, 2.5), (-24.0, -12.0, 8.0), (-20.0, 2.0, -2.5)]
)
def test_a_vinyl_pre_master_goes_up_to_the_first_peak_and_no_further(lufs, peak_dbtp, gain_db):
    (draft,) = draft_album([analysed(1, lufs, peak_dbtp=peak_dbtp)], VINYL)
    assert isinstance(draft, Draft) and draft.head.ends is not None
    gain = decide_gain([rehearse(draft)], VINYL)
    assert gain.gain_db == pytest.approx(gain_db, abs=0.05)
    assert (gain.limited is None) == (lufs + gain_db > -16.1)


def test_joined_tracks_share_what_the_carrier_asks_for():
    members = [analysed(1, about={"joins_next": True}), analysed(2)]
    drafts = [d for d in draft_album([members[0], members[1]], VINYL) if isinstance(d, Draft)]
    assert drafts[0].head == drafts[1].head


def test_a_style_for_voices_does_all_that_a_voice_asks_for():
    (draft,) = draft_album([analysed(1, -24.0)], chosen(profile(), Choices(style="speech")))
    assert isinstance(draft, Draft)
    assert draft.head.de_esser is not None and draft.head.expander is not None
