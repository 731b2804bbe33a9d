"""Decides what changes level over time before the limiter: compression, attacks, colour. Delicate material keeps its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from decisions.material import Material
from decisions.tone import INTENSITY
from dsp.bands import BAND_EDGES_HZ
from dsp.settings import (
    BandDynamics,
    CompressorSettings,
    LowEndFocusSettings,
    MultibandSettings,
    SaturationSettings,
    TransientSettings,
)
from dsp.spectrum import CENTRES_HZ
from schemas.figures import Figures
from schemas.norm import Norm
from schemas.plan import Decision
from schemas.profile import CompressorChoice, Profile
from schemas.style import ColourWish, DynamicsWish

SINE_DB = 10.0 * math.log10(2.0)
"""A sine reads its peak where a level is its root mean square plus this (AES17)."""
SOFTEST_BAND_DBFS = -70.0
"""A band below this has no dynamics worth compressing."""
LEAST_RATIO = 1.05
"""A ratio below this changes nothing that could be heard (our choice)."""
NO_STYLE = "the style does not ask for it"


def refused(what: str, material: Material) -> Decision:
    """What is left alone because of what the track is."""
    return Decision(what=what, how_much="off", why=f"the material is {material.kind}: {material.why}")


def decide_multiband(
    figures: Sequence[Figures], norm: Norm, material: Material, profile: Profile
) -> tuple[MultibandSettings | None, Decision]:
    """Compression of the bands whose peaks stand out, from the measured level and crest of each."""
    wish, what = profile.taste.dynamics, "multiband compressor"
    if wish is None:
        return None, Decision(what=what, how_much="off", why=NO_STYLE)
    if not material.dynamics:
        return None, refused(what, material)
    strength = INTENSITY[profile.intensity] * material.touch_ratio * _room(figures, norm)
    bands = [_band(k, figures, norm, wish, strength) for k in range(len(BAND_EDGES_HZ) + 1)]
    if max(max(band.compression_ratio, band.lift_ratio) for band in bands) < LEAST_RATIO:
        why = f"its peaks stand out less than in {norm.words}"
        return None, Decision(what=what, how_much="off", why=why)
    ratios = " / ".join(f"{band.compression_ratio:.2f}" for band in bands)
    why = f"the further peaks stand out in a band against {norm.words}, the more it is held"
    settings = MultibandSettings(edges_hz=BAND_EDGES_HZ, bands=tuple(bands))
    return settings, Decision(what=what, how_much=f"{ratios} to 1, low to high", why=why)


def decide_compressor(
    loudness: float | None, choice: CompressorChoice | None, material: Material
) -> tuple[CompressorSettings | None, Decision]:
    """The wide-band compressor of a profile."""
    if choice is None or loudness is None:
        return None, Decision(what="compressor", how_much="off", why="the profile uses none")
    if not material.dynamics:
        return None, refused("compressor", material)
    settings = CompressorSettings(
        threshold_dbfs=round(max(-80.0, min(0.0, loudness + choice.threshold_over_loudness_db)), 2),
        compression_ratio=choice.compression_ratio,
        knee_db=choice.knee_db,
        attack_s=choice.attack_s,
        release_s=choice.release_s,
    )
    why = f"threshold {choice.threshold_over_loudness_db:g} dB above the loudness of {loudness:.1f} LUFS"
    how_much = f"{choice.compression_ratio:g}:1 above {settings.threshold_dbfs:.1f} dBFS"
    return settings, Decision(what="compressor", how_much=how_much, why=why)


def decide_attack(
    material: Material, profile: Profile
) -> tuple[TransientSettings | None, LowEndFocusSettings | None, Decision]:
    """Transient shaper and low-end focus."""
    wish = profile.taste.attack
    if wish is None:
        return None, None, Decision(what="attacks", how_much="off", why=NO_STYLE)
    if not material.dynamics:
        return None, None, refused("attacks", material)
    strength = INTENSITY[profile.intensity] * material.touch_ratio
    attack_db, sustain_db, low_db = (
        round(db * strength, 2) for db in (wish.attack_db, wish.sustain_db, wish.low_end_db)
    )
    shaper = TransientSettings(attack_db=attack_db, sustain_db=sustain_db) if attack_db or sustain_db else None
    focus = LowEndFocusSettings(contrast_db=low_db) if low_db else None
    how_much = f"attacks {attack_db:+.1f} dB, bass contrast {low_db:+.1f} dB"
    return shaper, focus, Decision(what="attacks", how_much=how_much, why="the style asks for it")


def decide_colour(
    peak_dbtp: float | None, material: Material, profile: Profile
) -> tuple[SaturationSettings | None, Decision]:
    """Saturation, driven by as much as the style likes for a track that peaks at full scale."""
    wish = profile.taste.colour
    if wish is None or peak_dbtp is None:
        return None, Decision(what="saturation", how_much="off", why=NO_STYLE)
    if not material.dynamics:
        return None, refused("saturation", material)
    settings = _saturation(wish, peak_dbtp, INTENSITY[profile.intensity], material.touch_ratio)
    why = f"the style asks for it; peaks lie at {peak_dbtp:.1f} dBTP"
    return settings, Decision(what="saturation", how_much=f"{wish.character}, {settings.drive_db:.1f} dB", why=why)


def band_level_dbfs(figures: Figures, band: int) -> float | None:
    """Mean level of one of the four bands; None where it holds nothing."""
    place = np.searchsorted(BAND_EDGES_HZ, CENTRES_HZ)
    powers = [
        10.0 ** (level / 10.0)
        for level, k in zip(figures.spectrum_db, place, strict=True)
        if k == band and level is not None
    ]
    return 10.0 * math.log10(sum(powers)) + SINE_DB if sum(powers) > 0.0 else None


def _band(k: int, figures: Sequence[Figures], norm: Norm, wish: DynamicsWish, strength: float) -> BandDynamics:
    levels = [level for one in figures if (level := band_level_dbfs(one, k)) is not None]
    if not levels or max(levels) < SOFTEST_BAND_DBFS:
        return BandDynamics()
    level_dbfs = max(levels)  # joined tracks share the settings: the loudest sets them
    share = _standing_out(k, figures, norm)
    lift = wish.lift_ratio > 1.0
    return BandDynamics(
        threshold_dbfs=round(max(-80.0, min(0.0, level_dbfs + wish.over_band_db)), 2),
        compression_ratio=round(1.0 + (wish.compression_ratio - 1.0) * strength * share, 3),
        knee_db=wish.knee_db,
        attack_s=wish.attack_s,
        release_s=wish.release_s,
        lift_threshold_dbfs=round(max(-69.0, min(0.0, level_dbfs)), 2) if lift else -40.0,
        lift_ratio=1.0 + (wish.lift_ratio - 1.0) * strength,
        max_lift_db=wish.max_lift_db,
    )


def _standing_out(k: int, figures: Sequence[Figures], norm: Norm) -> float:
    """0 where peaks stand out one spread less than in the norm, 0.5 where as much, 1 where one spread more."""
    crests = [one.crest_bands_db[k] for one in figures if len(one.crest_bands_db) > k]
    known = [crest for crest in crests if crest is not None]
    if norm.crest_bands_db is None or not known:
        return 0.5
    return float(np.clip(0.5 + 0.5 * (max(known) - norm.crest_bands_db[k]) / norm.crest_spread_db, 0.0, 1.0))


def _room(figures: Sequence[Figures], norm: Norm) -> float:
    """1 where the peaks stand as high over the loudness as in the norm, 0 where they stand one spread less high or lower."""
    known = [one.plr_lu for one in figures if one.plr_lu is not None]
    if norm.plr_lu is None or not known:
        return 1.0
    return float(np.clip(1.0 + (min(known) - norm.plr_lu) / norm.plr_spread_lu, 0.0, 1.0))


def _saturation(wish: ColourWish, peak_dbtp: float, strength: float, touch_ratio: float) -> SaturationSettings:
    drive_db = max(0.0, min(24.0, wish.drive_db * strength - peak_dbtp))
    return SaturationSettings(
        character=wish.character,
        drive_db=round(drive_db, 2),
        amount_ratio=round(min(1.0, wish.amount_ratio * touch_ratio), 3),
    )
