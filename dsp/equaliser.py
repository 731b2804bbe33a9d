"""Equaliser from a curve, of linear or minimum phase: for broad corrections of tone, of a stereo track also by middle and side.

The curve becomes an impulse response (frequency sampling, Hann window), applied by overlap-save convolution on a grid fixed
to the start of the track, so that blocks never change a bit (law 1). What has to be sharp or cheap: `dsp.parametric`.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from dsp.audio import Audio, Floats, joined, silence
from dsp.kernel import kernel
from dsp.pauses import pauses
from dsp.settings import EqualiserSettings

Blocks: TypeAlias = NDArray[np.float32]
"""(channel or middle and side, block of a batch, frame)."""

SHORT, LONG = 1 << 15, 1 << 16
"""Frames in a transform: four times the response between these two, where it is fastest; never less than twice."""
BLOCKS = 4
"""Transforms in a call: pocketfft works on four rows of float32 at once."""
LOWEST_GAIN = 1e-4
"""-80 dB: far below every curve, lest the logarithm meets a zero between two steep points."""


class Equaliser:
    """Convolution `y = x + (h - 1) x`: x in float64, the change in float32, so that a flat curve passes every bit.

    Latency: four transforms, and half the response if its phase is linear.

    >>> from dsp.chain import process
    >>> louder = EqualiserSettings(freqs_hz=(1000.0,), gains_db=(6.0,))
    >>> process(np.full((3, 1), 0.25), 48_000, louder).round(6).ravel().tolist()
    [0.498816, 0.498816, 0.498816]
    """

    def __init__(self, settings: EqualiserSettings, rate_hz: int, channels: int) -> None:
        self._by_side = channels == 2 and bool(settings.side_gains_db)
        sides = (False, True) if self._by_side else (False,) * channels
        change = np.stack([impulse_response(settings, rate_hz, side=side) for side in sides])
        self._overlap = change.shape[1] - 1
        self._lead = self._overlap // 2 if settings.phase == "linear" else 0
        self._ratios = change[:, self._lead] - 1.0
        change[:, self._lead] = 0.0
        bits = self._overlap.bit_length()
        self._size = max(SHORT, min(4 << bits, LONG), 2 << bits)
        self._spectra = rfft(change.astype(np.float32), self._size)[:, None]
        # The signal is taken as silent before it starts and after it ends.
        self._batch = BLOCKS * (self._size - self._overlap)
        self._line = silence(self._overlap + self._batch, channels)
        self._filled = self._overlap
        self._to_drop = self._lead
        self._missing = 0
        self.latency = self._lead + self._batch

    def push(self, block: Audio) -> Audio:
        """Filters every four transforms that the block fills."""
        self._missing += len(block)
        ready: list[Audio] = []
        while len(block):
            taken = min(len(block), len(self._line) - self._filled)
            self._line[self._filled : self._filled + taken] = block[:taken]
            self._filled += taken
            block = block[taken:]
            if self._filled == len(self._line):
                ready.append(self._filtered())
        return joined(ready or [silence(0, self._line.shape[1])])

    def finish(self) -> Audio:
        """The rest of the track, as long as what is missing."""
        ready: list[Audio] = []
        while self._missing:
            self._line[self._filled :] = 0.0
            ready.append(self._filtered())
        return joined(ready or [silence(0, self._line.shape[1])])

    def _filtered(self) -> Audio:
        """What a full line gives, but no more than is missing; the line then waits for what follows."""
        out = np.empty((self._batch, self._line.shape[1]))
        dry = self._line[self._overlap - self._lead :]
        combine = _add_by_side if self._by_side else _add
        combine(dry, self._ratios, self._convolved(), out)
        if (silent := pauses(self._line, self._overlap + 1)) is not None:
            out[silent] = 0.0
        self._line[: self._overlap] = self._line[self._batch :].copy()
        self._filled = self._overlap
        out = out[self._to_drop : self._to_drop + self._missing]
        self._to_drop = 0
        self._missing -= len(out)
        return out

    def _convolved(self) -> Blocks:
        """The line of every channel, or of middle and side, through all taps but the one that is applied in float64."""
        rows = np.empty(self._line.T.shape, np.float32)
        _split(self._line, self._by_side, rows)
        row_bytes, frame_bytes = rows.strides
        hop = self._size - self._overlap
        shape = (len(rows), BLOCKS, self._size)
        spectra = rfft(as_strided(rows, shape, (row_bytes, hop * frame_bytes, frame_bytes), writeable=False))
        spectra *= self._spectra
        convolved: Blocks = irfft(spectra, self._size, overwrite_x=True)[..., self._overlap :]
        return convolved


def impulse_response(settings: EqualiserSettings, rate_hz: int, *, side: bool = False) -> Floats:
    """The response (odd length) whose gain follows the curve: symmetric, or of minimum phase.

    >>> flat = impulse_response(EqualiserSettings(freqs_hz=(100.0, 1000.0), gains_db=(0.0, 0.0)), 48_000)
    >>> int(flat.argmax()) == len(flat) // 2, float(flat.max()), int(np.count_nonzero(flat))
    (True, 1.0, 1)
    """
    half = int(settings.length_s * rate_hz / 2)
    size = 4 << int(2 * half).bit_length()
    freqs_hz = np.maximum(np.arange(size // 2 + 1) * rate_hz / size, 1e-3)
    gains_db = settings.side_gains_db if side else settings.gains_db
    curve_db = np.interp(np.log(freqs_hz), np.log(settings.freqs_hz), gains_db)
    window: Floats = np.hanning(2 * half + 3)[1:-1]
    symmetric = np.roll(irfft(10.0 ** (curve_db / 20.0), size), half)[: 2 * half + 1] * window
    return np.asarray(symmetric if settings.phase == "linear" else minimum_phase(symmetric))


def minimum_phase(symmetric: Floats) -> Floats:
    """The response of the same length and gain that acts as early as possible.

    By the real cepstrum (Oppenheim and Schafer, "Discrete-Time Signal Processing", homomorphic processing): made causal, it
    keeps the logarithm of the gain and gets its Hilbert transform as phase. The zeros outside the unit circle move inside, so
    no tap is added.

    >>> minimum_phase(np.array([0.1, 1.01, 0.1])).round(6).tolist()
    [1.0, 0.2, 0.01]
    """
    half = len(symmetric) // 2
    size = 8 << len(symmetric).bit_length()
    # Around frame 0 the transform is the gain itself, and that of a single tap exactly flat.
    gains = np.abs(rfft(np.concatenate([symmetric[half:], np.zeros(size - len(symmetric)), symmetric[:half]])))
    cepstrum = irfft(np.log(np.maximum(gains, LOWEST_GAIN)), size)
    cepstrum[1 : size // 2] *= 2.0
    cepstrum[size // 2 + 1 :] = 0.0
    return np.asarray(irfft(np.exp(rfft(cepstrum)), size)[: len(symmetric)])


@kernel
def _split(line: Audio, by_side: bool, rows: NDArray[np.float32]) -> None:
    """rows = (left, right), or (left + right, left - right) / 2, each contiguous."""
    if by_side:
        left, right = line[:, 0], line[:, 1]
        middle, side = rows[0], rows[1]
        for n in range(left.size):
            middle[n] = 0.5 * (left[n] + right[n])
            side[n] = 0.5 * (left[n] - right[n])
    else:
        for channel in range(line.shape[1]):
            given, row = line[:, channel], rows[channel]
            for n in range(given.size):
                row[n] = given[n]


@kernel
def _add(line: Audio, ratios: Floats, convolved: Blocks, out: Audio) -> None:
    """out = x + (ratio x + convolved)."""
    channels, blocks, hop = convolved.shape
    for block in range(blocks):
        for channel in range(channels):
            dry, wet = line[block * hop : (block + 1) * hop, channel], convolved[channel, block]
            summed, ratio = out[block * hop : (block + 1) * hop, channel], ratios[channel]
            for n in range(hop):
                summed[n] = dry[n] + (ratio * dry[n] + wet[n])


@kernel
def _add_by_side(line: Audio, ratios: Floats, convolved: Blocks, out: Audio) -> None:
    """left + (m + s), right + (m - s); m and s: what is added to middle and side."""
    _, blocks, hop = convolved.shape
    for block in range(blocks):
        dry, summed = line[block * hop : (block + 1) * hop], out[block * hop : (block + 1) * hop]
        wet_middle, wet_side = convolved[0, block], convolved[1, block]
        for n in range(hop):
            left, right = dry[n, 0], dry[n, 1]
            middle = ratios[0] * (0.5 * (left + right)) + wet_middle[n]
            side = ratios[1] * (0.5 * (left - right)) + wet_side[n]
            summed[n, 0] = left + (middle + side)
            summed[n, 1] = right + (middle - side)
