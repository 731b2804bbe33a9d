"""Runs that do what a reviewer asked: small catalogues, overrides written by hand, everything measured on what was delivered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
import soundfile

from dsp.audio import Audio
from dsp.spectrum import CENTRES_HZ
from pipeline.run import Request, dry_run
from schemas.errors import CatalogueError
from schemas.signoff import Revision
from tests.makers import music, write, write_manifest
from tests.pipeline.runs import ask, by, digests, master, table

ASKED = "a reviewer's instructions"
SECONDS = 4.0


def song(seed: int, level_dbfs: float = -20.0, hits: float = 0.0) -> Audio:
    """Music with some width, and with hits that a limiter has to catch."""
    middle = music(seconds=SECONDS, channels=1, level_dbfs=level_dbfs, seed=seed)
    side = music(seconds=SECONDS, channels=1, level_dbfs=level_dbfs - 12.0, seed=seed + 50)
    audio = np.hstack([middle + side, middle - side])
    at = np.arange(4_410, len(audio) - 4_410, 22_050)
    for start in at:
        decay = np.exp(-np.arange(2_205) / 300.0)[:, None]
        audio[start : start + 2_205] += hits * decay * np.sin(0.2 * np.arange(2_205))[:, None]
    return audio


def catalogue(folder: Path) -> Path:
    """An album of three songs, the first of which peaks highest, and a song that stands alone."""
    songs = {"a": song(1, hits=0.75), "b": song(2, -24.0), "c": song(3, -22.0), "single": song(4, hits=0.75)}
    for name, audio in songs.items():
        write(folder / f"{name}.wav", audio)
    rows: list[dict[str, object]] = [
        {"uri": f"{name}.wav", "track_id": name, "album_id": "A", "sequence": n, "title": name, "joins_next": "no"}
        for n, name in enumerate("abc", 1)
    ]
    single = {"uri": "single.wav", "track_id": "single", "album_id": "S", "sequence": 1, "title": "single"}
    return write_manifest(folder / "manifest.csv", [*rows, single])


def in_words(revisions: Mapping[str, Revision]) -> dict[str, Any]:
    return {subject: msgspec.to_builtins(revision) for subject, revision in revisions.items()}


class Site(NamedTuple):
    """A catalogue and its output, as first mastered."""

    manifest: Path
    output: Path
    first: Mapping[str, dict[str, Any]]
    masters: Mapping[str, str]

    def run(self, **revisions: Revision) -> dict[str, dict[str, Any]]:
        """The rows of a run after this was asked."""
        ask(self.output, **in_words(revisions))
        summary = master(self.manifest, self.output)
        return by("track_id", table(self.output, "tracks", summary.run_id))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("revised")
    manifest, output = catalogue(folder), folder / "output"
    summary = master(manifest, output)
    return Site(manifest, output, by("track_id", table(output, "tracks", summary.run_id)), digests(output))


def remade(rows: Mapping[str, dict[str, Any]]) -> set[str]:
    return {name for name, row in rows.items() if row["outcome"] == "mastered"}


def figures(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row["masters"][0])


def lufs(row: Mapping[str, Any]) -> float:
    return float(figures(row)["integrated_lufs"])


def tilt_db(row: Mapping[str, Any]) -> float:
    """Level of the third octave at 10 kHz against that at 500 Hz."""
    levels = dict(zip(CENTRES_HZ, figures(row)["spectrum_db"], strict=True))
    high, low = (min(CENTRES_HZ, key=lambda centre: abs(centre - hz)) for hz in (10_000.0, 500.0))
    return float(levels[high] - levels[low])


def codes(row: Mapping[str, Any]) -> set[str]:
    return {finding["code"] for finding in row["findings"]}


def reasons(row: Mapping[str, Any]) -> str:
    return " ".join(decision["why"] for decision in json.loads(row["plan"])["decisions"])


TRIMS = {
    "single": Revision(limiting_steps=-1),
    "b": Revision(loudness_steps=1),
    "c": Revision(tone_steps=-2),
    "gone": Revision(tone_steps=3),
    "GONE": Revision(leave_alone=True),
}


@pytest.fixture(scope="module")
def trimmed(site: Site) -> dict[str, dict[str, Any]]:
    """Single tracks are asked for: less limiting, a louder and a darker one; and some that are not in the manifest."""
    return site.run(**TRIMS)


def test_only_what_was_asked_for_is_made_again_and_says_why(site, trimmed):
    assert {"single", "b", "c"} == remade(trimmed)
    assert all(ASKED in trimmed[name]["reason"] for name in ("single", "b", "c"))
    assert "asked by Ann on 2026-11-27: darker (2 steps)" in reasons(trimmed["c"])


def test_less_limiting_is_measured_and_is_no_louder(site, trimmed):
    before, after = site.first["single"], trimmed["single"]
    assert before["limiter_max_reduction_db"] > 1.5
    assert after["limiter_max_reduction_db"] <= before["limiter_max_reduction_db"] - 1.0
    assert lufs(after) <= lufs(before) and "TARGET_LIMITED" in codes(after)


def test_a_louder_track_moves_against_its_neighbours_and_its_album_is_not_blamed(site, trimmed):
    assert lufs(trimmed["b"]) - lufs(site.first["b"]) == pytest.approx(1.0, abs=0.05)
    album = by("album_id", table(site.output, "albums", trimmed["a"]["run_id"]))["A"]
    assert album["gain_db"] is None and album["target_lufs"] > -14.0
    assert "LOUDNESS_OFF_TARGET" not in codes(album) | codes(trimmed["b"])


def test_a_darker_track_is_darker_and_as_loud_as_it_was(site, trimmed):
    assert tilt_db(trimmed["c"]) - tilt_db(site.first["c"]) == pytest.approx(-2.0, abs=0.3)
    assert lufs(trimmed["c"]) == pytest.approx(lufs(site.first["c"]), abs=0.05)


def test_the_record_of_a_run_tells_what_was_in_force(site, trimmed):
    record = json.loads((site.output / "runs" / f"{trimmed['a']['run_id']}.json").read_text())
    assert {"single", "b", "c"} == {one["subject_id"] for one in record["overrides"]}


@pytest.fixture(scope="module")
def lowered(site: Site, trimmed: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Less limiting of one track of an album, and width; what was asked before is asked no more."""
    return site.run(a=Revision(limiting_steps=-1), single=Revision(width_steps=2, reference="/etc/passwd"))


def test_less_limiting_of_one_brings_its_whole_album_down_and_each_says_so(site, lowered):
    assert {"a", "b", "c"} <= remade(lowered)
    peaks = [rows["a"]["limiter_max_reduction_db"] for rows in (site.first, lowered)]
    assert peaks[1] <= peaks[0] - 1.0
    distances = [[lufs(rows[name]) - lufs(rows["c"]) for name in "bc"] for rows in (site.first, lowered)]
    assert distances[0] == pytest.approx(distances[1], abs=0.02)
    assert all("less limiting (1 step)" in reasons(lowered[name]) for name in "abc")
    assert all(ASKED in lowered[name]["reason"] for name in "abc")


def test_wider_is_measured(site, lowered):
    assert figures(lowered["single"])["width_ratio"] > figures(site.first["single"])["width_ratio"] + 0.01


def test_a_reference_that_may_not_be_read_is_told_and_never_opened(lowered):
    (told,) = [one for one in lowered["single"]["findings"] if one["code"] == "REFERENCE_UNUSABLE"]
    assert "outside the allowed folders" in told["text"]


@pytest.fixture(scope="module")
def taken_back(site: Site, lowered: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return site.run()


def test_what_is_taken_back_leaves_the_very_bytes_of_before(site, taken_back):
    assert site.masters == digests(site.output)
    assert all(ASKED in row["reason"] for row in taken_back.values())


def test_a_dry_run_tells_what_would_be_made_again_and_why(site, taken_back):
    never_tried = {"b": Revision(loudness_steps=-2, tone_steps=1), "single": Revision(limiting_steps=-2)}
    ask(site.output, **in_words(never_tried))
    found = dry_run(_request(site.manifest, site.output))
    assert (2, 2) == (found.mastered, found.skipped)
    assert 2 == sum(count for reason, count in found.reasons.items() if ASKED in reason)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"version": 2, "overrides": []}',
        b'{"overrides": [], "colour": 1}',
        b'{"overrides": [{"scope": "track", "subject_id": "a", "revision": {"tone_steps": 9}, "reviewer": "", "at": ""}]}',
        b"\xff",
    ],
)
def test_instructions_that_cannot_be_read_refuse_the_run(tmp_path, content):
    write(tmp_path / "a.wav", song(1))
    manifest = write_manifest(tmp_path / "m.csv", [{"uri": "a.wav"}])
    (tmp_path / "out" / "review").mkdir(parents=True)
    (tmp_path / "out" / "review" / "overrides.json").write_bytes(content)
    for go in (lambda: master(manifest, tmp_path / "out"), lambda: dry_run(_request(manifest, tmp_path / "out"))):
        with pytest.raises(CatalogueError) as refused:
            go()
        assert refused.value.code == "REVIEW_UNREADABLE"
    assert not (tmp_path / "out" / "masters").exists()


def _request(manifest: Path, output: Path) -> Request:
    return Request(manifest=str(manifest), output=str(output))


def test_joined_tracks_are_revised_together_without_a_step_at_the_join(tmp_path):
    whole = np.tile(song(1), (2, 1))
    parts = {"a": whole[:200_001], "b": whole[200_001:], "c": song(3, -24.0)}
    for name, audio in parts.items():
        write(tmp_path / f"{name}.wav", audio)
    rows = [
        {"uri": f"{name}.wav", "track_id": name, "album_id": "A", "sequence": n, "joins_next": join}
        for n, (name, join) in enumerate(zip("abc", ("yes", "no", "no"), strict=True), 1)
    ]
    manifest, output = write_manifest(tmp_path / "m.csv", rows), tmp_path / "out"
    first = by("track_id", table(output, "tracks", master(manifest, output).run_id))
    ask(output, b={"loudness_steps": -2, "tone_steps": 1})
    found = by("track_id", table(output, "tracks", master(manifest, output).run_id))
    assert {"a", "b"} == remade(found)
    assert found["a"]["gain_db"] == found["b"]["gain_db"] == pytest.approx(first["a"]["gain_db"] - 2.0, abs=0.5)
    joined = np.concatenate([_master(found[name]) for name in "ab"])
    unjoined = np.concatenate([_master(first[name]) for name in "ab"])
    steps = [np.abs(np.diff(audio, axis=0))[200_000].max() / np.abs(audio).max() for audio in (joined, unjoined)]
    assert steps[0] == pytest.approx(steps[1], abs=0.01)


def _master(row: Mapping[str, Any]) -> Audio:
    return soundfile.read(figures(row)["uri"], always_2d=True)[0]
