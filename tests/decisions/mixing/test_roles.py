"""A stem is taken for what the manifest, its name or its sound says it is; what says nothing is unknown."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from decisions.mixing.role_sounds import role_by_sound
from decisions.mixing.role_words import JOINED, WORDS
from decisions.mixing.roles import BY_NAME, role_by_name, role_of
from schemas.mix import StemFigures
from schemas.stems import Stem
from tests.decisions.records import audio_format

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


def figures(*, percussivity=0.1, crest_db=12.0, active=0.9, lufs=-20.0, **shares):
    """A stem with shares of its energy in bands: low, body, middle, high (between 3.15 and 6.4 kHz) and top."""
    bands = {"low": (0, 2), "body": (2, 4), "middle": (4, 16), "high": (16, 20), "top": (20, 24)}
    powers = [0.0] * 24
    for name, (first, last) in bands.items():
        powers[first:last] = [shares.get(name, 0.0) / (last - first)] * (last - first)
    return StemFigures(
        sha256="0" * 64,
        format=audio_format(),
        integrated_lufs=lufs,
        loudness_range_lu=5.0,
        sample_peak_dbfs=-3.0,
        crest_db=crest_db,
        noise_floor_dbfs=-80.0,
        active_ratio=active,
        first_sound_s=0.0,
        last_sound_s=60.0,
        centroid_hz=500.0,
        percussivity_ratio=percussivity,
        low_ratio=shares.get("low", 0.0),
        bands_db=tuple(10.0 * math.log10(power) if power > 0.0 else None for power in powers),
        correlation=1.0,
        balance_db=0.0,
        offset_ratio=(0.0, 0.0),
        flat_tops=0,
    )


BASS = figures(low=0.93, body=0.05, middle=0.02)
SOUNDS = {
    "bass": BASS,
    "kick": figures(percussivity=0.98, crest_db=20.0, low=0.97, middle=0.03),
    "snare": figures(percussivity=0.99, crest_db=22.0, low=0.2, body=0.5, middle=0.2, high=0.08, top=0.02),
    "cymbals": figures(percussivity=0.9, crest_db=22.0, middle=0.1, high=0.3, top=0.6),
    "drums": figures(percussivity=0.8, crest_db=22.0, low=0.6, body=0.1, middle=0.1, high=0.1, top=0.1),
}


@pytest.mark.parametrize(("role", "heard"), SOUNDS.items())
def test_what_sounds_like_one_thing_only_is_taken_for_it(role, heard):
    assert role_by_sound(heard)[0] == role


@pytest.mark.parametrize(
    "heard",
    [
        figures(low=0.2, body=0.3, middle=0.45, high=0.05),  # a piano, a guitar, strings, a voice: no figure tells
        figures(percussivity=0.95, crest_db=23.0, body=0.3, middle=0.7),  # a muted guitar
        figures(percussivity=0.47, crest_db=11.0, low=1.0),  # a long kick, or a short bass
        figures(middle=0.1, high=0.3, top=0.6),  # hiss
        figures(lufs=None),
        replace(BASS, bands_db=()),
    ],
)
def test_what_could_be_several_things_is_not_guessed(heard):
    assert role_by_sound(heard) == (None, 0.0)


shares = st.floats(0.0, 1.0)


@given(
    shares,
    st.floats(0.0, 40.0),
    shares,
    st.dictionaries(st.sampled_from(["low", "body", "middle", "high", "top"]), shares),
)
def test_a_role_that_is_heard_has_some_confidence_and_none_has_none(percussivity, crest_db, active, spread):
    role, confidence = role_by_sound(figures(percussivity=percussivity, crest_db=crest_db, active=active, **spread))
    assert 0.5 <= confidence < BY_NAME if role else confidence == 0.0


def stem(stem_id="01", uri="/label/takes/01.wav", **more):
    return Stem(row=2, uri=uri, stem_id=stem_id, **more)


def test_the_manifest_is_believed_before_the_name_and_the_name_before_the_sound():
    assert role_of(stem("Kick", role="fx"), BASS)[:3] == ("fx", "manifest", 1.0)
    assert role_of(stem("Kick"), BASS)[:2] == ("kick", "name")
    assert role_of(stem(), BASS)[:2] == ("bass", "audio")
    assert role_of(stem(), figures(middle=1.0))[:3] == ("other1", "unknown", 0.0)


def test_a_file_without_a_name_of_its_own_is_called_after_its_folder():
    assert role_of(stem(uri="/label/Bass DI/01.wav"), figures(middle=1.0))[:2] == ("bass", "name")


def test_a_name_still_says_how_near_a_stem_stands_when_the_manifest_tells_its_role():
    assert role_of(stem("Lead line", role="synth"), BASS).presence == "lead"
