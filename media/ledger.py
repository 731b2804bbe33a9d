"""What was done before, kept beside the output: so that a run does again only what changed (law 10).

Records of work are named by what went into it; the record of a track's masters by the track. Every record is published in
one step, so a run that is cut off leaves whole records or none; and each is kept with its own SHA-256: one that was altered since
counts as none, for a figure with another digit would make another master.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from media import store
from schemas.decoding import json_decoder

T = TypeVar("T")


def fingerprint(*parts: Any) -> str:
    """Names a piece of work by everything that went into it: the same parts, the same name.

    >>> fingerprint("analysis", 1) == fingerprint("analysis", 1) != fingerprint("analysis", 2)
    True
    """
    return sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:32]


class _Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record as it lies in the store."""

    sha256: str
    record: msgspec.Raw


class Ledger:
    """The records below `OUTPUT/ledger`."""

    def __init__(self, output: str, run_id: str) -> None:
        self._output = output
        self._run_id = run_id

    def get(self, kind: str, name: str, record: type[T]) -> T | None:
        """A record, or None where there is none, it was altered, or a version wrote it that meant something else by it."""
        try:
            kept: _Kept = json_decoder(_Kept).decode(store.read_bytes(self._uri(kind, name)))
            if sha256(kept.record).hexdigest() != kept.sha256:
                return None
            found: T = json_decoder(record).decode(kept.record)
        except (FileNotFoundError, UnicodeDecodeError, msgspec.DecodeError):
            return None
        return found

    def put(self, kind: str, name: str, record: msgspec.Struct | tuple[msgspec.Struct, ...]) -> None:
        """Keeps a record in place of any of that name."""
        with store.scratch(self._output, self._run_id) as folder:
            path = folder / name
            content = msgspec.json.encode(record)
            kept = _Kept(sha256=sha256(content).hexdigest(), record=msgspec.Raw(content))
            path.write_bytes(msgspec.json.encode(kept))
            store.replace(path, self._uri(kind, name))

    def names(self, kind: str) -> list[str]:
        """The names of all records of a kind."""
        found = store.list_files(store.join(self._output, "ledger", kind))
        return [uri.rpartition("/")[2].removesuffix(".json") for uri in found]

    def _uri(self, kind: str, name: str) -> str:
        return store.join(self._output, "ledger", kind, name[:2], f"{name}.json")
