"""What reviewers ask travels by name: a graph stays small, workers find it, and each track carries what concerns it alone."""

from __future__ import annotations

import shutil

import msgspec
import pytest

from pipeline.overrides import fetched, kept, overrides_for, read_overrides
from pipeline.selection import Selection, selected_tracks
from schemas.errors import CatalogueError
from schemas.signoff import InForce, Override, Overrides, Revision
from tests.decisions.records import track


def many(count: int) -> Overrides:
    return Overrides(
        overrides=tuple(
            Override(
                scope="track",
                subject_id=f"T{n}",
                revision=Revision(tone_steps=1, reference="a.wav"),
                reviewer="Ann",
                at="x",
            )
            for n in range(count)
        )
    )


@pytest.fixture
def selection(tmp_path):
    """Of a thousand tracks, each with an override, in an output of which twice as many are known."""
    (tmp_path / "out" / "review").mkdir(parents=True)
    (tmp_path / "out" / "review" / "overrides.json").write_bytes(msgspec.json.encode(many(2_000)))
    tracks = [track(n) for n in range(1_000)]
    asked = overrides_for(tracks, str(tmp_path / "m.csv"), str(tmp_path / "out"), ())
    return Selection(manifest=str(tmp_path / "m.csv"), output=str(tmp_path / "out"), asked=asked)


def test_only_what_concerns_the_manifest_is_in_force(selection):
    assert 1_000 == len(selection.asked.overrides)


def test_a_selection_travels_with_a_name_and_workers_get_it_back(selection):
    travelling = kept(selection, "run")
    assert len(msgspec.json.encode(travelling)) < 1_000
    assert selection.asked == fetched(travelling).asked


def test_each_track_carries_its_own_override_and_the_whole_place_of_its_reference(selection, tmp_path):
    tracks = selected_tracks([track(n) for n in range(1_000)], selection)
    assert all([one.track_id] == [asked.subject_id for asked in one.asked] for one in tracks)
    assert {(str(tmp_path / "a.wav"),)} == {one.asked_uris for one in tracks}
    assert max(len(msgspec.json.encode(one.asked)) for one in tracks) < 500


def test_where_nobody_asks_a_selection_stays_as_it_is(tmp_path):
    plain = Selection(manifest="m.csv", output=str(tmp_path))
    assert plain == kept(plain, "run") == fetched(plain)
    assert not any(tmp_path.iterdir()) and Overrides() == read_overrides(str(tmp_path))


def test_a_ledger_that_lost_what_was_asked_stops_the_run(selection, tmp_path):
    travelling = kept(selection, "run")
    shutil.rmtree(tmp_path / "out" / "ledger")
    with pytest.raises(CatalogueError, match="run again"):
        fetched(travelling)


def test_an_output_of_which_nobody_asks_leads_to_nothing_in_force(tmp_path):
    assert InForce() == overrides_for([track(1)], str(tmp_path / "m.csv"), str(tmp_path), ())
