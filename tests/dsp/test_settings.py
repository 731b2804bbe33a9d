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
    CompressorSettings,
    EqualiserSettings,
    GainSettings,
    LimiterSettings,
    QuantiserSettings,
    ResamplerSettings,
    SubsonicSettings,
)
from schemas import profile
from schemas.limits import Limit

UNITS = ("_db", "_dbfs", "_dbtp", "_lufs", "_lu", "_hz", "_s", "_frames", "_ratio")  # design, section 3

ONE_POINT = {"freqs_hz": (1000.0,), "gains_db": (0.0,)}


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
        (EqualiserSettings, {**ONE_POINT, "length_s": 0.004}, "length_s must be in [0.005, 1], got 0.004"),
        (EqualiserSettings, {**ONE_POINT, "length_s": 1.1}, "length_s must be in [0.005, 1], got 1.1"),
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
        (CompressorSettings, {"threshold_dbfs": 0.0, "release_s": 0.004}, "release_s must be in [0.005, 5], got 0.004"),
        (CompressorSettings, {"threshold_dbfs": 0.0, "release_s": 5.1}, "release_s must be in [0.005, 5], got 5.1"),
        (GainSettings, {"gain_db": 60.5}, "gain_db must be in [-60, 60], got 60.5"),
        (GainSettings, {"gain_db": -inf}, "gain_db must be in [-60, 60], got -inf"),
        (ResamplerSettings, {"rate_hz": 7_999}, "rate_hz must be in [8000, 384000], got 7999"),
        (ResamplerSettings, {"rate_hz": 384_001}, "rate_hz must be in [8000, 384000], got 384001"),
        (LimiterSettings, {"ceiling_dbtp": 0.1}, "ceiling_dbtp must be in [-20, 0], got 0.1"),
        (LimiterSettings, {"ceiling_dbtp": -20.1}, "ceiling_dbtp must be in [-20, 0], got -20.1"),
        (LimiterSettings, {"lookahead_s": 0.0004}, "lookahead_s must be in [0.0005, 0.02], got 0.0004"),
        (LimiterSettings, {"lookahead_s": 0.021}, "lookahead_s must be in [0.0005, 0.02], got 0.021"),
        (LimiterSettings, {"hold_s": -0.001}, "hold_s must be in [0, 0.1], got -0.001"),
        (LimiterSettings, {"hold_s": 0.11}, "hold_s must be in [0, 0.1], got 0.11"),
        (LimiterSettings, {"release_s": 0.004}, "release_s must be in [0.005, 2], got 0.004"),
        (LimiterSettings, {"release_s": 2.1}, "release_s must be in [0.005, 2], got 2.1"),
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
        (CompressorSettings, {"threshold_dbfs": 0.0, "compression_ratio": 20.0, "knee_db": 24.0}),
        (CompressorSettings, {"threshold_dbfs": -80.0, "compression_ratio": 1.0, "knee_db": 0.0}),
        (GainSettings, {"gain_db": -60.0}),
        (ResamplerSettings, {"rate_hz": 384_000}),
        (LimiterSettings, {"ceiling_dbtp": 0.0, "lookahead_s": 0.02, "hold_s": 0.1, "release_s": 2.0}),
        (LimiterSettings, {"ceiling_dbtp": -20.0, "lookahead_s": 0.0005, "hold_s": 0.0, "release_s": 0.005}),
        (QuantiserSettings, {"bits": 24, "seed": 2**63 - 1}),
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
