"""The settings of a mix that a person edited: read, held against the session, and completed by what is decided anew.

A whole file is rendered as it is, unedited to the same bytes. Of one that is not whole, what stands in it wins, and what is
missing (a field, a stem, a bus) comes from new decisions. What makes no sense is refused with the name of its field.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from decisions.mixing.by_hand import REASONED, TOLD, retold, with_reasons
from decisions.mixing.edit_checks import check_settings, refused
from decisions.mixing.roex import is_roex, strips_of_roex
from schemas.errors import TrackError
from schemas.mix import SETTINGS_VERSION, BusSettings, Input, MixSettings, Return, SharingGroup, Strip
from schemas.safe_names import quoted

NAMED: dict[str, tuple[str, type[Struct]]] = {
    "stems": ("stem_id", Strip),
    "buses": ("name", BusSettings),
    "returns": ("name", Return),
    "groups": ("name", SharingGroup),
}
"""Lists of the file whose members are known by a name, so that one may be missing or hold only what was edited."""
_LISTS: dict[str, tuple[str, type[Struct]]] = {"inputs": ("stem_id", Input), **NAMED}
_NUMBERS = re.compile(rb"\[\n\s*(-?[0-9.eE+-]+(?:,\n\s*-?[0-9.eE+-]+)*)\n\s*\]")


class Edits(NamedTuple):
    """What a settings file says, not yet held against a session."""

    said: dict[str, Any]
    """As the file has it; RoEx's put into the same form."""
    by: str = "lathe"
    """`lathe`, or `roex`: then stems are named by their files."""
    ignored: tuple[str, ...] = ()
    """Fields of RoEx that mean nothing here."""

    @property
    def mix_id(self) -> str | None:
        """The song that the file names, if any."""
        named = self.said.get("mix_id")
        return named if isinstance(named, str) else None


def written(settings: MixSettings) -> bytes:
    """Settings as `settings.json`: the same settings, the same bytes."""
    pretty = msgspec.json.format(msgspec.json.encode(settings), indent=2)
    # A row of numbers stays on one line: no text of a person holds a line break, so none is touched.
    return _NUMBERS.sub(lambda row: b"[" + re.sub(rb"\s+", b" ", row[1]) + b"]", pretty) + b"\n"


def read_settings(data: bytes) -> Edits:
    """What a file says: Lathe's settings.json, or settings of RoEx; raises TrackError for anything else."""
    try:
        said = msgspec.json.decode(data.removeprefix(codecs.BOM_UTF8))  # some editors put that in front
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refused(f"the settings are no JSON: {error}") from None
    except RecursionError:
        raise refused(
            "the settings are no JSON that settings can be: lists or objects stand too deep in each other"
        ) from None
    if not isinstance(said, dict):
        raise refused(f"the settings must be a JSON object, got {type(said).__name__}")
    if is_roex(said):
        strips, ignored = strips_of_roex(said)
        return Edits({"stems": strips}, "roex", ignored)
    _check_names(said)
    version = said.get("schema_version", SETTINGS_VERSION)
    if version != SETTINGS_VERSION:
        raise refused(f"schema_version must be {SETTINGS_VERSION}, got {version!r}: another Lathe wrote these settings")
    return Edits(said)


def is_whole(edits: Edits, inputs: Sequence[Input]) -> bool:
    """Whether a file says everything that there is to say about the stems of a session: nothing needs to be decided then."""
    said = edits.said
    if edits.by != "lathe" or not set(MixSettings.__struct_fields__) - {"inputs"} <= set(said):
        return False
    for key, (_, record) in NAMED.items():
        if not all(set(record.__struct_fields__) <= set(one) for one in said[key]):
            return False
    return {one["stem_id"] for one in said["stems"]} == {one.stem_id for one in inputs}


def says(edits: Edits, settings: MixSettings) -> bool:
    """Whether a file says just what some settings are: what was rendered once, given back as it stands."""
    if not is_whole(edits, settings.inputs):
        return False
    try:
        return msgspec.convert(edits.said, MixSettings) == settings
    except msgspec.ValidationError:
        return False


def applied(
    edits: Edits,
    mix_id: str,
    inputs: Sequence[Input],
    decided: MixSettings | None = None,
    file_names: Mapping[str, str] | None = None,
    before: MixSettings | None = None,
) -> MixSettings:
    """The settings to be rendered; raises TrackError where the file is about another session, or says what cannot be.

    `decided` completes what is not whole. What is whole may be told from decisions `before`, which it was edited from: they
    change no value. RoEx knows stems by their files: `file_names` has the stem_id of each.
    """
    said = with_reasons(_by_stem_id(edits, inputs, file_names or {}))
    _check_session(said, mix_id, inputs)
    if not is_whole(edits, inputs):
        if decided is None:
            raise ValueError("settings that are not whole need decisions that complete them")
        said = _completed(said, msgspec.json.decode(msgspec.json.encode(decided)))
    elif before is not None:
        said = retold(said, before)
    try:
        settings = msgspec.convert({**said, "inputs": msgspec.to_builtins(tuple(inputs))}, MixSettings)
    except msgspec.ValidationError as error:
        raise refused(_placed(str(error), said)) from None
    check_settings(settings)
    return settings


def _check_names(said: Mapping[str, Any]) -> None:
    """Every field at the top and of everything that has a name is known, and nothing is said of one thing twice."""
    _check_fields(said, MixSettings, "")
    for key, (name, record) in _LISTS.items():
        seen: set[str] = set()
        members = said.get(key, [])
        if not isinstance(members, list):
            raise refused(f"{key} must be a list, got {type(members).__name__}")
        for at, one in enumerate(members):
            if not isinstance(one, dict) or not isinstance(one.get(name), str):
                raise refused(f"{key}[{at}] must be an object with a {name}, got {quoted(str(one))}")
            _check_fields(one, record, f" of {key} {quoted(one[name])}")
            if one[name] in seen:
                raise refused(f"{key} names {quoted(one[name])} twice")
            seen.add(one[name])


def _check_fields(said: Mapping[str, Any], record: type[Struct], place: str) -> None:
    known = record.__struct_fields__
    for field in said:
        if field not in known:
            raise refused(f"there is no field {quoted(field)}{place}; there are {', '.join(known)}")


def _by_stem_id(edits: Edits, inputs: Sequence[Input], file_names: Mapping[str, str]) -> dict[str, Any]:
    """RoEx's strips under the names of the stems; those that already are keep theirs."""
    if edits.by == "lathe":
        return edits.said
    known = {one.stem_id for one in inputs}
    strips = [strip | {"stem_id": _stem_id(strip["stem_id"], known, file_names)} for strip in edits.said["stems"]]
    _check_names({"stems": strips})
    return {"stems": strips}


def _stem_id(name: str, known: set[str], file_names: Mapping[str, str]) -> str:
    stem_id = file_names.get(name) or (name if name in known else name.rpartition(".")[0])
    if stem_id not in known:
        among = ", ".join(sorted(file_names) or sorted(known))
        raise _other(f"the settings name the track {quoted(name)}, the session has {among}")
    return stem_id


def _check_session(said: Mapping[str, Any], mix_id: str, inputs: Sequence[Input]) -> None:
    if said.get("mix_id", mix_id) != mix_id:
        raise _other(f"the settings are those of {quoted(str(said['mix_id']))}, this is {quoted(mix_id)}")
    heard = {one.stem_id: one.sha256 for one in inputs}
    told = said.get("inputs", [])
    for one in [*told, *said.get("stems", [])]:
        if one["stem_id"] not in heard:
            known = ", ".join(sorted(heard))
            raise _other(f"the settings name the stem {quoted(one['stem_id'])}, the session has {known}")
    for one in told:
        digest, own = str(one.get("sha256") or ""), heard[one["stem_id"]]
        if digest and digest != own:
            text = (
                f"stem {one['stem_id']}: the settings were made for SHA-256 {digest[:12]}..., it is {own[:12]}... now"
            )
            raise _other(text)


def _completed(said: Mapping[str, Any], decided: dict[str, Any]) -> dict[str, Any]:
    """What was decided, with everything in it that the file says otherwise."""
    named = {key: _joined(said[key], decided[key], NAMED[key][0]) for key in NAMED if key in said}
    return {**_member({key: value for key, value in said.items() if key not in NAMED}, decided), **named}


def _joined(said: Sequence[dict[str, Any]], decided: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    edited = {one[name]: one for one in said}
    kept = [_member(edited.pop(one[name], {}), one) for one in decided]
    return [*kept, *edited.values()]


def _member(said: Mapping[str, Any], decided: dict[str, Any]) -> dict[str, Any]:
    fields = {field: _merged(value, decided.get(field)) for field, value in said.items() if field != "why"}
    changed = [field for field, value in fields.items() if value != decided.get(field)]
    return {**decided, **fields, "why": _reasons(said.get("why", {}), decided.get("why", {}), changed)}


def _reasons(said: Any, decided: dict[str, Any], changed: Sequence[str]) -> Any:
    """Those of the file, then those of the decisions; what was changed under its old reason was changed by hand."""
    if not isinstance(said, dict) or "text" in decided:  # one reason for all, or none that can be
        return said or decided
    same = [field for field in changed if said.get(field, decided.get(field)) == decided.get(field)]
    stale = [field for field in same if field not in REASONED]  # these lists hold reasons of their own
    return {**decided, **said, **dict.fromkeys(stale, TOLD)}


def _merged(said: Any, decided: Any) -> Any:
    """Objects field by field; all else as it is said."""
    if not (isinstance(said, dict) and isinstance(decided, dict)):
        return said
    return {**decided, **{key: _merged(value, decided.get(key)) for key, value in said.items()}}


def _placed(message: str, said: Mapping[str, Any]) -> str:
    """What msgspec says, with the name of the stem or bus in place of its number.

    >>> _placed("Expected `float`, got `str` - at `$.stems[0].gain_db`", {"stems": [{"stem_id": "kick"}]})
    'Expected `float`, got `str` - at `stems "kick".gain_db`'
    """

    def name(found: re.Match[str]) -> str:
        key, at = found[1], int(found[2])
        return f"{key} {quoted(str(said[key][at].get(NAMED[key][0])))}"

    return re.sub(rf"({'|'.join(NAMED)})\[(\d+)\]", name, message.replace("$.", "", 1))


def _other(text: str) -> TrackError:
    return TrackError(
        "MIX_SETTINGS_OTHER_SESSION", text, "Give the settings of this session, or take out what names another."
    )
