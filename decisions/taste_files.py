"""Reads styles and norms: built in or files of the label's, TOML. Everything wrong with one is said at once, with its line."""

from __future__ import annotations

import math
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from decisions.toml_files import Place, Shelf, located
from schemas.errors import CatalogueError
from schemas.norm import Norm
from schemas.style import Style

HERE = Path(__file__).parent
STYLES = Shelf("style", HERE / "styles", "STYLE_UNKNOWN", "STYLE_UNREADABLE", "STYLE_INVALID")
NORMS = Shelf("norm", HERE / "norms", "NORM_UNKNOWN", "NORM_UNREADABLE", "NORM_INVALID")
Kind = TypeVar("Kind", Style, Norm)


def load_style(name_or_file: str) -> Style:
    """The style of a name or a TOML file; raises CatalogueError with every problem and its line."""
    style, path, text = _load(STYLES, name_or_file, Style)
    tone, place = style.tone, Place(path, text, "tone")
    problems = []
    if len(tone.lean_hz) != len(tone.lean_db):
        problems.append(place.told("lean_db", "tone.lean_hz and tone.lean_db must be equally long"))
    if list(tone.lean_hz) != sorted(set(tone.lean_hz)) or any(hz <= 0.0 for hz in tone.lean_hz):
        problems.append(place.told("lean_hz", "tone.lean_hz must rise from above 0"))
    if not all(math.isfinite(value) and abs(value) <= 12.0 for value in tone.lean_db):
        problems.append(place.told("lean_db", "tone.lean_db must lie in [-12, 12]"))
    if problems:
        raise CatalogueError(STYLES.invalid, problems)
    return style


def load_norm(name_or_file: str) -> Norm:
    """The norm of a name or a TOML file; raises CatalogueError with every problem and its line."""
    norm, path, text = _load(NORMS, name_or_file, Norm)
    wild = [name for name in ("mid_db", "side_db") if not all(map(math.isfinite, getattr(norm, name)))]
    if wild:
        raise CatalogueError(NORMS.invalid, [Place(path, text).told(name, f"{name} must be finite") for name in wild])
    return norm


def style_text(name_or_file: str) -> str:
    """A style as it is written: comments tell the reason of each value."""
    return STYLES.read(name_or_file)[1]


def _load(shelf: Shelf, name_or_file: str, kind: type[Kind]) -> tuple[Kind, Path, str]:
    path, text = shelf.read(name_or_file)
    own = shelf.parsed(path, text)
    if problems := _unknown_keys(own, path, text, kind):
        raise CatalogueError(shelf.invalid, problems)
    try:
        return msgspec.convert(own, kind), path, text
    except msgspec.ValidationError as error:
        raise CatalogueError(shelf.invalid, located(str(error), [(path, text)])) from error


def _unknown_keys(own: dict[str, Any], path: Path, text: str, kind: type[msgspec.Struct]) -> list[str]:
    problems = Place(path, text).unknown(own, _fields(kind))
    for name, table in tables_of(kind).items():
        if isinstance(own.get(name), dict):
            problems += Place(path, text, name).unknown(own[name], _fields(table))
    return problems


def tables_of(kind: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    """The fields of a record that are records themselves, also where they may be left out."""
    found = {}
    for field in msgspec.structs.fields(kind):
        alternatives = get_args(field.type) if get_origin(field.type) is UnionType else (field.type,)
        for one in alternatives:
            if isinstance(one, type) and issubclass(one, msgspec.Struct):
                found[field.name] = one
    return found


def _fields(kind: type[msgspec.Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(kind)]
