"""Loudness and true peak of a programme measured in pieces, perhaps on several machines: merged, they are those of the whole.

What travels is the K-weighted energy of each 10 ms (the first and the last may be parts of one) and the peak.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

import numpy as np

from dsp.audio import Audio, Floats
from dsp.gating import GatingBlocks
from dsp.loudness import Loudness, LoudnessMeter, gating_blocks_of, loudness_of
from dsp.ticks import TickGrid
from dsp.true_peak import TruePeakMeter

RUN_IN_S = 0.5
"""What comes before a piece must be heard for so long: the K-weighting forgets 120 dB in 60 ms (BS.1770 at 38 Hz)."""
RUN_OUT_S = 0.2
"""Completes the last stretch of the true-peak meter, and the reach of its filter."""


class Piece(NamedTuple):
    """A stretch of a programme, from `start_frame` to before `end_frame`."""

    rate_hz: int
    start_frame: int
    end_frame: int
    energies: Floats
    """Of each tick that ends in the piece; of the first, only what lies in the piece."""
    open_energy: float
    """Of the tick that the piece leaves unfinished."""
    true_peak_ratio: float

    def loudness(self) -> Loudness:
        """Loudness of a whole programme; raises ValueError for a piece that does not begin at its start."""
        return loudness_of(self._whole(), TickGrid(self.rate_hz))

    def gating_blocks(self) -> GatingBlocks:
        """Gating blocks of a whole programme; raises ValueError for a piece that does not begin at its start."""
        return gating_blocks_of(self._whole(), TickGrid(self.rate_hz))

    def _whole(self) -> Floats:
        if self.start_frame:
            raise ValueError(
                f"a programme begins at frame 0, this piece at {self.start_frame}: merge what comes before it"
            )
        return self.energies


def measure_piece(
    audio: Audio, rate_hz: int, *, start_frame: int = 0, before: Audio | None = None, after: Audio | None = None
) -> Piece:
    """Measures one piece (frames, channels) of a programme.

    `before` is at least RUN_IN_S of what comes before it and `after` at least RUN_OUT_S of what follows; all there is, if less.

    >>> tone = np.sin(np.arange(96_000) / 7.0)[:, None]
    >>> first = measure_piece(tone[:50_000], 48_000, after=tone[50_000:])
    >>> second = measure_piece(tone[50_000:], 48_000, start_frame=50_000, before=tone[:50_000])
    >>> apart, whole = merged([second, first]).loudness(), measure_piece(tone, 48_000).loudness()
    >>> abs(apart.integrated_lufs - whole.integrated_lufs) < 1e-9
    True
    """
    meter, peaks = (
        LoudnessMeter(rate_hz, audio.shape[1], start_frame=start_frame),
        TruePeakMeter(rate_hz, audio.shape[1]),
    )
    if before is not None:
        meter.settle(before)
        peaks.settle(before)
    meter.push(audio)
    peaks.push(audio)
    run_out = round(RUN_OUT_S * rate_hz)
    if after is not None:  # a peak of what follows is a peak of the programme too
        peaks.push(after[:run_out])
    found = peaks.peaks() if after is not None and len(after) >= run_out else peaks.finish()
    return Piece(
        rate_hz=rate_hz,
        start_frame=start_frame,
        end_frame=start_frame + len(audio),
        energies=meter.energies(),
        open_energy=meter.open_energy(),
        true_peak_ratio=float(found.max(initial=0.0)),
    )


def merged(pieces: Iterable[Piece]) -> Piece:
    """Pieces that follow one another, given in any order, as one; raises ValueError where one is missing."""
    # An empty piece goes before the one that begins at the same frame.
    in_order = sorted(pieces, key=lambda piece: (piece.start_frame, piece.end_frame))
    if not in_order:
        raise ValueError("no piece was given: at least one is needed")
    return reduce(_followed_by, in_order)


def _followed_by(one: Piece, other: Piece) -> Piece:
    if (one.end_frame, one.rate_hz) != (other.start_frame, other.rate_hz):
        have = f"one ends at frame {one.end_frame} ({one.rate_hz} Hz)"
        raise ValueError(f"{have}, the next begins at frame {other.start_frame} ({other.rate_hz} Hz)")
    rest, open_energy = other.energies.copy(), other.open_energy
    if len(rest):
        rest[0] += one.open_energy
    else:
        open_energy += one.open_energy
    return Piece(
        rate_hz=one.rate_hz,
        start_frame=one.start_frame,
        end_frame=other.end_frame,
        energies=np.concatenate([one.energies, rest]),
        open_energy=open_energy,
        true_peak_ratio=max(one.true_peak_ratio, other.true_peak_ratio),
    )
