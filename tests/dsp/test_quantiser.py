"""Rounding with dither: the error is noise that knows nothing of the music, and nothing is lost below the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import welch

from dsp.audio import Audio, Floats
from dsp.quantiser import Quantiser
from dsp.settings import QuantiserSettings
from tests.dsp.signals import without_tone
from tests.makers import RATE_HZ, music, noise, sine

MEAN_LSB = 0.005  # standards 6.2
VARIANCE_RATIO = 0.01  # standards 6.2: 0.25 LSB^2 within 1 %
CORRELATION = 0.01  # standards 6.2

SHAPED_DB = 0.5  # standards 6.2, against its table
SHAPED = {"modified_e": (7.6, -19.4, 13.2), "lipshitz": (12.2, -27.2, 18.7)}
"""Against flat dither: whole noise, at 4 kHz, at 20 kHz (standards 6.2)."""

EVERY_WIDTH = pytest.mark.parametrize("bits", [16, 24])


def integers(audio: Audio, bits: int = 16, *, seed: int = 1, dither: bool = True) -> np.ndarray:
    return Quantiser(QuantiserSettings(bits=bits, seed=seed, dither=dither), audio.shape[1]).push(audio)


def steps(audio: Audio, bits: int = 16, *, seed: int = 1, dither: bool = True) -> Floats:
    """The quantised audio in steps of the last bit."""
    return integers(audio, bits, seed=seed, dither=dither).astype(np.float64) / (1 if bits == 16 else 256)


def error(audio: Audio, bits: int = 16, seed: int = 1) -> Floats:
    """What rounding added, in steps of the last bit."""
    return steps(audio, bits, seed=seed) - audio * 2 ** (bits - 1)


LONG = {
    "music": lambda: music(level_dbfs=-20.0, seconds=12.0),
    "noise": lambda: noise(level_dbfs=-30.0, seconds=12.0),
    "a soft tone": lambda: sine(997.0, level_dbfs=-95.0, seconds=12.0),
    "a constant": lambda: np.full((530_000, 2), 0.3 / 2**15),
}


@EVERY_WIDTH
@pytest.mark.parametrize("maker", LONG.values(), ids=LONG)
def test_the_error_has_no_mean_and_a_quarter_step_of_power_whatever_the_music(maker, bits):
    found = error(maker(), bits)
    assert found.size >= 1_000_000
    assert abs(found.mean()) < MEAN_LSB
    assert found.var() == pytest.approx(0.25, rel=VARIANCE_RATIO)


@EVERY_WIDTH
@pytest.mark.parametrize("maker", [LONG["music"], LONG["noise"], LONG["a soft tone"]])
def test_the_error_is_not_correlated_with_the_music(maker, bits):
    audio = maker()
    assert abs(np.corrcoef(error(audio, bits).ravel(), audio.ravel())[0, 1]) < CORRELATION


def test_the_error_is_white():
    line = error(LONG["music"]())[:, 0]
    lags = [float(line[lag:] @ line[:-lag] / (line @ line)) for lag in (1, 2, 3, 10, 441)]
    assert max(abs(lag) for lag in lags) < CORRELATION


def test_channels_have_noise_of_their_own():
    found = error(np.full((500_000, 2), 0.1))
    assert abs(np.corrcoef(found.T)[0, 1]) < CORRELATION


def test_a_tone_far_below_the_last_bit_survives_without_harmonics():
    hz, rate_hz, frames = 1000.0, 48_000, 1 << 16
    tone = sine(hz, level_dbfs=-100.0, seconds=16 * frames / rate_hz, rate_hz=rate_hz, channels=1)
    line = steps(tone)[:, 0] / 2**15
    _, amplitude = without_tone(line, hz, rate_hz)
    power = np.square(np.abs(np.fft.rfft(line.reshape(16, frames) * np.hanning(frames), axis=1))).mean(axis=0)
    floor = float(np.median(power))
    harmonics = [power[round(k * hz / rate_hz * frames) + np.arange(-2, 3)].max() for k in range(2, 23)]
    assert 20.0 * np.log10(amplitude) == pytest.approx(-100.0, abs=0.2)
    assert max(harmonics) < 4.0 * floor  # 16 averages of noise: a bin exceeds 4 times its median once in 1e9


def test_the_same_tone_dies_without_dither():
    assert not steps(sine(1000.0, level_dbfs=-100.0), dither=False).any()


@EVERY_WIDTH
def test_digital_silence_stays_silent(bits):
    assert not integers(np.zeros((10_000, 2)), bits).any()


def test_a_frame_with_sound_in_one_channel_is_dithered_in_both():
    one_sided = music(level_dbfs=-30.0, seconds=1.0)
    one_sided[:, 1] = 0.0
    assert steps(one_sided)[:, 1].any()


@EVERY_WIDTH
def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_noise(bits):
    audio = music(level_dbfs=-20.0, seconds=2.0)
    assert integers(audio, bits, seed=5).tobytes() == integers(audio, bits, seed=5).tobytes()
    assert abs(np.corrcoef(error(audio, bits, seed=5).ravel(), error(audio, bits, seed=6).ravel())[0, 1]) < CORRELATION


@EVERY_WIDTH
def test_without_dither_audio_on_the_grid_passes_exactly(bits, rng):
    grid = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (10_000, 2))
    assert np.array_equal(grid, steps(grid / 2 ** (bits - 1), bits, dither=False))


@EVERY_WIDTH
def test_24_bits_stand_left_aligned_with_an_empty_low_byte(bits):
    out = integers(noise(seconds=0.1), bits)
    assert out.dtype == (np.int16 if bits == 16 else np.int32)
    assert bits == 16 or not (out & 0xFF).any()


@pytest.mark.parametrize("peak", [1.0, 1.5, -1.001])
def test_what_does_not_fit_is_refused_never_clipped(peak):
    audio = np.zeros((100, 2))
    audio[50, 1] = peak
    with pytest.raises(OverflowError, match="1 samples exceed full scale in the block before frame 100"):
        integers(audio, dither=False)


def test_negative_full_scale_fits():
    assert integers(np.full((1, 1), -1.0), dither=False).item() == -(2**15)


def shaped(audio: Audio, shaping: str, seed: int = 1) -> Floats:
    settings = QuantiserSettings(bits=16, seed=seed, shaping=shaping)
    return Quantiser(settings, audio.shape[1], RATE_HZ).push(audio).astype(np.float64)


def level_at_db(line: Floats, hz: float, width_hz: float = 40.0) -> float:
    """Noise around a frequency against that of flat dither, a quarter of a step of power."""
    freqs_hz, power = welch(line, RATE_HZ, nperseg=4_096)
    near = np.abs(freqs_hz - hz) < width_hz
    return float(10.0 * np.log10(power[near].mean() * RATE_HZ / 2.0 / 0.25))


@pytest.mark.parametrize("shaping", SHAPED)
@pytest.mark.parametrize("maker", [LONG["music"], LONG["a soft tone"]])
def test_shaped_noise_lies_where_the_table_of_the_standards_has_it(shaping, maker):
    audio = maker()
    found = shaped(audio, shaping) - audio * 2**15
    whole, low, high = SHAPED[shaping]
    assert whole == pytest.approx(10.0 * np.log10(found.var() / 0.25), abs=SHAPED_DB)
    assert low == pytest.approx(level_at_db(found[:, 0], 4_000.0), abs=SHAPED_DB)
    assert high == pytest.approx(level_at_db(found[:, 0], 20_000.0), abs=SHAPED_DB)
    assert abs(found.mean()) < MEAN_LSB
    assert np.abs(found).max() < 12.0  # standards 6.2: up to about 12 steps


@pytest.mark.parametrize("shaping", SHAPED)
def test_a_tone_far_below_the_last_bit_survives_shaping_without_harmonics(shaping):
    hz, frames = 1000.0, 1 << 16
    tone = sine(hz, level_dbfs=-100.0, seconds=16 * frames / RATE_HZ, channels=1)
    line = shaped(tone, shaping)[:, 0] / 2**15
    rest, amplitude = without_tone(line, hz, RATE_HZ)
    power = np.square(np.abs(np.fft.rfft(rest[: 16 * frames].reshape(16, frames) * np.hanning(frames), axis=1))).mean(
        axis=0
    )
    assert 20.0 * np.log10(amplitude) == pytest.approx(-100.0, abs=0.2)
    for at in (round(k * hz / RATE_HZ * frames) for k in range(2, 22)):
        around = np.median(power[at - 50 : at + 51])
        assert power[at - 2 : at + 3].max() < 4.0 * around


@pytest.mark.parametrize("shaping", SHAPED)
@given(cuts=st.lists(st.integers(0, 400), max_size=6))
def test_cutting_a_track_into_blocks_never_changes_its_shaped_noise(shaping, cuts):
    audio = music(level_dbfs=-20.0, seconds=0.05)
    audio[1_000:1_010] = 0.0
    quantiser = Quantiser(QuantiserSettings(bits=16, seed=1, shaping=shaping), 2, RATE_HZ)
    blocks = np.split(audio, np.cumsum(cuts))
    assert np.array_equal(shaped(audio, shaping), np.concatenate([quantiser.push(block) for block in blocks]))


@pytest.mark.parametrize("shaping", SHAPED)
def test_digital_silence_stays_silent_when_shaped_even_after_music(shaping):
    out = shaped(np.concatenate([music(level_dbfs=-20.0, seconds=0.5), np.zeros((5_000, 2))]), shaping)
    assert not out[-5_000:].any()


@pytest.mark.parametrize("shaping", SHAPED)
def test_the_first_channel_is_shaped_apart_from_the_second(shaping):
    found = shaped(np.full((200_000, 2), 0.1), shaping)
    assert abs(np.corrcoef(found.T)[0, 1]) < CORRELATION


def test_shaped_noise_fits_under_the_ceiling_of_a_delivery():
    loudest = np.full((200_000, 2), 10 ** (-0.3 / 20))
    assert np.abs(shaped(loudest, "lipshitz")).max() < 2**15 - 1


def test_shaped_noise_that_does_not_fit_is_refused_never_clipped():
    with pytest.raises(OverflowError, match="samples exceed full scale in the block before frame 1000"):
        shaped(np.full((1_000, 2), 1.0), "lipshitz")


@pytest.mark.parametrize("rate_hz", [48_000, 96_000, None])
def test_shaping_is_refused_at_the_rates_that_it_was_not_made_for(rate_hz):
    with pytest.raises(
        ValueError, match=f"shaping 'lipshitz' is for 44100 Hz, got {rate_hz}: at another rate its curve"
    ):
        Quantiser(QuantiserSettings(bits=16, shaping="lipshitz"), 2, rate_hz)


def test_no_shaping_is_the_same_at_every_rate():
    audio = music(level_dbfs=-20.0, seconds=0.5)
    flat = Quantiser(QuantiserSettings(bits=16, seed=1, shaping="flat"), 2, 96_000).push(audio)
    assert np.array_equal(integers(audio), flat)
