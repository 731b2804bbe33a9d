"""A run with --priority goes first although it began later; one that is killed frees the others within a minute."""

from __future__ import annotations

import signal
import time

import pytest

from media.lanes import LOOK_EVERY_S, STALE_S
from tests.pipeline.runs import album, digests, master, table
from tests.pipeline.test_interruption import Running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

TRACKS, SECONDS = 6, 40.0
LONGEST_STEP_S = 30.0


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """A back catalogue, a new release, and the masters of the former by a run that nobody passed."""
    folder = tmp_path_factory.mktemp("lanes")
    back, _ = album(folder / "back", TRACKS, seconds=SECONDS)
    new, _ = album(folder / "new", 2, seconds=SECONDS, album_id="new")
    master(back, folder / "undisturbed")
    return back, new, digests(folder / "undisturbed")


@pytest.fixture
def run(tmp_path):
    """Starts a run; all share a folder for temporary files that no run outside this test knows."""
    shared = tmp_path / "tmp"
    shared.mkdir()

    def start(manifest, output="out", *options):
        return Running(manifest, tmp_path / output, options=options, TMPDIR=str(shared))

    return start


def analysed(running):
    """Seen when a run is at work on its first tracks."""
    return lambda: list((running.output / "ledger/analysis").rglob("*.json"))


@pytest.mark.parametrize("output", ["out", "elsewhere"], ids=["same output", "same machine"])
def test_a_run_with_priority_passes_one_that_began_before_it(catalogue, run, output):
    back, new, undisturbed = catalogue
    with run(back) as slow:
        slow.until(analysed(slow))
        with run(new, output, "--priority") as quick:
            assert quick.process.wait(200) == 0
        assert slow.process.poll() is None
        assert (slow.process.wait(200), "waits between tracks" in slow.process.stderr.read()) == (0, True)
    found = {name: digest for name, digest in digests(slow.output).items() if "/new/" not in name}
    assert found == undisturbed
    assert list(slow.output.parent.rglob(".lanes")) == []


def test_waiting_is_told_as_such_and_not_as_work(catalogue, run):
    back, new, _ = catalogue
    with run(back) as slow:
        slow.until(analysed(slow))
        with run(new, "out", "--priority") as quick:
            quick.process.wait(200)
        slow.process.wait(200)
        words = slow.process.stderr.read()
    rows = [row for row in table(slow.output, "work") if row["album_id"] == "A"]
    waited_s = sum(row["waited_s"] for row in rows)
    assert waited_s > LOOK_EVERY_S and "for runs with --priority to go first" in words
    assert max(row["wall_s"] for row in rows) < LONGEST_STEP_S + max(row["waited_s"] for row in rows)
    assert sum(row["cpu_s"] for row in rows) < sum(row["wall_s"] for row in rows)


def test_a_run_with_priority_that_is_killed_frees_the_other_within_a_minute(catalogue, run):
    back, new, undisturbed = catalogue
    with run(back) as slow:
        slow.until(analysed(slow))
        with run(new, "out", "--priority") as quick:
            quick.until(lambda: list(slow.output.glob(".lanes/*")))
            time.sleep(2 * LOOK_EVERY_S)
            quick.workers()
            quick.process.send_signal(signal.SIGKILL)
            killed_s = time.monotonic()
        before = len(analysed(slow)())
        slow.until(lambda: len(analysed(slow)()) > before or slow.masters(), STALE_S + LOOK_EVERY_S + LONGEST_STEP_S)
        assert time.monotonic() - killed_s < STALE_S + LOOK_EVERY_S + LONGEST_STEP_S
        assert slow.process.wait(200) == 0
    assert undisturbed.items() <= digests(slow.output).items()
