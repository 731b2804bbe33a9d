"""Decides what the carrier asks of every master, whatever the music: filters at both ends, bass in the middle, quiet pauses."""

from __future__ import annotations

from decisions.dynamics import NO_STYLE, refused
from decisions.material import Material
from decisions.tone import INTENSITY
from dsp.bands import BAND_EDGES_HZ
from dsp.settings import Band, ExpanderSettings, ImagerSettings, ParametricSettings
from schemas.plan import Decision
from schemas.profile import CarrierChoice, Profile

HIGHEST_RATE_SHARE = 0.45
"""A low-pass above this share of the rate has nothing to do."""


def decide_ends(carrier: CarrierChoice | None, rate_hz: int) -> tuple[ParametricSettings | None, Decision]:
    """High-pass and low-pass of a carrier."""
    bands = []
    if carrier is not None and carrier.highpass_hz is not None:
        bands.append(Band(kind="highpass", freq_hz=carrier.highpass_hz))
    if carrier is not None and carrier.lowpass_hz is not None and carrier.lowpass_hz < HIGHEST_RATE_SHARE * rate_hz:
        bands.append(Band(kind="lowpass", freq_hz=carrier.lowpass_hz))
    if not bands:
        return None, Decision(what="band limits", how_much="off", why="the carrier asks for none")
    how_much = " and ".join(f"{band.kind} {band.freq_hz:g} Hz" for band in bands)
    return ParametricSettings(bands=tuple(bands)), Decision(what="band limits", how_much=how_much, why="the carrier")


def decide_mono_bass(
    carrier: CarrierChoice | None, bass_correlation: float | None
) -> tuple[ImagerSettings | None, Decision]:
    """Bass without a side signal, where the carrier cannot hold one and there is one."""
    what = "bass in the middle"
    if carrier is None or carrier.mono_below_hz is None:
        return None, Decision(what=what, how_much="off", why="the carrier does not ask for it")
    if bass_correlation is None or bass_correlation > 0.9999:
        return None, Decision(what=what, how_much="off", why="the bass has no side signal")
    settings = ImagerSettings(
        edges_hz=BAND_EDGES_HZ,
        widths_ratio=(1.0,) * (len(BAND_EDGES_HZ) + 1),
        mono_below_hz=carrier.mono_below_hz,
        recover_ratio=1.0,
    )
    why = f"the carrier asks for it; the correlation of the bass is {bass_correlation:.2f}"
    return settings, Decision(what=what, how_much=f"below {carrier.mono_below_hz:g} Hz", why=why)


def decide_expander(
    loudness_lufs: float | None, material: Material, profile: Profile
) -> tuple[ExpanderSettings | None, Decision]:
    """An expander that lowers what lies between the words of a voice."""
    wish = profile.taste.speech
    if wish is None or wish.expansion_ratio == 1.0 or loudness_lufs is None:
        return None, Decision(what="expander", how_much="off", why=NO_STYLE)
    if not material.dynamics:
        return None, refused("expander", material)
    range_db = min(12.0, wish.expander_range_db * INTENSITY[profile.intensity] * material.touch_ratio)
    threshold_dbfs = max(-100.0, min(0.0, loudness_lufs - wish.under_loudness_db))
    settings = ExpanderSettings(
        threshold_dbfs=round(threshold_dbfs, 2), expansion_ratio=wish.expansion_ratio, range_db=round(range_db, 2)
    )
    why = f"the style: {wish.under_loudness_db:g} dB under the loudness of {loudness_lufs:.1f} LUFS a voice is silent"
    return settings, Decision(what="expander", how_much=f"to -{range_db:g} dB", why=why)
