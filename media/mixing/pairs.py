"""Reads from the sound of several stems how they hang together: excerpts of a few seconds in all, so that length costs nothing.

What is to be read, and where, is decided beforehand from traces (`decisions.mixing.candidates`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import soxr

from dsp.audio import joined
from dsp.mixing.alignment import Alignment, aligned, frame_frames
from dsp.mixing.fitting import SumMeter
from dsp.windows import Lines
from media import store
from media.source import Source, open_source
from schemas.mix import REFERENCE, LinkWish, PairFigures, PairWish, SumFigures, SumWish
from schemas.stems import Song

MIN_PEAK_RATIO = 4.0
"""Height of a peak over the median: mixing practice of delay finders (Clifford and Reiss)."""
MIN_STABLE_RATIO = 0.6
"""Share of frames that must agree. Unrelated stems reach 0.2 (measured)."""
SUM_FRAME_S = 0.3
SUM_MAX_DELAY_S = 0.25
"""A bounce or a reference may lie so far off: encoders and exports add up to a tenth of a second."""
GRID_PER_S = 25
"""Every 40 ms files of all usual rates have a frame."""
ALIGNED_EXCERPTS = 12
"""Of a sum: as many tell the delay of all."""


def measured_links(song: Song, wish: LinkWish, rate_hz: int) -> tuple[tuple[PairFigures, ...], tuple[SumFigures, ...]]:
    """Every pair and sum of a wish; stems in a remote store are fetched once for all of them."""
    uris = {stem.stem_id: stem.uri for stem in song.stems}
    if song.reference is not None:
        uris[REFERENCE] = song.reference
    with ExitStack() as stack:
        paths = {name: stack.enter_context(store.fetched(uris[name])) for name in sorted(_names(wish))}
        pairs = tuple(pair_figures(paths, one, rate_hz) for one in wish.pairs)
        return pairs, tuple(sum_figures(paths, one, rate_hz) for one in wish.sums)


def pair_figures(paths: Mapping[str, Path], wish: PairWish, rate_hz: int) -> PairFigures:
    """How two stems lie against each other at the moments of a wish; delays in frames of the session's rate."""
    frames = frame_frames(rate_hz, wish.max_delay_s)
    firsts = _excerpts(paths[wish.first], wish.at_s, frames, rate_hz)
    excerpts = list(zip(firsts, _excerpts(paths[wish.second], wish.at_s, frames, rate_hz), strict=True))
    found = aligned(excerpts, rate_hz, wish.max_delay_s)
    return _pair(wish, found)


def sum_figures(paths: Mapping[str, Path], wish: SumWish, rate_hz: int) -> SumFigures:
    """How well a recording is the sum of others, read at the moments of a wish."""
    delay = _delay_of_sum(paths, wish, rate_hz)
    whole = round(delay)
    meter, frames = SumMeter(rate_hz, len(wish.parts)), round(SUM_FRAME_S * rate_hz)
    readers = [_excerpts(paths[name], wish.at_s, frames, rate_hz) for name in wish.parts]
    targets = _excerpts(paths[wish.target], wish.at_s, frames, rate_hz, later_frames=whole)
    for target, *parts in zip(targets, *readers, strict=True):
        meter.push(target, parts, early_frames=delay - whole)
    fit = meter.fit(signed=wish.signed)
    levels = zip(wish.parts, fit.levels_db, strict=True)
    return SumFigures(
        target=wish.target,
        gains_ratio=dict(zip(wish.parts, fit.gains_ratio, strict=True)),
        levels_db={name: level for name, level in levels if level is not None},
        delay_frames=round(delay, 3),
        residual_db=fit.residual_db,
        residual_bands_db=fit.residual_bands_db,
    )


def _names(wish: LinkWish) -> set[str]:
    pairs = {name for one in wish.pairs for name in (one.first, one.second)}
    return pairs | {name for one in wish.sums for name in (one.target, *one.parts)}


def _pair(wish: PairWish, found: Alignment | None) -> PairFigures:
    if found is None:  # where the one sounds the other is silent: they have nothing in common
        found = Alignment(0.0, 0.0, 0.0, 0.0, None, None)
    stable = found.stable_ratio >= MIN_STABLE_RATIO and found.peak_ratio > MIN_PEAK_RATIO
    return PairFigures(
        first=wish.first,
        second=wish.second,
        of=wish.of,
        delay_frames=round(found.delay_frames, 3) + 0.0 if stable else None,
        peak_ratio=round(found.peak_ratio, 2),
        stable_ratio=round(found.stable_ratio, 3),
        inverted=found.correlation < 0.0,
        correlation=round(found.correlation, 4),
        gain_db=None if found.gain_db is None else round(found.gain_db, 2),
        residual_db=None if found.residual_db is None else round(found.residual_db, 2),
    )


def _delay_of_sum(paths: Mapping[str, Path], wish: SumWish, rate_hz: int) -> float:
    """By how much the target comes later than the plain sum of the parts; 0 where nothing stable was found."""
    frames = frame_frames(rate_hz, SUM_MAX_DELAY_S)
    at_s = wish.at_s[:: max(1, len(wish.at_s) // ALIGNED_EXCERPTS)]
    readers = [_excerpts(paths[name], at_s, frames, rate_hz) for name in wish.parts]
    sums: list[Lines] = [_summed(parts) for parts in zip(*readers, strict=True)]
    targets = _excerpts(paths[wish.target], at_s, frames, rate_hz)
    found = aligned(list(zip(sums, targets, strict=True)), rate_hz, SUM_MAX_DELAY_S)
    if found is None or found.stable_ratio < MIN_STABLE_RATIO or found.peak_ratio <= MIN_PEAK_RATIO:
        return 0.0
    return found.delay_frames


def _summed(parts: Sequence[Lines]) -> Lines:
    total = np.zeros((2, parts[0].shape[1]), np.float32)
    for lines in parts:
        total += lines
    return total


def _excerpts(path: Path, at_s: Sequence[float], frames: int, rate_hz: int, later_frames: int = 0) -> Iterator[Lines]:
    """So many frames at the session's rate around each moment, (channels, frames); silence where the file has none.

    They begin on a grid on which files of all usual rates have a frame, so that none lies off by a part of one.
    """
    grid = max(1, rate_hz // GRID_PER_S)
    lead = -(-max(0, -later_frames) // grid) * grid
    offset = lead + later_frames
    with open_source(path) as source:
        for moment_s in at_s:
            start = round((moment_s * rate_hz - frames // 4) / grid) * grid - lead
            yield _read(source, start, frames + offset, rate_hz)[:, offset:]


def _read(source: Source, start: int, frames: int, rate_hz: int) -> Lines:
    """So many frames at the session's rate from a frame at that rate on, of a file of any rate."""
    own_hz = source.format.rate_hz
    first, count = round(start * own_hz / rate_hz), -(-frames * own_hz // rate_hz)
    begin, end = max(0, first), min(source.format.frames, first + count)
    lines = np.zeros((source.format.channels, count), np.float32)
    if begin < end:
        lines[:, begin - first : end - first] = joined(source.blocks(begin, end)).T
    return lines if own_hz == rate_hz else _resampled(lines, own_hz, rate_hz, frames)


def _resampled(lines: Lines, own_hz: int, rate_hz: int, frames: int) -> Lines:
    """The same at another rate, cut or filled to so many frames."""
    found = soxr.resample(np.ascontiguousarray(lines.T), own_hz, rate_hz, quality="HQ").T[:, :frames]
    out = np.zeros((len(lines), frames), np.float32)
    out[:, : found.shape[1]] = found
    return out
