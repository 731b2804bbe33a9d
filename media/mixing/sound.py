"""The settings of a mix as sound: what its console is told, without reasons and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dsp.mixing.console_settings import (
    BusSound,
    ConsoleSettings,
    DuckSound,
    ReturnSound,
    SendSound,
    SharingSound,
    StripSound,
)
from dsp.settings import DuckerSettings, PannerSettings, SharingChannel
from schemas.mix import Duck, MixSettings, Strip


def used_strips(settings: MixSettings) -> tuple[Strip, ...]:
    """The strips that are heard, in the order in which they are added up: by stem_id, whatever the file says."""
    return tuple(sorted((strip for strip in settings.stems if strip.use), key=lambda strip: strip.stem_id))


def sound_of(settings: MixSettings, channels: Sequence[int]) -> ConsoleSettings:
    """The console of a mix; `channels` of each strip that is used, in their order."""
    strips = used_strips(settings)
    places = {strip.stem_id: place for place, strip in enumerate(strips)}
    buses: dict[str, int] = {bus.name: place for place, bus in enumerate(settings.buses)}
    returns = {one.name: place for place, one in enumerate(settings.returns)}
    return ConsoleSettings(
        strips=tuple(
            _strip(strip, count, settings, (places, buses, returns))
            for strip, count in zip(strips, channels, strict=True)
        ),
        buses=tuple(BusSound(gain_db=bus.gain_db, compressor=bus.compressor) for bus in settings.buses),
        returns=tuple(ReturnSound(reverb=one.reverb, gain_db=one.gain_db) for one in settings.returns),
        groups=_groups(settings, strips),
        gain_db=settings.gain_db,
    )


def _strip(strip: Strip, channels: int, settings: MixSettings, names: Sequence[Mapping[str, int]]) -> StripSound:
    places, buses, returns = names
    return StripSound(
        channels=channels,
        invert=strip.invert,
        delay_frames=strip.delay_frames,
        inserts=tuple(insert.settings() for insert in strip.inserts),
        automation_db=strip.automation_db,
        gain_db=strip.gain_db,
        ducks=tuple(_duck(duck, places[duck.key]) for duck in strip.ducks if duck.key in places),
        panner=PannerSettings(pan_ratio=strip.pan_ratio, width_ratio=strip.width_ratio, law=settings.pan_law),
        bus=buses.get(strip.bus),
        sends=tuple(SendSound(to=returns[send.to], level_db=send.level_db) for send in strip.sends),
    )


def _duck(duck: Duck, key: int) -> DuckSound:
    ducker = DuckerSettings(
        threshold_dbfs=duck.threshold_dbfs, depth_db=duck.depth_db, low_hz=duck.low_hz, high_hz=duck.high_hz
    )
    return DuckSound(key=key, ducker=ducker)


def _groups(settings: MixSettings, strips: Sequence[Strip]) -> tuple[SharingSound, ...]:
    groups = []
    for group in settings.groups:
        members = [(at, strip.sharing) for at, strip in enumerate(strips) if strip.sharing]
        own = [(at, sharing) for at, sharing in members if sharing.group == group.name]
        channels = tuple(SharingChannel(weight_db=sharing.weight_db) for _, sharing in own)
        if channels:
            sharing = replace(group.sharing, channels=channels)
            groups.append(SharingSound(strips=tuple(at for at, _ in own), sharing=sharing))
    return tuple(groups)
