"""Where the band of a recording ends, and what ended it: read off its long-term spectrum, in strips of 100 Hz.

Microphones, tape and instruments fade out; filters of converters and coders cut. A converter's filter lies just below half a
standard rate, so a band that ends there in a file of a higher rate tells that it was made at the lower one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dsp.audio import Floats

STRIP_HZ = 100.0
BELOW = slice(6, 2)
"""Strips before an edge whose median is what falls: music is dense there, a single tone ends nothing."""
GAP = 3
"""Strips after an edge to which its fall is measured: a coder's filter is 300 to 600 Hz wide."""
EDGE_DB = 18.0
"""Lossless music falls by 7 dB at most, behind filters of 36 dB an octave by 16, of coders by 17 to 60. Tuned."""
LOWEST_EDGE_HZ = 4_000.0
FAINT_DB = -77.0
"""Of a strip, re the whole: what ends below this may as well be the last harmonic of a synthesiser. Tuned."""
OVER_FLOOR_DB = 6.0
"""What stands out of a floor."""
PLATEAU_RATIO, PLATEAU_DB = 0.05, 0.3
"""There is a floor if the top twentieth of the band and the next but one are as loud: music falls by 3 dB an octave or more."""
RATES_HZ = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000)
CONVERTER_RATIO = (0.48, 0.51)
"""Re the rate: where a converter's filter reaches the floor; coders that cut near half a rate stay below."""
HIGH_RATE_HZ, HIGH_RATE_RATIO = 88_200, (0.45, 0.58)
"""In files of high rates no coder cuts there, so that the gentle filters of cheap converters can be told as well."""
PASSED_RATIO, HIGH_PASSED_RATIO = (0.42, 0.455), (0.36, 0.44)
"""Re the rate: what a converter's filter leaves alone, a good one's and any one's."""
UPSAMPLED_DB = 20.0
"""Fall from there to everything above, which holds rounding and dither alone."""
MASTER_RATE_HZ = 44_100
"""Nothing ends by chance at half of this rate or above, however faint. Below it synthesisers end, and coders."""
EVEN_DB = 10.0
"""The highest strip of a floor over its median: more is a filter that has not yet reached it."""
NOTHING = 1e-20
"""-200 dB: far below the rounding of 24 bits, and of the transform."""


class BandEnd(NamedTuple):
    """How a band ends."""

    bandwidth_hz: float | None = None
    """Highest frequency that stands out of the floor above it; None for silence, half the rate where there is no floor."""
    edge_hz: float | None = None
    """Where the band ends too steeply for anything but a filter of a coder or a converter."""
    upsampled_from_hz: float | None = None
    """The lower standard rate at whose half it ends."""


class _Strips(NamedTuple):
    """A spectrum in strips."""

    levels_dbfs: Floats
    whole_dbfs: float
    width_hz: float
    rate_hz: float


class _ConvertedEnd(NamedTuple):
    """The end of a band at half of a rate."""

    off_ratio: float
    """From half the rate to where the band has fallen half way, re the rate."""
    rate_hz: float
    strips: int


def band_end(fine_power: Floats, bin_hz: float) -> BandEnd:
    """Reads the end of the band off a spectrum (`SpectrumMeter.fine_power`).

    >>> power = np.where(np.arange(8192) < 6000, 1e-9, 1e-14)
    >>> band_end(power, 48_000 / 16_384)
    BandEnd(bandwidth_hz=17631.0, edge_hz=17631.0, upsampled_from_hz=None)
    """
    bins = max(1, round(STRIP_HZ / bin_hz))
    count = len(fine_power) // bins
    power = fine_power[: count * bins].reshape(count, bins).sum(axis=1)
    if not power.any():
        return BandEnd()
    strips = _Strips(
        levels_dbfs=10.0 * np.log10(np.maximum(power, NOTHING)),
        whole_dbfs=10.0 * math.log10(max(float(power.sum()), NOTHING)),
        width_hz=bins * bin_hz,
        rate_hz=2.0 * len(fine_power) * bin_hz,
    )
    edge, converted = _edge(strips), _converted_end(strips)
    end = edge or (converted.strips if converted else _end_of_music(strips))
    return BandEnd(
        bandwidth_hz=round(end * strips.width_hz, 0),
        edge_hz=round(edge * strips.width_hz, 0) if edge else None,
        upsampled_from_hz=converted.rate_hz if converted else None,
    )


def _edge(strips: _Strips) -> int | None:
    """Strips below the steepest fall to all that lies above, if it is steep enough and not faint."""
    levels_dbfs = strips.levels_dbfs
    above_dbfs = np.maximum.accumulate(levels_dbfs[::-1])[::-1]
    best_db, best = EDGE_DB, None
    for i in range(max(BELOW.start, round(LOWEST_EDGE_HZ / strips.width_hz)), len(levels_dbfs) - 2 * GAP):
        below_dbfs = float(np.median(levels_dbfs[i - BELOW.start : i - BELOW.stop]))
        if below_dbfs > strips.whole_dbfs + FAINT_DB and below_dbfs - above_dbfs[i + GAP] > best_db:
            best_db, best = below_dbfs - float(above_dbfs[i + GAP]), i
    return None if best is None else _last_over(levels_dbfs, float(above_dbfs[best + GAP]) + OVER_FLOOR_DB)


def _end_of_music(strips: _Strips) -> int:
    """Strips below the last that stands out of a plateau of noise; all of them where there is none."""
    count = len(strips.levels_dbfs)
    width = max(1, round(PLATEAU_RATIO * count))
    floor_dbfs = float(np.median(strips.levels_dbfs[-width:]))
    before_dbfs = float(np.median(strips.levels_dbfs[-3 * width : -2 * width]))
    level = abs(floor_dbfs - before_dbfs) < PLATEAU_DB
    return (_last_over(strips.levels_dbfs, floor_dbfs + OVER_FLOOR_DB) if level else 0) or count


def _last_over(levels_dbfs: Floats, threshold_dbfs: float) -> int:
    """How many strips there are up to the last above a threshold."""
    over = np.flatnonzero(levels_dbfs > threshold_dbfs)
    return int(over[-1]) + 1 if len(over) else 0


def _converted_end(strips: _Strips) -> _ConvertedEnd | None:
    """As the converter of that standard rate ends it whose half is nearest to where it has fallen half way."""
    found = [end for rate_hz in RATES_HZ if (end := _end_at(strips, float(rate_hz)))]
    return min(found) if found else None


def _end_at(strips: _Strips, rate_hz: float) -> _ConvertedEnd | None:
    """The end of a band that a converter of this rate may have ended."""
    high = strips.rate_hz >= HIGH_RATE_HZ and rate_hz >= MASTER_RATE_HZ
    ratios = (*HIGH_PASSED_RATIO, *HIGH_RATE_RATIO) if high else (*PASSED_RATIO, *CONVERTER_RATIO)
    first, last, lowest, highest = (round(ratio * rate_hz / strips.width_hz) for ratio in ratios)
    levels_dbfs = strips.levels_dbfs
    if highest + 2 * GAP > len(levels_dbfs) or first == last:
        return None
    floor_dbfs, passed_dbfs = float(levels_dbfs[highest:].max()), float(np.median(levels_dbfs[first:last]))
    even = high or floor_dbfs - float(np.median(levels_dbfs[highest:])) < EVEN_DB
    faint = passed_dbfs < strips.whole_dbfs + FAINT_DB and rate_hz < MASTER_RATE_HZ
    end = _last_over(levels_dbfs, floor_dbfs + OVER_FLOOR_DB)
    if faint or not even or passed_dbfs - floor_dbfs < UPSAMPLED_DB or not lowest <= end <= highest:
        return None
    half_way = _last_over(levels_dbfs, (floor_dbfs + passed_dbfs) / 2.0)
    return _ConvertedEnd(abs(half_way * strips.width_hz / rate_hz - 0.5), rate_hz, end)
