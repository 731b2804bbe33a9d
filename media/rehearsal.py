"""Tries a few gains: how loud a track comes out of the limiter, and how hard the limiter works. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from dsp.audio import Audio, to_gain
from dsp.chain import start_chain
from dsp.limiter import Trials
from dsp.loudness import LoudnessMeter, gating_blocks_of, loudness_of
from media.source import in_blocks
from schemas.steps import Draft, Take


def rehearse(draft: Draft, blocks: Iterable[Audio]) -> tuple[Take, ...]:
    """One take for each gain of the draft, all in one pass over the track's sound."""
    rate_hz, channels = draft.analysis.format.rate_hz, draft.analysis.format.channels
    head = start_chain(draft.head.settings(), rate_hz, channels)
    rehearsal = _Rehearsal(draft)
    for block in blocks:
        rehearsal.push(head.push(block))
    rehearsal.push(head.finish())
    return rehearsal.takes()


class _Rehearsal:
    """A limiter and a meter for each gain; the gain itself, after which nothing changes the sound, is put into the figures."""

    def __init__(self, draft: Draft) -> None:
        rate_hz, channels = draft.analysis.format.rate_hz, draft.analysis.format.channels
        self._gains_db = draft.gains_db
        self._trials = Trials(draft.limiter, draft.gains_db, rate_hz, channels)
        self._meters = [
            LoudnessMeter(rate_hz, channels, dual_mono=draft.analysis.dual_mono, stereo=False) for _ in draft.gains_db
        ]

    def push(self, ready: Audio) -> None:
        for block in in_blocks(ready):
            self._measure(self._trials.push(block))

    def takes(self) -> tuple[Take, ...]:
        self._measure(self._trials.finish())
        return tuple(self._take(k) for k in range(len(self._gains_db)))

    def _measure(self, limited: list[Audio]) -> None:
        for meter, block in zip(self._meters, limited, strict=True):
            meter.push(block)

    def _take(self, k: int) -> Take:
        meter, limiter, gain_db = self._meters[k], self._trials.gains[k], self._gains_db[k]
        energies = meter.energies() * to_gain(gain_db) ** 2
        return Take(
            gain_db=gain_db,
            gating=gating_blocks_of(energies, meter.grid),
            max_reduction_db=limiter.max_reduction_db,
            mean_reduction_db=limiter.mean_reduction_db,
            max_short_term_lufs=loudness_of(energies, meter.grid).max_short_term_lufs,
        )
