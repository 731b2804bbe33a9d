"""The ceiling law: no sample and no value between samples comes out above the ceiling, and nothing worse is done for it."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from dsp.audio import Audio, to_gain
from dsp.chain import process, render
from dsp.gain_computer import CHARACTERS
from dsp.limiter import Limiter, Trials
from dsp.loudness import LoudnessMeter
from dsp.settings import GainSettings, LimiterSettings
from dsp.true_peak import TruePeakMeter
from tests.dsp.signals import (
    EBU_HZ,
    burst_between_samples,
    clicks,
    distortion_db,
    faded,
    fraction_tone,
    level_db,
    square,
    true_peak_32x,
)
from tests.makers import music, noise, sine

TRUE_PEAK_TOLERANCE_DB = 0.05  # law 6, at 32x
GAIN_STEP_DB = 0.5  # standards 6.1: no gain step of more per sample at 48 kHz
INTERMODULATION_DB = -50.0  # 60 Hz and 7 kHz, 4:1 (SMPTE RP 120), 3 dB over; the best of other limiters reaches -52
DISTORTION_DB = {50.0: -60.0, 100.0: -80.0, 1000.0: -100.0}  # standards 6.1: 6 dB over, default settings


def noise_to_20_khz(*, level_dbfs: float, seconds: float, rate_hz: int) -> Audio:
    """Noise without the last octave fraction below half the rate."""
    bright = noise(level_dbfs=level_dbfs, seconds=seconds, rate_hz=40_000)
    return np.asarray(soxr.resample(bright, 40_000, rate_hz, quality="VHQ"))


LOUD: dict[str, Audio] = {
    "music": music(level_dbfs=-6.0, seconds=1.0, rate_hz=EBU_HZ),
    "noise to 20 kHz": noise_to_20_khz(level_dbfs=-6.0, seconds=0.4, rate_hz=EBU_HZ),
    "noise to half the rate": faded(noise(level_dbfs=-6.0, seconds=0.4, rate_hz=EBU_HZ)),
    "hard noise": faded(np.sign(noise(seconds=0.4, rate_hz=EBU_HZ, seed=9))),
    "square of 2 Hz": faded(square(2.0, amplitude=1.0, seconds=0.6)),
    "low square": square(101.0, amplitude=1.0, seconds=0.3),
    "high square": square(6_007.0, amplitude=1.0, seconds=0.3),
    "clicks": clicks(amplitude=1.0, seconds=0.3),
    "fs/4 at 45 degrees": fraction_tone(4, 45.0, 1.41),
    "fs/4 at 0 degrees": fraction_tone(4, 0.0, 1.0),
    "fs/6 at 60 degrees": fraction_tone(6, 60.0, 1.0),
    "fs/8 at 67.5 degrees": fraction_tone(8, 67.5, 1.0),
    **{f"burst between samples, offset {k}": burst_between_samples(k) for k in range(4)},
}
EVERY_LOUD_SOUND = pytest.mark.parametrize("audio", LOUD.values(), ids=LOUD)


def limited(
    audio: Audio, settings: LimiterSettings | None = None, drive_db: float = 0.0, rate_hz: int = EBU_HZ
) -> Audio:
    return process(audio, rate_hz, GainSettings(gain_db=drive_db), settings or LimiterSettings())


def with_pilot(audio: Audio) -> Audio:
    """One channel of the audio beside a small constant, which shows the gain of every frame."""
    return np.stack([audio[:, 0], np.full(len(audio), 1e-6)], axis=1)


EVERY_CHARACTER = pytest.mark.parametrize("character", CHARACTERS)


@EVERY_LOUD_SOUND
@EVERY_CHARACTER
def test_no_character_exceeds_the_ceiling(audio, character):
    out = limited(audio, LimiterSettings(character=character), drive_db=12.0)
    assert np.abs(out).max() <= to_gain(-1.0)
    assert level_db(true_peak_32x(out)) <= -1.0 + TRUE_PEAK_TOLERANCE_DB


@EVERY_LOUD_SOUND
@pytest.mark.parametrize("ceiling_dbtp", [-1.0, -0.3, -3.0])
@pytest.mark.parametrize("drive_db", [1.0, 6.0, 20.0])
def test_nothing_comes_out_above_the_ceiling(audio, ceiling_dbtp, drive_db):
    out = limited(audio, LimiterSettings(ceiling_dbtp=ceiling_dbtp), drive_db)
    assert np.abs(out).max() <= to_gain(ceiling_dbtp)
    assert level_db(true_peak_32x(out)) <= ceiling_dbtp + TRUE_PEAK_TOLERANCE_DB


@pytest.mark.parametrize(
    "settings",
    [
        LimiterSettings(lookahead_s=0.001, hold_s=0.0, release_s=0.005),
        LimiterSettings(lookahead_s=0.02, hold_s=0.1, release_s=0.5),
        LimiterSettings(lookahead_s=0.001, hold_s=0.0, release_s=0.05),
        LimiterSettings(ceiling_dbtp=0.0),
        LimiterSettings(ceiling_dbtp=-20.0),
    ],
)
@pytest.mark.parametrize("name", ["noise to 20 kHz", "clicks", "music"])
def test_the_ceiling_holds_with_any_settings(settings, name):
    out = limited(LOUD[name], settings, drive_db=9.0)
    assert np.abs(out).max() <= to_gain(settings.ceiling_dbtp)
    assert level_db(true_peak_32x(out)) <= settings.ceiling_dbtp + TRUE_PEAK_TOLERANCE_DB


@pytest.mark.parametrize("rate_hz", [44_100, 96_000, 192_000])
def test_the_ceiling_holds_at_every_rate(rate_hz):
    out = limited(noise_to_20_khz(level_dbfs=0.0, seconds=0.3, rate_hz=rate_hz), rate_hz=rate_hz)
    assert np.abs(out).max() <= to_gain(-1.0)
    assert level_db(true_peak_32x(out)) <= -1.0 + TRUE_PEAK_TOLERANCE_DB


@pytest.mark.parametrize("drive_db", [1.0, 6.0, 20.0])
@pytest.mark.parametrize("bright", [noise(seconds=0.3, level_dbfs=-6.0), np.sign(noise(seconds=0.3, seed=9))])
def test_sound_up_to_half_the_rate_stays_below_the_ceiling_by_samples_and_by_the_proof(bright, drive_db):
    out = limited(bright, drive_db=drive_db)
    meter = TruePeakMeter(EBU_HZ, 2)
    meter.push(out)
    assert np.abs(out).max() <= to_gain(-1.0)
    assert level_db(float(meter.finish().max())) <= -1.0 + TRUE_PEAK_TOLERANCE_DB


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 400), st.sampled_from([-6.0, -1.0, 0.0]), st.sampled_from([0.002, 0.001])
)
def test_the_ceiling_holds_for_sparse_spikes_anywhere(seed, spacing, ceiling_dbtp, lookahead_s):
    draw = np.random.default_rng(seed)
    spikes = np.where(draw.random((3_000, 2)) < 1.0 / spacing, draw.uniform(-8.0, 8.0, (3_000, 2)), 0.0)
    out = limited(spikes, LimiterSettings(ceiling_dbtp=ceiling_dbtp, lookahead_s=lookahead_s))
    assert np.abs(out).max() <= to_gain(ceiling_dbtp)


def test_a_quiet_track_passes_the_limiter_untouched():
    quiet = music(level_dbfs=-30.0)
    assert np.array_equal(quiet, limited(quiet))


def test_after_a_loud_passage_a_quiet_one_passes_untouched_again():
    loud, quiet = (
        noise(level_dbfs=0.0, seconds=0.3, rate_hz=EBU_HZ),
        noise(level_dbfs=-30.0, seconds=6.0, rate_hz=EBU_HZ),
    )
    settings = LimiterSettings()
    rest = int(0.5 * EBU_HZ) + int(
        40 * settings.release_s * EBU_HZ
    )  # 2^-36 is 25 time constants below the deepest gain
    out = limited(np.concatenate([loud, quiet]), settings)
    assert np.array_equal(quiet[rest:], out[len(loud) + rest :])


def test_a_track_just_under_the_margin_passes_untouched_and_one_at_the_ceiling_does_not():
    tone = sine(997.0, level_dbfs=0.0, rate_hz=EBU_HZ)
    under, at = tone * to_gain(-1.1), tone * to_gain(-1.0)
    assert np.array_equal(under, limited(under))
    assert np.abs(limited(at)).max() < np.abs(at).max()


def test_left_and_right_are_turned_down_alike():
    left = music(level_dbfs=-3.0, seconds=2.0, rate_hz=EBU_HZ, channels=1)
    out = limited(np.concatenate([left, -0.25 * left], axis=1), drive_db=6.0)
    assert np.array_equal(-0.25 * out[:, 0], out[:, 1])


def test_a_loud_left_channel_turns_down_a_quiet_right_one():
    out = limited(with_pilot(noise(level_dbfs=0.0, seconds=0.2, rate_hz=EBU_HZ)))
    assert out[:, 1].min() < 0.5e-6 < 0.99e-6 < np.abs(limited(with_pilot(np.zeros((9_600, 1))))[:, 1]).max()


@pytest.mark.parametrize("hz", DISTORTION_DB)
def test_a_steady_tone_6_db_over_stays_clean(hz):
    out = limited(sine(hz, level_dbfs=5.0, seconds=3.0, rate_hz=EBU_HZ))
    settled = out[EBU_HZ : 2 * EBU_HZ + EBU_HZ // 2, 0]
    assert distortion_db(settled, hz, EBU_HZ) <= DISTORTION_DB[hz]


def test_a_bass_does_not_move_the_treble_beside_it():
    """Intermodulation: the sidebands of 7 kHz, over it."""
    frames = np.arange(3 * EBU_HZ)
    low, high = (np.sin(2.0 * np.pi * hz * frames / EBU_HZ)[:, None] for hz in (60.0, 7_000.0))
    out = limited(0.8 * low + 0.2 * high, drive_db=2.0)[EBU_HZ : 2 * EBU_HZ + EBU_HZ // 2, 0]
    spectrum = np.abs(np.fft.rfft(out * np.blackman(len(out)))) ** 2
    bins = 7_000 * 3 // 2 + 90 * np.arange(-4, 5)  # 1.5 s: every 60 Hz is a bin
    power = [float(spectrum[at - 3 : at + 4].sum()) for at in bins]
    sidebands = sum(power) - power[4]
    assert level_db(np.sqrt(sidebands / power[4])) <= INTERMODULATION_DB


def drums(seconds: float = 4.0) -> Audio:
    """A hit with a long body every half second: 1 ms of crack on 250 ms of tone."""
    frames = np.arange(round(seconds * EBU_HZ)) % (EBU_HZ // 2)
    crack = np.exp(-frames / (0.001 * EBU_HZ)) * np.sin(frames * 0.4)
    body = 0.5 * np.exp(-frames / (0.12 * EBU_HZ)) * np.sin(frames * 0.02)
    return np.repeat((crack + body)[:, None], 2, axis=1)


def loudness_lufs(audio: Audio) -> float:
    meter = LoudnessMeter(EBU_HZ, 2)
    meter.push(audio)
    return meter.loudness().integrated_lufs or -120.0


def test_loud_is_the_loudest_character_and_punchy_turns_the_body_down_with_the_hit():
    loudness = {name: loudness_lufs(limited(drums(), LimiterSettings(character=name), 9.0)) for name in CHARACTERS}
    assert loudness["punchy"] < loudness["transparent"] < loudness["loud"]


@EVERY_CHARACTER
def test_a_single_hit_is_over_within_milliseconds_and_a_sustained_sound_comes_back_slowly(character):
    click, tone = np.zeros((EBU_HZ, 1)), sine(100.0, level_dbfs=5.0, rate_hz=EBU_HZ, channels=1)
    click[EBU_HZ // 2] = to_gain(5.0)
    tone[EBU_HZ // 2 :] *= 1e-3
    settings = LimiterSettings(character=character)
    after = EBU_HZ // 2 + round(0.03 * EBU_HZ)
    hit, sustained = (limited(with_pilot(audio), settings)[after, 1] / 1e-6 for audio in (click, tone))
    assert hit > 0.98 > 0.9 > sustained


@EVERY_LOUD_SOUND
@pytest.mark.parametrize("drive_db", [6.0, 20.0])
def test_the_gain_never_steps(audio, drive_db):
    pilot = limited(with_pilot(audio * to_gain(drive_db)))[:, 1]
    steps_db = np.abs(np.diff(20.0 * np.log10(pilot / 1e-6)))
    assert steps_db.max() <= GAIN_STEP_DB


def test_the_gain_is_down_before_the_peak_and_comes_back_after_it():
    click = np.zeros((EBU_HZ, 1))
    click[EBU_HZ // 2] = to_gain(5.0)
    gain_db = 20.0 * np.log10(limited(with_pilot(click))[:, 1] / 1e-6)
    assert gain_db[EBU_HZ // 2] == pytest.approx(-6.0, abs=0.1)  # the margin is 0.08 dB
    assert np.abs(gain_db[: EBU_HZ // 2 - 200]).max() == 0.0
    assert gain_db[-1] == pytest.approx(0.0, abs=0.1)


def test_sound_stays_where_it_was_in_time():
    click = np.zeros((9_600, 1))
    click[4_800] = 2.0
    assert int(np.abs(limited(click)).argmax()) == 4_800


def test_the_limiter_tells_how_hard_it_worked():
    limiter = Limiter(LimiterSettings(), EBU_HZ, 2)
    render(limiter, sine(997.0, level_dbfs=5.0, seconds=2.0, rate_hz=EBU_HZ))
    assert limiter.max_reduction_db == pytest.approx(6.08, abs=0.01)  # 6 dB over, and the margin of 0.08 dB
    assert limiter.mean_reduction_db == pytest.approx(6.08, abs=0.05)


def test_the_limiter_tells_when_it_worked():
    quiet, loud = (sine(997.0, level_dbfs=level, seconds=0.5, rate_hz=EBU_HZ) for level in (-20.0, 5.0))
    limiter = Limiter(LimiterSettings(), EBU_HZ, 2)
    render(limiter, np.concatenate([quiet, loud, quiet, quiet]))
    course = np.array(limiter.course_db)
    assert len(course) == 20
    assert max(course) == limiter.max_reduction_db
    assert max(course[:4]) == 0.0
    assert min(course[6:10]) == pytest.approx(6.08, abs=0.1)
    assert course[-1] < 0.5


@given(block_frames=st.integers(1, 20_000))
def test_when_the_limiter_worked_does_not_depend_on_blocks(block_frames):
    courses = []
    for frames in (block_frames, len(LOUD["clicks"])):
        limiter = Limiter(LimiterSettings(ceiling_dbtp=-8.0), EBU_HZ, 2)
        render(limiter, LOUD["clicks"], frames)
        courses.append(limiter.course_db)
    assert courses[0] == courses[1]


@pytest.mark.parametrize("name", ["music", "noise to half the rate", "clicks"])
def test_a_trial_is_the_limiter_after_its_gain(name):
    gains_db, settings = (-20.0, 0.0, 3.0, 9.0), LimiterSettings(ceiling_dbtp=-8.0)
    audio = LOUD[name]
    trials = Trials(settings, gains_db, EBU_HZ, audio.shape[1])
    blocks = [trials.push(audio[at : at + 999]) for at in range(0, len(audio), 999)] + [trials.finish()]
    for k, gain_db in enumerate(gains_db):
        limiter = Limiter(settings, EBU_HZ, audio.shape[1])
        alone = render(limiter, audio * to_gain(gain_db))
        together = np.concatenate([block[k] for block in blocks]) * to_gain(gain_db)
        # Near the lowest of the ceilings peaks are read more finely than near each one's own.
        assert np.abs(together - alone).max() < 0.002
        assert trials.gains[k].max_reduction_db == pytest.approx(limiter.max_reduction_db, abs=0.02)
        assert trials.gains[k].mean_reduction_db == pytest.approx(limiter.mean_reduction_db, abs=0.002)


def test_trials_that_do_not_limit_are_the_sound_itself():
    audio = sine(500.0, seconds=0.1, rate_hz=EBU_HZ, channels=1)
    trials = Trials(LimiterSettings(ceiling_dbtp=-1.0), (0.0, 30.0), EBU_HZ, 1)
    quiet, loud = (np.concatenate(part) for part in zip(trials.push(audio), trials.finish(), strict=True))
    assert np.array_equal(quiet, audio) and np.abs(loud).max() < 0.5 * np.abs(audio).max()


def test_a_limiter_without_work_reports_none():
    limiter = Limiter(LimiterSettings(), EBU_HZ, 2)
    render(limiter, music(level_dbfs=-40.0))
    assert (limiter.max_reduction_db, limiter.mean_reduction_db) == (0.0, 0.0)


@pytest.mark.parametrize("rate_hz", [44_100, 192_000, 384_000])
@pytest.mark.parametrize("lookahead_s", [0.001, 0.002, 0.02])
def test_no_lookahead_that_can_be_set_makes_the_sums_overflow(rate_hz, lookahead_s):
    loud = 4.0 * np.sin(np.arange(rate_hz // 4) * 0.05)[:, None]
    settings = LimiterSettings(ceiling_dbtp=-1.0, lookahead_s=lookahead_s)
    limited = process(loud, rate_hz, settings)
    assert 10 ** (-3 / 20) < np.abs(limited).max() <= 10 ** (-1 / 20)


@given(st.integers(0, 63), st.integers(2_000, 4_000))
def test_a_deep_peak_anywhere_sounds_the_same_however_the_track_is_cut(phase, cut):
    """The look-ahead is as long as its delay line has room for: the first stair begins with the line."""
    track = np.zeros((6_000, 1))
    track[3_000 + phase] = 30.0
    settings = LimiterSettings(lookahead_s=63 / EBU_HZ, hold_s=0.0)
    at_once, stage = Limiter(settings, EBU_HZ, 1), Limiter(settings, EBU_HZ, 1)
    pieces = np.concatenate([stage.push(track[:cut]), stage.push(track[cut:]), stage.finish()])
    assert np.array_equal(render(at_once, track), pieces)
    told = [(one.max_reduction_db, one.mean_reduction_db) for one in (at_once, stage)]
    assert told[0] == told[1]


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 32_000])
@pytest.mark.parametrize("character", ["transparent", "punchy", "loud"])
def test_the_ceiling_holds_at_low_rates(rate_hz, character):
    gate = np.repeat(np.random.default_rng(4).random(40) > 0.5, rate_hz // 40)[:, None]
    gated = gate * noise(level_dbfs=0.0, seconds=1.0, rate_hz=rate_hz)[: len(gate)]
    out = limited(gated, LimiterSettings(character=character), drive_db=9.0, rate_hz=rate_hz)
    assert np.abs(out).max() <= to_gain(-1.0)
    assert level_db(true_peak_32x(out)) <= -1.0 + 0.15  # hard gates up to half the rate: 0.1 dB worse than music
