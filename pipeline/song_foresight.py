"""What can be known of a song that comes as stems before it is mixed: its stems at a glance, and whether its mix stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from media import store
from media.glance import Glance, glance
from media.mixing.shelf import STEMS, mix_record
from schemas.errors import TrackError
from schemas.figures import AudioFormat
from schemas.mix import MixRecord
from schemas.steps import Job
from schemas.track import Track
from transforms.songs import foreseen_parts, stems_to_hear


class SongGlance(NamedTuple):
    """The stems of a song at a glance."""

    mix: Glance
    """The mix where it stands, else what it will be like."""
    stands: bool
    stem_samples: float
    """Frames times channels of all stems."""
    stem_bytes: int


def glance_at_song(track: Track, job: Job, began_s: Callable[[str], float]) -> SongGlance:
    """Looks at each stem; raises TrackError for what would be rejected for certain, OSError where one cannot be read.

    `began_s` tells when a run began: stems that were changed later may be others.
    """
    assert track.song is not None
    heard = [_named(stem.stem_id, stem.uri) for stem in stems_to_hear(track)]
    stems = heard[: len(track.song.stems)]
    samples = float(sum(one.format.frames * one.format.channels for one in stems))
    size = sum(one.size_bytes for one in stems)
    record = mix_record(track.track_id, job)
    if record is not None and _stands(track, record, heard, job, began_s(record.run_id)):
        return SongGlance(glance(track.uri), True, samples, size)
    longest = max(stems, key=lambda one: one.format.duration_s)
    return SongGlance(Glance(_mix_format(longest.format), size, 0.0), False, samples, size)


def _named(stem_id: str, uri: str) -> Glance:
    try:
        return glance(uri)
    except TrackError as error:
        raise TrackError(error.code, f"stem {stem_id}: {error.text}", error.hint) from error
    except FileNotFoundError as error:
        raise TrackError("SOURCE_MISSING", f"stem {stem_id}: there is no file {uri}") from error


def _stands(track: Track, record: MixRecord, heard: Sequence[Glance], job: Job, began_s: float) -> bool:
    """Whether nothing is said otherwise than when a song was mixed, and its stems are no younger than that."""
    parts = foreseen_parts(track, job, record)
    same = {name: part for name, part in record.parts.items() if name != STEMS} == parts
    unchanged = same and max(one.changed_s for one in heard) < began_s
    return unchanged and all(store.exists(file.uri) for file in record.files)


def _mix_format(stem: AudioFormat) -> AudioFormat:
    return AudioFormat(
        container="WAV", codec="FLOAT", rate_hz=stem.rate_hz, channels=2, frames=stem.frames, bits=32, floating=True
    )
