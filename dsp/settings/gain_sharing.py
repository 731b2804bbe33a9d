"""Settings of gain sharing: what an automatic mixer of microphones can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from dsp.settings.ranges import check_range, check_ranges

SharingKind: TypeAlias = Literal["speech", "music"]
ControlFilter: TypeAlias = Literal["speech", "K", "none"]
"""What the control path hears through: the band of speech, the K-weighting of BS.1770, or nothing."""
ChannelMode: TypeAlias = Literal["auto", "manual", "mute"]
MAX_TRIM_DB = 6.0


@dataclass(frozen=True, kw_only=True, slots=True)
class SharingChannel:
    """One microphone of gain sharing."""

    mode: ChannelMode = "auto"
    weight_db: float = 0.0
    """In the control path alone."""
    override: bool = False
    """Where any channel of a group has this, those that have it are as in manual, and the others mute."""
    counts: bool = True
    """Whether the limit of open microphones sees it, and acts on it."""
    floor_dbfs: float | None = None
    """Mean square of its ambience, as the control path hears it before the weight; None: not known, so nothing is trimmed
    for it."""

    def __post_init__(self) -> None:
        _check_choice("mode", self.mode, get_args(ChannelMode))
        check_range("weight_db", self.weight_db, -60.0, 60.0)
        check_range("floor_dbfs", self.floor_dbfs or 0.0, -300.0, 24.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class GainSharingSettings:
    """Gain sharing after Dugan, among the microphones of one group."""

    kind: SharingKind = "speech"
    channels: tuple[SharingChannel, ...] = ()
    control: ControlFilter | None = None
    """None: the band of speech for speech, K for music."""
    rise_s: float = 0.008
    """Of the levels, which look 2.5 times as far ahead, so that no onset is clipped."""
    fall_s: float = 0.1
    depth_db: float | None = None
    """The deepest that a microphone is turned down; None: without end for speech, 15 dB for music."""
    floor: bool = True
    """The powers of the microphones bound that of their sum from below: two in opposite phase do not both rise to full.
    False: the original of Dugan."""
    open_limit: int | None = None
    """Number of open microphones above which all are turned down; None: no limit."""
    last_hold: bool = False
    """The last that spoke stays open."""
    ambience_trim_db: float = MAX_TRIM_DB
    """Speech: how far the group may be turned down, so that its ambience stays the same whoever speaks; 0: not at all."""
    threshold_offset_db: float | None = None
    """Music: what the floating threshold lies above the side-chain; None: 0 dB above a side-chain that is given, else as far
    above the bleed as leaves two singers open (see `dsp.mixing.gain_sharing`)."""
    expansion_ratio: float = 2.0
    """Music: below the threshold, each dB less comes out as so many."""
    bleed_db: tuple[tuple[float, ...], ...] = ()
    """Music without a side-chain: row i, column j is the level of source j in microphone i against its own microphone's;
    empty: -20 dB throughout."""

    def __post_init__(self) -> None:
        _check_choice("kind", self.kind, get_args(SharingKind))
        _check_choice("control", self.control, (None, *get_args(ControlFilter)))
        check_range("rise_s", self.rise_s, 0.0001, 1.0)
        check_range("fall_s", self.fall_s, 0.001, 10.0)
        check_range("depth_db", self.depth_db or 0.0, 0.0, 80.0)
        check_range("open_limit", 1 if self.open_limit is None else self.open_limit, 1, 64)
        check_range("ambience_trim_db", self.ambience_trim_db, 0.0, MAX_TRIM_DB)
        check_range("threshold_offset_db", self.threshold_offset_db or 0.0, -40.0, 40.0)
        check_range("expansion_ratio", self.expansion_ratio, 1.0, 10.0)
        for row in self.bleed_db:
            check_ranges("bleed_db", row, -120.0, 0.0)
        if self.bleed_db and {len(self.bleed_db), *map(len, self.bleed_db)} != {len(self.channels)}:
            raise ValueError(f"bleed_db must have a row and a column for each of {len(self.channels)} channels")


def _check_choice(name: str, value: str | None, allowed: tuple[str | None, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}, got {value!r}")
