"""`lathe measure`: a line and more for each file, everything as JSON, targets by exit code, and nothing loaded in vain."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys

import msgspec
import numpy as np
import pytest
import soundfile

from decisions.measures import MEASURES
from decisions.profile_files import load_profile
from dsp.spectrum import CENTRES_HZ
from media import analysis
from pipeline import cli
from schemas.detected import Detected
from schemas.figures import AudioFormat, Figures
from schemas.qc import CheckRow, Finding, TargetResult
from tests.makers import music, noise, sine, write
from tests.pipeline.runs import environment

TARGET = 'title = "x"\ndate = "2026-01"\nsource = "me"\nconfidence = "primary"\n'
TOO_HEAVY = {"apache_beam", "pyarrow", "rich"}
MODULES = """
import sys
from pipeline import cli
sys.argv = ["lathe", "measure", *sys.argv[1:]]
cli._exit_code(None)
print("\\n" + " ".join(sorted(sys.modules)))
"""


@pytest.fixture
def measure(monkeypatch, capsys):
    """Runs `lathe measure` in this process: (exit code, stdout)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["lathe", "measure", *map(str, arguments)])
        with pytest.raises(SystemExit, match=r"\d+") as ended:
            cli.run_command_line()
        return ended.value.code, capsys.readouterr().out

    return run


@pytest.fixture
def song(tmp_path):
    """A song of two seconds that fades in and out: nothing is wrong with it."""
    return write(tmp_path / "song.wav", music(seconds=2, level_dbfs=-24) * fade(2)[:, None])


def fade(seconds):
    return np.sin(np.linspace(0.0, np.pi, round(seconds * 44_100))) ** 0.2


def loaded(*words):
    command = [sys.executable, "-c", MODULES, *map(str, words)]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True)
    return set(ran.stdout.splitlines()[-1].split())


# As text


def test_a_file_alone_has_a_line_of_figures_and_a_whole_sheet(measure, tmp_path):
    path = write(tmp_path / "a.wav", sine(997, level_dbfs=-20, seconds=4))
    code, out = measure(path)
    head, line, *sheet = out.splitlines()
    assert (code, "LUFS" in head, line.split()[0], str(path) in line) == (0, True, "-20.00", True)
    names = [words[-1] for one in sheet if (words := one.split()) and words[-1] in MEASURES]
    assert {"integrated_lufs", "rate_hz", "clicks"} <= set(names) and len(names) == len(set(names))
    assert any("true peak" in one and "-20.0 dBTP" in one for one in sheet)


def test_of_several_files_each_has_its_line_then_what_else_is_to_be_said(measure, tmp_path, song):
    one = write(tmp_path / "one.wav", music(channels=1, seconds=2))
    code, out = measure(one, song)
    head, first, *rest = out.splitlines()
    assert (code, str(one) in first, "0:02.0 WAV 44100 Hz 24 bit mono" in rest[0]) == (0, True, True)
    assert any("info MONO_SOURCE: one channel, measured as one channel" in line for line in rest)
    place = next(number for number, line in enumerate(rest) if str(song) in line)
    assert len(head[: head.index("file")]) == first.index(str(one)) == rest[place].index(str(song))


def test_a_bad_file_is_told_where_its_name_would_stand(measure, tmp_path, song):
    code, out = measure(tmp_path / "gone.wav", song)
    assert (code, "gone.wav: SOURCE_MISSING" in out, str(song) in out) == (1, True, True)
    assert out.splitlines()[1].index(str(tmp_path)) == out.splitlines()[0].index("file")


def test_each_file_is_printed_before_the_next_is_measured(measure, monkeypatch, song):
    printed = []
    monkeypatch.setattr("pipeline.measure.click.echo", lambda text: printed.append(text))

    def analyse(path, **_):
        printed.append("measured")
        raise OSError("gone")

    monkeypatch.setattr("media.analysis.analyse", analyse)
    measure(song, song)
    assert [one == "measured" for one in printed] == [False, True, False, True, False]


# As JSON


def test_one_json_object_a_line(measure, tmp_path):
    paths = [write(tmp_path / f"{i}.wav", sine(997, level_dbfs=-20 - i, seconds=2)) for i in range(2)]
    code, out = measure("--json", *paths)
    found = [json.loads(line) for line in out.splitlines()]
    assert (code, [one["file"] for one in found]) == (0, [str(path) for path in paths])
    assert [one["integrated_lufs"] for one in found] == pytest.approx([-20, -21], abs=0.01)


def test_json_holds_everything_that_is_known(measure, song):
    found = json.loads(measure("--json", song, "--target", "spotify", "--target", "cd")[1])
    assert set(Figures.__struct_fields__) | set(AudioFormat.__struct_fields__) <= set(found)
    assert {"sha256", "duration_s", "dual_mono"} <= set(found)
    msgspec.convert(found["detected"], Detected)
    msgspec.convert(found["findings"], list[Finding])
    checks = msgspec.convert(found["checks"], list[CheckRow])
    assert {"clicks", "mono_loss_lu"} <= {one.measure for one in checks if one.severity == "passed"}
    assert ["spotify", "cd"] == [one.target for one in msgspec.convert(found["targets"], list[TargetResult])]


def numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    return [one for part in value for one in numbers(part)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("audio", [noise() * 0.0, noise()[:1], noise() * 0.0 + 0.5, noise(channels=6)])
def test_whatever_the_file_there_is_no_nan(measure, tmp_path, audio):
    _, out = measure("--json", write(tmp_path / "a.wav", audio), "--target", "distributor", "--target", "acx")
    found = [one for one in numbers(json.loads(out)) if isinstance(one, float)]
    assert found and all(math.isfinite(one) for one in found)


def test_silence_is_measured_as_nothing(measure, tmp_path):
    code, out = measure("--json", write(tmp_path / "a.wav", noise() * 0.0))
    assert (code, json.loads(out)["integrated_lufs"], json.loads(out)["true_peak_dbtp"]) == (0, None, None)


def test_surround_is_measured_though_it_is_not_mastered(measure, tmp_path):
    code, out = measure("--json", write(tmp_path / "a.wav", noise(channels=6)))
    assert (code, json.loads(out)["channels"]) == (0, 6)


def test_bad_files_are_told_and_the_others_are_measured(measure, tmp_path):
    (tmp_path / "bad.wav").write_text("not music")
    nonsense = write(tmp_path / "nonsense.wav", noise() * 1e200, subtype="DOUBLE")
    good = write(tmp_path / "good.wav", noise())
    code, out = measure("--json", tmp_path / "bad.wav", tmp_path / "gone.wav", tmp_path, nonsense, good)
    found = [json.loads(line) for line in out.splitlines()]
    expected = ["SOURCE_UNREADABLE", "SOURCE_MISSING", "SOURCE_NOT_A_FILE", "SOURCE_OUT_OF_RANGE", None]
    assert (code, [one.get("code") for one in found], "integrated_lufs" in found[-1]) == (1, expected, True)


# Limits and targets


def test_findings_come_from_the_profile_that_was_asked_for(measure, tmp_path):
    path = write(tmp_path / "a.wav", music(channels=1, seconds=2))
    (tmp_path / "strict.toml").write_text('based_on = "streaming"\n[limits]\nchannels = { fail_below = 2 }\n')
    found = json.loads(measure("--json", path, "--profile", tmp_path / "strict.toml")[1])["findings"]
    assert [one["severity"] for one in found if one["code"] == "MONO_SOURCE"] == ["fail"]


def own_target(folder, measure_name, **bounds):
    path = folder / f"{measure_name}.toml"
    rule = "".join(f"{name} = {value}\n" for name, value in bounds.items())
    path.write_text(f'name = "own"\n{TARGET}[[rule]]\nmeasure = "{measure_name}"\n{rule}')
    return path


@pytest.mark.parametrize(
    ("bounds", "code", "told"),
    [
        ({"fail_above": 0.0}, 0, ["own (2026-01): passed"]),
        ({"warn_above": -90.0}, 0, ["own (2026-01): passed", "risk: true peak"]),
        ({"fail_above": -90.0}, 1, ["own (2026-01): FAILED", "fail: true peak", "rule: at most -90 dBTP"]),
    ],
)
def test_a_file_that_fails_a_target_ends_with_1(measure, tmp_path, song, bounds, code, told):
    ended, out = measure(song, "--target", own_target(tmp_path, "true_peak_dbtp", **bounds))
    assert (ended, [text for text in told if text not in out]) == (code, [])


def test_a_failed_limit_alone_does_not_end_with_1(measure, tmp_path):
    one_sided = music(seconds=2) * np.array([1.0, 0.0])
    code, out = measure(write(tmp_path / "a.wav", one_sided))
    assert (code, "fail CHANNEL_MISSING: only the left channel sounds" in out) == (0, True)


@pytest.mark.parametrize("frames", [0, 44_100])
def test_silence_fails_every_target(measure, tmp_path, frames):
    code, out = measure(write(tmp_path / "a.wav", np.zeros((frames, 2))), "--target", "youtube")
    assert (code, "fail NO_SOUND: nothing is louder than -70 LUFS" in out, "youtube (2026-11): FAILED" in out) == (
        1,
        True,
        True,
    )


def test_a_wav_of_the_extensible_kind_is_a_wav_to_distributors_and_not_to_spotify(measure, tmp_path, song):
    audio, rate_hz = soundfile.read(song)
    soundfile.write(tmp_path / "x.wav", audio, rate_hz, format="WAVEX", subtype="PCM_24")
    targets = ["--target", "distributor", "--target", "spotify"]
    failed = json.loads(measure(tmp_path / "x.wav", *targets, "--json")[1])["targets"]
    assert [any("container" in text for text in one["failed"]) for one in failed] == [False, True]


def test_a_name_that_is_no_text_does_not_stop_the_others(measure, tmp_path, song):
    odd = os.fsdecode(os.fsencode(str(tmp_path)) + b"/caf\xe9.wav")
    shutil.copy(song, odd)
    code, out = measure("--json", odd, song)
    names = [json.loads(line)["file"].rsplit("/", 1)[1] for line in out.splitlines()]
    assert (code, names) == (0, ["caf\\udce9.wav", "song.wav"])


def test_one_file_that_fails_unforeseen_does_not_stop_the_others(measure, monkeypatch, song, tmp_path):
    real = analysis.analyse

    def analyse(path, **options):
        if path.name == "bad.wav":
            raise ZeroDivisionError("by zero")
        return real(path, **options)

    monkeypatch.setattr(analysis, "analyse", analyse)
    code, out = measure("--json", shutil.copy(song, tmp_path / "bad.wav"), song)
    bad, good = map(json.loads, out.splitlines())
    assert (code, bad["code"], good["channels"]) == (1, "INTERNAL_ERROR", 2)


@pytest.mark.parametrize("words", [("--target", "spotfy"), ("--profile", "straeming")])
def test_an_unknown_name_is_refused_before_anything_is_measured(measure, tmp_path, words):
    assert measure(tmp_path / "gone.wav", *words) == (2, "")


# Mono


def test_a_mono_file_is_measured_as_it_is_heard_if_asked_for(measure, tmp_path):
    path = write(tmp_path / "a.wav", sine(997, level_dbfs=-20, seconds=2, channels=1))
    one, two = (json.loads(measure("--json", path, *words)[1]) for words in ((), ("--dual-mono",)))
    assert two["integrated_lufs"] - one["integrated_lufs"] == pytest.approx(3.01, abs=0.01)
    assert (one["dual_mono"], two["dual_mono"]) == (False, True)
    said = next(finding["text"] for finding in two["findings"] if finding["code"] == "MONO_SOURCE")
    assert "two equal channels" in said


def test_a_profile_can_ask_for_it_too(measure, tmp_path):
    path = write(tmp_path / "a.wav", sine(997, level_dbfs=-20, seconds=2, channels=1))
    (tmp_path / "p.toml").write_text('based_on = "streaming"\n[loudness]\ndual_mono = true\n')
    assert json.loads(measure("--json", path, "--profile", tmp_path / "p.toml")[1])["dual_mono"] is True


# Loudness alone


def test_loudness_alone_is_that_of_the_whole_measurement(measure, song):
    whole, alone = (json.loads(measure("--json", song, *words)[1]) for words in ((), ("--loudness-only",)))
    names = {"integrated_lufs", "loudness_range_lu", "max_momentary_lufs", "max_short_term_lufs", "true_peak_dbtp"}
    assert set(alone) == names | {"file", "dual_mono"}
    assert {name: alone[name] for name in names} == pytest.approx({name: whole[name] for name in names}, nan_ok=False)


def test_loudness_alone_has_a_line_for_each_file(measure, tmp_path, song):
    code, out = measure("--loudness-only", song, tmp_path / "gone.wav")
    head, line, bad = out.splitlines()
    assert (code, head.index("file"), bad.index(str(tmp_path))) == (1, line.index(str(song)), head.index("file"))
    assert "SOURCE_MISSING" in bad


# Start-up


@pytest.mark.parametrize("words", [(), ("--target", "spotify", "--json")])
def test_measuring_loads_nothing_of_what_a_run_needs(words, song):
    found = loaded(song, *words)
    assert ("media.meters" in found, found & TOO_HEAVY) == (True, set())


def test_loudness_alone_loads_no_other_meter_and_no_decision(song):
    found = loaded("--loudness-only", song)
    heavy = {
        "scipy.fft",
        "scipy.signal",
        "media.meters",
        "decisions.measures",
        "decisions.profile_files",
        "pipeline.sheets",
    }
    assert ("dsp.loudness" in found, found & (TOO_HEAVY | heavy)) == (True, set())


def test_the_usual_limits_have_a_word_for_what_a_clean_song_lacks(measure, song):
    checks = json.loads(measure("--json", song)[1])["checks"]
    assert {one["measure"] for one in checks} <= set(load_profile("streaming").limits)


# As a mix


def test_a_mix_gets_a_report_with_words_and_advice(measure, tmp_path, song):
    code, out = measure(song, "--as", "mix")
    parts = [line.strip() for line in out.splitlines()]
    assert code == 0
    assert {"Loudness", "Dynamics", "Headroom", "Stereo", "Tone", "Left and right alike", "Advice"} <= set(parts)
    assert any('Against the norm "popular", style transparent' in line for line in parts)


def test_a_mix_in_opposite_phase_is_told_in_json(measure, tmp_path):
    path = write(tmp_path / "a.wav", music(channels=1, seconds=4) * np.array([1.0, -1.0]))
    code, out = measure(path, "--as", "mix", "--json", "--style", "punchy")
    found = json.loads(out)
    assert (code, found["style"], found["phase"][1]["word"]) == (0, "punchy", "low")
    assert "fail" in {one["severity"] for one in found["advice"]}
    assert all(math.isfinite(one) for one in numbers(found) if isinstance(one, float))


@pytest.mark.parametrize(
    "words", [("--as", "mix", "--loudness-only"), ("--as", "mix", "--target", "spotify"), ("--style", "punchy")]
)
def test_what_does_not_go_with_a_report_on_a_mix_is_refused(measure, song, words):
    assert measure(song, *words)[0] == 2


def test_a_surround_file_is_no_mix(measure, tmp_path):
    code, out = measure("--as", "mix", write(tmp_path / "a.wav", noise(channels=6)))
    assert (code, "CHANNELS" in out) == (1, True)


def like_the_norm(bass_db=0.0, seconds=6, rate_hz=44_100):
    """Noise whose middle and side have the spectrum of the norm, with more or less below 140 Hz."""
    norm, frames = load_profile("streaming").expected, seconds * rate_hz
    hz = np.maximum(np.fft.rfftfreq(frames, 1 / rate_hz), 1.0)
    # A third octave is as wide as its frequency is high: its level as a density falls by 3 dB an octave.
    middle_db = np.interp(np.log(hz), np.log(CENTRES_HZ), norm.mid_db) - 10 * np.log10(hz) + bass_db * (hz < 140)
    side_db = middle_db + np.interp(np.log(hz), np.log(CENTRES_HZ), norm.side_db)
    rng = np.random.default_rng(7)
    middle, side = (
        np.fft.irfft(10 ** (db / 20) * np.exp(2j * np.pi * rng.random(len(hz))), frames) for db in (middle_db, side_db)
    )
    both = np.stack([middle + side, middle - side], axis=1)
    return both * 0.05 / np.sqrt(np.square(both).mean())


def test_six_decibels_of_bass_are_heard_in_the_sound_itself(measure, tmp_path):
    plain, heavy = (write(tmp_path / f"{db}.wav", like_the_norm(bass_db=db)) for db in (0.0, 6.0))
    one, two = map(json.loads, measure(plain, heavy, "--as", "mix", "--json")[1].splitlines())
    assert {band["word"] for band in (*one["tone"], *one["width"])} == {"good"}
    assert [band["word"] for band in two["tone"] if band["name"] == "bass"] == ["high"]
    assert any(advice["about"] == "level" and "bass +" in advice["text"] for advice in two["advice"])
