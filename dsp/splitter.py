"""Splits sound into bands that add up to it again, moving nothing in time: what the band-wise processors work on.

Linear-phase low-passes of rising cutoff; a band is the difference of two neighbours, the top band the sound less the last.
Processors write `out = audio + sum of (gain - 1) * band`: where a band is left alone, its part of the sound stays bit for bit.
Overlap-save convolution on a grid fixed to the start of the track, so that blocks never change a bit (law 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from dsp.audio import Audio, Floats, joined, silence
from dsp.gain_grid import STEP_FRAMES
from dsp.pauses import pauses

Bands: TypeAlias = NDArray[np.float32]
"""Sound in bands: (bands, channels, frames). Rounded at -150 dB, which only what is added or taken away contains."""

PERIODS, KAISER_BETA = 4, 6.0
"""Length of a low-pass in periods of its edge, and its window. At the edge it is at -6 dB and falls by 27 dB per octave; an
octave away a band contains less than -60 dB of its neighbour. One period before a click it rings at -27 dB, one and a half
before at -42 dB. Our choice: with 3 periods it would ring at -35 dB, and keep bands an octave away apart by 35 dB only."""
HIGHEST_EDGE_RATIO = 0.45
"""Edges above this part of the rate are dropped: there is no band to speak of between them and half the rate."""
TRANSFORM_RATIO = 4
"""Length of a transform over that of the response, at least: three quarters of each are useful output."""
SHORTEST_TRANSFORM = 4_096
TRANSFORMS = 8
"""How many transforms a call takes: the library computes several side by side. Always as many, so that every sample of a
track is computed the same way; a multiple of the lanes of any processor."""


class Split(NamedTuple):
    """A stretch of a track, to be written into as one likes, and its bands, valid until the next stretch is asked for."""

    audio: Audio
    bands: NDArray[np.floating[Any]]


def itself(audio: Audio) -> Audio:
    """The channels as they are."""
    return audio


def gathered(stretches: Iterable[Audio], channels: int) -> Audio:
    """Stretches one after the other; no frames if there are none."""
    kept = list(stretches)
    return joined(kept) if kept else silence(0, channels)


class BandSplitter:
    """Cuts a track into stretches that come with their bands; latency: what fills a stretch.

    `mix` (outputs, bands): gives out these sums of bands instead of every band; `signals` makes what is split from the
    channels, frame by frame (the side of a stereo track, say).

    >>> splitter = BandSplitter((200.0, 2000.0), 48_000, channels=1)
    >>> noise = np.random.default_rng(1).uniform(-1.0, 1.0, (5_000, 1))
    >>> [split] = [*splitter.push(noise), *splitter.finish()]
    >>> split.bands.shape, bool(np.abs(split.bands.sum(axis=0).T - noise).max() < 1e-6)
    ((3, 1, 5000), True)
    """

    def __init__(
        self,
        edges_hz: Sequence[float],
        rate_hz: int,
        channels: int,
        *,
        mix: Floats | None = None,
        signals: Callable[[Audio], Audio] = itself,
    ) -> None:
        edges_hz = usable_edges(edges_hz, rate_hz)
        longest = max(half_length(edge_hz, rate_hz) for edge_hz in (*edges_hz, HIGHEST_EDGE_RATIO * rate_hz))
        self._half = STEP_FRAMES // 2 * -(-longest // (STEP_FRAMES // 2))  # so that stretches are whole steps
        self._size = max(SHORTEST_TRANSFORM, TRANSFORM_RATIO << (2 * self._half).bit_length())
        self._hop = self._size - 2 * self._half
        responses = band_responses(edges_hz, rate_hz, self._size)
        responses = responses if mix is None else mix @ responses
        self._responses = np.repeat(responses, 2, axis=1).astype(np.float32)  # for real and imaginary parts
        self._signals = signals
        # What comes before a track is silence: its first half response is there already.
        self._line = silence(TRANSFORMS * self._hop + 2 * self._half, channels)
        self._filled = self._half
        self._taken = self._given = 0
        self.latency = len(self._line) - self._half - 1
        # Kept from stretch to stretch: fetching fresh memory from the system would take as long as the work.
        count = signals(self._line[:1]).shape[1]
        self._lines = np.zeros((count, len(self._line)), np.float32)
        self._product = np.zeros((count, TRANSFORMS, self._responses.shape[1]), np.float32)
        self._bands = np.zeros((len(responses), count, TRANSFORMS, self._hop), np.float32)

    def push(self, block: Audio) -> Iterator[Split]:
        """Takes a block of any length; yields every stretch that it completes."""
        at = 0
        while at < len(block):
            taken = min(len(self._line) - self._filled, len(block) - at)
            self._line[self._filled : self._filled + taken] = block[at : at + taken]
            self._filled += taken
            self._taken += taken
            at += taken
            if self._filled == len(self._line):
                yield self._split()

    def finish(self) -> Iterator[Split]:
        """Yields the rest of the track; silence follows it."""
        while (missing := self._taken - self._given) > 0:
            self._line[self._filled :] = 0.0
            audio, bands = self._split()
            yield Split(audio[:missing], bands[:, :, :missing])

    def _split(self) -> Split:
        frames = TRANSFORMS * self._hop
        signals = self._signals(self._line)
        np.copyto(self._lines, signals.T)
        self._filter()
        bands = self._bands.reshape(*self._bands.shape[:2], frames)
        if (silent := pauses(signals, 2 * self._half + 1)) is not None:
            bands[..., silent] = 0.0  # what a transform rounds must not sound there
        audio = self._line[self._half : self._half + frames].copy()
        self._line[: 2 * self._half] = self._line[frames:]
        self._filled = 2 * self._half
        self._given += frames
        return Split(audio, bands)

    def _filter(self) -> None:
        """Real times complex, as pairs of floats: the responses are real."""
        stretches = sliding_window_view(self._lines, self._size, axis=1)[:, :: self._hop]
        spectra = rfft(stretches).view(np.float32)
        for band, response in zip(self._bands, self._responses, strict=True):
            np.multiply(spectra, response, out=self._product)
            filtered = irfft(self._product.view(np.complex64), self._size, overwrite_x=True)
            band[:] = filtered[:, :, self._half : self._half + self._hop]


def usable_edges(edges_hz: Sequence[float], rate_hz: int) -> tuple[float, ...]:
    """The edges below 0.45 of the rate.

    >>> usable_edges((100.0, 5000.0), 8_000)
    (100.0,)
    """
    return tuple(edge_hz for edge_hz in edges_hz if edge_hz < HIGHEST_EDGE_RATIO * rate_hz)


def half_length(edge_hz: float, rate_hz: int) -> int:
    """Frames of a low-pass on either side of its centre."""
    return round(PERIODS / 2.0 * rate_hz / edge_hz)


def band_responses(edges_hz: Sequence[float], rate_hz: int, size: int) -> Floats:
    """The gain of every band at the frequencies of a transform; real, because the low-passes are symmetric around 0.

    >>> np.abs(band_responses((100.0, 1000.0), 48_000, 8_192).sum(axis=0) - 1.0).max() < 1e-12
    np.True_
    """
    passes = [np.zeros(size // 2 + 1), *(_lowpass(edge_hz, rate_hz, size) for edge_hz in edges_hz)]
    return np.diff([*passes, np.ones(size // 2 + 1)], axis=0)


def _lowpass(edge_hz: float, rate_hz: int, size: int) -> Floats:
    """h[n] = sinc(2 f n / rate) * Kaiser window, scaled to a gain of 1 at 0 Hz."""
    half = half_length(edge_hz, rate_hz)
    frames = np.arange(-half, half + 1)
    response = np.sinc(2.0 * edge_hz / rate_hz * frames) * np.kaiser(2 * half + 1, KAISER_BETA)
    around_zero = np.zeros(size)
    around_zero[frames] = response / response.sum()
    return np.asarray(rfft(around_zero).real)
