"""Mixes in their places: what stands is known by its record, and none is made again unless something changed (law 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from dsp import SOUND_VERSION
from media import store
from media.ledger import Ledger, fingerprint
from media.masters import Place, Shelf, holds
from media.mixing.hearing import HEARING_VERSION
from schemas.mix import MixRecord, RenderedFile
from schemas.steps import Job
from schemas.track import Track

SETTINGS = "settings.json"
STEMS = "stems"
A_PERSON = "a person's settings"
"""Parts that others ask for: the sound of the stems, and what a person wrote."""


def folder_of(track: Track) -> str:
    """Where all files of a song's mix stand."""
    return track.uri.rpartition("/")[0]


class Said(NamedTuple):
    """What is said of a song beside what its manifest has in columns of its own."""

    names: Sequence[Sequence[str]] = ()
    """What the names of stems and files are taken to mean, in the order of the stems: all that their places decide."""
    edits: str = ""
    """Names what a person wrote about the settings."""
    mix_version: int = 0
    """Of the decisions."""


def parts_of(track: Track, sounds: Mapping[str, str], said: Said, job: Job) -> dict[str, str]:
    """What a mix depends on, by the words in which a change is told; `sounds` is the SHA-256 of each stem that was heard."""
    return {STEMS: fingerprint(sounds), **parts_said(track, said, job)}


def parts_said(track: Track, said: Said, job: Job) -> dict[str, str]:
    """The same but for the sound of the stems: known before any is opened.

    Places of files change nothing by themselves, nor do figures of the manifest that are only held against them.
    """
    assert track.song is not None
    plain = [structs.replace(stem, uri="", row=0, sha256=None, duration_s=None) for stem in track.song.stems]
    # Not as records: an encoder leaves their defaults out by identity, which is another after some ways of travelling.
    told = [structs.astuple(stem) for stem in plain]
    return {
        "what the manifest says of the stems": fingerprint(told, track.song.style, track.song.reference is not None),
        "what the names of the stems say": fingerprint(said.names),
        A_PERSON: said.edits,
        "what is asked for": fingerprint(job.mixing.stems, sorted(job.mixing.versions)),
        "name": folder_of(track).removeprefix(job.output),
        "version of the sound": str(SOUND_VERSION),
        "version of the decisions": f"{said.mix_version}.{HEARING_VERSION}",
    }


class MixShelf:
    """The files of one song's mix in an output, and the record of them."""

    def __init__(self, track: Track, job: Job) -> None:
        self._job, self._track = job, track
        self._shelf = Shelf(f"mix/{track.track_id}", job)
        self._ledger = Ledger(job.output, job.run_id)

    def standing(self) -> MixRecord | None:
        """The record of the mix that was made last."""
        kept = mix_record(self._track.track_id, self._job)
        return None if kept is None or kept.mix_id != self._track.track_id else kept

    def why_again(self, before: MixRecord | None, parts: dict[str, str]) -> str:
        """Why the song has to be mixed again; empty where it has not."""
        if before is None:
            return "never mixed into this output"
        changed = [name for name in {**parts, **before.parts} if before.parts.get(name) != parts.get(name)]
        if changed:
            return f"changed since run {before.run_id}: {', '.join(changed)}"
        if self._job.force and before.run_id != self._job.run_id:
            return "asked for by --force"
        altered = [file.name for file in before.files if not holds(file.uri, file.sha256)]
        # Settings may be edited where they stand; they must be there.
        altered += [] if store.exists(before.settings_uri) else [SETTINGS]
        return f"missing or altered in the output: {', '.join(altered)}" if altered else ""

    def publish(self, path: Path, uri: str, sha256: str) -> None:
        """Puts a finished file into its place."""
        self._shelf.put(path, uri, sha256)

    def tidy(self, standing: MixRecord) -> None:
        """Moves aside what a run that died had published beside the mix that stands."""
        self._shelf.clear([*(file.uri for file in standing.files), standing.settings_uri], ())

    def close(self, record: MixRecord, before: MixRecord | None) -> None:
        """Keeps the record, and moves aside what stood of an earlier mix and does not any more."""
        former = [Place(name=self._name(file.uri), sha256=file.sha256) for file in before.files] if before else []
        self._shelf.clear([*(file.uri for file in record.files), record.settings_uri], former)
        files = tuple(structs.replace(file, uri=self._name(file.uri)) for file in record.files)
        stems = tuple(
            structs.replace(one, stem_uri=self._name(one.stem_uri) if one.stem_uri else None) for one in record.stems
        )
        kept = structs.replace(record, files=files, stems=stems, settings_uri=self._name(record.settings_uri))
        self._ledger.put("mixes", fingerprint(self._track.track_id), kept)

    def _name(self, uri: str) -> str:
        """Kept without the output's own place: the whole output can be moved."""
        return uri.removeprefix(f"{self._job.output}/")


def mix_record(mix_id: str, job: Job) -> MixRecord | None:
    """The record of a song's mix, with its files as they stand in this output; None where it was never mixed."""
    kept = Ledger(job.output, job.run_id).get("mixes", fingerprint(mix_id), MixRecord)
    if kept is None:
        return None
    files: tuple[RenderedFile, ...] = tuple(
        structs.replace(file, uri=store.join(job.output, file.uri)) for file in kept.files
    )
    stems = tuple(
        structs.replace(one, stem_uri=store.join(job.output, one.stem_uri) if one.stem_uri else None)
        for one in kept.stems
    )
    settings_uri = store.join(job.output, kept.settings_uri)
    return structs.replace(kept, files=files, stems=stems, settings_uri=settings_uri)
