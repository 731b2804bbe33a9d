"""What the sound of a mix depends on, and nothing else: no reasons, no names of files. `dsp.mixing.console` plays it."""

from __future__ import annotations

from dataclasses import dataclass, field

from dsp.settings import (
    CompressorSettings,
    DuckerSettings,
    GainSharingSettings,
    PannerSettings,
    ReverbSettings,
    Settings,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DuckSound:
    """A strip gives way to another, by its place among the strips."""

    key: int
    ducker: DuckerSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class SendSound:
    """A part of a strip goes to a return, by its place among the returns."""

    to: int
    level_db: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StripSound:
    """One stem, in the order of the signal."""

    channels: int
    invert: bool = False
    delay_frames: float = 0.0
    inserts: tuple[Settings, ...] = ()
    automation_db: tuple[float, ...] = ()
    gain_db: float = 0.0
    ducks: tuple[DuckSound, ...] = ()
    panner: PannerSettings = field(default_factory=PannerSettings)
    bus: int | None = None
    """Its place among the buses; None: straight to the mix."""
    sends: tuple[SendSound, ...] = ()

    def __post_init__(self) -> None:
        if self.channels not in (1, 2):
            raise ValueError(f"a strip takes 1 or 2 channels, got {self.channels}")


@dataclass(frozen=True, kw_only=True, slots=True)
class SharingSound:
    """Gain sharing among some strips, by their places; its channels are theirs, in this order."""

    strips: tuple[int, ...]
    sharing: GainSharingSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class BusSound:
    """One gain for all strips of a bus."""

    gain_db: float = 0.0
    compressor: CompressorSettings | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnSound:
    """A room that strips are sent to."""

    reverb: ReverbSettings
    gain_db: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsoleSettings:
    """All strips that are heard, in the order in which they are added up."""

    strips: tuple[StripSound, ...]
    buses: tuple[BusSound, ...] = ()
    returns: tuple[ReturnSound, ...] = ()
    groups: tuple[SharingSound, ...] = ()
    gain_db: float = 0.0

    def __post_init__(self) -> None:
        if not self.strips:
            raise ValueError("a console needs at least one strip")
        for place, strip in enumerate(self.strips):
            self._check(place, "bus", [] if strip.bus is None else [strip.bus], len(self.buses))
            self._check(place, "send", [send.to for send in strip.sends], len(self.returns))
            self._check(place, "duck", [duck.key for duck in strip.ducks], len(self.strips))
            if any(duck.key == place for duck in strip.ducks):
                raise ValueError(f"strip {place} cannot give way to itself")
        members = [place for group in self.groups for place in group.strips]
        if len(set(members)) < len(members) or not set(members) <= set(range(len(self.strips))):
            raise ValueError(f"each strip is in one group of gain sharing at most, got {members}")

    def _check(self, place: int, what: str, places: list[int], count: int) -> None:
        for one in places:
            if not 0 <= one < count:
                raise ValueError(f"strip {place} names {what} {one}, there are {count}")
