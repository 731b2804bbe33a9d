"""Versions of a mix on their way to masters of their own: instrumental, a cappella, TV.

A version is a track like any other under the plan of its mix: the same head, gain and limiter settings, at another place, with
another seed of its dither. Where the chain allows it is rendered together with the mix, whose gains it follows: versions then
line up with the full master and add up to it. Only the last resort is its own: a limiter for peaks that the mix has not.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterable
from dataclasses import replace as changed
from hashlib import sha256

from msgspec import structs

from dsp.linked import unlinkable
from media import store
from media.ledger import fingerprint
from media.rendering import Rendering
from media.source import open_source, sha256_of
from schemas.errors import TrackError
from schemas.plan import DeliveryPlan, Head, Neighbour, Plan
from schemas.safe_names import version_stem
from schemas.stems import VERSIONS
from schemas.steps import Job, Planned, Version

LINKING_VERSION = 1
"""Rises when a version comes out otherwise from the same sources and settings, and not because of the sound of the chain."""


def asked_versions(planned: Planned, job: Job) -> dict[Version, Planned]:
    """The versions that are to be mastered with a track; raises TrackError for one that does not fit its mix.

    A mix that holds nothing of a version has no file of it: without voices there is no a cappella.
    """
    if planned.track.song is None:
        return {}
    found: dict[Version, Planned] = {}
    for name in (one for one in VERSIONS if one in job.mixing.versions):
        uri = version_uri(planned.track.uri, name)
        if store.exists(uri):
            found[name] = _version(planned, name, uri, job)
    return found


def parts_of(versions: dict[Version, Planned]) -> dict[str, str]:
    """What the masters of versions depend on beside what the full master does, by the words in which a change is told."""
    return {
        f"{name} version": fingerprint(LINKING_VERSION, one.analysis.sha256, _neighbours(one.plan))
        for name, one in versions.items()
    }


def version_uri(uri: str, name: Version) -> str:
    """Where a version of a mix stands.

    >>> version_uri("out/mixes/song/mix.wav", "tv")
    'out/mixes/song/versions/tv.wav'
    """
    return f"{uri.rpartition('/')[0]}/versions/{name}.wav"


def version_name(uri: str, name: Version) -> str:
    """The place of a version's master beside that of the full master.

    >>> version_name("masters/cd/Album/1-01 Song.wav", "tv")
    'masters/cd/Album/1-01 Song (tv).wav'
    """
    stem, ending = os.path.splitext(uri)
    return version_stem(stem, name) + ending


def why_apart(head: Head) -> str:
    """Why versions cannot be rendered together with their mix; empty where they can."""
    others = {type(one) for one in unlinkable(head.settings())}
    names = [name for name in head.__struct_fields__ if type(getattr(head, name)) in others]
    if not names:
        return ""
    listed = ", ".join(name.replace("_", " ") for name in names)
    return f"the chain acts on each sound by what it hears ({listed}): the version went through one of its own"


def why_guarded(rendering: Rendering) -> str:
    """Why a version that followed its mix does not quite add up with others; empty where it does."""
    if not rendering.max_reduction_db:
        return ""
    depth = f"{max(0.01, rendering.max_reduction_db):.2f} dB"
    return f"it has peaks of its own over the ceiling; a limiter of its own turned them down by up to {depth}"


def _version(planned: Planned, name: Version, uri: str, job: Job) -> Planned:
    """A version as a track under the plan of its mix."""
    track = planned.track
    title = f"{track.title} ({name})" if track.title else None
    plan = structs.replace(
        planned.plan,
        head=_head(planned.plan.head, name),
        deliveries=tuple(_delivery(one, track.track_id, name) for one in planned.plan.deliveries),
        before=_neighbours_of(planned.plan.before, name, job),
        after=_neighbours_of(planned.plan.after, name, job),
    )
    analysis = structs.replace(planned.analysis, sha256=_checked_sha256(uri, planned, name))
    return Planned(track=structs.replace(track, uri=uri, title=title), analysis=analysis, plan=plan)


def _checked_sha256(uri: str, planned: Planned, name: Version) -> str:
    """Raises TrackError unless the file is as long as its mix, frame for frame."""
    with store.fetched(uri) as path:
        with open_source(path) as source:
            mix, found = planned.analysis.format, source.format
        if (found.frames, found.rate_hz, found.channels) != (mix.frames, mix.rate_hz, mix.channels):
            text = (
                f"the {name} at {uri} has {found.frames} frames in {found.channels} channels at {found.rate_hz} Hz, "
                f"its mix {mix.frames} in {mix.channels} at {mix.rate_hz} Hz"
            )
            raise TrackError("SOURCE_CHANGED", text, "Mix the song again.")
        return sha256_of(path)


def _head(head: Head, name: Version) -> Head:
    """What offset the mix has, the music has; so that the filters of versions start from what adds up to it."""
    if head.subsonic is None or name != "acappella":
        return head
    return structs.replace(head, subsonic=changed(head.subsonic, offset_ratio=()))


def _delivery(delivery: DeliveryPlan, track_id: str, name: Version) -> DeliveryPlan:
    """The dither of a version is another than that of the full master, or their sum would hold it twice."""
    digest = sha256(f"{track_id}\n{delivery.name}\n{name}".encode()).digest()
    quantiser = changed(delivery.quantiser, seed=int.from_bytes(digest[:8], "big") >> 1)
    return structs.replace(delivery, uri=version_name(delivery.uri, name), quantiser=quantiser)


def _neighbours_of(neighbours: Iterable[Neighbour], name: Version, job: Job) -> tuple[Neighbour, ...]:
    return tuple(_neighbour(one, name, job) for one in neighbours)


def _neighbour(one: Neighbour, name: Version, job: Job) -> Neighbour:
    """The same version of a neighbour that is a mix too; of any other recording all is music, and nothing is voice."""
    uri = version_uri(one.uri, name)
    if one.uri.startswith(store.join(job.output, "mixes") + "/") and store.exists(uri):
        with store.fetched(uri) as path:
            return structs.replace(one, uri=uri, sha256=sha256_of(path))
    return structs.replace(one, uri="", sha256="") if name == "acappella" else one


def _neighbours(plan: Plan) -> list[Neighbour]:
    return [structs.replace(one, uri="silence" if not one.uri else "") for one in (*plan.before, *plan.after)]
