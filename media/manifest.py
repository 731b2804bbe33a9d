"""Reads a manifest: CSV, JSONL, Parquet or a folder of audio, on this machine or in a bucket, into checked tracks.

Here is only what depends on the format; what a row must say is in `schemas.manifest`. The audio itself is not opened:
a source that is missing becomes a rejected track later, and never stops the others.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

from media import store
from schemas.errors import CatalogueError
from schemas.manifest import RawRow, canonical, check_manifest, short_id
from schemas.safe_names import Roots, quoted
from schemas.track import Track

AUDIO = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3", ".w64", ".rf64", ".caf", ".bwf")

# "03 Title", "03. Title", "1-03 - Title", "03"; a number of four digits is a year, not a place.
_NUMBERED = re.compile(r"(?:([0-9]{1,2})-(?=[0-9]))?([0-9]{1,3})(?:[\s._)-]+(.*))?", re.DOTALL)
_DELIMITERS = ",;\t"


def read_manifest(uri: str, *, roots: Sequence[str] = (), output: str = "") -> list[Track]:
    """The tracks in manifest order; CatalogueError with every problem.

    `roots` are further folders that sources may lie in; what lies below `output` is never a source of a folder, and
    the songs of stems will be mixed into it.
    """
    kind = os.path.splitext(uri)[1].lower()
    if _is_folder(uri):
        rows, folder = _folder_rows(uri, output), uri
    elif kind in _READERS:
        rows, folder = _READERS[kind](_bytes(uri)), _parent(uri)
    elif store.is_remote(uri) or store.exists(uri):
        raise CatalogueError("MANIFEST_FORMAT", f"manifest {quoted(uri)} {_allowed(kind)}")
    else:
        raise _missing(uri)
    if not rows:
        raise CatalogueError("MANIFEST_EMPTY", f"manifest {quoted(uri)} has no rows: every track needs one")
    return check_manifest(rows, _roots(folder, roots), output)


def locator(uri: str, roots: Sequence[str] = ()) -> Callable[[str], str]:
    """Gives the whole place of a recording as a row of this manifest would name it; ValueError where none may be read."""
    found = _roots(uri if _is_folder(uri) else _parent(uri), roots)
    return lambda text: found.locate(text).uri


def _is_folder(uri: str) -> bool:
    if store.is_remote(uri):
        return uri.endswith("/") or "." not in uri.rpartition("/")[2]
    return store.local_path(uri).is_dir()


def _allowed(kind: str) -> str:
    hint = " (a workbook: save it as CSV UTF-8)" if kind in (".xlsx", ".xls", ".ods", ".numbers") else ""
    return f"is of no kind that can be read{hint}: .csv, .jsonl, .parquet or a folder of audio are allowed"


def _missing(uri: str) -> CatalogueError:
    text = f"manifest {quoted(uri)} does not exist"
    folder = None if store.is_remote(uri) else store.local_path(uri).parent
    if folder and folder.is_dir():
        close = get_close_matches(os.path.basename(uri), os.listdir(folder), n=1)
        text += f"; did you mean {folder / close[0]}?" if close else f": there is nothing of that name in {folder}"
    return CatalogueError("MANIFEST_MISSING", text)


def _unreadable(problems: str | list[str]) -> CatalogueError:
    return CatalogueError("MANIFEST_UNREADABLE", problems)


def _bytes(uri: str) -> bytes:
    try:
        return store.read_bytes(uri)
    except FileNotFoundError:
        raise _missing(uri) from None
    except OSError as error:
        raise _unreadable(f"manifest {quoted(uri)} cannot be read: {error}") from error


def _parent(uri: str) -> str:
    return uri.rpartition("/")[0] if store.is_remote(uri) else str(store.local_path(uri).parent)


def _roots(folder: str, others: Sequence[str]) -> Roots:
    folder = folder if store.is_remote(folder) else os.path.abspath(store.local_path(folder))

    # Most sources share few folders: each is resolved once, and a file costs one look whether it is a link.
    @cache
    def resolve_folder(path: str) -> str:
        return os.path.realpath(path)

    def resolve(path: str) -> str:
        real = os.path.join(resolve_folder(os.path.dirname(path)), os.path.basename(path))
        return os.path.realpath(real) if os.path.islink(real) else real

    try:
        return Roots.of(folder, others, resolve)
    except ValueError as error:
        raise CatalogueError("MANIFEST_INVALID", f"a --root of {', '.join(map(quoted, others))} {error}") from None


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _unreadable("line 1: the file is UTF-16, not UTF-8: save it as CSV UTF-8")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{data[error.start]:02X}"
        raise _unreadable(f"line {line}: {byte} is not UTF-8: save the file as UTF-8 (CSV UTF-8)") from None
    if "\0" in text:
        raise _unreadable(f"line {text.count(chr(10), 0, text.index(chr(0))) + 1}: holds a NUL character: remove it")
    return text.removeprefix("\ufeff")


def _csv_rows(data: bytes) -> list[RawRow]:
    text = _decoded(data)
    records = [record for record in _csv_records(text) if any(cell.strip() for cell in record[2])]
    if not records:
        return []
    names = tuple(name.strip() or f"column_{i}" for i, name in enumerate(records[0][2], start=1))
    problems = [problem for _, line, cells in records[1:] if (problem := _miscounted(line, cells, names))]
    if problems:
        raise _unreadable(problems)
    return [RawRow(row=row, names=names, cells=cells[: len(names)]) for row, _, cells in records[1:]]


def _csv_records(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """Number as a spreadsheet counts, first physical line, cells."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=_delimiter(text), strict=True, skipinitialspace=True)
    row, line = 1, 1
    try:
        for cells in reader:
            yield row, line, cells
            row, line = row + 1, reader.line_num + 1
    except csv.Error as error:
        open_quote = "unexpected end" in str(error) or "field limit" in str(error)
        what = 'a quote (") opens here and is never closed' if open_quote else f"broken quoting: {error}"
        raise _unreadable(f'line {line}: {what}: close it, or write " inside a cell as ""') from None


def _delimiter(text: str) -> str:
    """The one under which the header holds most known columns, then most columns."""
    header = next((line for line in text.splitlines() if line.strip()), "")

    def columns(delimiter: str) -> tuple[int, int]:
        names = next(csv.reader([header], delimiter=delimiter, skipinitialspace=True))
        return len({canonical(name, stems=True) for name in names} - {None}), len(names)

    return max(_DELIMITERS, key=columns)


def _miscounted(line: int, cells: Sequence[str], names: Sequence[str]) -> str:
    # Empty cells after the last column do no harm: some programs end each line with a delimiter.
    if len(cells) >= len(names) and not any(cell.strip() for cell in cells[len(names) :]):
        return ""
    hint = "quote cells that hold the delimiter" if len(cells) > len(names) else "write empty cells too"
    return f"line {line}: has {len(cells)} fields, the header has {len(names)}: {hint}"


def _json_rows(data: bytes) -> list[RawRow]:
    # Not splitlines(): it would also cut at U+2028, which JSON allows inside a text.
    lines = [(number, line) for number, line in enumerate(_decoded(data).split("\n"), start=1) if line.strip()]
    problems: list[str] = []
    rows = [row for number, line in lines if (row := _json_row(number, line, problems))]
    if problems:
        raise _unreadable(problems)
    return rows


def _json_row(number: int, line: str, problems: list[str]) -> RawRow | None:
    try:
        # Pairs as tuples: a name that comes twice is seen, and an object differs from a list.
        pairs = json.loads(line, object_pairs_hook=tuple, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        problems.append(f"line {number}: is not JSON: {error.msg} at character {error.colno}")
    except (ValueError, RecursionError) as error:
        problems.append(f"line {number}: is not JSON that can be read: {error}")
    else:
        if isinstance(pairs, tuple):
            return RawRow(row=number, names=tuple(name for name, _ in pairs), cells=[_plain(cell) for _, cell in pairs])
        problems.append(f'line {number}: is not an object: write {{"uri": ...}}, one object on each line')
    return None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number; write null")


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return {name: _plain(item) for name, item in value}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _parquet_rows(data: bytes) -> list[RawRow]:
    # Imported late: a manifest in another format never pays for it.
    import pyarrow as pa
    import pyarrow.parquet

    try:
        table = pa.parquet.read_table(pa.BufferReader(data))
        # As text: Python has no date and time with nanoseconds.
        columns = [(c.cast(pa.string()) if pa.types.is_temporal(c.type) else c).to_pylist() for c in table.columns]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(f"the manifest is not Parquet that can be read: {error}") from None
    names = tuple(table.column_names)
    return [RawRow(row=i, names=names, cells=cells) for i, cells in enumerate(zip(*columns, strict=True), start=1)]


_READERS: dict[str, Callable[[bytes], list[RawRow]]] = {
    ".csv": _csv_rows,
    ".jsonl": _json_rows,
    ".parquet": _parquet_rows,
}
KINDS = tuple(_READERS)
"""Endings of the files that can be a manifest."""


def _folder_rows(folder: str, output: str) -> list[RawRow]:
    """An album for each folder of audio below this one; disc, sequence and title from the names."""
    base = folder.rstrip("/") if store.is_remote(folder) else os.path.abspath(store.local_path(folder)).rstrip("/")
    ours = f"{output}/" if output else "\0"
    found = [uri for uri in _listed(base) if uri.lower().endswith(AUDIO) and not uri.startswith(ours)]
    names = [uri[len(base) + 1 :] for uri in found]
    if not names:
        raise CatalogueError("MANIFEST_EMPTY", f"folder {quoted(folder)} holds no audio: looked for {', '.join(AUDIO)}")
    albums: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(names, key=_natural):
        albums[name.rpartition("/")[0]].append(name)
    top = base.rpartition("/")[2] or "top folder"
    top += " (top folder)" if top in albums else ""
    cells = [cell for album, members in albums.items() for cell in _album_cells(album or top, members)]
    return [
        RawRow(row=i, names=tuple(row), cells=[f"{base}/{row['uri']}", *list(row.values())[1:]])
        for i, row in enumerate(cells, start=1)
    ]


def _listed(folder: str) -> list[str]:
    try:
        return store.list_files(folder or "/")
    except OSError as error:
        raise _unreadable(f"folder {quoted(folder)} cannot be listed: {error}") from error


def _natural(name: str) -> list[tuple[int, str, str]]:
    """Sorting key: `Track 2` before `Track 10`, case last; folders stay together."""
    parts = re.split(r"([0-9]+)", name.replace("/", "\0"))
    return [(int(part) if i % 2 else 0, part.casefold(), part) for i, part in enumerate(parts)]


def _album_cells(album: str, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    found = [_numbered(os.path.splitext(os.path.basename(name))[0]) for name in names]
    places = [(disc, sequence) for disc, sequence, _ in found if sequence is not None]
    trusted = places and len(set(places)) == len(places) and all(disc and sequence for disc, sequence in places)
    for position, (name, (disc, sequence, title)) in enumerate(zip(names, found, strict=True), start=1):
        row = {"uri": name, "album_id": short_id(album), "title": title}
        if trusted:
            yield row | {"disc": disc, "sequence": sequence}
        else:
            # A position shifts when a file arrives; the name stays, and only what changed is done again.
            yield row | {"sequence": position, "track_id": short_id(name)}


def _numbered(stem: str) -> tuple[int, int | None, str]:
    match = _NUMBERED.fullmatch(stem)
    if match is None:
        return 1, None, stem
    return int(match[1] or 1), int(match[2]), match[3] or stem
