"""Traces of stems, kept beside their figures in the ledger: decisions need them again, on whatever machine a song is mixed.

A trace is one small file: a line with its length and the hash of its content, then the arrays as they lie in the memory of
a little-endian machine. The same trace gives the same bytes; one that was altered counts as none.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import DTypeLike

from dsp.mixing.trace import BARK_BANDS, ONSETS_PER_S, STEPS_PER_S, Trace
from media import store
from media.ledger import Ledger, fingerprint
from media.mixing.hearing import HEARING_VERSION
from schemas.mix import StemFigures

KIND = "stems"
_ONSETS_A_STEP = ONSETS_PER_S // STEPS_PER_S
_PARTS: tuple[tuple[DTypeLike, tuple[int, ...]], ...] = (
    ("<f8", ()),
    ("<f4", (BARK_BANDS,)),
    ("|b1", ()),
    ("<f4", (_ONSETS_A_STEP,)),
)
"""Of each field of a trace: type, and the shape of a step."""


class _Head(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    steps: int
    sha256: str


def keep(figures: StemFigures, trace: Trace, output: str, run_id: str) -> None:
    """Keeps what was heard of a stem, under the hash of its bytes: the trace first, so that figures never stand alone."""
    name = fingerprint(HEARING_VERSION, figures.sha256)
    store.write_bytes(_uri(output, name), packed(trace))
    Ledger(output, run_id).put(KIND, name, figures)


def kept(sha256: str, output: str, run_id: str) -> tuple[StemFigures, Trace] | None:
    """What was heard before of a stem with these bytes; None where that is not there, or was altered."""
    name = fingerprint(HEARING_VERSION, sha256)
    figures = Ledger(output, run_id).get(KIND, name, StemFigures)
    if figures is None:
        return None
    try:
        return figures, unpacked(store.read_bytes(_uri(output, name)))
    except (FileNotFoundError, ValueError):
        return None


def packed(trace: Trace) -> bytes:
    """A trace as a file.

    >>> trace = Trace(np.ones(2), np.ones((2, 24), np.float32), np.ones(2, bool), np.ones(20, np.float32))
    >>> unpacked(packed(trace)).onsets.shape
    (20,)
    """
    content = b"".join(
        np.ascontiguousarray(part, kind).tobytes() for part, (kind, _) in zip(trace, _PARTS, strict=True)
    )
    return msgspec.json.encode(_Head(steps=trace.steps, sha256=sha256(content).hexdigest())) + b"\n" + content


def unpacked(data: bytes) -> Trace:
    """The trace that a file holds; raises ValueError where it is not what was written."""
    line, _, content = data.partition(b"\n")
    try:
        head = msgspec.json.decode(line, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"no trace of a stem: {error}") from None
    if sha256(content).hexdigest() != head.sha256:
        raise ValueError("the trace of a stem was altered since it was written")
    parts, at = [], 0
    for kind, shape in _PARTS:
        count = head.steps * int(np.prod(shape, dtype=int))
        parts.append(np.frombuffer(content, kind, count, at).reshape(head.steps, *shape))
        at += parts[-1].nbytes
    return Trace(parts[0], parts[1], parts[2], parts[3].reshape(-1))


def _uri(output: str, name: str) -> str:
    return store.join(output, "ledger", "traces", name[:2], f"{name}.trace")
