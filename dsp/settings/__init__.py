"""What each processor can be told: frozen settings with units and ranges, checked when they are made.

They carry no numpy and no state, so that plans can be read, compared and stored anywhere. `dsp.chain` starts the stages.
"""

from __future__ import annotations

from typing import TypeAlias

from dsp.settings.bandwise import (
    BandDynamics,
    ImagerSettings,
    LowEndFocusSettings,
    MultibandSettings,
    TransientSettings,
)
from dsp.settings.colour import SaturationSettings
from dsp.settings.debleed import DebleedSettings
from dsp.settings.delivery import (
    GainSettings,
    LimiterCharacter,
    LimiterSettings,
    QuantiserSettings,
    ResamplerSettings,
    Shaping,
)
from dsp.settings.dynamic_tone import DeEsserSettings, DynamicBand, DynamicEqualiserSettings
from dsp.settings.dynamics import CompressorSettings, ExpanderSettings
from dsp.settings.gain_sharing import GainSharingSettings, SharingChannel
from dsp.settings.mixing import (
    AutomationSettings,
    DelaySettings,
    DuckerSettings,
    GateSettings,
    PanLaw,
    PannerSettings,
    ReverbSettings,
)
from dsp.settings.repair import DeclipperSettings
from dsp.settings.tone import Band, EqualiserSettings, ParametricSettings, SubsonicSettings

Settings: TypeAlias = (
    DeclipperSettings
    | SubsonicSettings
    | EqualiserSettings
    | ParametricSettings
    | DynamicEqualiserSettings
    | DeEsserSettings
    | CompressorSettings
    | MultibandSettings
    | ExpanderSettings
    | TransientSettings
    | LowEndFocusSettings
    | ImagerSettings
    | SaturationSettings
    | GainSettings
    | ResamplerSettings
    | LimiterSettings
    | DelaySettings
    | AutomationSettings
    | GateSettings
)
"""Settings of the processors that turn sound into sound (the quantiser turns it into integers)."""

__all__ = [
    "AutomationSettings",
    "Band",
    "BandDynamics",
    "CompressorSettings",
    "DeEsserSettings",
    "DebleedSettings",
    "DeclipperSettings",
    "DelaySettings",
    "DuckerSettings",
    "DynamicBand",
    "DynamicEqualiserSettings",
    "EqualiserSettings",
    "ExpanderSettings",
    "GainSettings",
    "GainSharingSettings",
    "GateSettings",
    "ImagerSettings",
    "LimiterCharacter",
    "LimiterSettings",
    "LowEndFocusSettings",
    "MultibandSettings",
    "PanLaw",
    "PannerSettings",
    "ParametricSettings",
    "QuantiserSettings",
    "ResamplerSettings",
    "ReverbSettings",
    "SaturationSettings",
    "Settings",
    "Shaping",
    "SharingChannel",
    "SubsonicSettings",
    "TransientSettings",
]
