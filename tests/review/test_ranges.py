"""Byte ranges as RFC 9110 has them, and rubbish as if it were not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.ranges import UnsatisfiableError, byte_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-", (0, 100)), ("bytes=0-0", (0, 1)), ("bytes=99-", (99, 100)), ("bytes=-1", (99, 100)),
        ("bytes=-1000", (0, 100)), ("bytes=10-999999999999999", (10, 100)), ("bytes= 5 - 6", (5, 7)),
    ],
)  # fmt: skip
def test_a_range_is_what_it_says_as_far_as_there_are_bytes(header, expected):
    assert byte_range(header, 100) == expected


@pytest.mark.parametrize(
    "header",
    [
        None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=0-1,5-6", "bytes=--5", "bytes=1.5-2",
        "bytes=-5-6", "items=0-1", "bytes=0-\0", "bytes=" + "9" * 10_000 + "-", "bytes=٣-٤", "BYTES=0-1",
    ],
)  # fmt: skip
def test_what_is_no_range_is_as_if_it_were_not_there(header):
    assert byte_range(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_beyond_the_end_cannot_be_served(header):
    with pytest.raises(UnsatisfiableError):
        byte_range(header, 100)


@given(st.text(max_size=40) | st.from_regex(r"bytes=\d{0,5}-\d{0,5}", fullmatch=True), st.integers(0, 1000))
def test_whatever_is_asked_for_stays_within_the_file(header, size):
    try:
        found = byte_range(header, size)
    except UnsatisfiableError:
        return
    assert found is None or 0 <= found[0] < found[1] <= size
