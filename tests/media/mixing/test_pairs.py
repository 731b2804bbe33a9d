"""Pairs and sums are read from files, of any rate and length, a few seconds in all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr

from media.mixing.pairs import measured_links
from schemas.mix import REFERENCE, LinkWish, PairFigures, PairWish, SumFigures, SumWish
from schemas.stems import Song, Stem
from tests.makers import music, noise, write

RATE_HZ = 44_100
AT_S = tuple(0.2 + 0.25 * n for n in range(12))


def song(tmp_path: Path, **stems) -> Song:
    found = tuple(Stem(row=n, uri=str(path), stem_id=name) for n, (name, path) in enumerate(sorted(stems.items())))
    named = {one.stem_id: one for one in found}
    reference = named.pop("reference", None)
    return Song(stems=tuple(named.values()), reference=reference.uri if reference else None)


def pair_of(tmp_path, first, second, rate_hz=RATE_HZ) -> PairFigures:
    paths = {"a": write(tmp_path / "a.wav", first, RATE_HZ), "b": write(tmp_path / "b.wav", second, rate_hz)}
    wish = PairWish(first="a", second="b", of="both", at_s=AT_S, max_delay_s=0.02)
    return measured_links(song(tmp_path, **paths), LinkWish(pairs=(wish,)), RATE_HZ)[0][0]


def test_the_second_comes_later(tmp_path):
    audio = music(seconds=4.0, rate_hz=RATE_HZ, channels=1)
    found = pair_of(tmp_path, audio, -np.roll(audio, 200, axis=0))
    assert (found.delay_frames, found.inverted, found.stable_ratio) == (200.0, True, 1.0)


def test_stems_of_two_rates_are_held_against_each_other_at_that_of_the_session(tmp_path):
    audio = music(seconds=4.0, rate_hz=RATE_HZ, channels=1)
    found = pair_of(tmp_path, audio, soxr.resample(np.roll(audio, 100, axis=0), RATE_HZ, 48_000), 48_000)
    assert found.delay_frames == pytest.approx(100.0, abs=0.1) and found.residual_db < -25.0


def test_stems_with_nothing_in_common_have_no_delay(tmp_path):
    one, other = (noise(seconds=4.0, rate_hz=RATE_HZ, channels=1, seed=seed) for seed in (1, 2))
    found = pair_of(tmp_path, one, other)
    assert found.delay_frames is None and abs(found.correlation) < 0.05


def test_a_stem_that_is_silent_where_the_other_sounds_is_unrelated(tmp_path):
    found = pair_of(tmp_path, music(seconds=4.0), np.zeros((40_000, 1)))
    assert (found.delay_frames, found.correlation, found.gain_db) == (None, 0.0, None)


def sum_of(tmp_path, late_frames: int, gains=(1.0, -0.5, 0.0)) -> SumFigures:
    parts = [music(seconds=4.0, rate_hz=RATE_HZ, seed=seed) for seed in (1, 2, 3)]
    whole = sum(gain * part for gain, part in zip(gains, parts, strict=True))
    mixed = np.roll(whole, late_frames, axis=0)
    paths = {name: write(tmp_path / f"{name}.wav", part) for name, part in zip("abc", parts, strict=True)}
    paths["reference"] = write(tmp_path / "reference.wav", mixed)
    wish = SumWish(target=REFERENCE, parts=("a", "b", "c"), at_s=AT_S, signed=True)
    return measured_links(song(tmp_path, **paths), LinkWish(sums=(wish,)), RATE_HZ)[1][0]


@pytest.mark.parametrize("late_frames", [0, 1_105])
def test_a_reference_is_the_sum_of_its_stems_however_late(tmp_path, late_frames):
    found = sum_of(tmp_path, late_frames, (1.0, 0.5, 0.0))
    assert found.gains_ratio == pytest.approx({"a": 1.0, "b": 0.5, "c": 0.0}, abs=1e-3)
    assert found.delay_frames == pytest.approx(late_frames, abs=0.01)
    assert found.residual_db < -50.0 and set(found.levels_db) == {"a", "b"}


def test_a_stem_that_is_inverted_in_the_reference_has_a_negative_gain(tmp_path):
    assert sum_of(tmp_path, 0).gains_ratio["b"] == pytest.approx(-0.5, abs=1e-3)
