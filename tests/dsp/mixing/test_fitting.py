"""A recording explained as a sum of others."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.mixing.fitting import Fit, SumMeter
from tests.makers import noise

RATE_HZ = 48_000


def fit(target: Audio, parts: list[Audio], *, signed: bool = False, early_frames: float = 0.0) -> Fit:
    meter = SumMeter(RATE_HZ, len(parts))
    for at in range(0, len(target) - 8_192, 8_192):
        cut = slice(at, at + 8_192)
        meter.push(target[cut].T.astype(np.float32), [part[cut].T.astype(np.float32) for part in parts], early_frames)
    return meter.fit(signed=signed)


@pytest.fixture
def parts() -> list[Audio]:
    return [noise(seconds=2.0, rate_hz=RATE_HZ, channels=2, seed=seed) for seed in range(5)]


def test_gains_of_a_sum_are_found(parts):
    found = fit(0.5 * parts[0] + 2.0 * parts[2] + 0.1 * parts[4], parts)
    assert found.gains_ratio == pytest.approx((0.5, 0.0, 2.0, 0.0, 0.1), abs=1e-5)
    assert found.residual_db < -90.0
    assert [level is None for level in found.levels_db] == [False, True, False, True, False]


def test_a_part_that_would_have_to_be_taken_away_is_no_part(parts):
    whole = parts[0] + parts[1]
    assert fit(parts[0], [whole, parts[1]]).residual_db > -4.0
    assert fit(parts[0], [whole, parts[1]], signed=True).gains_ratio == pytest.approx((1.0, -1.0), abs=1e-5)


def test_what_is_missing_shows_in_its_bands(parts):
    time_s = np.arange(len(parts[0])) / RATE_HZ
    tone = np.repeat(np.sin(2 * np.pi * 1_000.0 * time_s)[:, None], 2, axis=1)
    found = fit(parts[0] + tone, parts)
    assert found.residual_bands_db[17] > -1.0 and found.residual_bands_db[10] < -60.0


def test_mono_parts_stand_in_both_channels(parts):
    mono = parts[0][:, :1]
    assert fit(np.repeat(mono, 2, axis=1), [mono]).residual_db < -90.0


def test_a_part_of_a_frame_is_taken_out(parts):
    turns = np.exp(-2j * np.pi * np.arange(len(parts[0]) // 2 + 1) / len(parts[0]) * 0.4)
    late = np.fft.irfft(np.fft.rfft(parts[0], axis=0) * turns[:, None], len(parts[0]), axis=0)
    assert fit(late, parts, early_frames=0.4).residual_db < fit(late, parts).residual_db - 15.0


def test_silence_is_no_sum(parts):
    found = fit(np.zeros_like(parts[0]), parts)
    assert (found.residual_db, set(found.gains_ratio)) == (None, {0.0})
