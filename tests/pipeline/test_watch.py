"""What arrives in a watched folder is mastered once: when it is complete, whatever lies beside it, and after a stop too."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipeline import run
from pipeline.metrics_file import MetricsFile
from pipeline.run import Request, Summary
from pipeline.watch import Trouble, Watch
from schemas.errors import CatalogueError
from tests.pipeline.runs import album, ask, digests, environment, master

Step = Callable[[], object]


def watched(
    folder: Path,
    output: Path,
    steps: Sequence[Step] = (),
    looks: int = 3,
    *,
    metrics: MetricsFile | None = None,
    **asked: object,
) -> list[Summary | Trouble]:
    """What a watch yields that looks so often, with a step after each of the first looks."""
    todo, left = list(steps), [max(looks, len(steps) + 2)]

    def waited(seconds: float) -> bool:
        if todo:
            todo.pop(0)()
        left[0] -= 1
        return left[0] == 0

    request = Request(manifest="", output=str(output), beam_options=("--direct_num_workers=1",), **asked)  # type: ignore[arg-type]
    return list(Watch(str(folder), request, lambda done, total: None, metrics).run(waited))


def counts(outcomes: list[Summary | Trouble]) -> list[tuple[int, int]]:
    return [(one.mastered, one.skipped) for one in outcomes if isinstance(one, Summary)]


@pytest.fixture
def folder(tmp_path):
    album(tmp_path / "in")
    return tmp_path / "in"


def test_a_manifest_is_mastered_once_with_the_bytes_of_a_run(folder, tmp_path):
    assert counts(watched(folder, tmp_path / "out", looks=5)) == [(2, 0)]
    master(folder / "manifest.csv", tmp_path / "run")
    assert digests(tmp_path / "out") == digests(tmp_path / "run") != {}


def test_a_watch_that_was_stopped_goes_on_where_it_was(folder, tmp_path):
    watched(folder, tmp_path / "out")
    later = folder / "later.csv"
    outcomes = watched(folder, tmp_path / "out", [lambda: shutil.copy(folder / "manifest.csv", later)])
    assert counts(outcomes) == [(0, 2)]


def test_a_watch_that_begins_anew_does_what_reviewers_ask_once(folder, tmp_path):
    watched(folder, tmp_path / "out")
    ask(tmp_path / "out", A={"loudness_steps": -1})
    assert [[(2, 0)], []] == [counts(watched(folder, tmp_path / "out")) for _ in range(2)]


def test_a_manifest_that_grows_is_left_until_it_rests(folder, tmp_path):
    whole = (folder / "manifest.csv").read_text()
    lines = whole.splitlines(keepends=True)
    (folder / "manifest.csv").write_text(lines[0])
    steps = [
        lambda: (folder / "manifest.csv").write_text("".join(lines[:2])),
        lambda: (folder / "manifest.csv").write_text(whole),
    ]
    assert counts(watched(folder, tmp_path / "out", steps)) == [(2, 0)]


def test_a_source_that_comes_after_its_manifest_is_mastered_when_it_is_there(folder, tmp_path):
    (folder / "1.flac").rename(tmp_path / "1.flac")
    steps = [lambda: None, lambda: (tmp_path / "1.flac").rename(folder / "1.flac")]
    first, second = watched(folder, tmp_path / "out", steps, looks=6)
    assert isinstance(first, Summary) and (first.mastered, first.rejected) == (1, 1)
    assert isinstance(second, Summary) and second.mastered + second.skipped == 2


def test_a_manifest_that_is_replaced_while_it_is_read_is_not_taken_for_done(folder, tmp_path, monkeypatch):
    whole = (folder / "manifest.csv").read_text()

    def replaced(selection, job, beam_options, tracks, tick):
        (folder / "manifest.csv").write_text(whole.replace("Song 0", "Another"))
        monkeypatch.undo()
        return run._run_graph(selection, job, beam_options, tracks, tick)

    monkeypatch.setattr(run, "_run_graph", replaced)
    trouble, *others = watched(folder, tmp_path / "out", looks=6)
    assert isinstance(trouble, Trouble) and trouble.code == "MANIFEST_CHANGED"
    assert counts(others) == [(2, 0)]
    assert not list((tmp_path / "out").glob(".parts/*"))


def test_another_request_takes_the_manifest_again(folder, tmp_path):
    watched(folder, tmp_path / "out", only="*0.flac")
    assert counts(watched(folder, tmp_path / "out")) == [(1, 1)]


def test_a_profile_that_is_edited_during_a_batch_is_for_the_next(folder, tmp_path, monkeypatch):
    profile, text = tmp_path / "own.toml", 'based_on = "streaming"\nname = "own"\n[loudness]\ntarget_lufs = {}\n'
    profile.write_text(text.format(-14.0))
    run_graph = run._run_graph

    def edited(*graph):
        profile.write_text(text.format(-18.0))
        return run_graph(*graph)

    monkeypatch.setattr(run, "_run_graph", edited)
    assert counts(watched(folder, tmp_path / "out", profile=str(profile))) == [(2, 0)]
    assert counts(watched(folder, tmp_path / "out", profile=str(profile))) == [(2, 0)]


def test_a_name_that_is_no_text_and_a_folder_that_goes_away_stop_nothing(folder, tmp_path):
    shutil.copy(folder / "manifest.csv", os.fsencode(folder) + b"/m\xff.csv")
    assert counts(watched(folder, tmp_path / "out", [lambda: None, lambda: folder.rename(tmp_path / "away")])) == [
        (2, 0)
    ]


def test_hidden_files_and_what_lies_deeper_are_no_arrivals(folder, tmp_path):
    (folder / "manifest.csv").rename(folder / ".manifest.csv")
    (folder / "deeper").mkdir()
    shutil.copy(folder / ".manifest.csv", folder / "deeper" / "manifest.csv")
    assert watched(folder, tmp_path / "out") == []


def test_a_wrong_manifest_is_told_once_and_mastered_when_it_is_mended(folder, tmp_path):
    whole = (folder / "manifest.csv").read_text()
    (folder / "manifest.csv").write_text(whole.replace("0.flac", "../0.flac"))
    wrong, *others = watched(folder, tmp_path / "out", looks=5)
    assert isinstance(wrong, Trouble) and (wrong.code, others) == ("MANIFEST_INVALID", [])
    assert "row" in wrong.problems[0]
    (folder / "manifest.csv").write_text(whole)
    assert counts(watched(folder, tmp_path / "out")) == [(2, 0)]


def test_a_profile_that_breaks_ends_the_watch_and_blames_no_manifest(folder, tmp_path):
    with pytest.raises(CatalogueError):
        watched(folder, tmp_path / "out", profile=str(tmp_path / "gone.toml"))
    assert counts(watched(folder, tmp_path / "out")) == [(2, 0)]


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CatalogueError, match="no folder"):
        watched(tmp_path / "nowhere", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_watches_until_ctrl_c(folder, tmp_path):
    command = [str(Path(sys.executable).with_name("lathe")), "watch", str(folder), str(tmp_path / "out"), "--json"]
    command += ["--", "--direct_num_workers=1"]
    without_prism = environment(PATH="/usr/bin:/bin")
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=without_prism)
    assert watching.stdout is not None
    summary = json.loads(watching.stdout.readline())  # comes as soon as the batch is done
    watching.send_signal(signal.SIGINT)
    _, said = watching.communicate(timeout=30)
    assert (summary["mastered"], watching.returncode) == (2, 130)
    assert "a batch of its own" in said and "Traceback" not in said
