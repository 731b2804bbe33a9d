"""Reads profiles: built in or a file of the label's, TOML, with `based_on` to change only what differs.

Everything wrong with a profile is said at once, with the line it stands on and what was probably meant.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec

from decisions.measures import MEASURES
from decisions.target_files import load_target
from decisions.toml_files import Place, Shelf, located, meant
from schemas.errors import CatalogueError
from schemas.limits import Limit, Target
from schemas.profile import Delivery, Profile

FOLDER = Path(__file__).parent / "profiles"
MAX_DEPTH = 8
_SHELF = Shelf("profile", FOLDER, "PROFILE_UNKNOWN", "PROFILE_UNREADABLE", "PROFILE_INVALID")
_INVALID = _SHELF.invalid


def built_in() -> list[str]:
    """Names of the profiles that come with Lathe."""
    return _SHELF.names()


def load_profile(name_or_file: str) -> Profile:
    """The profile of a name or a TOML file; raises CatalogueError with every problem and its line."""
    files = _chain(name_or_file)
    merged: dict[str, Any] = {}
    for path, text in reversed(files):
        merged = _overlaid(merged, _own(path, text))
    if isinstance(limits := merged.get("limits"), dict):
        merged["limits"] = {name: limit for name, limit in limits.items() if limit is not False}
    try:
        profile = msgspec.convert(merged, Profile)
    except msgspec.ValidationError as error:
        raise CatalogueError(_INVALID, located(str(error), files)) from error
    _check_whole(profile, files)
    return msgspec.structs.replace(profile, targets=_targets(profile))


def profile_texts(name_or_file: str) -> list[tuple[str, str]]:
    """Name and text of a profile and of all it is based on, the most general first."""
    return [(path.name, text) for path, text in reversed(_chain(name_or_file))]


def _chain(name_or_file: str) -> list[tuple[Path, str]]:
    """A profile's file and text, then those of what it is based on, and so on."""
    files = [_SHELF.read(name_or_file)]
    while (base := _SHELF.parsed(*files[-1]).get("based_on")) is not None:
        path = files[-1][0]
        if not isinstance(base, str) or len(files) > MAX_DEPTH:
            raise CatalogueError(_INVALID, f"{path.name}: based_on {base!r} leads in a circle or is no name")
        files.append(_SHELF.read(str(path.parent / base) if base.endswith(".toml") else base))
    return files


def _own(path: Path, text: str) -> dict[str, Any]:
    """What a file itself says, once nothing in it is unknown; targets that are files by their whole path."""
    own = _SHELF.parsed(path, text)
    problems = _unknown_keys(own, path, text) + _wrong_limits(own.get("limits", {}), path, text)
    if problems:
        raise CatalogueError(_INVALID, problems)
    own.pop("based_on", None)
    for _, delivery in _deliveries(own):
        if isinstance(delivery.get("targets"), list):
            delivery["targets"] = [_placed(target, path) for target in delivery["targets"]]
    return own


def _deliveries(own: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    found = own.get("delivery")
    return [(n, one) for n, one in enumerate(found if isinstance(found, list) else []) if isinstance(one, dict)]


def _placed(target: object, path: Path) -> object:
    """A target's file is meant from where the profile stands."""
    return str(path.parent / target) if isinstance(target, str) and target.endswith(".toml") else target


def _overlaid(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key; everything else, also the list of deliveries, is replaced."""
    merged = dict(base)
    for key, value in own.items():
        both_tables = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _overlaid(base[key], value) if both_tables else value
    return merged


def _unknown_keys(own: dict[str, Any], path: Path, text: str) -> list[str]:
    known = [name for name in _fields(Profile) if name != "targets"]
    problems = Place(path, text).unknown(own, [*known, "based_on"])
    for table, kind in _tables().items():
        if isinstance(own.get(table), dict):
            problems += Place(path, text, table).unknown(own[table], _fields(kind))
    for number, one in _deliveries(own):
        problems += Place(path, text, "delivery", number).unknown(one, _fields(Delivery))
    return problems


def _wrong_limits(limits: object, path: Path, text: str) -> list[str]:
    """What is wrong with the limits of one file: names, bounds, values."""
    if not isinstance(limits, dict):
        return []  # told by the conversion of the whole
    place = Place(path, text, "limits")
    problems = place.unknown(limits, MEASURES, "measure")
    for name, limit in limits.items():
        if isinstance(limit, dict):
            unknown = [bound for bound in limit if bound not in _fields(Limit)]
            problems += [
                place.told(name, f'unknown bound "{bound}" of {name}; {meant(bound, _fields(Limit))}')
                for bound in unknown
            ]
            problems += [] if unknown else _unfit(name, limit, place)
        elif limit is not False and name in MEASURES:
            problems.append(place.told(name, f"limits.{name}: give bounds, such as {{ warn_above = 0 }}, or false"))
    return problems


def _unfit(name: str, limit: dict[str, Any], place: Place) -> list[str]:
    try:
        msgspec.convert(limit, Limit)
    except msgspec.ValidationError as error:
        bound = str(error).partition("$.")[2].strip("`")
        return [place.told(name, f"limits.{name}.{bound}: {str(error).split(' - at')[0]}")]
    return []


def _fields(kind: type[msgspec.Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(kind)]


def _tables() -> dict[str, type[msgspec.Struct]]:
    """The tables of a profile that are records."""
    found = {}
    for field in msgspec.structs.fields(Profile):
        kinds = [field.type, *getattr(field.type, "__args__", ())]
        for kind in kinds:
            if field.name not in ("limits", "targets") and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                found[field.name] = kind
    return found


def _targets(profile: Profile) -> dict[str, Target]:
    """The targets that the deliveries name."""
    return {name: load_target(name) for delivery in profile.delivery for name in delivery.targets}


def _check_whole(profile: Profile, files: list[tuple[Path, str]]) -> None:
    """What no single value can tell."""
    tone, problems, name = profile.tone, [], files[0][0].name
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
    problems = [f"{name}: {problem}" for problem in problems]
    problems += [
        _limit_told(measure, why, files) for measure, one in profile.limits.items() if (why := one.contradiction())
    ]
    if problems:
        raise CatalogueError(_INVALID, problems)


def _limit_told(measure: str, why: str, files: list[tuple[Path, str]]) -> str:
    """A contradiction, by the file that speaks of the limit last."""
    places = (Place(path, text, "limits") for path, text in files)
    place = next((place for place in places if place.line(measure)), Place(*files[0], "limits"))
    return place.told(measure, f"limits.{measure}: {why}")
