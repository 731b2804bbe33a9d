"""De-esser: turns down s, z and sh where they hiss, and leaves voice, cymbals and air alone.

A sibilant is a moment in which the band around 7 kHz is most of the sound. That is asked of every moment by a threshold
relative to the whole signal, so that neither the level of the voice nor the brightness of the song matters.
"""

from __future__ import annotations

from dsp.dynamic_equaliser import DynamicEqualiser
from dsp.settings import DeEsserSettings, DynamicBand, DynamicEqualiserSettings


class DeEsser(DynamicEqualiser):
    """A dynamic equaliser of one relative band; no latency.

    >>> import numpy as np
    >>> from dsp.chain import process
    >>> hiss = 0.1 * np.sin(2.0 * np.pi * 6_800.0 / 48_000 * np.arange(48_000))[:, None]
    >>> out = process(hiss, 48_000, DeEsserSettings(max_cut_db=5.0))
    >>> (20.0 * np.log10(np.abs(out[-4_800:]).max() / 0.1)).round(1).item()
    -5.0
    """

    def __init__(self, settings: DeEsserSettings, rate_hz: int, channels: int) -> None:
        band = DynamicBand(
            freq_hz=settings.freq_hz,
            threshold_db=settings.threshold_db,
            relative=True,
            quality_ratio=settings.quality_ratio,
            compression_ratio=settings.compression_ratio,
            max_cut_db=settings.max_cut_db,
            attack_s=settings.attack_s,
            release_s=settings.release_s,
        )
        super().__init__(DynamicEqualiserSettings(bands=(band,)), rate_hz, channels)
