"""The sound that a track's chain hears: the track itself, and the ends of its neighbours where the music runs on.

A window then cuts the track out again, on the frame grid that all joined tracks share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dsp.audio import Audio, silence
from dsp.resampler import resampled_frames
from media import store
from media.source import in_blocks, open_source, sha256_of
from schemas.errors import TrackError
from schemas.plan import Neighbour
from schemas.steps import Draft, Planned


def head_blocks(draft: Draft) -> Iterator[Audio]:
    """The track alone, as it was analysed."""
    yield from _file_blocks(draft.track.uri, draft.analysis.sha256, 0, None)


def passage_blocks(planned: Planned) -> Iterator[Audio]:
    """What sounds before the track, the track, what sounds after it."""
    channels = planned.analysis.format.channels
    yield from _neighbour_blocks(planned.plan.before, channels)
    yield from _file_blocks(planned.track.uri, planned.analysis.sha256, 0, None)
    yield from _neighbour_blocks(planned.plan.after, channels)


class Window:
    """Lets through the frames of the track itself, of a passage at another rate."""

    def __init__(self, planned: Planned, to_hz: int) -> None:
        from_hz, frames = planned.analysis.format.rate_hz, planned.analysis.format.frames
        position = planned.plan.position_frames
        lead = sum(neighbour.frames for neighbour in planned.plan.before)
        start = resampled_frames(position, from_hz, to_hz)
        self.frames = resampled_frames(position + frames, from_hz, to_hz) - start
        self._skip = start - resampled_frames(position - lead, from_hz, to_hz)
        self._left = self.frames
        self.first_frame = self._skip
        """Where the track begins in the passage."""

    def cut(self, block: Audio) -> Audio:
        """The part of the next block that belongs to the track."""
        skipped = min(self._skip, len(block))
        self._skip -= skipped
        kept = block[skipped : skipped + self._left]
        self._left -= len(kept)
        return kept


def _neighbour_blocks(neighbours: Iterable[Neighbour], channels: int) -> Iterator[Audio]:
    for one in neighbours:
        if one.uri:
            yield from _file_blocks(one.uri, one.sha256, one.first_frame, one.first_frame + one.frames)
        else:
            yield from in_blocks(silence(one.frames, channels))


def _file_blocks(uri: str, sha256: str, start: int, stop: int | None) -> Iterator[Audio]:
    """Frames of a file that must still be the one that was analysed."""
    with store.fetched(uri) as path:
        if not path.exists() or sha256_of(path) != sha256:
            text = f"{uri} is not the file that was analysed in this run any more"
            raise TrackError("SOURCE_CHANGED", text, "Run again when the source is complete.")
        with open_source(path) as source:
            yield from source.blocks(start, stop)
