"""What each processor can be told: frozen settings with units and ranges, checked when they are made.

They carry no numpy and no state, so that plans can be read, compared and stored anywhere. `dsp.chain` starts the stages.
"""

from __future__ import annotations

from typing import TypeAlias

from dsp.settings.delivery import GainSettings, LimiterSettings, QuantiserSettings, ResamplerSettings
from dsp.settings.dynamics import CompressorSettings
from dsp.settings.tone import EqualiserSettings, SubsonicSettings

Settings: TypeAlias = (
    SubsonicSettings | EqualiserSettings | CompressorSettings | GainSettings | ResamplerSettings | LimiterSettings
)
"""Settings of the processors that turn sound into sound (the quantiser turns it into integers)."""

__all__ = [
    "CompressorSettings",
    "EqualiserSettings",
    "GainSettings",
    "LimiterSettings",
    "QuantiserSettings",
    "ResamplerSettings",
    "Settings",
    "SubsonicSettings",
]
