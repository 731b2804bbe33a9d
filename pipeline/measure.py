"""`lathe measure`: the figures of any audio files, as a table or as one JSON object a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from media import store
from media.analysis import analyse
from pipeline.words import figures_table
from schemas.errors import TrackError
from schemas.figures import Analysis


def measured(files: Sequence[str], as_json: bool) -> int:
    """Measures files and prints what it finds; 1 if one of them could not be measured, else 0."""
    failed, table = 0, []
    for name in files:
        found = _measure(name)
        failed += isinstance(found, TrackError)
        if as_json:
            click.echo(msgspec.json.encode({"file": name, **_as_json(found)}).decode())
        else:
            table.append((name, str(found) if isinstance(found, TrackError) else found.figures))
    if not as_json:
        click.echo(figures_table(table))
    return 1 if failed else 0


def _measure(name: str) -> Analysis | TrackError:
    try:
        with store.fetched(name) as path:
            return analyse(Path(path))
    except TrackError as error:
        return error
    except OSError as error:
        return TrackError("SOURCE_UNREADABLE", f"{name} cannot be read: {error.strerror or error}")


def _as_json(found: Analysis | TrackError) -> dict[str, Any]:
    if isinstance(found, TrackError):
        return {"code": found.code, "text": found.text, "hint": found.hint}
    return {
        "sha256": found.sha256,
        **msgspec.to_builtins(found.format),
        "duration_s": found.format.duration_s,
        **msgspec.to_builtins(found.figures),
        "flat_tops": found.flat_tops,
        "flat_tops_at_s": found.flat_tops_at_s,
    }
