"""Promotes approved masters to `OUTPUT/released`, or another folder or bucket, and takes out what is approved no more.

Nothing unapproved stands in a release, however it ends: what must go is first struck from the lists, then moved out, and only
then approved files come in, each under its name at once; the lists name a file when it stands. One release of an output runs
at a time, and one that sees a new decision begins again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from media import store
from media.source import sha256_of
from pipeline.workplace import check_reachable
from review.desk import Desk
from review.release_lists import (
    MANIFEST,
    SUMS,
    WITHDRAWN,
    Wanted,
    manifest_text,
    parsed_sums,
    sums_text,
    wanted_files,
)
from schemas.errors import CatalogueError
from schemas.safe_names import quoted

MARK = ".lathe-release"
"""Holds the id of the output that a release is of: hidden, so that it is no part of it."""
BLOCK_BYTES = 1 << 20
TRIES = 20


class Released(Struct, frozen=True, kw_only=True):
    """What a release did, or would do."""

    target: str
    copied: tuple[str, ...]
    kept: int
    withdrawn: tuple[str, ...]
    problems: tuple[str, ...]
    """Approved masters that were not released, each with the reason."""
    dry_run: bool = False


def release(desk: Desk, to: str | None = None, *, dry_run: bool = False) -> Released:
    """Makes a release hold exactly what is approved; raises CatalogueError where the target cannot be one, or be written."""
    try:
        return _release(desk, to, dry_run)
    except OSError as error:
        told = f"{to or store.join(desk.output, 'released')}: {error.strerror or error}"
        text = f"{told}; what is released so far stands: make room, or give another --to, and release again"
        raise CatalogueError("RELEASE_REFUSED", text) from error


def _release(desk: Desk, to: str | None, dry_run: bool) -> Released:
    target = _target(desk, to)
    if dry_run:
        _check_holds_no_other(target, desk)
        return _Release(desk, target).plan()
    with desk.decisions.exclusive("release"):  # a release that is under way makes and removes folders there
        _check_holds_no_other(target, desk)
        _mark(target, desk.decisions.catalogue_id)
        try:
            return _Release(desk, target).carry_out()
        finally:
            store.remove_folder(store.join(target, ".parts"))


def released_text(found: Released) -> str:
    """The same in words."""
    would = "would be " if found.dry_run else ""
    counts = f"{len(found.copied)} {would}released, {found.kept} stand already, {len(found.withdrawn)} {would}withdrawn"
    lines = [
        f"{counts}: {found.target}",
        *(f"  {would}withdrawn  {quoted(file, 200)}" for file in found.withdrawn),
        *(f"  not released  {problem}" for problem in found.problems),
    ]
    return "\n".join(lines)


class _Release:
    def __init__(self, desk: Desk, target: str) -> None:
        self._desk, self._target = desk, target
        self._stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        self._copied: list[str] = []
        self._withdrawn: list[str] = []
        self._problems: list[str] = []

    def plan(self) -> Released:
        wanted, self._problems = wanted_files(self._desk)
        standing = self._standing(wanted)
        self._copied = sorted(wanted.keys() - standing)
        self._withdrawn = sorted(self._files() - standing)
        return self._told(len(standing), dry_run=True)

    def carry_out(self) -> Released:
        while True:
            seen = self._seen()
            wanted, self._problems = wanted_files(self._desk)
            standing = self._standing(wanted)
            self._write_lists([wanted[file] for file in standing])
            for file in sorted(self._files() - standing):
                self._withdraw(file)
            if self._copy_all(wanted, standing, seen) and self._seen() == seen:
                break
        self._write_lists([wanted[file] for file in standing])
        return self._told(len(standing - set(self._copied)))

    def _seen(self) -> tuple[int, str | None]:
        """What a release is made by: as long as this is the same, so is everything that is approved."""
        return len(self._desk.decisions.all()), self._desk.catalogue.run_id

    def _copy_all(self, wanted: dict[str, Wanted], standing: set[str], seen: tuple[int, str | None]) -> bool:
        """Copies what is missing, and adds it to what stands; False where something was decided meanwhile."""
        for file in sorted(wanted.keys() - standing):
            with store.scratch(self._target, "release") as folder:
                path = folder / "master"
                problem = self._copied_to(path, wanted[file])
                if self._seen() != seen:
                    return False
                problem = problem or self._published(path, file)
            if problem:
                self._problems.append(problem)
                continue
            standing.add(file)
            self._copied.append(file)
        return True

    def _copied_to(self, path: Path, one: Wanted) -> str:
        """Copies a master and counts the SHA-256 of what is written; returns why it is not the approved one."""
        digest, uri = sha256(), store.join(self._desk.output, "masters", one.file)
        try:
            with store.fetched(uri) as source, source.open("rb") as read, path.open("wb") as written:
                while block := read.read(BLOCK_BYTES):
                    digest.update(block)
                    written.write(block)
                written.flush()
                os.fsync(written.fileno())  # the lists shall not outlive it
        except OSError as error:
            return f"{quoted(one.file, 200)} cannot be copied: {error.strerror or error}"
        if digest.hexdigest() != one.master.sha256:
            found = f"SHA-256 {digest.hexdigest()[:12]}..., approved was {one.master.sha256[:12]}..."
            return f"{quoted(one.file, 200)} is not what was approved: {found}; master it again, and listen to that"
        return ""

    def _published(self, path: Path, file: str) -> str:
        try:
            store.publish(path, store.join(self._target, file))
        except OSError as error:
            return f"{quoted(file, 200)} cannot be written into {self._target}: {error.strerror or error}"
        return ""

    def _withdraw(self, file: str) -> None:
        for number in range(1, TRIES + 1):
            place = self._stamp if number == 1 else f"{self._stamp}-{number}"
            with suppress(FileExistsError):
                store.move(store.join(self._target, file), store.join(self._target, WITHDRAWN, place, file))
                break
        else:
            raise OSError(f"{file} was withdrawn {TRIES} times within a second")
        self._withdrawn.append(file)
        self._copied = [one for one in self._copied if one != file]
        if not store.is_remote(self._target):
            with suppress(OSError):  # other files of the album stay
                for folder in list((store.local_path(self._target) / file).parents)[:2]:
                    folder.rmdir()

    def _files(self) -> set[str]:
        """Everything in the release but its lists and what was withdrawn."""
        below = len(self._target.rstrip("/")) + 1
        names = {uri[below:] for uri in store.list_files(self._target)}
        return {name for name in names if name not in (MANIFEST, SUMS) and not name.startswith(f"{WITHDRAWN}/")}

    def _standing(self, wanted: dict[str, Wanted]) -> set[str]:
        """What stands there and is approved, by the list; what the list does not know of (a release died) is read."""
        listed = parsed_sums(_read(store.join(self._target, SUMS)))
        files = self._files() & wanted.keys()
        return {file for file in files if (listed.get(file) or self._digest(file)) == wanted[file].master.sha256}

    def _digest(self, file: str) -> str:
        with store.fetched(store.join(self._target, file)) as path:
            return sha256_of(path)

    def _write_lists(self, standing: list[Wanted]) -> None:
        for name, text in ((MANIFEST, manifest_text(standing)), (SUMS, sums_text(standing))):
            uri = store.join(self._target, name)
            if _read(uri) == text:
                continue
            with store.scratch(self._target, "release") as folder:
                path = folder / name
                path.write_bytes(text.encode())
                store.replace(path, uri)

    def _told(self, kept: int, *, dry_run: bool = False) -> Released:
        return Released(
            target=self._target,
            copied=tuple(sorted(self._copied)),
            kept=kept,
            withdrawn=tuple(sorted(self._withdrawn)),
            problems=tuple(self._problems),
            dry_run=dry_run,
        )


def _target(desk: Desk, to: str | None) -> str:
    own = store.join(desk.output, "released")
    if to is None:
        target = own
    elif store.is_remote(to):
        check_reachable(to)
        target = to.rstrip("/")
    else:
        target = str(store.local_path(to).resolve())
    inside = f"{target}/".startswith(f"{desk.output}/") or f"{desk.output}/".startswith(f"{target}/")
    if inside and target != own:
        raise _refused(target, f"lies in the output or holds it: leave out --to for {own}, or give a folder elsewhere")
    return target


def _check_holds_no_other(target: str, desk: Desk) -> None:
    """Raises CatalogueError for a folder whose files would be withdrawn, though they are no release of this output."""
    marked = _read(store.join(target, MARK)).strip()
    if marked and marked != desk.decisions.catalogue_id:
        raise _refused(target, "holds the release of another output: give each output a folder of its own")
    if parsed_sums(_read(store.join(target, SUMS))) and not desk.decisions.all():
        raise _refused(target, "holds approved masters, and this database knows of no decision: is --database missing?")
    if not marked and store.list_files(target):
        raise _refused(target, "holds files that are no release: they would be withdrawn; give an empty folder")


def _mark(target: str, catalogue_id: str) -> None:
    with store.scratch(target, "release") as folder:
        path = folder / "mark"
        path.write_text(catalogue_id)
        try:
            store.publish(path, store.join(target, MARK))
        except FileExistsError as error:
            raise _refused(
                target, "holds the release of another output: give each output a folder of its own"
            ) from error


def _refused(target: str, why: str) -> CatalogueError:
    return CatalogueError("RELEASE_REFUSED", f"{target} {why}")


def _read(uri: str) -> str:
    try:
        return store.read_bytes(uri).decode()
    except FileNotFoundError:
        return ""
