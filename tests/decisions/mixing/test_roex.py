"""What was mixed with RoEx can be rendered here: its fader, place, equaliser and compressor, in its own words and ranges."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.mixing.edits import applied, read_settings
from dsp.settings import Band, CompressorSettings, ParametricSettings
from schemas.errors import TrackError
from schemas.mix import MixSettings, Strip
from tests.decisions.mixing.test_edits import DECIDED, INPUTS, ODD, places_in

FILES = {"Kick In.wav": "kick", "Bass DI.wav": "bass", "Lead.flac": "vocal"}
TRACK = {
    "gain_settings": {"initial_gain": 0.5, "gain_amplitude": 0.8},
    "eq_settings": {
        "band_1": {"centre_freq": 60.0, "gain": 4.0, "q": 1.2},
        "band_6": {"centre_freq": 9000.0, "gain": 0.0, "q": 1.0},
    },
    "drc_settings": {"threshold": -18.0, "ratio": 4.0, "attack_ms": 5.0, "release_ms": 40.0},
    "panning_settings": {"panning_angle": -30.0},
}


def imported(said: dict[str, Any]) -> MixSettings:
    return applied(read_settings(json.dumps(said).encode()), "song", INPUTS, DECIDED, FILES)


def kick(said: dict[str, Any]) -> Strip:
    return next(strip for strip in imported(said).stems if strip.stem_id == "kick")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda tracks: tracks,
        lambda tracks: {"mix_output_settings": tracks},
        lambda tracks: {
            "previewMixTaskResults": {"mix_output_settings": tracks, "status": "MIX_TASK_PREVIEW_COMPLETED"}
        },
    ],
)
def test_settings_of_an_automatic_mix_are_taken_over(wrap):
    strip = kick(wrap({"Kick In.wav": TRACK}))
    assert (pytest.approx(-7.9588, abs=1e-4), -0.5) == (strip.gain_db, strip.pan_ratio)
    bell = ParametricSettings(bands=(Band(kind="bell", freq_hz=60.0, gain_db=4.0, quality_ratio=1.2),))
    press = CompressorSettings(threshold_dbfs=-18.0, compression_ratio=4.0, attack_s=0.005, release_s=0.04)
    assert [bell, press] == [insert.settings() for insert in strip.inserts]
    assert "RoEx" in strip.why["gain_db"].text


def test_a_request_for_a_final_mix_is_taken_over():
    track = {
        "trackURL": "https://storage.example/kick%20files/Kick%20In.wav?sign=1/2",
        "gainDb": -3,
        "panning_settings": {"panning_angle": 60},
        "compression_settings": {"threshold": -12.0, "ratio": 8.0, "attack_ms": 1.0, "release_ms": 30.0},
    }
    strip = kick({"applyAudioEffectsData": {"multitrackTaskId": "x", "trackData": [track]}})
    assert (-3.0, 1.0, 1) == (strip.gain_db, strip.pan_ratio, len(strip.inserts))


def test_what_it_does_not_say_is_decided_here():
    strips = {
        strip.stem_id: strip
        for strip in imported(
            {"mix_output_settings": {"Kick In.wav": {"panning_settings": {"panning_angle": 0}}}}
        ).stems
    }
    before = {strip.stem_id: strip for strip in DECIDED.stems}
    assert (before["kick"].inserts, before["kick"].gain_db) == (strips["kick"].inserts, strips["kick"].gain_db)
    assert before["bass"] == strips["bass"]


@pytest.mark.parametrize("gain_db", [-60.0, 12.0])
@pytest.mark.parametrize("angle", [-60.0, 60.0])
def test_the_ends_of_its_ranges_are_taken(gain_db, angle):
    bands = {
        f"band_{k}": {"centre_freq": 20.0 * 3.9**k, "gain": (-1) ** k * 20.0, "q": (0.1, 10.0)[k % 2]}
        for k in range(1, 6)
    }
    bands["band_6"] = {"centre_freq": 20_000.0, "gain": 20.0, "q": 0.1}
    for threshold, ratio, attack_ms, release_ms in ((-60.0, 20.0, 0.1, 1.0), (0.0, 1.5, 100.0, 1000.0)):
        press = {"threshold": threshold, "ratio": ratio, "attack_ms": attack_ms, "release_ms": release_ms}
        track = {"trackURL": "a/Kick In.wav", "gainDb": gain_db, "panning_settings": {"panning_angle": angle}}
        track |= {"eq_settings": bands, "compression_settings": press}
        strip = kick({"applyAudioEffectsData": {"trackData": [track]}})
        equaliser = strip.inserts[0].settings()
        assert isinstance(equaliser, ParametricSettings)
        assert (gain_db, angle / 60.0, 6) == (strip.gain_db, strip.pan_ratio, len(equaliser.bands))
        assert "the nearest that Lathe has: release in s" in strip.inserts[1].why.text


def test_a_track_that_it_silences_is_not_used():
    assert not kick({"mix_output_settings": {"Kick In.wav": {"gain_settings": {"gain_amplitude": 0.0}}}}).use


def test_no_processor_stands_where_it_does_nothing():
    flat = {"eq_settings": {"band_1": {"centre_freq": 60.0, "gain": 0.0, "q": 1.0}, "band_2": None}}
    idle = {"compression_settings": {"threshold": -20.0, "ratio": 1.0, "attack_ms": 5.0, "release_ms": 50.0}}
    assert () == kick({"mix_output_settings": {"Kick In.wav": flat | idle}}).inserts


def test_what_means_nothing_here_is_told():
    edits = read_settings(
        json.dumps({"mix_output_settings": {"Kick In.wav": {"reverb_settings": {}, **TRACK}}}).encode()
    )
    assert ("Kick In.wav: reverb_settings",) == edits.ignored


@pytest.mark.parametrize("name", ["kick", "kick.wav"])
def test_a_stem_may_go_by_its_own_name(name):
    assert -0.5 == kick({"mix_output_settings": {name: TRACK}}).pan_ratio


@pytest.mark.parametrize(
    ("track", "message"),
    [
        (
            {"panning_settings": {"panning_angle": 61}},
            r'track "Kick In.wav", panning_settings.panning_angle: panning_angle must be in \[-60, 60\]',
        ),
        ({"panning_settings": {}}, "panning_settings.panning_angle must be a number, got None"),
        ({"gain_settings": []}, "gain_settings must be an object, got list"),
        ({"gainDb": 13}, r"gainDb must be in \[-60, 12\]"),
        ({"eq_settings": {"band_7": {}}}, "eq_settings holds band_1, .*, got band_7"),
        ({"eq_settings": {"band_1": {"centre_freq": 60.0, "gain": 21.0, "q": 1.0}}}, r"gain must be in \[-20, 20\]"),
        (
            {"drc_settings": {"threshold": -18.0, "ratio": 4.0, "attack_ms": True, "release_ms": 40.0}},
            "attack_ms must be a number, got True",
        ),
    ],
)
def test_what_its_own_service_would_refuse_is_refused(track, message):
    with pytest.raises(TrackError, match=f"MIX_SETTINGS_INVALID: .*{message}"):
        imported({"mix_output_settings": {"Kick In.wav": track}})


@settings(max_examples=400)
@given(way=st.sampled_from(places_in({"mix_output_settings": {"Kick In.wav": TRACK}})), odd=ODD)
def test_whatever_stands_in_its_file_is_taken_over_or_refused(way, odd):
    said = copy.deepcopy({"mix_output_settings": {"Kick In.wav": TRACK}})
    part: Any = said
    for key in way[:-1]:
        part = part[key]
    part[way[-1]] = odd
    try:
        imported(said)
    except TrackError as error:
        assert error.code in ("MIX_SETTINGS_INVALID", "MIX_SETTINGS_OTHER_SESSION")


def test_a_track_that_the_session_has_not_is_told_with_those_that_it_has():
    with pytest.raises(
        TrackError, match='MIX_SETTINGS_OTHER_SESSION: .*"Flute.wav", the session has Bass DI.wav, Kick In.wav'
    ):
        imported({"mix_output_settings": {"Flute.wav": TRACK}})
