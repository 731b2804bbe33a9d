"""Every processor with settings that drive it, alone and together: what the laws are held against."""

from __future__ import annotations

import pytest

from dsp.settings import (
    CompressorSettings,
    EqualiserSettings,
    GainSettings,
    LimiterSettings,
    ResamplerSettings,
    Settings,
    SubsonicSettings,
)

SUBSONIC = SubsonicSettings(cutoff_hz=20.0, offset_ratio=(0.01, -0.02))
EQUALISER = EqualiserSettings(freqs_hz=(100.0, 1000.0, 8000.0), gains_db=(1.0, 0.0, -2.0))
COMPRESSOR = CompressorSettings(threshold_dbfs=-20.0, compression_ratio=3.0)
LIMITER = LimiterSettings(ceiling_dbtp=-3.0)
STAGES: dict[str, tuple[Settings, ...]] = {
    "subsonic": (SUBSONIC,),
    "equaliser": (EQUALISER,),
    "short equaliser": (EqualiserSettings(freqs_hz=(500.0,), gains_db=(-3.0,), length_s=0.005),),
    "compressor": (COMPRESSOR,),
    "hard-knee compressor": (CompressorSettings(threshold_dbfs=-30.0, knee_db=0.0, attack_s=0.0001),),
    "gain": (GainSettings(gain_db=-4.5),),
    "no gain": (GainSettings(gain_db=0.0),),
    "limiter": (LIMITER,),
    "limiter without hold": (LimiterSettings(ceiling_dbtp=-12.0, hold_s=0.0, lookahead_s=0.0005, release_s=0.005),),
    "to 48000": (ResamplerSettings(rate_hz=48_000),),
    "to 88200": (ResamplerSettings(rate_hz=88_200),),
    "to 22050": (ResamplerSettings(rate_hz=22_050),),
    "to 44100": (ResamplerSettings(rate_hz=44_100),),
    "everything": (
        SUBSONIC,
        EQUALISER,
        COMPRESSOR,
        GainSettings(gain_db=6.0),
        ResamplerSettings(rate_hz=48_000),
        LIMITER,
    ),
}
EVERY_STAGE = pytest.mark.parametrize("settings", STAGES.values(), ids=STAGES)
