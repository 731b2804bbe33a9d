"""A row of the manifest after all checks: what the label says about one recording."""

from __future__ import annotations

from msgspec import Struct, field

from schemas.signoff import Override
from schemas.stems import Song


class Track(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One source and its place in an album; `row` counts as a person would (the first row of a CSV is its header)."""

    row: int
    uri: str
    track_id: str
    album_id: str
    album_folder: str
    """Folder of the album below `masters/<delivery>/`: safe on any file system, unique in the manifest."""
    file_stem: str
    """Name of the master without its extension: safe on any file system, unique in its folder."""
    profile: str = ""
    """Name or URI of the profile of this row's album; empty: the profile of the run."""
    disc: int = 1
    sequence: int | None = None
    track_total: int | None = None
    """Tracks of its album, on all discs and in all manifests; None: those of this manifest are all."""
    isrc: str | None = None
    upc: str | None = None
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    label: str | None = None
    year: int | None = None
    sha256: str | None = None
    duration_s: float | None = None
    joins_next: bool | None = None
    """True or False where the manifest says so; None: to be found from the audio."""
    reference: str | None = None
    """URIs of recordings that it is to sound like, one a line."""
    extra: dict[str, str] = field(default_factory=dict)
    selected: bool = True
    """False: only here so that its album is decided as a whole; it is not mastered in this run."""
    asked: tuple[Override, ...] = ()
    """What reviewers ask of its album, then of the track itself; no column of a manifest."""
    refused_references: dict[str, str] = field(default_factory=dict)
    """Recordings that a reviewer named and that may not be read, and why."""
    song: Song | None = None
    """Where it is mixed from stems first; `uri` is then where the mix will stand in the output."""

    @property
    def reference_uris(self) -> tuple[str, ...]:
        """Each recording that it is to sound like."""
        return tuple(self.reference.split("\n")) if self.reference else ()

    @property
    def asked_uris(self) -> tuple[str, ...]:
        """Each recording that a reviewer named for it or its album."""
        return tuple(dict.fromkeys(one.revision.reference for one in self.asked if one.revision.reference))

    @property
    def order(self) -> tuple[int, int, str]:
        """Sorting key inside the album; tracks without a sequence come last, by name."""
        return (self.disc, self.sequence if self.sequence is not None else 1 << 30, self.track_id)
