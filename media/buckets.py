"""Files in Google Cloud Storage (`gs://...`): created by a precondition, read in ranges, every request repeated for a while.

An upload becomes visible when it is complete and its checksum right. Whoever creates a name that another has created is told
so by the store itself (`ifGenerationMatch`), so two workers never both win.
"""

from __future__ import annotations

import errno
import io
import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import md5
from pathlib import Path
from typing import Any, BinaryIO

import google_crc32c
from google.api_core import exceptions as refused
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage import Blob, Client
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from media.retries import note_retry

RANGE_BYTES = 1 << 16
"""Enough for the header of any file."""
BLOCK_BYTES = 8 << 20
"""Read or written by one request."""
PATIENCE_S = 120.0
"""How long one request is repeated while the store does not answer, or answers 408, 429 or 5xx."""
HASTE_S = 5.0
"""The same once a bucket has used that up, until it answers again: a catalogue does not wait two minutes for each track."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 16.0
ANSWER_WITHIN_S = 30.0


class _ReplacedError(Exception):
    """An object is not the one any more that was begun to be read."""


def exists(uri: str) -> bool:
    """Whether an object is there."""
    with _asked(uri) as patiently:
        return bool(_blob(uri).exists(timeout=ANSWER_WITHIN_S, retry=patiently))


def read_bytes(uri: str) -> bytes:
    """The whole of a small object."""
    content = io.BytesIO()
    _read(uri, content)
    return content.getvalue()


def fetch(uri: str, path: Path) -> None:
    """Copies an object to `path`."""
    with path.open("wb") as target:
        _read(uri, target)


def list_files(folder: str) -> list[str]:
    """All objects below a folder."""
    bucket, prefix = _parts(folder.rstrip("/") + "/")
    with _asked(folder) as patiently:
        names = _client().list_blobs(
            bucket, prefix=prefix, fields="items(name),nextPageToken", timeout=ANSWER_WITHIN_S, retry=patiently
        )
        return [f"gs://{bucket}/{one.name}" for one in names if not one.name.endswith("/")]


def publish(path: Path, uri: str) -> None:
    """Uploads a local file, unless another object has the name: then FileExistsError."""
    blob = _blob(uri)
    blob.md5_hash = _md5_of(path)
    with _asked(uri) as patiently:
        try:
            _upload(path, blob, patiently, if_generation_match=0)
        except refused.PreconditionFailed:
            # Perhaps it is this very upload, and only the answer to it was lost.
            if not _holds(uri, path.stat().st_size, blob.md5_hash, patiently):
                raise FileExistsError(errno.EEXIST, "another object stands there", uri) from None
    path.unlink()


def replace(path: Path, uri: str) -> None:
    """Uploads a local file in place of any object of that name."""
    blob = _blob(uri)
    blob.md5_hash = _md5_of(path)
    with _asked(uri) as patiently:
        _upload(path, blob, patiently)
    path.unlink()


def move(uri: str, target_uri: str) -> None:
    """Gives what stands at a name another name; FileExistsError if that is taken, FileNotFoundError if nothing stands."""
    with _asked(uri) as patiently:
        source = _standing(uri, patiently)
        _copy(source, target_uri, patiently)
        # Refused if another worker has moved it too, and perhaps published since: what was seen here is kept.
        with suppress(refused.NotFound, refused.PreconditionFailed):
            _blob(uri).delete(if_generation_match=source.generation, timeout=ANSWER_WITHIN_S, retry=patiently)


def remove_folder(folder: str) -> None:
    """Deletes all objects below a folder."""
    for uri in list_files(folder):
        with _asked(uri) as patiently, suppress(refused.NotFound):
            _blob(uri).delete(timeout=ANSWER_WITHIN_S, retry=patiently)


def write_bytes(uri: str, data: bytes) -> None:
    """Uploads a small object in place of any of that name."""
    with _asked(uri) as patiently:
        _blob(uri).upload_from_string(data, timeout=ANSWER_WITHIN_S, retry=patiently)


def remove(uri: str) -> None:
    """Deletes an object."""
    with _asked(uri) as patiently:
        _blob(uri).delete(timeout=ANSWER_WITHIN_S, retry=patiently)


def size_and_change(uri: str) -> tuple[int, float]:
    """Size in bytes and time of the last change."""
    with _asked(uri) as patiently:
        blob = _standing(uri, patiently)
        return int(blob.size), blob.updated.timestamp()


@contextmanager
def opened(uri: str) -> Iterator[BinaryIO]:
    """An object that is read by ranges, as they are asked for."""
    with _asked(uri) as patiently, _blob(uri).open("rb", chunk_size=RANGE_BYTES, retry=patiently) as handle:
        yield handle


def _copy(source: Blob, target_uri: str, patiently: Retry) -> None:
    """Copies one generation of an object to a name that must be free, or hold its copy already."""
    target, token = _blob(target_uri), None
    try:
        while True:
            token, _, _ = target.rewrite(
                source, token=token, if_generation_match=0, timeout=ANSWER_WITHIN_S, retry=patiently
            )
            if token is None:
                return
    except refused.PreconditionFailed:
        if not _holds(target_uri, source.size, source.md5_hash, patiently):
            raise FileExistsError(errno.EEXIST, "another object stands there", target_uri) from None


def _upload(path: Path, blob: Blob, patiently: Retry, **precondition: int) -> None:
    """One request for a small file, a resumable upload in blocks for others; the store refuses it if the MD5 is not right."""
    blob.chunk_size = BLOCK_BYTES
    # A repeated upload of the same bytes to the same name does no harm, whether or not there is a precondition.
    blob.upload_from_filename(
        str(path),
        content_type="application/octet-stream",
        checksum="crc32c",
        timeout=ANSWER_WITHIN_S,
        retry=patiently,
        **precondition,
    )


def _holds(uri: str, size: int, digest: str | None, patiently: Retry) -> bool:
    """Whether an object of this size and MD5 stands at a name; unknown (a composite object has no MD5) counts as no."""
    try:
        standing = _standing(uri, patiently)
    except refused.NotFound:
        return False
    return digest is not None and (standing.size, standing.md5_hash) == (size, digest)


def _read(uri: str, target: BinaryIO) -> None:
    """Copies an object in blocks; begins anew, once, if it is replaced meanwhile or not what the store says."""
    with _asked(uri) as patiently:
        for again in (True, False):
            target.seek(0)
            target.truncate()
            try:
                _read_one(_standing(uri, patiently), target, patiently)
                return
            except (_ReplacedError, DataCorruption) as error:
                if not again:
                    raise
                note_retry(error)


def _read_one(blob: Blob, target: BinaryIO, patiently: Retry) -> None:
    """Copies one generation of an object, and checks what came."""
    checked, size, told = _Checked(target), blob.size, blob.crc32c
    try:
        while checked.bytes < size:
            patiently(_read_to)(min(checked.bytes + BLOCK_BYTES, size) - 1, blob, checked)
    except (refused.NotFound, refused.PreconditionFailed):
        raise _ReplacedError from None
    if checked.crc32c() != told:
        raise DataCorruption(None, f"CRC32C of what came is {checked.crc32c()}, the store says {told}")


def _read_to(end: int, blob: Blob, target: _Checked) -> None:
    """Asks for a block, from the byte on that was reached: what came before a connection broke is kept."""
    start = target.bytes
    # Repeated by the caller, who goes on where it broke off; the library would begin the block again.
    blob.download_to_file(
        target, start=start, end=end, raw_download=True, checksum=None, timeout=ANSWER_WITHIN_S, retry=None
    )
    if target.bytes <= end:
        raise ConnectionError(f"the answer ended at byte {target.bytes} of {end + 1}")


class _Checked:
    """A file that is written from its beginning to its end, with the checksum of what was written."""

    def __init__(self, target: BinaryIO) -> None:
        self._target, self._checksum, self.bytes = target, google_crc32c.Checksum(), 0

    def write(self, block: bytes) -> int:
        self._target.write(block)
        self._checksum.update(block)
        self.bytes += len(block)
        return len(block)

    def crc32c(self) -> str:
        return b64encode(self._checksum.digest()).decode()


def _standing(uri: str, patiently: Retry) -> Blob:
    """The object as it is now, bound to its generation; raises NotFound."""
    blob = _blob(uri)
    blob.reload(timeout=ANSWER_WITHIN_S, retry=patiently)
    return blob


def _blob(uri: str) -> Blob:
    bucket, name = _parts(uri)
    return _client().bucket(bucket).blob(name)


def _parts(uri: str) -> tuple[str, str]:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    return bucket, name


def _md5_of(path: Path) -> str:
    digest = md5(usedforsecurity=False)
    with path.open("rb") as handle:
        while block := handle.read(BLOCK_BYTES):
            digest.update(block)
    return b64encode(digest.digest()).decode()


def _client() -> Client:
    return _client_of(os.environ.get("STORAGE_EMULATOR_HOST"))


@cache
def _client_of(emulator: str | None) -> Any:
    """That of Beam's own filesystem: its credentials and options; for an emulator one without credentials."""
    if emulator:
        return Client.create_anonymous_client()
    from apache_beam.io.filesystems import FileSystems

    # Beam has no public way to the client with the options of the pipeline that runs.
    return FileSystems.get_filesystem("gs://")._gcsIO().client


class _Bucket:
    """What is known of a bucket in this process."""

    answers = True


@cache
def _bucket(name: str, emulator: str | None) -> _Bucket:
    return _Bucket()


@contextmanager
def _asked(uri: str) -> Iterator[Retry]:
    """How requests are repeated; what the libraries raise in the end becomes what any file would raise, with its name."""
    bucket = _bucket(_parts(uri)[0], os.environ.get("STORAGE_EMULATOR_HOST"))
    patience_s = PATIENCE_S if bucket.answers else min(PATIENCE_S, HASTE_S)
    try:
        yield _patiently(patience_s)
    except refused.RetryError as error:
        bucket.answers = False
        text = f"the store did not answer for {patience_s:g} s ({error.cause or error})"
        raise TimeoutError(errno.ETIMEDOUT, text, uri) from error
    except Exception as error:
        bucket.answers = True  # be it that something is not there
        raise _as_of_a_file(error, uri) from error
    bucket.answers = True


def _patiently(patience_s: float) -> Retry:
    # What may pass is known to the library alone, which has no public name for it.
    may_pass = DEFAULT_RETRY._predicate
    return Retry(may_pass, FIRST_WAIT_S, LONGEST_WAIT_S, 2.0, timeout=patience_s, on_error=note_retry)


def _as_of_a_file(error: Exception, uri: str) -> Exception:
    if isinstance(error, refused.NotFound):
        return FileNotFoundError(errno.ENOENT, "there is no such object or bucket", uri)
    if isinstance(error, refused.Forbidden | refused.Unauthorized | GoogleAuthError):
        return PermissionError(errno.EACCES, f"the store refuses access: {error}", uri)
    if isinstance(error, _ReplacedError):
        return OSError(errno.ESTALE, "it was replaced again and again while it was read", uri)
    if isinstance(error, refused.GoogleAPIError | RequestException | HTTPError | DataCorruption):
        return OSError(errno.EIO, f"the store failed: {error}", uri)
    return error
