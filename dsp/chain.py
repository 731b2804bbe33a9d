"""A stage turns blocks into blocks; a chain is stages one after the other, and a stage itself.

Over a whole track as many frames come out as went in (a resampler: as many as the new rate asks for). `push` may hold up to
`latency` frames back, `finish` returns exactly those. A new track gets new stages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

import numpy as np

from dsp.audio import Audio, joined, silence, valid_audio
from dsp.settings import (
    AutomationSettings,
    CompressorSettings,
    DeclipperSettings,
    DeEsserSettings,
    DelaySettings,
    DynamicEqualiserSettings,
    EqualiserSettings,
    ExpanderSettings,
    GainSettings,
    GateSettings,
    ImagerSettings,
    LimiterSettings,
    LowEndFocusSettings,
    MultibandSettings,
    ParametricSettings,
    ResamplerSettings,
    SaturationSettings,
    Settings,
    SubsonicSettings,
    TransientSettings,
)

GRID_FRAMES = 512
"""A multiple of every grid on which stages decide: one that starts so many frames later sounds the same, but for rounding."""


class Stage(Protocol):
    """Turns blocks (frames, channels) into blocks; a whole track comes out as long as it went in."""

    @property
    def latency(self) -> int:
        """Frames, at the output's rate, that `push` may hold back until `finish`."""

    def push(self, block: Audio) -> Audio:
        """Takes a block of any length, also an empty one; returns what is ready, also nothing."""

    def finish(self) -> Audio:
        """The rest of the track."""


class Chain:
    """Stages one after the other.

    >>> chain = start_chain([GainSettings(gain_db=6.0), GainSettings(gain_db=-6.0)], rate_hz=48_000, channels=1)
    >>> render(chain, np.full((4, 1), 0.25), block_frames=3).round(12).ravel().tolist()
    [0.25, 0.25, 0.25, 0.25]
    """

    def __init__(self, stages: Sequence[Stage], channels: int) -> None:
        self._stages = tuple(stages)
        self._channels = channels

    @property
    def latency(self) -> int:
        """Sum over the stages, at the rate of the output."""
        frames = 0
        for stage in self._stages:
            frames = math.ceil(frames * getattr(stage, "rate_ratio", 1.0)) + stage.latency
        return frames

    def push(self, block: Audio) -> Audio:
        """Sends the block through all stages."""
        for stage in self._stages:
            block = stage.push(block)
        return block

    def finish(self) -> Audio:
        """Sends the tail of each stage through those that follow."""
        tail = silence(0, self._channels)
        for stage in self._stages:
            tail = joined([stage.push(tail), stage.finish()])
        return tail


_STAGES: dict[type, tuple[str, str]] = {
    DeclipperSettings: ("dsp.declipper", "Declipper"),
    SubsonicSettings: ("dsp.subsonic", "Subsonic"),
    EqualiserSettings: ("dsp.equaliser", "Equaliser"),
    ParametricSettings: ("dsp.parametric", "Parametric"),
    DynamicEqualiserSettings: ("dsp.dynamic_equaliser", "DynamicEqualiser"),
    DeEsserSettings: ("dsp.de_esser", "DeEsser"),
    CompressorSettings: ("dsp.compressor", "Compressor"),
    MultibandSettings: ("dsp.multiband", "Multiband"),
    ExpanderSettings: ("dsp.expander", "Expander"),
    TransientSettings: ("dsp.transients", "Transients"),
    LowEndFocusSettings: ("dsp.transients", "LowEndFocus"),
    ImagerSettings: ("dsp.imager", "Imager"),
    SaturationSettings: ("dsp.saturation", "Saturation"),
    GainSettings: ("dsp.gain", "Gain"),
    ResamplerSettings: ("dsp.resampler", "Resampler"),
    LimiterSettings: ("dsp.limiter", "Limiter"),
    DelaySettings: ("dsp.mixing.delay", "Delay"),
    AutomationSettings: ("dsp.mixing.automation", "Automation"),
    GateSettings: ("dsp.mixing.gate", "Gate"),
}
"""By name, and imported when used: each processor is an optional part of a chain, and its kernels take time to load."""


def start_stage(settings: Settings, rate_hz: int, channels: int) -> Stage:
    """The running stage of some settings for one track."""
    module, name = _STAGES[type(settings)]
    stage: Stage = getattr(import_module(module), name)(settings, rate_hz, channels)
    return stage


def start_chain(settings: Sequence[Settings], rate_hz: int, channels: int) -> Chain:
    """The running chain of some settings for one track; a resampler sets the rate of what follows it."""
    if channels not in (1, 2):
        raise ValueError(f"processors take 1 or 2 channels, got {channels}")
    stages: list[Stage] = []
    for one in settings:
        stages.append(start_stage(one, rate_hz, channels))
        if isinstance(one, ResamplerSettings):
            rate_hz = one.rate_hz
    return Chain(stages, channels)


def render(stage: Stage, audio: Audio, block_frames: int = 1 << 16) -> Audio:
    """A whole track through a stage, block by block."""
    starts = range(0, len(audio), block_frames)
    return np.concatenate([*(stage.push(audio[at : at + block_frames]) for at in starts), stage.finish()])


def process(audio: Audio, rate_hz: int, *settings: Settings) -> Audio:
    """A whole array (frames, channels) through a chain of processors.

    >>> process(np.full((3, 2), 0.5), 44_100, GainSettings(gain_db=0.0)).tolist()
    [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]
    """
    audio = valid_audio(audio)
    return render(start_chain(settings, rate_hz, audio.shape[1]), audio)
