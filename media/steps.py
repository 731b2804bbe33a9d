"""The three steps of a track that touch audio: analyse, rehearse, master. Each is done once and then remembered.

They know no Beam: a worker calls them, and any program may. What fails in a track raises TrackError; the
caller turns it into a record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import UNSET, Struct, UnsetType, structs

from dsp import SOUND_VERSION
from media import store
from media.analysis import ANALYSIS_VERSION, analyse
from media.ledger import Ledger, fingerprint
from media.masters import Place, Shelf
from media.passage import head_blocks
from media.references import asked_references, measured_references
from media.rehearsal import rehearse
from media.rendering import Rendering, render_track, tags_of
from media.source import sha256_of
from media.versions import asked_versions, parts_of, why_apart, why_guarded
from schemas.errors import TrackError
from schemas.figures import Analysis, AudioFormat
from schemas.plan import Instructed
from schemas.profile import Profile
from schemas.steps import (
    Analysed,
    Draft,
    Job,
    Master,
    Mastered,
    Planned,
    Rehearsed,
    Spent,
    Take,
    Version,
    VersionMaster,
)
from schemas.track import Track

SILENT_DBFS = -70.0
"""As the absolute gate of BS.1770: a file that holds only an offset jumps once and is heard as a programme by a meter."""

NO_VERSIONS: Mapping[Version, Planned] = MappingProxyType({})


ASKED = "a reviewer's instructions"
"""What a master also depends on, where there are any."""


class MasterRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The masters of a track as they stand in the output, and what they were made from."""

    parts: dict[str, str]
    mastered: Mastered
    run_id: str


def analyse_track(track: Track, job: Job) -> Analysed:
    """Measures a source, or remembers its measurement; raises TrackError if it cannot be mastered."""
    ledger = Ledger(job.output, job.run_id)
    with store.fetched(track.uri) as path:
        digest = _checked_sha256(path, track)
        profile = job.profiles[track.profile]
        remembered = remembered_analysis(digest, profile, ledger)
        analysis = remembered or analyse(path, digest, dual_mono=profile.loudness.dual_mono)
        if remembered is None:
            ledger.put("analysis", _name_of_analysis(digest, profile), analysis)
        spent = Spent(stage="analyse", remembered=remembered is not None, bytes_read=path.stat().st_size)
    check_source(analysis, track, profile)
    references = measured_references(track.reference_uris or profile.references, ledger)
    asked = asked_references(track, ledger)
    return Analysed(track=track, analysis=analysis, references=references, asked_references=asked, spent=(spent,))


def rehearse_track(draft: Draft, job: Job) -> Rehearsed:
    """Tries the gains of a draft, or remembers how they came out."""
    if not draft.needs_rehearsal:
        return Rehearsed(draft=draft)
    ledger = Ledger(job.output, job.run_id)
    remembered = remembered_takes(draft, ledger)
    takes, unasked = remembered if remembered is not None else (_takes(draft, ledger), ())
    if remembered is None and draft.unasked is not None:
        unasked = _takes(draft.as_unasked(), ledger)
    spent = (Spent(stage="rehearse", remembered=remembered is not None),)
    return Rehearsed(draft=draft, takes=takes, unasked_takes=unasked, spent=spent)


def master_track(planned: Planned, job: Job) -> Mastered:
    """Renders, proves and publishes every delivery of a track, unless they stand already."""
    ledger, name = Ledger(job.output, job.run_id), fingerprint(planned.track.track_id)
    versions = asked_versions(planned, job)
    before, parts = ledger.get("masters", name, MasterRecord), _parts(planned, job.output) | parts_of(versions)
    changed, shelf = _what_changed(before, parts, job), Shelf(planned.track.track_id, job)
    if before is not None and not changed:
        shelf.clear(_uris(before, job), ())
        standing = _absolute(before.mastered, job.output)
        repeated = before.run_id == job.run_id
        spent = (Spent(stage="master", remembered=True, repeated=repeated),)
        standing = structs.replace(standing, track=planned.track, plan=planned.plan, spent=spent)
        if repeated:  # a retry of what this run itself has done
            return standing
        reason = f"source, settings and version are those of run {before.run_id}; the masters stand unaltered"
        return structs.replace(standing, outcome="skipped", reason=reason)
    sizes: list[int] = []

    def publish(path: Path, uri: str, digest: str) -> None:
        sizes.append(path.stat().st_size)
        shelf.put(path, uri, digest)

    with store.scratch(job.output, job.run_id) as folder:
        mastered = rendered(planned, changed, folder, publish, versions)
    shelf.clear([master.uri for _, master in _all_masters(mastered)], _places(before))
    kept = MasterRecord(parts=parts, mastered=_relative(mastered, job.output), run_id=job.run_id)
    ledger.put("masters", name, kept)
    return structs.replace(mastered, spent=(Spent(stage="master", bytes_written=sum(sizes)),))


def remembered_analysis(sha256: str, profile: Profile, ledger: Ledger) -> Analysis | None:
    """What was measured before of a source with these bytes, if anything."""
    return ledger.get("analysis", _name_of_analysis(sha256, profile), Analysis)


def remembered_takes(draft: Draft, ledger: Ledger) -> tuple[tuple[Take, ...], tuple[Take, ...]] | None:
    """How the gains of a draft came out before, and those of the draft as unasked; None where any is still to be tried."""
    found = [_kept_takes(one, ledger) for one in (draft, draft.as_unasked())]
    takes, unasked = found
    return None if takes is None or unasked is None else (takes, unasked if draft.unasked is not None else ())


def remembered_unasked(draft: Draft, ledger: Ledger) -> tuple[Take, ...] | None:
    """How the gains came out before of a draft as it would be if nobody had asked anything of its track."""
    return _kept_takes(draft.as_unasked(), ledger)


def foreseen_asked(draft: Draft, job: Job) -> str:
    """Why a track would be mastered again, whatever its gain comes to: reviewers ask otherwise of it than before; else empty."""
    before = Ledger(job.output, job.run_id).get("masters", fingerprint(draft.track.track_id), MasterRecord)
    part = _asked_part(Instructed(revision=draft.asked.run))
    if before is None or not part or part[ASKED] == before.parts.get(ASKED):
        return ""
    return f"changed since run {before.run_id}: {ASKED}"


def foreseen_reason(planned: Planned, job: Job) -> str:
    """Why a track would be mastered again; empty where it would be skipped. Its masters are looked for, not read."""
    before = Ledger(job.output, job.run_id).get("masters", fingerprint(planned.track.track_id), MasterRecord)
    parts = _parts(planned, job.output) | parts_of(asked_versions(planned, job))
    return _what_changed(before, parts, job, lambda master: store.exists(master.uri))


def standing_run(track_id: str, job: Job) -> str | None:
    """The run whose masters of a track still stand in the output, if any."""
    record = Ledger(job.output, job.run_id).get("masters", fingerprint(track_id), MasterRecord)
    if record is None or not all(_stands(m) for _, m in _all_masters(_absolute(record.mastered, job.output))):
        return None
    return record.run_id


def check_format(audio: AudioFormat, profile: Profile) -> None:
    """Raises TrackError for a format that cannot be mastered under a profile, whatever the sound is."""
    accepted = profile.source
    if audio.channels > accepted.max_channels:
        text = f"{audio.channels} channels; profile {profile.name} takes 1 to {accepted.max_channels}"
        raise TrackError("CHANNELS_UNSUPPORTED", text, "Give a mono or stereo mix.")
    if not accepted.min_rate_hz <= audio.rate_hz <= accepted.max_rate_hz:
        text = f"{audio.rate_hz} Hz; profile {profile.name} takes {accepted.min_rate_hz} to {accepted.max_rate_hz} Hz"
        raise TrackError("RATE_UNSUPPORTED", text, "Give the recording at its original rate.")
    if audio.duration_s < accepted.min_duration_s:
        text = f"{audio.duration_s:.3f} s long; profile {profile.name} takes {accepted.min_duration_s:g} s and more"
        raise TrackError("SOURCE_TOO_SHORT", text, "Join it to its neighbour; loudness needs a block of 0.4 s.")


def check_source(analysis: Analysis, track: Track, profile: Profile) -> None:
    """Raises TrackError unless a measured source can be mastered under a profile."""
    check_format(analysis.format, profile)
    if analysis.figures.integrated_lufs is None or _music_dbfs(analysis) < SILENT_DBFS:
        peak = analysis.figures.sample_peak_dbfs
        level = "digital silence" if peak is None else f"a sample peak of {peak:.1f} dBFS"
        raise TrackError("SOURCE_SILENT", f"no music louder than -70 LUFS, {level}", "Check the export of this track.")
    check_duration(analysis.format, track, profile)


def check_duration(audio: AudioFormat, track: Track, profile: Profile) -> None:
    """Raises TrackError for a source that is not as long as the manifest says."""
    allowed_s = profile.source.max_duration_error_s
    if track.duration_s is not None and abs(track.duration_s - audio.duration_s) > allowed_s:
        text = f"{audio.duration_s:.1f} s long, the manifest says {track.duration_s:.1f} s"
        raise TrackError("DURATION_MISMATCH", text, "Check whether this is the right recording.")


def _name_of_analysis(sha256: str, profile: Profile) -> str:
    return fingerprint(ANALYSIS_VERSION, sha256, profile.loudness.dual_mono)


def _takes(draft: Draft, ledger: Ledger) -> tuple[Take, ...]:
    """How the gains of a draft come out: as they did before, or tried now and kept."""
    takes = _kept_takes(draft, ledger)
    if takes is None:
        takes = rehearse(draft, head_blocks(draft))
        ledger.put("rehearsal", _name_of_takes(draft), takes)
    return takes


def _kept_takes(draft: Draft, ledger: Ledger) -> tuple[Take, ...] | None:
    """No takes where there is nothing to try."""
    if not draft.needs_rehearsal:
        return ()
    return ledger.get("rehearsal", _name_of_takes(draft), tuple[Take, ...])


def _name_of_takes(draft: Draft) -> str:
    source = (draft.analysis.sha256, draft.analysis.dual_mono)
    return fingerprint(SOUND_VERSION, source, draft.head, draft.limiter, draft.gains_db)


def _music_dbfs(analysis: Analysis) -> float:
    """Level of all third octaves together: what is left of a track without offset and rumble."""
    power = sum(10.0 ** (level / 10.0) for level in analysis.figures.spectrum_db if level is not None)
    return 10.0 * math.log10(power) if power > 0.0 else -math.inf


def _checked_sha256(path: Path, track: Track) -> str:
    if path.is_dir():
        raise TrackError("SOURCE_NOT_A_FILE", f"{track.uri} is a folder, not a file", "Give the audio file itself.")
    digest = sha256_of(path)
    if track.sha256 is not None and digest != track.sha256:
        text = f"SHA-256 is {digest[:12]}..., the manifest says {track.sha256[:12]}..."
        raise TrackError("HASH_MISMATCH", text, "Copy the file again, or correct the manifest.")
    return digest


def _parts(planned: Planned, output: str) -> dict[str, str]:
    """What a track's masters depend on, by the words in which a change is told."""
    plan = structs.replace(
        planned.plan,
        style="",
        intensity="",
        decisions=(),
        target_limited=None,
        references_refused=(),
        gain_group=0,
        shared_by=1,
        asked=UNSET,
    )
    names = tuple(delivery.uri.removeprefix(output) for delivery in plan.deliveries)
    placeless = tuple(structs.replace(delivery, uri="") for delivery in plan.deliveries)
    neighbours = tuple(tuple(structs.replace(n, uri="") for n in side) for side in (plan.before, plan.after))
    settings = structs.replace(plan, deliveries=placeless, before=(), after=())
    return {
        **_asked_part(planned.plan.asked),
        "source": planned.analysis.sha256,
        "settings": fingerprint(settings),
        "neighbour across a gapless join": fingerprint(neighbours),
        "name": fingerprint(names),
        "tags": fingerprint(tags_of(planned.track, planned.analysis.tags)),
        "version of the sound": str(SOUND_VERSION),
        "version of the figures": str(ANALYSIS_VERSION),
        "how mono is measured": "as two channels" if planned.analysis.dual_mono else "as one channel",
    }


def _asked_part(asked: Instructed | UnsetType) -> dict[str, str]:
    """What reviewers asked; nothing where nobody did: such masters depend on what they always did."""
    if not isinstance(asked, Instructed):
        return {}
    # What is expected of its album changes no byte of the track, nor does the place of a reference; its gain is a setting.
    name = (asked.revision.reference or "").rpartition("/")[2] or None
    own = structs.replace(asked, revision=structs.replace(asked.revision, reference=name), moved_lu=0.0, own_gain=False)
    return {ASKED: fingerprint(own)} if own != Instructed() else {}


def _stands(master: Master) -> bool:
    try:
        with store.fetched(master.uri) as path:
            return sha256_of(path) == master.proof.sha256
    except OSError:
        return False


def _what_changed(
    before: MasterRecord | None, parts: dict[str, str], job: Job, stands: Callable[[Master], bool] = _stands
) -> str:
    """Why a track has to be made again; empty where it has not."""
    if before is None:
        return "never mastered into this output"
    changed = [name for name in {**parts, **before.parts} if before.parts.get(name) != parts.get(name)]
    if changed:
        return f"changed since run {before.run_id}: {', '.join(changed)}"
    if job.force:
        return "asked for by --force"
    altered = [name for name, m in _all_masters(_absolute(before.mastered, job.output)) if not stands(m)]
    return f"missing or altered in the output: {', '.join(altered)}" if altered else ""


def rendered(
    planned: Planned,
    reason: str,
    folder: Path,
    publish: Callable[[Path, str, str], None],
    versions: Mapping[Version, Planned] = NO_VERSIONS,
) -> Mastered:
    """Renders and proves every delivery in `folder`, and hands each to `publish` (path, uri, SHA-256); then its versions'."""
    apart = why_apart(planned.plan.head)
    rendering = render_track(planned, folder, () if apart else tuple(versions.values()))
    masters = tuple(_delivered(planned, rendering, publish))
    made: list[VersionMaster] = []
    for number, (name, version) in enumerate(versions.items()):
        its_own = render_track(version, folder / name) if apart else rendering.followers[number]
        made += _version_masters(name, version, its_own, publish, apart)
    return Mastered(
        track=planned.track,
        analysis=planned.analysis,
        plan=planned.plan,
        masters=masters,
        limiter_max_reduction_db=rendering.max_reduction_db,
        limiter_mean_reduction_db=rendering.mean_reduction_db,
        limiter_course_db=rendering.course_db,
        outcome="mastered",
        reason=reason,
        versions=tuple(made),
    )


def _version_masters(
    name: Version, version: Planned, rendering: Rendering, publish: Callable[[Path, str, str], None], apart: str
) -> Iterator[VersionMaster]:
    """The masters of a version, which went through a chain of its own where `apart` says why."""
    why = apart or why_guarded(rendering)
    for master in _delivered(version, rendering, publish):
        yield VersionMaster(
            version=name, linked=not why, why=why, own_reduction_db=rendering.max_reduction_db, master=master
        )


def _delivered(planned: Planned, rendering: Rendering, publish: Callable[[Path, str, str], None]) -> Iterator[Master]:
    for delivery in planned.plan.deliveries:
        path = rendering.paths[delivery.name]
        frames, md5 = rendering.frames[delivery.name], rendering.md5[delivery.name]
        proof = proved(path, frames, md5, dual_mono=planned.analysis.dual_mono)
        publish(path, delivery.uri, proof.sha256)
        yield Master(
            delivery=delivery.name,
            uri=delivery.uri,
            proof=proof,
            bits=delivery.quantiser.bits,
            ceiling_dbtp=delivery.limiter.ceiling_dbtp,
            target_lufs=planned.plan.target_lufs,
        )


def proved(path: Path, frames: int, md5: bytes, *, dual_mono: bool = False) -> Analysis:
    """Decodes and measures a finished file, which must hold what was encoded; publishing renames or uploads these very bytes."""
    try:
        proof = analyse(path, dual_mono=dual_mono, md5=md5)
    except TrackError as error:
        raise TrackError("MASTER_DAMAGED", f"the finished {path.name} does not decode: {error.text}") from error
    if proof.format.frames != frames:
        text = f"the finished {path.name} has {proof.format.frames} frames, {frames} were rendered"
        raise TrackError("MASTER_DAMAGED", text, "Check the disk, then run again.")
    return proof


def _all_masters(mastered: Mastered) -> list[tuple[str, Master]]:
    """The masters of a track and of its versions, by the words in which they are told."""
    versions = [(one.subject, one.master) for one in mastered.versions]
    return [(master.delivery, master) for master in mastered.masters] + versions


def _uris(record: MasterRecord, job: Job) -> list[str]:
    return [master.uri for _, master in _all_masters(_absolute(record.mastered, job.output))]


def _places(record: MasterRecord | None) -> list[Place]:
    masters = _all_masters(record.mastered) if record is not None else ()
    return [Place(name=master.uri, sha256=master.proof.sha256) for _, master in masters]


def _relative(mastered: Mastered, output: str) -> Mastered:
    """Kept without the output's own place: the whole output can be moved."""
    return _placed(mastered, lambda uri: uri.removeprefix(output + "/"))


def _absolute(mastered: Mastered, output: str) -> Mastered:
    return _placed(mastered, lambda uri: store.join(output, uri))


def _placed(mastered: Mastered, place: Callable[[str], str]) -> Mastered:
    masters = tuple(structs.replace(m, uri=place(m.uri)) for m in mastered.masters)
    versions = tuple(
        structs.replace(one, master=structs.replace(one.master, uri=place(one.master.uri))) for one in mastered.versions
    )
    return structs.replace(mastered, masters=masters, versions=versions)
