"""The output folder around a run: that it can be written, a name for the run, and no leftovers of runs that died."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime, timezone
from pathlib import Path
from secrets import token_hex

from media import store
from pipeline.run_records import is_gone, mark_killed, owner
from schemas.errors import CatalogueError

OWNERLESS_S = 3600.0
"""Far longer than any track takes to render."""
TABLES = ("tracks", "albums", "rejected", "work", "mixes")
SINK_MAKES_IN = "beam-temp-"
"""How the folders begin that Beam's sink writes rows to before it gives them their names."""
EXTRAS = {"s3": "aws", "abfss": "azure", "azfs": "azure", "hdfs": "hadoop"}
"""What Beam calls the filesystem of a scheme."""


def checked_output(output: str) -> str:
    """The output as workers see it: absolute, without a slash at its end; raises CatalogueError if it cannot be one."""
    if "[" in output:
        # Beam's Parquet sink takes its path for a pattern, and does not find its own files again.
        raise CatalogueError("OUTPUT_NOT_WRITABLE", f"output {output}: its path must not hold [; give another name")
    if store.is_remote(output):
        check_reachable(output)
        return output.rstrip("/")
    path = store.local_path(output).resolve()
    if path.exists() and not path.is_dir():
        raise CatalogueError("OUTPUT_NOT_WRITABLE", f"cannot write into {path}: it is a file; give a folder")
    return str(path)


def check_folder(folder: str) -> None:
    """Raises CatalogueError for a folder that cannot be watched."""
    check_reachable(folder)
    if not store.is_remote(folder) and not store.local_path(folder).is_dir():
        raise CatalogueError("MANIFEST_MISSING", f"there is no folder {folder} to watch")


def check_reachable(uri: str) -> None:
    """Raises CatalogueError for a kind of store that is not installed."""
    if store.is_remote(uri) and not store.has_filesystem(uri):
        text = f"{uri} cannot be reached: local paths and gs:// are installed{_for_scheme(uri)}"
        raise CatalogueError("STORE_UNKNOWN", text)


def _for_scheme(uri: str) -> str:
    extra = EXTRAS.get(uri.partition("://")[0])
    return f'; for this one, pip install "apache-beam[{extra}]"' if extra else ""


def new_run_id(output: str) -> str:
    """A name for a run and for no other, even one that starts at the same moment: its start in UTC, numbered if need be.

    Raises CatalogueError if the output cannot be written.
    """
    stem = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    number, run_id = 1, stem
    try:
        while not _claimed(output, run_id):
            number += 1
            run_id = f"{stem}-{number}"
    except OSError as error:
        raise _not_writable(output, error) from error
    return run_id


@contextmanager
def workplace(output: str, run_id: str) -> Iterator[Path | None]:
    """A folder for what is in the making (None for a remote output), gone when the run ends, however it ends.

    Raises CatalogueError if the output cannot be written.
    """
    for killed in mark_killed(output):
        sweep_tables(output, killed)
        cleared(output, killed)  # to tell of a run makes its folder again
    try:
        with in_the_making(output, run_id) as folder:
            yield folder
    except BaseException:  # a run that comes to its end leaves nothing to sweep
        sweep_tables(output, run_id)
        raise


def in_the_making(output: str, name: str) -> AbstractContextManager[Path | None]:
    """A folder for what somebody has in the making, that others sweep if its process dies; None for a remote output."""
    return nullcontext() if store.is_remote(output) else _parts(output, name)


@contextmanager
def _parts(output: str, run_id: str) -> Iterator[Path]:
    parts = Path(output) / ".parts"
    folder = parts / run_id
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "owner").write_text(json.dumps(owner()))
    except OSError as error:
        raise _not_writable(output, error) from error
    _sweep(parts, keep=run_id)
    try:
        yield folder
    finally:
        cleared(output, run_id)


def cleared(output: str, run_id: str) -> None:
    """Removes what a run had in the making."""
    if store.is_remote(output):
        return
    parts = Path(output) / ".parts"
    shutil.rmtree(parts / run_id, ignore_errors=True)
    with suppress(OSError):  # another run is at work
        parts.rmdir()


def sweep_tables(output: str, run_id: str) -> None:
    """Removes what Beam's sink had in the making for a run that did not come to its end: only then Beam does so itself."""
    for table in TABLES:
        folder = store.join(output, "qc", table, f"run={run_id}")
        with suppress(OSError):  # the output may be another's
            for name in _made_in(folder):
                store.remove_folder(store.join(folder, name))


def _made_in(folder: str) -> set[str]:
    """Names of the folders in which a sink makes its files, also of empty ones."""
    if store.is_remote(folder):
        names = {uri[len(folder) + 1 :].partition("/")[0] for uri in store.list_files(folder)}
    else:
        path = store.local_path(folder)
        names = {one.name for one in path.iterdir()} if path.is_dir() else set()
    return {name for name in names if name.startswith(SINK_MAKES_IN)}


def _not_writable(output: str, error: OSError) -> CatalogueError:
    text = f"cannot write into {output}: {error.strerror}; give a folder that this user may write"
    return CatalogueError("OUTPUT_NOT_WRITABLE", text)


def _claimed(output: str, run_id: str) -> bool:
    """Whether a name was free and is now this run's."""
    if store.exists(store.join(output, "runs", f"{run_id}.json")):
        return False
    try:
        if store.is_remote(output):
            _claim_remotely(output, run_id)
        else:
            (Path(output) / ".parts" / run_id).mkdir(parents=True)
    except FileExistsError:
        return False
    return True


def _claim_remotely(output: str, run_id: str) -> None:
    with store.scratch(output, run_id) as folder:
        # Two claims must differ: the same bytes at a name count as published.
        (folder / "claim").write_text(token_hex(16) + "\n")
        store.publish(folder / "claim", store.join(output, "ledger", "runs", run_id))


def _sweep(parts: Path, keep: str) -> None:
    """Removes what runs left in the making whose process on this machine is gone."""
    for folder in parts.iterdir():
        if folder.name != keep and _abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _abandoned(folder: Path) -> bool:
    try:
        if not (folder / "owner").exists():  # a worker that outlived its run made it again
            return time.time() - folder.stat().st_mtime > OWNERLESS_S
        return is_gone(json.loads((folder / "owner").read_text()))
    except (OSError, ValueError):
        return False
