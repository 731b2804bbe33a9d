"""Compression goes to the bands whose peaks stand out; finished and delicate material keeps its dynamics."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from decisions.carrier import decide_expander
from decisions.choices import Choices, chosen
from decisions.dynamics import band_level_dbfs, decide_attack, decide_colour, decide_compressor, decide_multiband
from decisions.material import Material
from decisions.taste_files import load_norm
from schemas.figures import Figures
from schemas.profile import Profile
from schemas.style import AttackWish, ColourWish, DynamicsWish, SpeechWish
from tests.decisions.records import profile

POPULAR = load_norm("popular")
MIX = Material("a mix", 1.0, "-20.0 LUFS with peaks at -6.0 dBTP")
MASTERED = Material("mastered before", 0.5, "loud")
UNTOUCHED = [Material("heavily limited", 0.5, "dense"), Material("delicate", 0.5, "its genre")]
USUAL = Figures(spectrum_db=(-30.0,) * 31, crest_bands_db=POPULAR.crest_bands_db or (), true_peak_dbtp=-6.0)


def styled(style: str, intensity: str = "medium") -> Profile:
    return chosen(profile(), Choices(style=style, intensity=intensity))


def ratios(
    crest_change_db: float, style: str = "balanced", intensity: str = "medium", material: Material = MIX
) -> list[float]:
    crests = tuple(crest + crest_change_db for crest in USUAL.crest_bands_db if crest is not None)
    settings, _ = decide_multiband([replace(USUAL, crest_bands_db=crests)], POPULAR, material, styled(style, intensity))
    return [band.compression_ratio for band in settings.bands] if settings else [1.0] * 4


def test_peaks_that_stand_out_more_are_held_more():
    low, usual, high = (ratios(change)[1] for change in (-POPULAR.crest_spread_db, 0.0, POPULAR.crest_spread_db))
    assert (low, usual, high) == (1.0, pytest.approx(1.25), pytest.approx(1.5))


def test_a_higher_intensity_holds_more_and_material_that_is_touched_lightly_less():
    assert ratios(0.0, intensity="low")[1] < ratios(0.0)[1] < ratios(0.0, intensity="high")[1]
    assert ratios(0.0, material=MASTERED)[1] == pytest.approx(1.125)


def test_what_is_denser_than_the_norm_is_not_compressed_further():
    assert POPULAR.plr_lu is not None
    shares = []
    for plr_lu in (POPULAR.plr_lu + 3.0, POPULAR.plr_lu, POPULAR.plr_lu - POPULAR.plr_spread_lu):
        settings, _ = decide_multiband([replace(USUAL, plr_lu=plr_lu)], POPULAR, MIX, styled("balanced"))
        shares.append(settings.bands[1].compression_ratio if settings else 1.0)
    assert shares == [pytest.approx(1.25), pytest.approx(1.25), 1.0]


def test_the_threshold_lies_over_the_level_of_its_band():
    settings, _ = decide_multiband([USUAL], POPULAR, MIX, styled("balanced"))
    assert settings is not None
    for k, band in enumerate(settings.bands):
        assert band.threshold_dbfs == pytest.approx((band_level_dbfs(USUAL, k) or 0.0) + 9.0, abs=0.01)


def test_a_band_without_sound_is_not_compressed():
    quiet = replace(USUAL, spectrum_db=(*[-30.0] * 25, *[-120.0] * 6))
    settings, _ = decide_multiband([quiet], POPULAR, MIX, styled("balanced"))
    assert settings is not None and settings.bands[3].compression_ratio == 1.0


@pytest.mark.parametrize("material", UNTOUCHED, ids=lambda m: m.kind)
def test_finished_and_delicate_material_is_refused_with_a_reason(material):
    warm, punchy = styled("warm"), styled("punchy")
    refusals = [
        decide_multiband([USUAL], POPULAR, material, warm),
        decide_compressor(-14.0, profile("loud").compressor, material),
        decide_colour(-1.0, material, warm),
    ]
    assert [settings for settings, _ in refusals] == [None] * 3
    transients, low_end, why = decide_attack(material, punchy)
    assert (transients, low_end) == (None, None)
    assert all(material.why in one.why for one in [*(d for _, d in refusals), why])


def test_the_transparent_style_touches_no_dynamics():
    transparent = styled("transparent")
    assert decide_multiband([USUAL], POPULAR, MIX, transparent)[0] is None
    assert decide_colour(-1.0, MIX, transparent)[0] is None
    assert decide_attack(MIX, transparent)[:2] == (None, None)


@pytest.mark.parametrize(("peak_dbtp", "drive_db"), [(0.0, 3.0), (-6.0, 9.0), (-40.0, 24.0), (4.0, 0.0)])
def test_saturation_is_driven_as_far_whatever_the_level_of_the_mix(peak_dbtp, drive_db):
    settings, _ = decide_colour(peak_dbtp, MIX, styled("warm"))
    assert settings is not None and settings.drive_db == drive_db


def test_a_punchy_master_has_more_attack_and_a_tighter_bass():
    transients, low_end, _ = decide_attack(MIX, styled("punchy"))
    assert transients is not None and transients.attack_db == 1.5
    assert low_end is not None and low_end.contrast_db == 2.0


def test_the_level_of_a_band_is_that_of_a_sine_as_loud():
    alone = Figures(spectrum_db=(*[None] * 17, -3.01, *[None] * 13))  # 1 kHz: a sine at full scale
    assert band_level_dbfs(alone, 1) == pytest.approx(0.0, abs=0.01)
    assert band_level_dbfs(alone, 0) is None


EXTREMES = {
    "dynamics": DynamicsWish(
        over_band_db=30.0,
        compression_ratio=10.0,
        knee_db=24.0,
        attack_s=0.5,
        release_s=0.5,
        lift_ratio=4.0,
        max_lift_db=12.0,
    ),
    "colour": ColourWish(character="tube", drive_db=24.0, amount_ratio=1.0),
    "attack": AttackWish(attack_db=8.0, sustain_db=-8.0, low_end_db=8.0),
    "speech": SpeechWish(max_de_ess_db=12.0, expansion_ratio=10.0, expander_range_db=12.0, under_loudness_db=60.0),
}


def test_no_style_that_can_be_written_asks_for_what_no_processor_takes():
    wild = styled("balanced", "high")
    wild = replace(wild, taste=replace(wild.taste, **EXTREMES))
    loud = replace(USUAL, crest_bands_db=(60.0,) * 4, plr_lu=30.0)
    assert decide_multiband([loud], POPULAR, MIX, wild)[0] is not None
    assert decide_attack(MIX, wild)[0] is not None
    assert decide_colour(-40.0, MIX, wild)[0] is not None
    assert decide_expander(-70.0, MIX, wild)[0] is not None


def test_lifting_alone_is_a_reason_for_a_compressor():
    lifting = replace(styled("balanced").taste, dynamics=replace(EXTREMES["dynamics"], compression_ratio=1.0))
    settings, _ = decide_multiband([USUAL], POPULAR, MIX, replace(styled("balanced"), taste=lifting))
    assert settings is not None and settings.bands[1].lift_ratio > 1.0
