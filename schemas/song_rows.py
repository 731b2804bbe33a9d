"""Rows of stems -> one row for each song, which is then compared with the others like any track.

What a row says of its stem goes into the song; what it says of the song may stand in one row or in all, where it must agree.
"""

from __future__ import annotations

import os.path
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from schemas.drafts import Problems, RowDraft
from schemas.identifiers import gtin14
from schemas.safe_names import as_seen, distinct, quoted, safe_name
from schemas.stem_cells import STEM_COLUMNS
from schemas.stems import Song, Stem

OF_SONGS = ("reference", "style", "settings")
"""What a song says of its mix; `style` and `settings` mean nothing in a row that is no stem."""
OF_ONE_STEM = tuple(sorted({*STEM_COLUMNS, "uri", "sha256", "duration_s"} - {*OF_SONGS, "mix_id"}))
"""What each row says for itself."""


def join_songs(drafts: Sequence[RowDraft], output: str, problems: Problems) -> list[RowDraft]:
    """The rows of tracks, and in the place of each song's first row the song; rows without a readable mix_id are left out."""
    songs: defaultdict[str, list[RowDraft]] = defaultdict(list)
    for draft in drafts:
        songs[draft.values.get("mix_id") or ""].append(draft)
    plain = [draft for draft in songs.pop("", []) if "mix_id" not in draft.values]
    for draft in plain:
        _set_free(draft, problems)
    folders = distinct({mix_id: safe_name(mix_id) for mix_id in songs})
    joined = [_song(mix_id, rows, folders[mix_id], output, problems) for mix_id, rows in songs.items()]
    return sorted([*plain, *joined], key=lambda draft: draft.row)


def _set_free(draft: RowDraft, problems: Problems) -> None:
    """A row that is no stem: a style is its own affair, but a role without a song is a forgotten mix_id."""
    for kept in (column for column in ("style", "settings") if column in draft.values):
        draft.extra[draft.written[kept]] = str(draft.values.pop(kept))
    for column in (c for c in OF_ONE_STEM if c in STEM_COLUMNS and c in draft.values):
        hint = "is said of a stem, but the row has no mix_id: give it that of its song, or leave this cell empty"
        problems.add(draft.row, f"{draft.at(column)}{hint}")
        del draft.values[column]


def _song(mix_id: str, rows: Sequence[RowDraft], folder: str, output: str, problems: Problems) -> RowDraft:
    first, name = rows[0], f"mixes/{folder}/mix.wav"
    written = {"track_id": first.written["mix_id"]}
    song = RowDraft(row=first.row, values={}, written=written, extra=_agreed_extra(rows), name=name)
    for draft in rows:
        _agree(song, draft, mix_id, problems)
    _refuse_other_id(song, mix_id, problems)
    if "\n" in song.values.get("reference", ""):
        problems.add(first.row, f"{song.at('reference')}names several files: the mix of a song has one reference")
    of_mix = {column: song.values.pop(column) for column in OF_SONGS if column in song.values}
    stems = tuple(sorted(_stems(rows, problems), key=lambda stem: stem.stem_id))
    song.values |= {
        "uri": f"{output}/{name}" if output else name,
        "track_id": mix_id,
        "song": Song(stems=stems, **of_mix),
    }
    return song


def _agree(song: RowDraft, draft: RowDraft, mix_id: str, problems: Problems) -> None:
    """Takes what a row says of its song, unless an earlier row says otherwise."""
    for column in (c for c in draft.written if c not in OF_ONE_STEM and c != "mix_id"):
        value = draft.values.get(column)
        if value is None:
            continue
        if song.values.setdefault(column, value) == value and column not in song.said_in:
            song.said_in[column], song.written[column] = draft.row, draft.written[column]
        elif not _same(column, song.values[column], value):
            told, before = quoted(str(value)), quoted(str(song.values[column]))
            differs = f"{told} differs from {before} in row {song.said_in[column]}"
            rule = f"the song {quoted(mix_id)} can have only one {column}"
            problems.add(draft.row, f"{draft.at(column)}{differs}: {rule}")


def _same(column: str, one: Any, other: Any) -> bool:
    return gtin14(one) == gtin14(other) if column == "upc" else bool(one == other)


def _refuse_other_id(song: RowDraft, mix_id: str, problems: Problems) -> None:
    track_id = song.values.get("track_id", mix_id)
    if track_id != mix_id:
        differs = f"{quoted(track_id)} differs from the mix_id {quoted(mix_id)}"
        problems.add(
            song.said_in["track_id"], f"{song.at('track_id')}{differs}: leave it empty, a song is called by its mix_id"
        )


def _agreed_extra(rows: Sequence[RowDraft]) -> dict[str, str]:
    """Of columns that are only kept: what all rows that say anything say alike; a song has no place for the rest."""
    said: defaultdict[str, set[str]] = defaultdict(set)
    for draft in rows:
        for name, text in draft.extra.items():
            said[name].add(text)
    return {name: texts.pop() for name, texts in sorted(said.items()) if len(texts) == 1}


def _stems(rows: Sequence[RowDraft], problems: Problems) -> Iterator[Stem]:
    names, modes = _stem_ids(rows, problems), _modes(rows, problems)
    for draft in rows:
        values = {column: draft.values[column] for column in OF_ONE_STEM if draft.values.get(column) is not None}
        pan, group = values.pop("pan", {}), values.get("automix_group")
        mode = {"automix_mode": modes[group]} if group in modes else {}
        yield Stem(**({"uri": ""} | values | pan | mode | {"row": draft.row, "stem_id": names[draft.row]}))


def _modes(rows: Sequence[RowDraft], problems: Problems) -> dict[str, Any]:
    """Group of gain sharing -> its mode, which one row may say for all."""
    first: dict[str, RowDraft] = {}
    for draft in (d for d in rows if d.values.get("automix_group") and d.values.get("automix_mode")):
        group, mode = draft.values["automix_group"], draft.values["automix_mode"]
        other = first.setdefault(group, draft)
        if other.values["automix_mode"] != mode:
            differs = f"{quoted(mode)} differs from {quoted(other.values['automix_mode'])} in row {other.row}"
            problems.add(draft.row, f"{draft.at('automix_mode')}{differs}: the group {quoted(group)} can have only one")
    return {group: draft.values["automix_mode"] for group, draft in first.items()}


def _stem_ids(rows: Sequence[RowDraft], problems: Problems) -> dict[int, str]:
    """Row -> the name of its stem: as given, else after its file, whatever the order of the rows."""
    given = {draft.row: draft.values["stem_id"] for draft in rows if draft.values.get("stem_id")}
    identities, times = {}, Counter[str]()
    for draft in sorted((d for d in rows if d.row not in given), key=_content):
        times[draft.name] += 1
        identities[draft.row] = draft.name if times[draft.name] == 1 else f"{draft.name}\n{times[draft.name]}"
    files = {identity: safe_name(_file_stem(identity), "stem") for identity in identities.values()}
    made = distinct(files, taken=given.values())
    names = given | {row: made[identity] for row, identity in identities.items()}
    first: dict[str, RowDraft] = {}
    for draft in rows:
        other = first.setdefault(as_seen(names[draft.row]), draft)
        if other is not draft:
            repeated = f"the stem_id {quoted(names[draft.row])} is already that of row {other.row}"
            problems.add(draft.row, f"{draft.at('stem_id')}{repeated}: give each stem of a song its own")
    return names


def _content(draft: RowDraft) -> str:
    return repr((draft.name, sorted(draft.values.items()), sorted(draft.extra.items())))


def _file_stem(identity: str) -> str:
    return os.path.splitext(identity.partition("\n")[0].rpartition("/")[2])[0]
