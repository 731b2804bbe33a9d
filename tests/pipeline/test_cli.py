"""The command line keeps its word: exit codes, data on stdout and words on stderr, and everything wrong told at once."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
import soundfile

from decisions.target_files import built_in as targets
from decisions.target_files import load_target
from pipeline import cli
from schemas.codes import CODES
from tests.makers import music, noise, write, write_manifest
from tests.pipeline.runs import album, by, digests, environment, table

HELP_CPU_S = 0.3  # design.md, section 4
ONE_WORKER = ("--", "--direct_num_workers=1")
SUMMARY_KEYS = {"run_id", "mastered", "skipped", "rejected", "findings", "audio_s", "wall_s", "cpu_s", "output"}
HEAVY = {"apache_beam", "numba", "scipy", "numpy", "pyarrow", "soundfile"}
LATHE = "from review.cli import main; main()"
HELP_AND_WHAT_IT_COST = """
import sys, time
import review.cli
from pipeline import cli
sys.argv = ["lathe", *sys.argv[1:]]
cli._exit_code(None)
print("\\n" + str(time.process_time()), *sorted(name for name in sys.modules if "." not in name))
"""


@pytest.fixture
def lathe(monkeypatch, capsys):
    """Runs a command line in this process: (exit code, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["lathe", *map(str, arguments)])
        with pytest.raises(SystemExit, match=r"\d+") as ended:
            cli.run_command_line()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return run


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small output: an album of two tracks of which one is missing, and a track that stands alone."""
    folder = tmp_path_factory.mktemp("finished")
    manifest, rows = album(folder, 1, isrc="USABC1234567")
    write(folder / "single.flac", music(seconds=1, level_dbfs=-50))
    more = [{"uri": "gone.flac", "album_id": "A", "sequence": 9}, {"uri": "single.flac", "track_id": "single"}]
    write_manifest(manifest, [*rows, *more])
    command = [sys.executable, "-c", LATHE, "run", str(manifest), str(folder / "out"), "--json", *ONE_WORKER]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    return folder / "out", ran


# lathe --help


@pytest.fixture(scope="module")
def helped():
    """CPU time of `lathe --help` (the best of three) and the modules that it loaded."""
    found = []
    for _ in range(3):
        command = [sys.executable, "-c", HELP_AND_WHAT_IT_COST, "--help"]
        ran = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True)
        cpu_s, *modules = ran.stdout.splitlines()[-1].split()
        found.append((float(cpu_s), set(modules)))
    return min(found, key=lambda one: one[0])


def test_help_answers_at_once(helped):
    assert helped[0] < HELP_CPU_S


def test_help_loads_nothing_heavy(helped):
    assert ("click" in helped[1], helped[1] & HEAVY) == (True, set())


@pytest.mark.parametrize("command", ["run", "master", "measure", "profiles", "targets", "explain"])
def test_every_command_is_listed_and_explains_itself(lathe, command):
    assert command in lathe("--help")[1]
    assert lathe(command, "--help")[:1] == (0,)


def test_the_version_is_told(lathe):
    code, out, _ = lathe("--version")
    assert (code, out.startswith("lathe, version ")) == (0, True)


# Exit codes


def test_a_run_without_a_rejected_track_ends_with_0(lathe, tmp_path):
    manifest, _ = album(tmp_path, 1)
    assert lathe("run", manifest, tmp_path / "out", *ONE_WORKER)[0] == 0


def test_a_run_with_a_rejected_track_ends_with_1(finished):
    assert finished[1].returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",), ("run", "m.csv"), ("walk",), ("run", "m.csv", "out", "--limit", "0"), ("run", "m.csv", "out", "--speed"),
        ("measure",), ("master", "a.wav"), ("explain",), ("run", "m.csv", "out", "--limit", "few"), ("profiles", "show"),
        ("targets", "show"), ("measure", "a.wav", "--loudness-only", "--target", "cd"),
    ],
)  # fmt: skip
def test_wrong_usage_ends_with_2_and_a_word_of_help(lathe, arguments):
    code, out, err = lathe(*arguments)
    assert (code, out, "Usage:" in err) == (2, "", True)


def test_a_crash_ends_with_3_and_is_told_in_words(lathe, tmp_path, monkeypatch):
    def crash(*_):
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr("pipeline.run.summary_of", crash)
    manifest, _ = album(tmp_path, 1)
    code, out, err = lathe("run", manifest, tmp_path / "out", *ONE_WORKER)
    assert (code, out, "Lathe stopped: ZeroDivisionError: unforeseen" in err) == (3, "", True)


def test_a_run_that_is_interrupted_ends_with_130_and_says_what_stands(lathe, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.run.summary_of", interrupt)
    manifest, _ = album(tmp_path, 1)
    code, out, err = lathe("run", manifest, tmp_path / "out", *ONE_WORKER)
    assert (code, out, "finished masters stand" in err) == (130, "", True)


def test_an_unknown_beam_option_is_no_crash_of_lathe(lathe, tmp_path):
    manifest, _ = album(tmp_path, 1)
    assert lathe("run", manifest, tmp_path / "out", "--", "--direct_num_workers=many")[0] == 2


# What was wrong with what was given


BROKEN = {
    "track_id,uri\nx,a.wav\nx,b.wav\n": ["row 3, column track_id", '"x"', "row 2"],
    "uri,isrc\na.wav,QQ\n": ["row 2, column isrc", '"QQ"', "is not an ISRC"],
    "uri,title\n../../../etc/passwd,x\n": ["row 2, column uri", "lies outside the allowed folders", "--root"],
    "uri\n/etc/passwd\n": ["row 2, column uri", "lies outside"],
    'uri,title\na.wav,"open\n': ["line 2", "never closed"],
    "uri,title\na.wav,b,c,d\n": ["line 2", "has 4 fields, the header has 2"],
    "title\nx\n": ["column uri is missing"],
    "uri,year\na.wav,12\n": ["row 2, column year", '"12"', "1860 to 2100"],
    "": ["has no rows"],
    "uri\n": ["has no rows"],
    "uri,artits\na.wav,x\n": ["column artits", "did you mean artist?"],
}


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_wrong_with_a_manifest_is_told_with_place_and_value(lathe, tmp_path, text):
    (tmp_path / "m.csv").write_text(text)
    code, out, err = lathe("run", tmp_path / "m.csv", tmp_path / "out")
    assert (code, out, [word for word in BROKEN[text] if word not in err]) == (2, "", [])


def test_all_errors_of_a_manifest_are_told_at_once(lathe, tmp_path):
    (tmp_path / "m.csv").write_text("uri,isrc,year,sha256\na.wav,QQ,12,zz\nb.wav,WW,,\n,,,\n../c.wav,,,\n")
    code, _, err = lathe("run", tmp_path / "m.csv", tmp_path / "out")
    places = [
        "row 2, column isrc",
        "row 2, column year",
        "row 2, column sha256",
        "row 3, column isrc",
        "row 5, column uri",
    ]
    assert (code, [place for place in places if place not in err]) == (2, [])


def test_a_refused_manifest_leaves_no_trace(lathe, tmp_path):
    (tmp_path / "m.csv").write_text("uri,isrc\na.wav,QQ\n")
    assert (lathe("run", tmp_path / "m.csv", tmp_path / "out")[0], (tmp_path / "out").exists()) == (2, False)


def test_a_byte_order_mark_does_no_harm(lathe, tmp_path):
    manifest, _ = album(tmp_path, 1)
    manifest.write_bytes(b"\xef\xbb\xbf" + manifest.read_bytes())
    assert lathe("run", manifest, tmp_path / "out", "--dry-run")[0] == 0


def test_a_manifest_that_is_not_there_is_guessed(lathe, tmp_path):
    album(tmp_path, 1)
    code, _, err = lathe("run", tmp_path / "manifets.csv", tmp_path / "out")
    assert (code, "did you mean" in err and "manifest.csv" in err) == (2, True)


@pytest.mark.parametrize("place", ["file", "file/below", "file/deep/below"])
def test_an_output_that_cannot_be_a_folder_is_refused_with_a_sentence(lathe, tmp_path, place):
    manifest, _ = album(tmp_path, 1)
    (tmp_path / "file").write_text("here first")
    code, _, err = lathe("run", manifest, tmp_path / place)
    assert (code, "cannot write into" in err, "Traceback" in err) == (2, True, False)


@pytest.mark.parametrize("command", [("run", "manifest.csv", "out"), ("master", "0.flac", "b.flac")])
def test_an_unknown_profile_is_guessed(lathe, tmp_path, monkeypatch, command):
    album(tmp_path, 1)
    monkeypatch.chdir(tmp_path)
    code, _, err = lathe(*command, "--profile", "straeming")
    assert (code, 'did you mean "streaming"?' in err) == (2, True)


def test_a_profile_that_nothing_resembles_is_answered_in_whole_sentences(lathe, tmp_path):
    manifest, _ = album(tmp_path, 1)
    _, _, err = lathe("run", manifest, tmp_path / "out", "--profile", "qqqq")
    assert "vinyl. A file must end in .toml." in err


def test_a_profile_with_errors_is_told_by_its_lines(lathe, tmp_path):
    manifest, _ = album(tmp_path, 1)
    (tmp_path / "p.toml").write_text(
        'name = "p"\ndescription = ""\nbased_on = "streaming"\n[loudness]\ntarget_luf = -14.0\n'
    )
    code, _, err = lathe("run", manifest, tmp_path / "out", "--profile", tmp_path / "p.toml")
    assert (code, "line 5" in err, "target_lufs" in err) == (2, True, True)


def test_a_pattern_that_fits_nothing_is_refused(lathe, tmp_path):
    manifest, _ = album(tmp_path, 1)
    code, _, err = lathe("run", manifest, tmp_path / "out", "--only", "Nothing*")
    assert (code, "Nothing*" in err, (tmp_path / "out").exists()) == (2, True, False)


# Data on stdout, words on stderr


def test_json_is_one_object_with_the_promised_keys(finished):
    found = json.loads(finished[1].stdout)
    assert (set(found) >= SUMMARY_KEYS, finished[1].stdout.count("\n")) == (True, 1)
    assert (found["mastered"], found["skipped"], found["rejected"], found["output"]) == (2, 0, 1, str(finished[0]))


def test_the_summary_counts_in_words(finished):
    words = finished[1].stderr
    wanted = [
        "2 mastered, 0 skipped, 1 rejected",
        "SOURCE_MISSING",
        "TARGET_LIMITED",
        "h of audio",
        "realtime per core",
    ]
    assert [text for text in wanted if text not in words] == []


def test_a_run_without_json_leaves_stdout_empty(lathe, tmp_path):
    manifest, _ = album(tmp_path, 1)
    _, out, err = lathe("run", manifest, tmp_path / "out", *ONE_WORKER)
    assert (out, "1 mastered, 0 skipped, 0 rejected" in err) == ("", True)


def test_a_run_that_is_no_terminal_gets_no_bar(finished):
    assert ("\x1b" in finished[1].stderr, "\r" in finished[1].stderr) == (False, False)


def test_no_noise_of_libraries_reaches_the_user(finished):
    noise_of = [line for line in finished[1].stderr.splitlines() if "WARNING" in line or "Warning" in line]
    assert noise_of == []


# A dry run, and a part of a catalogue


def test_a_dry_run_writes_nothing_and_tells_what_is_missing(lathe, tmp_path):
    manifest, rows = album(tmp_path, 2)
    write_manifest(manifest, [*rows, {"uri": "gone.flac"}])
    before = sorted(tmp_path.rglob("*"))
    code, out, err = lathe("run", manifest, tmp_path / "out", "--dry-run")
    assert (code, out, sorted(tmp_path.rglob("*"))) == (0, "", before)
    assert "3 tracks of 2 albums" in err and "gone.flac" in err


def test_a_dry_run_answers_in_json(lathe, tmp_path):
    manifest, _ = album(tmp_path, 3)
    code, out, _ = lathe("run", manifest, tmp_path / "out", "--dry-run", "--json", "--only", "Song 1")
    found = json.loads(out)
    assert (code, found["tracks"], found["measured_only"], found["deliveries"]) == (0, 1, 2, ["cd", "flac24"])


def test_only_and_limit_keep_the_gain_of_the_whole_album(lathe, tmp_path):
    manifest, _ = album(tmp_path, 3)
    lathe("run", manifest, tmp_path / "whole", *ONE_WORKER)
    lathe("run", manifest, tmp_path / "part", "--only", "Song [12]", "--limit", "1", *ONE_WORKER)
    whole, part = (by("title", table(tmp_path / name, "tracks")) for name in ("whole", "part"))
    assert (list(part), part["Song 1"]["gain_db"]) == (["Song 1"], whole["Song 1"]["gain_db"])


def test_force_makes_again_what_stands(lathe, tmp_path):
    manifest, _ = album(tmp_path, 1)
    lathe("run", manifest, tmp_path / "out", *ONE_WORKER)
    _, out, _ = lathe("run", manifest, tmp_path / "out", "--force", "--json", *ONE_WORKER)
    assert (json.loads(out)["mastered"], json.loads(out)["skipped"]) == (1, 0)


# lathe profiles


def test_profiles_are_listed_with_what_they_are_for(lathe):
    code, out, _ = lathe("profiles")
    assert (code, [line.split()[0] for line in out.splitlines()]) == (
        0, ["audiobook", "broadcast-r128", "cd", "club", "dynamic", "loud", "podcast", "streaming", "vinyl"],
    )  # fmt: skip


def test_a_profile_is_shown_with_where_its_values_come_from(lathe):
    code, out, _ = lathe("profiles", "show", "streaming")
    assert (code, "target_lufs = -14.0      # Spotify" in out) == (0, True)


def test_a_profile_is_shown_after_what_it_is_based_on(lathe):
    _, out, _ = lathe("profiles", "show", "cd")
    assert 0 <= out.index("---- streaming.toml") < out.index("---- cd.toml")


def test_an_unknown_profile_is_not_shown(lathe):
    code, out, err = lathe("profiles", "show", "lout")
    assert (code, out, 'did you mean "loud"?' in err) == (2, "", True)


# lathe targets


def test_targets_are_listed_with_their_dates(lathe):
    code, out, _ = lathe("targets")
    assert (code, [line.split()[0] for line in out.splitlines()]) == (0, targets())
    assert all(load_target(line.split()[0]).date == line.split()[1] for line in out.splitlines())


def test_a_target_is_shown_as_it_is_written(lathe):
    code, out, _ = lathe("targets", "show", "vinyl")
    assert (code, "18 to 20 minutes" in out, 'measure = "bass_correlation"' in out) == (0, True, True)


def test_an_unknown_target_is_not_shown(lathe):
    code, out, err = lathe("targets", "show", "spotfy")
    assert (code, out, 'did you mean "spotify"?' in err) == (2, "", True)


def test_a_profile_with_an_unknown_target_is_refused_before_anything_is_rendered(lathe, tmp_path):
    manifest, _ = album(tmp_path, 1)
    text = 'based_on = "streaming"\n[[delivery]]\nname = "a"\ncontainer = "wav"\nbits = 16\ntargets = ["qq"]\n'
    (tmp_path / "p.toml").write_text(text)
    code, _, err = lathe("run", manifest, tmp_path / "out", "--profile", tmp_path / "p.toml")
    assert (code, 'no target "qq"' in err, (tmp_path / "out").exists()) == (2, True, False)


# lathe explain


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained_with_all_there_is_to_say(lathe, code):
    _, out, _ = lathe("explain", code)
    words = CODES[code]
    wanted = [words.severity, words.title, words.meaning, words.measured, words.mend, words.ignore]
    assert [text for text in wanted if text not in out] == []


def test_a_track_is_explained_with_the_targets_that_its_masters_were_held_against(lathe, finished):
    _, out, _ = lathe("explain", "Song 0", "--output", finished[0])
    assert "Held against" in out
    assert re.search(r"flac24 +spotify \(\d{4}-\d\d\) passed\n", out)
    assert re.search(r"cd +cd \(\d{4}-\d\d\) passed: length 1\.0 s, rule: at least 4 s", out)


@pytest.mark.parametrize("subject", ["TARGET_LIMITED", "target_limited", "target-limited"])
def test_a_code_is_explained(lathe, subject):
    code, out, _ = lathe("explain", subject)
    words = ["What it means", "How it was seen", "What to do", "When to leave it"]
    assert (code, out.startswith("TARGET_LIMITED (warn)"), [word for word in words if word not in out]) == (0, True, [])


def test_a_code_that_was_misspelt_is_guessed(lathe):
    code, out, err = lathe("explain", "TARGET_LIMITTED")
    assert (code, out, "did you mean TARGET_LIMITED?" in err) == (2, "", True)


def test_what_is_no_code_is_answered_in_whole_sentences(lathe):
    assert '"qqqq" is no code. To explain a track, add --output OUTPUT.' in lathe("explain", "qqqq")[2]


@pytest.mark.parametrize("subject", ["USABC1234567", "Song 0"])
def test_a_track_is_explained_by_any_of_its_names(lathe, finished, subject):
    code, out, _ = lathe("explain", subject, "--output", finished[0])
    words = ["mastered, listen", "Decided", "gain:", "tone:", "Measured", "source", "flac24", "cd"]
    assert (code, [word for word in words if word not in out]) == (0, [])


def test_a_track_with_findings_is_explained_with_them(lathe, finished):
    _, out, _ = lathe("explain", "single", "--output", finished[0])
    assert "warn TARGET_LIMITED: the target of -14 LUFS was given up" in out


def test_a_rejected_track_is_explained_with_its_row_and_code(lathe, finished):
    code, out, _ = lathe("explain", "A/1/9", "--output", finished[0])
    assert (code, "row 3 of the manifest" in out, "SOURCE_MISSING (rejected)" in out) == (0, True, True)


def test_a_track_that_was_misspelt_is_guessed(lathe, finished):
    code, _, err = lathe("explain", "singel", "--output", finished[0])
    assert (code, 'did you mean "single"?' in err) == (2, True)


def test_an_output_without_a_run_explains_nothing(lathe, tmp_path):
    code, _, err = lathe("explain", "x", "--output", tmp_path)
    assert (code, "there is no finished run below" in err) == (2, True)


# lathe master


@pytest.mark.parametrize(("name", "subtype"), [("b.flac", "PCM_24"), ("b.wav", "PCM_16"), ("b.FLAC", "PCM_24")])
def test_one_file_is_mastered_without_a_manifest(lathe, tmp_path, name, subtype):
    source = write(tmp_path / "a.flac", music(seconds=2))
    code, out, err = lathe("master", source, tmp_path / name)
    assert (code, out, soundfile.info(tmp_path / name).subtype) == (0, "", subtype)
    assert "LUFS" in err


def test_one_file_reaches_the_target_of_its_profile(lathe, tmp_path):
    source = write(tmp_path / "a.flac", music(seconds=4))
    _, out, _ = lathe("master", source, tmp_path / "b.flac", "--profile", "dynamic", "--json")
    (found,) = json.loads(out)["masters"]
    assert (found["target_lufs"], found["integrated_lufs"]) == (-18.0, pytest.approx(-18.0, abs=0.1))


def test_one_file_that_is_mastered_twice_gives_the_same_bytes(lathe, tmp_path):
    source = write(tmp_path / "a.flac", music(seconds=2))
    found = [lathe("master", source, tmp_path / f"{name}.flac", "--json")[1] for name in ("b", "c")]
    first, second = ({**json.loads(out)["masters"][0], "uri": ""} for out in found)
    assert first == second


def test_mastering_one_file_leaves_nothing_else_behind(lathe, tmp_path):
    source = write(tmp_path / "in/a.flac", music(seconds=1))
    (tmp_path / "out").mkdir()
    lathe("master", source, tmp_path / "out/b.flac")
    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["b.flac"]


@pytest.mark.parametrize(
    ("destination", "message"),
    [
        ("a.flac", "is the source itself; give another name"),
        ("./x/../a.flac", "is the source itself; give another name"),
        ("b.mp3", "must end in .flac or .wav"),
        ("b", "must end in .flac or .wav"),
        ("nowhere/b.flac", "there is no folder"),
    ],
)
def test_a_destination_that_cannot_be_is_refused(lathe, tmp_path, monkeypatch, destination, message):
    (tmp_path / "x").mkdir()
    write(tmp_path / "a.flac", noise())
    monkeypatch.chdir(tmp_path)
    before = digests(tmp_path, ".")
    code, out, err = lathe("master", "a.flac", destination)
    assert (code, out, message in err, digests(tmp_path, ".")) == (2, "", True, before)


def test_a_destination_that_is_a_link_to_the_source_is_refused(lathe, tmp_path):
    source = write(tmp_path / "a.flac", noise())
    (tmp_path / "b.flac").symlink_to(source)
    assert lathe("master", source, tmp_path / "b.flac")[0] == 2


@pytest.mark.parametrize(
    ("audio", "code"),
    [(noise(seconds=0.2), "SOURCE_TOO_SHORT"), (noise() * 0, "SOURCE_SILENT"), (None, "SOURCE_MISSING")],
)
def test_a_source_that_cannot_be_mastered_is_told_by_its_code(lathe, tmp_path, audio, code):
    if audio is not None:
        write(tmp_path / "a.wav", audio)
    status, out, err = lathe("master", tmp_path / "a.wav", tmp_path / "b.flac")
    assert (status, out, code in err, (tmp_path / "b.flac").exists()) == (1, "", True, False)


# Style, intensity, references, target


def test_one_file_is_mastered_as_was_chosen(lathe, tmp_path):
    source = write(tmp_path / "a.flac", music(seconds=4, level_dbfs=-24))
    reference = write(tmp_path / "r.flac", noise(seconds=12, level_dbfs=-20))
    chosen = ("--style", "warm", "--intensity", "low", "--reference", reference, "--target-lufs", "-17")
    code, out, _ = lathe("master", source, tmp_path / "b.flac", *chosen, "--json")
    row = json.loads(out)
    plan = json.loads(row["plan"])
    assert (code, plan["style"], plan["intensity"]) == (0, "warm", "low")
    assert row["masters"][0]["integrated_lufs"] == pytest.approx(-17.0, abs=0.1)
    assert any("1 reference recording" in decision["why"] for decision in plan["decisions"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("--style", "wram"), 'did you mean "warm"?'),
        (("--intensity", "full"), "'full' is not one of"),
        (("--reference", "nowhere.flac"), "nowhere.flac is not there"),
        (("--reference-amount", "2"), "2.0 is not in the range"),
        (("--target-lufs", "3"), "3.0 is not in the range"),
    ],
)
@pytest.mark.parametrize("command", [("run", "manifest.csv", "out"), ("master", "0.flac", "b.flac")])
def test_a_wrong_choice_is_refused_before_anything_is_made(lathe, tmp_path, monkeypatch, command, wrong, message):
    album(tmp_path, 1)
    monkeypatch.chdir(tmp_path)
    code, out, err = lathe(*command, *wrong)
    assert (code, out, message in err) == (2, "", True)
    assert not (tmp_path / "b.flac").exists()


def test_styles_are_listed_and_shown_with_their_reasons(lathe):
    code, out, _ = lathe("styles")
    assert (code, [line.split()[0] for line in out.splitlines()]) == (
        0, ["balanced", "open", "punchy", "speech", "transparent", "warm"],
    )  # fmt: skip
    code, out, _ = lathe("styles", "show", "warm")
    assert (code, "our choice" in out) == (0, True)
