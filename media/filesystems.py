"""Files in stores that Beam alone knows (`s3://...`), through its filesystems, as far as those go.

They have no precondition: `publish` and `move` look first and write then, so two runs must not write into one output at once.
"""

from __future__ import annotations

import errno
import glob
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

COPY_BYTES = 1 << 20


def is_known(uri: str) -> bool:
    """Whether a filesystem for the scheme of a URI is installed."""
    try:
        return FileSystems.get_filesystem(uri) is not None
    except ValueError:
        return False


def exists(uri: str) -> bool:
    """Whether a file is there."""
    with _told(uri):
        return bool(FileSystems.exists(uri))


def read_bytes(uri: str) -> bytes:
    """The whole of a small file."""
    with opened(uri) as handle:
        return handle.read()


def fetch(uri: str, path: Path) -> None:
    """Copies a file to `path`."""
    with opened(uri) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, COPY_BYTES)


def list_files(folder: str) -> list[str]:
    """All files below a folder."""
    with _told(folder):
        (found,) = FileSystems.match([f"{glob.escape(folder.rstrip('/'))}/**"])
        return [one.path for one in found.metadata_list]


def publish(path: Path, uri: str) -> None:
    """Uploads a local file, unless the name is taken: then FileExistsError."""
    _check_free(uri)
    replace(path, uri)


def replace(path: Path, uri: str) -> None:
    """Uploads a local file in place of any of that name."""
    with _told(uri), path.open("rb") as source, FileSystems.create(uri, compression_type="uncompressed") as target:
        shutil.copyfileobj(source, target, COPY_BYTES)
    path.unlink()


def move(uri: str, target_uri: str) -> None:
    """Copies a file to a name that must be free, then deletes it."""
    if not exists(uri):
        raise _missing(uri)
    _check_free(target_uri)
    with _told(target_uri):
        FileSystems.rename([uri], [target_uri])


def remove_folder(folder: str) -> None:
    """Deletes all files below a folder."""
    with _told(folder):
        FileSystems.delete(list_files(folder))


def write_bytes(uri: str, data: bytes) -> None:
    """Uploads a small file in place of any of that name."""
    with _told(uri), FileSystems.create(uri, compression_type="uncompressed") as target:
        target.write(data)


def remove(uri: str) -> None:
    """Deletes a file."""
    if not exists(uri):
        raise _missing(uri)
    with _told(uri):
        FileSystems.delete([uri])


def size_and_change(uri: str) -> tuple[int, float]:
    """Size in bytes and time of the last change, 0.0 where the store does not tell."""
    with _told(uri):
        found = FileSystems.match([glob.escape(uri)])[0].metadata_list
    if not found:
        raise _missing(uri)
    return found[0].size_in_bytes, found[0].last_updated_in_seconds or 0.0


@contextmanager
def opened(uri: str) -> Iterator[BinaryIO]:
    """A file that is read as it is asked for."""
    if not exists(uri):
        raise _missing(uri)
    with _told(uri), FileSystems.open(uri, "application/octet-stream", compression_type="uncompressed") as handle:
        yield handle


def _check_free(uri: str) -> None:
    if exists(uri):
        raise FileExistsError(errno.EEXIST, "another file stands there", uri)


def _missing(uri: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, "there is no such file", uri)


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Says which file it was that a filesystem refused, whatever it raises."""
    if FileSystems._pipeline_options is None:  # before there is a pipeline: credentials come from the environment
        FileSystems.set_options(PipelineOptions([]))
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise OSError(errno.EIO, f"the store failed: {error}", uri) from error
