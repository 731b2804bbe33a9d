"""Settings of RoEx's Tonn service, put into the form of Lathe's: what was mixed there can be rendered, and mastered, here.

Two files are known: the settings that its automatic mix gives back (`mix_output_settings`: gain_settings, eq_settings,
drc_settings, panning_settings of each file), and the request for a final mix (`applyAudioEffectsData`: gainDb,
panning_settings, eq_settings, compression_settings of each trackURL). Both tell of fader, place, six bells and a compressor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from decisions.mixing.edit_checks import refused
from dsp.settings import Band, CompressorSettings, ParametricSettings
from dsp.settings.ranges import check_range
from schemas.mix import Insert, InsertSettings, Why
from schemas.safe_names import quoted

GAIN_DB = (-60.0, 12.0)
ANGLE_DEG = 60.0
"""Hard left is -60 degrees in RoEx's words, hard right 60; between them Lathe's place is proportional to the angle."""
BANDS = tuple(f"band_{number}" for number in range(1, 7))
EQ_GAIN_DB, EQ_QUALITY, EQ_HZ = (-20.0, 20.0), (0.1, 10.0), (20.0, 20_000.0)
THRESHOLD_DB, RATIO, ATTACK_MS, RELEASE_MS = (-60.0, 0.0), (1.0, 20.0), (0.1, 100.0), (1.0, 1_000.0)
OUR_EQ_GAIN_DB, OUR_EQ_QUALITY, OUR_RELEASE_S = (-18.0, 18.0), (0.3, 10.0), (0.005, 0.5)
"""What Lathe's processors go to: what RoEx has beyond is taken as the nearest of these, and said so."""
_WRAPPERS = ("previewMixTaskResults", "applyAudioEffectsData", "mix_output_settings")
_SECTIONS = ("gain_settings", "eq_settings", "drc_settings", "panning_settings", "compression_settings")
_RATIOS = ("initial_gain", "gain_amplitude")
_KNOWN = (*_SECTIONS, "gainDb", "trackURL")
_EXPLAINED = "RoEx's settings say so"


def is_roex(said: Mapping[str, Any]) -> bool:
    """Whether a file is of RoEx: by the names that only its settings have."""
    if any(name in said for name in _WRAPPERS):
        return True
    return bool(said) and all(isinstance(one, dict) and set(one) & set(_SECTIONS) for one in said.values())


def strips_of_roex(said: Mapping[str, Any]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Strips under the names of their files, with the fields that RoEx sets; and what it names that means nothing here."""
    tracks = dict(_tracks(said))
    if not tracks:
        raise refused("the settings of RoEx name no track")
    strips = [_strip(name, track) for name, track in tracks.items()]
    ignored = [f"{name}: {field}" for name, track in tracks.items() for field in track if field not in _KNOWN]
    return strips, tuple(ignored)


def _tracks(said: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    inner = next((said[name] for name in _WRAPPERS if name in said), said)
    if not isinstance(inner, dict):
        raise refused(f"the settings of RoEx must be an object, got {type(inner).__name__}")
    if inner is not said and any(name in inner for name in _WRAPPERS):
        yield from _tracks(inner)
        return
    listed = inner.get("trackData")
    if isinstance(listed, list):
        yield from ((_file_name(track), track) for track in listed)
        return
    for name, track in inner.items():
        if not isinstance(track, dict):
            raise refused(f"track {quoted(name)} of RoEx must be an object, got {type(track).__name__}")
        yield name, track


def _file_name(track: Any) -> str:
    if not isinstance(track, dict) or not isinstance(track.get("trackURL"), str):
        raise refused("each track of RoEx's trackData must be an object with a trackURL")
    return unquote(str(track["trackURL"]).partition("?")[0].rpartition("/")[2])


def _strip(name: str, track: Mapping[str, Any]) -> dict[str, Any]:
    strip: dict[str, Any] = {"stem_id": name, "why": {}}
    gain_db = _gain_db(name, track)
    if gain_db is not None:
        strip |= {"gain_db": gain_db} if gain_db > -math.inf else {"use": False}
    if track.get("panning_settings") is not None:
        angle = _number(name, track["panning_settings"], "panning_settings", "panning_angle", (-ANGLE_DEG, ANGLE_DEG))
        strip["pan_ratio"] = angle / ANGLE_DEG
    inserts = [make(name, track) for make, known in _INSERTS if any(track.get(one) is not None for one in known)]
    if any(one in track for _, known in _INSERTS for one in known):
        strip["inserts"] = [msgspec.to_builtins(insert) for insert in inserts if insert is not None]
    explained = msgspec.to_builtins(Why(text=_EXPLAINED))
    strip["why"] = {field: explained for field in strip if field not in ("stem_id", "why", "inserts")}
    return strip


def _gain_db(name: str, track: Mapping[str, Any]) -> float | None:
    """The fader: in dB, or as two ratios that RoEx multiplies the sound by."""
    if "gainDb" in track:
        return _number(name, track, "", "gainDb", GAIN_DB)
    said = track.get("gain_settings")
    if said is None:
        return None
    if not isinstance(said, dict):
        raise refused(f"track {quoted(name)}: gain_settings must be an object, got {type(said).__name__}")
    ratio = 1.0
    for field in _RATIOS:
        if field in said:
            ratio *= _number(name, said, "gain_settings", field, (0.0, 1_000.0))
    return 20.0 * math.log10(ratio) if ratio > 0.0 else -math.inf


def _equaliser(name: str, track: Mapping[str, Any]) -> Insert | None:
    said = track["eq_settings"]
    unknown = [band for band in said if band not in BANDS] if isinstance(said, dict) else ["no object"]
    if unknown:
        raise refused(f"track {quoted(name)}: eq_settings holds {', '.join(BANDS)}, got {unknown[0]}")
    bands: list[Band] = []
    nearest: list[str] = []
    for number, values in said.items():
        if values is None:
            continue
        place = f"eq_settings.{number}"
        gain_db = _near(_number(name, values, place, "gain", EQ_GAIN_DB), OUR_EQ_GAIN_DB, f"{number} gain", nearest)
        quality = _near(_number(name, values, place, "q", EQ_QUALITY), OUR_EQ_QUALITY, f"{number} q", nearest)
        freq_hz = _number(name, values, place, "centre_freq", EQ_HZ)
        if gain_db:
            bands.append(Band(kind="bell", freq_hz=freq_hz, gain_db=gain_db, quality_ratio=quality))
    return _insert(ParametricSettings(bands=tuple(bands)), nearest) if bands else None


def _compressor(name: str, track: Mapping[str, Any]) -> Insert | None:
    key = "drc_settings" if track.get("drc_settings") is not None else "compression_settings"
    said = track[key]
    ratio = _number(name, said, key, "ratio", RATIO)
    if ratio == 1.0:
        return None
    nearest: list[str] = []
    release_s = _number(name, said, key, "release_ms", RELEASE_MS) / 1_000.0
    settings = CompressorSettings(
        threshold_dbfs=_number(name, said, key, "threshold", THRESHOLD_DB),
        compression_ratio=ratio,
        attack_s=_number(name, said, key, "attack_ms", ATTACK_MS) / 1_000.0,
        release_s=_near(release_s, OUR_RELEASE_S, "release in s", nearest),
    )
    return _insert(settings, nearest)


_INSERTS: tuple[tuple[Callable[[str, Mapping[str, Any]], Insert | None], tuple[str, ...]], ...] = (
    (_equaliser, ("eq_settings",)),
    (_compressor, ("drc_settings", "compression_settings")),
)
"""In the order of the signal."""


def _insert(settings: InsertSettings, nearest: list[str]) -> Insert:
    text = _EXPLAINED if not nearest else f"{_EXPLAINED}; the nearest that Lathe has: {', '.join(nearest)}"
    return Insert.of(settings, Why(text=text))


def _near(value: float, allowed: tuple[float, float], what: str, told: list[str]) -> float:
    found = min(max(value, allowed[0]), allowed[1])
    if found != value:
        told.append(f"{what} {found:g} for {value:g}")
    return found


def _number(name: str, values: Any, section: str, field: str, allowed: tuple[float, float]) -> float:
    place = f"track {quoted(name)}, {section + '.' if section else ''}{field}"
    value = values.get(field) if isinstance(values, dict) else None
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise refused(f"{place} must be a number, got {value!r}")
    try:
        check_range(field, float(value), *allowed)
    except ValueError as error:
        raise refused(f"{place}: {error}") from None
    return float(value)
