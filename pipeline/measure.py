"""`lathe measure`: the figures of any audio files, as a table or as one JSON object a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from decisions.findings import source_findings
from decisions.profile_files import load_profile
from media import store
from media.analysis import analyse
from pipeline.words import figures_table
from schemas.errors import TrackError
from schemas.figures import Analysis
from schemas.profile import Profile

LIMITS = "streaming"
"""The profile whose limits a file is held against when it is measured by itself."""


def measured(files: Sequence[str], as_json: bool) -> int:
    """Measures files and prints what it finds; 1 if one of them could not be measured, else 0."""
    failed, table, said, limits = 0, [], [], load_profile(LIMITS)
    for name in files:
        found = _measure(name)
        failed += isinstance(found, TrackError)
        if as_json:
            click.echo(msgspec.json.encode({"file": name, **_as_json(found, limits)}).decode())
        else:
            table.append((name, str(found) if isinstance(found, TrackError) else found.figures))
            said += _said(name, found, limits)
    if not as_json:
        click.echo("\n".join([figures_table(table), *said]))
    return 1 if failed else 0


def _said(name: str, found: Analysis | TrackError, limits: Profile) -> list[str]:
    if isinstance(found, TrackError):
        return []
    return [f"{name}: {one.severity} {one.code}: {one.text}" for one in source_findings(found, limits)]


def _measure(name: str) -> Analysis | TrackError:
    if store.is_remote(name) and not store.has_filesystem(name):
        return TrackError("SOURCE_UNREADABLE", f"{name} cannot be reached: local paths and gs:// are installed")
    try:
        with store.fetched(name) as path:
            return analyse(Path(path))
    except TrackError as error:
        return error
    except OSError as error:
        return TrackError("SOURCE_UNREADABLE", f"{name} cannot be read: {error.strerror or error}")


def _as_json(found: Analysis | TrackError, limits: Profile) -> dict[str, Any]:
    if isinstance(found, TrackError):
        return {"code": found.code, "text": found.text, "hint": found.hint}
    return {
        "sha256": found.sha256,
        **msgspec.to_builtins(found.format),
        "duration_s": found.format.duration_s,
        **msgspec.to_builtins(found.figures),
        "findings": msgspec.to_builtins(source_findings(found, limits)),
    }
