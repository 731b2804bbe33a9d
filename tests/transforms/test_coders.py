"""A record that travels arrives as it left, and the same record is always the same bytes."""

from __future__ import annotations

import pickle

import pytest
from apache_beam.coders import registry
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from decisions.album import draft_album, settle_album
from schemas.figures import Figures
from schemas.plan import Neighbour
from schemas.steps import Member
from schemas.track import Track
from tests.transforms.members import JOB, analysed, mastered, rehearsed, rejected, track
from transforms.coders import KINDS, RecordCoder, register_coders

(DRAFT,) = draft_album([analysed()], JOB.profiles[""])
REHEARSED = rehearsed(DRAFT)
(PLANNED,) = settle_album([REHEARSED], JOB.profiles[""], "/nowhere/masters")
NEIGHBOUR = Neighbour(uri="/a", sha256="1" * 64, first_frame=3, frames=7)
JOINED = structs.replace(DRAFT, before=(NEIGHBOUR,), position_frames=9, run=2)
EVERY_KIND = [analysed(), DRAFT, JOINED, REHEARSED, PLANNED, mastered(PLANNED), rejected()]
MAYBE = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def name(member):
    return type(member).__name__.lower()


def there_and_back(member):
    coder = RecordCoder(Member)
    return coder.decode(coder.encode(member))


@pytest.mark.parametrize("member", EVERY_KIND, ids=name)
def test_every_kind_of_member_arrives_as_it_left(member):
    assert (there_and_back(member), type(there_and_back(member))) == (member, type(member))


@pytest.mark.parametrize("member", EVERY_KIND, ids=name)
def test_the_same_member_is_the_same_bytes(member):
    coder = RecordCoder(Member)
    assert coder.encode(there_and_back(member)) == coder.encode(member)


@pytest.mark.parametrize("member", EVERY_KIND, ids=name)
def test_a_member_stays_far_under_a_megabyte(member):
    assert len(RecordCoder(Member).encode(member)) < 50_000


@given(
    title=st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    extra=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text("abc\U0001f3b9\0")),
    year=st.none() | st.integers(1860, 2100),
)
def test_any_row_of_a_manifest_arrives_as_it_left(title, extra, year):
    row, coder = track(title=title, extra=extra, year=year), RecordCoder(Track)
    assert coder.decode(coder.encode(row)) == row


@given(extra=st.dictionaries(st.text("abcdef"), st.text("xyz")))
def test_the_order_of_further_columns_does_not_change_the_bytes(extra):
    coder = RecordCoder(Track)
    assert coder.encode(track(extra=extra)) == coder.encode(track(extra=dict(reversed(extra.items()))))


@given(loudness=MAYBE, peak=MAYBE, spectrum=st.lists(MAYBE, max_size=31))
def test_any_figures_arrive_to_the_last_bit(loudness, peak, spectrum):
    member = analysed()
    figures = Figures(integrated_lufs=loudness, true_peak_dbtp=peak, spectrum_db=tuple(spectrum))
    member = structs.replace(member, analysis=structs.replace(member.analysis, figures=figures))
    assert there_and_back(member) == member


@pytest.mark.parametrize("hint", KINDS)
def test_beam_finds_the_coder_of_a_record(hint):
    register_coders()
    assert registry.get_coder(hint) == RecordCoder(hint)


@pytest.mark.parametrize("hint", KINDS)
def test_a_coder_travels_to_a_worker_and_is_equal_there(hint):
    coder = RecordCoder(hint)
    arrived = pickle.loads(pickle.dumps(coder))
    assert (arrived, hash(arrived), arrived.is_deterministic()) == (coder, hash(coder), True)


def test_coders_of_different_records_differ():
    assert RecordCoder(Track) != RecordCoder(Member)
