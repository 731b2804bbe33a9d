"""`lathe automix`: the microphones of an event in, one mix and all gains out; what cannot be mixed is told."""

from __future__ import annotations

import csv
import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
import soxr

from dsp.audio import Audio, to_gain
from dsp.true_peak import TruePeakMeter
from media.mixing import song_files
from pipeline import cli
from tests.dsp.speech import talk
from tests.makers import noise, write, write_manifest
from tests.pipeline.runs import environment

RATE_HZ = 48_000
SECONDS = 8.0


def panel(count: int = 3, level_dbfs: float = -20.0) -> Audio:
    """Voices that take turns at their microphones, with bleed and ambience."""
    turn = round(SECONDS * RATE_HZ / count)
    voices = np.zeros((round(SECONDS * RATE_HZ), count))
    for i in range(count):
        voices[i * turn : i * turn + turn * 3 // 4, i] = talk(turn * 3 // 4 / RATE_HZ, level_dbfs=level_dbfs, seed=i)
    crossed = voices + 0.05 * (voices.sum(axis=1, keepdims=True) - voices)
    return crossed + noise(level_dbfs=-65.0, seconds=SECONDS, rate_hz=RATE_HZ, channels=count)


@pytest.fixture
def automix(monkeypatch, capsys):
    """Runs `lathe automix` in this process: (exit code, stdout, stderr)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lathe", "automix", *map(str, arguments)])
        code = cli._exit_code(None)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def microphones(tmp_path):
    """A folder with three microphones."""
    sound = panel()
    for i, name in enumerate(("host", "guest 1", "guest 2")):
        write(tmp_path / "in" / f"{name}.wav", sound[:, i : i + 1], RATE_HZ)
    return tmp_path / "in"


def record(output: Path) -> dict:
    return json.loads((output / "automix.json").read_text())


def test_a_folder_of_microphones_becomes_one_mix_with_its_gains_and_a_record(automix, microphones, tmp_path):
    code, out, err = automix(microphones, tmp_path / "out", "--json")
    told = json.loads(out)
    assert code == 0
    assert told == record(tmp_path / "out")
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["automix.json", "gains.parquet", "mix.wav"]
    info = soundfile.info(tmp_path / "out" / "mix.wav")
    assert (info.samplerate, info.channels, info.subtype, info.frames) == (RATE_HZ, 1, "PCM_24", SECONDS * RATE_HZ)
    assert "host" in err and "mix.wav" in err
    assert sum(one["open_ratio"] for one in told["microphones"]) > 0.8


def test_the_table_of_gains_has_a_row_each_tenth_of_a_second_and_a_column_each_microphone(
    automix, microphones, tmp_path
):
    automix(microphones, tmp_path / "a")
    automix(microphones, tmp_path / "b", "--gains", "csv")
    table = pq.read_table(tmp_path / "a" / "gains.parquet")
    assert table.column_names == ["time_s", "guest 1", "guest 2", "host"]
    assert table.num_rows == 10 * SECONDS
    assert table["time_s"].to_pylist()[:3] == pytest.approx([0.0, 0.1, 0.2])
    gains_db = np.stack([table[name].to_numpy() for name in table.column_names[1:]], axis=1)
    powers = (10.0 ** (gains_db / 10.0)).sum(axis=1)
    assert powers.max() <= 1.0001
    with (tmp_path / "b" / "gains.csv").open() as handle:
        rows = list(csv.reader(handle))
    assert rows[0] == table.column_names
    assert np.array(rows[1:], float)[:, 1:] == pytest.approx(gains_db, abs=0.0051)


def test_the_stems_add_up_to_the_mix(automix, microphones, tmp_path):
    automix(microphones, tmp_path / "out", "--stems", "--float")
    stems = [soundfile.read(path)[0] for path in sorted((tmp_path / "out" / "stems").iterdir())]
    assert len(stems) == 3
    assert sum(stems) == pytest.approx(soundfile.read(tmp_path / "out" / "mix.wav")[0], abs=1e-6)


def test_a_mix_that_would_clip_is_turned_down_as_a_whole_and_says_so(automix, tmp_path):
    sound = panel(2, level_dbfs=-2.0)
    for i in range(2):
        write(tmp_path / "in" / f"{i}.wav", sound[:, i : i + 1], RATE_HZ, "FLOAT")
    _, _, err = automix(tmp_path / "in", tmp_path / "out")
    mix, _ = soundfile.read(tmp_path / "out" / "mix.wav", always_2d=True)
    meter = TruePeakMeter(RATE_HZ, 1)
    meter.push(mix)
    told = record(tmp_path / "out")
    assert told["gain_db"] < -1.0
    assert 20.0 * np.log10(meter.finish().max()) == pytest.approx(-1.01, abs=0.01)
    assert told["true_peak_dbtp"] == pytest.approx(-1.01, abs=1e-6)
    assert f"turned down by {-told['gain_db']:.2f} dB" in err


def test_files_of_another_rate_length_and_number_of_channels_are_mixed_from_their_start(automix, tmp_path):
    sound = panel(3)
    write(tmp_path / "a.wav", sound[:, :1], RATE_HZ)
    write(tmp_path / "b.wav", np.repeat(sound[: 5 * RATE_HZ, 1:2], 2, axis=1), RATE_HZ)
    other = soxr.resample(sound[:, 2:], RATE_HZ, 44_100, quality="VHQ")
    write(tmp_path / "c.flac", other, 44_100)
    _, _, err = automix(tmp_path / "a.wav", tmp_path / "b.wav", tmp_path / "c.flac", tmp_path / "out", "--stems")
    told = record(tmp_path / "out")
    assert (told["rate_hz"], told["channels"], told["duration_s"]) == (RATE_HZ, 2, SECONDS)
    assert "c: resampled from 44100 to 48000 Hz" in err
    assert "b: ends 3.0 s before the longest" in err
    alike = soundfile.read(tmp_path / "out" / "stems" / "c.wav")[0]
    turn = slice(round(5.5 * RATE_HZ), round(7.0 * RATE_HZ))
    assert np.corrcoef(alike[turn], sound[turn, 2])[0, 1] > 0.99


def test_each_channel_of_a_field_recording_is_a_microphone(automix, tmp_path):
    write(tmp_path / "field.wav", np.concatenate([panel(3), panel(1)], axis=1), RATE_HZ)
    assert automix(tmp_path / "field.wav", tmp_path / "out")[0] == 0
    assert [one["name"] for one in record(tmp_path / "out")["microphones"]] == [f"field.{i}" for i in (1, 2, 3, 4)]


def test_a_stereo_file_is_one_microphone_unless_it_is_split(automix, tmp_path):
    write(tmp_path / "two.wav", panel(2), RATE_HZ)
    write(tmp_path / "one.wav", panel(1), RATE_HZ)
    automix(tmp_path / "two.wav", tmp_path / "one.wav", tmp_path / "whole")
    automix(tmp_path / "two.wav", tmp_path / "one.wav", tmp_path / "split", "--split-stereo")
    assert [one["channels"] for one in record(tmp_path / "whole")["microphones"]] == [2, 1]
    assert [one["name"] for one in record(tmp_path / "split")["microphones"]] == ["two.1", "two.2", "one"]
    assert record(tmp_path / "split")["channels"] == 1


def test_a_manifest_says_groups_modes_weights_faders_and_who_is_mute(automix, microphones, tmp_path):
    rows = [
        {"uri": "host.wav", "mix_id": "talk", "automix_group": "a", "weight_db": 3, "gain_db": -2},
        {"uri": "guest 1.wav", "mix_id": "talk", "automix_group": "a", "automix_mode": "music"},
        {"uri": "guest 2.wav", "mix_id": "talk", "mute": "true"},
    ]
    manifest = write_manifest(microphones / "m.csv", rows)
    assert automix(manifest, tmp_path / "out")[0] == 0
    told = record(tmp_path / "out")
    found = {one["name"]: one for one in told["microphones"]}
    assert (found["host"]["weight_db"], found["host"]["gain_db"], found["host"]["group"]) == (3.0, -2.0, "a")
    assert found["guest 2"]["mean_gain_db"] == -120.0
    assert {group["name"]: group["sharing"]["kind"] for group in told["groups"]} == {"a": "music", "all": "speech"}


@pytest.mark.parametrize(
    ("promise", "code"), [({"sha256": "0" * 64}, "HASH_MISMATCH"), ({"duration_s": 99.0}, "DURATION_MISMATCH")]
)
def test_what_a_manifest_promises_of_a_microphone_is_held_against_it(automix, microphones, tmp_path, promise, code):
    rows = [{"uri": f"{name}.wav", "mix_id": "talk"} for name in ("host", "guest 1")]
    manifest = write_manifest(microphones / "m.csv", [rows[0] | promise, rows[1]])
    found, _, err = automix(manifest, tmp_path / "out")
    assert (found, True) == (1, code in err), err


def test_columns_of_microphones_need_an_event_in_the_manifest(automix, microphones, tmp_path):
    rows = [{"uri": f"{name}.wav", "weight_db": 3, "title": name} for name in ("host", "guest 1")]
    found, _, err = automix(write_manifest(microphones / "m.csv", rows), tmp_path / "out")
    assert found == 2
    assert "add a column mix_id" in err


def test_the_page_tells_of_every_option():
    page = (Path(__file__).parents[2] / "docs" / "mixing" / "automix.md").read_text(encoding="utf-8")
    options = {name for option in cli.automix.params for name in option.opts if name.startswith("--")}
    assert [name for name in sorted(options - {"--json", "--help"}) if name not in page] == []


def test_who_is_turned_down_for_a_louder_ambience_is_told(automix, microphones, tmp_path):
    sound = panel()[:, :1] + noise(level_dbfs=-59.0, seconds=SECONDS, rate_hz=RATE_HZ, channels=1, seed=4)
    write(microphones / "noisy.wav", sound, RATE_HZ)
    _, _, err = automix(microphones, tmp_path / "out")
    _, _, without = automix(microphones, tmp_path / "out", "--no-ambience-trim")
    assert re.search(r"noisy: turned down by [56]\.\d dB while it is open", err)
    assert "turned down" not in without


def test_options_reach_the_settings(automix, microphones, tmp_path):
    options = ("--nom", 2, "--depth", 30, "--last-hold", "--original", "--no-ambience-trim", "--mode", "music")
    automix(microphones, tmp_path / "out", *options, "--weight", "GUEST*=-6", "--gain", "host=1", "--group", "host=h")
    told = record(tmp_path / "out")
    first = told["groups"][0]["sharing"]
    expected = {
        "kind": "music", "open_limit": 2, "depth_db": 30.0, "last_hold": True, "floor": False, "ambience_trim_db": 0.0,
    }  # fmt: skip
    assert expected == {name: first[name] for name in expected}
    assert [one["weight_db"] for one in told["microphones"]] == [-6.0, -6.0, 0.0]
    assert [one["group"] for one in told["microphones"]] == ["all", "all", "h"]


def test_groups_share_nothing(automix, microphones, tmp_path):
    groups = ("--group", "guest*=guests", "--float", "--stems")
    automix(microphones, tmp_path / "a", *groups)
    automix(microphones, tmp_path / "b", *groups, "--gain", "host=20")
    names = ("guest 1", "guest 2")
    tables = [pq.read_table(tmp_path / folder / "gains.parquet") for folder in ("a", "b")]
    assert all(tables[0][name].equals(tables[1][name]) for name in names)


def test_the_same_microphones_give_the_same_bytes_and_blocks_change_none(automix, microphones, tmp_path, monkeypatch):
    automix(microphones, tmp_path / "a")
    automix(microphones, tmp_path / "b")
    monkeypatch.setattr(song_files, "BLOCK_FRAMES", 999)
    automix(microphones, tmp_path / "c")
    assert len({record(tmp_path / folder)["sha256"] for folder in "abc"}) == 1


def test_a_mix_inside_the_folder_of_its_microphones_is_not_taken_for_one(automix, microphones):
    automix(microphones, microphones / "mix", "--stems")
    code, _, _ = automix(microphones, microphones / "mix", "--stems")
    assert code == 0
    assert len(record(microphones / "mix")["microphones"]) == 3


def test_silent_microphones_are_mixed_to_silence(automix, tmp_path):
    for i in range(2):
        write(tmp_path / f"{i}.wav", np.full((RATE_HZ, 1), i * 1e-6), RATE_HZ, "FLOAT")
    write(tmp_path / "2.wav", np.zeros((RATE_HZ, 1)), RATE_HZ)
    code, _, err = automix(tmp_path / "0.wav", tmp_path / "2.wav", tmp_path / "out")
    assert code == 0
    assert not soundfile.read(tmp_path / "out" / "mix.wav")[0].any()
    assert "silent" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{in}/host.wav"], 2, "the only name given: name the microphones first"),
        (["{in}/host.wav", "{in}/guest 1.wav"], 2, "the last name is the folder for the mix"),
        (["{in}/host.wav", "{out}"], 2, "gain sharing needs two microphones or more, got 1: host"),
        (["{in}", "{in}"], 2, "holds the microphones; name another for the mix"),
        (["{in}", "{in}/host.wav", "{out}"], 2, "is given twice"),
        (["{in}", "{in}/copy/c.wav", "{out}"], 2, "hold the same bytes"),
        (["{in}", "{in}/none.wav", "{out}"], 1, "there is no file"),
        (["{in}", "{in}/text/t.wav", "{out}"], 1, "is no audio file that can be read"),
        (["{in}/empty", "{out}"], 2, "holds no audio"),
        (["{in}", "{out}", "--weight", "nobody=3"], 2, 'no microphone is named "nobody"; there are guest 1, guest 2, host'),
        (["{in}", "{out}", "--weight", "host"], 2, "--weight must be NAME=VALUE, got"),
        (["{in}", "{out}", "--weight", "host=loud"], 2, "must be a number of dB in [-60, 60], got"),
        (["{in}", "{out}", "--nom", "0"], 2, "0 is not in the range"),
    ],
)  # fmt: skip
def test_what_cannot_be_mixed_is_told_and_nothing_is_written(automix, microphones, tmp_path, arguments, code, message):
    extra = tmp_path / "extra"
    (microphones / "empty").mkdir()
    for name in ("copy", "text"):
        if any(name in one for one in arguments):
            (microphones / name).mkdir()
    if (microphones / "copy").exists():
        (extra).mkdir()
        (extra / "c.wav").write_bytes((microphones / "host.wav").read_bytes())
    if (microphones / "text").exists():
        (extra).mkdir()
        (extra / "t.wav").write_text("no sound")
    places = {"in": microphones, "out": tmp_path / "out"}
    given = [one.format(**places).replace(f"{microphones}/copy", str(extra)) for one in arguments]
    given = [one.replace(f"{microphones}/text", str(extra)) for one in given]
    found, _, err = automix(*given)
    assert (code, True) == (found, message in err), err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length(tmp_path):
    """Half an hour of eight microphones takes little more than half a minute of them."""

    def peak_mib(seconds: float) -> float:
        folder = tmp_path / f"{seconds}"
        folder.mkdir()
        draw = np.random.default_rng(3)
        for i in range(8):
            with soundfile.SoundFile(folder / f"{i}.wav", "w", 16_000, 1, "PCM_16") as file:
                for _ in range(int(seconds / 10)):
                    file.write(draw.normal(0.0, 0.05, 160_000) * to_gain(-10.0 * draw.integers(0, 4)))
        code = "import sys; from review.cli import main; main()"
        command = [sys.executable, "-c", code, "automix", str(folder), str(tmp_path / f"out {seconds}")]
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        subprocess.run(command, check=True, env=environment(), capture_output=True)
        return max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024

    short, long = peak_mib(30.0), peak_mib(1800.0)
    assert long - short < 64.0
