"""What a strip sends into the mix is told rightly from its trace: as the processors themselves do it, or more carefully."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from decisions.mixing.prediction import (
    BARK_BANDS,
    bands_in_mix,
    ducked_gain,
    inserts_gain_db,
    peaks_dbfs,
    processed,
    strip_bands,
    strip_energies,
    tone_db,
)
from decisions.mixing.session import HeardStem, neutral_settings
from dsp.audio import Audio
from dsp.chain import process
from dsp.mixing.stem_meter import StemMeter
from dsp.settings import Band, CompressorSettings, ParametricSettings
from media.mixing.hearing import figures_of
from schemas.figures import AudioFormat
from schemas.mix import Insert, Strip, Why
from schemas.stems import Stem
from tests.decisions.mixing.sessions import hits, session, stem
from tests.makers import music, noise

RATE_HZ = 48_000
WHY = Why(text="a test", evidence={"level_db": 1.0})


def heard(audio: Audio) -> HeardStem:
    """Some sound as a stem, measured."""
    meter = StemMeter(RATE_HZ, audio.shape[1])
    meter.push(audio)
    found = meter.finish()
    held = AudioFormat(
        container="WAV", codec="PCM", rate_hz=RATE_HZ, channels=audio.shape[1], frames=len(audio), bits=24
    )
    one = Stem(row=1, uri="a.wav", stem_id="a")
    return HeardStem(one, figures_of(found, held), found.trace, "keys", "manifest", 1.0)


def strip(*inserts: ParametricSettings | CompressorSettings, gain_db: float = 0.0) -> Strip:
    return Strip(stem_id="a", role="keys", inserts=tuple(Insert.of(one, WHY) for one in inserts), gain_db=gain_db)


def test_a_neutral_strip_sends_its_trace():
    one = stem("a", "keys", course=hits(0.5))
    np.testing.assert_allclose(one.trace.bands, strip_bands(one, strip(), RATE_HZ))
    np.testing.assert_allclose(one.trace.energies, strip_energies(one, strip(), RATE_HZ))


def test_a_fader_moves_every_band_by_its_gain():
    one = stem("a", "keys")
    np.testing.assert_allclose(10**0.6 * one.trace.bands, strip_bands(one, strip(gain_db=6.0), RATE_HZ))


def test_a_strip_that_is_not_used_sends_nothing():
    one, muted = stem("a", "keys"), msgspec.structs.replace(strip(), use=False)
    assert not strip_bands(one, muted, RATE_HZ).any()


def test_an_equaliser_is_told_as_it_sounds():
    settings = ParametricSettings(bands=(Band(kind="bell", freq_hz=1_000.0, gain_db=-6.0, quality_ratio=1.0),))
    audio = noise(seconds=4.0, rate_hz=RATE_HZ, channels=1)
    before, after = heard(audio).trace, heard(process(audio, RATE_HZ, settings)).trace
    measured_db = 10.0 * np.log10(after.bands.mean(axis=0) / before.bands.mean(axis=0))
    np.testing.assert_allclose(tone_db(settings, RATE_HZ), measured_db, atol=0.25)  # of noise, measured over 4 s


@pytest.mark.parametrize("ratio", [1.5, 4.0])
@pytest.mark.parametrize("attack_s", [0.001, 0.03])
def test_a_compressor_takes_no_more_than_was_told(ratio, attack_s):
    audio = music(seconds=6.0, rate_hz=RATE_HZ, channels=1)
    settings = CompressorSettings(threshold_dbfs=-22.0, compression_ratio=ratio, attack_s=attack_s)
    one = heard(audio)
    told_db = -inserts_gain_db(one, strip(settings), RATE_HZ)[0].mean()
    out = process(audio, RATE_HZ, settings)
    sounding = np.abs(audio) > 1e-6
    taken_db = -20.0 * np.log10(np.abs(out[sounding] / audio[sounding])).mean()
    assert 0.0 < taken_db <= told_db + 0.3


def test_peaks_reach_the_peak_of_the_stem_and_no_more():
    one = heard(music(seconds=3.0, rate_hz=RATE_HZ, channels=2))
    assert peaks_dbfs(one).max() == pytest.approx(one.figures.sample_peak_dbfs, abs=1e-6)


def test_a_duck_is_as_deep_as_its_gain_in_the_middle_of_its_band_and_nothing_far_off():
    gains_db = 10.0 * np.log10(ducked_gain(np.array([3.0]), 1_000.0, 4_000.0)[0])
    assert gains_db.min() == pytest.approx(-3.0, abs=0.1)
    assert gains_db[0] == pytest.approx(0.0, abs=0.02)
    assert len(gains_db) == BARK_BANDS


def test_all_stems_of_a_mix_are_as_long_as_the_longest():
    both = session(stem("a", "keys", seconds=4.0), stem("b", "bass", seconds=9.0))
    assert {90} == {len(each) for each in bands_in_mix(both, neutral_settings(both)).values()}


def test_a_processed_session_has_what_inserts_do_and_no_fader():
    before = session(stem("a", "keys"), stem("b", "bass"))
    settings = neutral_settings(before)
    compressor = CompressorSettings(threshold_dbfs=-60.0, compression_ratio=2.0)
    stems = (strip(compressor, gain_db=5.0), settings.stems[1])
    after = processed(before, msgspec.structs.replace(settings, stems=stems))
    assert after.stems[1] is before.stems[1]
    assert after.stems[0].trace.energies.mean() < 0.1 * before.stems[0].trace.energies.mean()
