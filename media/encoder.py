"""Writes one master: integers from the quantiser into FLAC or WAV, tags first, nothing after the audio.

libsndfile gets integers only: given floats it would truncate them in a WAV (mean error half a step).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile
from numpy.typing import NDArray

from media.source import packed
from schemas.errors import TrackError

FLAC_LEVEL = 5 / 8
"""libsndfile maps 0..1 to FLAC's levels 0..8; 5 is FLAC's own default."""
MAX_WAV_BYTES = 0xFFFFFFFF - (1 << 16)
"""A plain WAV counts its bytes in 32 bits; some room for its tags."""
TAG_NAMES = ("title", "artist", "album", "tracknumber", "date", "genre", "copyright")
"""Tags that both containers can hold, in the order in which they are written."""


class Encoder:
    """An open master; use as a context manager, so that it is complete when the block ends."""

    def __init__(
        self, path: Path, container: str, bits: int, rate_hz: int, channels: int, tags: Mapping[str, str]
    ) -> None:
        self._path, self._bits = path, bits
        self._digest = hashlib.md5(usedforsecurity=False)
        self._room = MAX_WAV_BYTES if container == "wav" else None
        self._frame_bytes = channels * bits // 8
        # "WAV" writes format tag 1; a third of the stores refuse the extensible header.
        level = {"compression_level": FLAC_LEVEL} if container == "flac" else {}
        self._file = soundfile.SoundFile(
            str(path), "w", rate_hz, channels, f"PCM_{bits}", format=container.upper(), **level
        )
        for name in TAG_NAMES:
            if tags.get(name):
                setattr(self._file, name, tags[name])

    def write(self, block: NDArray[np.int16] | NDArray[np.int32]) -> None:
        """Appends frames, left-aligned integers (frames, channels)."""
        if self._room is not None:
            self._room -= len(block) * self._frame_bytes
            if self._room < 0:
                raise TrackError("OUTPUT_TOO_LARGE", "a WAV holds at most 4 GiB", "Deliver this track as FLAC.")
        try:
            self._file.write(block)
        except (AssertionError, soundfile.LibsndfileError) as error:
            # soundfile asserts that all frames were taken; libsndfile takes fewer when the disk is full.
            free = shutil.disk_usage(self._path.parent).free
            reason = str(error).strip() or "not all frames were taken"
            text = f"{self._path.name} could not be written ({reason}); {free // 1_000_000} MB are free on its disk"
            raise TrackError("OUTPUT_NOT_WRITABLE", text, "Make room, or choose another format.") from error
        self._digest.update(packed(block, self._bits).data)

    @property
    def md5(self) -> bytes:
        """That of all frames so far, as a FLAC counts it: the file must decode to it, whatever its container."""
        return self._digest.digest()

    def __enter__(self) -> Encoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
