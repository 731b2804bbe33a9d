"""Inter-sample overs: tenths of a second whose continuous signal exceeds full scale; a converter or a coder clips there."""

from __future__ import annotations

import numpy as np

from dsp.detectors.sightings import PLACES_KEPT, Sightings
from dsp.true_peak import TruePeakMeter

OVER_RATIO = 10.0 ** (0.05 / 20.0)
"""0.05 dB: what is printed as 0.0 dBTP is no over."""


def inter_sample_overs(meter: TruePeakMeter) -> Sightings:
    """Counted from a true-peak meter; the worst in dBTP."""
    stretches = meter.stretches()
    over = np.flatnonzero(stretches > OVER_RATIO)
    if not len(over):
        return Sightings()
    worst = np.sort(over[np.argsort(-stretches[over], kind="stable")][:PLACES_KEPT])
    places = tuple(round(at * meter.stretch_s, 3) for at in worst.tolist())
    return Sightings(len(over), round(20.0 * float(np.log10(stretches.max())), 3), places)
