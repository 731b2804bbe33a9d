"""A constant gain."""

from __future__ import annotations

from dsp.audio import Audio, silence, to_gain
from dsp.settings import GainSettings


class Gain:
    """Multiplies by a constant; 0 dB passes every bit."""

    latency = 0

    def __init__(self, settings: GainSettings, rate_hz: int, channels: int) -> None:
        self._ratio = to_gain(settings.gain_db)
        self._channels = channels

    def push(self, block: Audio) -> Audio:
        """The block times the gain."""
        return block if self._ratio == 1.0 else block * self._ratio

    def finish(self) -> Audio:
        """Nothing: a gain holds nothing back."""
        return silence(0, self._channels)
