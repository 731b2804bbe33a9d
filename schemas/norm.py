"""A norm: what good recordings look like, as a distribution. Tone, width, crest and PLR, each with a mean and a spread.

Norms come built in (`decisions/norms/`), or are taken from reference recordings (`decisions/references.py`).
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

BANDS = 31
"""Third octaves, 20 Hz to 20 kHz."""
Curve = Annotated[tuple[float, ...], Meta(min_length=BANDS, max_length=BANDS)]
Width = Annotated[float, Meta(gt=0.0, le=40.0)]
Spreads = Annotated[tuple[Width, ...], Meta(min_length=BANDS, max_length=BANDS)]
Four = Annotated[tuple[float, ...], Meta(min_length=4, max_length=4)]


class Norm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Means over recordings, and how far one song strays from them (standard deviation)."""

    name: str
    description: str
    mid_db: Curve
    """Third octaves of half the sum of left and right; only the shape counts. A band that is not told has a spread of 40 dB."""
    mid_spread_db: Spreads
    side_db: Curve
    """Third octaves of half their difference, less those of half the sum."""
    side_spread_db: Spreads
    crest_bands_db: Four | None = None
    """Peak less root mean square in the bands split at 150, 1000 and 6000 Hz."""
    crest_spread_db: Width = 4.0
    plr_lu: float | None = None
    plr_spread_lu: Width = 3.0
    deadband_ratio: Annotated[float, Meta(ge=0.0, le=3.0)] = 0.0
    """Deviations within this share of the spread do not count: a norm that nobody chose for this music is trusted less."""
    recordings: int = 0
    """From how many references it was taken; 0: it is no reference's."""

    @property
    def words(self) -> str:
        """What it is, in a sentence about a track."""
        plural = "s" if self.recordings > 1 else ""
        return f"{self.recordings} reference recording{plural}" if self.recordings else f'the norm "{self.name}"'
