"""The files of an event's microphones: what they hold, that none comes twice, and all of them side by side, block by block.

A file of one or two channels is one microphone; one of more, as field recorders write it, holds a microphone in each channel.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from dsp.audio import MAX_RATE_HZ, MIN_RATE_HZ, Audio, to_gain
from dsp.resampler import resampled_frames
from media import store
from media.mixing.song_files import SongFiles, allow_open_files
from media.source import open_source, sha256_of
from schemas.automix import Microphone
from schemas.errors import CatalogueError, TrackError
from schemas.figures import AudioFormat
from schemas.safe_names import distinct, quoted, safe_name


class Recording(NamedTuple):
    """A file and what it is."""

    uri: str
    format: AudioFormat


class NamedColumns(NamedTuple):
    """A microphone that a file holds."""

    name: str
    uri: str
    columns: tuple[int, ...]


def read_recordings(uris: Sequence[str]) -> list[Recording]:
    """The format of each file; raises CatalogueError where one comes twice, TrackError with all that cannot be read."""
    places = [_place(uri) for uri in uris]
    for first, second in _twice(places):
        text = (
            f"{quoted(uris[second], 200)} is given twice, also as {quoted(uris[first], 200)}; give each microphone once"
        )
        raise CatalogueError("MICROPHONE_REPEATED", text)
    found: list[Recording] = []
    failed: list[TrackError] = []
    for uri in uris:
        try:
            found.append(Recording(uri, _format(uri)))
        except TrackError as error:
            failed.append(error)
    if failed:
        raise TrackError(failed[0].code, "; ".join(error.text for error in failed), failed[0].hint)
    _refuse_copies(found)
    return found


def name_microphones(
    recordings: Sequence[Recording], names: Sequence[str], *, split_stereo: bool = False
) -> list[NamedColumns]:
    """The microphones in these files, each named after its file, or after it and its channel."""
    safe = distinct({one.uri: safe_name(name) for one, name in zip(recordings, names, strict=True)})
    microphones = []
    for one in recordings:
        count = one.format.channels
        if count == 1 or (count == 2 and not split_stereo):
            microphones.append(NamedColumns(safe[one.uri], one.uri, tuple(range(count))))
        else:
            microphones += [NamedColumns(f"{safe[one.uri]}.{i + 1}", one.uri, (i,)) for i in range(count)]
    taken = distinct({f"{one.uri}\n{one.columns}": one.name for one in microphones})  # "a.1" may be a file, too
    return [one._replace(name=taken[f"{one.uri}\n{one.columns}"]) for one in microphones]


def common_rate_hz(recordings: Sequence[Recording]) -> int:
    """The rate of most files; of equally many, the higher."""
    counts = Counter(one.format.rate_hz for one in recordings)
    return max(counts, key=lambda rate_hz: (counts[rate_hz], rate_hz))


class OpenMicrophones:
    """Microphones that may be heard several times, each time from the start."""

    def __init__(self, microphones: Sequence[Microphone], recordings: Mapping[Recording, Path], rate_hz: int) -> None:
        self._paths = list(recordings.values())
        uris = [one.uri for one in recordings]
        self._ways = [(uris.index(one.uri), list(one.columns), to_gain(one.gain_db)) for one in microphones]
        self.rate_hz = rate_hz
        self.frames = max(resampled_frames(one.format.frames, one.format.rate_hz, rate_hz) for one in recordings)
        self.channels = tuple(len(one.columns) for one in microphones)

    def blocks(self) -> Iterator[list[Audio]]:
        """A block (frames, channels) of each microphone after its fader, all of one length, at one rate."""
        with ExitStack() as opened:
            files = SongFiles([opened.enter_context(open_source(path)) for path in self._paths], self.rate_hz)
            for blocks in files.blocks():
                yield [_columns(blocks[place], columns, gain) for place, columns, gain in self._ways]


@contextmanager
def opened_microphones(
    microphones: Sequence[Microphone], recordings: Sequence[Recording], rate_hz: int, more_files: int
) -> Iterator[OpenMicrophones]:
    """Fetches the files of microphones; `more_files` will be written beside them."""
    used = {one.uri for one in microphones}
    allow_open_files(len(used) + more_files)
    with ExitStack() as fetched:
        paths = {one: fetched.enter_context(store.fetched(one.uri)) for one in recordings if one.uri in used}
        yield OpenMicrophones(microphones, paths, rate_hz)


def _columns(block: Audio, columns: list[int], gain: float) -> Audio:
    line = block if len(columns) == block.shape[1] else block[:, columns]
    return line if gain == 1.0 else line * gain


def _place(uri: str) -> str:
    return uri if store.is_remote(uri) else os.path.realpath(store.local_path(uri))


def _twice(places: Sequence[str]) -> Iterator[tuple[int, int]]:
    first: dict[str, int] = {}
    for at, place in enumerate(places):
        if first.setdefault(place, at) != at:
            yield first[place], at


def _format(uri: str) -> AudioFormat:
    try:
        with store.fetched(uri) as path, open_source(path) as source:
            source.check_length()
            found = source.format
    except OSError as error:
        text = f"{quoted(uri, 200)} cannot be read: {error.strerror or error}"
        raise TrackError("SOURCE_UNREADABLE", text, "Check its path.") from error
    if not MIN_RATE_HZ <= found.rate_hz <= MAX_RATE_HZ:
        text = f"{quoted(uri, 200)} has a rate of {found.rate_hz} Hz; {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz can be mixed"
        raise TrackError("RATE_UNSUPPORTED", text, "Export it at another rate.")
    if not found.frames:
        raise TrackError("SOURCE_TOO_SHORT", f"{quoted(uri, 200)} holds no sound at all", "Leave it out.")
    return found


def _refuse_copies(recordings: Sequence[Recording]) -> None:
    """Two files of one content are one microphone under two names: only files of one size can be."""
    sizes = Counter(_size(one) for one in recordings)
    known: dict[str, str] = {}
    for one in (one for one in recordings if sizes[_size(one)] > 1):
        with store.fetched(one.uri) as path:
            other = known.setdefault(sha256_of(path), one.uri)
        if other != one.uri:
            text = f"{quoted(one.uri, 200)} and {quoted(other, 200)} hold the same bytes; leave one of them out"
            raise CatalogueError("MICROPHONE_REPEATED", text)


def _size(one: Recording) -> tuple[int, int, int]:
    return one.format.frames, one.format.channels, store.size_and_change(one.uri)[0]
