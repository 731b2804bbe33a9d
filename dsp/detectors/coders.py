"""The lapped transforms of lossy coders, as filters for one window of sound: some of each coder's basis functions.

MP3: ISO/IEC 11172-3; AAC: 14496-3, Vorbis: Vorbis I; Opus: RFC 6716 with 20 ms at 48 kHz. AAC and Vorbis differ in the slopes
of their windows alone, and Vorbis's lies between those of AAC: it stands for all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Floats
from dsp.fourier import Places, Plane
from dsp.windows import WINDOW_FRAMES

HOP = 16
"""Frames between computed values: a coder's values turn so slowly that a straight line between two is 50 dB exact."""
HOPS = WINDOW_FRAMES // HOP
FUNCTIONS = 48
LOWEST_RATIO, HIGHEST_RATIO = 0.09, 0.34
"""Where the functions lie, re the rate (4 to 15 kHz): coarsely quantised, and below where coders cut. Tuned."""
MOST_RATE_HZ = 48_000
OPUS_RATE_HZ = 48_000
OPUS_EMPHASIS = 0.85  # RFC 6716, 4.3: decoded sound passes 1 / (1 - 0.85 / z)
MP3_PROTOTYPE = (1.0, 1.0000314, 0.9962570, 0.9393555, 0.7071501, 0.3429538, 0.0865758, 0.0077303)
"""The lowpass of 512 taps of ISO/IEC 11172-3 (table C.1) as a cosine series; it repeats the table to -98 dB."""
MP3_LINES = (7, 8, 9)
"""Of the 18 lines of a subband those that no butterfly mixes with the next subband's."""


class Coder(NamedTuple):
    """A coder's transform."""

    name: str
    period: int
    """Frames from one block to the next, a multiple of `HOP`."""
    moves: bool
    """Whether its blocks shift by a part of the period now and then."""
    length: int
    """Frames of a function."""
    real: Plane
    """(HOPS, functions): each function's conjugate spectrum around its middle, bin b of a window in row b % HOPS."""
    imaginary: Plane
    middles: Places
    """In bins of a window's spectrum."""
    between: NDArray[np.float32]
    """(4, functions, HOP): the weights at each frame of a hop of the values before and after, real and imaginary."""


@lru_cache(maxsize=4)
def coders_at(rate_hz: int) -> tuple[Coder, ...]:
    """The coders that may have made a recording of this rate."""
    if rate_hz > MOST_RATE_HZ:
        return ()
    return (_long_blocks(), _mp3(), _opus()) if rate_hz == OPUS_RATE_HZ else (_long_blocks(), _mp3())


def _long_blocks() -> Coder:
    """AAC and Vorbis: MDCT of 1024 values, overlapping by half."""
    return _coder("AAC or Vorbis", 1024, _mdct(1024, _slope(2048)), moves=True)


def _opus() -> Coder:
    """CELT: MDCT of 960 values that overlap by 120 only."""
    rise = _slope(240)[:120]
    functions = _mdct(960, np.concatenate([np.zeros(420), rise, np.ones(840), rise[::-1], np.zeros(420)]))
    emphasised = np.pad(functions, ((0, 0), (1, 0)))
    emphasised[:, :-1] -= OPUS_EMPHASIS * functions
    return _coder("Opus", 960, emphasised, moves=False)


def _slope(length: int) -> Floats:
    """Vorbis I, 4.3.1."""
    return np.asarray(np.sin(np.pi / 2.0 * np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2))


def _mdct(values: int, window: Floats) -> Floats:
    """Functions w[n] cos(pi / N (n + 1/2 + N/2) (k + 1/2)), evenly spread over the frequencies that are looked at."""
    k = np.linspace(LOWEST_RATIO, HIGHEST_RATIO, FUNCTIONS) * 2 * values // 1
    n = np.arange(2 * values) + 0.5
    return np.asarray(window * np.cos(np.pi / values * (n + values / 2) * (k[:, None] + 0.5)))


def _mp3() -> Coder:
    """A filterbank of 32 subbands, and an MDCT of 18 values in each."""
    lowest = round(LOWEST_RATIO * 64)
    subbands = range(lowest, lowest + FUNCTIONS // len(MP3_LINES))
    return _coder("MP3", 576, np.stack([_hybrid(s, line) for s in subbands for line in MP3_LINES]), moves=False)


def _hybrid(subband: int, line: int) -> Floats:
    """ISO/IEC 11172-3, 2.4.3.4: a line's 36 samples of its subband, odd ones turned over in odd subbands, synthesised."""
    tap, sample = np.arange(512), np.arange(36)
    series = np.array(MP3_PROTOTYPE) * np.where(np.arange(8) > 0, 2.0, 1.0)
    lowpass = series @ np.cos(2.0 * np.pi / 512 * np.outer(np.arange(8), tap - 256))
    synthesis = lowpass * np.cos((2 * subband + 1) * (tap + 16) * np.pi / 64)
    samples = np.sin(np.pi / 36 * (sample + 0.5)) * np.cos(np.pi / 72 * (2 * sample + 19) * (2 * line + 1))
    sparse = np.zeros(32 * 35 + 1)
    sparse[::32] = samples * (-1.0) ** (subband * sample)
    return np.convolve(sparse, synthesis)


def _coder(name: str, period: int, functions: Floats, *, moves: bool) -> Coder:
    spectra = np.fft.rfft(functions, WINDOW_FRAMES, axis=1).conj()
    middles = np.abs(spectra).argmax(axis=1)
    first = middles - HOPS // 2
    bins = first[:, None] + (np.arange(HOPS) - first[:, None]) % HOPS
    around = np.take_along_axis(spectra, bins, axis=1).T
    real, imaginary = np.ascontiguousarray(around.real, np.float32), np.ascontiguousarray(around.imag, np.float32)
    return Coder(name, period, moves, functions.shape[1], real, imaginary, middles, _between(middles))


def _between(middles: Places) -> NDArray[np.float32]:
    """A straight line between two values, each turned to the frame by the frequency of its function's middle."""
    ahead = np.arange(HOP)
    before = (1.0 - ahead / HOP) * np.exp(2j * np.pi / WINDOW_FRAMES * np.outer(middles, ahead))
    after = ahead / HOP * np.exp(2j * np.pi / WINDOW_FRAMES * np.outer(middles, ahead - HOP))
    return np.stack([before.real, -before.imag, after.real, -after.imag]).astype(np.float32)
