"""What decisions share about strips: which may be touched, who leads, how they are changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from decisions.mixing.session import HeardStem, Session
from schemas.mix import MixSettings, Strip, Why
from schemas.stems import Role

SURE_ROLE = 0.5
"""Below this a role is a guess, and what goes by roles does less."""


def open_strips(session: Session, settings: MixSettings) -> Iterator[tuple[HeardStem, Strip]]:
    """Stems that are used, that sound, and of which a person left something to decide."""
    heard = session.heard()
    for strip in settings.stems:
        one = heard.get(strip.stem_id)
        if one is not None and strip.use and not strip.lock and sounds(one):
            yield one, strip


def used_strips(session: Session, settings: MixSettings) -> Iterator[tuple[HeardStem, Strip]]:
    """Stems that are heard in the mix, locked ones with them."""
    heard = session.heard()
    for strip in settings.stems:
        one = heard.get(strip.stem_id)
        if one is not None and strip.use and sounds(one):
            yield one, strip


def sounds(one: HeardStem) -> bool:
    """Whether there is anything in a stem."""
    return one.figures.integrated_lufs is not None and bool(one.trace.active.any())


def leads(session: Session, settings: MixSettings) -> list[str]:
    """The stem_ids that everything else makes room for: leads by the manifest, else lead vocals; never background."""
    used = [(one, strip) for one, strip in used_strips(session, settings) if one.stem.presence != "background"]
    named = [strip.stem_id for one, strip in used if one.stem.presence == "lead"]
    return named or [strip.stem_id for _, strip in used if strip.role == "vocal"]


def of_role(session: Session, settings: MixSettings, *roles: Role) -> list[str]:
    """The stem_ids of some roles that are heard."""
    return [strip.stem_id for _, strip in used_strips(session, settings) if strip.role in roles]


def changed(settings: MixSettings, change: Callable[[Strip], Strip]) -> MixSettings:
    """The settings with each strip changed."""
    return msgspec.structs.replace(settings, stems=tuple(change(strip) for strip in settings.stems))


def replaced(settings: MixSettings, strips: dict[str, Strip]) -> MixSettings:
    """The settings with some strips in the place of those of the same stem_id."""
    return changed(settings, lambda strip: strips.get(strip.stem_id, strip)) if strips else settings


def with_why(strip: Strip, why: dict[str, Why]) -> dict[str, Why]:
    """The reasons of a strip with some added."""
    return {**strip.why, **why}
