"""The rules of a manifest: rows as a reader found them -> tracks, or every problem at once.

Pure: it opens nothing; `media.manifest` reads files into `RawRow`s. All cells are judged by their text, so that CSV,
JSONL and Parquet of the same content give the same tracks.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from fnmatch import translate
from hashlib import sha256
from typing import Any

from msgspec import Struct

from schemas.cells import LONGEST_ID, READERS, as_text, clean
from schemas.drafts import Problems, RowDraft
from schemas.identifiers import did_you_mean, gtin14
from schemas.safe_names import Roots, name_masters, quoted
from schemas.song_rows import join_songs
from schemas.stem_cells import STEM_COLUMNS, STEM_READERS, STEM_SOURCE
from schemas.track import Track

COLUMNS = {
    "uri": "path file filename file_name source audio location",
    "album_id": "release_id release",
    "disc": "disc_number discnumber disc_no disk volume",
    "sequence": "track_number tracknumber track_no number position",
    "track_total": "total_tracks tracks_total",
    "track_id": "",
    "isrc": "",
    "upc": "ean gtin barcode upc_ean icpn",
    "title": "track_title name song",
    "artist": "artist_name performer display_artist",
    "album": "album_title release_title",
    "genre": "",
    "label": "label_name",
    "year": "release_year",
    "sha256": "sha_256 checksum hash",
    "duration_s": "duration duration_seconds length_s",
    "joins_next": "gapless segue",
    "profile": "",
    "reference": "",
}
"""Column -> its other names; upper case, spaces and hyphens make no difference."""
OF_ALBUMS = ("profile", "track_total")
"""What one row says for all rows of its album."""


_CANONICAL = {alias: name for name, aliases in COLUMNS.items() for alias in (name, *aliases.split())}
_OF_STEMS = {alias: name for name, aliases in STEM_COLUMNS.items() for alias in (name, *aliases.split())}
_WITH_STEMS = _CANONICAL | _OF_STEMS | dict.fromkeys(STEM_SOURCE, "uri")
# One edit away from a known name, yet something else: renaming it would be wrong by a factor of 1000.
_NOT_A_SLIP = {"duration_ms"}
_READERS = READERS | STEM_READERS


class RawRow(Struct, frozen=True, kw_only=True):
    """One row before any check: column names as written, and the cells as the format typed them."""

    row: int
    names: tuple[str, ...]
    cells: Sequence[Any]


def check_manifest(rows: Sequence[RawRow], roots: Roots, output: str = "") -> list[Track]:
    """The tracks in manifest order; CatalogueError with all problems of all rows.

    Rows with a `mix_id` are stems: those of a song are one track, which will be mixed into `output`.
    """
    problems = Problems()
    known = _known_columns(rows, problems)
    drafts = [_read_row(row, known, roots, problems) for row in rows]
    if "mix_id" in known.values():
        drafts = join_songs(drafts, output, problems)
    _place_in_albums(drafts)
    _compare_rows(drafts, problems)
    _compare_albums(drafts, problems)
    _compare_totals(drafts, problems)
    _compare_strays(drafts, problems)
    problems.stop_if_any()
    of_albums = {name: {d.album: d.values[name] for d in drafts if d.album and name in d.values} for name in OF_ALBUMS}
    return name_masters([_track(draft, of_albums) for draft in drafts])


def select(tracks: Sequence[Track], *, only: str | None, limit: int | None) -> list[Track]:
    """The tracks whose track_id, album_id, title or end of the URI fits the glob; of these the first `limit`."""
    if only is not None:
        fits, ends = re.compile(translate(only)).match, re.compile(translate(f"*/{only}")).match
        tracks = [t for t in tracks if fits(t.track_id) or fits(t.album_id) or fits(t.title or "") or ends("/" + t.uri)]
    return list(tracks[:limit])


def canonical(name: str, *, stems: bool = False) -> str | None:
    """The column that a header means, with those of `stems` or without; None for one that is kept as `extra`."""
    return (_WITH_STEMS if stems else _CANONICAL).get(_plain(name))


def short_id(text: str) -> str:
    """An identity made from a path: without control characters, and never too long to be one."""
    text = clean(text)
    # The end of a path tells more than its beginning.
    return text if len(text) <= LONGEST_ID else f"{sha256(text.encode()).hexdigest()[:16]}/{text[-183:]}"


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", unicodedata.normalize("NFC", name).casefold()).strip("_")


def _known_columns(rows: Sequence[RawRow], problems: Problems) -> dict[str, str | None]:
    """Every header as written -> its column; reports slips of typing and headers that mean the same."""
    headers = sorted({row.names: row for row in reversed(rows)}.values(), key=lambda row: row.row)
    first = {name: row for row in reversed(headers) for name in row.names}
    stems = any(_plain(name) == "mix_id" for name in first)
    known = {name: canonical(name, stems=stems) for name in first}
    slips = {name: meant for name in known if known[name] is None and (meant := _slip_of(name, known, stems))}
    # One header serves all rows, except in JSONL, where a later row may have names of its own.
    spots = {row.row: (row.row, f"row {row.row}, ") for row in headers[1:]}
    for name, meant in slips.items():
        row, here = spots.get(first[name].row, (0, ""))
        problems.add(row, f"{here}column {quoted(name)[1:-1]}: is not a known column{did_you_mean(meant)}")
    for header in headers:
        row, here = spots.get(header.row, (0, ""))
        for double in _doubles(header.names, known):
            problems.add(row, f"{here}{double}: remove or rename one")
    meant_by = {name: canonical(meant, stems=True) for name, meant in slips.items()}
    if rows and "uri" not in {*known.values(), *meant_by.values()}:
        problems.add(0, _no_uri(list(known)))
    return known | meant_by


def _no_uri(names: Sequence[str]) -> str:
    found = ", ".join(map(quoted, names[:20])) or "none"
    return f"column uri is missing: one must be called uri, {COLUMNS['uri'].replace(' ', ', ')}; found are {found}"


def _slip_of(name: str, known: dict[str, str | None], stems: bool) -> str:
    """The known name that a header is one edit away from, if no other header means it already."""
    plain, present = _plain(name), set(known.values())
    if len(plain) < 4 or plain in _NOT_A_SLIP:
        return ""
    names = _WITH_STEMS if stems else _CANONICAL
    absent = [other for other, column in names.items() if len(other) > 3 and column not in present]
    # Beside columns of stems a slip in the one that makes them known would master every stem by itself.
    absent += ["mix_id"] if not stems and any(_plain(other) in _OF_STEMS for other in known) else []
    return next((other for other in absent if _one_edit(plain, other)), "")


def _one_edit(text: str, other: str) -> bool:
    """One letter more, less or (in longer words) other, or two neighbours swapped; "iswc" is no slip of "isrc"."""
    start = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))
    a, b = text[start:], other[start:]
    swapped = a[:2] == b[1::-1] and a[2:] == b[2:]
    return a[1:] == b or a == b[1:] or swapped or (a[1:] == b[1:] and len(text) > 4)


def _doubles(names: Sequence[str], known: dict[str, str | None]) -> Iterable[str]:
    seen: dict[str, str] = {}
    for name in names:
        column = known[name] or _plain(name) or name
        if column in seen:
            meaning = f"both mean {column}" if known[name] else "are the same"
            yield f"columns {quoted(seen[column])} and {quoted(name)} {meaning}"
        seen[column] = name


def _read_row(raw: RawRow, known: dict[str, str | None], roots: Roots, problems: Problems) -> RowDraft:
    draft = RowDraft(row=raw.row, values={}, written={}, extra={})
    for name, cell in zip(raw.names, raw.cells, strict=True):
        column, text = known[name], as_text(cell)
        if column is None:
            draft.extra.update({clean(name): clean(text)} if text else {})
            continue
        draft.written[column] = name
        try:
            _read_cell(draft, column, cell, text, roots)
        except ValueError as error:
            problems.add(draft.row, f"{draft.at(column)}{quoted(text)} {error}")
            draft.values[column] = None
    if "uri" not in draft.values and "uri" in known.values():
        problems.add(draft.row, f"{draft.at('uri')}is empty: every row needs its source")
    return draft


def _read_cell(draft: RowDraft, column: str, cell: object, text: str, roots: Roots) -> None:
    if not text:
        return
    if isinstance(cell, (list, dict)):
        raise ValueError("is a list or an object: a single value is allowed")
    if column == "reference":
        draft.values[column] = "\n".join(roots.locate(one.strip()).uri for one in text.split("|") if one.strip())
    elif column in ("uri", "settings") or (column == "profile" and ("/" in text or text.endswith(".toml"))):
        place = roots.locate(text)
        draft.values[column] = place.uri
        draft.name = place.name if column == "uri" else draft.name
    else:
        draft.values[column] = _READERS.get(column, clean)(text)


def _place_in_albums(drafts: Sequence[RowDraft]) -> None:
    """The album is its album_id, else its UPC as first written; the track_id goes down a like ladder."""
    upcs: dict[str, str] = {}
    for draft in drafts:
        upc = draft.values.get("upc")
        draft.album = draft.values.get("album_id") or (upcs.setdefault(gtin14(upc), upc) if upc else "")
        draft.track_id = draft.values.get("track_id") or draft.values.get("isrc") or _derived_id(draft)


def _derived_id(draft: RowDraft) -> str:
    place = _place(draft)
    return short_id("/".join(map(str, place)) if place else draft.name)


def _recording(draft: RowDraft) -> Hashable | None:
    """An ISRC may come again in another album (a compilation), if its rows have ids of their own."""
    isrc = draft.values.get("isrc")
    return (isrc, draft.album) if isrc and "track_id" in draft.values else isrc


def _place(draft: RowDraft) -> tuple[str, int, int] | None:
    sequence = draft.values.get("sequence")
    return (draft.album, draft.values.get("disc") or 1, sequence) if draft.album and sequence else None


def _compare_rows(drafts: Sequence[RowDraft], problems: Problems) -> None:
    told = set()
    for draft, other in _repeats(drafts, _recording):
        told.add((draft.row, other.row))
        hint = "an ISRC names one recording; to master it for two albums, give each row a track_id of its own"
        problems.add(
            draft.row, f"{draft.at('isrc')}{quoted(draft.values['isrc'])} is already in row {other.row}: {hint}"
        )
    for draft, other in _repeats(drafts, _place):
        told.add((draft.row, other.row))
        _, disc, sequence = _place(draft) or ("", 0, 0)
        taken = f"disc {disc}, sequence {sequence} of album {quoted(draft.album)} is already row {other.row}"
        problems.add(draft.row, f"{draft.at('sequence')}{taken}: give each track of an album its own place")
    for draft, other in _repeats(drafts, lambda d: (d.values["uri"], d.album) if d.values.get("uri") else None):
        told.add((draft.row, other.row))
        hint = "remove one, or give the rows different album_id"
        problems.add(draft.row, f"{draft.at('uri')}{quoted(draft.name)} is already in row {other.row}: {hint}")
    for draft, other in _repeats(drafts, lambda d: d.track_id or None):
        if "track_id" in draft.values or (draft.row, other.row) not in told:
            repeated = f"the track_id {quoted(draft.track_id)} is already that of row {other.row}"
            problems.add(draft.row, f"{draft.at('track_id')}{repeated}: give each row its own track_id")


def _repeats(
    drafts: Sequence[RowDraft], identity: Callable[[RowDraft], Hashable | None]
) -> Iterable[tuple[RowDraft, RowDraft]]:
    """Each row with the first row of the same identity; None is nobody's identity."""
    first: dict[Hashable, RowDraft] = {}
    for draft in drafts:
        key = identity(draft)
        if key is not None and first.setdefault(key, draft) is not draft:
            yield draft, first[key]


def _compare_albums(drafts: Sequence[RowDraft], problems: Problems) -> None:
    first: dict[tuple[str, str], RowDraft] = {}
    for draft in drafts:
        for column in ("upc", "profile", "track_total"):
            value = draft.values.get(column)
            if not draft.album or value is None:
                continue
            other = first.setdefault((draft.album, column), draft)
            if _comparable(other.values[column]) != _comparable(value):
                told, before = quoted(str(value)), quoted(str(other.values[column]))
                differs = f"{told} differs from {before} in row {other.row}"
                rule = f"the album {quoted(draft.album)} can have only one {column}"
                problems.add(draft.row, f"{draft.at(column)}{differs}: {rule}")


def _comparable(value: Any) -> Any:
    return gtin14(value) if isinstance(value, str) else value


def _compare_totals(drafts: Sequence[RowDraft], problems: Problems) -> None:
    """An album may come in several manifests, but never with more tracks than it says it has."""
    for draft in (d for d in drafts if not d.album and d.values.get("track_total", 1) != 1):
        problems.add(draft.row, f"{draft.at('track_total')}the row has no album_id: say which album has so many tracks")
    counts = Counter(draft.album for draft in drafts if draft.album)
    for draft in {d.album: d for d in reversed(drafts) if d.album and d.values.get("track_total")}.values():
        total = draft.values["track_total"]
        if counts[draft.album] > total:
            found = f"{total} is less than the {counts[draft.album]} rows of album {quoted(draft.album)}"
            problems.add(draft.row, f"{draft.at('track_total')}{found}: give the number of its tracks on all discs")


def _compare_strays(drafts: Sequence[RowDraft], problems: Problems) -> None:
    """A row without album_id must not fall into an album, or out of one, by accident."""
    albums = {d.album: d for d in reversed(drafts) if d.album}
    owners = {gtin14(d.values["upc"]): d for d in reversed(drafts) if d.values.get("album_id") and d.values.get("upc")}
    for draft in (d for d in drafts if "album_id" not in d.values):
        upc = draft.values.get("upc")
        if upc and (owner := owners.get(gtin14(upc))):
            hint = f"is the upc of album {quoted(owner.album)} (row {owner.row}), but this row has no album_id"
            problems.add(draft.row, f"{draft.at('upc')}{quoted(upc)} {hint}{did_you_mean(owner.album)}")
        elif not draft.album and (other := albums.get(draft.track_id)):
            hint = "give it an album_id, or another track_id"
            fall = f"the track stands alone, but row {other.row} has an album called {quoted(other.album)}"
            problems.add(draft.row, f"{draft.at('album_id')}{fall}: {hint}")


def _track(draft: RowDraft, of_albums: dict[str, dict[str, Any]]) -> Track:
    identity = {
        "track_id": draft.track_id,
        "album_id": draft.album or draft.track_id,
        "album_folder": "",
        "file_stem": "",
    }
    shared = {name: values[draft.album] for name, values in of_albums.items() if draft.album in values}
    return Track(row=draft.row, extra=draft.extra, **(draft.values | identity | shared))
