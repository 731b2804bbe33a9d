"""The benchmark of restoration: the damage is seeded and never clips, and a distance is what can be computed by hand."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import lathe
from dsp.spectrum import CENTRES_HZ
from tests.makers import RATE_HZ, music, noise, write, write_manifest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
damage: Any = importlib.import_module("damage")
spectra: Any = importlib.import_module("spectra")
restoration: Any = importlib.import_module("restoration")

WHITE = noise(seconds=20.0, level_dbfs=-30.0)
LEAKAGE_DB = 0.15
"""A third octave averages what a bell does across it, and noise of 20 s strays a little in the narrow ones."""

ROUNDED_DB = 0.001
"""The meter's figures are rounded to this."""


def third_octaves(audio: np.ndarray) -> tuple[float | None, ...]:
    """By Lathe's own meter."""
    return lathe.measure(audio, RATE_HZ).figures.spectrum_db


def rms_of_shape(curve_db: np.ndarray) -> float:
    """Root mean square of a curve from 31.5 Hz to 16 kHz, less its mean."""
    return float(np.std(curve_db[spectra.BANDS]))


def test_the_same_name_and_seed_do_the_same_damage_and_others_do_another() -> None:
    assert damage.drawn("a/1", 1) == damage.drawn("a/1", 1)
    assert 3 == len({damage.drawn(*one).bells for one in (("a/1", 1), ("a/1", 2), ("a/2", 1))})


def test_damage_stays_within_what_it_says() -> None:
    drawn = [damage.drawn("a", seed) for seed in range(200)]
    bells = np.array([bell for one in drawn for bell in one.bells])
    assert {4} == {len(one.bells) for one in drawn}
    assert 60.0 <= bells[:, 0].min() and bells[:, 0].max() <= 12_000.0
    assert 5.8 < np.abs(bells[:, 1]).max() <= 6.0
    assert 0.7 <= bells[:, 2].min() and bells[:, 2].max() <= 2.0
    assert max(abs(one.side_gain_db) for one in drawn) <= 3.0


@pytest.mark.parametrize("seed", range(6))
def test_damage_never_clips_even_a_track_at_full_scale(seed: int, tmp_path: Path) -> None:
    loud = music(seconds=3.0)
    source = write(tmp_path / "loud.flac", loud / np.abs(loud).max() * (1.0 - 2.0**-23))
    damage.write_damaged(source, tmp_path / "damaged.flac", damage.drawn("loud", seed))
    made, rate_hz = soundfile.read(tmp_path / "damaged.flac")
    assert "PCM_24" == soundfile.info(tmp_path / "damaged.flac").subtype
    assert (RATE_HZ, len(loud)) == (rate_hz, len(made))
    assert 20.0 * math.log10(np.abs(made).max()) <= -1.0 + 1e-4


def test_no_damage_is_none() -> None:
    nothing = damage.Damage(bells=(), gain_db=0.0, side_gain_db=0.0)
    assert np.allclose(WHITE, damage.damaged(WHITE, RATE_HZ, nothing), rtol=0.0, atol=1e-15)


def test_width_changes_the_side_and_leaves_the_middle() -> None:
    wide = damage.damaged(WHITE, RATE_HZ, damage.Damage(bells=(), gain_db=0.0, side_gain_db=3.0))
    assert np.allclose(WHITE.sum(axis=1), wide.sum(axis=1), rtol=0.0, atol=1e-14)
    assert np.allclose(10.0 ** (3.0 / 20.0) * np.diff(WHITE), np.diff(wide), rtol=0.0, atol=1e-14)


def test_a_mono_track_can_be_damaged() -> None:
    assert (RATE_HZ, 1) == damage.damaged(noise(channels=1), RATE_HZ, damage.drawn("mono", 1)).shape


def test_a_track_has_no_distance_to_itself_at_any_level() -> None:
    spectrum = third_octaves(WHITE)
    assert 0.0 == spectra.distance_db(spectrum, spectrum)
    assert pytest.approx(0.0, abs=ROUNDED_DB) == spectra.distance_db(third_octaves(0.5 * WHITE), spectrum)


def test_distances_are_taken_from_31_hz_to_16_khz() -> None:
    first_hz, *_, last_hz = CENTRES_HZ[spectra.BANDS]
    assert (31.6, 15_849) == (round(first_hz, 1), round(last_hz))


def test_bands_without_music_do_not_count() -> None:
    original = [-20.0] * len(CENTRES_HZ)
    original[10], original[29] = -100.0, None
    changed = [-26.0] * len(CENTRES_HZ)
    changed[10], changed[29] = 0.0, 0.0
    assert 26 == len(spectra.difference_db(changed, original))
    assert 0.0 == spectra.distance_db(changed, original)
    assert 0.0 == spectra.distance_db(original, [None] * len(CENTRES_HZ))


def test_a_bell_gives_the_distance_that_its_curve_has() -> None:
    bell = damage.Damage(bells=(damage.Bell(1000.0, 6.0, 1.0),), gain_db=-3.0, side_gain_db=0.0)
    curve_db = damage.curve_db(bell, np.array(CENTRES_HZ), RATE_HZ)
    assert 6.0 == pytest.approx(curve_db[17], abs=1e-6)
    before, after = third_octaves(WHITE), third_octaves(damage.damaged(WHITE, RATE_HZ, bell))
    assert rms_of_shape(curve_db) == pytest.approx(spectra.distance_db(after, before), abs=LEAKAGE_DB)


def test_every_track_has_the_rest_of_its_album_the_next_one_first(tmp_path: Path) -> None:
    rows = [
        {"uri": f"{album}{number}.flac", "album_id": album, "sequence": number}
        for album, tracks in (("a", 3), ("alone", 1))
        for number in range(1, tracks + 1)
    ]
    for row in rows:
        write(tmp_path / str(row["uri"]), music(seconds=1.0))
    found = restoration.pieces(write_manifest(tmp_path / "manifest.csv", rows))
    assert ["a/a1", "a/a2", "a/a3"] == [piece.name for piece in found]
    assert ["a3", "a1"] == [path.stem for path in found[1].others]


def test_the_table_holds_the_first_style_to_what_is_asked() -> None:
    tried = [
        restoration.Tried("a/1 1", {"damaged": 2.0, "transparent": 1.5, "matchering": 4.0}),
        restoration.Tried("a/2 1", {"damaged": 1.0, "transparent": 1.2, "matchering": 3.0}),
        restoration.Tried("a/3 1", {"damaged": 3.0, "transparent": 2.8, "matchering": 3.5}),
    ]
    found = {row.figure: row for row in restoration.figures(tried, ["transparent"])}
    assert ("under 2.00 dB", "1.50 dB") == found["transparent: distance to the original, median of 3"][1:]
    assert "67%" == found["transparent: tracks that came nearer"].measured
    assert "+0.20 dB" == found["transparent: distance to the original, worst change"].measured
    assert "-2.00 dB" == found["transparent: median distance less matchering's"].measured
