"""`lathe measure`: goes through audio files and prints what is found of each, as lines or as one JSON object a line.

Three ways: everything (`pipeline/judged.py`, with findings and targets), loudness alone, which loads and costs less, or a report
on a mix that is still to be mastered (`pipeline/mixed.py`).
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import click
import msgspec

from media import store
from pipeline.words import level
from schemas.errors import TrackError

if TYPE_CHECKING:
    from media.analysis import LoudnessFigures


class Asked(NamedTuple):
    """What a user of `lathe measure` asked for."""

    files: Sequence[str]
    as_json: bool = False
    profile: str = "streaming"
    targets: Sequence[str] = ()
    loudness_only: bool = False
    dual_mono: bool = False
    kind: str = "recording"
    """What the files are taken for: a recording, or a `mix` that is still to be mastered."""
    style: str | None = None
    """Of a mix: what it is to become; None: the profile's."""


class Way(Protocol):
    """A way of measuring a file, and of telling what was found."""

    head: str
    """The line above all files; its last word stands where their names do."""

    def measure(self, path: Path) -> Any:
        """Measures a file; raises TrackError where it is not sound."""

    def as_json(self, found: Any) -> dict[str, Any]:
        """What is told of it in JSON."""

    def as_text(self, name: str, found: Any) -> list[str]:
        """What is told of it in lines."""

    def fails(self, found: Any) -> bool:
        """Whether it fails a target that was asked for."""


def measure_files(asked: Asked) -> int:
    """Measures files and prints each as it is done; 1 if one could not be measured or fails a target, else 0."""
    way, failed = _way(asked), False
    if not asked.as_json:
        click.echo(way.head)
    for name in asked.files:
        found = _measured(name, way)
        failed |= isinstance(found, TrackError) or way.fails(found)
        if asked.as_json:
            known = _error_json(found) if isinstance(found, TrackError) else way.as_json(found)
            click.echo(msgspec.json.encode({"file": _printable(name), **known}).decode())
        else:
            bad = isinstance(found, TrackError)
            lines = [f"{'':>{len(way.head) - 4}}{name}: {found}"] if bad else way.as_text(name, found)
            click.echo(_printable("\n".join(lines)))
    return int(failed)


class LoudnessAlone:
    """What EBU R 128 asks of a programme, and nothing else."""

    head = f"{'LUFS':>7} {'LRA':>5} {'max M':>6} {'max S':>6} {'dBTP':>7}  file"

    def __init__(self, dual_mono: bool) -> None:
        self._dual_mono = dual_mono

    def measure(self, path: Path) -> LoudnessFigures:
        """Measures a file; raises TrackError where it is not sound."""
        from media.analysis import measure_loudness

        return measure_loudness(path, dual_mono=self._dual_mono)

    def as_json(self, found: LoudnessFigures) -> dict[str, Any]:
        """Its figures."""
        return {**found._asdict(), "dual_mono": self._dual_mono}

    def as_text(self, name: str, found: LoudnessFigures) -> list[str]:
        """Its figures in the columns of the head."""
        columns = zip(found, (7, 5, 6, 6, 7), (2, 1, 1, 1, 2), strict=True)
        return [f"{' '.join(level(*column) for column in columns)}  {name}"]

    def fails(self, found: LoudnessFigures) -> bool:
        """Loudness alone is held against no target."""
        return False


def _way(asked: Asked) -> Way:
    if asked.loudness_only:
        return LoudnessAlone(asked.dual_mono)
    if asked.kind == "mix":
        from pipeline.mixed import Mixed

        return Mixed(asked)
    from pipeline.judged import Judged  # needs every meter and every limit

    return Judged(asked)


def _measured(name: str, way: Way) -> Any:
    if store.is_remote(name) and not store.has_filesystem(name):
        return TrackError("SOURCE_UNREADABLE", f"{name} cannot be reached: local paths and gs:// are installed")
    try:
        with store.fetched(name) as path:
            return way.measure(Path(path))
    except TrackError as error:
        return error
    except OSError as error:
        return TrackError("SOURCE_UNREADABLE", f"{name} cannot be read: {error.strerror or error}")
    except Exception as error:  # one file must not keep the others from being measured
        traceback.print_exception(error, limit=-6)
        return TrackError("INTERNAL_ERROR", f"{name}: {type(error).__name__}: {error}", "Report it with the trace.")


def _printable(text: str) -> str:
    """Names may hold bytes that are no text in the user's encoding: those are escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _error_json(error: TrackError) -> dict[str, Any]:
    return {"code": error.code, "text": _printable(error.text), "hint": error.hint}
