"""True-peak limiter with look-ahead: no sample and no value between samples exceeds the ceiling.

`dsp.side_chain` says what it hears, `dsp.gain_computer` what it does about it.
"""

from __future__ import annotations

from collections.abc import Sequence

from dsp.audio import Audio, to_gain
from dsp.gain_computer import GainComputer
from dsp.settings import LimiterSettings
from dsp.side_chain import SideChain, Stretch

MARGIN_DB = 0.08
"""Room under the ceiling for what 8x does not see and for the dither; measured by `benchmarks/limiter.py`."""


class Limiter:
    """Keeps a track under its ceiling; channels share one gain.

    Of `heard` channels alone it keeps the peaks down, so far under the ceiling; those after them follow with the same gain,
    wherever that puts their own.

    >>> import numpy as np
    >>> from dsp.chain import render
    >>> limiter = Limiter(LimiterSettings(ceiling_dbtp=-6.0), 48_000, 1)
    >>> loud = np.sin(np.arange(9_600) * 0.1)[:, None]
    >>> bool(np.abs(render(limiter, loud)).max() <= 10 ** (-6 / 20)), limiter.max_reduction_db > 6.0
    (True, True)
    """

    def __init__(
        self,
        settings: LimiterSettings,
        rate_hz: int,
        channels: int,
        heard: int | None = None,
        margin_db: float = MARGIN_DB,
    ) -> None:
        ceiling = to_gain(settings.ceiling_dbtp - margin_db)
        self._gain = GainComputer(settings, ceiling, rate_hz)
        self._side_chain = SideChain(ceiling, self._gain.delay, channels, heard)
        self.latency = self._side_chain.latency

    @property
    def max_reduction_db(self) -> float:
        """The deepest gain reduction so far."""
        return self._gain.max_reduction_db

    @property
    def mean_reduction_db(self) -> float:
        """The reduction of the mean gain so far."""
        return self._gain.mean_reduction_db

    @property
    def course_db(self) -> list[float]:
        """The deepest gain reduction of each tenth of a second so far, from the first frame that came out."""
        return self._gain.course_db

    def push(self, block: Audio) -> Audio:
        """What is ready: all but the last `latency` frames."""
        return self._gain.apply(self._side_chain.push(block))

    def finish(self) -> Audio:
        """The last frames."""
        return self._gain.apply(self._side_chain.finish())


class Trials:
    """One limiter after each of several gains: they share a side-chain, for a gain of 6 dB is a ceiling 6 dB lower.

    What lies between samples is read more finely where it comes near the lowest of the ceilings, alone at its own: the two differ
    by hundredths of a dB.

    >>> import numpy as np
    >>> trials = Trials(LimiterSettings(ceiling_dbtp=-6.0), (0.0, 6.0), 48_000, 1)
    >>> quiet, loud = trials.push(0.5 * np.sin(np.arange(96_000) * 0.1)[:, None])
    >>> float(np.abs(quiet).max()).__round__(3), float(np.abs(loud).max()).__round__(3)  # before the gain of 6 dB
    (0.497, 0.249)
    """

    def __init__(self, settings: LimiterSettings, gains_db: Sequence[float], rate_hz: int, channels: int) -> None:
        ceilings = [to_gain(settings.ceiling_dbtp - MARGIN_DB - gain_db) for gain_db in gains_db]
        self.gains = [GainComputer(settings, ceiling, rate_hz) for ceiling in ceilings]
        self._side_chain = SideChain(min(ceilings), self.gains[0].delay, channels)

    def push(self, block: Audio) -> list[Audio]:
        """What is ready for each gain, without that gain itself."""
        return self._apart(self._side_chain.push(block))

    def finish(self) -> list[Audio]:
        """The last frames."""
        return self._apart(self._side_chain.finish())

    def _apart(self, stretch: Stretch) -> list[Audio]:
        return [gain.apply(stretch) for gain in self.gains]
