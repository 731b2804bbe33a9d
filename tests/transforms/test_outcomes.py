"""Whatever fails in a track becomes a row with a stable code; only the words of the system differ."""

from __future__ import annotations

import errno
import os
import time

import pytest
from msgspec import structs

from schemas.codes import CODES
from schemas.errors import TrackError
from schemas.steps import Rejected, Spent
from tests.transforms.members import JOB, analysed, track
from transforms.outcomes import attempt, attempt_album


def failed(error, row=None):
    def work():
        raise error

    return attempt("master", work, row or track(), JOB)


def system_error(number, path):
    return OSError(number, os.strerror(number), path)


def test_what_succeeds_is_handed_on():
    assert structs.replace(attempt("analyse", analysed, track(), JOB), spent=()) == analysed()


def test_a_track_error_keeps_its_words():
    found = failed(TrackError("SOURCE_SILENT", "no music", "look again"))
    assert (found.code, found.text, found.hint, found.stage) == ("SOURCE_SILENT", "no music", "look again", "master")


def test_a_rejected_track_keeps_its_names():
    found = failed(TrackError("SOURCE_SILENT", "no music"), track(7, "X", selected=False))
    assert structs.replace(found, spent=()) == Rejected(
        track_id="X/7", album_id="X", source_uri="/nowhere/7.wav", row=8, stage="master", code="SOURCE_SILENT",
        text="no music", selected=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("number", "path", "code"),
    [
        (errno.ENOSPC, None, "OUTPUT_NOT_WRITABLE"),
        (errno.EDQUOT, "/elsewhere/a", "OUTPUT_NOT_WRITABLE"),
        (errno.EROFS, None, "OUTPUT_NOT_WRITABLE"),
        (errno.EACCES, "/nowhere/masters/a", "OUTPUT_NOT_WRITABLE"),
        (errno.EACCES, "/sources/a.wav", "SOURCE_UNREADABLE"),
        (errno.EIO, "/sources/a.wav", "SOURCE_UNREADABLE"),
        (errno.ENOENT, "/sources/a.wav", "SOURCE_MISSING"),
    ],
)
def test_what_the_system_refuses_is_told_from_a_bad_source(number, path, code):
    assert failed(system_error(number, path)).code == code


def test_a_source_beside_an_output_of_a_similar_name_is_not_the_output():
    assert failed(system_error(errno.EACCES, "/nowhere2/a.wav")).code == "SOURCE_UNREADABLE"


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), MemoryError(), KeyError("k"), OverflowError("o")])
def test_the_unforeseen_is_a_row_too(error):
    found = failed(error)
    assert (found.code, type(error).__name__ in found.text, bool(found.hint)) == ("INTERNAL_ERROR", True, True)


@pytest.mark.parametrize("error", [KeyboardInterrupt("stop"), SystemExit("stop")])
def test_whoever_stops_the_run_is_obeyed(error):
    with pytest.raises(type(error), match="stop"):
        failed(error)


@pytest.mark.parametrize("error", [OSError(errno.EIO, "x"), FileNotFoundError(), ValueError("x"), PermissionError()])
def test_every_code_that_can_come_out_is_explained(error):
    assert failed(error).code in CODES


BEFORE = (Spent(stage="analyse", cpu_s=1.0, wall_s=2.0, bytes_read=3),)


def busy(member):
    """Work that takes 50 ms of the processor, and 50 ms of waiting for a disk."""

    def work():
        end_s = time.thread_time() + 0.05
        while time.thread_time() < end_s:
            pass
        time.sleep(0.05)
        return member

    return work


def test_what_a_step_took_is_told_after_what_the_steps_before_it_took():
    *before, spent = attempt("master", busy(analysed()), track(), JOB, BEFORE).spent
    assert (tuple(before), spent.stage, spent.remembered) == (BEFORE, "master", False)
    assert 0.05 <= spent.cpu_s < 0.09 and 0.1 <= spent.wall_s < 1.0


def test_what_a_step_knows_of_itself_is_kept():
    told = structs.replace(analysed(), spent=(Spent(stage="analyse", remembered=True, bytes_read=7),))
    (spent,) = attempt("analyse", lambda: told, track(), JOB).spent
    assert (spent.remembered, spent.bytes_read, spent.wall_s > 0.0) == (True, 7, True)


def test_a_step_that_fails_took_its_time_too():
    def work():
        busy(None)()
        raise TrackError("SOURCE_SILENT", "no music")

    spent = attempt("rehearse", work, track(), JOB, BEFORE).spent
    assert ([one.stage for one in spent], spent[1].cpu_s >= 0.05) == (["analyse", "rehearse"], True)


@pytest.mark.parametrize("fails", [False, True])
def test_an_album_takes_along_what_its_tracks_took(fails):
    members = [structs.replace(analysed(number), spent=BEFORE * number) for number in (1, 2, 3)]

    def work():
        if fails:
            raise RuntimeError("x")
        return [structs.replace(member, spent=()) for member in reversed(members)]

    found = attempt_album("draft", work, members, JOB)
    assert sorted(len(member.spent) for member in found) == [1, 2, 3]
