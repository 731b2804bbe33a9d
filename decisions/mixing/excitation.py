"""How much of each stem the others cover: excitation on the Bark scale, and the share of a stem's energy that is masked.

Each stem's band energies are spread by Terhardt's slopes (JASA 65, 1979): 27 dB per Bark towards the lows, and towards the highs
24 + 0.23 kHz/f - 0.2 L. What the others excite masks down to 6 dB below itself. Pans count in the simplest way: what lies free in
one channel is heard, as by a listener's better ear; the head's own unmasking is left out. No model of time masking.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from decisions.mixing.prediction import CENTRES_HZ, bands_in_mix
from decisions.mixing.session import HeardStem, Session
from dsp.audio import Floats
from dsp.mixing.trace import BARK_BANDS
from schemas.mix import MixSettings, Strip

LOW_SLOPE_DB = 27.0  # dB per Bark, Terhardt 1979
OFFSET_DB = -6.0
"""How far below their excitation the others mask (mixing by rule: between tone masking noise and noise masking tone)."""
LISTENING_DB_SPL = 75.0
"""Level at which a mix is listened to (our choice): slopes depend on it, and not on the gain of the mix."""
MOST_STEPS = 1_200
"""A longer song is looked at in as many moments, evenly spread: two minutes are looked at whole."""


class Field(NamedTuple):
    """All stems of a mix as they excite the ear, at the moments looked at."""

    excitations: Mapping[str, Floats]
    """(moments, 24) by stem_id, power of both channels."""
    sides: Mapping[str, tuple[float, float]]
    """Share of that power in the left and in the right channel."""
    active: Mapping[str, Floats]
    """(moments, 1) 1 where the stem sounds, else 0."""

    def others(self, stem_id: str) -> tuple[Floats, Floats]:
        """What masks a stem in the left and in the right: the other stems' excitation, less the offset."""
        sums = []
        for side in (0, 1):
            total = np.zeros_like(self.excitations[stem_id])
            for other, excitation in self.excitations.items():
                if other != stem_id:
                    total += excitation * self.sides[other][side]
            sums.append(total * 10.0 ** (OFFSET_DB / 10.0))
        return sums[0], sums[1]


def field_of(session: Session, settings: MixSettings) -> Field:
    """The stems as they stand in the mix: levels, tone, dynamics, ducks and pans of the settings."""
    bands, heard = bands_in_mix(session, settings), session.heard()
    strips = {strip.stem_id: strip for strip in settings.stems}
    sides = {stem_id: side_shares(heard[stem_id], strips[stem_id]) for stem_id in bands}
    return field_from(bands, sides, {stem_id: heard[stem_id].trace.active for stem_id in bands})


def field_from(
    bands: Mapping[str, Floats], sides: Mapping[str, tuple[float, float]], active: Mapping[str, NDArray[np.bool_]]
) -> Field:
    """The stems of a mix from their band powers (steps, 24), all of one length, and from when they sound."""
    steps = max((len(each) for each in bands.values()), default=0)
    stride = max(1, -(-steps // MOST_STEPS))
    looked_at = {stem_id: each[::stride] for stem_id, each in bands.items()}
    mean = float(sum(each.sum() for each in looked_at.values())) / max(1, -(-steps // stride))
    to_spl_db = LISTENING_DB_SPL - 10.0 * math.log10(max(mean, 1e-14))
    sounding = {
        stem_id: np.pad(each.astype(np.float64), (0, steps - len(each)))[::stride] for stem_id, each in active.items()
    }
    return Field(
        {stem_id: spread(each, to_spl_db) for stem_id, each in looked_at.items()},
        dict(sides),
        {stem_id: each[:, None] for stem_id, each in sounding.items()},
    )


def spread(bands: Floats, to_spl_db: float) -> Floats:
    """Excitation of some band powers (moments, 24); `to_spl_db` is what makes their level one in dB SPL."""
    level_db = 10.0 * np.log10(np.maximum(bands, 1e-14)) + to_spl_db
    out = bands.astype(np.float64)
    for band in range(BARK_BANDS):
        slope_db = np.maximum(24.0 + 230.0 / CENTRES_HZ[band] - 0.2 * level_db[:, band], 5.0)
        fall, carried = 10.0 ** (-slope_db / 10.0), bands[:, band].astype(np.float64)
        for above in range(band + 1, BARK_BANDS):
            carried = carried * fall
            out[:, above] += carried
        below = 10.0 ** (-LOW_SLOPE_DB / 10.0 * np.arange(band, 0, -1))
        out[:, :band] += bands[:, band, None] * below
    return out


def side_shares(one: HeardStem, strip: Strip) -> tuple[float, float]:
    """The share of a strip's power that comes from the left and from the right (constant-power panner)."""
    left = math.sin(math.pi / 4.0 * (1.0 - strip.pan_ratio)) ** 2
    right = math.sin(math.pi / 4.0 * (1.0 + strip.pan_ratio)) ** 2
    balance = 10.0 ** ((one.figures.balance_db or 0.0) / 10.0)
    left *= balance
    return left / (left + right), right / (left + right)


def masked(field: Field, stem_id: str, others: tuple[Floats, Floats] | None = None) -> Floats:
    """(moments, 24) The energy of a stem that the others cover in both channels, while it sounds."""
    left, right = field.others(stem_id) if others is None else others
    excitation, (own_left, own_right) = field.excitations[stem_id], field.sides[stem_id]
    covered = (left > excitation * own_left) & (right > excitation * own_right)
    return np.asarray(excitation * covered * field.active[stem_id])


def masked_share(field: Field, stem_id: str, others: tuple[Floats, Floats] | None = None) -> float:
    """Share of a stem's energy, while it sounds, that the others cover; 0 for a stem that never does."""
    whole = float((field.excitations[stem_id] * field.active[stem_id]).sum())
    return float(masked(field, stem_id, others).sum()) / whole if whole > 0.0 else 0.0


def shares(field: Field) -> dict[str, float]:
    """`masked_share` of every stem."""
    totals = [np.zeros_like(next(iter(field.excitations.values()))) for _ in (0, 1)] if field.excitations else []
    for stem_id, excitation in field.excitations.items():
        for side, total in enumerate(totals):
            total += excitation * field.sides[stem_id][side]
    found = {}
    for stem_id, excitation in field.excitations.items():
        rest = [np.maximum(t - excitation * field.sides[stem_id][k], 0.0) for k, t in enumerate(totals)]
        left, right = (each * 10.0 ** (OFFSET_DB / 10.0) for each in rest)
        found[stem_id] = masked_share(field, stem_id, (left, right))
    return found
