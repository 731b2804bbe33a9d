"""The members of an album meet, however they arrive, and each comes out once."""

from __future__ import annotations

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from decisions.album import draft_album, settle_album
from schemas.steps import Member, album_of
from tests.transforms.graphs import graph
from tests.transforms.members import JOB, analysed, rehearsed, rejected
from transforms.albums import DraftAlbums, GroupByAlbum, SettleAlbums

PROFILE = JOB.profiles[""]
ALBUM = [analysed(1), analysed(2, loudness_lufs=-25.0), rejected(3)]
OTHER = [analysed(1, "B", -10.0)]
DRAFTS = [*draft_album(ALBUM, PROFILE), *draft_album(OTHER, PROFILE)]
TAKES = [one if one == rejected(3) else rehearsed(one) for one in DRAFTS]


def assert_through(transform, members, expected):
    with graph() as pipeline:
        found = pipeline | beam.Create(members, reshuffle=False).with_output_types(Member) | "Decide" >> transform
        assert_that(found, equal_to(expected), label="EveryMemberOnce")


@pytest.mark.parametrize("members", [[*ALBUM, *OTHER], [*OTHER, *reversed(ALBUM)]], ids=["in order", "reversed"])
def test_albums_are_drafted_each_for_itself(members):
    assert_through(DraftAlbums(JOB), members, DRAFTS)


@pytest.mark.parametrize("members", [TAKES, TAKES[::-1]], ids=["in order", "reversed"])
def test_the_tracks_of_an_album_share_their_gain(members):
    album, other = ([one for one in TAKES if album_of(one) == name] for name in "AB")
    settled = [plan for one in (album, other) for plan in settle_album(one, PROFILE, "/nowhere/masters")]
    assert_through(SettleAlbums(JOB), members, settled)


@pytest.mark.parametrize("transform", [DraftAlbums(JOB), SettleAlbums(JOB)], ids=["drafted", "settled"])
def test_an_album_of_rejected_tracks_goes_through_as_it_came(transform):
    members = [rejected(1), rejected(2), rejected(1, "B")]
    assert_through(transform, members, members)


def test_members_are_grouped_by_album():
    with graph() as pipeline:
        grouped = pipeline | beam.Create([*ALBUM, *OTHER]).with_output_types(Member) | GroupByAlbum()
        sizes = grouped | beam.MapTuple(lambda album, members: (album, len(list(members))))
        assert_that(sizes, equal_to([("A", 3), ("B", 1)]), label="Sizes")


def test_what_fails_while_an_album_is_decided_rejects_its_tracks_and_no_others(monkeypatch):
    def fail_for_b(members, profile):
        if album_of(members[0]) == "B":
            raise ZeroDivisionError("unforeseen")
        return draft_album(members, profile)

    monkeypatch.setattr("transforms.albums.draft_album", fail_for_b)
    with graph() as pipeline:
        found = pipeline | beam.Create([*ALBUM, *OTHER]).with_output_types(Member) | DraftAlbums(JOB)
        told = found | beam.Map(lambda member: (album_of(member), getattr(member, "code", "")))
        expected = [("A", ""), ("A", ""), ("A", "SOURCE_MISSING"), ("B", "INTERNAL_ERROR")]
        assert_that(told, equal_to(expected), label="Told")
