"""Finished and delicate material is recognised, by its genre and by what was measured."""

from __future__ import annotations

import pytest

from decisions.material import recognise
from tests.decisions.records import analysis, profile, showing

CHOICE = profile().material


def kind_of(genre: str | None = None, lufs: float = -20.0, peak_dbtp: float = -6.0, **figures: float) -> str:
    source = analysis(lufs, peak_dbtp=peak_dbtp)
    for name, value in figures.items():
        source = showing(name, value, source)
    return recognise(source, genre, CHOICE).kind


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "a mix"),
        ({"lufs": -9.0, "peak_dbtp": -0.1}, "mastered before"),
        ({"lufs": -9.0, "peak_dbtp": -4.0}, "a mix"),
        ({"lufs": -18.0, "peak_dbtp": -0.1}, "a mix"),
        ({"limited_ratio": 0.7}, "heavily limited"),
        ({"plr_lu": 6.0}, "heavily limited"),
        ({"plr_lu": 18.5}, "delicate"),
        ({"loudness_range_lu": 15.0}, "delicate"),
        ({"genre": "Contemporary Classical"}, "delicate"),
        ({"genre": "Rock"}, "a mix"),
        ({"genre": "Classical", "limited_ratio": 0.7}, "heavily limited"),
    ],
)
def test_a_track_is_recognised(given, expected):
    assert kind_of(**given) == expected


@pytest.mark.parametrize(
    "given", [{"limited_ratio": 0.7}, {"plr_lu": 6.0}, {"genre": "jazz"}, {"loudness_range_lu": 15.0}]
)
def test_finished_and_delicate_material_keeps_its_dynamics(given):
    genre = given.pop("genre", None)
    source = analysis(-20.0, peak_dbtp=-6.0)
    for name, value in given.items():
        source = showing(name, value, source)
    material = recognise(source, genre, CHOICE)
    assert not material.dynamics and material.touch_ratio < 1.0 and material.why


def test_silence_is_a_mix_of_nothing():
    assert recognise(showing("silent", 1.0), None, CHOICE).touch_ratio == 1.0
