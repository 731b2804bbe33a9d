"""A source file: opened, decoded in blocks, and caught when it is not what it claims to be.

A FLAC is checked against its own MD5, a WAV against the length in its header, a float file for NaN and infinity: nothing that
a decoder would let pass in silence reaches a master.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from dsp.audio import Audio
from dsp.kernel import kernel
from dsp.windows import Lines, Windows
from media.headers import data_bytes, flac_md5
from schemas.errors import TrackError
from schemas.figures import AudioFormat

BLOCK_FRAMES = 16_384
"""128 KiB a channel: what one block touches stays in the processor's second cache, and calls cost little beside it."""
READ_FRAMES = 8 * BLOCK_FRAMES
"""Frames asked of libsndfile at once: each call costs a seek."""
MAX_FLOAT_RATIO = 16.0
"""Float files may exceed full scale by up to 24 dB; what is beyond holds integers or garbage."""
UNKNOWN_FRAMES = 1 << 62
"""libsndfile's way to say that a FLAC's header leaves its length open."""
INTEGER_SCALE = 2.0**-31
"""libsndfile hands out integers left-aligned to 32 bits."""
_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64}
_LOSSLESS = {"ALAC_16": 16, "ALAC_20": 20, "ALAC_24": 24, "ALAC_32": 32}
_READ_AGAIN = "Export it again from the session, or copy it again, and compare checksums."


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _digest(handle)


def _digest(handle: Any) -> str:
    digest = hashlib.sha256()  # Python 3.10 has no file_digest
    while block := handle.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def in_blocks(audio: Audio) -> Iterator[Audio]:
    """Long stretches of sound in blocks that stay in the cache from one processor to the next."""
    yield from (audio[at : at + BLOCK_FRAMES] for at in range(0, len(audio), BLOCK_FRAMES))


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Opens an audio file for decoding; raises TrackError with what is wrong with it."""
    _check_file(path)
    try:
        handle = soundfile.SoundFile(os.fsencode(path))  # a name may be no text
    except soundfile.LibsndfileError as error:
        text = f"{path.name} is no audio file that can be read: {reason_of(error)}"
        raise TrackError("SOURCE_UNREADABLE", text, "Give WAV, FLAC or AIFF.") from error
    with handle:
        yield Source(path, handle)


class Source:
    """An open file: its format, its tags, and its sound in blocks."""

    def __init__(self, path: Path, handle: soundfile.SoundFile) -> None:
        self.path = path
        self.format = format_of(handle)
        self.tags: dict[str, str] = {k: v for k, v in handle.copy_metadata().items() if v.strip()}
        self._handle = handle

    def blocks(self, start: int = 0, stop: int | None = None, at_once: int = READ_FRAMES) -> Iterator[Audio]:
        """Float64 blocks (frames, channels) from frame `start` to before `stop`; raises TrackError if cut short.

        `at_once`: frames that are read together; fewer where many files are open.
        """
        yield from (self._scaled(block, start) for block in self._raw(start, stop, at_once))

    def windows(self, *, own_checksum: bool = True, md5: bytes = b"") -> Iterator[Lines]:
        """The whole file in windows (channels, frames) of float32; raises TrackError where the file contradicts itself.

        Without `own_checksum` a FLAC is not held against its MD5; any PCM is held against the `md5` of what was encoded.
        """
        self.check_length()
        expected = md5 or (flac_md5(self.path) if own_checksum and self.format.container == "FLAC" else b"")
        digest = hashlib.md5(usedforsecurity=False)
        windows = Windows(self.format.channels, scale=INTEGER_SCALE if self._integers else 1.0)
        position = 0
        for block in self._raw(0, None):
            if any(expected):
                digest.update(packed(block, self.format.bits or 0).data)
            yield from windows.push(block if self._integers else self._sound(block, position))
            position += len(block)
        yield from windows.finish()
        if any(expected) and digest.digest() != expected:
            text = f"{self.path.name} decodes to other audio than was encoded: its own MD5 does not match"
            raise TrackError("SOURCE_CORRUPT", text, _READ_AGAIN)

    def _raw(self, start: int, stop: int | None, at_once: int = READ_FRAMES) -> Iterator[NDArray[Any]]:
        """Integers left-aligned to 32 bits for PCM, floats for the rest."""
        kind, last = ("int32" if self._integers else "float64"), (self.format.frames if stop is None else stop)
        position = start
        try:
            if start:
                self._handle.seek(start)
            while position < last:
                read = self._handle.read(min(at_once, last - position), dtype=kind, always_2d=True)
                if not len(read):
                    raise self._cut_short(position)
                yield from (read[at : at + BLOCK_FRAMES] for at in range(0, len(read), BLOCK_FRAMES))
                position += len(read)
        except soundfile.LibsndfileError as error:
            at_s = position / self.format.rate_hz
            text = f"{self.path.name} cannot be decoded past {at_s:.1f} s: {reason_of(error)}"
            raise TrackError("SOURCE_CORRUPT", text, _READ_AGAIN) from error

    @property
    def _integers(self) -> bool:
        return not (self.format.floating or self.format.lossy)

    def _scaled(self, block: NDArray[Any], position: int) -> Audio:
        return block * INTEGER_SCALE if self._integers else self._sound(block, position)

    def _sound(self, block: NDArray[Any], position: int) -> Audio:
        """Floats as they are; raises TrackError for what cannot be sound."""
        finite = np.isfinite(block)
        if not finite.all():
            at_s = (position + int(np.argmin(finite.all(axis=1)))) / self.format.rate_hz
            text = f"{self.path.name} holds NaN or infinity, first in the block at {at_s:.3f} s"
            raise TrackError("SOURCE_NOT_FINITE", text, "Render it again; a plug-in has failed.")
        if np.abs(block).max(initial=0.0) > MAX_FLOAT_RATIO:
            text = f"{self.path.name} holds values up to {np.abs(block).max():.3g}, full scale is 1.0"
            raise TrackError("SOURCE_OUT_OF_RANGE", text, "Export it again with full scale at 1.0.")
        return np.asarray(block, dtype=np.float64)

    def check_length(self) -> None:
        """Raises TrackError where the header does not fit the file."""
        if self.format.frames >= UNKNOWN_FRAMES:
            text = f"{self.path.name} does not say how long it is, as a FLAC made from a pipe"
            raise TrackError("SOURCE_UNREADABLE", text, "Encode it again from a file.")
        claimed, present = data_bytes(self.path)
        if not claimed and present:
            text = f"{self.path.name}: its header was never completed, {present} bytes follow it"
            raise TrackError("SOURCE_CORRUPT", text, _READ_AGAIN)
        if claimed > present:
            text = f"{self.path.name}: its header promises {claimed} bytes of audio, the file holds {present}"
            raise TrackError("SOURCE_TRUNCATED", text, _READ_AGAIN)

    def _cut_short(self, position: int) -> TrackError:
        whole_s, found_s = self.format.duration_s, position / self.format.rate_hz
        text = f"{self.path.name} ends at {found_s:.1f} s, its header promises {whole_s:.1f} s"
        return TrackError("SOURCE_TRUNCATED", text, _READ_AGAIN)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise TrackError("SOURCE_MISSING", f"there is no file {path}", "Check its path.")
    if not path.is_file():
        what = "a folder" if path.is_dir() else "a device or a pipe"
        raise TrackError("SOURCE_NOT_A_FILE", f"{path} is {what}, not a file", "Give the audio file itself.")
    if not path.stat().st_size:
        raise TrackError("SOURCE_EMPTY", f"{path.name} has 0 bytes", _READ_AGAIN)


def format_of(handle: soundfile.SoundFile) -> AudioFormat:
    """What an open file says of its sound."""
    floating, bits = handle.subtype in ("FLOAT", "DOUBLE"), (_BITS | _LOSSLESS).get(handle.subtype)
    return AudioFormat(
        container=handle.format,
        codec=handle.subtype,
        rate_hz=handle.samplerate,
        channels=handle.channels,
        frames=handle.frames,
        bits=bits,
        lossy=bits is None,
        floating=floating,
    )


def reason_of(error: soundfile.LibsndfileError) -> str:
    """What libsndfile has against a file, in its own words."""
    return str(error.error_string).removeprefix("Error : ").rstrip(".").lower()


def packed(block: NDArray[np.int16] | NDArray[np.int32], bits: int) -> NDArray[Any]:
    """Left-aligned PCM as FLAC's MD5 wants it: signed, little-endian, in as few bytes as hold the bits."""
    if block.dtype == np.int16:
        return np.ascontiguousarray(block, dtype="<i2")
    block = block.astype(np.int32, copy=False)
    whole = (-(-bits // 8)) if bits else 4
    if whole != 3:
        return np.asarray((block >> (32 - bits)).astype(f"<i{whole}"))
    packed = np.empty(block.size * whole, np.uint8)
    _pack_three(block.ravel(), 32 - bits, packed)
    return packed


@kernel
def _pack_three(values: NDArray[np.int32], shift: int, packed: NDArray[np.uint8]) -> None:
    """The lowest three bytes of each value after a shift to the right."""
    for i in range(values.size):
        value = values[i] >> shift
        packed[3 * i], packed[3 * i + 1], packed[3 * i + 2] = value, value >> 8, value >> 16
