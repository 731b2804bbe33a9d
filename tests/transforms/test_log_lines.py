"""A log line is one JSON object with the ids of its track, whatever a title holds; without JSON, tracks are not logged."""

from __future__ import annotations

import json
import logging
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import TrackError
from schemas.steps import Speech
from tests.transforms.members import JOB, analysed, rejected, track
from transforms.albums import _draft
from transforms.log_lines import LATHE, LONGEST_BYTES, TRACKS, JsonLine, about, is_news, json_line, speak
from transforms.outcomes import attempt

HOSTILE = 'a\nb\r"c"\\\x1b[31m\x00\u2028{"severity": "ERROR"} é🎹'
FIELDS = {"run_id": "r", "track_id": "A/1", "album_id": "A", "stage": "analyse", "code": "SOURCE_SILENT"}


@pytest.fixture(autouse=True)
def as_before():
    root, lathe = logging.getLogger(), (LATHE.handlers, LATHE.propagate, LATHE.level, TRACKS.level)
    handlers = {one: (one.formatter, list(one.filters)) for one in root.handlers}
    yield
    LATHE.handlers, LATHE.propagate = lathe[0], lathe[1]
    LATHE.setLevel(lathe[2])
    TRACKS.setLevel(lathe[3])
    root.handlers = list(handlers)
    for one, (formatter, filters) in handlers.items():
        one.setFormatter(formatter)
        one.filters = filters
    logging.captureWarnings(False)


def refuse():
    raise TrackError("SOURCE_SILENT", HOSTILE, "Look.")


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def said(speech, capsys, row=None, work=refuse):
    job = type(JOB)(output=JOB.output, run_id="r", profiles=JOB.profiles, speech=speech)
    attempt("analyse", work, row or track(), job)
    return capsys


def test_a_rejected_track_is_one_warning_with_its_ids(capsys):
    (line,) = lines(said(Speech(as_json=True), capsys))
    assert FIELDS == {name: line[name] for name in FIELDS}
    assert (line["severity"], HOSTILE in line["message"], line["time"][-1]) == ("WARNING", True, "Z")


def test_at_debug_level_each_step_tells_when_it_begins_and_what_it_took(capsys):
    begins, took = lines(said(Speech(as_json=True, level="debug"), capsys, work=analysed))
    assert begins["message"] == "analyse begins" and took["seconds"] >= 0.0
    assert [FIELDS["track_id"]] * 2 == [begins["track_id"], took["track_id"]]


def test_words_stay_quiet_about_tracks_unless_they_are_asked_for(capsys):
    assert said(Speech(), capsys).readouterr().err == ""
    assert "track A/1 is rejected" in said(Speech(level="warning"), capsys).readouterr().err


def test_the_unforeseen_leaves_its_trace_with_the_ids_and_one_line_with_the_code(capsys, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    found = lines(said(Speech(as_json=True), capsys, work=lambda: 1 / 0))
    assert ["ERROR", "WARNING"] == [line["severity"] for line in found]
    assert "ZeroDivisionError" in found[0]["message"] and found[0]["track_id"] == "A/1"
    assert [None, "INTERNAL_ERROR"] == [line.get("code") for line in found]


def test_a_track_that_its_album_rejects_is_told_once_and_one_that_was_rejected_before_is_not_told_again(capsys):
    job = type(JOB)(output=JOB.output, run_id="r", profiles=JOB.profiles, speech=Speech(as_json=True))
    album = [analysed(), rejected(2)]
    waiting = [
        type(one)(**{**_fields(one), "track": track(1, track_total=5)}) if one is album[0] else one for one in album
    ]
    _draft(("A", waiting), job)
    assert [("A/1", "ALBUM_NOT_WHOLE")] == [(line["track_id"], line["code"]) for line in lines(capsys)]


def _fields(record):
    return {name: getattr(record, name) for name in record.__struct_fields__}


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(string.printable), max_size=3000))
def test_no_text_breaks_a_line_or_speaks_to_a_terminal(text):
    record = logging.LogRecord("lathe.tracks", logging.WARNING, "", 0, "%s", (text,), None)
    with about(run_id="r", track_id=text[:100]):
        line = JsonLine().format(record)
    assert set(line) <= set(string.printable) - set("\n\r\x0b\x0c\t") and len(line) < LONGEST_BYTES
    assert json.loads(line)["track_id"] == text[:100]


def test_a_long_message_keeps_its_beginning_and_its_end():
    found = json.loads(json_line("begins" + "é" * 5000 + "ends"))["message"]
    assert found.startswith("begins") and found.endswith("ends") and " [...] " in found


@pytest.mark.parametrize("form", ["Worker: %s", "%s"])
def test_what_a_worker_has_written_itself_is_not_said_again_by_the_driver(form):
    relayed = r'severity: WARN message: "{\"severity\": \"WARNING\", \"time\": ..."'
    assert not is_news(logging.LogRecord("root", logging.WARNING, "", 0, form, (relayed,), None))
    assert is_news(logging.LogRecord("root", logging.WARNING, "", 0, form, ('message: "no slots"',), None))


def test_to_speak_twice_is_to_speak_once(capsys):
    for _ in range(2):
        speak(Speech(as_json=True))
    assert len(LATHE.handlers) == 1
