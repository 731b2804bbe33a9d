"""What profiles and targets have in common as files: found by name or path, read as TOML, wrong places told by line."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from schemas.errors import CatalogueError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_HEADER = re.compile(r"\s*(\[+)\s*([^\]]+?)\s*\]+")


class Shelf(NamedTuple):
    """Where the built-in files of a kind stand, and the codes of what can be wrong with one."""

    kind: str
    folder: Path
    unknown: str
    unreadable: str
    invalid: str

    def names(self) -> list[str]:
        """Those that come with Lathe."""
        return sorted(path.stem for path in self.folder.glob("*.toml"))

    def read(self, name_or_file: str) -> tuple[Path, str]:
        """Path and text of a file, by its name or its path; raises CatalogueError if there is none."""
        path = Path(name_or_file)
        if path.suffix != ".toml":
            path = self.folder / f"{name_or_file}.toml"
            if name_or_file not in self.names():
                guess = get_close_matches(name_or_file, self.names(), 1)
                meant = f'; did you mean "{guess[0]}"?' if guess else "."
                among = ", ".join(self.names())
                text = f'there is no {self.kind} "{name_or_file}" among {among}{meant} A file must end in .toml.'
                raise CatalogueError(self.unknown, text)
        try:
            return path, path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogueError(self.unreadable, f"{self.kind} {path} cannot be read: {error}") from error

    def parsed(self, path: Path, text: str) -> dict[str, Any]:
        """The values of a file; raises CatalogueError with the line where it is no TOML."""
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise CatalogueError(self.invalid, f"{path.name}: {error}") from error


class Place(NamedTuple):
    """A key in a file: in which table, and in which of several tables of one name."""

    path: Path
    text: str
    table: str = ""
    number: int = 0

    def line(self, key: str) -> int | None:
        """The line of `key = ...`, or of the table that the key is (the table itself for an empty key)."""
        inside, met = not self.table, -1
        wanted = f"{self.table}.{key}".strip(".")
        for line_number, line in enumerate(self.text.splitlines(), 1):
            if header := _HEADER.match(line):
                name = re.sub(r"[\"'\s]", "", header[2])
                met += name == self.table
                inside = name == self.table and met == self.number
                if (inside and not key) or (name == wanted and key):
                    return line_number
            elif inside and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line):
                return line_number
        return None

    def told(self, key: str, problem: str) -> str:
        """A problem with its file and line."""
        return f"{self.path.name}, line {self.line(key) or self.line('') or 1}: {problem}"

    def unknown(self, keys: Iterable[str], known: Iterable[str], what: str = "key") -> list[str]:
        """A problem for each key that is not known, with what was probably meant."""
        known, where = list(known), f" in [{self.table}]" if self.table else ""
        return [
            self.told(key, f'unknown {what} "{key}"{where}; {meant(key, known)}') for key in keys if key not in known
        ]


def meant(key: str, known: list[str]) -> str:
    """What was probably meant by a word that is not known."""
    guess = get_close_matches(key, known, 1)
    return f'did you mean "{guess[0]}"?' if guess else f"known are {', '.join(known)}"


def located(message: str, files: list[tuple[Path, str]]) -> str:
    """A validation error of msgspec with the file and the line of the value it is about."""
    found = re.search(r"at `\$\.([a-z_]+)(?:\[(\d+|\.\.\.)\])?(?:\.([a-z_]+))?", message)
    if not found:
        return f"{files[0][0].name}: {message}"
    table, key = (found[1], found[3]) if found[3] else ("", found[1])
    number = int(found[2]) if (found[2] or "").isdigit() else 0
    path, line = next(
        ((path, at) for path, text in files if (at := Place(path, text, table, number).line(key)) is not None),
        (files[0][0], Place(*files[0], table, number).line("") or 1),
    )
    value = f"{table}.{key}" if table else key
    return f"{path.name}, line {line}: {value}: {message.split(' - at')[0]}"
