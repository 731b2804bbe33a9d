"""Every finding appears when it should and only then; the verdict follows from the worst."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from decisions.findings import album_findings, track_findings, verdict
from dsp.detectors.sightings import Sightings
from schemas.codes import CODES
from schemas.detected import Detected
from schemas.qc import Finding
from schemas.steps import Mastered
from tests.decisions.records import analysis, gating_at, master, mastered, profile, rejected

PROFILE = profile()
CLIPPED = Detected(flat_tops=Sightings(3, 5.0, (1.5, 2.0, 2.5)))


def codes(found: Sequence[Finding]) -> list[str]:
    return [finding.code for finding in found]


def findings_of(one: Mastered) -> list[str]:
    return codes(track_findings(one, PROFILE))


def of_source(**changes: Any) -> list[str]:
    return findings_of(mastered(source=analysis(**changes)))


def of_masters(*levels: tuple[float, float], limited: str | None = None, mode: str = "track") -> list[str]:
    """Findings of a track alone whose masters have these loudnesses and true peaks."""
    masters = [master(lufs, peak_dbtp=peak, delivery=f"d{n}") for n, (lufs, peak) in enumerate(levels)]
    return findings_of(mastered(1, *masters, mode=mode, target_limited=limited))


def test_a_good_track_is_ready_and_nothing_is_said():
    found = track_findings(mastered(), PROFILE)
    assert (found, verdict(found)) == ((), "ready")


@pytest.mark.parametrize(("source", "told"), [(Detected(), ["CLICKS"]), (CLIPPED, ["SOURCE_CLIPPED"])])
def test_clicks_of_a_master_are_told_unless_clipped_peaks_of_its_source_look_like_them(source, told):
    clicking = master(proof={"detected": Detected(clicks=Sightings(2, 50.0, (1.0, 2.0)))})
    assert told == findings_of(mastered(1, clicking, source=analysis(detected=source)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"detected": CLIPPED}, ["SOURCE_CLIPPED"]),
        ({"detected": Detected()}, []),
        ({"file": {"channels": 1}, "offset_ratio": (0.0,)}, ["MONO_SOURCE"]),
        ({"file": {"lossy": True, "bits": None}}, ["LOSSY_SOURCE"]),
        ({"offset_ratio": (0.0, 0.0011)}, ["DC_OFFSET"]),
        ({"offset_ratio": (-0.0011, 0.0)}, ["DC_OFFSET"]),
        ({"offset_ratio": (0.0009, -0.0009)}, []),
        ({"peak_dbtp": 0.3, "file": {"floating": True}}, ["SOURCE_OVER_FULL_SCALE"]),
        ({"peak_dbtp": 0.05, "file": {"floating": True}}, []),  # the sample peak is 0.1 dB lower
        ({"peak_dbtp": 0.3}, []),  # integers cannot exceed full scale
        ({"peak_dbtp": None}, []),
    ],
)
def test_what_is_wrong_with_a_source_is_said(changes, expected):
    assert expected == of_source(**changes)


@pytest.mark.parametrize(
    ("announced_s", "expected"),
    [(None, []), (180.0, []), (181.0, []), (179.0, []), (181.1, ["DURATION_DIFFERS"]), (178.9, ["DURATION_DIFFERS"])],
)
def test_a_length_that_differs_from_the_manifest_is_said(announced_s, expected):
    assert expected == findings_of(mastered(about={"duration_s": announced_s}))


@pytest.mark.parametrize(
    ("peak_dbtp", "expected"),
    [(-1.0, []), (-0.951, []), (-0.94, ["TRUE_PEAK_OVER"]), (-0.89, ["TRUE_PEAK_OVER", "SAMPLE_PEAK_OVER"])],
)
def test_a_master_over_its_ceiling_is_failed(peak_dbtp, expected):
    assert expected == of_masters((-14.0, peak_dbtp))


def test_each_master_has_findings_of_its_own():
    one = mastered(1, master(delivery="flac24"), master(delivery="cd", peak_dbtp=0.5))
    found = track_findings(one, PROFILE)
    assert ["TRUE_PEAK_OVER", "SAMPLE_PEAK_OVER", "SPEC_RISK"] == codes(found)
    assert all(re.match("cd(: | for )", finding.text) for finding in found)


@pytest.mark.parametrize(
    ("lufs", "expected"),
    [(-14.0, []), (-14.09, []), (-13.91, []), (-14.12, ["LOUDNESS_OFF_TARGET"]), (-13.88, ["LOUDNESS_OFF_TARGET"])],
)
def test_a_track_that_misses_the_target_is_failed(lufs, expected):
    assert expected == of_masters((lufs, -1.0))


def test_a_master_without_loudness_is_failed():
    silent = master(proof={"gating": gating_at(-80.0)})
    assert ["LOUDNESS_OFF_TARGET"] == findings_of(mastered(1, silent, mode="track"))


def test_a_target_that_was_given_up_excuses_only_shortfall():
    assert ["TARGET_LIMITED"] == of_masters((-16.0, -1.0), limited="crushing")
    assert ["LOUDNESS_OFF_TARGET", "TARGET_LIMITED"] == of_masters((-13.5, -1.0), limited="crushing")


def album(*levels_lufs: float, together: int | None = None, **planned: Any) -> list[Mastered]:
    """The tracks of an album with masters at these loudnesses."""
    planned = {"shared_by": together or len(levels_lufs), **planned}
    return [mastered(number, master(lufs), **planned) for number, lufs in enumerate(levels_lufs, 1)]


def test_tracks_of_an_album_may_differ_as_long_as_the_album_meets_its_target():
    tracks = album(-14.0 + 2.0, -14.0 - 4.2)  # 10^0.2 + 10^-0.42 is 2 x 0.983
    assert album_findings(tracks, []) == ()
    assert [[], []] == [findings_of(track) for track in tracks]


@pytest.mark.parametrize(
    ("level_lufs", "limited", "expected"),
    [
        (-15.0, None, ["LOUDNESS_OFF_TARGET"]),
        (-13.0, None, ["LOUDNESS_OFF_TARGET"]),
        (-15.0, "crushing", ["TARGET_LIMITED"]),
        (-13.0, "crushing", ["LOUDNESS_OFF_TARGET", "TARGET_LIMITED"]),
    ],
)
def test_an_album_that_misses_its_target_is_failed_as_a_whole(level_lufs, limited, expected):
    tracks = album(level_lufs, level_lufs, target_limited=limited)
    assert expected == codes(album_findings(tracks, []))


def test_part_of_an_album_need_not_meet_its_target():
    assert album_findings(album(-15.0, -15.0, together=5), []) == ()


def test_a_track_alone_is_held_to_the_target_of_its_album():
    assert ["LOUDNESS_OFF_TARGET"] == findings_of(album(-15.0)[0])


def test_joined_tracks_in_track_mode_are_held_to_their_target_together():
    tracks = album(-16.0, -16.0, mode="track")
    assert "LOUDNESS_OFF_TARGET" in [code for one in tracks for code in findings_of(one)] + codes(
        album_findings(tracks, [])
    )


def test_rejected_tracks_make_an_album_incomplete():
    found = album_findings(album(-14.0, -14.0), [rejected(8), rejected(7, "SOURCE_SILENT")])
    assert ["ALBUM_INCOMPLETE"] == codes(found)
    assert found[0].text == "2 of 4 tracks were rejected: T7 (SOURCE_SILENT), T8 (SOURCE_CORRUPT)"
    assert found[0].measured == 2.0


def test_an_album_of_rejected_tracks_is_incomplete_and_no_more():
    assert ["ALBUM_INCOMPLETE"] == codes(album_findings([], [rejected(1)]))


def test_the_worst_comes_first():
    one = mastered(
        1,
        master(peak_dbtp=1.0),
        source=analysis(detected=CLIPPED, offset_ratio=(0.1, 0.1)),
    )
    assert ["fail", "fail", "warn", "warn", "info"] == [finding.severity for finding in track_findings(one, PROFILE)]


@pytest.mark.parametrize(
    ("severities", "expected"),
    [([], "ready"), (["info"], "ready"), (["info", "warn"], "listen"), (["warn", "fail", "info"], "rejected")],
)
def test_the_verdict_is_that_of_the_worst_finding(severities, expected):
    assert expected == verdict(Finding(code="X", severity=severity) for severity in severities)


def test_every_finding_tells_what_was_measured_against_what():
    one = mastered(
        1,
        master(-10.0, peak_dbtp=1.0),
        source=analysis(detected=CLIPPED, offset_ratio=(0.1, 0.1)),
        about={"duration_s": 100.0},
        mode="track",
    )
    for finding in track_findings(one, PROFILE):
        assert None not in (finding.measured, finding.limit, finding.unit)
        assert finding.text and finding.severity == CODES[finding.code].severity
