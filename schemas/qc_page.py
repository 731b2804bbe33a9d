"""The page docs/schema.md: every column of every table that a run writes, from the records themselves.

`python -m schemas.qc_page > docs/schema.md` writes it; a test holds the page against the records.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from inspect import getsource
from itertools import pairwise
from textwrap import dedent
from typing import Any

import msgspec
from msgspec import inspect

from schemas.mix_row import MixRow
from schemas.qc import SCHEMA_VERSION, AlbumRow, RejectedRow, TrackRow, WorkRow

TABLES: dict[str, type[msgspec.Struct]] = {
    "qc/tracks": TrackRow,
    "qc/albums": AlbumRow,
    "qc/rejected": RejectedRow,
    "qc/work": WorkRow,
    "qc/mixes": MixRow,
}
UNITS = {
    "_lufs": "LUFS",
    "_lu": "LU",
    "_dbtp": "dBTP",
    "_dbfs": "dBFS",
    "_db": "dB",
    "_hz": "Hz",
    "_db_per_octave": "dB per octave",
    "_ratio": "ratio",
    "_frames": "frames",
    "_s": "s",
}
"""By the end of a name (design.md, 3); the longest that fits counts."""
_PLAIN = {
    inspect.StrType: "string",
    inspect.LiteralType: "string",
    inspect.IntType: "int64",
    inspect.FloatType: "double",
    inspect.BoolType: "bool",
}
_TOP = """\
# Tables

Written by `python -m schemas.qc_page`. Schema version {version}: it stands in the metadata of each Parquet file as
`lathe_schema_version`, beside `lathe_table`; files without it are older than version 1. A column never changes its name, its unit
or its meaning; where one is added, the version rises. A value without a meaning is null. How to read them with DuckDB, pandas
and BigQuery: [data.md](data.md)."""


def schema_page() -> str:
    """The page."""
    parts = [_TOP.format(version=SCHEMA_VERSION)]
    for name, record in TABLES.items():
        parts.append(f"## {name}\n\n{_sentence(record)}\n\n" + "\n".join(_table(record)))
    return "\n\n".join(parts) + "\n"


def _table(record: type[msgspec.Struct]) -> list[str]:
    lines = ["| column | type | unit | meaning |", "|---|---|---|---|"]
    return lines + [f"| `{name}` | {kind} | {_unit(name)} | {words} |" for name, kind, words in _columns(record, "")]


def _columns(record: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, str, str]]:
    """Name, type and words of each column; those inside structs by their path, as `masters[].sha256`."""
    words = _words(record)
    told = inspect.type_info(record)
    assert isinstance(told, inspect.StructType)
    for field in told.fields:
        name, kind, null = prefix + field.encode_name, *_without_none(field.type)
        inner, many = _item(kind)
        shown = "struct" if isinstance(inner, inspect.StructType) else _PLAIN[type(inner)]
        yield name + ("[]" if many else ""), shown + (", may be null" if null else ""), words.get(field.name, "")
        if isinstance(inner, inspect.StructType):
            yield from _columns(inner.cls, f"{name}[]." if many else f"{name}.")


def _without_none(kind: inspect.Type) -> tuple[inspect.Type, bool]:
    if not isinstance(kind, inspect.UnionType):
        return kind, False
    (inner,) = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
    return inner, True


def _item(kind: inspect.Type) -> tuple[inspect.Type, bool]:
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return _without_none(kind.item_type)[0], True
    return kind, False


def _words(record: type[msgspec.Struct]) -> dict[str, str]:
    """What stands below each field in the source, also of the records that this one builds on."""
    found: dict[str, str] = {}
    for cls in reversed(record.__mro__):
        if issubclass(cls, msgspec.Struct) and cls is not msgspec.Struct:
            found |= dict(_field_words(cls))
    return found


def _field_words(cls: type[Any]) -> Iterator[tuple[str, str]]:
    (body,) = (node.body for node in ast.parse(dedent(getsource(cls))).body if isinstance(node, ast.ClassDef))
    for field, after in pairwise(body):
        is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_text:
            yield field.target.id, " ".join(str(after.value.value).split()).replace("|", "\\|")  # type: ignore[attr-defined]


def _unit(name: str) -> str:
    plain = name.rstrip("[]")
    fitting = [ending for ending in UNITS if plain.endswith(ending)]
    return UNITS[max(fitting, key=len)] if fitting else ""


def _sentence(record: type[msgspec.Struct]) -> str:
    return " ".join((record.__doc__ or "").split())


if __name__ == "__main__":
    print(schema_page(), end="")
