"""Files on this machine. A name appears whole and at once; what is there is replaced only where that is asked for."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

COMPARED_BYTES = 1 << 20
ATTEMPTS = 20
_NO_HARD_LINKS = {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK}


def local_path(uri: str) -> Path:
    """The path of a local URI."""
    return Path(uri.removeprefix("file://"))


def exists(uri: str) -> bool:
    """Whether a file or folder is there."""
    return local_path(uri).exists()


def read_bytes(uri: str) -> bytes:
    """The whole of a file."""
    return local_path(uri).read_bytes()


def fetch(uri: str, path: Path) -> None:
    """Copies a file to `path`."""
    path.write_bytes(read_bytes(uri))


def list_files(folder: str) -> list[str]:
    """All files below a folder."""
    return [str(path) for path in local_path(folder).rglob("*") if path.is_file()]


def publish(path: Path, uri: str) -> None:
    """Gives a file of the same file system its name, unless another file has it: then FileExistsError."""
    target = _with_folder(uri)
    try:
        _create(path, target)
    except FileExistsError:
        if not _same_bytes(path, target):
            raise
    path.unlink(missing_ok=True)


def replace(path: Path, uri: str) -> None:
    """Gives a file of the same file system its name, in place of any that has it."""
    os.replace(path, _with_folder(uri))


def move(uri: str, target_uri: str) -> None:
    """Gives what stands at a name another name; FileExistsError if that is taken, FileNotFoundError if nothing stands."""
    # The rename takes whatever stands there at that instant: of two workers one moves it, and the other finds nothing.
    _rename_to_new(local_path(uri), _with_folder(target_uri))


def remove_folder(folder: str) -> None:
    """Removes a folder, if it is there."""
    shutil.rmtree(local_path(folder), ignore_errors=True)


def write_bytes(uri: str, data: bytes) -> None:
    """Writes a small file in place of any of that name."""
    path = _with_folder(uri)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(data)
    os.replace(part, path)


def remove(uri: str) -> None:
    """Removes a file, and the folder that held only it."""
    path = local_path(uri)
    path.unlink()
    with suppress(OSError):
        path.parent.rmdir()


def size_and_change(uri: str) -> tuple[int, float]:
    """Size in bytes and time of the last change."""
    found = local_path(uri).stat()
    return found.st_size, found.st_mtime


def opened(uri: str) -> BinaryIO:
    """The file itself."""
    return local_path(uri).open("rb")


def made_folder(path: Path) -> Path:
    """Makes a folder, also while another process removes the empty ones above it."""
    for _ in range(ATTEMPTS):
        with suppress(FileNotFoundError):
            path.mkdir(parents=True, exist_ok=True)
            break
    return path


def _create(path: Path, target: Path) -> None:
    try:
        os.link(path, target)  # atomic, and fails if the name is taken
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        _rename_to_new(path, target)


def _rename_to_new(path: Path, target: Path) -> None:
    """A rename would replace what stands at the target: so an empty file claims the name first, for this caller alone."""
    target.touch(exist_ok=False)
    try:
        os.replace(path, target)
    except OSError:
        target.unlink()
        raise


def _same_bytes(path: Path, target: Path) -> bool:
    try:
        with path.open("rb") as one, target.open("rb") as other:
            while (block := one.read(COMPARED_BYTES)) == other.read(COMPARED_BYTES):
                if not block:
                    return True
    except FileNotFoundError:  # the other was moved away meanwhile
        pass
    return False


def _with_folder(uri: str) -> Path:
    path = local_path(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
