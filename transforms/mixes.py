"""Songs that come as stems: each stem is heard on any worker, those of a song meet, and one worker mixes the song."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import apache_beam as beam
from msgspec import structs

from media.mixing.steps import hear_stem
from schemas.errors import TrackError
from schemas.stems import Song
from schemas.steps import AnyMember, Heard, Job, Listed, Member, Rejected, Spent, track_id_of
from schemas.track import Track
from transforms.outcomes import attempt, report_progress
from transforms.songs import mixed, stems_to_hear

NAMES = ("row", "uri", "track_id", "album_id", "album_folder", "file_stem", "selected")
"""What is told of a song while its stems are heard."""


class MixSongs(beam.PTransform):
    """Track -> the same, listed; a song is mixed before that, or rejected where it cannot be. Other tracks pass."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, tracks: beam.PCollection[Track]) -> beam.PCollection[Member]:
        others = tracks | "PassOthers" >> beam.FlatMap(_others).with_output_types(Member)
        songs = tracks | "KeySongs" >> beam.FlatMap(_songs).with_output_types(tuple[str, Track])
        heard = (
            tracks
            | "ListStems" >> beam.FlatMap(stems_of).with_output_types(Track)
            | "SpreadStems" >> beam.Reshuffle()
            | "HearStem" >> beam.Map(_keyed, self._job).with_output_types(tuple[str, Member])
        )
        mixes = (
            {"song": songs, "stems": heard}
            | "Meet" >> beam.CoGroupByKey()
            | "SpreadSongs" >> beam.Reshuffle()
            | "MixSong" >> beam.FlatMap(_met, self._job).with_output_types(Member)
        )
        return (others, mixes) | "Together" >> beam.Flatten() | "Spread" >> beam.Reshuffle()


class EndMixes(beam.PTransform):
    """Of a run that makes no masters: tells of each song that it has ended."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def expand(self, members: beam.PCollection[Member]) -> beam.PCollection[Member]:
        return members | "TellEnd" >> beam.FlatMap(_ended, self._job).with_output_types(Member)


def stems_of(track: Track) -> Iterator[Track]:
    """A song once for each stem, with that stem alone and nothing but its names: all of them meet in one element."""
    if track.song is not None:
        named = Track(**{name: getattr(track, name) for name in NAMES})
        for stem in stems_to_hear(track):
            yield structs.replace(named, song=Song(stems=(stem,)))


def hear(track: Track, job: Job) -> AnyMember:
    """A song with one stem as heard, or as rejected."""

    def work() -> AnyMember:
        assert track.song is not None
        (stem,) = track.song.stems
        heard = hear_stem(stem, track.track_id, job)
        if heard.code:
            raise TrackError(heard.code, heard.text, heard.hint)
        spent = Spent(
            stage="hear", remembered=heard.remembered, bytes_read=heard.bytes_read, samples=float(heard.samples)
        )
        return Heard(track=structs.replace(track, song=None), stem_id=stem.stem_id, sha256=heard.sha256, spent=(spent,))

    return attempt("hear", work, track, job)


def mix(track: Track, stems: Sequence[AnyMember], job: Job) -> AnyMember:
    """A song as mixed, listed to be mastered; or as rejected, for instance because one of its stems was."""
    hearing = _together([member.spent[-1] for member in stems if member.spent])
    return attempt("mix", lambda: _mixed(track, stems, job), track, job, hearing)


def mix_listed(member: AnyMember, job: Job) -> AnyMember:
    """A row of a manifest; a song was mixed on one worker before: in a stream, where what arrives is small."""
    if not isinstance(member, Listed) or member.track.song is None:
        return member
    return mix(member.track, [hear(one, job) for one in stems_of(member.track)], job)


def _mixed(track: Track, stems: Sequence[AnyMember], job: Job) -> AnyMember:
    lost = [one for one in stems if isinstance(one, Rejected)]
    if lost:
        first = min(lost, key=lambda one: (one.row, one.text))
        more = f" (and {len(lost) - 1} more of its {len(stems)} stems)" if lost[1:] else ""
        raise TrackError(first.code, f"{first.text}{more}", first.hint)
    done = mixed(track, {one.stem_id: one.sha256 for one in stems if isinstance(one, Heard)}, job)
    samples = sum(step.samples for one in stems for step in one.spent)
    return structs.replace(done, spent=tuple(structs.replace(step, samples=samples) for step in done.spent))


def _together(steps: Sequence[Spent]) -> tuple[Spent, ...]:
    """What the stems of a song took, as one step."""
    if not steps:
        return ()
    sums = {name: sum(getattr(one, name) for one in steps) for name in ("cpu_s", "wall_s", "waited_s", "queued_s")}
    counts = {name: sum(getattr(one, name) for one in steps) for name in ("bytes_read", "retries", "samples")}
    remembered = all(one.remembered for one in steps)
    return (Spent(stage="hear", remembered=remembered, **sums, **counts),)


def _others(track: Track) -> Iterator[Member]:
    if track.song is None:
        yield Listed(track=track)


def _songs(track: Track) -> Iterator[tuple[str, Track]]:
    if track.song is not None:
        yield track.track_id, track


def _keyed(track: Track, job: Job) -> tuple[str, AnyMember]:
    return track.track_id, hear(track, job)


def _met(met: tuple[str, Mapping[str, Iterable[AnyMember]]], job: Job) -> Iterator[AnyMember]:
    for track in met[1]["song"]:
        yield mix(track, list(met[1]["stems"]), job)  # type: ignore[arg-type]


def _ended(member: AnyMember, job: Job) -> Iterator[AnyMember]:
    report_progress(job, track_id_of(member), "rejected" if isinstance(member, Rejected) else "mixed")
    yield member
