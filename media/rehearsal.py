"""Tries a few gains: how loud a track comes out of the limiter, and how hard the limiter works. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from dsp.audio import Audio
from dsp.chain import start_chain
from dsp.gain import Gain
from dsp.limiter import Limiter
from dsp.loudness import LoudnessMeter
from dsp.settings import GainSettings
from schemas.steps import Draft, Take


def rehearse(draft: Draft, blocks: Iterable[Audio]) -> tuple[Take, ...]:
    """One take for each gain of the draft, all in one pass over the track's sound."""
    rate_hz, channels = draft.analysis.format.rate_hz, draft.analysis.format.channels
    head = start_chain(draft.head.settings(), rate_hz, channels)
    tries = [_Try(gain_db, draft) for gain_db in draft.gains_db]
    for block in blocks:
        ready = head.push(block)
        for one in tries:
            one.push(ready)
    tail = head.finish()
    return tuple(one.finish(tail) for one in tries)


class _Try:
    """Gain, limiter and meter for one of the gains."""

    def __init__(self, gain_db: float, draft: Draft) -> None:
        rate_hz, channels = draft.analysis.format.rate_hz, draft.analysis.format.channels
        self._gain_db = gain_db
        self._gain = Gain(GainSettings(gain_db=gain_db), rate_hz, channels)
        self._limiter = Limiter(draft.limiter, rate_hz, channels)
        self._meter = LoudnessMeter(rate_hz, channels, dual_mono=draft.analysis.dual_mono)

    def push(self, block: Audio) -> None:
        self._meter.push(self._limiter.push(self._gain.push(block)))

    def finish(self, tail: Audio) -> Take:
        self.push(tail)
        self._meter.push(self._limiter.finish())
        return Take(
            gain_db=self._gain_db,
            gating=self._meter.gating_blocks(),
            max_reduction_db=self._limiter.max_reduction_db,
            mean_reduction_db=self._limiter.mean_reduction_db,
            max_short_term_lufs=self._meter.loudness().max_short_term_lufs,
        )
