"""What the headers of audio files promise, read from their bytes: libsndfile makes do with less and does not say so."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

STREAMED = 0xFFFFFF00
"""Writers that stream leave the largest numbers as lengths: there the end of the file is the end of the audio."""
UNSAID = 1 << 63
"""The same for lengths of 64 bits."""


class Chunks(NamedTuple):
    """How a container lays out its chunks: a head of the file, then name, length, content."""

    head_bytes: int
    name_bytes: int
    length_bytes: int
    order: Literal["little", "big"]
    counts_itself: bool
    """W64: the length of a chunk includes its own name and length."""
    align: int
    audio: bytes


_RIFF = Chunks(12, 4, 4, "little", False, 2, b"data")
_AIFF = Chunks(12, 4, 4, "big", False, 2, b"SSND")
_W64 = Chunks(40, 16, 8, "little", True, 8, b"data")


def data_bytes(path: Path) -> tuple[int, int]:
    """Bytes of audio that a WAV, RF64, AIFF or W64 header promises, and bytes that are there; (0, 0) for others."""
    size = path.stat().st_size
    with path.open("rb") as handle:
        start = handle.read(4)
        layout = {b"RIFF": _RIFF, b"RF64": _RIFF, b"FORM": _AIFF, b"riff": _W64}.get(start)
        return _audio_chunk(handle, layout, size) if layout else (0, 0)


def flac_md5(path: Path) -> bytes:
    """MD5 of the audio from STREAMINFO (RFC 9639, section 8.2); zeros where the encoder did not set it."""
    with path.open("rb") as handle:
        at = 0
        while (tag := handle.read(10))[:3] == b"ID3":  # ID3v2.4, section 3.1: the length has 7 bits to a byte
            at += 10 + sum((byte & 0x7F) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True))
            handle.seek(at)
        handle.seek(at)
        info = handle.read(42)
    return info[26:42] if info.startswith(b"fLaC") else b""


def _audio_chunk(handle: BinaryIO, layout: Chunks, size: int) -> tuple[int, int]:
    handle.seek(layout.head_bytes)
    long_length = 0
    own = layout.name_bytes + layout.length_bytes
    while len(head := handle.read(own)) == own:
        name, length = head[:4], int.from_bytes(head[layout.name_bytes :], layout.order)
        length -= own if layout.counts_itself else 0
        if name == b"ds64":  # EBU Tech 3306: the 64-bit length of the data chunk follows that of the file
            content = handle.read(length)
            long_length = int.from_bytes(content[8:16], "little")
            continue
        if name == layout.audio:
            present = size - handle.tell()
            if 0 < long_length < UNSAID:
                return long_length, present
            return (present if layout.length_bytes == 4 and length >= STREAMED else length), present
        handle.seek(length + -length % layout.align, 1)
    return 0, 0
