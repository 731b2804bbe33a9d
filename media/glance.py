"""What can be known of a source without decoding it: whether it is there, what its header says, its size and age.

Of a file in a bucket only the ranges are read that hold its header.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import soundfile

from media import store
from media.source import format_of, open_source, reason_of
from schemas.errors import TrackError
from schemas.figures import AudioFormat


class Glance(NamedTuple):
    """A source at a glance."""

    format: AudioFormat
    size_bytes: int
    changed_s: float
    """Time of its last change, in seconds since 1970."""


def glance(uri: str) -> Glance:
    """Looks at a source; raises TrackError for what would be rejected for certain, OSError where it cannot be read."""
    if store.is_remote(uri):
        return _far(uri)
    path = store.local_path(uri)
    with open_source(path) as source:
        source.check_length()
        found = os.stat(path)
        return Glance(source.format, found.st_size, found.st_mtime)


def _far(uri: str) -> Glance:
    size_bytes, changed_s = store.size_and_change(uri)
    if not size_bytes:
        raise TrackError("SOURCE_EMPTY", f"{uri} has 0 bytes", "Copy it again.")
    with store.opened(uri) as handle:
        try:
            with soundfile.SoundFile(handle) as sound:
                return Glance(format_of(sound), size_bytes, changed_s)
        except soundfile.LibsndfileError as error:
            text = f"{uri} is no audio file that can be read: {reason_of(error)}"
            raise TrackError("SOURCE_UNREADABLE", text, "Give WAV, FLAC or AIFF.") from error
