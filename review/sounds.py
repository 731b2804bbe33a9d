"""The bytes of a track that a browser plays: the file as it lies there, or a 24-bit WAV made from it while it is read.

Only files that the row of a track names are ever opened, and a file on this machine only if it still is the one that the row
tells of: nobody shall hear another master than the one they decide about.
"""

from __future__ import annotations

import errno
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from typing import BinaryIO, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from media import store
from review.masters import Standing

SOURCE = "source"
BLOCK_BYTES = 1 << 18
"""Read and sent at once."""
HASH_BYTES = 1 << 20
WAV_BYTES = 3
"""Of a sample: 24 bits."""
LONGEST = 0xFFFFFFFF
"""A WAV counts in 32 bits; players take the largest number for "to the end"."""
_PLAYED = {
    "FLAC": "audio/flac", "OGG": "audio/ogg", "MP3": "audio/mpeg", "MPEG": "audio/mpeg",
    "WAV": "audio/wav", "WAVEX": "audio/wav",
}  # fmt: skip
"""Containers that every browser plays."""
_WAV_CODECS = {"PCM_U8", "PCM_16", "PCM_24", "FLOAT"}
"""What a browser plays of a WAV; of 64-bit floats and 32-bit integers some play noise, some nothing."""


class AlteredError(Exception):
    """A file that is not the one any more that its row tells of."""


class _Bytes(Protocol):
    size: int

    def read(self, start: int, end: int) -> bytes: ...


class Sound:
    """An open file as a browser plays it; close it when it was sent."""

    def __init__(self, uri: str, digest: str, kept: Verified) -> None:
        with ExitStack() as stack:
            handle = stack.enter_context(store.opened(uri))
            if not store.is_remote(uri):
                kept.check(handle, uri, digest)
            self._bytes, self.media_type, form = _as_played(handle, stack)
            self.etag = f'"{digest}{form}"'
            self._stack = stack.pop_all()

    @property
    def size(self) -> int:
        """Bytes that a browser gets."""
        return self._bytes.size

    def blocks(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` on, up to `end`."""
        while start < end and (block := self._bytes.read(start, min(end, start + BLOCK_BYTES))):
            yield block
            start += len(block)

    def close(self) -> None:
        """Lets go of the file."""
        self._stack.close()


class Verified:
    """The files that were read and found to be what they should be, by what the system says of them."""

    def __init__(self) -> None:
        self._digests: dict[tuple[int, ...], str] = {}
        self._lock = threading.Lock()

    def check(self, handle: BinaryIO, uri: str, digest: str) -> None:
        """Raises AlteredError unless an open file has a SHA-256; it is read once, and again when it changes."""
        found = os.fstat(handle.fileno())
        identity = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        with self._lock:
            known = self._digests.get(identity)
        if known is None:
            known = _digest(handle)
            with self._lock:
                self._digests[identity] = known
        if known != digest:
            raise AlteredError(uri)


def uri_of(output: str, track: Standing, side: str) -> tuple[str, str] | None:
    """Where a side of a track lies, `source` or the name of a delivery, with its SHA-256; None where it has no such side."""
    if side == SOURCE:
        return track.source_uri, track.source_sha256
    found = [master for master in track.masters if master.delivery == side]
    return (store.join(output, "masters", found[0].name), found[0].sha256) if found else None


def _digest(handle: BinaryIO) -> str:
    digest = sha256()
    handle.seek(0)
    while block := handle.read(HASH_BYTES):
        digest.update(block)
    return digest.hexdigest()


def _as_played(handle: BinaryIO, stack: ExitStack) -> tuple[_Bytes, str, str]:
    handle.seek(0)
    try:
        file = stack.enter_context(soundfile.SoundFile(handle))
    except soundfile.LibsndfileError as error:
        raise OSError(errno.EINVAL, f"it is no audio that can be read: {error}") from error
    plain = file.format not in ("WAV", "WAVEX") or file.subtype in _WAV_CODECS
    if file.format in _PLAYED and plain:
        return _AsItLies(handle), _PLAYED[file.format], ""
    return _AsWav(file), "audio/wav", "-wav24"


class _AsItLies:
    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self.size = handle.seek(0, os.SEEK_END)

    def read(self, start: int, end: int) -> bytes:
        self._handle.seek(start)
        return self._handle.read(end - start)


class _AsWav:
    """A 24-bit WAV whose length is known before it is made: each byte belongs to a frame, which is sought for."""

    def __init__(self, file: soundfile.SoundFile) -> None:
        self._file, self._frame_bytes = file, WAV_BYTES * file.channels
        data_bytes = file.frames * self._frame_bytes
        self._pad = data_bytes % 2
        self._head = _head(file.samplerate, file.channels, data_bytes)
        self.size = len(self._head) + data_bytes + self._pad

    def read(self, start: int, end: int) -> bytes:
        if start < len(self._head):
            return self._head[start:end]
        start, end = start - len(self._head), end - len(self._head)
        first, frame_bytes = start // self._frame_bytes, self._frame_bytes
        if first == self._file.frames:
            return bytes(end - start)
        self._file.seek(first)
        audio = self._file.read(-(-end // frame_bytes) - first, dtype="float64", always_2d=True)
        return _packed(audio)[start - first * frame_bytes :][: end - start]


def _packed(audio: NDArray[np.float64]) -> bytes:
    """Frames as 24-bit integers, rounded; what is no number is silence."""
    full = 1 << (8 * WAV_BYTES - 1)
    steps = np.rint(np.clip(np.nan_to_num(audio, nan=0.0), -1.0, 1.0) * full).clip(max=full - 1).astype("<i4")
    return steps.view(np.uint8).reshape(-1, 4)[:, :WAV_BYTES].tobytes()


def _head(rate_hz: int, channels: int, data_bytes: int) -> bytes:
    """RIFF, `fmt ` with format tag 1, and the beginning of `data`."""
    frame_bytes = WAV_BYTES * channels
    form = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * frame_bytes, frame_bytes, 8 * WAV_BYTES)
    riff_bytes = 4 + 8 + len(form) + 8 + data_bytes + data_bytes % 2
    parts = (b"RIFF", min(riff_bytes, LONGEST), b"WAVE", b"fmt ", len(form), form, b"data", min(data_bytes, LONGEST))
    return struct.pack("<4sI4s4sI16s4sI", *parts)
