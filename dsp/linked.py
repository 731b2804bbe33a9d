"""Several sounds at once through one chain, the first of which decides: the versions of a mix, mastered with the mix itself.

Sounds lie side by side as channels. What is linear each goes through by itself; what moves a gain hears the first alone and turns
all of them down with it. So sounds that add up to the first before the chain add up to it behind it: to the rounding of single
precision, in which equaliser and imager compute what they change.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dsp.audio import Audio
from dsp.chain import Chain, Stage, start_stage
from dsp.compressor import Compressor
from dsp.limiter import Limiter
from dsp.settings import (
    CompressorSettings,
    EqualiserSettings,
    GainSettings,
    ImagerSettings,
    LimiterSettings,
    ParametricSettings,
    ResamplerSettings,
    Settings,
    SubsonicSettings,
)

LINEAR = (SubsonicSettings, EqualiserSettings, ParametricSettings, GainSettings, ResamplerSettings)


class Beside:
    """Sounds through stages of their own, frame by frame with each other.

    >>> from dsp.settings import GainSettings
    >>> beside = Beside([start_stage(GainSettings(gain_db=db), 48_000, 1) for db in (0.0, 20.0)], channels=1)
    >>> beside.push(np.array([[0.1, 0.1]])).round(6).tolist()
    [[0.1, 1.0]]
    """

    def __init__(self, stages: Sequence[Stage], channels: int) -> None:
        self._stages, self._channels = tuple(stages), channels
        self.latency = self._stages[0].latency
        self.rate_ratio = getattr(self._stages[0], "rate_ratio", 1.0)

    def push(self, block: Audio) -> Audio:
        """What is ready: as many frames of each, for that depends on lengths alone in all that can be linked."""
        sounds = split_sounds(block, self._channels)
        return np.concatenate([stage.push(one) for stage, one in zip(self._stages, sounds, strict=True)], axis=1)

    def finish(self) -> Audio:
        """The rest."""
        return np.concatenate([stage.finish() for stage in self._stages], axis=1)


def split_sounds(block: Audio, channels: int) -> list[Audio]:
    """The sounds that lie side by side, each with so many channels."""
    return [np.ascontiguousarray(block[:, at : at + channels]) for at in range(0, block.shape[1], channels)]


def unlinkable(settings: Sequence[Settings]) -> list[Settings]:
    """Those of a chain after which sounds no longer add up: they hear each sound for themselves, or bend it."""
    return [one for one in settings if not _adds_up(one)]


def start_linked(chains: Sequence[Sequence[Settings]], rate_hz: int, channels: int) -> Chain:
    """One chain for sounds side by side; `chains` are the settings for each, alike but for what is told of a sound.

    Raises ValueError for a processor that cannot be linked; a sound alone goes through any.

    >>> linked = start_linked([[LimiterSettings(ceiling_dbtp=-6.0)]] * 2, 48_000, 1)
    >>> loud = np.sin(np.arange(9_600) * 0.1)
    >>> from dsp.chain import render
    >>> key, follower = render(linked, np.stack([loud, 0.25 * loud], axis=1)).T
    >>> bool(np.array_equal(0.25 * key, follower)), bool(abs(follower).max() < 0.13)
    (True, True)
    """
    if len(chains) > 1 and (trouble := unlinkable(chains[0])):
        names = ", ".join(type(one).__name__ for one in trouble)
        raise ValueError(f"only linear processors, compressor and limiter can be linked, got {names}")
    stages: list[Stage] = []
    for alike in zip(*chains, strict=True):
        stages.append(_start(alike, rate_hz, channels))
        if isinstance(alike[0], ResamplerSettings):
            rate_hz = alike[0].rate_hz
    return Chain(stages, channels * len(chains))


def _start(alike: Sequence[Settings], rate_hz: int, channels: int) -> Stage:
    first = alike[0]
    if len(alike) == 1:
        return start_stage(first, rate_hz, channels)
    if isinstance(first, CompressorSettings):
        return Compressor(first, rate_hz, channels * len(alike), heard=channels)
    if isinstance(first, LimiterSettings):
        return Limiter(first, rate_hz, channels * len(alike), heard=channels)
    return Beside([start_stage(one, rate_hz, channels) for one in alike], channels)


def _adds_up(settings: Settings) -> bool:
    if isinstance(settings, ImagerSettings):
        narrows = settings.mono_below_hz is not None or min(settings.widths_ratio) < 1.0
        return not (narrows and settings.recover_ratio > 0.0)  # what is given back depends on the levels of both
    return isinstance(settings, (*LINEAR, CompressorSettings, LimiterSettings))
