"""Looks into a folder: a manifest is told when it has come to rest, once for each content, on a clock that never goes back."""

from __future__ import annotations

import os

from apache_beam.utils.timestamp import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from media.inbox import ask_again
from transforms.inbox import _Look, later


def looking(output="nowhere"):
    look = _Look(str(output), "nowhere/stop", every_s=2.0)
    look.setup()
    return look


def names(look, folder):
    return [uri.rsplit("/", 1)[-1] for uri, _ in look.rested(str(folder))]


def test_a_manifest_is_told_at_the_second_look_that_finds_it_the_same_and_only_once(tmp_path):
    look = looking()
    (tmp_path / "a.csv").write_text("uri\na.wav\n")
    assert [[], ["a.csv"], []] == [names(look, tmp_path) for _ in range(3)]


def test_a_manifest_that_is_still_being_written_waits(tmp_path):
    look, path = looking(), tmp_path / "a.csv"
    told = []
    for text in ("uri\n", "uri\na.wav\n", "uri\na.wav\nb.wav\n", None):
        if text:
            path.write_text(text)
        told.append(names(look, tmp_path))
    assert [[], [], [], ["a.csv"]] == told


def test_a_new_content_is_told_again_and_so_is_one_that_comes_back(tmp_path):
    look, path = looking(), tmp_path / "a.csv"
    told = []
    for change in (
        lambda: path.write_text("1"),
        lambda: path.write_text("2"),
        path.unlink,
        lambda: path.write_text("2"),
    ):
        change()
        told += names(look, tmp_path) + names(look, tmp_path)
    assert ["a.csv"] * 3 == told


def test_a_folder_that_is_gone_for_a_while_ends_nothing(tmp_path):
    look, folder = looking(), tmp_path / "in"
    told = names(look, folder)
    folder.mkdir()
    (folder / "a.csv").write_text("uri\na.wav\n")
    told += names(look, folder) + names(look, folder)
    assert ["a.csv"] == told


def test_a_manifest_that_is_asked_for_again_is_told_with_the_run_that_did_not_do_it_whole(tmp_path):
    look, folder = looking(tmp_path / "out"), tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").write_text("uri\na.wav\n")
    ((_, first),) = look.rested(str(folder)) + look.rested(str(folder))
    ask_again(str(tmp_path / "out"), str(folder / "a.csv"), "run-1")
    ((_, second),) = look.rested(str(folder)) + look.rested(str(folder)) + look.rested(str(folder))
    assert f"{first}:run-1" == second


def test_the_same_content_written_again_is_told_again(tmp_path):
    look, path = looking(), tmp_path / "a.csv"
    path.write_text("uri\n")
    assert ["a.csv"] == names(look, tmp_path) + names(look, tmp_path)
    os.utime(path, (5, 5))
    assert ["a.csv"] == names(look, tmp_path) + names(look, tmp_path)


def test_manifests_are_told_in_the_order_in_which_they_were_written(tmp_path):
    look = looking()
    for name, at_s in (("a.csv", 3), ("b.csv", 1), ("c.csv", 2)):
        (tmp_path / name).write_text("uri\n")
        os.utime(tmp_path / name, (at_s, at_s))
    assert ["b.csv", "c.csv", "a.csv"] == names(look, tmp_path) + names(look, tmp_path)


def test_hidden_files_and_those_of_other_kinds_are_left_alone(tmp_path):
    look = looking()
    for name in (".a.csv", "a.txt", "b.jsonl"):
        (tmp_path / name).write_text("x")
    assert ["b.jsonl"] == names(look, tmp_path) + names(look, tmp_path)


@given(st.lists(st.integers(0, 10**6), min_size=2))
def test_the_clock_of_events_never_goes_back_whatever_that_of_the_machine_does(seconds):
    seen = [later(Timestamp(seconds[0]), None)]
    for now in seconds[1:]:
        seen.append(later(Timestamp(now), seen[-1]))
    assert sorted(seen) == seen and max(seconds) == seen[-1]
