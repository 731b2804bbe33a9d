"""Measures reference recordings: the same for a run, for one file and for sound in memory."""

from __future__ import annotations

from collections.abc import Sequence

from media import store
from media.analysis import ANALYSIS_VERSION, analyse
from media.ledger import Ledger, fingerprint
from media.source import sha256_of
from schemas.errors import CatalogueError, TrackError
from schemas.figures import Analysis
from schemas.steps import Reference
from schemas.track import Track


def check_references(uris: Sequence[str]) -> None:
    """Raises CatalogueError with every reference that is not there, before anything is done."""
    problems = []
    for uri in uris:
        try:
            with store.fetched(uri) as path:
                problems += [] if path.is_file() else [f"reference {uri} {_no_file(path.is_dir())}"]
        except OSError as error:
            problems.append(f"reference {uri} cannot be read: {error}")
    if problems:
        raise CatalogueError("REFERENCE_MISSING", problems)


def measured_references(uris: Sequence[str], ledger: Ledger | None = None) -> tuple[Reference, ...]:
    """Each reference as measured or remembered, or with what is wrong: a bad one is no reason to reject a track."""
    return tuple(_measured(uri, ledger) for uri in uris)


def asked_references(track: Track, ledger: Ledger) -> tuple[Reference, ...]:
    """The recordings that reviewers named for a track or its album; one that may not be read is not opened."""
    refused = track.refused_references
    return tuple(
        Reference(uri=uri, trouble=refused[uri]) if uri in refused else _measured(uri, ledger)
        for uri in track.asked_uris
    )


def remembered_asked(track: Track, ledger: Ledger) -> tuple[Reference, ...] | None:
    """The same as they were measured before; None where one would have to be measured."""
    if any(uri not in track.refused_references and _remembered(uri, ledger) is None for uri in track.asked_uris):
        return None
    return asked_references(track, ledger)


def remembered_references(uris: Sequence[str], ledger: Ledger) -> tuple[Reference, ...] | None:
    """Each reference as it was measured before; None where one would have to be measured."""
    found = [_remembered(uri, ledger) for uri in uris]
    return None if None in found else tuple(one for one in found if one is not None)


def _remembered(uri: str, ledger: Ledger) -> Reference | None:
    if store.is_remote(uri) or not store.local_path(uri).is_file():
        return None
    digest = sha256_of(store.local_path(uri))
    analysis = ledger.get("analysis", _name(digest), Analysis)
    return _reference(uri, digest, analysis) if analysis is not None else None


def _name(digest: str) -> str:
    return fingerprint(ANALYSIS_VERSION, digest, False)


def _reference(uri: str, digest: str, analysis: Analysis) -> Reference:
    return Reference(uri=uri, sha256=digest, duration_s=analysis.format.duration_s, figures=analysis.figures)


def _measured(uri: str, ledger: Ledger | None) -> Reference:
    try:
        with store.fetched(uri) as path:
            if not path.is_file():
                return Reference(uri=uri, trouble=f"it {_no_file(path.is_dir())}")
            digest = sha256_of(path)
            analysis = ledger.get("analysis", _name(digest), Analysis) if ledger else None
            if analysis is None:
                analysis = analyse(path, digest)
                if ledger:
                    ledger.put("analysis", _name(digest), analysis)
    except (TrackError, OSError) as error:
        return Reference(uri=uri, trouble=error.text if isinstance(error, TrackError) else str(error))
    return _reference(uri, digest, analysis)


def _no_file(folder: bool) -> str:
    return "is a folder, not a file" if folder else "is not there"
