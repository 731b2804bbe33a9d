"""Gate: shuts the pauses of a stem, so that what bleeds into them from its neighbours is not heard.

It looks ahead, and is open when the sound begins. The detector may listen to a band alone: to the crack of a snare, not to the
kick. Open, it passes every bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dsp.audio import Audio, Floats, silence, to_gain
from dsp.kernel import kernel
from dsp.parametric import Parametric
from dsp.settings import Band, GateSettings, ParametricSettings

LOWEST_HZ, HIGHEST_HZ = 20.0, 20_000.0
"""A detector from here to there listens to everything, unfiltered."""
SLOPE = 2
"""Second-order filters at each end of the detector's band: together 24 dB an octave, -6 dB at the end (our choice)."""


class _Law(NamedTuple):
    open_from: float
    shut_below: float
    hold: int
    most: float
    opening: float
    """dB a frame."""
    shutting: float


class Gate:
    """Turned down by `range_db` while shut; in straight lines of dB, all the way in `attack_s` or `release_s`; starts shut.

    With a look-ahead no shorter than the attack it is open when the sound comes that opened it: no onset is touched.

    >>> from dsp.chain import process
    >>> settings = GateSettings(threshold_dbfs=-20.0, range_db=40.0)
    >>> audio = np.concatenate([np.full((480, 1), 0.01), np.full((480, 1), 0.5)])
    >>> process(audio, 48_000, settings)[[0, 480], 0].round(6).tolist()
    [0.0001, 0.5]
    """

    def __init__(self, settings: GateSettings, rate_hz: int, channels: int) -> None:
        self.latency = round(settings.lookahead_s * rate_hz)
        """Frames of the look-ahead."""
        self._detector = detector(settings.low_hz, settings.high_hz, rate_hz, channels)
        # No level is known in less than half a wave, and what is heard ahead must not be shut ahead.
        hold = round((settings.hold_s + 0.5 / settings.low_hz) * rate_hz) + self.latency
        self._law = _Law(
            to_gain(settings.threshold_dbfs),
            to_gain(settings.threshold_dbfs - settings.hysteresis_db),
            hold,
            settings.range_db,
            settings.range_db / max(1.0, settings.attack_s * rate_hz),
            settings.range_db / max(1.0, settings.release_s * rate_hz),
        )
        # Whether it is open, frames since it was last told to be, and the reduction in dB.
        self._state = np.array([0.0, 0.0, settings.range_db])
        self._line = silence(self.latency, channels)
        self._to_drop = self.latency

    def push(self, block: Audio) -> Audio:
        """As many frames as the block has, less those that are held back at the start."""
        gains = np.empty(len(block))
        _gate(self._detector.push(block) if self._detector else block, self._law, self._state, gains)
        line = np.concatenate([self._line, block])
        self._line = line[len(block) :]
        dropped = min(self._to_drop, len(block))
        self._to_drop -= dropped
        return np.asarray(line[dropped : len(block)] * gains[dropped:, None])

    def finish(self) -> Audio:
        """The frames that were held back, with silence to follow."""
        return self.push(silence(self.latency, self._line.shape[1]))


def detector(low_hz: float, high_hz: float, rate_hz: int, channels: int) -> Parametric | None:
    """The filter of what a detector listens to; None where that is everything."""
    bands = []
    if low_hz > LOWEST_HZ:
        bands += [Band(kind="highpass", freq_hz=low_hz)] * SLOPE
    if high_hz < HIGHEST_HZ:
        bands += [Band(kind="lowpass", freq_hz=high_hz)] * SLOPE
    return Parametric(ParametricSettings(bands=tuple(bands)), rate_hz, channels) if bands else None


@kernel
def _gate(heard: Audio, law: _Law, state: Floats, gains: Floats) -> None:
    """Opens at `open_from`; shuts when no frame has reached `shut_below` for `hold`; y goes by its slope to 0 or to the range.

    gains[n] = 10^(-y / 20), exactly 1 where y is 0.
    """
    is_open, age, y = state[0] > 0.0, state[1], state[2]
    for n in range(heard.shape[0]):
        peak = 0.0
        for channel in range(heard.shape[1]):
            peak = max(peak, abs(heard[n, channel]))
        age += 1.0
        if peak >= law.open_from:
            is_open = True
        if is_open and peak >= law.shut_below:
            age = 0.0
        if age > law.hold:
            is_open = False
        y = max(0.0, y - law.opening) if is_open else min(law.most, y + law.shutting)
        gains[n] = 10.0 ** (-y / 20.0) if y > 0.0 else 1.0
    state[0], state[1], state[2] = 1.0 if is_open else 0.0, age, y
