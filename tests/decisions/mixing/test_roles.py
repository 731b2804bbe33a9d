"""A stem is taken for what the manifest, its name or its sound says it is; what says nothing is unknown."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.mixing.role_words import JOINED, WORDS
from decisions.mixing.roles import role_by_name

HERE = Path(__file__).parent
ASKED = 0.95
"""Share of real names whose role is read right."""
MOST_WRONG = 0.03
"""Share of names that are taken for something else, rather than for nothing."""


def names_of(file):
    with (HERE / file).open(encoding="utf-8", newline="") as lines:
        return [(row["name"], set(row["roles"].split("|"))) for row in csv.DictReader(lines)]


def read(name):
    found = role_by_name(name)
    return found.role if found else ""


# The first file: names as desks and workstations have them. The second: tracks of published multitracks and of sessions,
# and the sounds of General MIDI; of what could be two things, both are allowed, and the empty role where a name tells nothing.
@pytest.mark.parametrize("file", ["track_names.csv", "published_names.csv"])
def test_what_a_track_is_is_read_from_its_name(file):
    names = names_of(file)
    assert len(names) >= 500
    right = [read(name) in roles for name, roles in names]
    wrong = [name for name, roles in names if read(name) and read(name) not in roles]
    assert sum(right) >= ASKED * len(names)
    assert len(wrong) <= MOST_WRONG * len(names), wrong


@pytest.mark.parametrize(
    ("name", "presence"),
    [
        ("Ld Vox DT", "lead"),
        ("Lead Gtr", "lead"),
        ("Main Vocal", "lead"),
        ("Voz Principal", "lead"),
        ("Vox 2", None),
        ("Background Vox", None),
        ("Background Pad", "background"),
    ],
)
def test_a_name_may_say_how_near_a_track_stands(name, presence):
    assert role_by_name(name).presence == presence


@pytest.mark.parametrize("name", ["", ".wav", "01", "___", "\0", "Ⅻ", "Kick" * 1000, "a/b/c"])
def test_odd_names_are_read_or_say_nothing(name):
    assert read(name) in ("", "kick")


@given(st.text(max_size=60))
def test_any_name_is_read_the_same_twice_and_in_any_case(name):
    assert role_by_name(name) == role_by_name(name)
    # Humps part words, so only names without them are the same in capitals.
    if name.isascii() and name == name.lower():
        assert read(name.upper()) == read(name)


@given(st.sampled_from(sorted(WORDS)), st.integers(1, 99), st.sampled_from(["", ".wav", "_01", ".dup1", " (2)"]))
def test_numbers_and_takes_around_a_word_change_nothing(word, number, tail):
    if word[0].isdigit() or word[-1].isdigit():
        return
    assert read(f"{number:02d} {word}{tail}") == read(word) == WORDS[word][1]


def test_no_word_stands_in_the_table_for_two_roles():
    assert not {*JOINED} & {*WORDS}
