"""Tone and width are corrected gently: the album first, never beyond the caps, never the wrong way, and nothing where unsure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.choices import Choices, chosen
from decisions.references import norm_of
from decisions.taste_files import load_norm
from decisions.tone import MOST_WIDTH_DB, Heard, Tone, decide_tone, tone_change_lu
from dsp.audio import Floats
from dsp.settings import EqualiserSettings
from schemas.figures import Figures
from schemas.norm import Norm
from schemas.profile import Profile
from tests.decisions.records import profile
from tests.decisions.test_deviation import heard

ROUNDING_DB = 0.005 + 1e-9  # gains are kept to 0.01 dB
POPULAR = load_norm("popular")
MIDDLE, WIDTH = np.array(POPULAR.mid_db) - 30.0, np.array(POPULAR.side_db)
DEVIATIONS = st.dictionaries(st.integers(2, 29), st.floats(-24.0, 24.0), max_size=28)
SURE = norm_of([heard(MIDDLE, MIDDLE + WIDTH)] * 9, POPULAR)
"""A norm of references, which has no deadband."""


def figures(middle: Mapping[int, float] | None = None, side: Mapping[int, float] | None = None) -> Figures:
    """A recording like the popular mean, but for some bands of the middle, and of the side against it."""
    changed, wide = MIDDLE.copy(), WIDTH.copy()
    for target, changes in ((changed, middle or {}), (wide, side or {})):
        for band, change_db in changes.items():
            target[band] += change_db
    made = heard(changed, changed + wide)
    return Figures(spectrum_db=made.spectrum_db, side_spectrum_db=made.side_spectrum_db, side_mid_lu=-6.0)


def track(recording: Figures, norm: Norm = SURE, touch_ratio: float = 1.0, duration_s: float = 180.0) -> Heard:
    return Heard(recording, duration_s, norm, touch_ratio)


def decided(*tracks: Heard, style: str = "transparent", intensity: str = "medium", **tone: float) -> list[Tone]:
    """Each track a run of its own."""
    return decide_tone([[one] for one in tracks], wanting(style, intensity, **tone))


def wanting(style: str = "transparent", intensity: str = "medium", **tone: float) -> Profile:
    return chosen(profile(tone=tone), Choices(style=style, intensity=intensity))


def gains(tone: Tone) -> Floats:
    return np.array(tone.settings.gains_db) if tone.settings else np.zeros(31)


def widening(tone: Tone) -> Floats:
    settings = tone.settings
    return np.array(settings.side_gains_db) - gains(tone) if settings and settings.side_gains_db else np.zeros(31)


def test_a_recording_like_its_norm_is_left_alone():
    assert decided(track(figures()))[0].settings is None


@given(st.dictionaries(st.integers(2, 29), st.floats(-0.9, 0.9), max_size=28))
def test_within_the_deadband_of_the_usual_norm_nothing_moves(shares):
    within = {band: share * POPULAR.mid_spread_db[band] for band, share in shares.items() if not 10 <= band < 24}
    assert decided(track(figures(within), POPULAR))[0].settings is None


@given(DEVIATIONS, st.sampled_from(["low", "medium", "high"]), st.sampled_from(["transparent", "warm", "open"]))
def test_no_band_ever_moves_further_than_the_profile_allows(deviations, intensity, style):
    (tone,) = decided(track(figures(deviations)), style=style, intensity=intensity, max_db=1.5)
    assert np.abs(gains(tone)).max() <= 1.5 + ROUNDING_DB


@given(DEVIATIONS)
def test_the_transparent_style_keeps_its_guarantee(deviations):
    (tone,) = decided(track(figures(deviations)))
    assert np.abs(gains(tone)).max() <= 0.95 + ROUNDING_DB
    assert np.sqrt(np.mean(gains(tone) ** 2)) <= 0.5 + ROUNDING_DB


@pytest.mark.parametrize("sign", [-1, 1])
def test_what_is_too_loud_is_turned_down_and_what_is_too_quiet_up(sign):
    (tone,) = decided(track(figures(dict.fromkeys((14, 15, 16), 6.0 * sign))))
    assert gains(tone)[15] * sign < -0.3


def test_a_profile_can_leave_tone_and_width_alone():
    (tone,) = decided(track(figures({15: 9.0}, {15: 9.0})), max_db=0.0)
    assert (tone.settings, [d.why for d in tone.decisions]) == (None, ["the profile leaves them alone"])


def test_what_a_whole_album_lacks_is_corrected_further_than_what_one_track_lacks():
    dull = track(figures(dict.fromkeys((14, 15, 16), -2.0)))
    alone = gains(decided(dull, *[track(figures())] * 5, style="balanced")[0])
    together = gains(decided(*[dull] * 6, style="balanced")[0])
    assert together[15] > 1.1 * alone[15] > 0.0


def test_the_tracks_of_an_album_that_differ_both_ways_are_not_made_alike():
    dull, bright = (track(figures(dict.fromkeys(range(20, 28), size))) for size in (-4.0, 4.0))
    tones = decided(dull, bright)
    assert max(np.abs(gains(tone)).max() for tone in tones) <= 0.95 + ROUNDING_DB
    assert np.allclose(gains(tones[0]), -gains(tones[1]), atol=2 * ROUNDING_DB)


def test_joined_tracks_share_what_they_lack_together():
    dull, bright = (track(figures(dict.fromkeys((14, 15, 16), size))) for size in (-4.0, 4.0))
    (joined,) = decide_tone([[dull, bright]], wanting())
    assert joined.settings is None
    assert all(tone.settings for tone in decide_tone([[dull], [bright]], wanting()))


def test_a_track_with_a_reference_of_its_own_moves_no_other():
    other = norm_of([heard(MIDDLE + np.linspace(6.0, -6.0, 31), MIDDLE + WIDTH)] * 3, POPULAR)
    alone = decided(track(figures({12: 6.0})), track(figures()))
    beside = decided(track(figures({12: 6.0})), track(figures()), track(figures(), other))
    assert [gains(tone).tolist() for tone in alone] == [gains(tone).tolist() for tone in beside[:2]]


def test_the_guard_of_a_profile_holds_for_the_side_too():
    (tone,) = decided(
        track(figures({}, dict.fromkeys(range(10, 28), -12.0))), style="open", intensity="high", max_db=0.3
    )
    assert tone.settings is not None
    assert max(map(abs, (*tone.settings.gains_db, *tone.settings.side_gains_db))) <= 0.3 + ROUNDING_DB


@given(st.permutations(range(3)))
def test_the_order_of_an_album_does_not_change_a_track(order):
    tracks = [track(figures({12: 6.0})), track(figures({20: -6.0}, {20: 4.0})), track(figures())]
    straight = decided(*tracks)
    turned = decided(*(tracks[k] for k in order))
    for place, k in enumerate(order):
        assert gains(straight[k]) == pytest.approx(gains(turned[place]), abs=0.01 + 1e-9)


def test_material_that_is_touched_lightly_moves_less():
    bump = figures(dict.fromkeys((14, 15, 16), 3.0))
    light, full = (gains(decided(track(bump, touch_ratio=touch))[0])[15] for touch in (0.3, 1.0))
    assert 0.0 > light > 0.35 * full


def test_a_third_of_what_the_references_ask_for_moves_a_third():
    bump = track(figures(dict.fromkeys((14, 15, 16), 1.5)))
    whole = wanting("balanced")
    third = chosen(whole, Choices(reference_amount_ratio=1 / 3))
    found = [gains(decide_tone([[bump]], one)[0])[15] for one in (whole, third)]
    assert found[1] == pytest.approx(found[0] / 3, abs=2 * ROUNDING_DB)


@pytest.mark.parametrize(
    ("style", "band", "sign"), [("warm", 8, 1), ("warm", 27, -1), ("open", 28, 1), ("punchy", 5, 1)]
)
def test_a_style_leans_its_way(style, band, sign):
    (tone,) = decided(track(figures(), POPULAR), style=style)
    assert gains(tone)[band] * sign > 0.2


def test_a_style_does_not_push_what_leans_its_way_already():
    warm = figures(dict.fromkeys(range(6, 12), 6.0))
    assert (
        gains(decided(track(warm, POPULAR), style="warm")[0])[8]
        < gains(decided(track(figures(), POPULAR), style="warm")[0])[8]
    )


@pytest.mark.parametrize("style", ["warm", "open", "punchy"])
def test_more_intensity_leans_further(style):
    sums = [
        np.abs(gains(decided(track(figures(), POPULAR), style=style, intensity=one)[0])).sum()
        for one in ("low", "medium", "high")
    ]
    assert sums == sorted(sums) and sums[0] < sums[2]


@given(st.dictionaries(st.integers(2, 29), st.floats(-20.0, 20.0), max_size=28))
def test_width_moves_by_a_quarter_at_most(side):
    (tone,) = decided(track(figures({}, side)))
    most = max((abs(change) for change in side.values()), default=0.0)
    assert np.abs(widening(tone)).max() <= min(MOST_WIDTH_DB, 0.25 * most + 0.1) + 2 * ROUNDING_DB


def test_a_narrow_recording_is_widened_and_a_wide_one_narrowed():
    narrow, wide = (decided(track(figures({}, dict.fromkeys(range(12, 22), size))))[0] for size in (-8.0, 8.0))
    assert widening(narrow)[17] > 0.2
    assert widening(wide)[17] < -0.2


def test_mono_is_not_widened():
    mono = Figures(spectrum_db=tuple(MIDDLE.tolist()))
    (tone,) = decided(track(mono, POPULAR), style="open")
    assert tone.settings is not None and tone.settings.side_gains_db == ()


@pytest.mark.parametrize("nothing", [Figures(spectrum_db=(None,) * 31), Figures(spectrum_db=(-200.0,) * 31)])
def test_without_any_measurement_nothing_is_done(nothing):
    assert decided(track(nothing))[0].settings is None
    assert decide_tone([], wanting()) == []


def test_the_reason_tells_what_was_refused():
    (tone,) = decided(track(figures(dict.fromkeys((13, 14, 15, 16, 17), 20.0))))
    assert "were asked for and held to" in tone.decisions[0].why


def test_loudness_changes_by_about_what_the_equaliser_does():
    bright = EqualiserSettings(freqs_hz=(20.0, 20_000.0), gains_db=(2.0, 2.0))
    assert tone_change_lu(bright, figures().spectrum_db) == pytest.approx(2.0)
    assert tone_change_lu(None, figures().spectrum_db) == 0.0
