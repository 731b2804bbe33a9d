"""Writes sound as 32-bit floats into a WAV, the same bytes every time: for mixes and stems, which nothing may clip or round away.

libsndfile puts a time stamp into the PEAK chunk of its own float files, so the few bytes ahead of the samples are written here:
RIFF with fmt, fact and data (Microsoft and IBM, 1991; format tag 3), or RF64 (EBU Tech 3306) where 32 bits do not count them.
"""

from __future__ import annotations

import hashlib
import shutil
import struct
from pathlib import Path
from types import TracebackType

import numpy as np

from dsp.audio import Audio, to_db
from schemas.errors import TrackError

BITS = 32
LARGEST_RIFF_BYTES = 0xFFFFFF00 - 1
"""Lengths above it are what programs that stream leave (`media.headers.STREAMED`): such a file would not say how long it is."""
_FLOAT_TAG = 3  # WAVE_FORMAT_IEEE_FLOAT
_UNSAID = 0xFFFFFFFF  # EBU Tech 3306: the length is in ds64


class FloatWav:
    """An open file of so many frames; use as a context manager, so that it is complete when the block ends."""

    def __init__(self, path: Path, rate_hz: int, channels: int, frames: int) -> None:
        self.path, self.frames = path, frames
        self._peak = 0.0
        self._to_come = frames
        self._digest = hashlib.sha256()
        self._handle = path.open("wb")
        self._write(header(rate_hz, channels, frames))

    def write(self, block: Audio) -> None:
        """Appends frames (frames, channels), rounded to the nearest float of 32 bits."""
        samples = np.ascontiguousarray(block, "<f4")
        self._to_come -= len(samples)
        self._peak = max(self._peak, float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))
        self._write(samples.data.cast("B") if samples.size else b"")

    @property
    def peak_dbfs(self) -> float | None:
        """The largest sample so far; None for silence."""
        return to_db(self._peak)

    @property
    def sha256(self) -> str:
        """Of the bytes so far, in hexadecimal; of the whole file once all frames were written."""
        return self._digest.hexdigest()

    def __enter__(self) -> FloatWav:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._handle.close()
        except OSError as failed:
            raise self._not_written(failed) from failed
        if kind is None and self._to_come:
            given = self.frames - self._to_come
            raise ValueError(f"{self.path.name} was to hold {self.frames} frames, {given} were given")

    def _write(self, data: bytes | memoryview) -> None:
        try:
            self._handle.write(data)
        except OSError as error:
            raise self._not_written(error) from error
        self._digest.update(data)

    def _not_written(self, error: OSError) -> TrackError:
        free = shutil.disk_usage(self.path.parent).free
        text = f"{self.path.name} could not be written ({error.strerror}); {free // 1_000_000} MB are free on its disk"
        return TrackError("OUTPUT_NOT_WRITABLE", text, "Make room, then run again.")


def header(rate_hz: int, channels: int, frames: int) -> bytes:
    """What stands ahead of the samples.

    >>> len(header(48_000, 2, 100)), header(48_000, 2, 100)[:4], header(48_000, 2, 1 << 30)[:4]
    (58, b'RIFF', b'RF64')
    """
    frame_bytes = channels * BITS // 8
    data_bytes = frames * frame_bytes
    layout = struct.pack("<HHIIHHH", _FLOAT_TAG, channels, rate_hz, rate_hz * frame_bytes, frame_bytes, BITS, 0)
    head = _chunk(b"fmt ", layout) + _chunk(b"fact", struct.pack("<I", min(frames, _UNSAID)))
    whole = len(b"WAVE") + len(head) + 8 + data_bytes
    if whole <= LARGEST_RIFF_BYTES:
        return b"RIFF" + struct.pack("<I", whole) + b"WAVE" + head + b"data" + struct.pack("<I", data_bytes)
    ds64 = _chunk(b"ds64", struct.pack("<QQQI", whole + 36, data_bytes, frames, 0))
    return b"RF64" + struct.pack("<I", _UNSAID) + b"WAVE" + ds64 + head + b"data" + struct.pack("<I", _UNSAID)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content
