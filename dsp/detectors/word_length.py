"""True bit depth: down to which bit the samples of an integer file ever change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsp.kernel import kernel
from dsp.windows import Lines

FULL_BITS = 24
"""What float32 windows hold exactly; longer words count as this."""


class WordLengthDetector:
    """Looks for the last bit in use; once all `bits` are, it looks no further.

    >>> detector = WordLengthDetector(bits=24)
    >>> detector.push(np.array([[0.5, -0.25]], np.float32))
    >>> detector.finish()  # quarters need 3 bits: the sign and two more
    3
    """

    def __init__(self, bits: int) -> None:
        self._shortest = max(0, FULL_BITS - bits)
        self._seen = np.zeros(1, np.int64)

    def push(self, lines: Lines) -> None:
        """Takes a window (channels, frames) of integer samples."""
        if not self._seen[0] >> self._shortest & 1:
            for line in lines:
                _gather(line, self._seen)

    def finish(self) -> int | None:
        """Bits from the sign down to the last in use; None for silence."""
        seen = int(self._seen[0])
        return FULL_BITS - ((seen & -seen).bit_length() - 1) if seen else None


@kernel
def _gather(line: NDArray[np.float32], seen: NDArray[np.int64]) -> None:
    """seen |= every sample as an integer of 24 bits."""
    bits = seen[0]
    for x in line:
        bits |= np.int64(x * np.float32(8_388_608.0))
    seen[0] = bits
