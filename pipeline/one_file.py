"""Masters one file without Beam: the same decisions, chain and proof as a run, for a track that stands alone."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import structs

from decisions.album import draft_album, settle_album
from decisions.rows import track_row
from media.analysis import analyse
from media.passage import head_blocks
from media.references import check_references, measured_references
from media.rehearsal import rehearse
from media.steps import check_source, rendered
from media.store import replace
from schemas.errors import CatalogueError
from schemas.profile import Delivery, Profile
from schemas.qc import TrackRow
from schemas.steps import Analysed, Planned, Rehearsed
from schemas.track import Track

CONTAINERS = {".flac": "flac", ".wav": "wav"}
RUN = "one-file"


def master_file(source: Path, destination: Path, profile: Profile) -> TrackRow:
    """Masters `source` into `destination` (.flac or .wav) and returns its row; raises TrackError or CatalogueError."""
    _check_destination(source, destination)
    check_references(profile.references)
    alone = structs.replace(profile, delivery=(_delivery(destination, profile),))
    planned = _plan(source, destination, alone)
    with TemporaryDirectory(dir=destination.parent, prefix=".lathe-") as folder:
        mastered = rendered(planned, "asked for", Path(folder), lambda path, uri, digest: replace(path, uri))
    return track_row(mastered, RUN, alone)


def _check_destination(source: Path, destination: Path) -> None:
    if destination.suffix.lower() not in CONTAINERS:
        text = f"destination {destination} must end in {' or '.join(CONTAINERS)}"
        raise CatalogueError("OUTPUT_NOT_WRITABLE", text)
    if source.resolve() == destination.resolve():
        raise CatalogueError(
            "OUTPUT_NOT_WRITABLE", f"destination {destination} is the source itself; give another name"
        )
    if not destination.parent.is_dir():
        raise CatalogueError("OUTPUT_NOT_WRITABLE", f"there is no folder {destination.parent}; make it first")
    if not os.access(destination.parent, os.W_OK):
        raise CatalogueError("OUTPUT_NOT_WRITABLE", f"folder {destination.parent} may not be written; give another")


def _delivery(destination: Path, profile: Profile) -> Delivery:
    """The profile's first delivery of the destination's container, else its first in that container."""
    container = CONTAINERS[destination.suffix.lower()]
    fitting = [delivery for delivery in profile.delivery if delivery.container == container]
    return fitting[0] if fitting else structs.replace(profile.delivery[0], container=container)


def _plan(source: Path, destination: Path, profile: Profile) -> Planned:
    track = Track(
        row=1, uri=str(source), track_id=source.name, album_id=source.name, album_folder=source.stem,
        file_stem=destination.stem,
    )  # fmt: skip
    analysis = analyse(source, dual_mono=profile.loudness.dual_mono)
    check_source(analysis, track, profile)
    references = measured_references(profile.references)
    (draft,) = draft_album([Analysed(track=track, analysis=analysis, references=references)], profile)
    takes = rehearse(draft, head_blocks(draft)) if draft.needs_rehearsal else ()  # type: ignore[union-attr, arg-type]
    (planned,) = settle_album([Rehearsed(draft=draft, takes=takes)], profile, "")  # type: ignore[arg-type]
    assert isinstance(planned, Planned)
    (delivery,) = planned.plan.deliveries
    here = structs.replace(delivery, uri=str(destination))
    return structs.replace(planned, plan=structs.replace(planned.plan, deliveries=(here,)))
