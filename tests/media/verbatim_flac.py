"""Writes FLAC by hand (RFC 9639, verbatim subframes): the bit depths and headers that libsndfile does not write."""

from __future__ import annotations

from hashlib import md5
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BLOCK_FRAMES = 4_096
_SIZE_CODES = {8: 1, 12: 2, 16: 4, 20: 5, 24: 6, 32: 7}


def write_flac(
    path: Path, samples: NDArray[np.int64], bits: int, *, rate_hz: int = 44_100, announce_length: bool = True
) -> Path:
    """A FLAC of integers (frames, channels) with its MD5; `announce_length=False`: as an encoder that reads a pipe."""
    frames, channels = samples.shape
    total = frames if announce_length else 0
    packed = rate_hz << 44 | (channels - 1) << 41 | (bits - 1) << 36 | total
    block = BLOCK_FRAMES.to_bytes(2, "big")
    info = block + block + bytes(6) + packed.to_bytes(8, "big") + md5(_little_endian(samples, bits)).digest()
    blocks = (samples[at : at + BLOCK_FRAMES] for at in range(0, frames, BLOCK_FRAMES))
    body = b"".join(_frame(number, block, bits) for number, block in enumerate(blocks))
    path.write_bytes(b"fLaC" + b"\x80\x00\x00\x22" + info + body)
    return path


def _little_endian(samples: NDArray[np.int64], bits: int) -> bytes:
    whole = -(-bits // 8)
    return samples.astype("<i4").reshape(-1, 1).view(np.uint8)[:, :whole].tobytes()


def _frame(number: int, block: NDArray[np.int64], bits: int) -> bytes:
    channels, size = block.shape[1], _SIZE_CODES[bits]
    head = bytes([0xFF, 0xF8, 0x70, (channels - 1) << 4 | size << 1]) + chr(number).encode()
    head += (len(block) - 1).to_bytes(2, "big")
    frame = head + bytes([_crc(head, 8, 0x07)]) + _subframes(block, bits)
    return frame + _crc(frame, 16, 0x8005).to_bytes(2, "big")


def _subframes(block: NDArray[np.int64], bits: int) -> bytes:
    field = (block[:, :, None] >> np.arange(bits - 1, -1, -1)) & 1
    verbatim = np.array([0, 0, 0, 0, 0, 0, 1, 0])
    lines = [np.concatenate([verbatim, field[:, channel].ravel()]) for channel in range(block.shape[1])]
    return np.packbits(np.concatenate(lines).astype(np.uint8)).tobytes()


def _crc(data: bytes, width: int, polynomial: int) -> int:
    table = [_crc_of_byte(byte, width, polynomial) for byte in range(256)]
    value = 0
    for byte in data:
        value = (value << 8 & (1 << width) - 1) ^ table[value >> (width - 8) ^ byte]
    return value


def _crc_of_byte(byte: int, width: int, polynomial: int) -> int:
    value = byte << (width - 8)
    for _ in range(8):
        value = (value << 1) ^ (polynomial if value >> (width - 1) else 0)
        value &= (1 << width) - 1
    return value
