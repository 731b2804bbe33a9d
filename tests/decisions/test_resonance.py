"""Only what sticks out beyond what songs stray is cut, only where mixes boom or are harsh, and no further than asked."""

from __future__ import annotations

import numpy as np
import pytest

from decisions.choices import Choices, chosen
from decisions.material import Material
from decisions.resonance import MOST_BANDS, decide_de_esser, decide_resonances
from decisions.taste_files import load_norm
from dsp.settings import DynamicEqualiserSettings
from schemas.figures import Figures
from tests.decisions.records import profile
from tests.decisions.test_deviation import heard

POPULAR = load_norm("popular")
MIDDLE = np.array(POPULAR.mid_db) - 30.0
MIX = Material("a mix", 1.0, "")


def sticking_out(*bands: int, by_db: float = 9.0) -> Figures:
    changed = MIDDLE.copy()
    changed[list(bands)] += by_db
    return heard(changed, changed - 10.0)


def cut(
    figures: Figures, style: str = "balanced", material: Material = MIX, **tone: float
) -> DynamicEqualiserSettings | None:
    return decide_resonances([figures], POPULAR, material, chosen(profile(tone=tone), Choices(style=style)))[0]


def test_a_mix_without_resonances_is_left_alone():
    assert cut(sticking_out()) is None


@pytest.mark.parametrize("band", [9, 23])  # 160 Hz, 4 kHz
def test_what_booms_or_is_harsh_is_cut_where_it_sticks_out(band):
    settings = cut(sticking_out(band))
    assert settings is not None
    (one,) = settings.bands
    assert one.freq_hz == pytest.approx(1000.0 * 10.0 ** ((band - 17) / 10.0), rel=0.01)
    assert (one.relative, one.max_cut_db) == (True, 2.0)


def test_elsewhere_what_sticks_out_is_the_music():
    assert cut(sticking_out(15)) is None  # 630 Hz


def test_no_more_than_four_bands_are_cut():
    settings = cut(sticking_out(7, 9, 11, 20, 22, 24, 26, by_db=24.0))
    assert settings is not None and len(settings.bands) == MOST_BANDS


@pytest.mark.parametrize("off", [{"style": "transparent"}, {"max_db": 0.0}])
def test_style_and_profile_can_leave_them_alone(off):
    assert cut(sticking_out(23), **off) is None


def test_delicate_material_is_cut_less():
    settings = cut(sticking_out(23), material=Material("delicate", 0.5, ""))
    assert settings is not None and settings.bands[0].max_cut_db == 1.0


def test_a_de_esser_comes_where_it_is_asked_for():
    assert decide_de_esser(0.0, "the style")[0] is None
    settings, why = decide_de_esser(4.0, "the carrier")
    assert settings is not None and settings.max_cut_db == 4.0 and "the carrier" in why.why
