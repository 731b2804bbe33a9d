"""Reads profiles: built in or a file of the label's, TOML, with `based_on` to change only what differs.

Everything wrong with a profile is said at once, with the line it stands on and what was probably meant.
"""

from __future__ import annotations

import math
import re
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from schemas.errors import CatalogueError
from schemas.profile import Delivery, Profile

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parent / "profiles"
MAX_DEPTH = 8


def built_in() -> list[str]:
    """Names of the profiles that come with Lathe."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_profile(name_or_file: str) -> Profile:
    """The profile of a name or a TOML file; raises CatalogueError with every problem and its line."""
    files = _chain(name_or_file)
    merged: dict[str, Any] = {}
    for path, text in reversed(files):
        merged = _overlaid(merged, _own(path, text))
    try:
        profile = msgspec.convert(merged, Profile)
    except msgspec.ValidationError as error:
        raise CatalogueError("PROFILE_INVALID", _located(str(error), files)) from error
    _check_whole(profile, files[0][0])
    return profile


def profile_texts(name_or_file: str) -> list[tuple[str, str]]:
    """Name and text of a profile and of all it is based on, the most general first."""
    return [(path.name, text) for path, text in reversed(_chain(name_or_file))]


def _chain(name_or_file: str) -> list[tuple[Path, str]]:
    """A profile's file and text, then those of what it is based on, and so on."""
    files = [_read(name_or_file)]
    while (base := _parsed(*files[-1]).get("based_on")) is not None:
        path = files[-1][0]
        if not isinstance(base, str) or len(files) > MAX_DEPTH:
            raise CatalogueError("PROFILE_INVALID", f"{path.name}: based_on {base!r} leads in a circle or is no name")
        files.append(_read(str(path.parent / base) if base.endswith(".toml") else base))
    return files


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError("PROFILE_INVALID", f"{path.name}: {error}") from error


def _own(path: Path, text: str) -> dict[str, Any]:
    """What a file itself says, without unknown keys."""
    own = _parsed(path, text)
    problems = _unknown_keys(own, path, text)
    if problems:
        raise CatalogueError("PROFILE_INVALID", problems)
    own.pop("based_on", None)
    return own


def _read(name_or_file: str) -> tuple[Path, str]:
    path = Path(name_or_file)
    if path.suffix != ".toml":
        path = FOLDER / f"{name_or_file}.toml"
        if name_or_file not in built_in():
            guess = get_close_matches(name_or_file, built_in(), 1)
            meant = f'; did you mean "{guess[0]}"?' if guess else "."
            text = (
                f'there is no profile "{name_or_file}" among {", ".join(built_in())}{meant} A file must end in .toml.'
            )
            raise CatalogueError("PROFILE_UNKNOWN", text)
    try:
        return path, path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError("PROFILE_UNREADABLE", f"profile {path} cannot be read: {error}") from error


def _overlaid(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key; everything else, also the list of deliveries, is replaced."""
    merged = dict(base)
    for key, value in own.items():
        both_tables = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _overlaid(base[key], value) if both_tables else value
    return merged


def _unknown_keys(own: dict[str, Any], path: Path, text: str) -> list[str]:
    problems = _unknown(own, Profile, "", path, text)
    for table, kind in _tables().items():
        if isinstance(own.get(table), dict):
            problems += _unknown(own[table], kind, table, path, text)
    deliveries = own.get("delivery")
    for number, one in enumerate(deliveries if isinstance(deliveries, list) else []):
        if isinstance(one, dict):
            problems += _unknown(one, Delivery, "delivery", path, text, number)
    return problems


def _tables() -> dict[str, type[msgspec.Struct]]:
    """The tables of a profile that are records."""
    found = {}
    for field in msgspec.structs.fields(Profile):
        kinds = [field.type, *getattr(field.type, "__args__", ())]
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                found[field.name] = kind
    return found


def _unknown(
    keys: dict[str, Any], kind: type[msgspec.Struct], table: str, path: Path, text: str, number: int = 0
) -> list[str]:
    known = [field.name for field in msgspec.structs.fields(kind)]
    known += ["based_on"] if not table else []
    problems = []
    for key in keys:
        if key not in known:
            guess = get_close_matches(key, known, 1)
            meant = f'did you mean "{guess[0]}"?' if guess else f"known are {', '.join(known)}"
            where = f" in [{table}]" if table else ""
            problems.append(
                f'{path.name}, line {_line_of(text, table, key, number) or 1}: unknown key "{key}"{where}; {meant}'
            )
    return problems


def _line_of(text: str, table: str, key: str, number: int = 0) -> int | None:
    """The line of `key = ...` in a table (the table itself for an empty key); `number` counts tables of one name."""
    inside, met = not table, -1
    for line_number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
        if header:
            name = header[1].strip("\"'")
            met += name == table
            inside = name == table and met == number
            if (inside and not key) or (not table and name == key):
                return line_number
        elif inside and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return line_number
    return None


def _located(message: str, files: list[tuple[Path, str]]) -> str:
    """A validation error of msgspec with the file and the line of the value it is about."""
    found = re.search(r"at `\$\.([a-z_]+)(?:\[(\d+|\.\.\.)\])?(?:\.([a-z_]+))?", message)
    if not found:
        return f"{files[0][0].name}: {message}"
    table, key = (found[1], found[3]) if found[3] else ("", found[1])
    number = int(found[2]) if (found[2] or "").isdigit() else 0
    path, line = next(
        ((path, at) for path, text in files if (at := _line_of(text, table, key, number)) is not None),
        (files[0][0], _line_of(files[0][1], table, "", number) or 1),
    )
    value = f"{table}.{key}" if table else key
    return f"{path.name}, line {line}: {value}: {message.split(' - at')[0]}"


def _check_whole(profile: Profile, path: Path) -> None:
    """What no single value can tell."""
    tone, problems = profile.tone, []
    if not len(tone.bands_hz) == len(tone.target_db) == len(tone.deadband_db):
        problems.append("tone.bands_hz, tone.target_db and tone.deadband_db must be equally long")
    if not all(map(math.isfinite, [*tone.bands_hz, *tone.target_db, *tone.deadband_db])):
        problems.append("tone.bands_hz, tone.target_db and tone.deadband_db must be finite")
    elif list(tone.bands_hz) != sorted(set(tone.bands_hz)) or any(hz <= 0 for hz in tone.bands_hz):
        problems.append("tone.bands_hz must rise from above 0")
    elif any(width_db < 0 for width_db in tone.deadband_db):
        problems.append(f"tone.deadband_db must not be below 0, got {min(tone.deadband_db):g}")
    names = [delivery.name for delivery in profile.delivery]
    if len(set(names)) != len(names):
        problems.append(f"each delivery needs a name of its own, got {', '.join(names)}")
    if profile.source.min_rate_hz > profile.source.max_rate_hz:
        problems.append("source.min_rate_hz must not exceed source.max_rate_hz")
    if problems:
        raise CatalogueError("PROFILE_INVALID", [f"{path.name}: {problem}" for problem in problems])
