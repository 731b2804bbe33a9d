"""Settings say no to what no processor should ever be told, and name the unit of every number."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib import import_module
from math import inf, nan
from typing import get_args, get_origin, get_type_hints

import numpy as np
import pytest
from msgspec import Struct

from dsp import settings
from dsp.audio import to_db, to_gain, valid_audio
from dsp.chain import _STAGES, start_stage
from dsp.settings import (
    AutomationSettings,
    Band,
    BandDynamics,
    CompressorSettings,
    DeclipperSettings,
    DeEsserSettings,
    DelaySettings,
    DuckerSettings,
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
    PannerSettings,
    ParametricSettings,
    QuantiserSettings,
    ResamplerSettings,
    ReverbSettings,
    SaturationSettings,
    SubsonicSettings,
    TransientSettings,
)
from schemas import profile
from schemas.limits import Limit

UNITS = ("_db", "_dbfs", "_dbtp", "_lufs", "_lu", "_hz", "_s", "_frames", "_ratio")  # design, section 3

ONE_POINT = {"freqs_hz": (1000.0,), "gains_db": (0.0,)}
ONE_BAND = {"freq_hz": 1000.0, "threshold_db": -20.0}
ONE_DUCK = {"threshold_dbfs": -30.0, "depth_db": 3.0, "low_hz": 40.0, "high_hz": 120.0}
TWO_BANDS = {"edges_hz": (100.0,), "bands": (BandDynamics(), BandDynamics())}
TWO_WIDTHS = {"edges_hz": (100.0,), "widths_ratio": (1.0, 1.0)}


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (SubsonicSettings, {"cutoff_hz": 0.5}, "cutoff_hz must be in [1, 200], got 0.5"),
        (SubsonicSettings, {"cutoff_hz": 201.0}, "cutoff_hz must be in [1, 200], got 201.0"),
        (SubsonicSettings, {"cutoff_hz": nan}, "cutoff_hz must be in [1, 200], got nan"),
        (SubsonicSettings, {"offset_ratio": (nan,)}, "offset_ratio"),
        (EqualiserSettings, {"freqs_hz": (), "gains_db": ()}, "needs one gain per frequency, got 0/0"),
        (EqualiserSettings, {"freqs_hz": (100.0, 200.0), "gains_db": (1.0,)}, "one gain per frequency, got 2/1"),
        (EqualiserSettings, {"freqs_hz": (200.0, 100.0), "gains_db": (0.0, 0.0)}, "must rise from above 0, got (200.0"),
        (EqualiserSettings, {"freqs_hz": (100.0, 100.0), "gains_db": (0.0, 0.0)}, "must rise from above 0, got (100.0"),
        (EqualiserSettings, {"freqs_hz": (0.0,), "gains_db": (0.0,)}, "must rise from above 0, got (0.0,)"),
        (EqualiserSettings, {"freqs_hz": (nan,), "gains_db": (0.0,)}, "freqs_hz"),
        (EqualiserSettings, {"freqs_hz": (1.0,), "gains_db": (24.5,)}, "gains_db must be in [-24, 24], got 24.5"),
        (EqualiserSettings, {"freqs_hz": (1.0,), "gains_db": (nan,)}, "gains_db must be in [-24, 24], got nan"),
        (EqualiserSettings, {"freqs_hz": (1.0, 2.0), "gains_db": (0.0, nan)}, "gains_db must be in [-24, 24], got nan"),
        (EqualiserSettings, {"freqs_hz": (1.0, 2.0), "gains_db": (0.0, -25.0)}, "must be in [-24, 24], got -25.0"),
        (EqualiserSettings, {**ONE_POINT, "length_s": 0.004}, "length_s must be in [0.005, 1], got 0.004"),
        (EqualiserSettings, {**ONE_POINT, "length_s": 1.1}, "length_s must be in [0.005, 1], got 1.1"),
        (EqualiserSettings, {**ONE_POINT, "side_gains_db": (1.0, 2.0)}, "must be empty or one per frequency, got 1/2"),
        (EqualiserSettings, {**ONE_POINT, "side_gains_db": (-25.0,)}, "side_gains_db must be in [-24, 24], got -25.0"),
        (EqualiserSettings, {**ONE_POINT, "phase": "mixed"}, "phase must be one of linear, minimum, got 'mixed'"),
        (ParametricSettings, {"bands": ()}, "number of bands must be in [1, 16], got 0"),
        (ParametricSettings, {"bands": (Band(kind="tilt", freq_hz=1000.0),) * 17}, "must be in [1, 16], got 17"),
        (Band, {"kind": "notch", "freq_hz": 100.0}, "kind must be one of bell, low_shelf, high_shelf, "),
        (Band, {"kind": "bell", "freq_hz": 9.0}, "freq_hz must be in [10, 40000], got 9.0"),
        (Band, {"kind": "bell", "freq_hz": 99.0, "gain_db": 19.0}, "gain_db of a bell must be in [-18, 18], got 19.0"),
        (Band, {"kind": "lowpass", "freq_hz": 99.0, "gain_db": 1.0}, "gain_db of a lowpass must be in [0, 0], got 1.0"),
        (Band, {"kind": "bell", "freq_hz": 99.0, "quality_ratio": 11.0}, "of a bell must be in [0.3, 10], got 11.0"),
        (Band, {"kind": "low_shelf", "freq_hz": 99.0, "quality_ratio": 2.0}, "low_shelf must be in [0.3, 1], got 2"),
        (DynamicEqualiserSettings, {"bands": ()}, "number of bands must be in [1, 8], got 0"),
        (DynamicBand, {**ONE_BAND, "freq_hz": 10.0}, "freq_hz must be in [20, 20000], got 10.0"),
        (DynamicBand, {**ONE_BAND, "threshold_db": 1.0}, "threshold_db must be in [-80, 0], got 1.0"),
        (DynamicBand, {**ONE_BAND, "quality_ratio": 0.2}, "quality_ratio must be in [0.3, 10], got 0.2"),
        (DynamicBand, {**ONE_BAND, "compression_ratio": 0.5}, "compression_ratio must be in [1, 20], got 0.5"),
        (DynamicBand, {**ONE_BAND, "max_cut_db": -1.0}, "max_cut_db must be in [0, 24], got -1.0"),
        (DynamicBand, {**ONE_BAND, "attack_s": 0.0}, "attack_s must be in [0.0001, 0.5], got 0.0"),
        (
            DynamicEqualiserSettings,
            {"bands": (DynamicBand(**ONE_BAND), DynamicBand(**{**ONE_BAND, "freq_hz": 1.1 * ONE_BAND["freq_hz"]}))},
            "Hz must lie 1/quality_ratio octaves apart, or cuts add up",
        ),
        (DynamicBand, {**ONE_BAND, "release_s": nan}, "release_s must be in [0.005, 0.5], got nan"),
        (DeEsserSettings, {"freq_hz": 1000.0}, "freq_hz must be in [2000, 16000], got 1000.0"),
        (DeEsserSettings, {"threshold_db": -41.0}, "threshold_db must be in [-40, 0], got -41.0"),
        (DeEsserSettings, {"max_cut_db": 25.0}, "max_cut_db must be in [0, 24], got 25.0"),
        (CompressorSettings, {"threshold_dbfs": 0.1}, "threshold_dbfs must be in [-80, 0], got 0.1"),
        (CompressorSettings, {"threshold_dbfs": -81.0}, "threshold_dbfs must be in [-80, 0], got -81.0"),
        (CompressorSettings, {"threshold_dbfs": 0.0, "compression_ratio": 0.9}, "compression_ratio must be in [1, 20]"),
        (
            CompressorSettings,
            {"threshold_dbfs": 0.0, "compression_ratio": 21.0},
            "compression_ratio must be in [1, 20]",
        ),
        (CompressorSettings, {"threshold_dbfs": 0.0, "knee_db": -0.1}, "knee_db must be in [0, 24], got -0.1"),
        (CompressorSettings, {"threshold_dbfs": 0.0, "knee_db": 25.0}, "knee_db must be in [0, 24], got 25.0"),
        (CompressorSettings, {"threshold_dbfs": 0.0, "attack_s": 0.0}, "attack_s must be in [0.0001, 0.5], got 0.0"),
        (CompressorSettings, {"threshold_dbfs": 0.0, "attack_s": 0.6}, "attack_s must be in [0.0001, 0.5], got 0.6"),
        (
            CompressorSettings,
            {"threshold_dbfs": 0.0, "release_s": 0.004},
            "release_s must be in [0.005, 0.5], got 0.004",
        ),
        (CompressorSettings, {"threshold_dbfs": 0.0, "release_s": 0.51}, "release_s must be in [0.005, 0.5], got 0.51"),
        (BandDynamics, {"threshold_dbfs": 0.1}, "threshold_dbfs must be in [-80, 0], got 0.1"),
        (BandDynamics, {"compression_ratio": 0.5}, "compression_ratio must be in [1, 20], got 0.5"),
        (BandDynamics, {"knee_db": 25.0}, "knee_db must be in [0, 24], got 25.0"),
        (BandDynamics, {"max_reduction_db": 41.0}, "max_reduction_db must be in [0, 40], got 41.0"),
        (BandDynamics, {"lift_threshold_dbfs": -81.0}, "lift_threshold_dbfs must be in [-80, 0], got -81.0"),
        (BandDynamics, {"lift_ratio": nan}, "lift_ratio must be in [1, 20], got nan"),
        (BandDynamics, {"max_lift_db": -1.0}, "max_lift_db must be in [0, 20], got -1.0"),
        (BandDynamics, {"lift_floor_dbfs": -39.0}, "lift_floor_dbfs must be in [-120, -40], got -39.0"),
        (BandDynamics, {"attack_s": 0.0}, "attack_s must be in [0.001, 0.5], got 0.0"),
        (BandDynamics, {"release_s": 0.6}, "release_s must be in [0.02, 0.5], got 0.6"),
        (BandDynamics, {"gain_db": 12.5}, "gain_db must be in [-12, 12], got 12.5"),
        (MultibandSettings, {**TWO_BANDS, "edges_hz": ()}, "edges_hz must be 1 to 5 rising frequencies, got ()"),
        (MultibandSettings, {**TWO_BANDS, "edges_hz": (2.0,)}, "edges_hz must be in [20, 20000], got 2.0"),
        (MultibandSettings, {**TWO_BANDS, "edges_hz": (nan,)}, "edges_hz must be in [20, 20000], got nan"),
        (MultibandSettings, {**TWO_BANDS, "edges_hz": (100.0, 50.0)}, "rising frequencies, got (100.0, 50.0)"),
        (MultibandSettings, {**TWO_BANDS, "edges_hz": (50.0, 60.0)}, "bands must be one more than edges_hz (2), got 2"),
        (ExpanderSettings, {"threshold_dbfs": 0.1}, "threshold_dbfs must be in [-100, 0], got 0.1"),
        (ExpanderSettings, {"threshold_dbfs": 0.0, "expansion_ratio": 0.9}, "expansion_ratio must be in [1, 20]"),
        (ExpanderSettings, {"threshold_dbfs": 0.0, "range_db": 81.0}, "range_db must be in [0, 80], got 81.0"),
        (ExpanderSettings, {"threshold_dbfs": 0.0, "knee_db": -1.0}, "knee_db must be in [0, 24], got -1.0"),
        (ExpanderSettings, {"threshold_dbfs": 0.0, "attack_s": 0.6}, "attack_s must be in [0.0001, 0.5], got 0.6"),
        (ExpanderSettings, {"threshold_dbfs": 0.0, "hold_s": -0.1}, "hold_s must be in [0, 0.5], got -0.1"),
        (ExpanderSettings, {"threshold_dbfs": 0.0, "release_s": 0.6}, "release_s must be in [0.005, 0.5], got 0.6"),
        (TransientSettings, {"attack_db": 15.5}, "attack_db must be in [-15, 15], got 15.5"),
        (TransientSettings, {"sustain_db": -25.0}, "sustain_db must be in [-24, 24], got -25.0"),
        (TransientSettings, {"low_hz": 10.0}, "low_hz must be in [20, 20000], got 10.0"),
        (TransientSettings, {"high_hz": nan}, "high_hz must be in [20, 20000], got nan"),
        (TransientSettings, {"low_hz": 200.0, "high_hz": 200.0}, "low_hz must be below high_hz, got 200.0 and 200.0"),
        (TransientSettings, {"attack_s": 0.3}, "attack_s must be in [0.005, 0.2], got 0.3"),
        (TransientSettings, {"sustain_s": 0.01}, "sustain_s must be in [0.02, 0.5], got 0.01"),
        (LowEndFocusSettings, {"contrast_db": 13.0}, "contrast_db must be in [-12, 12], got 13.0"),
        (LowEndFocusSettings, {"contrast_db": 0.0, "cutoff_hz": 30.0}, "cutoff_hz must be in [40, 400], got 30.0"),
        (ImagerSettings, {**TWO_WIDTHS, "edges_hz": (30_000.0,)}, "edges_hz must be in [20, 20000], got 30000.0"),
        (ImagerSettings, {**TWO_WIDTHS, "widths_ratio": (1.0,)}, "must be one more than edges_hz (1), got 1"),
        (ImagerSettings, {**TWO_WIDTHS, "widths_ratio": (1.0, 2.1)}, "widths_ratio must be in [0, 2], got 2.1"),
        (ImagerSettings, {**TWO_WIDTHS, "mono_below_hz": 0.0}, "mono_below_hz must be in [20, 1000], got 0.0"),
        (ImagerSettings, {**TWO_WIDTHS, "recover_ratio": 1.1}, "recover_ratio must be in [0, 1], got 1.1"),
        (GainSettings, {"gain_db": 60.5}, "gain_db must be in [-60, 60], got 60.5"),
        (GainSettings, {"gain_db": -inf}, "gain_db must be in [-60, 60], got -inf"),
        (ResamplerSettings, {"rate_hz": 7_999}, "rate_hz must be in [8000, 384000], got 7999"),
        (ResamplerSettings, {"rate_hz": 384_001}, "rate_hz must be in [8000, 384000], got 384001"),
        (LimiterSettings, {"ceiling_dbtp": 0.1}, "ceiling_dbtp must be in [-20, 0], got 0.1"),
        (LimiterSettings, {"ceiling_dbtp": -20.1}, "ceiling_dbtp must be in [-20, 0], got -20.1"),
        (LimiterSettings, {"lookahead_s": 0.0009}, "lookahead_s must be in [0.001, 0.02], got 0.0009"),
        (LimiterSettings, {"lookahead_s": 0.021}, "lookahead_s must be in [0.001, 0.02], got 0.021"),
        (LimiterSettings, {"hold_s": -0.001}, "hold_s must be in [0, 0.1], got -0.001"),
        (LimiterSettings, {"hold_s": 0.11}, "hold_s must be in [0, 0.1], got 0.11"),
        (LimiterSettings, {"release_s": 0.004}, "release_s must be in [0.005, 0.5], got 0.004"),
        (LimiterSettings, {"release_s": 0.51}, "release_s must be in [0.005, 0.5], got 0.51"),
        (LimiterSettings, {"character": "soft"}, "character must be one of transparent, punchy, loud, got 'soft'"),
        (DeclipperSettings, {"clip_dbfs": ()}, "must have one level for all channels or one for each, got ()"),
        (DeclipperSettings, {"clip_dbfs": (24.5,)}, "clip_dbfs must be in [-60, 24], got 24.5"),
        (DeclipperSettings, {"clip_dbfs": (0.0, nan)}, "clip_dbfs must be in [-60, 24], got nan"),
        (
            DeclipperSettings,
            {"clip_dbfs": (0.0,), "max_gap_s": 0.005},
            "max_gap_s must be in [0.0001, 0.004], got 0.005",
        ),
        (DeclipperSettings, {"clip_dbfs": (0.0,), "max_rise_db": 0.9}, "max_rise_db must be in [1, 12], got 0.9"),
        (DeclipperSettings, {"clip_dbfs": (0.0,), "max_rise_db": 12.1}, "max_rise_db must be in [1, 12], got 12.1"),
        (SaturationSettings, {"character": "valve"}, "character must be one of tape, tube, warm, got 'valve'"),
        (SaturationSettings, {"drive_db": -0.1}, "drive_db must be in [0, 24], got -0.1"),
        (SaturationSettings, {"drive_db": 24.5}, "drive_db must be in [0, 24], got 24.5"),
        (SaturationSettings, {"amount_ratio": 1.1}, "amount_ratio must be in [0, 1], got 1.1"),
        (SaturationSettings, {"amount_ratio": nan}, "amount_ratio must be in [0, 1], got nan"),
        (QuantiserSettings, {"bits": 16, "shaping": "f"}, "shaping must be one of flat, modified_e, lipshitz, got 'f'"),
        (
            QuantiserSettings,
            {"bits": 24, "shaping": "lipshitz"},
            "needs 16 bits with dither, got 24 bits and dither=True",
        ),
        (QuantiserSettings, {"bits": 16, "dither": False, "shaping": "lipshitz"}, "got 16 bits and dither=False"),
        (DelaySettings, {"delay_frames": 384_001.0}, "delay_frames must be in [-384000, 384000], got 384001.0"),
        (DelaySettings, {"delay_frames": nan}, "delay_frames must be in [-384000, 384000], got nan"),
        (AutomationSettings, {"gains_db": (0.0, 24.5)}, "gains_db must be in [-80, 24], got 24.5"),
        (AutomationSettings, {"gains_db": (0.0, nan)}, "gains_db must be in [-80, 24], got nan"),
        (GateSettings, {"threshold_dbfs": 0.1}, "threshold_dbfs must be in [-100, 0], got 0.1"),
        (GateSettings, {"threshold_dbfs": 0.0, "hysteresis_db": -1.0}, "hysteresis_db must be in [0, 24], got -1.0"),
        (GateSettings, {"threshold_dbfs": 0.0, "range_db": 81.0}, "range_db must be in [0, 80], got 81.0"),
        (GateSettings, {"threshold_dbfs": 0.0, "lookahead_s": 0.03}, "lookahead_s must be in [0, 0.02], got 0.03"),
        (GateSettings, {"threshold_dbfs": 0.0, "high_hz": 10.0}, "high_hz must be in [20, 20000], got 10.0"),
        (DuckerSettings, {**ONE_DUCK, "threshold_dbfs": 1.0}, "threshold_dbfs must be in [-80, 0], got 1.0"),
        (DuckerSettings, {**ONE_DUCK, "depth_db": 25.0}, "depth_db must be in [0, 24], got 25.0"),
        (DuckerSettings, {**ONE_DUCK, "high_hz": 30.0}, "high_hz must be in [40, 20000], got 30.0"),
        (DuckerSettings, {**ONE_DUCK, "release_s": nan}, "release_s must be in [0.005, 2], got nan"),
        (PannerSettings, {"pan_ratio": -1.1}, "pan_ratio must be in [-1, 1], got -1.1"),
        (PannerSettings, {"width_ratio": 2.1}, "width_ratio must be in [0, 2], got 2.1"),
        (PannerSettings, {"law": "0 dB"}, "law must be one of -3 dB, -4.5 dB, -6 dB, got '0 dB'"),
        (ReverbSettings, {"decay_s": 0.05}, "decay_s must be in [0.1, 10], got 0.05"),
        (ReverbSettings, {"high_decay_ratio": 1.1}, "high_decay_ratio must be in [0.1, 1], got 1.1"),
        (ReverbSettings, {"predelay_s": 0.3}, "predelay_s must be in [0, 0.25], got 0.3"),
        (ReverbSettings, {"low_cut_hz": 10.0}, "low_cut_hz must be in [20, 1000], got 10.0"),
        (ReverbSettings, {"high_cut_hz": 900.0}, "high_cut_hz must be in [1000, 20000], got 900.0"),
        (QuantiserSettings, {"bits": 20}, "bits must be 16 or 24, got 20"),
        (QuantiserSettings, {"bits": 16, "seed": -1}, "seed must be in [0, 9.22337e+18], got -1"),
        (QuantiserSettings, {"bits": 16, "seed": 2**63}, "seed must be in [0, 9.22337e+18], got 9223372036854775808"),
    ],
)
def test_a_setting_out_of_range_is_refused_with_its_value_and_its_range(kind, values, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        kind(**values)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (SubsonicSettings, {"cutoff_hz": 1.0}),
        (SubsonicSettings, {"cutoff_hz": 200.0}),
        (EqualiserSettings, {"freqs_hz": (1.0, 2.0), "gains_db": (-24.0, 24.0), "length_s": 1.0}),
        (EqualiserSettings, {**ONE_POINT, "side_gains_db": (24.0,), "phase": "minimum"}),
        (ParametricSettings, {"bands": (Band(kind="bell", freq_hz=10.0, gain_db=-18.0, quality_ratio=10.0),) * 16}),
        (ParametricSettings, {"bands": (Band(kind="high_shelf", freq_hz=40_000.0, gain_db=18.0, quality_ratio=1.0),)}),
        (
            DynamicEqualiserSettings,
            {"bands": tuple(DynamicBand(freq_hz=20.0 * 2.0**k, threshold_db=-80.0, release_s=0.5) for k in range(8))},
        ),
        (DynamicBand, {**ONE_BAND, "compression_ratio": 20.0, "max_cut_db": 24.0, "attack_s": 0.5}),
        (DeEsserSettings, {"freq_hz": 2000.0, "threshold_db": 0.0, "max_cut_db": 0.0}),
        (CompressorSettings, {"threshold_dbfs": 0.0, "compression_ratio": 20.0, "knee_db": 24.0}),
        (CompressorSettings, {"threshold_dbfs": -80.0, "compression_ratio": 1.0, "knee_db": 0.0}),
        (BandDynamics, {"lift_threshold_dbfs": 0.0, "lift_floor_dbfs": 0.0, "release_s": 0.5, "gain_db": 12.0}),
        (BandDynamics, {"lift_floor_dbfs": -120.0, "release_s": 0.02, "attack_s": 0.001, "max_lift_db": 0.0}),
        (MultibandSettings, {"edges_hz": (20.0, 50.0, 500.0, 5e3, 20e3), "bands": (BandDynamics(),) * 6}),
        (ExpanderSettings, {"threshold_dbfs": -100.0, "expansion_ratio": 20.0, "range_db": 80.0, "hold_s": 0.0}),
        (ExpanderSettings, {"threshold_dbfs": 0.0, "expansion_ratio": 1.0, "range_db": 0.0, "release_s": 0.5}),
        (TransientSettings, {"attack_db": -15.0, "sustain_db": 24.0, "low_hz": 20.0, "high_hz": 20_000.0}),
        (LowEndFocusSettings, {"contrast_db": -12.0, "cutoff_hz": 400.0}),
        (ImagerSettings, {**TWO_WIDTHS, "widths_ratio": (0.0, 2.0), "mono_below_hz": 1000.0, "recover_ratio": 1.0}),
        (GainSettings, {"gain_db": -60.0}),
        (ResamplerSettings, {"rate_hz": 384_000}),
        (LimiterSettings, {"ceiling_dbtp": 0.0, "lookahead_s": 0.02, "hold_s": 0.1, "release_s": 0.5}),
        (LimiterSettings, {"ceiling_dbtp": -20.0, "lookahead_s": 0.001, "hold_s": 0.0, "release_s": 0.005}),
        (QuantiserSettings, {"bits": 24, "seed": 2**63 - 1}),
        (QuantiserSettings, {"bits": 16, "shaping": "modified_e"}),
        (DeclipperSettings, {"clip_dbfs": (-60.0, 24.0), "max_gap_s": 0.004, "max_rise_db": 12.0}),
        (DeclipperSettings, {"clip_dbfs": (0.0,), "max_gap_s": 0.0001, "max_rise_db": 1.0}),
        (DelaySettings, {"delay_frames": -384_000.0}),
        (AutomationSettings, {"gains_db": (-80.0, 24.0)}),
        (AutomationSettings, {"gains_db": ()}),
        (GateSettings, {"threshold_dbfs": -100.0, "range_db": 80.0, "hold_s": 2.0, "low_hz": 20_000.0}),
        (DuckerSettings, {**ONE_DUCK, "high_hz": 40.0, "depth_db": 0.0}),
        (PannerSettings, {"pan_ratio": -1.0, "width_ratio": 0.0}),
        (ReverbSettings, {"decay_s": 10.0, "predelay_s": 0.0, "low_cut_hz": 1_000.0, "high_cut_hz": 1_000.0}),
        (SaturationSettings, {"character": "tape", "drive_db": 24.0, "amount_ratio": 1.0}),
        (SaturationSettings, {"character": "tube", "drive_db": 0.0, "amount_ratio": 0.0}),
    ],
)
def test_the_ends_of_every_range_belong_to_it(kind, values):
    assert values.items() <= {field.name: getattr(kind(**values), field.name) for field in fields(kind)}.items()


@pytest.mark.parametrize("kind", get_args(settings.Settings), ids=lambda kind: kind.__name__)
def test_a_chain_knows_the_stage_of_all_settings(kind):
    assert getattr(import_module(_STAGES[kind][0]), _STAGES[kind][1]).push


def test_a_filter_is_told_the_offset_of_every_channel_or_of_none():
    with pytest.raises(ValueError, match=re.escape("offset_ratio must have one value per channel (2), got (0.1,)")):
        start_stage(SubsonicSettings(offset_ratio=(0.1,)), 44_100, 2)


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        ([0.0], "must be an array of shape (frames, channels), got list"),
        (np.zeros(4), "must be an array of shape (frames, channels), got shape (4,)"),
        (np.zeros((4, 2), np.int16), "must hold floats with full scale 1.0, got int16"),
        (np.full((4, 2), nan), "must be finite"),
        (np.full((4, 2), inf), "must be finite"),
    ],
)
def test_what_is_no_audio_is_turned_away_at_the_door(audio, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        valid_audio(audio)


def test_a_level_and_its_ratio_are_two_names_of_one_thing():
    levels_db = [-60.0, -3.0, 0.0, 12.0]
    assert levels_db == pytest.approx([to_db(to_gain(level)) for level in levels_db], abs=1e-12)


SETTINGS = [kind for kind in vars(settings).values() if hasattr(kind, "__dataclass_fields__")]
PROFILE = [kind for kind in vars(profile).values() if isinstance(kind, type) and issubclass(kind, Struct)]
WITHOUT_UNIT = (Struct, Limit)  # a limit is in the unit of what it limits


def is_measured(hint: object) -> bool:
    """Whether a field holds floats: alone, in a tuple, or as one of several types."""
    return hint is float or (get_origin(hint) is not None and any(is_measured(part) for part in get_args(hint)))


@pytest.mark.parametrize("kind", [*SETTINGS, *[k for k in PROFILE if k not in WITHOUT_UNIT]], ids=lambda k: k.__name__)
def test_every_number_names_its_unit(kind):
    measured = [name for name, hint in get_type_hints(kind).items() if is_measured(hint)]
    assert [name for name in measured if not name.endswith(UNITS)] == []


def test_the_unit_check_sees_every_kind_of_setting():
    names = {kind.__name__ for kind in [*SETTINGS, *PROFILE]}
    assert names >= {"SubsonicSettings", "LimiterSettings", "QuantiserSettings", "LoudnessChoice", "CompressorChoice"}
