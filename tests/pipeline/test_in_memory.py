"""Sound in memory is measured and mastered as a file would be; odd sound gives a sound master or a clear refusal."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from decisions.choices import Choices
from dsp.audio import Audio, to_gain
from media.analysis import analyse
from pipeline.in_memory import MasteredAudio, master, measure
from schemas.errors import CatalogueError, TrackError
from tests.dsp.signals import level_db, square, true_peak_32x
from tests.makers import RATE_HZ, music, noise

TRUE_PEAK_TOLERANCE_DB = 0.05  # law 6
STYLES = ["transparent", "balanced", "warm", "open", "punchy", "speech"]


def loud(made: MasteredAudio) -> float:
    lufs = made.after.figures.integrated_lufs
    assert lufs is not None
    return lufs


def keeps_its_promises(made: MasteredAudio, source: Audio) -> bool:
    """As long as the source, under the ceiling by samples and between them, at the target or with a reason."""
    ceiling_dbtp = made.plan.deliveries[0].limiter.ceiling_dbtp
    under = level_db(true_peak_32x(made.audio)) <= ceiling_dbtp + TRUE_PEAK_TOLERANCE_DB
    reached = abs(loud(made) - made.plan.target_lufs) <= made.plan.tolerance_lu or _held_back(made)
    return made.audio.shape == source.shape and bool(np.isfinite(made.audio).all()) and under and reached


def _held_back(made: MasteredAudio) -> bool:
    """Whether the target was given up, and a guard is truly at its limit: a peak at the ceiling, or the highest gain."""
    peak_dbtp, ceiling_dbtp = made.after.figures.true_peak_dbtp, made.plan.deliveries[0].limiter.ceiling_dbtp
    at_limit = made.plan.gain_db >= 17.99 or (peak_dbtp is not None and peak_dbtp > ceiling_dbtp - 0.5)
    return made.plan.target_limited is not None and at_limit


def test_figures_are_those_of_a_file(tmp_path):
    audio = music(seconds=3.0)
    soundfile.write(tmp_path / "a.wav", audio, RATE_HZ, "DOUBLE")
    one, other = measure(audio, RATE_HZ), analyse(tmp_path / "a.wav")
    assert (one.figures, one.detected) == (other.figures, other.detected)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("intensity", ["low", "high"])
def test_every_style_keeps_its_promises(style, intensity):
    mix = music(level_dbfs=-20.0, seconds=6.0)
    assert keeps_its_promises(master(mix, RATE_HZ, choices=Choices(style=style, intensity=intensity)), mix)


@pytest.mark.parametrize(
    "profile", ["streaming", "cd", "dynamic", "loud", "broadcast-r128", "vinyl", "podcast", "audiobook", "club"]
)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_profile_keeps_its_promises(profile, channels):
    mix = music(level_dbfs=-20.0, seconds=4.0, channels=channels)
    assert keeps_its_promises(master(mix, RATE_HZ, profile), mix)


ODD = {
    "2 Hz square": square(2.0, amplitude=0.9, seconds=6.0, rate_hz=RATE_HZ),
    "full-scale noise": np.clip(noise(level_dbfs=0.0, seconds=3.0), -1.0, 1.0),
    "far over full scale": 8.0 * music(seconds=3.0),
    "one channel alone": music(seconds=3.0) * np.array([1.0, 0.0]),
    "out of phase": music(seconds=3.0)[:, :1] * np.array([1.0, -1.0]),
}


@pytest.mark.parametrize("sound", ODD.values(), ids=ODD)
@pytest.mark.parametrize("style", ["transparent", "punchy"])
def test_odd_sound_gives_a_sound_master(sound, style):
    fade = np.minimum(1.0, np.arange(len(sound)) / 441.0)
    audio = sound * np.minimum(fade, fade[::-1])[:, None]
    assert keeps_its_promises(master(audio, RATE_HZ, choices=Choices(style=style)), audio)


def test_a_track_that_is_silent_but_for_one_click_is_not_made_loud():
    audio = np.zeros((10 * RATE_HZ, 2))
    audio[5 * RATE_HZ] = 0.5
    made = master(audio, RATE_HZ)
    assert keeps_its_promises(made, audio)
    assert made.plan.target_limited is not None


def test_sparse_hits_reach_the_target_though_their_peaks_are_most_of_their_loudness():
    """800 Hz of 40 ms, dying away, twice a second: peaks 3 dB over the ceiling cost 2.5 LU."""
    at = np.arange(RATE_HZ // 2) / RATE_HZ
    hit = np.where(at < 0.04, 0.5 * np.sin(2 * np.pi * 800 * at) * np.exp(-at / 0.02), 0.0)
    hits = np.tile(hit, 40)[:, None] + noise(level_dbfs=-80.0, seconds=20.0, rate_hz=RATE_HZ)
    mastered = master(hits, RATE_HZ, "streaming")
    assert mastered.plan.target_limited is None
    assert mastered.after.figures.integrated_lufs == pytest.approx(-14.0, abs=0.1)


def test_a_target_that_no_gain_can_reach_is_given_up_with_a_price():
    spiky = music(level_dbfs=-40.0, seconds=4.0)
    spiky[::4_410] = 0.9
    made = master(spiky, RATE_HZ, choices=Choices(target_lufs=-6.0))
    assert keeps_its_promises(made, spiky)
    assert "the target would cost" in (made.plan.target_limited or "")


@pytest.mark.parametrize(
    ("audio", "code"), [(np.zeros((RATE_HZ, 2)), "SOURCE_SILENT"), (np.full((100, 2), 0.1), "SOURCE_TOO_SHORT")]
)
def test_what_cannot_be_mastered_is_refused(audio, code):
    with pytest.raises(TrackError) as caught:
        master(audio, RATE_HZ)
    assert caught.value.code == code


@pytest.mark.parametrize("audio", [np.zeros(100), np.zeros((100, 2), np.int16), np.full((100, 2), np.nan)])
def test_what_is_no_sound_is_refused(audio):
    for work in (master, measure):
        with pytest.raises(ValueError, match="audio must"):
            work(audio, RATE_HZ)


def test_an_unknown_style_is_refused():
    with pytest.raises(CatalogueError) as caught:
        master(music(), RATE_HZ, choices=Choices(style="wram"))
    assert caught.value.code == "STYLE_UNKNOWN"


def dull(seconds: float = 12.0, rate_hz: int = RATE_HZ, channels: int = 2) -> Audio:
    """Pink-like noise with little treble."""
    white = noise(level_dbfs=-20.0, seconds=seconds, rate_hz=rate_hz, channels=channels)
    return np.asarray(np.cumsum(white - white.mean(axis=0), axis=0) * 0.02)


REFERENCES = {
    "silent": (np.zeros((12 * RATE_HZ, 2)), RATE_HZ, True),
    "too short": (music(seconds=5.0), RATE_HZ, True),
    "mono": (music(seconds=12.0, channels=1), RATE_HZ, False),
    "at another rate": (music(seconds=12.0, rate_hz=96_000), 96_000, False),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_any_reference_gives_a_sound_master(name):
    audio, rate_hz, refused = REFERENCES[name]
    mix = music(level_dbfs=-20.0, seconds=6.0)
    made = master(mix, RATE_HZ, choices=Choices(style="balanced"), references=[(audio, rate_hz)])
    assert keeps_its_promises(made, mix)
    assert bool(made.plan.references_refused) == refused


def test_the_track_itself_is_refused_as_a_reference():
    mix = music(level_dbfs=-20.0, seconds=12.0)
    made = master(mix, RATE_HZ, references=[(mix, RATE_HZ)])
    assert "the track itself" in made.plan.references_refused[0]


def test_a_reference_moves_the_tone_its_way():
    mix, bright = dull(), noise(level_dbfs=-20.0, seconds=12.0)
    made = master(mix, RATE_HZ, choices=Choices(style="balanced", intensity="high"), references=[(bright, RATE_HZ)])
    assert made.plan.head.equaliser is not None
    gains_db = made.plan.head.equaliser.gains_db
    assert np.mean(gains_db[20:28]) > np.mean(gains_db[2:10])


def test_with_nothing_to_do_the_sound_comes_back_to_the_bit():
    quiet = music(level_dbfs=-30.0, seconds=4.0)
    lufs = measure(quiet, RATE_HZ).figures.integrated_lufs
    assert lufs is not None
    made = master(quiet, RATE_HZ, "dynamic", choices=Choices(target_lufs=lufs))
    assert np.abs(made.audio / to_gain(made.plan.gain_db) - quiet).max() <= to_gain(-140.0)
