"""How records travel between workers: msgpack in declared order, so the same record is always the same bytes."""

from __future__ import annotations

from typing import Any

import apache_beam as beam
import msgspec

from schemas.decoding import msgpack_decoder
from schemas.errands import Errand, Gathered, Ticket
from schemas.steps import AnyMember, Member
from schemas.track import Track

KINDS: dict[type, Any] = {Track: Track, Member: AnyMember, Errand: Errand, Ticket: Ticket, Gathered: Gathered}
"""Type hint of a PCollection -> what its bytes may be decoded to."""


class RecordCoder(beam.coders.Coder):
    """Coder of the records of one type hint; equal for equal hints, as Beam's joins demand."""

    def __init__(self, hint: type) -> None:
        self._hint = hint
        self._decoder = msgpack_decoder(KINDS[hint])

    def encode(self, value: Any) -> bytes:
        """The record as bytes."""
        return msgspec.msgpack.encode(value, order="deterministic")

    def decode(self, encoded: bytes) -> Any:
        """The record of these bytes."""
        return self._decoder.decode(encoded)

    def is_deterministic(self) -> bool:
        """True: the same record gives the same bytes."""
        return True

    def __reduce__(self) -> tuple[Any, ...]:
        return RecordCoder, (self._hint,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordCoder) and other._hint is self._hint

    def __hash__(self) -> int:
        return hash(self._hint)

    @classmethod
    def from_type_hint(cls, hint: Any, registry: Any) -> RecordCoder:
        """Beam asks here for the coder of a type hint."""
        return cls(hint)


def register_coders() -> None:
    """Tells Beam to use these coders; called where a pipeline is built."""
    for hint in KINDS:
        beam.coders.registry.register_coder(hint, RecordCoder)
