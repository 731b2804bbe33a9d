"""What fails in a track becomes a record: the code of the error, or the code of what the system refused."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Sequence

from msgspec import structs

from media import store
from media.lanes import lookout
from media.ledger import fingerprint
from media.retries import tallied
from schemas.errors import TrackError
from schemas.steps import AnyMember, Job, Rejected, Spent, track_id_of, track_of
from schemas.track import Track
from transforms.log_lines import TRACKS, about, speak, tell_rejected
from transforms.metrics import count_step
from transforms.slots import SLOTS

LOG = logging.getLogger(__name__)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}


def attempt(
    stage: str, work: Callable[[], AnyMember], track: Track, job: Job, before: tuple[Spent, ...] = ()
) -> AnyMember:
    """The result of some work on a track, or the track as rejected; a bad track never stops a run (law 9).

    It waits for runs that go first, and for a slot of this process. What the work took stands in `spent`, after what the steps
    `before` it took; a step tells what it knows of that itself.
    """
    speak(job.speech)
    with about(run_id=job.run_id, track_id=track.track_id, album_id=track.album_id, stage=stage):
        waited_s = 0.0 if job.priority else lookout(job.output).let_pass()
        with SLOTS.one() as queued_s:
            TRACKS.debug("%s begins", stage)
            member = _timed(stage, work, track, job)
        spent = structs.replace(member.spent[-1], waited_s=waited_s, queued_s=queued_s)
        TRACKS.debug("%s took %.3f s", stage, spent.wall_s, extra={"fields": {"seconds": round(spent.wall_s, 3)}})
        count_step(spent, member)
        if isinstance(member, Rejected):
            tell_rejected(member, job.run_id)
    return structs.replace(member, spent=(*before, spent))


def _timed(stage: str, work: Callable[[], AnyMember], track: Track, job: Job) -> AnyMember:
    """What came of the work, and what it took."""
    cpu_s, wall_s = time.thread_time(), time.monotonic()
    with tallied() as tally:
        member = _outcome(stage, work, track, job)
    told = member.spent[-1] if member.spent else Spent(stage=stage)
    cpu_s, wall_s = time.thread_time() - cpu_s, time.monotonic() - wall_s
    return structs.replace(member, spent=(structs.replace(told, cpu_s=cpu_s, wall_s=wall_s, retries=tally.retries),))


def _outcome(stage: str, work: Callable[[], AnyMember], track: Track, job: Job) -> AnyMember:
    try:
        return work()
    except TrackError as error:
        code, text, hint = error.code, error.text, error.hint
    except OSError as error:
        code, text, hint = _of_system(error, track, job)
    except Exception as error:  # the unforeseen is a record too, with its trace in the log
        LOG.exception("track %s failed while Lathe would %s it", track.track_id, stage)
        code, text, hint = "INTERNAL_ERROR", f"{type(error).__name__}: {error}", "Report it with the log."
    return Rejected.of(track, stage, code, text, hint)


def attempt_album(
    stage: str, work: Callable[[], Sequence[AnyMember]], members: Sequence[AnyMember], job: Job
) -> list[AnyMember]:
    """What was decided of an album, or its tracks as rejected; one album never stops the others.

    Deciding takes milliseconds, which are not told; what the tracks took before goes with them.
    """
    spent = {track_id_of(member): member.spent for member in members}
    speak(job.speech)
    with about(run_id=job.run_id, stage=stage):
        decided = _decided(stage, work, members)
    return [structs.replace(member, spent=spent.get(track_id_of(member), ())) for member in decided]


def tell_refused(members: Sequence[AnyMember], decided: Sequence[AnyMember], run_of: Callable[[str], str]) -> None:
    """Tells of the tracks that an album's decision rejected; `run_of` knows the run of each."""
    known = {track_id_of(member) for member in members if isinstance(member, Rejected)}
    for member in decided:
        if isinstance(member, Rejected) and member.track_id not in known:
            tell_rejected(member, run_of(member.track_id))


def _decided(stage: str, work: Callable[[], Sequence[AnyMember]], members: Sequence[AnyMember]) -> list[AnyMember]:
    try:
        return list(work())
    except Exception as error:  # the unforeseen is a record too, with its trace in the log
        LOG.exception("an album failed while Lathe would %s it", stage)
        text, found = f"{type(error).__name__}: {error}", [(member, track_of(member)) for member in members]
        hint = "Report it with the log."
        return [m if t is None else Rejected.of(t, stage, "INTERNAL_ERROR", text, hint) for m, t in found]


def report_progress(job: Job, track_id: str, outcome: str) -> None:
    """Tells a driver on the same machine that a track is done: one line in a file beside the output."""
    folder = store.local_path(job.output) / ".parts" / job.run_id
    if store.is_remote(job.output) or not folder.is_dir():
        return
    try:
        with (folder / "progress").open("a") as handle:
            handle.write(f"{outcome} {fingerprint(track_id)}\n")
    except OSError:
        LOG.warning("progress of run %s cannot be written", job.run_id)


def _of_system(error: OSError, track: Track, job: Job) -> tuple[str, str, str]:
    ours = str(error.filename or "").startswith(f"{job.output}/")
    if error.errno in _NO_ROOM or ours:
        what = "Make room" if error.errno in _NO_ROOM else "Check rights and connection"
        return "OUTPUT_NOT_WRITABLE", f"cannot write into {job.output}: {error.strerror}", f"{what}, then run again."
    if isinstance(error, FileNotFoundError):
        return "SOURCE_MISSING", f"there is no file {track.uri}", "Check the uri in the manifest."
    return "SOURCE_UNREADABLE", f"{track.uri} cannot be read: {error.strerror or error}", "Check rights and connection."
