"""Decisions as a file and as words: what a browser exported is read in, all is written out, and what is open is told.

A file is taken whole or not at all. The same decision twice counts once, so a file may be read in again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, structs

from review.desk import Desk, checked_name, written
from review.masters import Standing
from review.state import STATES, may_undo, undone
from schemas.decoding import json_decoder
from schemas.errors import CatalogueError
from schemas.safe_names import quoted
from schemas.signoff import SignOff

MAX_BYTES = 64 << 20
AHEAD = timedelta(minutes=5)
"""How far a browser's clock may run before ours: a decision of tomorrow would outrank all of today."""


class SignOffFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a browser exports, and `lathe signoff export` writes; decisions are read one by one, to tell which is wrong."""

    lathe_signoff: Literal[1]
    output_run: str = ""
    """The newest run that the decisions know of."""
    reviewer: str = ""
    """Of the decisions that name none."""
    decisions: tuple[msgspec.Raw, ...]


class TakenIn(Struct, frozen=True, kw_only=True):
    """What came of reading a file in."""

    added: int
    known: int
    """Decisions that were there already."""
    notes: tuple[str, ...]
    """About decisions that are kept, but count for nothing."""


def take_in(desk: Desk, path: Path, reviewer: str | None = None) -> TakenIn:
    """Reads a file of decisions in; raises CatalogueError with everything that is wrong with it."""
    found = _decisions(_file(path), reviewer)
    standing = desk.catalogue.standing()
    signed, notes = _matched(found, standing)
    told: list[SignOff] = []

    def new(known: Sequence[SignOff]) -> list[SignOff]:
        there = {_identity(one) for one in known}
        fresh = {_identity(one): one for one in signed if _identity(one) not in there}
        told.extend(fresh.values())
        _check_undos(told, known)
        return told

    added = desk.add(new)
    return TakenIn(added=len(added), known=len(signed) - len(added), notes=tuple(notes))


def exported(desk: Desk) -> bytes:
    """All decisions as a file."""
    decisions = [structs.asdict(one) for one in desk.decisions.all()]
    kept = [{name: value for name, value in one.items() if value not in (None, {}, "")} for one in decisions]
    whole = {"lathe_signoff": 1, "output_run": desk.catalogue.run_id or "", "decisions": kept}
    return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"


def listed(desk: Desk) -> dict[str, Any]:
    """How all tracks stand: counted, and one by one."""
    standing, found = desk.catalogue.standing(), desk.states()
    counts = Counter(one.state for one in found.values())
    tracks = [
        {
            "track_id": track_id,
            "album_id": standing[track_id].album_id,
            "title": standing[track_id].title,
            "state": one.state,
            "masters_key": standing[track_id].key,
            "verdict": standing[track_id].verdict,
            "decided_by": one.last.reviewer if one.last else None,
            "decided_at": one.last.at if one.last else None,
            "reason": one.last.reason if one.last else None,
        }
        for track_id, one in sorted(found.items())
    ]
    return {
        "run_id": desk.catalogue.run_id,
        "two_person": desk.two_person,
        "counts": {state: counts[state] for state in STATES},
        "tracks": tracks,
    }


def listed_text(found: dict[str, Any]) -> str:
    """The same in words: states counted, then what waits for somebody."""
    lines = [f"{found['counts'][state]:>7}  {state.replace('_', ' ')}" for state in STATES if found["counts"][state]]
    waiting = [one for one in found["tracks"] if one["state"] != "approved"]
    if waiting:
        lines.append("")
    for one in waiting:
        why = f": {quoted(one['reason'])} ({quoted(one['decided_by'])})" if one["reason"] else ""
        title = f" {quoted(one['title'])}" if one["title"] else ""
        lines.append(f"{one['state'].replace('_', ' '):<13} {quoted(one['track_id'])}{title}, {one['verdict']}{why}")
    return "\n".join(lines)


def _file(path: Path) -> SignOffFile:
    try:
        with path.open("rb") as handle:
            content = handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise _invalid([f"{path} cannot be read: {error.strerror}"]) from error
    if len(content) > MAX_BYTES:
        raise _invalid([f"{path} has more than {MAX_BYTES >> 20} MB: split its decisions"])
    try:
        return json_decoder(SignOffFile).decode(content)  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        text = f'{path} is no file of decisions: {error}; it begins with {{"lathe_signoff": 1, "decisions": [...]}}'
        raise _invalid([text]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid([f"{path}{_line(content, str(error))} is no JSON: {error}"]) from error


def _line(content: bytes, told: str) -> str:
    place = told.rpartition("(byte ")[2].rstrip(")")
    return f", line {content.count(10, 0, int(place)) + 1}," if place.isdigit() else ""


def _decisions(file: SignOffFile, reviewer: str | None) -> list[SignOff]:
    """The decisions of a file, in one form; raises CatalogueError with all that are wrong."""
    found, problems = [], []
    for index, raw in enumerate(file.decisions):
        try:
            found.append(_decision(raw, reviewer, file.reviewer))
        except (ValueError, OverflowError, msgspec.MsgspecError, RecursionError) as error:
            problems.append(f"decision {index + 1}: {error}")
    if problems:
        raise _invalid(problems)
    return found


def _decision(raw: msgspec.Raw, reviewer: str | None, usual: str) -> SignOff:
    told = msgspec.json.decode(raw)
    if not isinstance(told, dict):
        raise ValueError(f"must be an object, got {quoted(bytes(raw).decode(errors='replace'))}")
    # What the server alone may say of a decision is not believed of a file.
    kept = {name: value for name, value in told.items() if name not in ("number", "masters")}
    kept["reviewer"] = reviewer or kept.get("reviewer") or usual
    one: SignOff = msgspec.convert({"number": 0, "album_id": "", **kept}, SignOff)
    if (one.word == "undo") != (one.undoes is not None):
        raise ValueError("an undo, and nothing else, names the decision that it undoes")
    return structs.replace(one, reviewer=checked_name(one.reviewer), at=_moment(one.at))


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))  # Python 3.10 knows no Z
    except ValueError:
        raise ValueError(f"at must be a time such as 2026-11-27T08:00:00Z, got {quoted(text)}") from None
    if moment.tzinfo is None:
        raise ValueError(f"at must say its zone, such as Z for UTC, got {quoted(text)}")
    if moment > datetime.now(timezone.utc) + AHEAD:
        raise ValueError(f"at lies in the future, {quoted(text)}: set the clock of the machine that it was decided on")
    return written(moment)


def _matched(found: Sequence[SignOff], standing: dict[str, Standing]) -> tuple[list[SignOff], list[str]]:
    """The decisions with the masters that they are about, and what is to be said of those about none that stand."""
    signed, notes, problems = [], [], []
    for index, one in enumerate(found):
        track = standing.get(one.track_id)
        if track is None:
            problems.append(f"decision {index + 1}: track {quoted(one.track_id)} has no masters in this output")
        elif one.word == "undo":
            signed.append(structs.replace(one, album_id=track.album_id))
        elif one.masters_key == track.key:
            signed.append(structs.replace(one, album_id=track.album_id, masters=track.digests))
        else:
            signed.append(structs.replace(one, album_id=track.album_id))
            notes.append(
                f"decision {index + 1}: track {quoted(one.track_id)} has other masters by now, of run {track.run_id}: "
                f"the {one.word} of {quoted(one.reviewer)} is kept and counts for nothing"
            )
    if problems:
        raise _invalid(problems)
    return signed, notes


def _check_undos(added: Iterable[SignOff], known: Sequence[SignOff]) -> None:
    gone = undone(known)
    problems = [text for one in added if one.undoes is not None and (text := _why_not_undo(one, known, gone))]
    if problems:
        raise _invalid(problems)


def _why_not_undo(one: SignOff, known: Sequence[SignOff], gone: set[int]) -> str:
    assert one.undoes is not None
    if not 0 < one.undoes <= len(known) or one.undoes in gone:
        return f"the undo of decision {one.undoes}: there is none of that number that still counts"
    if (one.track_id, one.masters_key) != (known[one.undoes - 1].track_id, known[one.undoes - 1].masters_key):
        return (
            f"the undo of decision {one.undoes}: that is about another track, or other masters; is it of this output?"
        )
    if not may_undo(known[one.undoes - 1], one.reviewer, operator=False):
        return f"the undo of decision {one.undoes}: it is not {quoted(one.reviewer)}'s own"
    return ""


def _identity(one: SignOff) -> tuple[object, ...]:
    return one.reviewer, one.at, one.track_id, one.word, one.masters_key, one.undoes


def _invalid(problems: list[str]) -> CatalogueError:
    return CatalogueError("SIGNOFF_INVALID", [*problems, "nothing was taken in"])
