"""Gain sharing among the stems of a song: only where the manifest asks for it, for it rewrites a balance.

Ambience and bleed are not measured here (`lathe automix` does that): nothing is trimmed for the one, the other is taken to be as
usual.
"""

from __future__ import annotations

import msgspec

from decisions.mixing.session import HeardStem, Session
from decisions.mixing.strips import open_strips, replaced, with_why
from dsp.settings import GainSharingSettings
from schemas.mix import MixSettings, Sharing, SharingGroup, Strip, Why

FEWEST_STEMS = 2
"""One alone has nothing to share: it stays as it is."""


def decide_sharing(session: Session, settings: MixSettings) -> MixSettings:
    """The groups of gain sharing that the manifest names, with those of their stems that are used and not locked."""
    members: dict[str, list[tuple[HeardStem, Strip]]] = {}
    for one, strip in open_strips(session, settings):
        if one.stem.automix_group is not None and strip.sharing is None:
            members.setdefault(one.stem.automix_group, []).append((one, strip))
    shared = {name: found for name, found in sorted(members.items()) if len(found) >= FEWEST_STEMS}
    if not shared:
        return settings
    strips = {strip.stem_id: _sharing(name, one, strip) for name, found in shared.items() for one, strip in found}
    groups = tuple(_group(name, found) for name, found in shared.items())
    return replaced(msgspec.structs.replace(settings, groups=(*settings.groups, *groups)), strips)


def _sharing(name: str, one: HeardStem, strip: Strip) -> Strip:
    why = Why(text=f"the manifest puts it into the group {name} of gain sharing")
    sharing = Sharing(group=name, weight_db=one.stem.weight_db)
    return msgspec.structs.replace(strip, sharing=sharing, why=with_why(strip, {"sharing": why}))


def _group(name: str, found: list[tuple[HeardStem, Strip]]) -> SharingGroup:
    mode = found[0][0].stem.automix_mode
    text = f"the manifest asks for gain sharing of {mode} among {len(found)} stems"
    return SharingGroup(name=name, sharing=GainSharingSettings(kind=mode), why=Why(text=text))
