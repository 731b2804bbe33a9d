"""Decoders of records, built one at a time: msgspec crashes where two threads first look at the type of a record at once.

Workers run several threads, and so does a forecast: decode what another process wrote with these.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import msgspec

_BUILDING = threading.Lock()


def json_decoder(record: Any) -> msgspec.json.Decoder[Any]:
    """The JSON decoder of a record type; many threads may share it.

    >>> json_decoder(tuple[int, ...]).decode(b"[1, 2]")
    (1, 2)
    """
    with _BUILDING:
        return _json(record)


def msgpack_decoder(record: Any) -> msgspec.msgpack.Decoder[Any]:
    """The MessagePack decoder of a record type; many threads may share it."""
    with _BUILDING:
        return _msgpack(record)


@cache
def _json(record: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(record)


@cache
def _msgpack(record: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(record)
