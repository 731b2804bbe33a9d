"""The ledger remembers what was done under the name of what went into it, and forgets what it cannot read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsp.gating import GatingBlocks
from media.ledger import Ledger, fingerprint
from schemas.steps import Take

TAKES = tuple(
    Take(gain_db=g, gating=GatingBlocks((1, 2), (3, 4), (5, 6)), max_reduction_db=0.1, mean_reduction_db=1e-17)
    for g in (0.1, 0.2)
)


@pytest.fixture
def ledger(tmp_path):
    return Ledger(str(tmp_path), "run")


@given(st.dictionaries(st.text(), st.integers() | st.floats(allow_nan=False) | st.text()))
def test_a_fingerprint_does_not_depend_on_the_order_of_keys(parts):
    assert fingerprint(parts) == fingerprint(dict(reversed(parts.items())))


@pytest.mark.parametrize(
    ("one", "other"), [(("a", "b"), ("ab",)), ((1,), (1, None)), ((1.0,), (1.0000000000000002,)), (("1",), (1,))]
)
def test_other_parts_have_another_fingerprint(one, other):
    assert fingerprint(*one) != fingerprint(*other)


def test_what_was_kept_is_found_again(ledger):
    ledger.put("rehearsal", "abc", TAKES)
    assert ledger.get("rehearsal", "abc", tuple[Take, ...]) == TAKES


def test_another_run_finds_it_too(ledger, tmp_path):
    ledger.put("rehearsal", "abc", TAKES)
    assert Ledger(str(tmp_path), "another").get("rehearsal", "abc", tuple[Take, ...]) == TAKES


def test_what_was_never_done_is_not_found(ledger):
    assert ledger.get("rehearsal", "abc", tuple[Take, ...]) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"gain_db": 1}', b"\xff\xfe", b"null"])
def test_a_record_that_cannot_be_read_counts_as_none(ledger, tmp_path, content):
    ledger.put("rehearsal", "abc", TAKES)
    (tmp_path / "ledger/rehearsal/ab/abc.json").write_bytes(content)
    assert ledger.get("rehearsal", "abc", tuple[Take, ...]) is None


@pytest.mark.parametrize("altered", [1, 2, 4, 0xFF])
def test_a_record_with_an_altered_byte_counts_as_none(ledger, tmp_path, altered):
    ledger.put("rehearsal", "abc", TAKES)
    path = tmp_path / "ledger/rehearsal/ab/abc.json"
    data = path.read_bytes()
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ altered]) + data[at + 1 :])
        assert ledger.get("rehearsal", "abc", tuple[Take, ...]) is None, at


def test_the_newer_record_stands(ledger):
    ledger.put("rehearsal", "abc", TAKES)
    ledger.put("rehearsal", "abc", TAKES[:1])
    assert ledger.get("rehearsal", "abc", tuple[Take, ...]) == TAKES[:1]


def test_a_record_that_could_not_be_written_leaves_the_one_before(ledger, monkeypatch):
    def refuse(path, uri):
        raise OSError("no room")

    ledger.put("rehearsal", "abc", TAKES)
    monkeypatch.setattr("media.store.replace", refuse)
    with pytest.raises(OSError, match="no room"):
        ledger.put("rehearsal", "abc", TAKES[:1])
    assert ledger.get("rehearsal", "abc", tuple[Take, ...]) == TAKES


def test_nothing_in_the_making_stays_behind(ledger, tmp_path):
    ledger.put("rehearsal", "abc", TAKES)
    found = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert found == ["ledger/rehearsal/ab/abc.json"]
