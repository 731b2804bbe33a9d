"""Reasons that stay true: what a person changed is told as set by hand, and no reason outlives the value that it was for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from schemas.mix import MixSettings, Why

BY_HAND = Why(text="set by hand in the settings of the mix")
TOLD: dict[str, Any] = msgspec.to_builtins(BY_HAND)
MEMBERS = {"stems": "stem_id", "buses": "name", "returns": "name", "groups": "name"}
"""Lists of the file whose members have a name."""
REASONED = ("inserts", "ducks", "sends")
"""Lists of a stem whose members have a reason of their own."""
_NO_SETTINGS = ("why", "schema_version", "mix_id", "inputs", *MEMBERS)


def with_reasons(said: Mapping[str, Any]) -> dict[str, Any]:
    """A file in which everything that needs a reason of its own has one: a person need not write any."""
    stems = [_reasoned(one) for one in said.get("stems", [])]
    groups = [{"why": TOLD, **one} for one in said.get("groups", [])]
    return {**said, **({"stems": stems} if stems else {}), **({"groups": groups} if groups else {})}


def retold(said: Mapping[str, Any], before: MixSettings) -> dict[str, Any]:
    """Whole settings, in which what differs from `before` under the same reason was set by hand; values stay as they are."""
    former = msgspec.json.decode(msgspec.json.encode(before))
    found = _retold_member(said, former)
    for key, name in MEMBERS.items():
        known = {one[name]: one for one in former[key]}
        found[key] = [_retold_member(one, known[one[name]]) if one[name] in known else one for one in said[key]]
    return found


def _retold_member(said: Mapping[str, Any], former: dict[str, Any]) -> dict[str, Any]:
    why, known = said.get("why"), former.get("why", {})
    changed = [field for field in said if field not in _NO_SETTINGS and said[field] != former.get(field)]
    if not changed or not isinstance(why, dict):
        return dict(said)
    if "text" in known:  # one reason for all of it
        return {**said, "why": TOLD if why == known else why}
    lists = {field: _retold_list(said[field], former[field]) for field in changed if field in REASONED}
    stale = [field for field in changed if field not in lists and why.get(field) == known.get(field)]
    return {**said, **lists, "why": {**why, **dict.fromkeys(stale, TOLD)}}


def _retold_list(said: Any, former: Sequence[dict[str, Any]]) -> Any:
    """Members that are new under the reason of another one were set by hand."""
    if not isinstance(said, list):
        return said
    reasons = [one["why"] for one in former]
    return [
        {**one, "why": TOLD} if isinstance(one, dict) and one not in former and one.get("why") in reasons else one
        for one in said
    ]


def _reasoned(strip: Mapping[str, Any]) -> dict[str, Any]:
    lists = {
        field: [_with_why(one) for one in strip[field]] for field in REASONED if isinstance(strip.get(field), list)
    }
    return {**strip, **lists}


def _with_why(one: Any) -> Any:
    return {**one, "why": one.get("why", TOLD)} if isinstance(one, dict) else one
