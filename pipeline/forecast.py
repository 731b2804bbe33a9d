"""What a run would do, and what it would take: hours of audio, core hours, time, gigabytes and money; nothing is written.

It reads the headers of sources, the ledger of the output, and what earlier runs into it took. Of a very large manifest it looks
at albums spread evenly over it, and scales up.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from media import store
from pipeline.calibration import OF_STEMS, Calibration, calibrated
from pipeline.foresight import HASHED_BYTES, Foreseen, Hashing, foresee_album
from pipeline.prices import Cost, PriceTable, costs
from pipeline.run_records import run_ids
from schemas.profile import Delivery, Profile
from schemas.steps import Job
from schemas.track import Track

LOOKED_AT = 2_000
"""Tracks that are looked at; of more, a sample: a header takes a millisecond on a disk, a request in a bucket."""
THREADS = 16
ALWAYS = ("analyse", "rehearse", "master")
"""The stages of every track."""
FLAC_RATIO = 0.65
"""What FLAC leaves of PCM, before an output's own masters tell."""
SHUFFLED_BYTES = 250_000
"""Of a track's records between all steps together: six times 20 to 60 kB, most of it drawings and spectra (measured)."""
_WORKERS = re.compile(r"--(?:direct_num_workers|parallelism|num_workers|max_num_workers)=(\d+)")


class StageWork(Struct, frozen=True, kw_only=True):
    """What one stage would take."""

    stage: str
    tracks: int
    """Whose result is not remembered."""
    cpu_s: float


class Refusal(Struct, frozen=True, kw_only=True):
    """A track that would be rejected for certain."""

    track_id: str
    uri: str
    code: str
    text: str


class Forecast(Struct, frozen=True, kw_only=True):
    """What is to be expected of a run. The first seven are those of a plain look at the manifest."""

    tracks: int
    albums: int
    measured_only: int
    missing: list[str]
    profiles: list[str]
    deliveries: list[str]
    output: str
    mastered: int
    skipped: int
    rejected: int
    """Those that are certain; what decoding will show is not foreseen."""
    reasons: dict[str, int]
    refusals: list[Refusal]
    looked_at: int
    """Tracks whose headers were read: fewer than there are in a very large manifest, where all figures are scaled up."""
    audio_s: float
    """Of all sources that are there."""
    mastered_audio_s: float
    stages: list[StageWork]
    overhead_cpu_s: float
    cpu_s: float
    """Of all stages, and of the run as such."""
    workers: int
    wall_s: float
    bytes_read: float
    """Of all sources, once; each step that is done reads its source again."""
    bytes_written: float
    costs: list[Cost]
    learned_from_tracks: int
    learned_from_runs: int


def forecast(tracks: Sequence[Track], job: Job, prices: PriceTable, beam_options: Sequence[str]) -> Forecast:
    """Looks at the tracks of a run, those that are only measured among them."""
    albums = _by_album(tracks)
    sample = _spread(albums)
    hashing = Hashing(HASHED_BYTES if run_ids(job.output) else 0.0)
    with ThreadPoolExecutor(THREADS) as pool:
        foreseen = [
            one for found in pool.map(lambda album: foresee_album(album, job, hashing), sample) for one in found
        ]
    scale = len(tracks) / len(foreseen)
    learned = calibrated(job.output)
    selected = [track for track in tracks if track.selected]
    outcomes = _outcomes(foreseen, len(selected))
    stages = _stages(foreseen, scale, learned)
    core_s = sum(stage.cpu_s for stage in stages)
    workers = _workers(beam_options, len(tracks))
    made = [one for one in foreseen if one.outcome == "mastered"]
    return Forecast(
        tracks=len(selected),
        albums=len({track.album_id for track in selected}),
        measured_only=len(tracks) - len(selected),
        missing=_missing(selected, foreseen),
        profiles=sorted(profile.name for profile in job.profiles.values()),
        deliveries=sorted({one.name for profile in job.profiles.values() for one in profile.delivery}),
        output=job.output,
        mastered=outcomes["mastered"],
        skipped=outcomes["skipped"],
        rejected=outcomes["rejected"],
        reasons=dict(Counter(_told(one) for one in foreseen if one.track.selected).most_common()),
        refusals=[_refusal(one) for one in foreseen if one.outcome == "rejected"],
        looked_at=len(foreseen),
        audio_s=round(scale * sum(one.duration_s for one in foreseen), 3),
        mastered_audio_s=round(scale * sum(one.duration_s for one in made), 3),
        stages=stages,
        overhead_cpu_s=round(learned.overhead_cpu_s, 3),
        cpu_s=round(core_s + learned.overhead_cpu_s, 3),
        workers=workers,
        wall_s=round(_wall_s(foreseen, core_s, workers, learned), 3),
        bytes_read=round(scale * sum(one.size_bytes for one in foreseen)),
        bytes_written=round(scale * sum(_bytes_written(one, job.profiles, learned) for one in made)),
        costs=costs(prices, core_s + learned.overhead_cpu_s, SHUFFLED_BYTES * len(tracks)),
        learned_from_tracks=learned.tracks,
        learned_from_runs=learned.runs,
    )


def _by_album(tracks: Iterable[Track]) -> list[list[Track]]:
    albums: dict[str, list[Track]] = {}
    for track in tracks:
        albums.setdefault(track.album_id, []).append(track)
    return list(albums.values())


def _spread(albums: list[list[Track]]) -> list[list[Track]]:
    """All albums, or so many of them, evenly spread, that LOOKED_AT tracks are looked at."""
    tracks = sum(len(album) for album in albums)
    if tracks <= LOOKED_AT:
        return albums
    count = max(1, round(len(albums) * LOOKED_AT / tracks))
    return [albums[number * len(albums) // count] for number in range(count)]


def _outcomes(foreseen: Sequence[Foreseen], selected: int) -> dict[str, int]:
    """How many tracks would end how; of a sample, scaled so that they add up to all (law 9)."""
    counts = Counter(one.outcome for one in foreseen if one.track.selected)
    total = sum(counts.values())
    rejected = round(counts["rejected"] * selected / total) if total else 0
    skipped = round(counts["skipped"] * selected / total) if total else 0
    return {"mastered": selected - rejected - skipped, "skipped": skipped, "rejected": rejected}


def _stages(foreseen: Sequence[Foreseen], scale: float, learned: Calibration) -> list[StageWork]:
    found = []
    songs = any(one.stem_samples for one in foreseen)
    for stage in ("hear", "mix", *ALWAYS) if songs else ALWAYS:
        steps = [(step, one) for one in foreseen for step in one.steps if step[0] == stage]
        cpu_s = sum(learned.cpu_s_per_sample[step] * _samples_of(one, stage) for step, one in steps)
        count = sum(not remembered for (_, remembered), _ in steps)
        found.append(StageWork(stage=stage, tracks=round(scale * count), cpu_s=round(scale * cpu_s, 3)))
    return found


def _samples_of(one: Foreseen, stage: str) -> float:
    """What a stage works on: all stems of a song, or the mix."""
    return one.stem_samples if stage in OF_STEMS else one.samples


def _wall_s(foreseen: Sequence[Foreseen], core_s: float, workers: int, learned: Calibration) -> float:
    """Time from start to end: the work shared out, but no less than each step of the longest track, one after the other."""
    longest_s = max(
        (sum(learned.cpu_s_per_sample[s] * _samples_of(one, s[0]) for s in one.steps) for one in foreseen), default=0.0
    )
    # Every worker loads Python, Beam and the kernels once, all at the same time.
    return max(longest_s, core_s / workers) * learned.wall_per_cpu + learned.overhead_cpu_s / workers


def _workers(beam_options: Sequence[str], tracks: int) -> int:
    """The number of workers that was asked for, else a core each, as on one machine."""
    asked = [int(found[1]) for option in beam_options if (found := _WORKERS.fullmatch(option))]
    return max(1, min(asked[-1] if asked and asked[-1] else os.cpu_count() or 1, tracks))


def _bytes_written(one: Foreseen, profiles: dict[str, Profile], learned: Calibration) -> float:
    if learned.bytes_per_sample is not None:
        return learned.bytes_per_sample * one.samples
    return sum(_size(delivery, one) for delivery in profiles[one.track.profile].delivery)


def _size(delivery: Delivery, one: Foreseen) -> float:
    rate_ratio = delivery.rate_hz * one.duration_s / one.frames if delivery.rate_hz and one.frames else 1.0
    return one.samples * rate_ratio * delivery.bits / 8 * (FLAC_RATIO if delivery.container == "flac" else 1.0)


def _missing(selected: Sequence[Track], foreseen: Sequence[Foreseen]) -> list[str]:
    """Sources that are not there: on this machine all are looked for, in a bucket those that were looked at."""
    seen = {one.track.track_id: one.code == "SOURCE_MISSING" for one in foreseen}
    return [track.uri for track in selected if seen.get(track.track_id, _is_missing(track.uri))]


def _is_missing(uri: str) -> bool:
    return not store.is_remote(uri) and not store.exists(uri)


def _told(one: Foreseen) -> str:
    return f"rejected: {one.code}" if one.code else f"{one.outcome}: {one.reason}"


def _refusal(one: Foreseen) -> Refusal:
    return Refusal(track_id=one.track.track_id, uri=one.track.uri, code=one.code, text=one.reason)
