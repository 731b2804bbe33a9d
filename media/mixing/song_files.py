"""The stems of a song, open side by side: decoded in lockstep, at one rate, as long as the longest of them.

Memory is a block for each stem, however long they are. What a stem's header promises is held against its file, and its bytes
against those that were heard.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from dsp.audio import Audio, joined, silence
from dsp.chain import start_stage
from dsp.mixing.stem_meter import MAX_CHANNELS
from dsp.resampler import resampled_frames
from dsp.settings import ResamplerSettings
from media import store
from media.source import Source, open_source, sha256_of
from schemas.errors import TrackError
from schemas.stems import Stem

BLOCK_FRAMES = 4_096
"""64 KiB for a stem of two channels: with what its strip and its meters hold, two thirds of a MiB."""
SPARE_FILES = 64
"""What else a worker may have open at the same time."""
SONGS_AT_ONCE = 16
"""So many songs as large as this one may be at work in one process, by its threads (our choice: more than it has slots for)."""


class SongFiles:
    """The open stems of a song."""

    def __init__(self, sources: Sequence[Source], rate_hz: int) -> None:
        self._sources = tuple(sources)
        self.rate_hz = rate_hz
        self.channels = tuple(source.format.channels for source in sources)
        self.frames = max(resampled_frames(one.format.frames, one.format.rate_hz, rate_hz) for one in sources)
        """At the rate of the session: the longest stem ends the song."""

    def blocks(self) -> Iterator[list[Audio]]:
        """A block (frames, channels) of each stem, all of one length; where a stem has ended there is silence."""
        lines = [_Line(source, self.rate_hz) for source in self._sources]
        for at in range(0, self.frames, BLOCK_FRAMES):
            frames = min(BLOCK_FRAMES, self.frames - at)
            yield [line.read(frames) for line in lines]


@contextmanager
def opened_song(
    stems: Sequence[Stem], heard: Mapping[str, str], rate_hz: int, more_files: int = 0
) -> Iterator[SongFiles]:
    """Opens stems, whose SHA-256 must be as `heard` (by stem_id); `more_files` will be written beside them.

    Raises TrackError where a stem is gone, was changed, or is no sound, and where the system allows too few open files.
    """
    if not stems:
        raise ValueError("a song needs at least one stem")
    allow_open_files(len(stems) + more_files)
    with ExitStack() as opened:
        sources = []
        for stem in stems:
            path = opened.enter_context(store.fetched(stem.uri))
            _check_unchanged(path, stem, heard[stem.stem_id])
            sources.append(_checked(opened.enter_context(open_source(path)), stem))
        yield SongFiles(sources, rate_hz)


def allow_open_files(count: int) -> None:
    """Lets this process have so many files open beside what it and other songs in it may need; raises TrackError where the system
    does not even allow the first.
    """
    needed = count + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SONGS_AT_ONCE * needed
    if soft == resource.RLIM_INFINITY or wanted <= soft:
        return
    if hard != resource.RLIM_INFINITY and needed > hard:
        text = f"{count} files of the song must be open at once, the system allows a process {hard} in all"
        raise TrackError(
            "OPEN_FILES_LIMIT", text, "Raise the hard limit of open files, or ask for fewer files of the song."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


class _Line:
    """One stem from its first frame on, at the rate of the session, in blocks of the length that is asked for."""

    def __init__(self, source: Source, rate_hz: int) -> None:
        self._channels = source.format.channels
        self._blocks = source.blocks(at_once=BLOCK_FRAMES)
        self._resampler = start_stage(ResamplerSettings(rate_hz=rate_hz), source.format.rate_hz, self._channels)
        self._kept = silence(0, self._channels)
        self._ended = False

    def read(self, frames: int) -> Audio:
        while len(self._kept) < frames and not self._ended:
            self._kept = self._joined(self._next())
        block, self._kept = self._kept[:frames], self._kept[frames:]
        missing = frames - len(block)
        return np.concatenate([block, silence(missing, self._channels)]) if missing else block

    def _next(self) -> Audio:
        block = next(self._blocks, None)
        if block is None:
            self._ended = True
            return self._resampler.finish()
        return self._resampler.push(block)

    def _joined(self, block: Audio) -> Audio:
        return joined([self._kept, block]) if len(self._kept) else block


def _check_unchanged(path: Path, stem: Stem, heard: str) -> None:
    if not path.exists() or sha256_of(path) != heard:
        text = f"stem {stem.stem_id}: {stem.uri} is not the file that was heard in this run any more"
        raise TrackError("SOURCE_CHANGED", text, "Run again when the stem is complete.")


def _checked(source: Source, stem: Stem) -> Source:
    source.check_length()
    if source.format.channels > MAX_CHANNELS:
        text = f"stem {stem.stem_id} has {source.format.channels} channels; a stem is mono or stereo"
        raise TrackError("CHANNELS_UNSUPPORTED", text, "Export the stem as mono or stereo.")
    return source
