"""Gain sharing in a song: as the manifest asks for it, and else never."""

from __future__ import annotations

from decisions.mixing.mix import draft_mix
from decisions.mixing.reasons import unexplained
from decisions.mixing.session import neutral_settings
from decisions.mixing.sharing import decide_sharing
from media.mixing.sound import sound_of
from schemas.mix import MixSettings
from tests.decisions.mixing.sessions import full_session, phrases, session, stem


def panel(**third: object) -> MixSettings:
    """Two of a group, and a third microphone."""
    song = session(
        stem("host", "vocal", course=phrases(), automix_group="a", weight_db=3.0),
        stem("guest", "vocal", course=phrases(), automix_group="a"),
        stem("third", "vocal", course=phrases(), **third),  # type: ignore[arg-type]
    )
    return decide_sharing(song, neutral_settings(song))


def groups(settings: MixSettings) -> dict[str, str | None]:
    return {strip.stem_id: strip.sharing.group if strip.sharing else None for strip in settings.stems}


def test_stems_of_a_group_share_their_gain_and_others_do_not():
    made = panel()
    assert {"host": "a", "guest": "a", "third": None} == groups(made)
    assert unexplained(made) == []


def test_weight_and_mode_of_the_manifest_reach_the_console():
    song = session(
        stem("host", "vocal", automix_group="a", automix_mode="music", weight_db=3.0),
        stem("guest", "vocal", automix_group="a", automix_mode="music"),
    )
    (group,) = sound_of(draft_mix(song), (1, 1)).groups
    assert (0, 1) == group.strips and "music" == group.sharing.kind
    assert [0.0, 3.0] == [channel.weight_db for channel in group.sharing.channels]


def test_a_stem_alone_in_its_group_shares_with_nobody():
    assert groups(panel(automix_group="b"))["third"] is None


def test_a_muted_or_locked_stem_takes_no_part():
    assert groups(panel(automix_group="a", mute=True))["third"] is None
    assert groups(panel(automix_group="a", lock=True))["third"] is None


def test_without_a_wish_nobody_shares():
    made = draft_mix(full_session())
    assert () == made.groups and set(groups(made).values()) == {None}
