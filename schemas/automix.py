"""`lathe automix`: the microphones that are mixed by gain sharing, what is wished for, and what is told of the result."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from dsp.settings import GainSharingSettings

AUTOMIX_VERSION = 1
GainsFormat: TypeAlias = Literal["parquet", "csv"]
CEILING_DBTP = -1.0
"""EBU R 128, and what podcast and streaming services ask for."""


class Microphone(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One microphone of an event: a file of one or two channels, or one channel of a file of many."""

    name: str
    """Unique, and safe as the name of a file."""
    uri: str
    columns: tuple[int, ...]
    """Its channels in the file, the first is 0."""
    group: str
    weight_db: float = 0.0
    """In the control path alone."""
    gain_db: float = 0.0
    """Of its fader, ahead of gain sharing."""
    mute: bool = False


class AutomixWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wished for beyond the microphones."""

    groups: dict[str, GainSharingSettings]
    """By name; the channels of each are its microphones."""
    stems: bool = False
    """Also each microphone as it stands in the mix."""
    floating: bool = False
    """The mix in floats of 32 bits; else in 24 bits with dither."""
    gains: GainsFormat = "parquet"


class SharedMicrophone(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of one microphone."""

    name: str
    uri: str
    group: str
    channels: int
    rate_hz: int
    duration_s: float
    weight_db: float
    gain_db: float
    floor_dbfs: float | None
    """Of its ambience in the control path; null: it has no pause, or is silent."""
    open_ratio: float
    """Share of the time in which it is open: half of its group's gain, in power, or more is its own; for music, above -3 dB."""
    mean_gain_db: float
    """Of the power that passes: 10 log10 of the mean square of its gain; -120 where it is mute."""
    stem: str | None
    """Its file, where that was asked for."""


class AutomixGroup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings that a group was mixed with, ambience and bleed as measured; channels in the order of `microphones`."""

    name: str
    microphones: tuple[str, ...]
    sharing: GainSharingSettings


class AutomixRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`automix.json`: all that was done."""

    schema_version: int = AUTOMIX_VERSION
    mix: str
    sha256: str
    rate_hz: int
    channels: int
    bits: int
    duration_s: float
    integrated_lufs: float | None
    true_peak_dbtp: float | None
    gain_db: float
    """What the whole mix was turned down by, so that its true peak keeps to -1 dBTP; 0: nothing."""
    gains: str
    """The table of gains, a row each tenth of a second, a column each microphone."""
    groups: tuple[AutomixGroup, ...]
    microphones: tuple[SharedMicrophone, ...]
    notes: tuple[str, ...]
    """What should be known of the recordings: rates, lengths, silence."""
