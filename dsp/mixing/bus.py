"""Bus compressor: the gain that a compressor would give to the sum of some stems, to be multiplied on each of them.

So the stems still add up to the mix. Curve and times are those of `dsp.compressor`, computed by the same kernel.
"""

from __future__ import annotations

import numpy as np

from dsp.audio import Audio, Floats
from dsp.compressor import Law, reductions
from dsp.settings import CompressorSettings


class BusCompressor:
    """Gains of a bus from its sum, frame by frame; no latency; exactly 1 below the knee.

    >>> bus = BusCompressor(CompressorSettings(threshold_dbfs=-20.0), rate_hz=48_000)
    >>> bus.push(np.full((2, 2), 0.01)).tolist()
    [1.0, 1.0]
    """

    def __init__(self, settings: CompressorSettings, rate_hz: int) -> None:
        self._law = Law.of(settings, rate_hz)
        self._state = np.zeros(2)

    def push(self, key: Audio) -> Floats:
        """The gain ratio of each frame of the key."""
        gains = np.empty(len(key))
        reductions(key, self._law, self._state, gains)
        return gains
