"""Files in a bucket are created once, read whole, and waited for, but not for ever; the bucket is an emulator that fails."""

from __future__ import annotations

import os
import threading
import time
import tracemalloc
from hashlib import sha256

import pytest

from media import buckets, store
from media.retries import tallied
from tests.media import emulator
from tests.media.emulator import Faults

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SMALL, LARGE = 10_000, (20 << 20) + 7  # one request, and three blocks


@pytest.fixture(scope="module")
def service():
    with emulator.running() as running:
        yield running


@pytest.fixture
def faulty(service, monkeypatch):
    """A store without faults so far, and a client whose patience is at an end soon."""
    service.heal()
    monkeypatch.setattr(buckets, "PATIENCE_S", 4.0)
    monkeypatch.setattr(buckets, "FIRST_WAIT_S", 0.02)
    yield service
    service.heal()


@pytest.fixture
def folder(request):
    return f"gs://music/{request.node.name.translate(str.maketrans('[]', '__'))}"


def made(path, content):
    path.write_bytes(content)
    return path


def sound(size, seed=1):
    return (bytes([seed]) + sha256(bytes([seed])).digest()) * (size // 33 + 1)


def content(size, seed=1):
    return sound(size, seed)[:size]


def kept(tmp_path, uri, data):
    store.replace(made(tmp_path / "kept", data), uri)
    return uri


# Created, never overwritten


@pytest.mark.parametrize("size", [0, SMALL, LARGE])
def test_what_was_published_is_read_again(faulty, folder, tmp_path, size):
    store.publish(made(tmp_path / "a", content(size)), f"{folder}/a")
    assert (store.read_bytes(f"{folder}/a"), (tmp_path / "a").exists()) == (content(size), False)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_publishing_never_overwrites_and_keeps_what_was_to_be_published(faulty, folder, tmp_path, size):
    uri = kept(tmp_path, f"{folder}/a", b"old")
    with pytest.raises(FileExistsError):
        store.publish(made(tmp_path / "a", content(size)), uri)
    assert (store.read_bytes(uri), (tmp_path / "a").exists()) == (b"old", True)


def test_publishing_the_same_bytes_again_is_as_good(faulty, folder, tmp_path):
    uri = kept(tmp_path, f"{folder}/a", b"same")
    store.publish(made(tmp_path / "a", b"same"), uri)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_of_two_who_publish_one_name_one_wins_and_the_other_is_told(faulty, folder, tmp_path, size):
    won, start = [], threading.Barrier(2)

    def publish(seed):
        part = made(tmp_path / f"{seed}", content(size, seed))
        start.wait()
        try:
            store.publish(part, f"{folder}/a")
        except FileExistsError:
            return
        won.append(seed)

    together(publish, 2)
    assert [store.read_bytes(f"{folder}/a")] == [content(size, seed) for seed in won]


@pytest.mark.parametrize(("size", "only"), [(SMALL, "POST /upload"), (LARGE, "PUT /upload"), (LARGE, "POST /upload")])
def test_an_upload_whose_answer_was_lost_is_published_all_the_same(faulty, folder, tmp_path, size, only):
    faulty.fail(Faults(kinds=("lost",), only=only, at_most=2))
    store.publish(made(tmp_path / "a", content(size)), f"{folder}/a")
    assert store.read_bytes(f"{folder}/a") == content(size)


def test_an_upload_that_breaks_off_is_never_seen(faulty, folder, tmp_path):
    sent = []

    def break_off(what):
        if what.startswith("PUT /upload"):
            sent.append(store.list_files(folder))
            if len(sent) > 1:
                faulty.fail(Faults(kinds=("reset",), only="PUT /upload"))

    faulty.before = break_off
    with pytest.raises(TimeoutError):
        store.publish(made(tmp_path / "a", content(LARGE)), f"{folder}/a")
    assert (len(sent) > 2, [found for found in sent if found], store.exists(f"{folder}/a")) == (True, [], False)


# Moved, never lost


def test_a_move_takes_the_name_away(faulty, folder, tmp_path):
    uri = kept(tmp_path, f"{folder}/a", b"old")
    store.move(uri, f"{folder}/b 1% [é]")
    assert (store.list_files(folder), store.read_bytes(f"{folder}/b 1% [é]")) == ([f"{folder}/b 1% [é]"], b"old")


def test_a_move_never_overwrites(faulty, folder, tmp_path):
    uri, other = kept(tmp_path, f"{folder}/a", b"old"), kept(tmp_path, f"{folder}/b", b"other")
    with pytest.raises(FileExistsError):
        store.move(uri, other)
    assert (store.read_bytes(uri), store.read_bytes(other)) == (b"old", b"other")


def test_a_move_of_nothing_is_told(faulty, folder):
    with pytest.raises(FileNotFoundError):
        store.move(f"{folder}/gone", f"{folder}/b")


@pytest.mark.parametrize("only", ["rewriteTo", "DELETE"])
def test_a_move_whose_answer_was_lost_is_a_move_all_the_same(faulty, folder, tmp_path, only):
    uri = kept(tmp_path, f"{folder}/a", b"old")
    faulty.fail(Faults(kinds=("lost",), only=only, at_most=1))
    store.move(uri, f"{folder}/b")
    assert (store.list_files(folder), store.read_bytes(f"{folder}/b")) == ([f"{folder}/b"], b"old")


def test_what_was_published_during_a_move_stays(faulty, folder, tmp_path):
    uri = kept(tmp_path, f"{folder}/a", b"old")
    faulty.before = lambda what: when(what, "DELETE", faulty, lambda: kept(tmp_path, uri, b"new"))
    store.move(uri, f"{folder}/b")
    assert (store.read_bytes(uri), store.read_bytes(f"{folder}/b")) == (b"new", b"old")


# Read in ranges


def test_a_file_is_read_in_blocks(faulty, folder, tmp_path):
    uri = kept(tmp_path, f"{folder}/a", content(LARGE))
    faulty.asked.clear()
    store.read_bytes(uri)
    assert [one.range for one in faulty.asked if one.range] == [
        "bytes=0-8388607", "bytes=8388608-16777215", f"bytes=16777216-{LARGE - 1}",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["cut", "broken"])
def test_a_download_that_breaks_goes_on_where_it_broke(faulty, folder, tmp_path, kind):
    uri = kept(tmp_path, f"{folder}/a", content(LARGE))
    faulty.asked.clear()
    faulty.fail(Faults(kinds=(kind,), only="alt=media", at_most=2))
    assert store.read_bytes(uri) == content(LARGE)
    first, second = ([int(n) for n in one.range[6:].split("-")] for one in faulty.asked[1:3])
    assert (first[0], first[1], second[1]) == (0, second[1], (8 << 20) - 1)
    # What a reset leaves unread in the socket is lost, what was read is kept.
    assert 0 < second[0] <= 4 << 20 if kind == "broken" else second[0] == 4 << 20


def test_a_file_that_is_replaced_while_it_is_read_is_read_anew(faulty, folder, tmp_path):
    uri = kept(tmp_path, f"{folder}/a", content(LARGE))
    faulty.before = lambda what: when(what, "alt=media", faulty, lambda: kept(tmp_path, uri, content(LARGE, 2)))
    assert store.read_bytes(uri) == content(LARGE, 2)


def test_a_file_that_is_replaced_again_and_again_is_told(faulty, folder, tmp_path):
    uri, seeds = kept(tmp_path, f"{folder}/a", content(SMALL)), iter(range(2, 99))

    def again(what):
        if "alt=media" in what:
            kept(tmp_path, uri, content(SMALL, next(seeds)))

    faulty.before = again
    with pytest.raises(OSError, match="replaced again and again"):
        store.read_bytes(uri)


def test_a_bit_that_turned_over_on_the_way_is_noticed_and_read_again(faulty, folder, tmp_path):
    uri = kept(tmp_path, f"{folder}/a", content(LARGE))
    faulty.fail(Faults(kinds=("wrong",), only="alt=media", at_most=1))
    assert store.read_bytes(uri) == content(LARGE)


def test_bits_that_always_turn_over_are_told(faulty, folder, tmp_path):
    uri = kept(tmp_path, f"{folder}/a", content(SMALL))
    faulty.fail(Faults(kinds=("wrong",), only="alt=media"))
    with pytest.raises(OSError, match="CRC32C of what came"):
        store.read_bytes(uri)


def test_memory_does_not_grow_with_the_file(faulty, folder, tmp_path):
    uri = kept(tmp_path, f"{folder}/a", os.urandom(40 << 20))
    tracemalloc.start()
    buckets.fetch(uri, tmp_path / "copy")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The proxy lives in this process and holds a block twice; the client itself a few kilobytes.
    assert ((tmp_path / "copy").stat().st_size, peak < 4 * buckets.BLOCK_BYTES) == (40 << 20, True)


# A store that is down


VERBS = {
    "exists": lambda uri, part: store.exists(uri),
    "read": lambda uri, part: store.read_bytes(uri),
    "list": lambda uri, part: store.list_files(uri),
    "publish": lambda uri, part: store.publish(part, uri),
    "replace": lambda uri, part: store.replace(part, uri),
    "move": lambda uri, part: store.move(uri, f"{uri}2"),
}


@pytest.mark.parametrize("kind", ["503", "reset"])
@pytest.mark.parametrize("verb", VERBS)
def test_a_store_that_stays_down_is_told_in_time_with_the_file(faulty, folder, tmp_path, monkeypatch, verb, kind):
    monkeypatch.setattr(buckets, "PATIENCE_S", 0.5)
    uri = kept(tmp_path, f"{folder}/a", b"old")
    faulty.fail(Faults(kinds=(kind,)))
    began_s = time.monotonic()
    with pytest.raises(TimeoutError, match=r"did not answer for 0\.5 s") as told:
        VERBS[verb](uri, made(tmp_path / "part", b"new"))
    assert (told.value.filename, time.monotonic() - began_s < 3.0) == (uri, True)


def test_a_store_that_is_down_is_waited_for_once_and_not_for_each_file(faulty, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(buckets, "PATIENCE_S", 0.9)
    monkeypatch.setattr(buckets, "HASTE_S", 0.1)
    uri = kept(tmp_path, f"{folder}/a", b"old")
    waited = []
    for _ in range(2):
        for _ in range(3):
            faulty.fail(Faults(kinds=("503",)))
            with pytest.raises(TimeoutError) as told:
                store.read_bytes(uri)
            waited.append(told.value.strerror.split()[6])
        faulty.heal()
        assert store.read_bytes(uri) == b"old"
    assert waited == ["0.9", "0.1", "0.1"] * 2


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("seed", range(3))
def test_every_verb_outlives_requests_that_fail(faulty, folder, tmp_path, verb, seed):
    uri, part = kept(tmp_path, f"{folder}/a", b"old"), made(tmp_path / "part", b"new")
    faulty.fail(Faults(rate=0.5, seed=seed))
    try:
        found = VERBS[verb](uri, part)
    except FileExistsError:
        found = "taken"
    faulty.heal()
    expected = {"exists": (True, b"old"), "read": (b"old", b"old"), "list": ([], b"old"), "publish": ("taken", b"old")}
    end = store.read_bytes(f"{uri}2" if verb == "move" else uri)
    assert (found, end) == {**expected, "replace": (None, b"new"), "move": (None, b"old")}[verb]


def test_a_store_that_cannot_be_reached_is_told_in_time(folder, monkeypatch):
    monkeypatch.setattr(buckets, "PATIENCE_S", 0.5)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    with pytest.raises(TimeoutError, match="did not answer"):
        store.read_bytes(f"{folder}/a")


def test_what_is_not_there_is_not_waited_for(faulty, folder):
    with pytest.raises(FileNotFoundError) as told:
        store.read_bytes(f"{folder}/gone")
    assert (told.value.filename, len(faulty.asked)) == (f"{folder}/gone", 1)


def test_a_bucket_that_is_not_there_is_told(faulty, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such object or bucket"):
        store.publish(made(tmp_path / "a", b"a"), "gs://nowhere/a")


def when(what, pattern, faulty, work):
    """Does something once, before the first request of a kind."""
    if pattern in what:
        faulty.before = lambda what: None
        work()


def together(work, count):
    threads = [threading.Thread(target=work, args=(number + 1,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# Told to whoever asked


def test_each_request_that_was_made_again_is_counted_for_its_own_thread_alone(faulty, folder, tmp_path):
    uri = kept(tmp_path, f"{folder}/a", content(SMALL))
    with tallied() as quiet:
        store.read_bytes(uri)
    faulty.fail(Faults(kinds=("503",), at_most=3))
    with tallied() as outer:
        with tallied() as inner:
            store.read_bytes(uri)
        store.read_bytes(uri)
    assert (0, 3, 0) == (quiet.retries, inner.retries, outer.retries)


def test_a_file_that_came_damaged_and_was_read_again_is_counted(faulty, folder, tmp_path):
    uri = kept(tmp_path, f"{folder}/a", content(SMALL))
    faulty.fail(Faults(kinds=("wrong",), only="alt=media", at_most=1))
    with tallied() as tally:
        assert store.read_bytes(uri) == content(SMALL)
    assert tally.retries == 1
