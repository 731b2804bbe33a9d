"""A step of a track gives one member for each, whatever happens in it."""

from __future__ import annotations

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to
from msgspec import structs

from decisions.album import draft_album, settle_album
from schemas.errors import TrackError
from schemas.steps import Member
from schemas.track import Track
from tests.transforms.graphs import graph
from tests.transforms.members import JOB, analysed, mastered, rehearsed, rejected, track
from transforms.tracks import Analyse, Master, Rehearse

DRAFTS = draft_album([analysed(1), analysed(2)], JOB.profiles[""])
PLANNED = settle_album([rehearsed(one) for one in DRAFTS], JOB.profiles[""], "/nowhere/masters")


def assert_outcomes(transform, members, expected, hint=Member):
    """Runs a transform and compares (kind, code) of what comes out."""
    with graph() as pipeline:
        found = pipeline | beam.Create(members).with_output_types(hint) | "Step" >> transform
        told = found | beam.Map(lambda member: (type(member).__name__, getattr(member, "code", "")))
        assert_that(told, equal_to(expected), label="Outcomes")


def fails_on(number, error, result):
    """Work on a member that fails for one track."""

    def work(member, job):
        row = member if isinstance(member, Track) else member.track
        if row.sequence == number:
            raise error
        return result(member)

    return work


@pytest.mark.parametrize(
    ("error", "code"), [(TrackError("SOURCE_SILENT", "x"), "SOURCE_SILENT"), (RuntimeError("x"), "INTERNAL_ERROR")]
)
def test_a_track_that_fails_its_analysis_leaves_the_others_alone(monkeypatch, error, code):
    work = fails_on(2, error, lambda row: analysed(row.sequence))
    monkeypatch.setattr("transforms.tracks.analyse_track", work)
    expected = [("Analysed", ""), ("Rejected", code), ("Analysed", "")]
    assert_outcomes(Analyse(JOB), [track(1), track(2), track(3)], expected, Track)


def test_a_track_that_fails_its_rehearsal_leaves_the_others_alone(monkeypatch):
    monkeypatch.setattr("transforms.tracks.rehearse_track", fails_on(2, RuntimeError("x"), rehearsed))
    expected = [("Rehearsed", ""), ("Rejected", "INTERNAL_ERROR"), ("Rejected", "SOURCE_MISSING")]
    assert_outcomes(Rehearse(JOB), [*DRAFTS, rejected(3)], expected)


def test_a_track_that_fails_its_rendering_leaves_the_others_alone(monkeypatch):
    monkeypatch.setattr("transforms.tracks.master_track", fails_on(1, RuntimeError("x"), mastered))
    expected = [("Rejected", "INTERNAL_ERROR"), ("Mastered", ""), ("Rejected", "SOURCE_MISSING")]
    assert_outcomes(Master(JOB), [*PLANNED, rejected(3)], expected)


def test_tracks_that_were_not_selected_end_before_rendering(monkeypatch):
    monkeypatch.setattr("transforms.tracks.master_track", lambda planned, job: mastered(planned))
    hidden = structs.replace(PLANNED[1], track=structs.replace(PLANNED[1].track, selected=False))
    assert_outcomes(Master(JOB), [PLANNED[0], hidden, rejected(3, selected=False)], [("Mastered", "")])


def test_each_track_that_is_done_leaves_a_line_of_progress(tmp_path, monkeypatch):
    monkeypatch.setattr("transforms.tracks.master_track", lambda planned, job: mastered(planned))
    (tmp_path / ".parts/r").mkdir(parents=True)
    job = structs.replace(JOB, output=str(tmp_path))
    assert_outcomes(
        Master(job), [*PLANNED, rejected(3)], [("Mastered", ""), ("Mastered", ""), ("Rejected", "SOURCE_MISSING")]
    )
    found = sorted(line.split()[0] for line in (tmp_path / ".parts/r/progress").read_text().splitlines())
    assert found == ["mastered", "mastered", "rejected"]
