"""Mixes one song: what was heard of its stems comes in, decisions are taken, and its files stand in the output.

Here the two halves meet that know nothing of each other: `decisions.mixing` decides, `media.mixing` reads and writes sound.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from decisions.mixing import MIX_VERSION
from decisions.mixing.checks import candidates, check_session
from decisions.mixing.edits import Edits, applied, is_whole, read_settings, says, written
from decisions.mixing.mix import draft_mix, settle_mix
from decisions.mixing.results import mix_lufs_of, results_of
from decisions.mixing.roles import named_role, role_of
from decisions.mixing.session import HeardStem, Rehearsal, Session, neutral_settings, session_rate_hz
from media import store
from media.ledger import fingerprint
from media.mixing.pairs import measured_links
from media.mixing.rehearsal import rehearse_mix
from media.mixing.rendering import MixFile, MixRendering, render_mix
from media.mixing.shelf import A_PERSON, SETTINGS, MixShelf, Said, folder_of, parts_of, parts_said
from media.mixing.steps import recall
from media.source import sha256_of
from schemas.codes import CODES
from schemas.errors import TrackError
from schemas.mix import REFERENCE, MixRecord, MixSettings, RenderedFile
from schemas.qc import Finding
from schemas.stems import Stem
from schemas.steps import Job, Listed, Spent
from schemas.track import Track


class Decided(NamedTuple):
    """A mix that was decided, and what it was decided from."""

    session: Session
    settings: MixSettings
    findings: tuple[Finding, ...]
    tried: MixSettings
    rehearsal: Rehearsal
    """How `tried` came out: the settings themselves, or those before the last move of the faders."""
    edited: bool
    before_edits: MixSettings | None = None
    """What is decided where nobody edits, as far as that is known."""


def stems_to_hear(track: Track) -> list[Stem]:
    """The stems of a song, and its reference mix as if it were one."""
    assert track.song is not None
    reference = track.song.reference
    extra = [Stem(row=track.row, uri=reference, stem_id=REFERENCE)] if reference else []
    return [*track.song.stems, *extra]


def mixed(track: Track, sounds: Mapping[str, str], job: Job) -> Listed:
    """A song whose mix stands in the output, made now or before; `sounds` is the SHA-256 of each stem that was heard.

    Raises TrackError where it cannot be mixed.
    """
    edits = edits_for(track, job)
    shelf = MixShelf(track, job)
    before = shelf.standing()
    parts = parts_of(track, sounds, _said(track, edits, before), job)
    reason = shelf.why_again(before, parts)
    if before is not None and not reason:
        shelf.tidy(before)
        repeated = before.run_id == job.run_id
        return Listed(track=track, spent=(Spent(stage="mix", remembered=True, repeated=repeated),))
    decided = decide(track, sounds, edits, job, _decided_before(before))
    with store.scratch(job.output, job.run_id) as folder:
        rendering = render_mix(track, decided.settings, folder, job.mixing)
        sizes = sum(file.path.stat().st_size for file in rendering.files)
        settings_uri = _settings_published(decided.settings, folder, track, shelf)
        files = _published(rendering, track, shelf)
    record = _record(decided, rendering, files, settings_uri)
    shelf.close(structs.replace(record, run_id=job.run_id, parts=parts, reason=reason), before)
    return Listed(track=track, spent=(Spent(stage="mix", bytes_written=sizes),))


def foreseen_parts(track: Track, job: Job, before: MixRecord | None = None) -> dict[str, str]:
    """What a mix depends on beside the sound of its stems, where `before` stands; raises TrackError where a person's settings
    cannot be read.
    """
    return parts_said(track, _said(track, edits_for(track, job), before), job)


def edits_for(track: Track, job: Job) -> Edits | None:
    """What a person wrote about the settings of a song: in a file that the run was given, else in that of the manifest."""
    assert track.song is not None
    given = [read_settings(settings_bytes(uri)) for uri in job.mixing.settings]
    own = [edits for edits in given if edits.mix_id in (track.track_id, None)]
    if own or not track.song.settings:
        return own[-1] if own else None
    return read_settings(settings_bytes(track.song.settings))


def decide(
    track: Track, sounds: Mapping[str, str], edits: Edits | None, job: Job, before: MixSettings | None = None
) -> Decided:
    """The settings of a mix: decided, tried, decided again; or as a person wrote them, perhaps from decisions `before`."""
    session = session_of(track, sounds, job)
    findings = _checked(session)
    inputs = neutral_settings(session).inputs
    if edits is not None and is_whole(edits, inputs):
        settings = applied(edits, track.track_id, inputs, before=before)
        return Decided(session, settings, findings, settings, _rehearsal(track, settings), True, before)
    draft = draft_mix(session)
    rehearsal = _rehearsal(track, draft)
    settled = settle_mix(session, draft, rehearsal)
    if edits is None:
        return Decided(session, settled, findings, draft, rehearsal, False)
    settings = applied(edits, track.track_id, inputs, settled, _file_names(session))
    return Decided(session, settings, findings, settings, _rehearsal(track, settings), True, settled)


def _decided_before(before: MixRecord | None) -> MixSettings | None:
    if before is None:
        return None
    return before.decided if before.edited else before.settings


def session_of(track: Track, sounds: Mapping[str, str], job: Job) -> Session:
    """A song with all that is known of its stems, also of how they hang together."""
    assert track.song is not None
    heard = {one.stem_id: _heard(one, sounds, job) for one in stems_to_hear(track)}
    reference = heard.pop(REFERENCE, None)
    stems = tuple(heard[name] for name in sorted(heard))
    alone = Session(
        mix_id=track.track_id, song=track.song, rate_hz=session_rate_hz(stems), stems=stems, reference=reference
    )
    pairs, sums = measured_links(track.song, candidates(alone), alone.rate_hz)
    return alone._replace(pairs=pairs, sums=sums)


def _said(track: Track, edits: Edits | None, before: MixRecord | None) -> Said:
    """What names and a person say; the settings of the mix that stands, given back, say nothing new."""
    assert track.song is not None
    found = [named_role(stem) for stem in track.song.stems]
    names = [(one.role, one.presence or "") if one else () for one in found]
    if before is not None and edits is not None and says(edits, before.settings):
        return Said(names, before.parts.get(A_PERSON, ""), MIX_VERSION)
    return Said(names, fingerprint(edits) if edits else "", MIX_VERSION)


def _checked(session: Session) -> tuple[Finding, ...]:
    """What the session check found; raises TrackError for what no song can be mixed with."""
    findings = check_session(session)
    for finding in findings:
        if CODES[finding.code].severity == "rejected":
            raise TrackError(finding.code, finding.text, CODES[finding.code].mend)
    return findings


def _file_names(session: Session) -> dict[str, str]:
    """The stem_id of each file's name: RoEx knows stems by their files."""
    return {one.stem.uri.rpartition("/")[2]: one.stem.stem_id for one in session.stems}


def settings_bytes(uri: str) -> bytes:
    """A file of settings; raises TrackError where it cannot be read."""
    try:
        return store.read_bytes(uri)
    except OSError as error:
        text = f"settings {uri} cannot be read: {error.strerror or error}"
        raise TrackError("MIX_SETTINGS_INVALID", text, "Correct the path.") from error


def _heard(stem: Stem, sounds: Mapping[str, str], job: Job) -> HeardStem:
    figures, trace = recall(sounds[stem.stem_id], job)
    found = role_of(stem, figures)
    if found.presence is not None and stem.presence == "normal":
        stem = structs.replace(stem, presence=found.presence)
    return HeardStem(stem, figures, trace, found.role, found.source, found.confidence)


def _rehearsal(track: Track, settings: MixSettings) -> Rehearsal:
    if not any(strip.use for strip in settings.stems):
        raise TrackError("NO_STEMS_LEFT", "the settings use none of the stems", CODES["NO_STEMS_LEFT"].mend)
    tried = rehearse_mix(track, settings)
    return Rehearsal(
        energies=tried.energies,
        true_peak_dbtp=tried.true_peak_dbtp,
        max_short_term_lufs=tried.max_short_term_lufs,
    )


def _published(rendering: MixRendering, track: Track, shelf: MixShelf) -> list[RenderedFile]:
    """The files in their places, the mix last: where it stands, all that belongs to it does."""
    found = [_file(file, track) for file in rendering.files]
    for file, rendered in reversed(list(zip(rendering.files, found, strict=True))):
        shelf.publish(file.path, rendered.uri, file.sha256)
    return found


def _file(file: MixFile, track: Track) -> RenderedFile:
    inside = file.path.name if file.kind == "mix" else f"{file.path.parent.name}/{file.path.name}"
    return RenderedFile(
        name=file.name,
        kind=file.kind,
        uri=store.join(folder_of(track), inside),
        sha256=file.sha256,
        frames=file.frames,
        peak_dbfs=file.peak_dbfs,
    )


def _settings_published(settings: MixSettings, folder: Path, track: Track, shelf: MixShelf) -> str:
    path, uri = folder / SETTINGS, store.join(folder_of(track), SETTINGS)
    path.write_bytes(written(settings))
    shelf.publish(path, uri, sha256_of(path))
    return uri


def _record(decided: Decided, rendering: MixRendering, files: list[RenderedFile], settings_uri: str) -> MixRecord:
    stems = {file.name: file for file in files if file.kind == "stem"}
    mix_lufs = mix_lufs_of(decided.session, decided.tried, decided.rehearsal, decided.settings)
    return MixRecord(
        mix_id=decided.session.mix_id,
        run_id="",
        parts={},
        reason="",
        settings=decided.settings,
        edited=decided.edited,
        decided=decided.before_edits,
        settings_uri=settings_uri,
        files=tuple(files),
        stems=results_of(decided.session, decided.settings, stems, mix_lufs),
        findings=decided.findings,
        figures=rendering.analysis.figures,
        duration_s=rendering.analysis.format.duration_s,
    )
