"""Whether a recording went through a lossy coder: by the grid of its transform, or, less surely, by its lowpass."""

from __future__ import annotations

from typing import Literal

from dsp.detectors.bandwidth import BandEnd
from dsp.detectors.coder_grid import Grid

CERTAIN, SUSPECT = 10.0, 6.5
"""Standard deviations by which the best place of a coder's grid stands out. The highest of 51 lossless stretches reads 4.2."""
HIGHEST_CUT_HZ = 19_500.0
"""Masters end there as well: an edge at or above it says nothing."""
LOWEST_CUT_HZ = 10_500.0
"""MP3 of 64 kbit/s ends at 11 kHz. What ends lower is an old sampler, or a synthesiser of few harmonics."""
OWN_CUT_RATIO = 0.45
"""Above this share of a file's own rate its converter's lowpass begins."""
ALONE_RATIO = 1.5
"""And how far it stands above the next best: music that repeats itself has several good places."""


def transcode_of(grid: Grid, band: BandEnd, rate_hz: int) -> Literal["clear", "suspect", "certain"]:
    """The verdict; a lowpass alone makes a suspect, and not at all from 19.5 kHz up.

    >>> transcode_of(Grid(20.0, 3.0, "MP3"), BandEnd(), 44_100), transcode_of(Grid(), BandEnd(16_000.0, 16_000.0), 44_100)
    ('certain', 'suspect')
    """
    alone = grid.score > ALONE_RATIO * grid.second
    if grid.score >= CERTAIN and alone:
        return "certain"
    if grid.score >= SUSPECT and alone:
        return "suspect"
    highest_hz = min(HIGHEST_CUT_HZ, OWN_CUT_RATIO * rate_hz)
    cut = band.edge_hz is not None and LOWEST_CUT_HZ <= band.edge_hz < highest_hz
    return "suspect" if cut and band.upsampled_from_hz is None else "clear"
