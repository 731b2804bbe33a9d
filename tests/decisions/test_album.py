"""Albums are decided as wholes: who joins whom, what they share, and that no broken or shuffled member changes the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.album import draft_album, settle_album
from decisions.runs import RUN_IN_S
from dsp.resampler import resampled_frames
from schemas.profile import Delivery, Profile
from schemas.steps import Analysed, Draft, Planned
from tests.decisions.records import (
    RATE_HZ,
    analysed,
    edges_of,
    master_lufs,
    profile,
    rehearse,
    rejected,
)
from tests.makers import music

EXACT_LU = 1e-3  # gains are kept to 0.001 dB
MASTERS = "/out/masters"


def drafts(members: Sequence[Any], chosen: Profile | None = None) -> list[Draft]:
    return [one for one in draft_album(members, chosen or profile()) if isinstance(one, Draft)]


def plans(members: Sequence[Any], chosen: Profile | None = None) -> list[Planned]:
    chosen = chosen or profile()
    settled = settle_album([rehearse(draft) for draft in drafts(members, chosen)], chosen, MASTERS)
    return [one for one in settled if isinstance(one, Planned)]


def joined_by_manifest(*flags: bool | None, **measured: Any) -> list[Analysed]:
    """Tracks of which the manifest says whether they run into the next."""
    return [
        analysed(number, -20.0 - number, about={"joins_next": flag}, **measured) for number, flag in enumerate(flags, 1)
    ]


def cut_from_one_recording(*ends: int) -> list[Analysed]:
    """Tracks that are pieces of one piece of music."""
    audio = music(level_dbfs=-18.0)
    bounds = [0, *ends, len(audio)]
    pieces = [edges_of(audio[a:b]) for a, b in pairwise(bounds)]
    return [analysed(number, head=head, tail=tail) for number, (head, tail) in enumerate(pieces, 1)]


def with_rate(number: int, rate_hz: int, seconds: float, **about: Any) -> Analysed:
    return analysed(number, about=about, file={"rate_hz": rate_hz, "frames": round(seconds * rate_hz)})


# Gain: album and track mode

ALBUM = [analysed(1, -22.0), analysed(2, -16.0), analysed(3, -27.5, peak_dbtp=-20.0)]


def test_an_album_keeps_the_distance_between_its_tracks():
    assert len({one.plan.gain_db for one in plans(ALBUM)}) == 1


def test_an_album_reaches_its_target_together():
    assert master_lufs(plans(ALBUM)) == pytest.approx(-14.0, abs=EXACT_LU)


def test_in_track_mode_each_track_reaches_the_target_by_itself():
    chosen = profile(loudness={"mode": "track"})
    assert [8.0, 2.0, 13.5] == pytest.approx([one.plan.gain_db for one in plans(ALBUM, chosen)], abs=EXACT_LU)


def test_in_track_mode_joined_tracks_share_a_gain():
    chosen = profile(loudness={"mode": "track"})
    found = [one.plan.gain_db for one in plans(joined_by_manifest(True, None, None, peak_dbtp=-4.0), chosen)]
    assert found[0] == found[1] != found[2]


def test_joined_tracks_share_every_processor_before_the_gain():
    members = joined_by_manifest(True, False, None)
    offset = analysed(2, about={"joins_next": False}, offset_ratio=(0.1, 0.1))
    heads = [draft.head for draft in drafts([members[0], offset, members[2]])]
    assert heads[0] == heads[1]
    assert heads[0].subsonic is not None
    assert heads[0].subsonic.offset_ratio == members[0].analysis.offset_ratio
    assert heads[2].subsonic is None


@pytest.mark.parametrize("peak_dbtp", [-7.1, 0.0, 1.5])
def test_a_track_that_comes_near_the_ceiling_is_rehearsed(peak_dbtp):
    (draft,) = drafts([analysed(1, -20.0, peak_dbtp=peak_dbtp)])
    assert draft.needs_rehearsal


def test_a_track_far_below_the_ceiling_is_not_rehearsed():
    (draft,) = drafts([analysed(1, -20.0, peak_dbtp=-7.5)])
    assert draft.gains_db == (pytest.approx(6.0, abs=EXACT_LU),)


# Joins


@pytest.mark.parametrize(
    ("flags", "runs"),
    [
        ((True, True, None), [0, 0, 0]),
        ((True, False, None), [0, 0, 1]),
        ((False, True, None), [0, 1, 1]),
        ((None, None, True), [0, 1, 2]),
    ],
)
def test_tracks_join_where_the_manifest_says_so(flags, runs):
    assert runs == [draft.run for draft in drafts(joined_by_manifest(*flags))]


def test_tracks_join_where_the_music_runs_on():
    found = drafts(cut_from_one_recording(40_000, 80_000))
    assert [0, 0, 0] == [draft.run for draft in found]
    assert (found[0].before, found[2].after) == ((), ())
    assert ["/sources/1.wav", "/sources/3.wav"] == [one.uri for one in (*found[1].before, *found[1].after)]


def test_the_manifest_has_the_last_word_over_the_audio():
    first, second = cut_from_one_recording(40_000)
    apart = analysed(1, about={"joins_next": False}, head=first.analysis.head, tail=first.analysis.tail)
    assert [0, 1] == [draft.run for draft in drafts([apart, second])]


def test_tracks_that_fade_out_do_not_join():
    assert [0, 1] == [draft.run for draft in drafts([analysed(1), analysed(2)])]


@pytest.mark.parametrize("other", [{"rate_hz": 48_000}, {"channels": 1}])
def test_tracks_of_different_formats_never_join(other):
    members = [analysed(1, about={"joins_next": True}), analysed(2, file=other)]
    assert [0, 1] == [draft.run for draft in drafts(members)]


def test_a_track_does_not_join_over_a_rejected_one():
    first, _, third = joined_by_manifest(True, True, None)
    found = drafts([first, rejected(2), third])
    assert [(draft.before, draft.after) for draft in found] == [((), ()), ((), ())]


def test_a_join_says_so_in_the_plan():
    found = plans(joined_by_manifest(True, None))
    assert ['"T2"', '"T1"'] == [d.how_much for one in found for d in one.plan.decisions if d.what == "join"]


def test_a_run_counts_its_frames_from_its_first_track():
    found = drafts(joined_by_manifest(True, True, None, None))
    assert [0, 180 * RATE_HZ, 360 * RATE_HZ, 0] == [draft.position_frames for draft in found]


DELIVERY_RATES = st.lists(st.sampled_from([None, 44_100, 48_000, 88_200, 96_000]), min_size=1, max_size=3)


@given(
    st.sampled_from([44_100, 48_000, 88_200, 96_000, 192_000]),
    DELIVERY_RATES,
    st.lists(st.floats(0.4, 400.0), min_size=2, max_size=4),
)
def test_run_ins_land_on_the_frames_of_every_delivery(rate_hz, to_hz, lengths_s):
    deliveries = tuple(Delivery(name=f"d{n}", container="wav", bits=24, rate_hz=one) for n, one in enumerate(to_hz))
    members = [with_rate(number, rate_hz, s, joins_next=True) for number, s in enumerate(lengths_s, 1)]
    for draft in drafts(members, profile(delivery=deliveries))[1:]:
        start = draft.position_frames - sum(stretch.frames for stretch in draft.before)
        for one in to_hz:
            assert start * (one or rate_hz) % rate_hz == 0  # a whole number of frames at the other rate
            assert start * (one or rate_hz) // rate_hz == resampled_frames(start, rate_hz, one or rate_hz)


@given(st.sampled_from([44_100, 96_000, 192_000]), st.lists(st.floats(0.4, 30.0), min_size=2, max_size=6))
def test_run_ins_and_run_outs_are_as_long_as_wanted_or_as_there_is_sound(rate_hz, lengths_s):
    members = [with_rate(number, rate_hz, s, joins_next=True) for number, s in enumerate(lengths_s, 1)]
    total = sum(member.analysis.format.frames for member in members)
    wanted, step = int(RUN_IN_S * rate_hz), rate_hz // math.gcd(rate_hz, 44_100)
    for draft in drafts(members):
        end = draft.position_frames + draft.analysis.format.frames
        heard_before, heard_after = (sum(s.frames for s in side) for side in (draft.before, draft.after))
        assert min(wanted, draft.position_frames) - step < heard_before <= draft.position_frames
        assert heard_after == min(wanted, total - end)


@given(st.lists(st.floats(0.4, 4.0), min_size=3, max_size=6))
def test_the_stretches_around_a_track_follow_on_each_other_without_a_gap(lengths_s):
    members = [with_rate(number, RATE_HZ, s, joins_next=True) for number, s in enumerate(lengths_s, 1)]
    frames = {member.track.uri: member.analysis.format.frames for member in members}
    uris = list(frames)
    for number, draft in enumerate(drafts(members)):
        before, after = draft.before, draft.after
        assert uris[number - len(before) : number] == [one.uri for one in before]
        assert uris[number + 1 : number + 1 + len(after)] == [one.uri for one in after]
        assert all(one.first_frame + one.frames == frames[one.uri] for one in before)
        assert all(one.first_frame == 0 for one in (*before[1:], *after))
        assert all(one.frames == frames[one.uri] for one in after[:-1])


def test_even_a_short_track_at_an_odd_rate_is_a_run_in():
    members = [with_rate(number, 44_101, 0.5, joins_next=True) for number in (1, 2, 3)]
    assert all(stretch.frames > 0 for draft in drafts(members)[1:] for stretch in draft.before)
    assert [0, 1, 2] == [len(draft.before) for draft in drafts(members)]


# Rejected members, order


def test_rejected_members_pass_through_unchanged_and_change_nothing():
    broken = [rejected(8), rejected(9)]
    found = draft_album([broken[0], *ALBUM, broken[1]], profile())
    assert broken == [one for one in found if not isinstance(one, Draft)]
    assert draft_album(ALBUM, profile()) == [one for one in found if isinstance(one, Draft)]


def test_rejected_members_pass_the_settlement_unchanged():
    rehearsed = [rehearse(draft) for draft in drafts(ALBUM)]
    found = settle_album([rejected(9), *rehearsed], profile(), MASTERS)
    assert [rejected(9)] == [one for one in found if not isinstance(one, Planned)]
    assert settle_album(rehearsed, profile(), MASTERS) == [one for one in found if isinstance(one, Planned)]


@pytest.mark.parametrize("mode", ["album", "track"])
def test_an_album_without_a_sound_track_passes_through(mode):
    broken = [rejected(1), rejected(2)]
    chosen = profile(loudness={"mode": mode})
    assert broken == draft_album(broken, chosen)
    assert broken == settle_album(broken, chosen, MASTERS)


def by_id(members: Sequence[Draft | Planned]) -> Mapping[str, Draft | Planned]:
    return {one.track.track_id: one for one in members}


MIXED = [
    analysed(1, -22.0, peak_dbtp=-3.0, about={"joins_next": True}),
    analysed(2, -16.0, peak_dbtp=0.5, offset_ratio=(0.1, 0.0)),
    analysed(3, -27.5, about={"disc": 2, "sequence": 1, "joins_next": True}),
    analysed(4, -19.0, about={"disc": 2, "sequence": 2}),
    analysed(5, -18.0, about={"sequence": None}),
    rejected(6),
]


@pytest.mark.parametrize("mode", ["album", "track"])
@given(st.permutations(MIXED))
def test_the_order_of_members_never_changes_an_album(mode, members):
    chosen = profile(loudness={"mode": mode})
    assert by_id(drafts(MIXED, chosen)) == by_id(drafts(members, chosen))
    assert by_id(plans(MIXED, chosen)) == by_id(plans(members, chosen))


def test_tracks_come_in_the_order_of_the_album():
    assert ["T1", "T2", "T5", "T3", "T4"] == [one.track.track_id for one in plans(MIXED[::-1])]


# Deliveries


def test_each_track_and_each_delivery_has_dither_of_its_own():
    seeds = [delivery.quantiser.seed for one in plans(ALBUM) for delivery in one.plan.deliveries]
    assert len(set(seeds)) == 6


def test_the_same_track_always_has_the_same_dither():
    alone, together = plans([ALBUM[0]])[0], plans(ALBUM)[0]
    assert [d.quantiser.seed for d in alone.plan.deliveries] == [d.quantiser.seed for d in together.plan.deliveries]


def test_a_delivery_without_a_rate_keeps_the_source_s():
    (plan,) = plans([with_rate(1, 96_000, 60.0)])
    assert {"flac24": 96_000, "cd": 44_100} == {d.name: d.rate_hz for d in plan.plan.deliveries}


def test_a_master_stands_in_the_folder_of_its_delivery_and_album():
    (plan,) = plans([analysed(1)])
    assert [d.uri for d in plan.plan.deliveries] == [
        f"{MASTERS}/flac24/A/1-01 T1.flac",
        f"{MASTERS}/cd/A/1-01 T1.wav",
    ]


@pytest.mark.parametrize(
    ("changes", "dithered"),
    [
        ({}, {"flac24": False, "cd": True}),  # 24 bits do not fit the CD's 16
        ({"file": {"bits": 16}}, {"flac24": False, "cd": False}),
        ({"file": {"floating": True, "bits": 32}}, {"flac24": True, "cd": True}),
        ({"file": {"bits": None, "lossy": True}}, {"flac24": True, "cd": True}),
        ({"file": {"rate_hz": 48_000, "bits": 16}}, {"flac24": False, "cd": True}),
        ({"lufs": -15.0, "file": {"bits": 16}}, {"flac24": True, "cd": True}),
        ({"peak_dbtp": -0.5, "file": {"bits": 16}}, {"flac24": True, "cd": True}),
        ({"peak_dbtp": 0.0, "file": {"bits": 16}}, {"flac24": True, "cd": True}),
        ({"offset_ratio": (0.1, 0.1), "file": {"bits": 16}}, {"flac24": True, "cd": True}),
    ],
)
def test_only_what_was_changed_is_dithered(changes, dithered):
    (plan,) = plans([analysed(1, **{"lufs": -14.0, "peak_dbtp": -5.0, **changes})])
    assert dithered == {d.name: d.quantiser.dither for d in plan.plan.deliveries}


def test_every_plan_gives_a_reason_for_each_processor():
    for one in plans(ALBUM):
        assert {"material", "subsonic filter", "tone", "width", "compressor", "gain"} <= {
            d.what for d in one.plan.decisions
        }
        assert len({d.what for d in one.plan.decisions}) == len(one.plan.decisions)
        assert all(d.how_much and d.why for d in one.plan.decisions)


def test_a_gain_that_stops_short_says_by_how_much():
    (plan,) = plans([analysed(1, -20.0, peak_dbtp=6.0)])
    assert plan.plan.target_limited is not None
    assert plan.plan.decisions[-1].why.endswith(plan.plan.target_limited)
    assert "LU short of -14 LUFS" in plan.plan.decisions[-1].why


def test_the_loud_profile_compresses_from_a_threshold_above_the_loudness():
    (plan,) = plans([analysed(1, -20.0)], profile("loud"))
    assert plan.plan.head.compressor is not None
    assert plan.plan.head.compressor.threshold_dbfs == -14.0


def test_frames_of_joined_masters_add_up_at_every_rate():
    found = plans([with_rate(n, 48_000, 7.77 * n, joins_next=True) for n in (1, 2, 3)])
    ends = [p.plan.position_frames + p.analysis.format.frames for p in found]
    starts = [resampled_frames(p.plan.position_frames, 48_000, 44_100) for p in found]
    assert starts[1:] == [resampled_frames(end, 48_000, 44_100) for end in ends[:-1]]
    assert np.all(np.diff(starts) > 0)


def test_an_album_of_three_hundred_tracks_is_decided_as_a_whole():
    many = [analysed(number, -20.0 - number % 7, spectrum_db=[-30.0] * 31) for number in range(1, 301)]
    found = plans(many)
    assert [one.track.sequence for one in found] == list(range(1, 301))
    assert len({one.plan.gain_db for one in found}) == 1


# Albums that come in parts


def in_parts(*numbers: int, total: int = 3) -> list[Any]:
    return [analysed(number, -20.0, about={"track_total": total}) for number in numbers]


def test_an_album_that_is_not_whole_is_left_out_as_a_whole():
    left_out = draft_album(in_parts(1, 3), profile())
    assert [("ALBUM_NOT_WHOLE", "2 of 3 tracks have come")] * 2 == [(one.code, one.text) for one in left_out]


def test_a_rejected_track_has_come():
    assert 2 == len(drafts([*in_parts(1, 2), rejected(3)]))


def test_manifests_that_disagree_are_named_and_the_larger_number_counts():
    left_out = draft_album([*in_parts(1, 2), *in_parts(3, total=4)], profile())
    assert {"3 of 4 tracks have come; the manifests tell of 3 and 4"} == {one.text for one in left_out}
