"""What a run would do with the tracks of an album, found without decoding any sound and without writing anything.

Where all that an album's decisions rest on is in the ledger, they are taken again, by the very functions of a run; what is
left open is whether a file's bytes are still those that were measured: its format and its age speak for it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import NamedTuple

from msgspec import Struct

from decisions.album import draft_album, settle_album
from media import store
from media.glance import Glance, glance
from media.ledger import Ledger, fingerprint
from media.references import remembered_asked, remembered_references
from media.source import sha256_of
from media.steps import (
    MasterRecord,
    check_duration,
    check_format,
    check_source,
    foreseen_asked,
    foreseen_reason,
    remembered_analysis,
    remembered_takes,
    remembered_unasked,
)
from pipeline.calibration import Step
from pipeline.song_foresight import SongGlance, glance_at_song
from schemas.errors import TrackError
from schemas.profile import Profile
from schemas.steps import Analysed, Analysing, Draft, Job, Planned, Rehearsed, Rehearsing, Rejected, track_id_of
from schemas.track import Track

HASHED_BYTES = 8e9
"""So much is read at most, of files that are newer than their masters or have none: some 10 s from a disk."""


class Foreseen(Struct, frozen=True, kw_only=True):
    """What would become of a track."""

    track: Track
    outcome: str
    """`mastered`, `skipped`, `rejected`, or `measured` for one that is only here for its album."""
    reason: str
    code: str = ""
    steps: tuple[Step, ...] = ()
    duration_s: float = 0.0
    frames: int = 0
    samples: float = 0.0
    """Frames times channels."""
    size_bytes: int = 0
    stem_samples: float = 0.0
    """Of a song that comes as stems: frames times channels of all of them."""


class Hashing:
    """A budget of bytes that may be read to learn whether a source is one that was measured before."""

    def __init__(self, bytes_left: float = HASHED_BYTES) -> None:
        self._left, self._lock = bytes_left, threading.Lock()

    def sha256(self, uri: str, size_bytes: int) -> str | None:
        """The SHA-256 of a local file; None for any other, and where the budget is spent."""
        with self._lock:
            if store.is_remote(uri) or size_bytes > self._left:
                return None
            self._left -= size_bytes
        return sha256_of(store.local_path(uri))


class _Seen(NamedTuple):
    """A track at a glance, and what an earlier run left of it."""

    track: Track
    glance: Glance
    before: MasterRecord | None
    analysed: Analysed | None
    song: SongGlance | None = None


def foresee_album(tracks: Sequence[Track], job: Job, hashing: Hashing) -> list[Foreseen]:
    """What would become of each track of an album."""
    seen = [_seen(track, job, hashing) for track in tracks]
    members = [one if isinstance(one, Rejected) else one.analysed for one in seen]
    known: list[Analysing] = [member for member in members if member is not None]
    reasons, tried = _decided(known, job.profiles[tracks[0].profile], job) if len(known) == len(seen) else ({}, {})
    return [_foreseen(one, track, reasons, tried, job) for one, track in zip(seen, tracks, strict=True)]


def _seen(track: Track, job: Job, hashing: Hashing) -> _Seen | Rejected:
    try:
        song = glance_at_song(track, job, _began_s) if track.song is not None else None
        found = song.mix if song is not None else glance(track.uri)
        check_format(found.format, job.profiles[track.profile])
        check_duration(found.format, track, job.profiles[track.profile])
        before = Ledger(job.output, job.run_id).get("masters", fingerprint(track.track_id), MasterRecord)
        unmixed = song is not None and not song.stands
        analysed = None if unmixed else _analysed(track, found, before, job, hashing)
        if analysed is not None:
            check_source(analysed.analysis, track, job.profiles[track.profile])
        return _Seen(track, found, before, analysed, song)
    except TrackError as error:
        return Rejected.of(track, "analyse", error.code, error.text)
    except FileNotFoundError:
        return Rejected.of(track, "analyse", "SOURCE_MISSING", f"there is no file {track.uri}")
    except OSError as error:
        return Rejected.of(
            track, "analyse", "SOURCE_UNREADABLE", f"{track.uri} cannot be read: {error.strerror or error}"
        )


def _analysed(track: Track, found: Glance, before: MasterRecord | None, job: Job, hashing: Hashing) -> Analysed | None:
    """A source as an earlier run measured it, with its references; None where it would have to be measured."""
    ledger, profile = Ledger(job.output, job.run_id), job.profiles[track.profile]
    digest = track.sha256 or _recorded(found, before)
    digest = digest or hashing.sha256(track.uri, found.size_bytes)
    analysis = remembered_analysis(digest, profile, ledger) if digest else None
    references = remembered_references(track.reference_uris or profile.references, ledger)
    asked = remembered_asked(track, ledger)
    if analysis is None or references is None or asked is None:
        return None
    return Analysed(track=track, analysis=analysis, references=references, asked_references=asked)


def _recorded(found: Glance, before: MasterRecord | None) -> str | None:
    """The SHA-256 from which masters were made, where the file still has that format and was not touched since."""
    if before is None or before.mastered.analysis.format != found.format:
        return None
    return before.mastered.analysis.sha256 if found.changed_s < _began_s(before.run_id) else None


def _began_s(run_id: str) -> float:
    """When a run began, by its name; 0.0 for a name that tells no time."""
    try:
        began = datetime.strptime(run_id.split("Z")[0], "%Y%m%dT%H%M%S")
    except ValueError:
        return 0.0
    return began.replace(tzinfo=timezone.utc).timestamp()


def _decided(known: Sequence[Analysing], profile: Profile, job: Job) -> tuple[dict[str, str], dict[str, bool]]:
    """By track: why it would be made again (empty: it would not); and whether its gains were tried before."""
    ledger = Ledger(job.output, job.run_id)
    rehearsed: list[Rehearsing] = []
    tried: dict[str, bool] = {}
    asked: dict[str, str] = {}
    for draft in draft_album(known, profile):
        known_takes = remembered_takes(draft, ledger) if isinstance(draft, Draft) else None
        if isinstance(draft, Draft) and known_takes is not None:
            rehearsed.append(Rehearsed(draft=draft, takes=known_takes[0], unasked_takes=known_takes[1]))
            tried[track_id_of(draft)] = True
        elif isinstance(draft, Draft):
            tried[track_id_of(draft)] = False
            if reason := foreseen_asked(draft, job):
                asked[track_id_of(draft)] = reason
            # The gain of its album does not hang on what was asked of a single track.
            if draft.unasked is not None and (takes := remembered_unasked(draft, ledger)) is not None:
                rehearsed.append(Rehearsed(draft=draft.as_unasked(), takes=takes))
    if len(rehearsed) < len(tried):
        return asked, tried
    plans = settle_album(rehearsed, profile, store.join(job.output, "masters"))
    reasons = {track_id_of(one): foreseen_reason(one, job) for one in plans if isinstance(one, Planned)}
    return reasons | asked, tried


def _foreseen(
    one: _Seen | Rejected, track: Track, reasons: dict[str, str], tried: dict[str, bool], job: Job
) -> Foreseen:
    if isinstance(one, Rejected):
        outcome = "rejected" if track.selected else "measured"
        return Foreseen(track=track, outcome=outcome, reason=one.text, code=one.code)
    name = track.track_id
    reason = reasons[name] if name in reasons else _open_reason(one)
    outcome = ("mastered" if reason else "skipped") if track.selected else "measured"
    steps: list[Step] = [] if one.song is None else [("hear", one.song.stands), ("mix", one.song.stands)]
    steps += [("analyse", one.analysed is not None), ("rehearse", tried.get(name, False))]
    if track.selected:
        steps.append(("master", not reason))
    audio = one.glance.format
    return Foreseen(
        track=track,
        outcome=outcome,
        reason=reason or "source, settings and version are unchanged, and the masters are there",
        steps=tuple(steps),
        duration_s=audio.duration_s,
        frames=audio.frames,
        samples=float(audio.frames * audio.channels),
        size_bytes=one.glance.size_bytes if one.song is None else one.song.stem_bytes,
        stem_samples=0.0 if one.song is None else one.song.stem_samples,
    )


def _open_reason(one: _Seen) -> str:
    """Why a track is taken for one to be mastered, where its album cannot be decided without decoding."""
    if one.song is not None and not one.song.stands:
        return "it is to be mixed from its stems first"
    if one.before is None:
        return "never mastered into this output"
    if one.analysed is None:
        return f"its source or the version of the figures changed since run {one.before.run_id}"
    return f"something of its album has to be measured or tried again since run {one.before.run_id}"
