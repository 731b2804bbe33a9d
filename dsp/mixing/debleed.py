"""Takes bleed out of microphones by what they hear of each other, in time and frequency; off unless somebody asks for it.

Wiener masks from powers and leaks, estimated anew a few times, after Prätzlich, Bittner, Liutkus and Müller, "Kernel Additive
Modeling for Interference Reduction in Multi-Channel Music Recordings", ICASSP 2015, without its kernels. It changes the sound of
what it leaves: where gain sharing or a gate is enough, they are to be preferred.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio, Floats, silence, to_gain
from dsp.settings.debleed import LEAK_BANDS, LEAK_EDGES_HZ, DebleedSettings

FRAME, HOP = 4_096, 1_024
"""85 ms at 48 kHz, a quarter of it apart: KAMIR's and our own trial."""
WINDOW = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FRAME) / FRAME)
OVERLAP = 1.5
"""Sum of the squared windows over all frames that cover a sample."""
NOTHING = 1e-20
"""Added to powers, far below the last of 24 bits: silence has a mask, too."""
LEAST_POWER = 1e-9
"""Of a band: what is softer tells nothing about leaks (-90 dBFS, our choice)."""
BINS = 120
"""Of a histogram: 0.5 dB each, from 0 to -60 dB."""
BINS_PER_DB = 2
SMOOTHING = np.array([1.0, 2.0, 3.0, 2.0, 1.0])
"""Of a histogram before its peak is looked for, 2.5 dB wide (our choice)."""
LEAST_MOMENTS = 20
UNKNOWN_DB = -60.0
"""Of a source that is never the loudest: nothing is taken from others for its sake."""


class Debleed:
    """Microphones (frames, microphones) with less of each other in them; the end of a track is held back by a frame at most.

    >>> alone = DebleedSettings(leaks_db=(((0.0,) * 8, (-60.0,) * 8), ((-60.0,) * 8, (0.0,) * 8)))
    >>> stage, sound = Debleed(alone, 48_000), np.random.default_rng(1).normal(0.0, 0.1, (20_000, 2))
    >>> out = np.concatenate([stage.push(sound), stage.finish()])
    >>> out.shape, bool(np.abs(out - sound).max() < 1e-2)  # nothing leaks: next to nothing changes
    ((20000, 2), True)
    """

    latency = FRAME - 1

    def __init__(self, settings: DebleedSettings, rate_hz: int) -> None:
        self._settings = settings
        count = len(settings.leaks_db)
        bands = 10.0 ** (np.array(settings.leaks_db) / 10.0)
        self._leaks = np.ascontiguousarray(bands[:, :, band_of_bins(rate_hz)])
        self._frames = _Frames(count)
        self._sum = np.zeros((count, FRAME))
        self._to_drop, self._to_come = FRAME - HOP, 0

    def push(self, microphones: Audio) -> Audio:
        """What is ready."""
        self._to_come += len(microphones)
        return self._run(microphones)

    def finish(self) -> Audio:
        """The last frames."""
        return self._run(silence(FRAME, self._sum.shape[0]))

    def _run(self, microphones: Audio) -> Audio:
        done = [self._hop(frame) for frame in self._frames.push(microphones)]
        out = np.concatenate(done) if done else silence(0, self._sum.shape[0])
        dropped = min(self._to_drop, len(out))
        kept = out[dropped : dropped + self._to_come]
        self._to_drop -= dropped
        self._to_come -= len(kept)
        return kept

    def _hop(self, frame: Floats) -> Audio:
        """Adds a frame (microphones, FRAME) to those before it; the first quarter of the sum is complete then."""
        spectra = np.fft.rfft(frame * WINDOW)
        masked = spectra * masks(np.square(np.abs(spectra)), self._leaks, self._settings)
        self._sum += np.fft.irfft(masked, FRAME) * WINDOW
        ready = self._sum[:, :HOP].T / OVERLAP
        self._sum = np.concatenate([self._sum[:, HOP:], np.zeros((len(frame), HOP))], axis=1)
        return ready


def masks(powers: Floats, leaks: Floats, settings: DebleedSettings) -> Floats:
    """W_i = P_i / (sum over j of leak_ij P_j) per bin, P_i first the microphone's own power, then that of its masked sound.

    Shapes: powers and result (microphones, bins), leaks (microphones, sources, bins). Never below the floor.
    """
    sources = powers
    for _ in range(settings.rounds + 1):
        expected = np.zeros_like(powers)
        for j in range(len(powers)):  # in order, so that no library adds in an order of its own
            expected += leaks[:, j] * sources[j]
        mask = (sources + NOTHING) / (expected + NOTHING)
        sources = mask * mask * powers
    return np.maximum(mask, to_gain(-settings.floor_db))


def band_of_bins(rate_hz: int) -> NDArray[np.int64]:
    """The octave band that each bin of a frame lies in."""
    return np.searchsorted(LEAK_EDGES_HZ, np.fft.rfftfreq(FRAME, 1.0 / rate_hz), side="right")


class LeakMeter:
    """Finds out what microphones hear of each other's sources, from the moments in which one is the loudest; memory is fixed."""

    def __init__(self, rate_hz: int, microphones: int) -> None:
        self._frames = _Frames(microphones)
        edges = np.searchsorted(band_of_bins(rate_hz), np.arange(LEAK_BANDS))
        self._starts = edges[edges <= FRAME // 2]  # low rates have fewer bands
        self._counts = np.zeros((microphones, microphones, LEAK_BANDS, BINS + 1), np.int64)

    def push(self, microphones: Audio) -> None:
        """Takes a block (frames, microphones)."""
        for frame in self._frames.push(microphones):
            self._count(frame)

    def leaks_db(self) -> tuple[tuple[tuple[float, ...], ...], ...]:
        """As `DebleedSettings.leaks_db`: what each microphone hears most often while another's source is loudest.

        A moment in which more sources sound tells a leak too high, each by another amount: they make no peak.
        """
        counts = self._counts.reshape(-1, BINS + 1)
        peaks = np.array([np.convolve(row, SMOOTHING, "same").argmax() for row in counts])
        found_db = np.where(counts.sum(axis=1) >= LEAST_MOMENTS, -peaks / BINS_PER_DB, np.nan)
        leaks_db = _filled(found_db.reshape(self._counts.shape[:3]))
        leaks_db[np.arange(len(leaks_db)), np.arange(len(leaks_db))] = 0.0
        return tuple(tuple(tuple(map(float, bands)) for bands in row) for row in leaks_db)

    def _count(self, frame: Floats) -> None:
        powers = np.square(np.abs(np.fft.rfft(frame * WINDOW))) / (np.square(WINDOW).sum() * FRAME / 2.0)
        bands = np.add.reduceat(powers, self._starts, axis=1)
        for band, levels in enumerate(bands.T):
            loudest = int(levels.argmax())
            if levels[loudest] > LEAST_POWER:
                ratios = np.maximum(levels / levels[loudest], 1e-30)
                steps = np.minimum(np.rint(-10.0 * BINS_PER_DB * np.log10(ratios)).astype(np.int64), BINS)
                self._counts[np.arange(len(levels)), loudest, band, steps] += 1


def _filled(leaks_db: Floats) -> Floats:
    """A band in which a source is never the loudest leaks as its other bands do, halfway between them (median)."""
    out = leaks_db.copy()
    for row in out:
        for bands in row:
            known = bands[np.isfinite(bands)]
            bands[np.isnan(bands)] = np.median(known) if len(known) else UNKNOWN_DB
    return out


class _Frames:
    """Cuts a stream into frames (microphones, FRAME) a HOP apart; the first ends a HOP after the start."""

    def __init__(self, microphones: int) -> None:
        self._kept = np.zeros((FRAME - HOP, microphones))

    def push(self, microphones: Audio) -> list[Floats]:
        """The frames that are whole."""
        line = np.concatenate([self._kept, microphones])
        count = max(0, (len(line) - FRAME) // HOP + 1)
        self._kept = line[count * HOP :]
        return [np.ascontiguousarray(line[k * HOP : k * HOP + FRAME].T) for k in range(count)]
