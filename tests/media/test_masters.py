"""No master is ever lost: whatever two runs do at once to one output, each stands in `masters/` or below `superseded/`."""

from __future__ import annotations

import threading
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import masters, store
from media.masters import Place, Shelf
from schemas.errors import TrackError
from schemas.steps import Job
from tests.media import emulator
from tests.media.emulator import Faults

VERBS = ("publish", "replace", "move", "list_files", "read_bytes", "exists")
SONG, OTHER = "cd/A/1-01 Song.wav", "cd/A/1-01 Other.wav"


class Run:
    """A run that masters one track: publishes files of its own content, clears what else stood, and is done."""

    def __init__(self, output, run_id, content, names=(SONG,), track_id="song"):
        self.output, self.run_id, self.content, self.names = str(output), run_id, content, names
        self.shelf = Shelf(track_id, Job(output=self.output, run_id=run_id, profiles={}))
        self.uris = [store.join(self.output, "masters", name) for name in names]

    def put(self):
        for uri in self.uris:
            with store.scratch(self.output, self.run_id) as folder:
                path = folder / "master"
                path.write_bytes(self.content)
                self.shelf.put(path, uri, digest(self.content))

    def __call__(self):
        self.put()
        self.shelf.clear(self.uris, ())


class Turns:
    """Lets one thread at a time do one thing to the store, in an order that is given."""

    def __init__(self, order):
        self._order, self._turn, self._ended = list(order), threading.Condition(), set()

    def wait(self, who):
        with self._turn:
            self._turn.wait_for(lambda: not self._order or self._order[0] == who or self._order[0] in self._ended)
            if self._order:
                self._order.pop(0)
            self._turn.notify_all()

    def end(self, who):
        with self._turn:
            self._ended.add(who)
            self._turn.notify_all()


def digest(content):
    return sha256(content).hexdigest()


def found(output, below):
    top = store.join(str(output), below)
    return {uri[len(top) + 1 :]: store.read_bytes(uri) for uri in store.list_files(top)}


def at_once(runs, patch=None, order=()):
    """Two runs in threads; with `patch`, each call to the store waits for its turn."""
    turns, errors = Turns(order), []
    if patch is not None:
        for verb in VERBS:
            patch.setattr(store, verb, _in_turn(turns, getattr(store, verb)))

    def work(run, number):
        try:
            run()
        except Exception as error:
            errors.append(error)
        finally:
            turns.end(number)

    threads = [threading.Thread(target=work, args=(run, i), name=str(i)) for i, run in enumerate(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []


def _in_turn(turns, verb):
    def wrapped(*given):
        turns.wait(int(threading.current_thread().name))
        return verb(*given)

    return wrapped


CONTENTS = [(b"one", b"two"), (b"same", b"same")]
NAMES = [((SONG,), (SONG,)), ((SONG,), (OTHER,)), ((SONG, OTHER), (OTHER,))]


@pytest.mark.parametrize("contents", CONTENTS, ids=["other bytes", "same bytes"])
@pytest.mark.parametrize("names", NAMES, ids=["same name", "other name", "some names"])
@given(order=st.lists(st.integers(0, 1), max_size=60))
@settings(max_examples=40, deadline=None)
def test_in_whatever_order_two_runs_go_no_master_is_lost(contents, names, order):
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        runs = [Run(folder, f"run{i}", contents[i], names[i]) for i in (0, 1)]
        at_once(runs, patch, order)
        patch.undo()
        check_nothing_lost(folder, contents, names)
        check_next_run_restores(folder, contents, names)


def check_nothing_lost(output, contents, names):
    standing, superseded = found(output, "masters"), found(output, "superseded")
    for content, mine in zip(contents, names, strict=True):
        kept = [*standing.values(), *superseded.values()].count(content)
        assert kept >= (len(mine) if contents[0] != contents[1] else 1)
    assert set(standing.values()) | set(superseded.values()) == set(contents)


def check_next_run_restores(output, contents, names):
    Run(output, "run2", contents[0], names[0])()
    assert found(output, "masters") == dict.fromkeys(names[0], contents[0])


def test_runs_that_go_as_they_like_lose_no_master(tmp_path):
    for turn in range(30):
        output = tmp_path / str(turn)
        contents = [bytes([i]) * 100_000 for i in range(4)]
        at_once([Run(output, f"run{i}", contents[i]) for i in range(4)])
        kept = [*found(output, "masters").values(), *found(output, "superseded").values()]
        assert (sorted(kept), len(found(output, "masters"))) == (contents, 1)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_runs_over_a_bucket_that_fails_now_and_then_lose_no_master(monkeypatch):
    monkeypatch.setattr("media.buckets.FIRST_WAIT_S", 0.02)
    with emulator.running() as faulty:
        for turn in range(6):
            faulty.fail(Faults(rate=0.1, seed=turn))
            output, contents = f"gs://music/{turn}", [b"one", b"two", b"three"]
            at_once([Run(output, f"run{i}", contents[i]) for i in range(3)])
            faulty.heal()
            kept = [*found(output, "masters").values(), *found(output, "superseded").values()]
            assert (set(kept), len(found(output, "masters"))) == (set(contents), 1)


# What stays behind


def test_a_master_whose_worker_died_before_its_record_goes_when_the_track_has_another_name(tmp_path):
    Run(tmp_path, "died", b"old", (OTHER,)).put()
    Run(tmp_path, "next", b"new")()
    assert (found(tmp_path, "masters"), found(tmp_path, "superseded/next")) == ({SONG: b"new"}, {OTHER: b"old"})


def test_a_former_master_whose_name_another_track_has_now_is_left_alone(tmp_path):
    Run(tmp_path, "first", b"mine")()
    Run(tmp_path, "second", b"theirs", track_id="other")()
    Run(tmp_path, "third", b"mine", (OTHER,))()
    assert found(tmp_path, "masters") == {SONG: b"theirs", OTHER: b"mine"}


def test_another_track_that_publishes_between_the_look_and_the_move_keeps_its_place(tmp_path, monkeypatch):
    Run(tmp_path, "first", b"mine")()
    look = masters.holds

    def publish_after(uri, digest):
        found = look(uri, digest)
        monkeypatch.setattr(masters, "holds", look)
        Run(tmp_path, "second", b"theirs", track_id="other")()
        return found

    monkeypatch.setattr(masters, "holds", publish_after)
    Run(tmp_path, "third", b"mine", (OTHER,))()
    assert found(tmp_path, "masters") == {SONG: b"theirs", OTHER: b"mine"}


def test_what_one_run_supersedes_twice_is_kept_twice(tmp_path):
    run = Run(tmp_path, "run", b"new")
    for old in (b"old", b"older"):
        Path(run.uris[0]).parent.mkdir(parents=True, exist_ok=True)
        Path(run.uris[0]).write_bytes(old)
        run()
    kept = found(tmp_path, "superseded/run")
    assert kept == {SONG: b"old", "cd/A/1-01 Song (2).wav": b"older"}


def test_a_name_that_others_take_again_and_again_ends_in_an_error(tmp_path, monkeypatch):
    def taken(path, uri):
        raise FileExistsError(uri)

    monkeypatch.setattr(store, "publish", taken)
    with pytest.raises(TrackError, match="OUTPUT_NOT_WRITABLE: other runs published at"):
        Run(tmp_path, "run", b"new").put()


def test_a_former_place_of_the_record_is_cleared_too(tmp_path):
    Run(tmp_path, "first", b"mine")()
    for path in (tmp_path / "ledger").rglob("*.json"):  # an output from before there were intents
        path.unlink()
    run = Run(tmp_path, "second", b"mine", (OTHER,))
    run.put()
    run.shelf.clear(run.uris, [Place(name=f"masters/{SONG}", sha256=digest(b"mine"))])
    assert found(tmp_path, "masters") == {OTHER: b"mine"}
