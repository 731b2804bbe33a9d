"""The rows of quality control hold what was measured; what has no meaning is null, never NaN or an infinity."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from decisions.rows import album_row, rejected_row, track_row
from dsp.gating import GatingBlocks
from schemas.figures import Figures
from schemas.steps import VersionMaster
from tests.decisions.records import analysis, gating_at, master, mastered, profile, rejected, showing

PROFILE = profile()
SILENT = analysis(gating=GatingBlocks(), figures=Figures(), offset_ratio=(0.0, 0.0))
ODD = {
    "a usual track": mastered(),
    "a silent source and master": mastered(1, replace(master(), proof=SILENT), source=SILENT),
    "a mono source": mastered(source=analysis(file={"channels": 1}, offset_ratio=(0.0,))),
    "no frames": mastered(source=analysis(file={"frames": 0})),
    "every finding": mastered(
        1,
        master(-3.0, peak_dbtp=3.0),
        source=showing("clicks", 3, analysis(offset_ratio=(1.0, -1.0))),
        about={"duration_s": 1.0},
        target_limited="crushing",
        mode="track",
    ),
}


def numbers(value: Any) -> Iterator[float]:
    """Every float anywhere in a record."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from numbers(getattr(value, name))
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from numbers(one)


@pytest.mark.parametrize("one", ODD.values(), ids=ODD)
def test_no_row_holds_nan_or_an_infinity(one):
    found = [*numbers(track_row(one, "run", PROFILE)), *numbers(album_row([one, rejected()], "run", PROFILE))]
    assert found and all(math.isfinite(value) for value in found)


@pytest.mark.parametrize("one", ODD.values(), ids=ODD)
def test_the_plan_of_a_row_is_json_that_reads_back(one):
    row = track_row(one, "run", PROFILE)
    assert one.plan == msgspec.json.decode(row.plan.encode(), type=type(one.plan))


def test_a_track_row_holds_the_figures_of_source_and_masters():
    one = mastered(1, master(delivery="flac24"), master(-13.95, delivery="cd"))
    row = track_row(one, "run", PROFILE)
    assert row.source == one.analysis.figures
    assert {"flac24": -14.0, "cd": -13.95} == {m.delivery: m.integrated_lufs for m in row.masters}
    assert row.masters[1].sha256 == one.masters[1].proof.sha256


def test_a_track_row_holds_the_masters_of_its_versions_and_how_they_stand():
    tv = VersionMaster(version="tv", linked=False, why="peaks", own_reduction_db=1.5, master=master(-15.0))
    row = track_row(replace(mastered(), versions=(tv,)), "run", PROFILE)
    (found,) = row.versions
    assert (found.version, found.linked, found.why, found.own_reduction_db) == ("tv", False, "peaks", 1.5)
    assert (found.sha256, found.integrated_lufs) == (tv.master.proof.sha256, -15.0)


def test_a_version_over_the_ceiling_rejects_its_track():
    tv = VersionMaster(version="tv", linked=True, master=master(peak_dbtp=-0.5))
    row = track_row(replace(mastered(), versions=(tv,)), "run", PROFILE)
    assert row.verdict == "rejected"
    assert "cd (tv): true peak of -0.50 dBTP over a ceiling of -1" in [one.text for one in row.findings]
    assert "fail" in [one.severity for one in row.checks if one.subject == "cd (tv)"]


def test_a_track_row_names_the_track_and_the_verdict():
    one = mastered(3, master(peak_dbtp=2.0), about={"isrc": "QMAAA2600001", "title": "Song"})
    row = track_row(one, "R1", PROFILE)
    assert (row.run_id, row.track_id, row.isrc, row.title, row.verdict) == (
        "R1",
        "T3",
        "QMAAA2600001",
        "Song",
        "rejected",
    )


def test_a_track_row_shows_every_check_also_those_that_passed():
    row = track_row(mastered(source=showing("clicks", 3)), "run", PROFILE)
    found = {(one.subject, one.measure): one for one in row.checks}
    assert (found["source", "clicks"].severity, found["cd", "clicks"].severity) == ("warn", "passed")
    assert (found["source", "clicks"].value, found["source", "clicks"].limits) == (3.0, "warn above 0")
    assert found["cd", "true_peak_dbtp"].limits == "fail above -0.95"


def test_what_only_tells_how_a_source_was_made_is_no_check_of_a_master():
    checks = track_row(mastered(), "run", PROFILE).checks
    of_source = {one.measure for one in checks if one.subject == "source"}
    of_master = {one.measure for one in checks if one.subject == "cd"}
    assert {"channels", "lossy", "transcode_level", "flat_tops"} == of_source - of_master


def test_a_track_row_shows_how_each_master_stands_against_its_targets():
    row = track_row(
        mastered(1, master(delivery="flac24", file={"container": "FLAC"}), master(peak_dbtp=0.2)), "run", PROFILE
    )
    flac, disc = row.masters
    assert [one.target for one in flac.targets] == list(PROFILE.delivery[0].targets)
    assert all(one.passed for one in flac.targets)
    (cd,) = disc.targets
    assert (cd.passed, cd.risks) == (True, ("true peak 0.2 dBTP, rule: at most 0 dBTP",))


@pytest.mark.parametrize("dual_mono", [False, True])
def test_a_track_row_tells_how_mono_was_measured(dual_mono):
    assert track_row(mastered(source=analysis(dual_mono=dual_mono)), "run", PROFILE).dual_mono is dual_mono


def test_an_album_row_pools_the_loudness_of_its_tracks():
    loud, quiet = analysis(-10.0), analysis(gating=gating_at(-40.0))
    tracks = [mastered(1, replace(master(), proof=loud), source=loud, shared_by=2)]
    tracks += [mastered(2, replace(master(), proof=quiet), source=quiet, shared_by=2)]
    row = album_row(tracks, "run", PROFILE)
    assert row.source_integrated_lufs == pytest.approx(-10.0, abs=1e-6)  # the quiet track is gated out, not averaged
    assert row.master_integrated_lufs == pytest.approx(-10.0, abs=1e-6)


def test_an_album_row_has_a_gain_only_if_its_tracks_share_one():
    shared, apart = [mastered(1), mastered(2)], [mastered(1), mastered(2, gain_db=3.0)]
    assert (6.0, None) == (album_row(shared, "run", PROFILE).gain_db, album_row(apart, "run", PROFILE).gain_db)


def test_an_album_row_counts_all_its_tracks():
    row = album_row([mastered(2), rejected(9), mastered(1)], "run", PROFILE)
    assert (row.tracks, row.duration_s, row.verdict) == (3, 360.0, "listen")


def test_an_album_without_a_master_is_rejected():
    row = album_row([rejected(1), rejected(2)], "run", PROFILE)
    assert (row.album_id, row.verdict, row.master_integrated_lufs, row.gain_db) == ("A", "rejected", None, None)


def test_the_order_of_members_does_not_change_the_album_row():
    members = [mastered(1), mastered(2, gain_db=5.0), rejected(3)]
    assert album_row(members, "run", PROFILE) == album_row(members[::-1], "run", PROFILE)


def test_a_rejected_row_says_all_that_is_known():
    row = rejected_row(rejected(4), "run")
    assert (row.track_id, row.row, row.stage, row.code) == ("T4", 5, "analyse", "SOURCE_CORRUPT")
    assert row.text and row.hint
