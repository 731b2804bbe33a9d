"""Mains hum: a steady tone at 50 or 60 Hz and its multiples, throughout a track.

Music has notes there too, but they come and go and lie a few tenths of a hertz off. What is left of each frequency in its
quietest moments (minimum statistics; Brandt and Bitzer, JAES 62(9), 2014, compare quantiles alike) is the floor of the recording;
hum stands out of it at the multiples of one frequency.
"""

from __future__ import annotations

import math
from array import array
from typing import NamedTuple

import numpy as np

from dsp.decimator import Decimator
from dsp.windows import Lines

MAINS_HZ = (50.0, 60.0)
DRIFT_HZ, STEP_HZ = 0.25, 0.05
"""Mains are kept within 0.2 Hz; tape machines and converters add little."""
HARMONICS = 6
HIGHEST_HZ = 400.0
"""Above the sixth harmonic of 60 Hz, and what lies beside it."""
LOW_RATE_HZ = 1_300.0
"""What would fold back to the harmonics lies well in the decimator's stop band."""
FRAME_S = 6.0
"""Tells G1 (49.0 Hz) from 50 Hz: a Hann window so long is 0.33 Hz wide to either side. Half overlapping."""
BESIDE_HZ = (0.7, 4.0)
"""What a harmonic is held against lies so far off, on both sides."""
QUIETEST_RATIO = 0.05
"""The level of a frequency in its quietest twentieth of all frames. Tuned; a tenth finds less."""
LEAST_FRAMES = 8
ALONE_DB = 6.0
"""By so much more must one multiple stand out where no second one does."""
SILENT_POWER = 1e-12
"""-120 dBFS: less is rounding."""


class Hum(NamedTuple):
    """How far hum stands out of its surroundings, and its frequency; None where nothing stands out or too little was heard."""

    db: float | None
    hz: float | None


class HumDetector:
    """Listens for hum in the low end of a track: give it what `BandMeter.low` has, at its rate, or the track itself.

    >>> detector = HumDetector(8_000, channels=1)
    >>> time_s = np.arange(16_384 * 20) / 8_000
    >>> hum = 0.01 * np.sin(2 * np.pi * 50 * time_s) + 0.005 * np.sin(2 * np.pi * 100 * time_s)
    >>> music = 0.01 * np.random.default_rng(1).standard_normal(len(time_s))
    >>> for line in np.split((hum + music).astype(np.float32)[None], 20, axis=1):
    ...     detector.push(line)
    >>> detector.finish().hz
    50.0
    """

    def __init__(self, rate_hz: float, channels: int) -> None:
        factor = max(1, round(rate_hz / LOW_RATE_HZ))
        low_rate_hz = rate_hz / factor
        self._low = Decimator(rate_hz, factor=factor, cutoff_hz=HIGHEST_HZ, channels=channels)
        self._frame = np.zeros((channels, 1 << round(math.log2(FRAME_S * low_rate_hz))), np.float32)
        self._taper = np.hanning(self._frame.shape[1] + 1)[:-1]
        self._filled = 0
        bin_hz = low_rate_hz / self._frame.shape[1]
        drift_hz = np.arange(-DRIFT_HZ, DRIFT_HZ + STEP_HZ / 2, STEP_HZ)
        drift_hz = drift_hz[
            np.argsort(np.abs(drift_hz), kind="stable")
        ]  # of equals the nearest to the mains comes first
        self._candidates_hz = np.concatenate([hz + drift_hz for hz in MAINS_HZ])
        multiples = np.rint(np.outer(self._candidates_hz, np.arange(1, HARMONICS + 1)) / bin_hz).astype(int)
        near, far = (math.ceil(hz / bin_hz) for hz in BESIDE_HZ)
        around = np.concatenate([[0], np.arange(-far, -near), np.arange(near + 1, far + 1)])
        self._bins, places = np.unique(multiples[..., None] + around, return_inverse=True)
        self._places = places.reshape(*multiples.shape, len(around))
        self._levels = array("f")  # of the bins that are looked at: 1.2 kB a second

    def push(self, lines: Lines) -> None:
        """Takes the low end of a window (channels, frames), at the rate that was told."""
        low, at, size = self._low.push(lines), 0, self._frame.shape[1]
        while at < low.shape[1]:
            taken = min(size - self._filled, low.shape[1] - at)
            self._frame[:, self._filled : self._filled + taken] = low[:, at : at + taken]
            self._filled += taken
            at += taken
            if self._filled == size:
                self._listen()
                self._frame[:, : size // 2] = self._frame[:, size // 2 :]
                self._filled = size // 2

    def _listen(self) -> None:
        """Keeps the levels of a frame, unless it is silent."""
        if float(np.square(self._frame).mean()) > SILENT_POWER:
            spectra = np.fft.rfft(self._frame * self._taper, axis=1)[:, self._bins] / self._taper.sum()
            power = (np.square(spectra.real) + np.square(spectra.imag)).sum(axis=0)
            self._levels.frombytes(np.maximum(power, SILENT_POWER).astype(np.float32).tobytes())

    def finish(self) -> Hum:
        """What was heard."""
        frames = np.array(self._levels, np.float32).reshape(-1, len(self._bins))
        if len(frames) < LEAST_FRAMES:
            return Hum(None, None)
        floor_db = 10.0 * np.log10(np.quantile(frames, QUIETEST_RATIO, axis=0))[self._places]
        rises_db = np.sort(floor_db[..., 0] - np.median(floor_db[..., 1:], axis=-1), axis=1)
        steady_db = np.maximum(rises_db[:, -2], rises_db[:, -1] - ALONE_DB)
        best = int(steady_db.argmax())
        rise_db = float(steady_db[best])
        return Hum(round(rise_db, 2), round(float(self._candidates_hz[best]), 2)) if rise_db > 0.0 else Hum(None, None)
