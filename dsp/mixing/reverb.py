"""Reverb: a room of 16 delay lines that feed each other. Stereo in, stereo out, and only what the room adds.

A feedback delay network (Jot and Chaigne, 90th AES Convention, 1991) whose lines lose as much a second as the decay asks for; its
matrix is made of Householder matrices of four, so that every line feeds all others alike. Linear and unchanging over time: the
rooms of two sounds add up to the room of both. Middle frequencies come out about as loud as they went in, whatever the decay.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio, Floats
from dsp.kernel import STILL, kernel
from dsp.mixing.delay import Delay
from dsp.parametric import Parametric
from dsp.settings import Band, DelaySettings, ParametricSettings, ReverbSettings

LINES = 16
SHORTEST_S, LONGEST_S = 0.025, 0.094
"""Of the lines: 1,200 to 4,500 frames at 48 kHz. Mean times number: 0.9 modes a Hz. Our choice."""
FULL_SIZE_S, SMALLEST_RATIO = 1.0, 0.3
"""Rooms that decay faster than this are smaller in proportion, down to the ratio: they need echoes sooner, and fewer modes."""
HIGH_HZ = 8_000.0
"""Where the decay of high frequencies is told."""
FIT_RATIO = 0.4
"""Of the rate: no higher is the loss of a line fitted."""
DIFFUSERS_S = (0.0031, 0.0047, 0.0067, 0.0097, 0.0137)
DIFFUSION = 0.65
"""All-passes in series (Schroeder, JAES 10(3), 1962) before the lines: each echo becomes a cloud. Our choice."""
TAPS = 18
TAP_START_S, TAP_END_S = 0.003, 0.055
"""Of the early reflections: 12 of each side, and 6 of the other."""
EARLY_SHARE = 0.25
"""Of the energy that comes out. Our choice."""
TURN = math.pi / 8.0
"""Between the signs with which the two sides enter the lines: so turned, neither side and no sum of both misses a line."""


class _Room(NamedTuple):
    """What the lines are told, and what they hold."""

    starts: NDArray[np.int64]
    """Of each line in the memory, and the end of the last."""
    losses: Floats
    """b0 b1 a1 of each line (lines, 3)."""
    enter: Floats
    """Gain of each side into each line (lines, 2)."""
    leave: Floats
    memory: Floats
    places: NDArray[np.int64]
    rest: Floats
    """Of the filters."""


class Reverb:
    """What a room adds to a stereo sound; as many frames come out as go in, the tail needs silence pushed after them.

    >>> room = Reverb(ReverbSettings(decay_s=0.5), rate_hz=48_000)
    >>> click = np.zeros((48_000, 2))
    >>> click[0] = 1.0
    >>> wet = room.push(click)
    >>> bool(wet[:960].any()), bool(wet[960:1_440].any())  # the pre-delay is 20 ms
    (False, True)
    """

    def __init__(self, settings: ReverbSettings, rate_hz: int) -> None:
        cuts = (("highpass", settings.low_cut_hz), ("lowpass", settings.high_cut_hz))
        bands = tuple(Band(kind=kind, freq_hz=freq_hz) for kind, freq_hz in cuts)  # type: ignore[arg-type]
        self._cuts = Parametric(ParametricSettings(bands=bands), rate_hz, 2)
        self._predelay = Delay(DelaySettings(delay_frames=round(settings.predelay_s * rate_hz)), rate_hz, 2)
        self._size = min(1.0, max(SMALLEST_RATIO, settings.decay_s / FULL_SIZE_S))
        self._delays, self._gains = _reflections(self._size, rate_hz)
        self._recent = np.zeros((int(self._delays.max()), 2))
        self._diffusers = [_Diffuser(self._size * length_s, rate_hz) for length_s in DIFFUSERS_S]
        self._room = _room(settings, self._size, rate_hz)

    def push(self, block: Audio) -> Audio:
        """The room's part of so many frames of a stereo sound."""
        if block.shape[1] != 2:
            raise ValueError(f"a reverb takes 2 channels, got {block.shape[1]}")
        sent = self._predelay.push(self._cuts.push(block))
        line = np.concatenate([self._recent, sent])
        self._recent = line[len(sent) :]
        out = np.empty_like(sent)
        _reflect(line, self._delays, self._gains, out)
        for diffuser in self._diffusers:
            sent = diffuser.push(sent)
        _reverberate(sent, self._room, out)
        return out


class _Diffuser:
    """An all-pass with the same delay on both sides."""

    def __init__(self, length_s: float, rate_hz: int) -> None:
        self._memory = np.zeros((next_prime(length_s * rate_hz), 2))
        self._place = np.zeros(1, np.int64)

    def push(self, block: Audio) -> Audio:
        """The spread block."""
        out = np.empty_like(block)
        _spread(block, self._memory, self._place, out)
        return out


def decay_s(settings: ReverbSettings, freq_hz: float) -> float:
    """The time in which a frequency falls by 60 dB, as wanted: 1 / T rises with f^2 / (f^2 + (8 kHz)^2), as losses in air do.

    >>> [round(decay_s(ReverbSettings(decay_s=2.0, high_decay_ratio=0.5), hz), 2) for hz in (125.0, 1000.0, 8000.0)]
    [2.0, 1.94, 1.0]
    """
    rise = 2.0 * freq_hz**2 / (freq_hz**2 + HIGH_HZ**2)
    return settings.decay_s / (1.0 + (1.0 / settings.high_decay_ratio - 1.0) * rise)


def next_prime(least: float) -> int:
    """The first prime number from here on: delays that are prime meet as rarely as they can.

    >>> [next_prime(n) for n in (1.0, 8.0, 13.0, 1199.5)]
    [2, 11, 13, 1201]
    """
    number = max(2, math.ceil(least))
    while any(number % divisor == 0 for divisor in range(2, math.isqrt(number) + 1)):
        number += 1
    return number


def _room(settings: ReverbSettings, size: float, rate_hz: int) -> _Room:
    lengths: list[int] = []
    for seconds in size * np.geomspace(SHORTEST_S, LONGEST_S, LINES):
        lengths.append(next_prime(max(seconds * rate_hz, lengths[-1] + 1 if lengths else 0)))
    losses = np.array([_loss(settings, length, rate_hz) for length in lengths])
    # Each passage of a mean line keeps this part of the energy: all passages, at both ears, add up to 2 kept / (1 - kept).
    kept = 10.0 ** (-6.0 * np.mean(lengths) / (rate_hz * settings.decay_s))
    starts = np.cumsum([0, *lengths])
    leave = math.sqrt((1.0 - EARLY_SHARE) * (1.0 - kept) / (2.0 * kept)) * _signs(5, 10)
    return _Room(
        starts,
        losses,
        _signs(3, 6) / math.sqrt(LINES),
        leave,
        np.zeros(starts[-1]),
        starts[:-1].copy(),
        np.zeros((LINES, 2)),
    )


def _signs(one: int, other: int) -> Floats:
    """(lines, 2): two rows of the Walsh matrix, turned against each other; they stay orthogonal and as long."""
    rows = [[(-1.0) ** (line & row).bit_count() for line in range(LINES)] for row in (one, other)]
    turn = [[math.cos(TURN), -math.sin(TURN)], [math.sin(TURN), math.cos(TURN)]]
    return np.asarray(np.array(rows).T @ np.array(turn))


def _loss(settings: ReverbSettings, length: int, rate_hz: int) -> tuple[float, float, float]:
    """b0 b1 a1 of the first-order shelf that, passed twice, loses 60 dB in the decay of each frequency.

    Exact at 0, about 3 and 8 kHz: |H|^2 = (k + b p) / (1 + a p) with p = sin^2(w / 2), where two points determine a and b.
    Twice, because one alone falls by no more than 6 dB an octave, which rooms with dull walls do.
    """
    top_hz = min(HIGH_HZ, FIT_RATIO * rate_hz)
    freqs_hz = np.array([top_hz / math.sqrt(8.0), top_hz])
    p = np.sin(np.pi * freqs_hz / rate_hz) ** 2
    wanted, still = (
        10.0 ** (-3.0 * length / (rate_hz * np.array([decay_s(settings, hz) for hz in at])))
        for at in (freqs_hz, (0.0,))
    )
    at_zero = float(still[0])
    b, a = np.linalg.lstsq(np.stack([p, -wanted * p], axis=1), wanted - at_zero)[0]
    low, high = (math.sqrt(at_zero), math.sqrt(max(at_zero + b, 0.0))), math.sqrt(1.0 + a)
    b0, b1, a0, a1 = (low[0] + low[1]) / 2.0, (low[0] - low[1]) / 2.0, (1.0 + high) / 2.0, (1.0 - high) / 2.0
    return b0 / a0, b1 / a0, a1 / a0


def _reflections(size: float, rate_hz: int) -> tuple[NDArray[np.int64], Floats]:
    """Delays and gains of the early reflections (ears, taps), the first two thirds from the ear's own side.

    Spread by multiples of the golden ratio, ever denser and softer as in a room; with signs that add up to nothing.
    """
    number = np.arange(2 * TAPS).reshape(TAPS, 2).T
    place = (number * (math.sqrt(5.0) - 1.0) / 2.0) % 1.0
    times_s = size * TAP_START_S * (TAP_END_S / TAP_START_S) ** np.sqrt(place)
    gains = np.where(number // 2 % 2, -1.0, 1.0) / np.sqrt(times_s)
    gains *= math.sqrt(EARLY_SHARE) / np.sqrt(np.square(gains).sum(axis=1, keepdims=True))
    return np.maximum(1, np.rint(times_s * rate_hz)).astype(np.int64), gains


@kernel
def _reflect(line: Audio, delays: NDArray[np.int64], gains: Floats, out: Audio) -> None:
    """out[n, ear] = sum over the taps of gain * line[n - delay], of the ear's own side, and of the other for the last third."""
    before = line.shape[0] - out.shape[0]
    own = 2 * delays.shape[1] // 3
    for n in range(out.shape[0]):
        for ear in range(2):
            near, far = 0.0, 0.0
            for tap in range(own):
                near += gains[ear, tap] * line[before + n - delays[ear, tap], ear]
            for tap in range(own, delays.shape[1]):
                far += gains[ear, tap] * line[before + n - delays[ear, tap], 1 - ear]
            out[n, ear] = near + far


@kernel
def _spread(block: Audio, memory: Audio, place: NDArray[np.int64], out: Audio) -> None:
    """v[n] = x[n] + g v[n - d]; y[n] = v[n - d] - g v[n]."""
    at = place[0]
    for n in range(block.shape[0]):
        for side in range(2):
            late = memory[at, side]
            now = block[n, side] + DIFFUSION * late
            if abs(now) < STILL:
                now = 0.0
            out[n, side] = late - DIFFUSION * now
            memory[at, side] = now
        at = at + 1 if at + 1 < memory.shape[0] else 0
    place[0] = at


@kernel
def _reverberate(sent: Audio, room: _Room, out: Audio) -> None:
    """y = loss(loss(line)); line <- (H x H) y + enter * sent; out += leave * y. What has faded to nothing becomes nothing."""
    starts, losses, enter, leave, memory, places, rest = room
    lines = places.size
    y = np.empty(lines)
    for n in range(sent.shape[0]):
        left, right, ear, other = sent[n, 0], sent[n, 1], 0.0, 0.0
        for k in range(lines):
            x = memory[places[k]]
            once = losses[k, 0] * x + rest[k, 0]
            rest[k, 0] = losses[k, 1] * x - losses[k, 2] * once
            y[k] = losses[k, 0] * once + rest[k, 1]
            rest[k, 1] = losses[k, 1] * once - losses[k, 2] * y[k]
            if abs(rest[k, 0]) + abs(rest[k, 1]) < STILL:
                rest[k, 0] = rest[k, 1] = 0.0
            ear += leave[k, 0] * y[k]
            other += leave[k, 1] * y[k]
        out[n, 0] += ear
        out[n, 1] += other
        _mix(y, 1, 4)
        _mix(y, 4, 1)
        for k in range(lines):
            now = y[k] + (enter[k, 0] * left + enter[k, 1] * right)
            memory[places[k]] = now if abs(now) > STILL else 0.0
            places[k] = places[k] + 1 if places[k] + 1 < starts[k + 1] else starts[k]


@kernel
def _mix(y: Floats, near: int, far: int) -> None:
    """Four times y <- (I - 2/4 1 1^T) y, in place: of values `near` apart, in groups that begin `far` apart."""
    for group in range(4):
        a = group * far
        half = 0.5 * ((y[a] + y[a + near]) + (y[a + 2 * near] + y[a + 3 * near]))
        for k in range(4):
            y[a + k * near] -= half
