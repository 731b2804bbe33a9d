"""Files wherever they are, by one set of verbs: on this machine, in Google Cloud Storage, in other stores that Beam knows.

What Lathe leaves behind goes through `publish`, which never overwrites, or `replace`, which means to: a reader never sees half a
file (law 7).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Protocol

from media import disk
from media.disk import local_path as local_path


class _Place(Protocol):
    """What a kind of store can do; files that fail raise OSError with their URI as its file name."""

    def exists(self, uri: str) -> bool: ...
    def read_bytes(self, uri: str) -> bytes: ...
    def fetch(self, uri: str, path: Path) -> None: ...
    def list_files(self, folder: str) -> list[str]: ...
    def publish(self, path: Path, uri: str) -> None: ...
    def replace(self, path: Path, uri: str) -> None: ...
    def move(self, uri: str, target_uri: str) -> None: ...
    def remove_folder(self, folder: str) -> None: ...
    def write_bytes(self, uri: str, data: bytes) -> None: ...
    def remove(self, uri: str) -> None: ...
    def size_and_change(self, uri: str) -> tuple[int, float]: ...
    def opened(self, uri: str) -> AbstractContextManager[BinaryIO]: ...


def is_remote(uri: str) -> bool:
    """True for `scheme://...`; plain paths and `file://` are local."""
    return "://" in uri and not uri.startswith("file://")


def has_filesystem(uri: str) -> bool:
    """Whether a remote URI can be reached by what is installed."""
    if uri.startswith("gs://"):
        return True
    from media import filesystems

    return filesystems.is_known(uri)


def join(base: str, *parts: str) -> str:
    """`base/part/...` for local and remote URIs alike."""
    return "/".join([base.rstrip("/"), *parts])


def exists(uri: str) -> bool:
    """Whether a file (or, on this machine, a folder) is there."""
    return _place(uri).exists(uri)


def read_bytes(uri: str) -> bytes:
    """The whole of a small file; raises FileNotFoundError where there is none."""
    return _place(uri).read_bytes(uri)


def write_bytes(uri: str, data: bytes) -> None:
    """Writes a small file in one step, in place of any of that name."""
    _place(uri).write_bytes(uri, data)


def remove(uri: str) -> None:
    """Removes a file; raises FileNotFoundError where there is none. A folder on this machine that held only it goes too."""
    _place(uri).remove(uri)


def size_and_change(uri: str) -> tuple[int, float]:
    """Size in bytes and time of the last change (seconds since 1970); raises FileNotFoundError."""
    return _place(uri).size_and_change(uri)


def opened(uri: str) -> AbstractContextManager[BinaryIO]:
    """A file of which only what is asked for is read, and little around it."""
    return _place(uri).opened(uri)


def list_files(folder: str) -> list[str]:
    """All files below a folder, sorted; hidden files and folders are left out."""
    top = folder if is_remote(folder) else str(local_path(folder))
    start = 0 if top == "." else len(top.rstrip("/")) + 1
    found = _place(folder).list_files(folder)
    return sorted(uri for uri in found if not any(part.startswith(".") for part in uri[start:].split("/")))


def publish(path: Path, uri: str) -> None:
    """Moves a finished local file to its final name in one step; `path` lies on the same file system if `uri` is local.

    FileExistsError if another file stands there, and `path` stays; the same bytes there already are as good.
    """
    _place(uri).publish(path, uri)


def replace(path: Path, uri: str) -> None:
    """As `publish`, in place of any file of that name."""
    _place(uri).replace(path, uri)


def move(uri: str, target_uri: str) -> None:
    """Moves a published file to another name in the same store, and never overwrites one.

    FileExistsError if that name is taken; FileNotFoundError if nothing stands at `uri`, or another worker was faster.
    """
    _place(uri).move(uri, target_uri)


def remove_folder(folder: str) -> None:
    """Removes a folder with everything below it, if it is there."""
    _place(folder).remove_folder(folder)


@contextmanager
def scratch(output: str, run_id: str) -> Iterator[Path]:
    """A private folder for files in the making: beside a local output (so that a rename publishes), else temporary."""
    parent: Path | None = None
    if not is_remote(output):
        parent = disk.made_folder(local_path(output) / ".parts" / run_id)
    with TemporaryDirectory(dir=parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def fetched(uri: str) -> Iterator[Path]:
    """A local path to read a file from: itself, or a copy that lives as long as the block."""
    if not is_remote(uri):
        yield local_path(uri)
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / uri.rsplit("/", 1)[-1]
        _place(uri).fetch(uri, path)
        yield path


def _place(uri: str) -> _Place:
    # Imported late: local files never pay for the libraries of a store (1 s and more).
    if not is_remote(uri):
        return disk
    if uri.startswith("gs://"):
        from media import buckets

        return buckets
    from media import filesystems

    return filesystems
