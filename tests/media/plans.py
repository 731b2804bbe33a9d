"""Makes plans without Beam: analysis, draft, rehearsal and gain of tracks on disk, as a run does them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import structs

from decisions.album import draft_album, settle_album
from decisions.profile_files import load_profile
from media.analysis import analyse
from media.passage import head_blocks
from media.rehearsal import rehearse
from schemas.profile import Delivery, Profile
from schemas.steps import Analysed, Draft, Planned, Rehearsed
from schemas.track import Track

FLAC24 = Delivery(name="flac24", container="flac", bits=24)
WAV24 = Delivery(name="wav24", container="wav", bits=24)
WAV16 = Delivery(name="wav16", container="wav", bits=16)
CD = Delivery(name="cd", container="wav", bits=16, rate_hz=44_100)


def profile(*deliveries: Delivery, tone_max_db: float = 3.0) -> Profile:
    """The profile `streaming` with other deliveries and another guard on the tone."""
    found = load_profile("streaming")
    deliveries = deliveries or found.delivery
    return structs.replace(found, delivery=deliveries, tone=structs.replace(found.tone, max_db=tone_max_db))


def track(path: Path, **more: object) -> Track:
    """A row of a manifest for a file, alone in an album of its own unless told otherwise."""
    row = {"row": 1, "track_id": path.stem, "album_id": "A", "album_folder": "A", "file_stem": path.stem}
    return Track(uri=str(path), **(row | more))


def planned_album(tracks: Sequence[Track], chosen: Profile, output: str = "") -> list[Planned]:
    """The plans of an album, in album order."""
    analysed = [Analysed(track=one, analysis=analyse(Path(one.uri))) for one in tracks]
    drafts = [one for one in draft_album(analysed, chosen) if isinstance(one, Draft)]
    takes = [
        Rehearsed(draft=one, takes=rehearse(one, head_blocks(one)) if one.needs_rehearsal else ()) for one in drafts
    ]
    return [one for one in settle_album(takes, chosen, f"{output}/masters") if isinstance(one, Planned)]


def planned(path: Path, *deliveries: Delivery, gain_db: float | None = None, **more: object) -> Planned:
    """The plan of one track; with `gain_db` that gain and nothing before it."""
    (found,) = planned_album([track(path, **more)], profile(*deliveries))
    if gain_db is None:
        return found
    plan = structs.replace(found.plan, gain_db=gain_db, head=type(found.plan.head)())
    return structs.replace(found, plan=plan)


def untouched(path: Path, *deliveries: Delivery, **more: object) -> Planned:
    """A plan that changes nothing: no gain and no dither, so that a master must equal its source."""
    found = planned(path, *deliveries, gain_db=0.0, **more)
    plain = tuple(structs.replace(d, quantiser=_plain(d.quantiser)) for d in found.plan.deliveries)
    return structs.replace(found, plan=structs.replace(found.plan, deliveries=plain))


def _plain(quantiser):  # type: ignore[no-untyped-def]
    return type(quantiser)(bits=quantiser.bits, dither=False)
