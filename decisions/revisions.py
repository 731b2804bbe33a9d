"""What reviewers ask of a track or an album, resolved: which instructions hold, how they change a profile, how they are told.

Instructions count from what a run would do without them. What the steps are worth stands where it is decided: tone and width in
`decisions/tone.py`, loudness and limiting in `decisions/asked_gain.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from msgspec import structs

from schemas.plan import Decision
from schemas.profile import Profile
from schemas.signoff import Asked, InForce, Override, Overrides, Revision
from schemas.steps import Analysed
from schemas.style import ToneWish
from schemas.track import Track

NOTHING = Revision()
_DIRECTIONS = {
    "tone_steps": ("brighter", "darker"),
    "loudness_steps": ("louder", "quieter"),
    "width_steps": ("wider", "narrower"),
    "limiting_steps": ("more limiting", "less limiting"),
}


class Wish(NamedTuple):
    """What a run of joined tracks is decided by: a profile that was changed as asked, and what was asked."""

    profile: Profile
    revision: Revision = NOTHING


def in_force(overrides: Overrides, tracks: Iterable[Track], locate: Callable[[str], str]) -> InForce:
    """The overrides that concern some tracks; `locate` gives the whole place of a reference, or raises ValueError."""
    subjects = {("track", track.track_id) for track in tracks} | {("album", track.album_id) for track in tracks}
    last = {(one.scope, one.subject_id): one for one in overrides.overrides}
    found: list[Override] = []
    refused: dict[str, str] = {}
    for subject, one in sorted(last.items()):
        if subject not in subjects or one.revision == NOTHING:
            continue
        if uri := one.revision.reference:
            try:
                uri = locate(uri)
            except ValueError as error:
                refused[uri] = f"it {error}"
            one = structs.replace(one, revision=structs.replace(one.revision, reference=uri))
        found.append(one)
    return InForce(overrides=tuple(found), refused_references=refused)


def instructed(tracks: Sequence[Track], force: InForce) -> list[Track]:
    """Tracks with what is asked of their albums and of themselves, and with nothing that was asked before."""
    by_subject = {(one.scope, one.subject_id): one for one in force.overrides}

    def own(track: Track) -> Track:
        subjects = (("album", track.album_id), ("track", track.track_id))
        asked = tuple(one for subject in subjects if (one := by_subject.get(subject)) is not None)  # type: ignore[arg-type]
        uris = {one.revision.reference for one in asked}
        refused = {uri: why for uri, why in force.refused_references.items() if uri in uris}
        changed = asked != track.asked or refused != track.refused_references
        return structs.replace(track, asked=asked, refused_references=refused) if changed else track

    return [own(track) for track in tracks]


def asked_of(run: Iterable[Track], album: Iterable[Track]) -> Asked:
    """What holds for a run of joined tracks of an album: they share every setting, so what is asked of one holds for all."""
    whole = merged(one.revision for one in _of_album(album))
    return Asked(album=whole, run=merged([whole, *(one.revision for one in _of_tracks(run))]))


def merged(revisions: Iterable[Revision]) -> Revision:
    """Several revisions as one: what a later one says, field by field, holds instead of what an earlier one said.

    >>> words(merged([Revision(tone_steps=1, width_steps=1), Revision(tone_steps=-1)]))
    'darker (1 step), wider (1 step)'
    >>> words(merged([Revision(tone_steps=1, loudness_steps=1), Revision(leave_alone=True)]))
    'louder (1 step), left alone'
    """
    held = NOTHING
    for one in revisions:
        if one.leave_alone:
            # Who wants a track left alone wants nothing of what was asked of its sound before.
            held = Revision(loudness_steps=held.loudness_steps, limiting_steps=held.limiting_steps)
        said = {
            name: value for name in one.__struct_fields__ if (value := getattr(one, name)) != getattr(NOTHING, name)
        }
        held = structs.replace(held, **said)
    return held


def differs(asked: Asked) -> bool:
    """Whether a run is to sound or to be loud otherwise than its album; less limiting holds for all that share a gain."""
    run, album = (structs.replace(one, limiting_steps=0) for one in (asked.run, asked.album))
    return run != album


def revised(profile: Profile, revision: Revision) -> Profile:
    """A profile as a revision has it, but for the steps, which count from what is decided by it.

    Left alone, a track keeps what its carrier asks for: without that it could not be delivered.
    """
    if not revision.leave_alone:
        return profile
    taste = profile.taste
    bare = type(taste)(
        name=taste.name,
        description=taste.description,
        tone=ToneWish(amount_ratio=0.0, max_db=0.0, max_rms_db=0.0),
        limiter=taste.limiter,
    )
    limits = {"offset_limit_dbfs": math.inf, "subsonic_limit_db": math.inf, "declip_below_hz": 0.0}
    cleaning = structs.replace(profile.cleaning, **limits)
    return structs.replace(profile, taste=bare, cleaning=cleaning, compressor=None)


def with_references(run: Sequence[Analysed], revision: Revision) -> list[Analysed]:
    """Joined tracks that lean to the recording that a reviewer named for one of them, if one did."""
    if revision.reference is None:
        return list(run)
    named = [one for track in run for one in track.asked_references if one.uri == revision.reference]
    return [structs.replace(track, references=tuple(named[:1])) for track in run]


def words(revision: Revision) -> str:
    """A revision as a person would say it.

    >>> words(Revision(tone_steps=2, limiting_steps=-1, tone_amount_ratio=0.5))
    'brighter (2 steps), less limiting (1 step), 50 % of the tone correction'
    """
    said = []
    for name, (more, less) in _DIRECTIONS.items():
        if steps := getattr(revision, name):
            said.append(f"{more if steps > 0 else less} ({abs(steps)} step{'s' if abs(steps) > 1 else ''})")
    if revision.tone_amount_ratio is not None:
        said.append(f"{100.0 * revision.tone_amount_ratio:.0f} % of the tone correction")
    if revision.leave_alone:
        said.append("left alone")
    if revision.reference is not None:
        said.append(f"another reference, {revision.reference}")
    return ", ".join(said)


def asked_decisions(track: Track, run: Sequence[Track], album: Sequence[Track]) -> list[Decision]:
    """What was asked, by whom and when, of an album, a track, or one that it is joined with."""
    told = [_told(one, f', for the album "{track.album or track.album_id}"') for one in _of_album(album)]
    for one in _of_tracks(run):
        other = next(member for member in run if member.track_id == one.subject_id)
        joined = f', for "{_title(other)}"; this track is joined with it, and joined tracks share every setting'
        told.append(_told(one, "" if other.track_id == track.track_id else joined))
    return told


def held_decisions(track: Track, others: Iterable[Track]) -> list[Decision]:
    """That less limiting was asked of others which share the gain of a track."""
    return [
        Decision(
            what="asked",
            how_much="the gain that all share comes down",
            why=f'{_who(one)}: {words(one.revision)}, for "{_title(other)}"; one gain keeps the distances between tracks',
        )
        for other in others
        for one in _of_tracks([other])
        if one.revision.limiting_steps and other.track_id != track.track_id
    ]


def _told(one: Override, whom: str) -> Decision:
    note = f"; {one.note}" if one.note else ""
    return Decision(what="asked", how_much=words(one.revision), why=f"{_who(one)}: {words(one.revision)}{whom}{note}")


def _who(one: Override) -> str:
    return f"asked by {one.reviewer} on {one.at[:10]}"


def _title(track: Track) -> str:
    return track.title or track.track_id


def _of_album(album: Iterable[Track]) -> list[Override]:
    """What was asked of an album, alone or not at all; parts of it that came earlier may know of what was asked then."""
    found = {one.at: one for track in album for one in track.asked if one.scope == "album"}
    return [found[max(found)]] if found else []


def _of_tracks(run: Iterable[Track]) -> list[Override]:
    """What was asked of single tracks, the oldest first: the newest word holds for all that are joined."""
    found = [one for track in run for one in track.asked if one.scope == "track"]
    return sorted(found, key=lambda one: (one.at, one.subject_id))
