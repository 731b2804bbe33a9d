"""Where a pause of digital silence is as long as a filter: nothing of the music reaches it, and nothing may sound in it."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dsp.audio import Audio
from dsp.kernel import kernel

Flags: TypeAlias = NDArray[np.bool_]


def pauses(signals: Audio, reach: int) -> Flags | None:
    """For each frame from which `reach` frames lie in (frames, channels) whether all are digital silence; None where none are.

    Transforms round: without this a pause would come out as noise at -165 dBFS, which a quantiser would dither.

    >>> pauses(np.array([[1.0], [0.0], [0.0], [0.0]]), reach=2).tolist()
    [False, True, True]
    """
    flags = np.zeros(len(signals) - reach + 1, np.bool_)
    return flags if _find(signals, reach, flags) else None


@kernel
def _find(signals: Audio, reach: int, flags: Flags) -> bool:
    """flags[n] = all of signals[n .. n + reach - 1] are 0; true if any flag is set."""
    silent, found = 0, False
    for n in range(signals.shape[0]):
        silent += 1
        for channel in range(signals.shape[1]):
            if signals[n, channel] != 0.0:
                silent = 0
        if silent >= reach:
            flags[n - reach + 1] = True
            found = True
    return found
