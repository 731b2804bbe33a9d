"""Which tracks of a manifest a run concerns: the same answer in the driver and on every worker."""

from __future__ import annotations

from hashlib import sha256

import msgspec
from msgspec import Struct, structs

from decisions.revisions import instructed
from schemas.errors import CatalogueError
from schemas.manifest import select
from schemas.signoff import InForce
from schemas.track import Track


class Selection(Struct, frozen=True, kw_only=True):
    """A manifest, and what narrows it down; `digest` is that of the tracks the driver saw."""

    manifest: str
    output: str = ""
    """Where the run writes: never a source."""
    roots: tuple[str, ...] = ()
    only: str | None = None
    limit: int | None = None
    retried: tuple[str, ...] | None = None
    """Ids of the tracks that are tried again; None where that was not asked for."""
    digest: str = ""
    songs_only: bool = False
    """Only what comes as stems; other tracks are measured where their album needs it."""
    asked: InForce = InForce()
    """What reviewers ask of its tracks."""
    asked_name: str = ""
    """Where that is kept while the selection travels without it."""


def selected_tracks(tracks: list[Track], selection: Selection) -> list[Track]:
    """The tracks to master, and those of the same albums, which are only measured: an album is decided as a whole.

    Raises CatalogueError if nothing is selected, or if the manifest is not the one that the driver saw.
    """
    if selection.digest and digest_of(tracks) != selection.digest:
        raise CatalogueError("MANIFEST_CHANGED", f"{selection.manifest} was changed while the run began; run again")
    retried = set(selection.retried or ())
    offered = [track for track in tracks if selection.retried is None or track.track_id in retried]
    if selection.songs_only:
        offered = [track for track in offered if track.song is not None]
    chosen = {track.track_id for track in select(offered, only=selection.only, limit=selection.limit)}
    if not chosen:
        raise CatalogueError("NOTHING_SELECTED", _nothing(selection, len(offered)))
    albums = {track.album_id for track in tracks if track.track_id in chosen}
    concerned = [track for track in tracks if track.album_id in albums]
    marked = [t if t.track_id in chosen else structs.replace(t, selected=False) for t in concerned]
    return instructed(marked, selection.asked)


def _nothing(selection: Selection, offered: int) -> str:
    if selection.songs_only and not offered:
        return f"{selection.manifest} has no row with a mix_id: there are no stems to mix; lathe run masters tracks"
    return f"--only {selection.only!r} and --limit {selection.limit} select none of {offered} tracks"


def digest_of(tracks: list[Track]) -> str:
    """Names a list of tracks by its content."""
    return sha256(msgspec.msgpack.encode(tracks)).hexdigest()
