"""Files on any file system: this machine's by their path, all others by Beam's filesystems (`gs://...`).

Everything that Lathe publishes goes through `publish`: a reader never sees half a file (law 7).
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

COPY_BYTES = 1 << 20


def is_remote(uri: str) -> bool:
    """True for `scheme://...`; plain paths and `file://` are local."""
    return "://" in uri and not uri.startswith("file://")


def has_filesystem(uri: str) -> bool:
    """Whether Beam has a filesystem for a remote URI."""
    try:
        return _beam().get_filesystem(uri) is not None
    except ValueError:
        return False


def local_path(uri: str) -> Path:
    """The path of a local URI."""
    return Path(uri.removeprefix("file://"))


def join(base: str, *parts: str) -> str:
    """`base/part/...` for local and remote URIs alike."""
    return "/".join([base.rstrip("/"), *parts])


def exists(uri: str) -> bool:
    """Whether a file (or, on this machine, a folder) is there."""
    return bool(_beam().exists(uri)) if is_remote(uri) else local_path(uri).exists()


def read_bytes(uri: str) -> bytes:
    """The whole of a small file; raises FileNotFoundError where there is none."""
    if not is_remote(uri):
        return local_path(uri).read_bytes()
    if not _beam().exists(uri):
        raise FileNotFoundError(uri)
    with _beam().open(uri, mime_type="application/octet-stream", compression_type="uncompressed") as handle:
        return bytes(handle.read())


def list_files(folder: str) -> list[str]:
    """All files below a folder, sorted; hidden files and folders are left out."""
    if is_remote(folder):
        found = [m.path for m in _beam().match([join(glob.escape(folder), "**")])[0].metadata_list]
        inside = {uri: uri[len(folder.rstrip("/")) + 1 :] for uri in found}
    else:
        root = local_path(folder)
        inside = {str(p): p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}
    return sorted(uri for uri, name in inside.items() if not any(part.startswith(".") for part in name.split("/")))


def publish(path: Path, uri: str) -> None:
    """Moves a finished local file to its final name in one step; `path` lies on the same file system if local."""
    if is_remote(uri):
        # An object appears only when its upload is complete, so no temporary name is needed.
        with path.open("rb") as source, _beam().create(uri, compression_type="uncompressed") as target:
            shutil.copyfileobj(source, target, COPY_BYTES)
        path.unlink()
        return
    target_path = local_path(uri)
    target_path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, target_path)


def move(uri: str, target_uri: str) -> None:
    """Moves a published file to another name in the same store."""
    if is_remote(uri):
        _beam().rename([uri], [target_uri])
        return
    local_path(target_uri).parent.mkdir(parents=True, exist_ok=True)
    os.replace(local_path(uri), local_path(target_uri))


@contextmanager
def scratch(output: str, run_id: str) -> Iterator[Path]:
    """A private folder for files in the making: beside a local output (so that a rename publishes), else temporary."""
    parent: Path | None = None
    if not is_remote(output):
        parent = local_path(output) / ".parts" / run_id
        parent.mkdir(parents=True, exist_ok=True)
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
        if not _beam().exists(uri):
            raise FileNotFoundError(uri)
        with _beam().open(uri, compression_type="uncompressed") as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, COPY_BYTES)
        yield path


def _beam() -> Any:
    # Imported late: local files never pay for Beam's import (1 s).
    from apache_beam.io.filesystems import FileSystems

    return FileSystems
