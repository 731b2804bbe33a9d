"""Reads profiles: built in or a file of the label's, TOML, with `based_on` to change only what differs.

Everything wrong with a profile is said at once, with the line it stands on and what was probably meant.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from decisions.measures import MEASURES
from decisions.target_files import load_target
from decisions.taste_files import load_norm, load_style, tables_of
from decisions.toml_files import Place, Shelf, located, meant
from schemas.errors import CatalogueError
from schemas.limits import Limit, Target
from schemas.profile import Delivery, Profile

FOLDER = Path(__file__).parent / "profiles"
MAX_DEPTH = 8
USUAL_STYLE, USUAL_NORM = "transparent", "popular"
_READ = ("targets", "taste", "expected")
"""Fields that are read from files of their own, never written in a profile."""
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
    merged |= _read_beside(merged)
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
    if "style" in own:
        own["style"] = _placed(own["style"], path)
    if isinstance(tone := own.get("tone"), dict) and "norm" in tone:
        tone["norm"] = _placed(tone["norm"], path)
    if isinstance(own.get("references"), list):
        own["references"] = [_beside(one, path) for one in own["references"]]
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


def _beside(recording: object, path: Path) -> object:
    """A reference is meant from where the profile stands, unless it has a place of its own."""
    remote = isinstance(recording, str) and "://" in recording
    return str(path.parent / recording) if isinstance(recording, str) and not remote else recording


def _read_beside(merged: dict[str, Any]) -> dict[str, Any]:
    """Style and norm from their own files; what is no name is left to the check of the whole."""
    style, tone = merged.get("style", USUAL_STYLE), merged.get("tone")
    norm = tone.get("norm") if isinstance(tone, dict) else None
    return {
        "taste": msgspec.to_builtins(load_style(style if isinstance(style, str) else USUAL_STYLE)),
        "expected": msgspec.to_builtins(load_norm(norm if isinstance(norm, str) else USUAL_NORM)),
    }


def _overlaid(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key; everything else, also the list of deliveries, is replaced."""
    merged = dict(base)
    for key, value in own.items():
        both_tables = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _overlaid(base[key], value) if both_tables else value
    return merged


def _unknown_keys(own: dict[str, Any], path: Path, text: str) -> list[str]:
    known = [name for name in _fields(Profile) if name not in _READ]
    problems = Place(path, text).unknown(own, [*known, "based_on"])
    for table, kind in tables_of(Profile).items():
        if table not in _READ and isinstance(own.get(table), dict):
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


def _targets(profile: Profile) -> dict[str, Target]:
    """The targets that the deliveries name."""
    return {name: load_target(name) for delivery in profile.delivery for name in delivery.targets}


def _check_whole(profile: Profile, files: list[tuple[Path, str]]) -> None:
    """What no single value can tell."""
    problems, name = [], files[0][0].name
    names = [delivery.name for delivery in profile.delivery]
    if len(set(names)) != len(names):
        problems.append(f"each delivery needs a name of its own, got {', '.join(names)}")
    for one in profile.delivery:
        if one.shaping != "flat" and (one.bits, one.rate_hz) != (16, 44_100):
            problems.append(f"delivery {one.name}: shaped dither needs bits = 16 and rate_hz = 44100")
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
