"""What settings of a mix must be to be rendered: values in their ranges, names that lead somewhere. Told with stem and field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dsp.settings import AutomationSettings, DelaySettings, DuckerSettings, PannerSettings
from dsp.settings.ranges import check_range
from schemas.errors import TrackError
from schemas.mix import Duck, MixSettings, Strip, kind_of
from schemas.safe_names import quoted, safe_name

FADER_DB = (-80.0, 60.0)
"""Of strips, sends, buses, returns and the mix: as low as is silent beside music, as high as the softest mix is raised
(`headroom.RANGE_DB`), which is more than a manifest may ask of a fader: what was rendered once is never refused."""
RATE_HZ = (8_000, 384_000)


def refused(text: str) -> TrackError:
    """Settings that cannot be rendered."""
    return TrackError("MIX_SETTINGS_INVALID", text, "Correct it, or take the field out: it is decided anew then.")


def check_settings(settings: MixSettings) -> None:
    """Raises TrackError, with stem and field, for what no console can play."""
    _try("rate_hz", check_range, "rate_hz", settings.rate_hz, *RATE_HZ)
    _try("the mix", check_range, "gain_db", settings.gain_db, *FADER_DB)
    for bus in settings.buses:
        _try(f"bus {bus.name}", check_range, "gain_db", bus.gain_db, *FADER_DB)
    for one in settings.returns:
        _try(f"return {quoted(one.name)}", check_range, "gain_db", one.gain_db, *FADER_DB)
        if safe_name(one.name) != one.name:
            raise refused(
                f"return {quoted(one.name)}: its name becomes that of a file, it may be {quoted(safe_name(one.name))}"
            )
    for strip in settings.stems:
        _check_strip(strip, settings)
    if not any(strip.use for strip in settings.stems):
        raise refused("use is false of every stem: nothing is left to be mixed")


def _check_strip(strip: Strip, settings: MixSettings) -> None:
    place = f"stem {strip.stem_id}"
    _try(place, check_range, "gain_db", strip.gain_db, *FADER_DB)
    _try(place, DelaySettings, delay_frames=strip.delay_frames)
    _try(f"{place}, automation_db", AutomationSettings, gains_db=strip.automation_db)
    _try(place, PannerSettings, pan_ratio=strip.pan_ratio, width_ratio=strip.width_ratio)
    for at, insert in enumerate(strip.inserts):
        _try(f"{place}, inserts[{at}]", insert.settings)
    for at, duck in enumerate(strip.ducks):
        _check_duck(f"{place}, ducks[{at}]", duck, strip, settings)
    if strip.sharing and strip.sharing.group not in {group.name for group in settings.groups}:
        raise refused(f"{place}, sharing: there is no group {quoted(strip.sharing.group)} among groups")
    _check_sends(place, strip, settings)


def _check_duck(place: str, duck: Duck, strip: Strip, settings: MixSettings) -> None:
    if duck.key == strip.stem_id or duck.key not in {one.stem_id for one in settings.stems}:
        raise refused(f"{place}: key must be the stem_id of another stem, got {quoted(duck.key)}")
    values = {name: getattr(duck, name) for name in ("threshold_dbfs", "depth_db", "low_hz", "high_hz")}
    _try(place, DuckerSettings, **values)


def _check_sends(place: str, strip: Strip, settings: MixSettings) -> None:
    kinds = {one.name: one.of for one in settings.returns}
    own = kind_of(strip.bus)
    for at, send in enumerate(strip.sends):
        where = f"{place}, sends[{at}]"
        _try(where, check_range, "level_db", send.level_db, *FADER_DB)
        if send.to not in kinds:
            raise refused(f"{where}: there is no return {quoted(send.to)} among returns")
        if kinds[send.to] != own:
            text = f"return {quoted(send.to)} is of {kinds[send.to]}, a stem of bus {strip.bus} needs one of {own}"
            raise refused(f"{where}: {text}, so that versions can do without it")


def _try(place: str, check: Callable[..., Any], *values: Any, **named: Any) -> None:
    try:
        check(*values, **named)
    except ValueError as error:
        raise refused(f"{place}: {error}") from None
