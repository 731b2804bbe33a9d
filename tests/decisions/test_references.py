"""References become a norm; one that cannot serve is refused with a reason, and the usual norm holds."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from decisions.deviation import UNTOLD_SPREAD_DB, tone_deviation_db
from decisions.references import expected_of, norm_of
from decisions.taste_files import load_norm
from schemas.figures import Figures
from schemas.steps import Reference
from tests.decisions.records import analysed, profile
from tests.decisions.test_deviation import heard

POPULAR = load_norm("popular")
FLAT = np.full(31, -30.0)


def reference(**changes: object) -> Reference:
    figures = replace(heard(FLAT, FLAT - 6.0), integrated_lufs=-14.0, plr_lu=12.0)
    whole = Reference(uri="ref.flac", sha256="ref", duration_s=200.0, figures=figures)
    return replace(whole, **changes)


def with_references(*references: Reference):
    return replace(analysed(1), references=references)


def test_without_references_the_usual_norm_holds():
    assert expected_of(analysed(1), profile()) == (profile().expected, ())


def test_a_reference_takes_the_place_of_the_usual_norm():
    norm, refused = expected_of(with_references(reference()), profile())
    assert (norm.recordings, norm.deadband_ratio, refused) == (1, 0.0, ())
    assert np.ptp(norm.mid_db) == pytest.approx(0.0)
    assert norm.side_db == pytest.approx((-6.0,) * 31)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sha256": analysed(1).analysis.sha256}, "it is the track itself"),
        ({"duration_s": 9.9}, "it is 9.9 s long, 10 s are needed"),
        ({"figures": Figures()}, "it is silent"),
        ({"figures": None, "trouble": "there is no such file"}, "there is no such file"),
        ({"figures": None}, "it could not be measured"),
    ],
)
def test_a_reference_that_cannot_serve_is_refused_with_a_reason(changes, why):
    norm, refused = expected_of(with_references(reference(**changes)), profile())
    assert norm == profile().expected
    assert len(refused) == 1 and refused[0].startswith("ref.flac: ") and why in refused[0]


def test_the_others_still_serve():
    norm, refused = expected_of(with_references(reference(duration_s=1.0), reference()), profile())
    assert (norm.recordings, len(refused)) == (1, 1)


def test_a_mono_reference_tells_the_tone_and_no_width():
    mono = replace(reference().figures, side_spectrum_db=())
    norm = norm_of([mono], POPULAR)
    assert norm.side_spread_db == (UNTOLD_SPREAD_DB,) * 31
    assert max(norm.mid_spread_db[2:30]) < UNTOLD_SPREAD_DB


def test_a_reference_at_a_lower_rate_tells_nothing_above_its_band():
    short = reference().figures
    cut = replace(
        short,
        spectrum_db=(*short.spectrum_db[:26], *[None] * 5),
        side_spectrum_db=(*short.side_spectrum_db[:26], *[None] * 5),
    )
    assert norm_of([cut], POPULAR).mid_spread_db[26:] == (UNTOLD_SPREAD_DB,) * 5


def test_what_a_low_rate_took_away_is_no_taste():
    whole = heard(FLAT, FLAT - 6.0)
    rolled = np.where(np.arange(31) < 23, FLAT, FLAT - 9.0)  # falls from 4 kHz on
    low = replace(heard(rolled, rolled - 6.0), bandwidth_hz=3_600.0)
    norm = norm_of([low], POPULAR)
    assert norm.mid_spread_db[23:] == (UNTOLD_SPREAD_DB,) * 8
    assert np.nanmax(np.abs(tone_deviation_db(whole, norm))) < 0.5


def test_another_file_of_the_track_is_the_track_itself():
    track = with_references()
    figures = replace(heard(FLAT + 3.0, FLAT - 3.0), integrated_lufs=-11.0)
    track = replace(track, analysis=replace(track.analysis, figures=heard(FLAT, FLAT - 6.0)))
    copy = reference(figures=figures, duration_s=track.analysis.format.duration_s)
    assert "the track itself" in expected_of(replace(track, references=(copy,)), profile())[1][0]


def test_more_references_are_trusted_more():
    one, nine = (norm_of([reference().figures] * count, POPULAR).mid_spread_db[15] for count in (1, 9))
    assert nine < one


def test_references_that_disagree_are_trusted_less():
    draw = np.random.default_rng(3)
    alike = norm_of([reference().figures] * 8, POPULAR)
    scattered = norm_of([heard(FLAT + draw.normal(0.0, 6.0, 31), FLAT - 6.0) for _ in range(8)], POPULAR)
    assert np.mean(scattered.mid_spread_db[10:24]) > 1.3 * np.mean(alike.mid_spread_db[10:24])


def test_a_reference_of_one_low_tone_asks_for_nothing():
    tone = np.full(31, -200.0)
    tone[3] = -10.0
    norm = norm_of([Figures(spectrum_db=tuple(tone.tolist()), integrated_lufs=-20.0)], POPULAR)
    assert norm.mid_spread_db == (UNTOLD_SPREAD_DB,) * 31
