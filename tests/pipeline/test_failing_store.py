"""A catalogue in a bucket whose store fails: now and then, and nothing is to be seen of it; for ever, and it is told in time."""

from __future__ import annotations

import sys
import time

import pytest

from media import buckets, store
from pipeline import cli
from tests.media import emulator
from tests.media.emulator import Faults
from tests.pipeline.runs import album, digests, master
from tests.pipeline.test_cloud import in_bucket, upload

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PATIENCE_S = 1.0
SOURCES = r"/in/.*\.flac"


@pytest.fixture(scope="module")
def service():
    with emulator.running() as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(service, tmp_path_factory):
    """The catalogue in the bucket, and its masters by a run on disk."""
    folder = tmp_path_factory.mktemp("failing")
    manifest, _ = album(folder / "in", 2)
    for path in (folder / "in").iterdir():
        upload(path, f"gs://music/in/{path.name}")
    master(manifest, folder / "out")
    return digests(folder / "out")


@pytest.fixture
def faulty(service, undisturbed, monkeypatch):
    monkeypatch.setattr(buckets, "PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr(buckets, "FIRST_WAIT_S", 0.02)
    yield service
    service.heal()


@pytest.fixture
def lathe(monkeypatch, capsys, request):
    """`lathe run` over the catalogue into an output of this test's own: exit code, words, seconds."""

    def run():
        command = ["lathe", "run", "gs://music/in/manifest.csv", out(request), "--", "--direct_num_workers=1"]
        monkeypatch.setattr(sys, "argv", command)
        began_s = time.monotonic()
        with pytest.raises(SystemExit, match=r"\d") as ended:
            cli.run_command_line()
        said = capsys.readouterr()
        return ended.value.code, said.out + said.err, time.monotonic() - began_s

    return run


def out(request):
    return f"gs://music/{request.node.name.translate(str.maketrans('[]', '__'))}"


def masters_of(request):
    return in_bucket(f"{out(request).removeprefix('gs://music/')}/masters")


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_in_which_every_fifth_request_fails_writes_the_same_bytes(
    faulty, undisturbed, monkeypatch, request, seed
):
    monkeypatch.setattr(buckets, "PATIENCE_S", 60.0)
    faulty.fail(Faults(rate=0.2, seed=seed))
    summary = master("gs://music/in/manifest.csv", out(request))
    failed = [one.fault for one in faulty.asked if one.fault]
    faulty.heal()
    assert (summary.mastered, summary.rejected, masters_of(request)) == (2, 0, undisturbed)
    assert len(failed) > 10


def test_sources_that_cannot_be_had_are_rejected_in_time_and_mastered_when_they_can(
    faulty, undisturbed, lathe, request
):
    faulty.fail(Faults(kinds=("503",), only=SOURCES))
    code, words, took_s = lathe()
    assert (code, "SOURCE_UNREADABLE" in words, took_s < 60.0) == (1, True, True)
    faulty.heal()
    assert (lathe()[0], masters_of(request)) == (0, undisturbed)


def test_masters_that_cannot_be_written_are_rejected_in_time_and_written_when_they_can(
    faulty, undisturbed, lathe, request
):
    faulty.fail(Faults(kinds=("503", "reset"), only=r"/upload/.*/masters/"))
    code, words, took_s = lathe()
    assert (code, "OUTPUT_NOT_WRITABLE" in words, took_s < 60.0) == (1, True, True)
    faulty.heal()
    assert masters_of(request) == {}
    assert (lathe()[0], masters_of(request)) == (0, undisturbed)


def test_a_store_that_fails_between_two_masters_leaves_whole_ones(faulty, undisturbed, lathe, request):
    faulty.fail(Faults(kinds=("lost",), only=r"/upload/.*/masters/cd/"))
    assert lathe()[0] == 1
    faulty.heal()
    assert masters_of(request).items() <= undisturbed.items()
    assert (lathe()[0], masters_of(request)) == (0, undisturbed)
    assert store.list_files(f"{out(request)}/superseded") == []


def test_a_manifest_that_cannot_be_had_is_told_in_time(faulty, lathe):
    faulty.fail(Faults(kinds=("503",), only="manifest"))
    code, words, took_s = lathe()
    assert (code, "did not answer for 1 s" in words, took_s < 30.0) == (2, True, True)


def test_an_output_that_does_not_answer_is_told_before_anything_is_done(faulty, lathe, request):
    faulty.fail(Faults(kinds=("503",), only=request.node.name))
    code, words, took_s = lathe()
    told = f"{out(request)}/review/overrides.json cannot be read" in words  # the first that is looked for in an output
    assert (code, told, "did not answer for 1 s" in words, took_s < 30.0) == (2, True, True, True), words
