"""What gain sharing hears of its microphones: filtered, weighted, and read as powers that rise fast and fall slowly.

Nothing of it is ever heard by anybody else: the filters lie in the control path alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dsp.audio import Audio, Floats
from dsp.biquad import Analogue, matched
from dsp.kernel import STILL, kernel
from dsp.loudness import k_weighting
from dsp.settings import GainSharingSettings

SPEECH_LOW_HZ, SPEECH_HIGH_HZ = 150.0, 7_000.0
"""Our choice: below lie pops, steps on the stage and air conditioning, above hiss; sibilants stay in."""


class ControlPath:
    """The power of each microphone, and that of their sum, frame by frame; `weights` as amplitude ratios."""

    def __init__(self, settings: GainSharingSettings, rate_hz: int, weights: Floats) -> None:
        self._filters = control_filters(settings, rate_hz)
        self._weights = np.ascontiguousarray(weights)
        self._poles = np.exp(-1.0 / (np.array([settings.rise_s, settings.fall_s]) * rate_hz))
        self._state = np.zeros((5, len(weights)))
        self._together = np.zeros(1)

    def push(self, controls: Audio) -> tuple[Audio, Floats]:
        """Powers (frames, microphones) and (frames,) of a block (frames, microphones)."""
        levels, together = np.empty(controls.shape), np.empty(len(controls))
        _levels(
            controls, self._weights, self._filters, self._poles, self._state, self._together, levels, together
        )  # fmt: skip
        return levels, together


def heard_of(microphones: Sequence[Audio]) -> Audio:
    """What the control path hears (frames, microphones): of each microphone (frames, channels) the mean of its channels.

    >>> heard_of([np.array([[0.5]]), np.array([[0.5, 0.0]])]).tolist()
    [[0.5, 0.25]]
    """
    return np.concatenate(
        [one if one.shape[1] == 1 else one.mean(axis=1, keepdims=True) for one in microphones], axis=1
    )


def control_filters(settings: GainSharingSettings, rate_hz: int) -> Floats:
    """Two biquads, rows of b0 b1 b2 a1 a2."""
    control = settings.control or ("speech" if settings.kind == "speech" else "K")
    if control == "K":
        return k_weighting(rate_hz)
    if control == "none":
        return np.array([[1.0, 0.0, 0.0, 0.0, 0.0]] * 2)
    damping = math.sqrt(2.0)  # Butterworth
    low = matched(Analogue((1.0, 0.0, 0.0), (1.0, damping, 1.0)), SPEECH_LOW_HZ, rate_hz)
    return np.stack([low, matched(Analogue((0.0, 0.0, 1.0), (1.0, damping, 1.0)), SPEECH_HIGH_HZ, rate_hz)])


@kernel
def _levels(
    controls: Audio,
    weights: Floats,
    stages: Floats,
    poles: Floats,
    state: Floats,
    together_state: Floats,
    levels: Audio,
    together: Floats,
) -> None:
    """c = both biquads of w x (transposed direct form II); p = c^2 + k (p - c^2), k the rise where c^2 > p, else the fall.

    The same for the sum of all c. All microphones stand in one inner loop: it becomes vector instructions.
    """
    b0, b1, b2, a1, a2 = stages[0]
    c0, c1, c2, d1, d2 = stages[1]
    rise, fall = poles
    s1, s2, s3, s4, power = state[0], state[1], state[2], state[3], state[4]
    heard = np.empty(weights.size)
    mix = together_state[0]
    for n in range(controls.shape[0]):
        for i in range(weights.size):
            x = weights[i] * controls[n, i]
            v = b0 * x + s1[i]
            v = v if abs(v) > STILL else 0.0
            t1, t2 = b1 * x - a1 * v + s2[i], b2 * x - a2 * v
            c = c0 * v + s3[i]
            c = c if abs(c) > STILL else 0.0
            t3, t4 = c1 * v - d1 * c + s4[i], c2 * v - d2 * c
            s1[i], s2[i] = (t1 if abs(t1) > STILL else 0.0), (t2 if abs(t2) > STILL else 0.0)
            s3[i], s4[i] = (t3 if abs(t3) > STILL else 0.0), (t4 if abs(t4) > STILL else 0.0)
            square = c * c
            p = square + (rise if square > power[i] else fall) * (power[i] - square)
            power[i] = p if p > STILL else 0.0
            levels[n, i] = power[i]
            heard[i] = c
        total = 0.0
        for i in range(weights.size):
            total += heard[i]
        square = total * total
        mix = square + (rise if square > mix else fall) * (mix - square)
        mix = mix if mix > STILL else 0.0
        together[n] = mix
    together_state[0] = mix
