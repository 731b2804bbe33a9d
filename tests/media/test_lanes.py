"""A beacon makes others wait while it is alive, and no longer than a minute after; no clock that jumps changes that for long."""

from __future__ import annotations

import json
import os

import pytest

from media import lanes, store
from media.lanes import LOOK_EVERY_S, REFRESH_S, STALE_S, Beacon, Lookout
from media.ledger import fingerprint


class Clock:
    """Seconds that pass only when told so: for us, and as time of day, which others may set."""

    def __init__(self):
        self.now_s, self.day_s = 1_000.0, 1_800_000_000.0

    def __call__(self):
        return self.now_s

    def passes(self, seconds):
        self.now_s += seconds
        self.day_s += seconds


@pytest.fixture
def clock(monkeypatch, tmp_path):
    clock = Clock()
    monkeypatch.setattr("media.lanes.time.time", lambda: clock.day_s)
    monkeypatch.setattr("media.lanes.tempfile.gettempdir", lambda: str(tmp_path / "tmp"))
    return clock


def seen(lookout, clock):
    """What a look shows that is not answered from memory."""
    clock.passes(LOOK_EVERY_S)
    return lookout.live()


def test_nobody_waits_where_there_is_no_beacon(tmp_path, clock):
    assert Lookout(str(tmp_path / "out"), clock).let_pass() == 0.0


def test_a_beacon_is_seen_below_its_output_and_on_its_machine_and_gone_with_its_run(tmp_path, clock):
    same, other = Lookout(str(tmp_path / "out"), clock), Lookout(str(tmp_path / "other"), clock)
    with Beacon(str(tmp_path / "out"), "r1", clock):
        assert (seen(same, clock), seen(other, clock)) == ("r1", "r1")
    assert (seen(same, clock), seen(other, clock)) == (None, None)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_beacon_that_is_refreshed_holds_for_hours(tmp_path, clock):
    lookout = Lookout(str(tmp_path / "out"), clock)
    with Beacon(str(tmp_path / "out"), "r1", clock) as beacon:
        for _ in range(500):
            clock.passes(REFRESH_S)
            beacon.refresh()
            assert seen(lookout, clock) == "r1"


def test_a_beacon_is_not_written_at_every_tick(tmp_path, clock, monkeypatch):
    written = []
    monkeypatch.setattr(store, "write_bytes", lambda uri, data: written.append(uri))
    with Beacon(str(tmp_path / "out"), "r1", clock) as beacon:
        for _ in range(100):
            clock.passes(0.5)
            beacon.refresh()
    assert len(written) // 2 == 1 + int(100 * 0.5 / REFRESH_S)


def dead(output, clock, run_id="dead"):
    """The beacon of a run that dies at this moment."""
    Beacon(str(output), run_id, clock).__enter__()


def test_a_beacon_of_a_run_that_died_holds_for_a_minute_at_most(tmp_path, clock):
    lookout = Lookout(str(tmp_path / "out"), clock)
    dead(tmp_path / "out", clock)
    assert seen(lookout, clock) == "dead"
    clock.passes(STALE_S - 2 * LOOK_EVERY_S)
    assert seen(lookout, clock) is None or clock.now_s < 1_000.0 + STALE_S
    clock.passes(LOOK_EVERY_S)
    assert seen(lookout, clock) is None


def test_a_beacon_that_was_dead_before_one_looked_stops_nobody(tmp_path, clock):
    dead(tmp_path / "out", clock)
    clock.passes(STALE_S)
    assert Lookout(str(tmp_path / "out"), clock).let_pass() == 0.0


@pytest.mark.parametrize("jump_s", [-86_400.0, -300.0, 300.0, 86_400.0])
def test_a_clock_that_jumps_while_a_dead_beacon_is_watched_does_not_prolong_it(tmp_path, clock, jump_s):
    lookout = Lookout(str(tmp_path / "out"), clock)
    dead(tmp_path / "out", clock)
    assert seen(lookout, clock) == "dead"
    clock.day_s += jump_s
    clock.passes(STALE_S)
    assert seen(lookout, clock) is None


def test_a_clock_that_was_set_back_lets_a_dead_beacon_hold_for_no_more_than_a_minute_again(tmp_path, clock):
    dead(tmp_path / "out", clock)
    clock.day_s -= 86_400.0
    lookout = Lookout(str(tmp_path / "out"), clock)
    assert seen(lookout, clock) == "dead"
    clock.passes(STALE_S)
    assert seen(lookout, clock) is None


def test_a_run_whose_clock_is_a_day_behind_is_heeded_from_its_second_beat(tmp_path, clock):
    lookout = Lookout(str(tmp_path / "out"), clock)
    clock.day_s -= 86_400.0
    with Beacon(str(tmp_path / "out"), "r1", clock) as beacon:
        clock.day_s += 86_400.0
        assert seen(lookout, clock) is None
        clock.passes(REFRESH_S)
        beacon.refresh()
        assert seen(lookout, clock) == "r1"


def test_time_that_is_waited_is_told(tmp_path, clock):
    lookout = Lookout(str(tmp_path / "out"), clock)
    beacon = Beacon(str(tmp_path / "out"), "r1", clock)
    beacon.__enter__()

    def sleep(seconds):
        clock.passes(seconds)
        if clock.now_s > 1_030.0:
            beacon.__exit__()

    assert lookout.let_pass(sleep) == pytest.approx(30.0, abs=2 * LOOK_EVERY_S)


def test_looking_costs_nothing_between_two_looks(tmp_path, clock, monkeypatch):
    looks = []
    monkeypatch.setattr(store, "list_files", lambda place: looks.append(place) or [])
    lookout = Lookout(str(tmp_path / "out"), clock)
    (tmp_path / "tmp").mkdir()
    for _ in range(1_000):
        clock.passes(LOOK_EVERY_S / 100)
        lookout.live()
    assert 0 <= len(looks) <= 2 * 11


@pytest.mark.parametrize("content", ["", "{half", "[]", '{"run_id": 1}', "\0" * 100])
def test_a_beacon_that_is_none_stops_nobody(tmp_path, clock, content):
    (tmp_path / "out/.lanes").mkdir(parents=True)
    (tmp_path / "out/.lanes/x.json").write_text(content)
    assert Lookout(str(tmp_path / "out"), clock).let_pass() == 0.0


def test_a_folder_of_another_user_among_temporary_ones_is_not_looked_into(tmp_path, clock, monkeypatch):
    with Beacon(str(tmp_path / "out"), "r1", clock):
        ours = os.getuid()
        place = lanes.places("x")[1]
        monkeypatch.setattr(os, "getuid", lambda: ours + 1)
        monkeypatch.setattr(lanes, "places", lambda output: [place])
        assert Lookout(str(tmp_path / "other"), clock).let_pass() == 0.0


def test_a_beacon_that_cannot_be_written_ends_no_run(tmp_path, clock, monkeypatch):
    def full(uri, data):
        raise OSError(28, "no room")

    monkeypatch.setattr(store, "write_bytes", full)
    with Beacon(str(tmp_path / "out"), "r1", clock) as beacon:
        clock.passes(REFRESH_S)
        beacon.refresh()
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


def test_beacons_of_the_day_before_are_taken_away_by_the_next_run_that_goes_first(tmp_path, clock):
    dead(tmp_path / "out", clock, "old")
    clock.passes(2 * 86_400.0)
    with Beacon(str(tmp_path / "out"), "new", clock):
        (path,) = (tmp_path / "out/.lanes").iterdir()
        assert json.loads(path.read_text())["run_id"] == "new"
    assert path.name == f"new-{fingerprint(str(tmp_path / 'out'))[:8]}.json"


def test_a_driver_says_when_its_workers_wait_and_when_they_go_on(tmp_path, clock, monkeypatch, caplog):
    onlooker = lanes.Onlooker(str(tmp_path / "out"))
    onlooker._lookout = Lookout(str(tmp_path / "out"), clock)
    with onlooker, Beacon(str(tmp_path / "out"), "r1", clock):
        for _ in range(5):
            clock.passes(LOOK_EVERY_S / 2)
            onlooker.refresh()
    for _ in range(5):
        clock.passes(LOOK_EVERY_S / 2)
        onlooker.refresh()
    assert caplog.messages == ["waits between tracks: run r1 was started with --priority", "goes on: run r1 has ended"]
