"""What is chosen for one run beyond its profile: style, intensity, references, loudness. Everything else is left as it is."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, structs

from decisions.taste_files import load_style
from schemas.errors import CatalogueError
from schemas.profile import Profile
from schemas.style import Intensity


class Choices(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each is None or empty where the profile's own value holds."""

    style: str | None = None
    intensity: Intensity | None = None
    references: tuple[str, ...] = ()
    reference_amount_ratio: Annotated[float, Meta(ge=0.0, le=1.0)] | None = None
    target_lufs: Annotated[float, Meta(ge=-40.0, le=-4.0)] | None = None


def chosen(profile: Profile, choices: Choices) -> Profile:
    """A profile with these choices; raises CatalogueError for a value out of range or a style that is none.

    >>> from decisions.profile_files import load_profile
    >>> warm = chosen(load_profile("streaming"), Choices(style="warm", target_lufs=-16.0))
    >>> warm.taste.name, warm.loudness.target_lufs
    ('warm', -16.0)
    """
    try:
        msgspec.convert(msgspec.to_builtins(choices), Choices)
    except msgspec.ValidationError as error:
        raise CatalogueError("CHOICE_INVALID", str(error)) from error
    changes: dict[str, Any] = {
        name: value
        for name in ("style", "intensity", "references", "reference_amount_ratio")
        if (value := getattr(choices, name)) not in (None, ())
    }
    if choices.style is not None:
        changes["taste"] = load_style(choices.style)
    if choices.target_lufs is not None:
        changes["loudness"] = structs.replace(profile.loudness, target_lufs=choices.target_lufs)
    return structs.replace(profile, **changes)
