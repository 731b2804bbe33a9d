"""The imager: width by band, mono below, and a middle that stays what it was."""

from __future__ import annotations

import numpy as np
import pytest

from dsp.audio import Audio
from dsp.chain import process
from dsp.settings import ImagerSettings
from tests.dsp.signals import EBU_HZ, level_db, null_db, without_tone
from tests.makers import music, noise, sine

WIDTH_DB = 0.05  # of a tone in the middle of its band
MIDDLE = 1e-15  # left + d and right - d are rounded: the middle of the two by the last bit
EDGES_HZ = (200.0, 2000.0)


def tone(hz: float, mid: float, side: float, seconds: float = 2.0) -> Audio:
    wave = sine(hz, level_dbfs=-12.0, seconds=seconds, rate_hz=EBU_HZ, channels=1)
    return np.concatenate([wave * (mid + side), wave * (mid - side)], axis=1)


def mid(audio: Audio) -> np.ndarray:
    return (audio[:, 0] + audio[:, 1]) / 2.0


def side(audio: Audio) -> np.ndarray:
    return (audio[:, 0] - audio[:, 1]) / 2.0


def imaged(audio: Audio, rate_hz: int = EBU_HZ, **settings: object) -> Audio:
    return process(
        audio, rate_hz, ImagerSettings(**{"edges_hz": EDGES_HZ, "widths_ratio": (1.0, 1.0, 1.0), **settings})
    )


WIDE = music(level_dbfs=-20.0, rate_hz=EBU_HZ) + 0.3 * noise(level_dbfs=-20.0, seconds=4.0, rate_hz=EBU_HZ)


@pytest.mark.parametrize(("hz", "width"), [(60.0, 0.5), (600.0, 1.5), (8000.0, 2.0)])
def test_every_band_gets_its_width(hz, width):
    audio = tone(hz, 1.0, 0.5)
    out = imaged(audio, widths_ratio=(0.5, 1.5, 2.0))
    before, after = (without_tone(side(a)[20_000:-20_000], hz, EBU_HZ)[1] for a in (audio, out))
    assert level_db(width) == pytest.approx(level_db(after / before), abs=WIDTH_DB)


@pytest.mark.parametrize("widths", [(0.0, 0.0, 0.0), (2.0, 2.0, 2.0), (0.0, 1.0, 2.0)])
def test_the_mono_sum_stays_what_it_was(widths):
    out = imaged(WIDE, widths_ratio=widths, mono_below_hz=100.0)
    assert np.abs(mid(out) - mid(WIDE)).max() < MIDDLE
    assert np.abs(side(out) - side(WIDE)).max() > 0.01


def test_a_width_of_0_is_mono():
    out = imaged(WIDE, widths_ratio=(0.0, 0.0, 0.0))
    assert null_db(WIDE, np.stack([mid(WIDE), mid(WIDE)], axis=1)) > -20.0
    assert null_db(np.stack([mid(WIDE), mid(WIDE)], axis=1), out) < -120.0


@pytest.mark.parametrize("recover_ratio", [0.0, 1.0])
def test_widths_of_1_pass_bit_for_bit(recover_ratio):
    assert np.array_equal(WIDE, imaged(WIDE, recover_ratio=recover_ratio))


@pytest.mark.parametrize("recover_ratio", [0.0, 1.0])
def test_two_equal_channels_pass_bit_for_bit(recover_ratio):
    mono = music(rate_hz=EBU_HZ, channels=1)
    double = np.repeat(mono, 2, axis=1)
    settings = {"widths_ratio": (0.0, 0.5, 2.0), "mono_below_hz": 120.0, "recover_ratio": recover_ratio}
    assert np.array_equal(double, imaged(double, **settings))
    assert np.array_equal(mono, imaged(mono, **settings))


def correlation(audio: Audio) -> float:
    return float(np.corrcoef(audio.T)[0, 1])


@pytest.mark.parametrize("hz", [40.0, 60.0])
def test_below_its_edge_the_bass_becomes_mono(hz):
    apart = np.concatenate([tone(hz, 1.0, 0.0)[:, :1], 0.5 * np.roll(tone(hz, 1.0, 0.0)[:, :1], 200)], axis=1)
    steady = slice(EBU_HZ // 2, -EBU_HZ // 2)
    assert correlation(apart[steady]) < 0.95
    assert correlation(imaged(apart, mono_below_hz=120.0)[steady]) > 0.9999


@pytest.mark.parametrize("mono_below_hz", [120.0, 200.0, 500.0])
def test_what_lies_above_the_mono_bass_keeps_its_width(mono_below_hz):
    audio = tone(1100.0, 1.0, 0.5)
    out = imaged(audio, widths_ratio=(1.5, 1.5, 1.0), mono_below_hz=mono_below_hz)
    gain = without_tone(side(out)[20_000:-20_000], 1100.0, EBU_HZ)[1] / (0.5 * 10 ** (-12.0 / 20.0))
    assert level_db(1.5) == pytest.approx(level_db(gain), abs=WIDTH_DB)


@pytest.mark.parametrize(
    ("side_ratio", "width", "recover_ratio", "expected_db"),
    [
        (0.5, 0.0, 1.0, 10.0 * np.log10(1.25)),
        (0.5, 0.5, 1.0, 10.0 * np.log10(1.0 + 0.75 * 0.25)),
        (0.5, 0.0, 0.5, 10.0 * np.log10(1.125)),
        (2.0, 0.0, 1.0, 10.0 * np.log10(2.0)),
        (0.5, 0.0, 0.0, 0.0),
        (0.5, 1.5, 1.0, 0.0),
    ],
)
def test_the_middle_gets_back_what_narrowing_takes_by_3_db_at_most(side_ratio, width, recover_ratio, expected_db):
    audio = tone(600.0, 0.5, 0.5 * side_ratio, seconds=5.0)
    out = imaged(audio, widths_ratio=(1.0, width, 1.0), recover_ratio=recover_ratio)
    steady = slice(4 * EBU_HZ, -EBU_HZ // 4)
    before, after = (without_tone(mid(a)[steady], 600.0, EBU_HZ)[1] for a in (audio, out))
    assert expected_db == pytest.approx(level_db(after / before), abs=WIDTH_DB)


def test_a_narrowed_band_keeps_its_power_if_it_is_given_back():
    out = imaged(WIDE, widths_ratio=(0.3, 0.3, 0.3), recover_ratio=1.0)
    powers = [np.square(mid(a)[EBU_HZ:]).sum() + np.square(side(a)[EBU_HZ:]).sum() for a in (WIDE, out)]
    assert 10.0 * np.log10(powers[1] / powers[0]) == pytest.approx(0.0, abs=0.5)


def test_edges_that_the_rate_does_not_reach_are_dropped():
    audio = noise(rate_hz=8_000)
    out = imaged(audio, 8_000, edges_hz=(4000.0, 9000.0), widths_ratio=(0.0, 1.0, 2.0))
    assert null_db(np.stack([mid(audio), mid(audio)], axis=1), out) < -110.0
