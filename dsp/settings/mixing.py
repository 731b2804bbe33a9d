"""Settings of what only a mix needs: delay, automation, gate, ducker, panner, reverb."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from dsp.settings.ranges import check_range, check_ranges

PanLaw: TypeAlias = Literal["-3 dB", "-4.5 dB", "-6 dB"]
"""Gain of the centre against a side."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DelaySettings:
    """Later by so many frames, also by parts of one; negative: earlier. As many frames come out as went in."""

    delay_frames: float

    def __post_init__(self) -> None:
        check_range("delay_frames", self.delay_frames, -384_000.0, 384_000.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class AutomationSettings:
    """A gain that follows points 0.1 s apart from the start on, in straight lines of decibels; the last one holds."""

    gains_db: tuple[float, ...]

    def __post_init__(self) -> None:
        check_ranges("gains_db", self.gains_db, -80.0, 24.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class GateSettings:
    """What is soft is turned down by `range_db`: opens above the threshold, closes `hysteresis_db` below it."""

    threshold_dbfs: float
    hysteresis_db: float = 4.0
    range_db: float = 20.0
    lookahead_s: float = 0.005
    attack_s: float = 0.001
    hold_s: float = 0.05
    release_s: float = 0.1
    low_hz: float = 20.0
    high_hz: float = 20_000.0
    """Band that the detector listens to."""

    def __post_init__(self) -> None:
        check_range("threshold_dbfs", self.threshold_dbfs, -100.0, 0.0)
        check_range("hysteresis_db", self.hysteresis_db, 0.0, 24.0)
        check_range("range_db", self.range_db, 0.0, 80.0)
        check_range("lookahead_s", self.lookahead_s, 0.0, 0.02)
        check_range("attack_s", self.attack_s, 0.0001, 0.5)
        check_range("hold_s", self.hold_s, 0.0, 2.0)
        check_range("release_s", self.release_s, 0.005, 2.0)
        check_range("low_hz", self.low_hz, 10.0, 20_000.0)
        check_range("high_hz", self.high_hz, self.low_hz, 20_000.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class DuckerSettings:
    """A band of one stem gives way, by `depth_db` at most, while another is above the threshold."""

    threshold_dbfs: float
    depth_db: float
    low_hz: float
    high_hz: float
    attack_s: float = 0.005
    hold_s: float = 0.02
    release_s: float = 0.15

    def __post_init__(self) -> None:
        check_range("threshold_dbfs", self.threshold_dbfs, -80.0, 0.0)
        check_range("depth_db", self.depth_db, 0.0, 24.0)
        check_range("low_hz", self.low_hz, 20.0, 20_000.0)
        check_range("high_hz", self.high_hz, self.low_hz, 20_000.0)
        check_range("attack_s", self.attack_s, 0.0001, 0.5)
        check_range("hold_s", self.hold_s, 0.0, 2.0)
        check_range("release_s", self.release_s, 0.005, 2.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class PannerSettings:
    """Where a stem stands between left (-1) and right (1); a stereo stem is balanced, and its side made wider or narrower."""

    pan_ratio: float = 0.0
    width_ratio: float = 1.0
    law: PanLaw = "-3 dB"

    def __post_init__(self) -> None:
        check_range("pan_ratio", self.pan_ratio, -1.0, 1.0)
        check_range("width_ratio", self.width_ratio, 0.0, 2.0)
        if self.law not in get_args(PanLaw):
            raise ValueError(f"law must be one of {', '.join(get_args(PanLaw))}, got {self.law!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReverbSettings:
    """A room of 16 delay lines that feed each other, linear and unchanging; only what the room adds comes out."""

    decay_s: float = 1.4
    """Time in which mid frequencies fall by 60 dB."""
    high_decay_ratio: float = 0.5
    """Of that time, at 8 kHz."""
    predelay_s: float = 0.02
    low_cut_hz: float = 250.0
    high_cut_hz: float = 9_000.0
    """What is sent into it lies between these."""

    def __post_init__(self) -> None:
        check_range("decay_s", self.decay_s, 0.1, 10.0)
        check_range("high_decay_ratio", self.high_decay_ratio, 0.1, 1.0)
        check_range("predelay_s", self.predelay_s, 0.0, 0.25)
        check_range("low_cut_hz", self.low_cut_hz, 20.0, 1_000.0)
        check_range("high_cut_hz", self.high_cut_hz, 1_000.0, 20_000.0)
