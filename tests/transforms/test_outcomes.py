"""Whatever fails in a track becomes a row with a stable code; only the words of the system differ."""

from __future__ import annotations

import errno
import os

import pytest

from schemas.codes import CODES
from schemas.errors import TrackError
from schemas.steps import Rejected
from tests.transforms.members import JOB, analysed, track
from transforms.outcomes import attempt


def failed(error, row=None):
    def work():
        raise error

    return attempt("master", work, row or track(), JOB)


def system_error(number, path):
    return OSError(number, os.strerror(number), path)


def test_what_succeeds_is_handed_on():
    assert attempt("analyse", analysed, track(), JOB) == analysed()


def test_a_track_error_keeps_its_words():
    found = failed(TrackError("SOURCE_SILENT", "no music", "look again"))
    assert (found.code, found.text, found.hint, found.stage) == ("SOURCE_SILENT", "no music", "look again", "master")


def test_a_rejected_track_keeps_its_names():
    found = failed(TrackError("SOURCE_SILENT", "no music"), track(7, "X", selected=False))
    assert found == Rejected(
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
