"""Every processor with settings that drive it, alone and together: what the laws are held against."""

from __future__ import annotations

import pytest

from dsp.settings import (
    AutomationSettings,
    Band,
    BandDynamics,
    CompressorSettings,
    DeclipperSettings,
    DeEsserSettings,
    DelaySettings,
    DynamicBand,
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

SUBSONIC = SubsonicSettings(cutoff_hz=20.0, offset_ratio=(0.01, -0.02))
EQUALISER = EqualiserSettings(freqs_hz=(100.0, 1000.0, 8000.0), gains_db=(1.0, 0.0, -2.0))
PARAMETRIC = ParametricSettings(
    bands=(
        Band(kind="highpass", freq_hz=30.0),
        Band(kind="low_shelf", freq_hz=120.0, gain_db=2.0),
        Band(kind="bell", freq_hz=3000.0, gain_db=-3.0, quality_ratio=2.0),
        Band(kind="high_shelf", freq_hz=10_000.0, gain_db=1.0),
        Band(kind="tilt", freq_hz=800.0, gain_db=1.0),
        Band(kind="lowpass", freq_hz=19_000.0),
    )
)
DYNAMIC_EQUALISER = DynamicEqualiserSettings(
    bands=(
        DynamicBand(freq_hz=180.0, threshold_db=-20.0),
        DynamicBand(freq_hz=3000.0, threshold_db=-12.0, relative=True),
    )
)
COMPRESSOR = CompressorSettings(threshold_dbfs=-20.0, compression_ratio=3.0)
LIMITER = LimiterSettings(ceiling_dbtp=-3.0)
DENSE = BandDynamics(threshold_dbfs=-30.0, compression_ratio=3.0, lift_ratio=2.0, gain_db=1.5)
CRUSHED = BandDynamics(
    threshold_dbfs=-60.0,
    compression_ratio=20.0,
    knee_db=0.0,
    max_reduction_db=40.0,
    lift_threshold_dbfs=0.0,
    lift_ratio=20.0,
    max_lift_db=20.0,
    lift_floor_dbfs=-120.0,
    attack_s=0.001,
    release_s=0.02,
    gain_db=12.0,
)
STAGES: dict[str, tuple[Settings, ...]] = {
    "declipper": (DeclipperSettings(clip_dbfs=(0.0,)),),
    "declipper of short gaps": (DeclipperSettings(clip_dbfs=(-0.1,), max_gap_s=0.0005, max_rise_db=3.0),),
    "subsonic": (SUBSONIC,),
    "equaliser": (EQUALISER,),
    "short equaliser": (EqualiserSettings(freqs_hz=(500.0,), gains_db=(-3.0,), length_s=0.005),),
    "equaliser of middle and side": (
        EqualiserSettings(
            freqs_hz=(100.0, 4000.0), gains_db=(12.0, -24.0), side_gains_db=(-24.0, 6.0), phase="minimum", length_s=0.05
        ),
    ),
    "parametric": (PARAMETRIC,),
    "parametric of 16 sharp bells": (
        ParametricSettings(
            bands=tuple(
                Band(kind="bell", freq_hz=20.0 * 1.6**k, gain_db=18.0 * (-1) ** k, quality_ratio=10.0)
                for k in range(16)
            )
        ),
    ),
    "dynamic equaliser": (DYNAMIC_EQUALISER,),
    "dynamic equaliser at work everywhere": (
        DynamicEqualiserSettings(
            bands=tuple(
                DynamicBand(
                    freq_hz=60.0 * 2.2**k,
                    threshold_db=-80.0 + 10.0 * k,
                    relative=k % 2 == 1,
                    compression_ratio=20.0,
                    max_cut_db=24.0,
                    attack_s=0.0001,
                    release_s=0.005,
                )
                for k in range(8)
            )
        ),
    ),
    "de-esser": (DeEsserSettings(),),
    "eager de-esser": (DeEsserSettings(threshold_db=-40.0, max_cut_db=24.0, attack_s=0.0001, release_s=0.005),),
    "compressor": (COMPRESSOR,),
    "hard-knee compressor": (CompressorSettings(threshold_dbfs=-30.0, knee_db=0.0, attack_s=0.0001),),
    "saturation": (SaturationSettings(character="tube", drive_db=6.0),),
    "hard saturation": (SaturationSettings(character="tape", drive_db=24.0),),
    "multiband": (MultibandSettings(edges_hz=(120.0, 1000.0), bands=(DENSE, BandDynamics(), DENSE)),),
    "crushing multiband": (MultibandSettings(edges_hz=(40.0, 200.0, 900.0, 4000.0, 20_000.0), bands=(CRUSHED,) * 6),),
    "expander": (ExpanderSettings(threshold_dbfs=-30.0),),
    "hard expander": (
        ExpanderSettings(
            threshold_dbfs=-6.0,
            expansion_ratio=20.0,
            range_db=80.0,
            knee_db=0.0,
            attack_s=0.0001,
            hold_s=0.0,
            release_s=0.005,
        ),
    ),
    "transients": (TransientSettings(attack_db=6.0, sustain_db=-6.0),),
    "extreme transients within a band": (
        TransientSettings(
            attack_db=-15.0, sustain_db=24.0, low_hz=300.0, high_hz=6000.0, attack_s=0.005, sustain_s=0.02
        ),
    ),
    "low-end focus": (LowEndFocusSettings(contrast_db=4.0),),
    "smooth low end": (LowEndFocusSettings(contrast_db=-12.0, cutoff_hz=40.0),),
    "imager": (ImagerSettings(edges_hz=(200.0, 3000.0), widths_ratio=(0.5, 1.0, 1.4)),),
    "extreme imager": (
        ImagerSettings(
            edges_hz=(100.0, 500.0, 2000.0, 8000.0, 15_000.0),
            widths_ratio=(0.0, 2.0, 0.0, 2.0, 0.1, 1.0),
            mono_below_hz=300.0,
            recover_ratio=1.0,
        ),
    ),
    "gain": (GainSettings(gain_db=-4.5),),
    "no gain": (GainSettings(gain_db=0.0),),
    "limiter": (LIMITER,),
    "punchy limiter": (LimiterSettings(ceiling_dbtp=-6.0, character="punchy", hold_s=0.1),),
    "loud limiter": (LimiterSettings(ceiling_dbtp=-9.0, character="loud", lookahead_s=0.001),),
    "limiter without hold": (LimiterSettings(ceiling_dbtp=-12.0, hold_s=0.0, lookahead_s=0.001, release_s=0.005),),
    "to 48000": (ResamplerSettings(rate_hz=48_000),),
    "to 88200": (ResamplerSettings(rate_hz=88_200),),
    "to 22050": (ResamplerSettings(rate_hz=22_050),),
    "to 44100": (ResamplerSettings(rate_hz=44_100),),
    "delay by a part of a frame": (DelaySettings(delay_frames=0.37),),
    "no delay": (DelaySettings(delay_frames=0.0),),
    "later by a thousand frames and a half": (DelaySettings(delay_frames=1000.5),),
    "earlier by a thousand frames": (DelaySettings(delay_frames=-1000.0),),
    "earlier by five frames and a part": (DelaySettings(delay_frames=-5.8),),
    "automation": (AutomationSettings(gains_db=(0.0, -3.0, 6.0, 0.0, 0.0, -60.0, -1.0)),),
    "automation of one point": (AutomationSettings(gains_db=(-4.5,)),),
    "idle automation": (AutomationSettings(gains_db=(0.0, 0.0)),),
    "gate": (GateSettings(threshold_dbfs=-20.0),),
    "gate of a band": (
        GateSettings(
            threshold_dbfs=-12.0,
            hysteresis_db=0.0,
            range_db=80.0,
            lookahead_s=0.0,
            attack_s=0.0001,
            hold_s=0.0,
            release_s=0.005,
            low_hz=200.0,
            high_hz=4000.0,
        ),
    ),
    "gate that looks far ahead": (
        GateSettings(threshold_dbfs=-6.0, hysteresis_db=12.0, lookahead_s=0.02, attack_s=0.05, high_hz=9000.0),
    ),
    "everything": (
        SUBSONIC,
        EQUALISER,
        COMPRESSOR,
        MultibandSettings(edges_hz=(300.0,), bands=(DENSE, BandDynamics())),
        TransientSettings(attack_db=3.0),
        GainSettings(gain_db=6.0),
        ResamplerSettings(rate_hz=48_000),
        LIMITER,
    ),
}
EVERY_STAGE = pytest.mark.parametrize("settings", STAGES.values(), ids=STAGES)
