"""The whole way with real runs: mastered, approved, released; mastered otherwise, and the approval is void."""

from __future__ import annotations

import pytest

from review.release import release
from tests.makers import music, write
from tests.pipeline.runs import album, master
from tests.review.outputs import Output, asked, desk_of, digest, look_again


@pytest.mark.slow
def test_a_master_is_released_until_a_run_makes_another(tmp_path):
    manifest, _ = album(tmp_path / "sources")
    first = master(manifest, tmp_path / "output")
    desk = desk_of(Output(tmp_path / "output", tmp_path / "sources"))
    standing = desk.catalogue.standing()
    assert {first.run_id} == {one.run_id for one in standing.values()}
    desk.decide([asked(desk, track_id) for track_id in standing], "Ann")
    released = release(desk)
    files = {one.name: one.sha256 for track in standing.values() for one in track.masters}
    assert (set(files), ()) == (set(released.copied), released.problems)
    assert files == {name: digest(tmp_path / "output/released" / name) for name in files}

    write(tmp_path / "sources/0.flac", music(seconds=1.0, seed=77))
    master(manifest, tmp_path / "output")
    look_again(desk.catalogue)
    changed = {track_id for track_id, one in desk.catalogue.standing().items() if one.key != standing[track_id].key}
    assert changed and changed == {track_id for track_id, one in desk.states().items() if one.state == "void"}
    withdrawn = {one.name for track_id in changed for one in standing[track_id].masters}
    assert withdrawn == set(release(desk).withdrawn)

    third = master(manifest, tmp_path / "output")
    look_again(desk.catalogue)
    assert (2, third.run_id) == (third.skipped, desk.catalogue.run_id)
    assert changed == {track_id for track_id, one in desk.states().items() if one.state == "void"}
