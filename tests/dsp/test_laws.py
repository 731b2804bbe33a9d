"""The laws that every processor and every meter obeys: blocks never matter, frames in are frames out, do no harm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio, silence
from dsp.bands import BandMeter
from dsp.chain import GRID_FRAMES, Chain, Stage, process, render, start_chain
from dsp.edge_meter import EdgeMeter
from dsp.levels import LevelMeter
from dsp.loudness import LoudnessMeter
from dsp.oversampling import SEGMENT
from dsp.quantiser import Quantiser
from dsp.resampler import resampled_frames
from dsp.settings import (
    CompressorSettings,
    EqualiserSettings,
    GainSettings,
    LimiterSettings,
    ParametricSettings,
    QuantiserSettings,
    ResamplerSettings,
    Settings,
    SubsonicSettings,
)
from dsp.spectrum import SpectrumMeter
from dsp.true_peak import TruePeakMeter
from tests.dsp.signals import null_db, track_with_everything
from tests.dsp.stages import EVERY_STAGE, LIMITER, SUBSONIC
from tests.makers import RATE_HZ, music, noise

NULL_DB = -140.0  # law 3: transparent to -140 dBFS or better
SEAM_DB = (
    -110.0
)  # law 4 asks for -120 of joined masters (tests/media/test_rendering.py); settings here amplify by up to 24 dB
SILENT = 1e-12  # -240 dBFS: what a recursive filter still rings at is far below the last of 24 bits
RUN_IN_S = 10.0  # `decisions.runs.RUN_IN_S`, which dsp knows nothing of

EVERY_RATE_PAIR = pytest.mark.parametrize(
    ("from_hz", "to_hz"),
    [(96_000, 44_100), (48_000, 44_100), (192_000, 44_100), (44_100, 96_000), (88_200, 44_100), (44_100, 44_101)],
)

TRACK = track_with_everything()
BLOCK_FRAMES = 4_096
CUTS = st.lists(
    st.one_of(
        st.sampled_from([0, 1, 2, SEGMENT - 1, SEGMENT, SEGMENT + 1, BLOCK_FRAMES - 1, BLOCK_FRAMES, BLOCK_FRAMES + 1]),
        st.integers(0, 20_000),
    ),
    max_size=12,
)
"""Lengths of blocks; what is left of the track is the last block."""


def cut(audio: Audio, lengths: Sequence[int]) -> list[Audio]:
    """The audio in blocks of these lengths, an empty one at the end."""
    ends = np.minimum(np.cumsum([0, *lengths]), len(audio))
    return [*(audio[a:b] for a, b in pairwise(ends)), audio[ends[-1] :], audio[len(audio) :]]


def rendered(stage: Stage, blocks: Sequence[Audio]) -> Audio:
    return np.concatenate([*(stage.push(block) for block in blocks), stage.finish()])


def output_frames(settings: Sequence[Settings], frames: int, rate_hz: int = RATE_HZ) -> int:
    """How long a track of so many frames must come out."""
    for one in settings:
        if isinstance(one, ResamplerSettings):
            frames, rate_hz = resampled_frames(frames, rate_hz, one.rate_hz), one.rate_hz
    return frames


class Delay:
    """A stage that does nothing but hold frames back: the plumbing alone."""

    def __init__(self, frames: int, channels: int) -> None:
        self.latency = frames
        self._line = silence(0, channels)

    def push(self, block: Audio) -> Audio:
        self._line = np.concatenate([self._line, block])
        ready = max(0, len(self._line) - self.latency)
        out, self._line = self._line[:ready], self._line[ready:]
        return out

    def finish(self) -> Audio:
        return self._line


# Law 1: blocks


@given(lengths=CUTS)
def test_a_chain_of_delays_gives_the_track_back_however_it_is_cut(lengths):
    chain = Chain([Delay(37, 2), Delay(0, 2), Delay(5, 2)], channels=2)
    assert np.array_equal(TRACK, rendered(chain, cut(TRACK, lengths)))


def test_the_latency_of_a_chain_is_the_sum_over_its_stages():
    assert Chain([Delay(37, 1), Delay(5, 1)], channels=1).latency == 42


@EVERY_STAGE
@given(lengths=CUTS)
def test_cutting_a_track_into_blocks_never_changes_its_sound(settings, lengths):
    whole = rendered(start_chain(settings, RATE_HZ, 2), [TRACK])
    assert np.array_equal(whole, rendered(start_chain(settings, RATE_HZ, 2), cut(TRACK, lengths)))


@EVERY_RATE_PAIR
@given(lengths=CUTS)
def test_cutting_a_track_into_blocks_never_changes_its_sound_at_another_rate(from_hz, to_hz, lengths):
    settings = [ResamplerSettings(rate_hz=to_hz)]
    whole = rendered(start_chain(settings, from_hz, 2), [TRACK])
    assert np.array_equal(whole, rendered(start_chain(settings, from_hz, 2), cut(TRACK, lengths)))


@EVERY_STAGE
def test_a_track_pushed_frame_by_frame_sounds_the_same(settings):
    short = TRACK[4_000:5_000]
    whole = rendered(start_chain(settings, RATE_HZ, 2), [short])
    assert np.array_equal(whole, rendered(start_chain(settings, RATE_HZ, 2), cut(short, [1] * len(short))))


@EVERY_STAGE
def test_a_mono_track_sounds_like_one_channel_of_its_double(settings):
    settings = [s if s is not SUBSONIC else SubsonicSettings(cutoff_hz=20.0) for s in settings]
    mono = track_with_everything(channels=1)
    double = process(np.repeat(mono, 2, axis=1), RATE_HZ, *settings)
    assert np.array_equal(double[:, :1], process(mono, RATE_HZ, *settings))


def lengths_around(latency: int) -> list[int]:
    return [0, 1, 2, 100, *(max(0, latency + more) for more in (-1, 0, 1))]


@EVERY_STAGE
def test_as_many_frames_come_out_as_went_in(settings):
    latency = start_chain(settings, RATE_HZ, 2).latency
    frames = lengths_around(latency)
    expected = [output_frames(settings, n) for n in frames]
    assert expected == [len(process(np.resize(TRACK, (n, 2)), RATE_HZ, *settings)) for n in frames]


@EVERY_RATE_PAIR
def test_another_rate_has_the_exact_number_of_frames(from_hz, to_hz):
    frames = [0, 1, 2, 3, 5, 100, 441, 1_001, from_hz - 1, from_hz, from_hz + 1]
    expected = [(2 * n * to_hz + from_hz) // (2 * from_hz) for n in frames]
    sizes = [len(process(np.resize(TRACK, (n, 2)), from_hz, ResamplerSettings(rate_hz=to_hz))) for n in frames]
    assert expected == sizes


@EVERY_STAGE
def test_no_stage_holds_back_more_than_its_latency(settings):
    chain = start_chain(settings, RATE_HZ, 2)
    held, given_frames = [], 0
    for taken in range(1_000, len(TRACK), 1_000):
        given_frames += len(chain.push(TRACK[taken - 1_000 : taken]))
        held.append(output_frames(settings, taken) - given_frames)
    assert max(held) <= chain.latency


@EVERY_STAGE
def test_silence_stays_silent(settings):
    without_offset = [SubsonicSettings() if isinstance(s, SubsonicSettings) else s for s in settings]
    assert not process(silence(50_000, 2), RATE_HZ, *without_offset).any()


@EVERY_STAGE
def test_the_same_track_twice_gives_the_same_bytes(settings):
    once = process(TRACK, RATE_HZ, *settings).tobytes()
    assert once == process(TRACK, RATE_HZ, *settings).tobytes()


@EVERY_STAGE
def test_no_stage_writes_into_the_audio_that_it_was_given(settings):
    given_audio = TRACK.copy()
    process(given_audio, RATE_HZ, *settings)
    assert np.array_equal(TRACK, given_audio)


# Law 4: a run-in


@pytest.mark.slow
@EVERY_STAGE
def test_a_stage_that_starts_later_sounds_the_same_once_it_has_heard_its_run_in(settings):
    """Joined tracks are rendered from a run-in on: nothing that a stage remembers from before it may be heard."""
    start_frames, run_in_frames = 2 * 147 * GRID_FRAMES, int(RUN_IN_S * RATE_HZ)  # 147: the grid at 48 kHz, too
    track = np.resize(TRACK, (start_frames + run_in_frames + 2 * RATE_HZ, 2))
    whole, later = (process(track[at:], RATE_HZ, *settings) for at in (0, start_frames))
    tail = output_frames(settings, RATE_HZ)
    assert null_db(whole[-tail:], later[-tail:]) <= SEAM_DB


# Law 1: meters

Figures = tuple[object, ...]


def loudness_of(blocks: Sequence[Audio], channels: int = 2) -> Figures:
    meter = LoudnessMeter(RATE_HZ, channels)
    for block in blocks:
        meter.push(block)
    stereo = meter.stereo() if channels == 2 else ()
    return meter.loudness(), meter.gating_blocks(), meter.energies().tobytes(), stereo


def levels_of(blocks: Sequence[Audio]) -> Figures:
    meter = LevelMeter(RATE_HZ, blocks[0].shape[1])
    for block in blocks:
        meter.push(block)
    return tuple(field.tolist() if isinstance(field, np.ndarray) else field for field in meter.levels())


def true_peaks_of(blocks: Sequence[Audio]) -> Figures:
    meter = TruePeakMeter(RATE_HZ, blocks[0].shape[1])
    for block in blocks:
        meter.push(block)
    return tuple(meter.finish().tolist()), meter.stretches().tobytes()


def bands_of(blocks: Sequence[Audio]) -> Figures:
    meter = BandMeter(RATE_HZ, blocks[0].shape[1])
    for block in blocks:
        meter.push(block)
    return meter.crest_db()


def spectrum_of(blocks: Sequence[Audio]) -> Figures:
    meter = SpectrumMeter(RATE_HZ, 2)
    for block in blocks:
        meter.push(block)
    fine, bands = meter.fine_power().tobytes(), meter.power().tobytes()
    return fine, bands, meter.correlation_bands()


def edges_of(blocks: Sequence[Audio]) -> Figures:
    meter = EdgeMeter(RATE_HZ, 2)
    for block in blocks:
        meter.push(block)
    return tuple(meter.edges())


def integers_of(blocks: Sequence[Audio]) -> Figures:
    quantiser = Quantiser(QuantiserSettings(bits=16, seed=7), 2)
    return (np.concatenate([quantiser.push(block * 0.1) for block in blocks]).tobytes(),)


EVERY_METER = pytest.mark.parametrize(
    "measured", [loudness_of, levels_of, true_peaks_of, bands_of, spectrum_of, edges_of, integers_of]
)


@EVERY_METER
@given(lengths=CUTS)
def test_cutting_a_track_into_blocks_never_changes_a_figure(measured: Callable[..., Figures], lengths):
    assert measured([TRACK]) == measured(cut(TRACK, lengths))


@EVERY_METER
@pytest.mark.parametrize("frames", [1, 2, 100, SEGMENT - 1, SEGMENT, SEGMENT + 1, 441, 442, 2_205, 2_206])
def test_a_short_track_measured_frame_by_frame_has_the_same_figures(measured: Callable[..., Figures], frames):
    short = TRACK[4_410 : 4_410 + frames]
    assert measured([short]) == measured(cut(short, [1] * frames))


@pytest.mark.parametrize("channels", [1, 3, 4, 5, 6])
@given(lengths=CUTS)
def test_blocks_never_change_the_loudness_of_any_layout(channels, lengths):
    track = noise(seconds=1.0, channels=channels)
    assert loudness_of([track], channels) == loudness_of(cut(track, lengths), channels)


def test_a_peak_between_samples_is_found_whatever_comes_after_it_in_its_block():
    frames = np.arange(192) - 96
    burst = np.cos(2 * np.pi * 0.45 * (frames - 0.2)) * np.exp(-(((frames - 0.2) / 3) ** 2))
    later = 0.98 * np.abs(burst).max() / 0.97 * np.sin(2 * np.pi * 0.01 * frames + np.pi / 2) * np.hanning(192)
    blocks = [burst[:, None], later[:, None]]
    assert true_peaks_of(blocks) == true_peaks_of([np.concatenate(blocks)])


# Law 3: do no harm


def test_a_track_below_the_ceiling_passes_the_chain_untouched():
    quiet = music(level_dbfs=-30.0)
    settings = [GainSettings(gain_db=0.0), ResamplerSettings(rate_hz=RATE_HZ), LimiterSettings()]
    assert np.array_equal(quiet, process(quiet, RATE_HZ, *settings))


def test_a_flat_equaliser_changes_nothing_that_could_be_heard():
    track = music(level_dbfs=-12.0)
    flat = EqualiserSettings(freqs_hz=(20.0, 1000.0, 20_000.0), gains_db=(0.0, 0.0, 0.0))
    assert null_db(track, process(track, RATE_HZ, flat)) <= NULL_DB


def test_a_compressor_far_above_the_music_passes_it_untouched():
    quiet = music(level_dbfs=-40.0)
    assert np.array_equal(quiet, process(quiet, RATE_HZ, CompressorSettings(threshold_dbfs=-3.0)))


def test_the_whole_chain_with_nothing_to_do_nulls_against_its_input():
    quiet = music(level_dbfs=-30.0)
    settings = [
        EqualiserSettings(freqs_hz=(100.0, 10_000.0), gains_db=(0.0, 0.0)),
        CompressorSettings(threshold_dbfs=-1.0),
        GainSettings(gain_db=0.0),
        ResamplerSettings(rate_hz=RATE_HZ),
        LimiterSettings(),
    ]
    assert null_db(quiet, process(quiet, RATE_HZ, *settings)) <= NULL_DB


def test_render_takes_blocks_of_any_size():
    settings = [GainSettings(gain_db=-1.0), LIMITER]
    whole = render(start_chain(settings, RATE_HZ, 2), TRACK, block_frames=len(TRACK))
    assert np.array_equal(whole, render(start_chain(settings, RATE_HZ, 2), TRACK, block_frames=997))


# Pauses


@EVERY_STAGE
def test_a_pause_between_two_sounds_stays_silent(settings):
    """A quantiser leaves digital silence alone: no stage may fill a pause that none of its filters reaches."""
    if any(isinstance(one, ParametricSettings) for one in settings):
        pytest.skip("a sharp bell rings on for seconds, as it must")
    without_offset = [SubsonicSettings() if isinstance(s, SubsonicSettings) else s for s in settings]
    sound = music(level_dbfs=-12.0, seconds=0.5)
    track = np.concatenate([sound, silence(5 * RATE_HZ, 2), sound])
    out = process(track, RATE_HZ, *without_offset)
    middle = len(out) // 2
    assert np.abs(out[middle - 100 : middle + 100]).max() <= SILENT
