"""Traces of lossy coders: the grid of their transform, found in what they leave; a cut is a suspicion at most."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
import soxr

from dsp.audio import Audio, Floats
from dsp.chain import process
from dsp.detectors.bandwidth import BandEnd
from dsp.detectors.coder_grid import CoderGridDetector, Grid
from dsp.detectors.coders import coders_at
from dsp.detectors.transcode import CERTAIN, SUSPECT, transcode_of
from dsp.settings import EqualiserSettings, LimiterSettings
from dsp.windows import WINDOW_FRAMES, Windows
from tests.makers import music, noise, sine

SECONDS = 8.0
MP3_LEVELS = {128: 0.65, 192: 0.4, 320: 0.0}  # libsndfile_1_2_2_encoder_map.csv
VORBIS_LEVELS = {81: 0.95, 134: 0.58, 232: 0.3}
OPUS_LEVELS = {64: 0.9, 140: 0.75}


def band(rate_hz: int = 44_100, channels: int = 2, seed: int = 1) -> Audio:
    """Notes over noise that fills the band, as cymbals do."""
    notes = music(level_dbfs=-20.0, seconds=SECONDS, rate_hz=rate_hz, channels=channels, seed=seed)
    return notes + noise(level_dbfs=-45.0, seconds=SECONDS, rate_hz=rate_hz, channels=channels, seed=seed)


def stored(audio: Audio, bits: int = 16) -> Audio:
    """Rounded with triangular dither, as a decoder's output should be."""
    draw = np.random.default_rng(5)
    dither = draw.random(audio.shape) - draw.random(audio.shape)
    return np.rint(audio * 2.0 ** (bits - 1) + dither) / 2.0 ** (bits - 1)


def through(audio: Audio, rate_hz: int, container: str, subtype: str, level: float) -> Audio:
    """Coded by libsndfile and decoded."""
    file, layout = io.BytesIO(), {"samplerate": rate_hz, "channels": audio.shape[1], "compression_level": level}
    mode = {"bitrate_mode": "CONSTANT"} if container == "MP3" else {}
    with soundfile.SoundFile(file, "w", format=container, subtype=subtype, **layout, **mode) as handle:
        for start in range(0, len(audio), rate_hz):  # Vorbis overflows its stack on a whole piece
            handle.write(audio[start : start + rate_hz])
    file.seek(0)
    return stored(soundfile.read(file, always_2d=True)[0])


def coded_like_aac(line: Floats, window: Floats, step: float) -> Floats:
    """MDCT of 1024 values, rounded to multiples of a step that grows with frequency, and back."""
    n, k = np.arange(2_048) + 0.5, np.arange(1_024) + 0.5
    basis = np.sqrt(2.0 / 1_024) * window * np.cos(np.pi / 1_024 * np.outer(k, n + 512))
    steps = step * np.linspace(0.5, 4.0, 1_024)
    out = np.zeros(len(line))
    for start in range(0, len(line) - 2_048, 1_024):
        values = np.rint(basis @ line[start : start + 2_048] / steps) * steps
        out[start : start + 2_048] += values @ basis
    return out


def grid_of(audio: Audio, rate_hz: int = 44_100) -> Grid:
    detector, windows = CoderGridDetector(rate_hz, audio.shape[1]), Windows(audio.shape[1])
    for lines in windows.push(audio):
        detector.push(lines)
    for lines in windows.finish():
        detector.push(lines)
    return detector.finish()


def verdict(audio: Audio, rate_hz: int = 44_100) -> str:
    return transcode_of(grid_of(audio, rate_hz), BandEnd(), rate_hz)


@pytest.fixture(scope="module")
def mp3() -> Audio:
    return through(band(), 44_100, "MP3", "MPEG_LAYER_III", MP3_LEVELS[128])


@pytest.mark.parametrize("kbps", MP3_LEVELS)
@pytest.mark.parametrize("rate_hz", [32_000, 44_100, 48_000])
def test_mp3_is_found_at_every_bitrate(kbps, rate_hz):
    found = grid_of(through(band(rate_hz), rate_hz, "MP3", "MPEG_LAYER_III", MP3_LEVELS[kbps]), rate_hz)
    assert (found.coder, transcode_of(found, BandEnd(), rate_hz)) == ("MP3", "certain")


@pytest.mark.parametrize("kbps", VORBIS_LEVELS)
@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_vorbis_is_found_at_every_bitrate(kbps, rate_hz):
    found = grid_of(through(band(rate_hz), rate_hz, "OGG", "VORBIS", VORBIS_LEVELS[kbps]), rate_hz)
    assert (found.coder, transcode_of(found, BandEnd(), rate_hz)) == ("AAC or Vorbis", "certain")


@pytest.mark.parametrize("kbps", OPUS_LEVELS)
def test_opus_is_found_at_its_own_rate(kbps):
    found = grid_of(through(band(48_000), 48_000, "OGG", "OPUS", OPUS_LEVELS[kbps]), 48_000)
    assert (found.coder, transcode_of(found, BandEnd(), 48_000)) == ("Opus", "certain")


KAISER = np.sqrt(np.cumsum(np.kaiser(1_025, 4.0 * np.pi))[:-1] / np.kaiser(1_025, 4.0 * np.pi).sum())
WINDOWS = {
    "sine": np.sin(np.pi / 2_048 * (np.arange(2_048) + 0.5)),
    "Kaiser-Bessel": np.concatenate([KAISER, KAISER[::-1]]),  # ISO/IEC 14496-3: alpha 4
}


@pytest.mark.parametrize("window", WINDOWS)
def test_values_rounded_in_the_transform_of_aac_are_found(window):
    line = coded_like_aac(band(channels=1)[:, 0], WINDOWS[window], step=0.005)
    assert verdict(stored(line[:, None])) == "certain"


@pytest.mark.parametrize("rate_hz", [22_050, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_music_that_was_never_coded_is_clear(rate_hz, seed):
    assert verdict(stored(band(rate_hz, seed=seed)), rate_hz) == "clear"


TREATED = {
    "turned down and cut": lambda audio: audio[12_345:] * 0.7,
    "turned over, channels exchanged": lambda audio: -audio[:, ::-1],
    "mixed to one channel": lambda audio: audio.mean(axis=1, keepdims=True),
    "limited": lambda audio: process(audio * 4.0, 44_100, LimiterSettings(ceiling_dbtp=-1.0)),
    "equalised": lambda audio: process(
        audio, 44_100, EqualiserSettings(freqs_hz=(100.0, 1000.0, 8000.0), gains_db=(2.0, 0.0, -3.0))
    ),
}


@pytest.mark.parametrize("treatment", TREATED)
def test_a_coded_recording_is_found_after_mastering(mp3, treatment):
    assert verdict(stored(TREATED[treatment](mp3))) == "certain"


def test_another_rate_hides_the_grid(mp3):
    assert verdict(stored(soxr.resample(mp3, 44_100, 48_000)), 48_000) == "clear"


@pytest.mark.parametrize("hz", [1_000.0, 11_025.0, 44_100 / 128, 44_100 / 1_024 * 40])
@pytest.mark.parametrize("shape", [np.array, np.sign], ids=["sine", "square"])
def test_a_steady_tone_is_no_coder(hz, shape):
    assert verdict(0.5 * shape(sine(hz, seconds=SECONDS) + 1e-9)) == "clear"


@pytest.mark.parametrize("frames", [128, 576, 960, 1_024, 4_096])
@pytest.mark.parametrize("sound", ["pulse", "noise", "steps"])
def test_music_that_repeats_in_step_with_a_coder_is_no_coder(frames, sound):
    draw = np.random.default_rng(frames).standard_normal(frames) * 0.1
    repeats = int(SECONDS * 44_100) // frames
    line = {
        "pulse": np.tile(np.eye(1, frames)[0], repeats) * 0.5,
        "noise": np.tile(draw, repeats),
        "steps": np.repeat(np.resize(draw, repeats), frames),
    }[sound]
    assert verdict(line[:, None]) == "clear"


@pytest.mark.parametrize("audio", [np.zeros((0, 2)), np.zeros((99_999, 2)), np.full((99_999, 2), 0.5), np.ones((1, 1))])
def test_where_nothing_sounds_nothing_was_coded(audio):
    assert verdict(audio) == "clear"


@pytest.mark.parametrize("rate_hz", [88_200, 96_000, 192_000])
def test_high_rates_are_not_searched_for_grids(rate_hz):
    assert (coders_at(rate_hz), grid_of(noise(seconds=2.0), rate_hz)) == ((), Grid())


def test_only_some_windows_of_a_long_track_are_kept():
    detector = CoderGridDetector(44_100, 2)
    for lines in [noise(seconds=0.4).T[:, :WINDOW_FRAMES].astype(np.float32)] * 1_000:
        detector.push(lines)
    numbers = [number for number, _ in detector._kept]
    assert numbers == list(range(0, 1_000, 128))


CLEARLY, PERHAPS = Grid(CERTAIN, 1.0, "MP3"), Grid(SUSPECT, 1.0, "MP3")


@pytest.mark.parametrize(
    ("grid", "end", "rate_hz", "expected"),
    [
        (CLEARLY, BandEnd(), 44_100, "certain"),
        (CLEARLY, BandEnd(16_000.0, 16_000.0, 32_000.0), 44_100, "certain"),
        (PERHAPS, BandEnd(), 44_100, "suspect"),
        (Grid(50.0, 49.0, "MP3"), BandEnd(), 44_100, "clear"),  # music that repeats itself
        (Grid(), BandEnd(11_000.0, 11_000.0), 44_100, "suspect"),
        (Grid(), BandEnd(19_400.0, 19_400.0), 44_100, "suspect"),
        (Grid(), BandEnd(19_500.0, 19_500.0), 44_100, "clear"),
        (Grid(), BandEnd(20_200.0, 20_200.0), 48_000, "clear"),
        (Grid(), BandEnd(8_200.0, 8_200.0), 44_100, "clear"),  # an old sampler
        (Grid(), BandEnd(15_000.0, None), 44_100, "clear"),  # fades out
        (Grid(), BandEnd(15_900.0, 15_900.0, 32_000.0), 44_100, "clear"),  # a converter
        (Grid(), BandEnd(15_500.0, 15_500.0), 32_000, "clear"),  # its own converter
        (Grid(), BandEnd(10_800.0, 10_800.0), 22_050, "clear"),
        (Grid(), BandEnd(16_000.0, 16_000.0), 96_000, "suspect"),
    ],
)
def test_a_grid_is_proof_and_a_cut_below_19_500_hz_a_suspicion(grid, end, rate_hz, expected):
    assert transcode_of(grid, end, rate_hz) == expected
