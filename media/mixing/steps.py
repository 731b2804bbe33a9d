"""The step of a stem: it is heard once, on any worker, and remembered; its song recalls it when it is mixed.

What is wrong with a stem is no exception: the song must know of it when all its stems have met.
"""

from __future__ import annotations

from pathlib import Path

from dsp.mixing.trace import Trace
from media import store
from media.mixing.hearing import hear
from media.mixing.traces import keep, kept
from media.source import sha256_of
from schemas.errors import TrackError
from schemas.mix import REFERENCE, StemFigures, StemHeard
from schemas.stems import Stem
from schemas.steps import Job

MAX_DURATION_ERROR_S = 5.0
"""Against `duration_s` of the manifest: as for tracks, more is another recording (DDEX practice)."""


def hear_stem(stem: Stem, mix_id: str, job: Job) -> StemHeard:
    """Measures a stem, or remembers its measurement; trouble with it comes back as a code and a text that names the stem."""
    try:
        with store.fetched(stem.uri) as path:
            digest, figures, remembered = _heard(path, stem, job)
            bytes_read = path.stat().st_size
        _check_duration(figures, stem)
    except TrackError as error:
        code, text, hint = error.code, error.text, error.hint
    except OSError as error:
        if str(error.filename or "").startswith(f"{job.output}/"):
            raise  # the output fails, not the stem
        code, text, hint = _of_system(error, stem)
    else:
        return StemHeard(
            mix_id=mix_id,
            stem_id=stem.stem_id,
            sha256=digest,
            remembered=remembered,
            bytes_read=bytes_read,
            samples=figures.format.frames * figures.format.channels,
        )
    name = "the reference mix" if stem.stem_id == REFERENCE else f"stem {stem.stem_id}"
    return StemHeard(mix_id=mix_id, stem_id=stem.stem_id, code=code, text=f"{name}: {text}", hint=hint)


def recall(sha256: str, job: Job) -> tuple[StemFigures, Trace]:
    """What `hear_stem` found in a stem with these bytes; raises TrackError where the ledger has lost it since."""
    found = kept(sha256, job.output, job.run_id)
    if found is None:
        text = f"what was heard of the stem with SHA-256 {sha256[:12]}... is gone from {job.output}/ledger"
        raise TrackError("OUTPUT_NOT_WRITABLE", text, "Run again: it is heard anew.")
    return found


def _heard(path: Path, stem: Stem, job: Job) -> tuple[str, StemFigures, bool]:
    """SHA-256, figures, and whether they were known before."""
    if path.is_dir():
        raise TrackError("SOURCE_NOT_A_FILE", f"{stem.uri} is a folder, not a file", "Give the audio file itself.")
    digest = sha256_of(path)
    if stem.sha256 is not None and digest != stem.sha256:
        text = f"SHA-256 is {digest[:12]}..., the manifest says {stem.sha256[:12]}..."
        raise TrackError("HASH_MISMATCH", text, "Copy the file again, or correct the manifest.")
    known = kept(digest, job.output, job.run_id)
    found = known or hear(path, digest)
    if known is None:
        keep(*found, job.output, job.run_id)
    return digest, found[0], known is not None


def _check_duration(figures: StemFigures, stem: Stem) -> None:
    found_s = figures.format.duration_s
    if stem.duration_s is not None and abs(found_s - stem.duration_s) > MAX_DURATION_ERROR_S:
        text = f"{found_s:.1f} s long, the manifest says {stem.duration_s:.1f} s"
        raise TrackError("DURATION_MISMATCH", text, "Check whether this is the right recording.")


def _of_system(error: OSError, stem: Stem) -> tuple[str, str, str]:
    if isinstance(error, FileNotFoundError):
        return "SOURCE_MISSING", f"there is no file {stem.uri}", "Check the uri in the manifest."
    return "SOURCE_UNREADABLE", f"{stem.uri} cannot be read: {error.strerror or error}", "Check rights and connection."
