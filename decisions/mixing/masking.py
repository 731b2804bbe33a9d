"""Decides where a stem gives way in tone to one that it covers: cuts in the masker, never boosts, after Hafezi and Reiss (2015).

The lead comes first, then bass, then kick. A masker is cut only beside its own essential bands, by 3 dB at most; each bell is
the one that the model (`decisions/mixing/excitation.py`) says frees most, and goes again where another stem would suffer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np

from decisions.mixing.excitation import OFFSET_DB, Field, field_of, masked, masked_share, shares
from decisions.mixing.prediction import CENTRES_HZ, WEIGHTS, bands_in_mix, tone_db
from decisions.mixing.reasons import RANGES_DB, held
from decisions.mixing.session import Session
from decisions.mixing.strips import leads, of_role, open_strips, replaced
from dsp.audio import Floats
from dsp.settings import Band, ParametricSettings
from schemas.mix import Insert, MixSettings, Strip, Why

LITTLE_RATIO = 0.03
"""Where less of the lead is masked than this, nothing gives way to it (our choice): of a lead at its usual level it is 0.01 to
0.1 (14 songs), most of it overtones, which have little energy."""
LITTLE_LOW_RATIO = 0.25
"""The same for bass and kick, for whom levels and ducks do more."""
LEAST_RELIEF_RATIO = 0.05
"""Of what is masked, so much must be freed by all cuts for a target together, or there are none."""
WORTH_RATIO = 0.001
"""A bell must free this much of the energy that it is there for (our choice)."""
MOST_BELLS = 3
QUALITY = 2.0
"""About as wide as two Bark bands in the middle of the range."""
LEAST_CUT_DB = 0.5
LEAST_OVER_DB = -3.0
"""A masker that lies further below what it covers is not the one to cut: two of these together lie as high as it."""
ESSENTIAL_BANDS = 4
"""So many of its loudest Bark bands make a stem what it is (our choice: a sixth of them)."""
BANDS = range(2, 22)
"""200 Hz to 9.5 kHz: what lies below is for levels and ducks, what lies above is air."""
LOW_BANDS = range(1, 5)
"""100 to 510 Hz, for bass and kick: no melody gives way to the overtones of a bass."""
MOST_RISE_RATIO = 0.04
"""So much of a stem's energy may become masked for another's sake (demanded: 5 %)."""
TRIES = 4
"""How often the cuts of a stem that suffers are halved before they go."""


class Cut(NamedTuple):
    """A bell in a masker, and what it is for."""

    band: int
    cut_db: float
    target: str
    freed_ratio: float
    over_db: float
    """How far the masker lies over the target in that band; on the mean, while the target sounds."""


Cuts: TypeAlias = Mapping[str, tuple[Cut, ...]]
"""By the stem_id of the masker."""


def masked_ratios(session: Session, settings: MixSettings) -> dict[str, float]:
    """stem_id -> share of the stem's energy that the others cover, 0 to 1, for every strip that is used."""
    return shares(field_of(session, settings))


def decide_masking(session: Session, settings: MixSettings) -> MixSettings:
    """Cuts in stems that cover the lead, bass or kick; none where little is covered."""
    field = field_of(session, settings)
    before = shares(field)
    order = protected(session, settings)
    cuts: Cuts = {}
    essential, count = _essential(session, settings), len(leads(session, settings))
    for place, target in enumerate(order):
        leading = place < count
        if before[target] >= (LITTLE_RATIO if leading else LITTLE_LOW_RATIO):
            maskers = _maskers(session, settings, order[: place + 1])
            search = _Search(target, maskers, essential, BANDS if leading else LOW_BANDS, settings.rate_hz)
            cuts = search.cut(field, cuts)
    return _kept(session, settings, cuts, before)


def protected(session: Session, settings: MixSettings) -> list[str]:
    """Whom others make room for, the most important first."""
    lead = leads(session, settings)
    rest = [*of_role(session, settings, "bass"), *of_role(session, settings, "kick")]
    return lead + [stem_id for stem_id in rest if stem_id not in lead]


def _maskers(session: Session, settings: MixSettings, above: list[str]) -> dict[str, float]:
    """Whose tone may give way, with how sure their roles are."""
    return {
        strip.stem_id: one.role_confidence
        for one, strip in open_strips(session, settings)
        if strip.stem_id not in above
    }


def _essential(session: Session, settings: MixSettings) -> dict[str, frozenset[int]]:
    """The bands that make each stem what it is."""
    found = {}
    for stem_id, bands in bands_in_mix(session, settings).items():
        heard = bands.mean(axis=0) * WEIGHTS
        found[stem_id] = frozenset(np.argsort(-heard, kind="stable")[:ESSENTIAL_BANDS].tolist())
    return found


class _Search(NamedTuple):
    """The search for bells that free one stem."""

    target: str
    maskers: Mapping[str, float]
    """Whose tone may give way, with how sure their roles are."""
    essential: Mapping[str, frozenset[int]]
    bands: range
    rate_hz: int

    def cut(self, field: Field, cuts: Cuts) -> Cuts:
        """The cuts with those added that free most of the target, one after the other; as they were, where that is little."""
        found, ears = cuts, _cut_field(field, cuts, self.rate_hz)
        start = masked_share(ears, self.target)
        while best := self._best(ears, found):
            masker, cut = best
            found = {**found, masker: (*found.get(masker, ()), cut)}
            ears = _cut_field(field, found, self.rate_hz)
        freed = start - masked_share(ears, self.target)
        return found if freed >= LEAST_RELIEF_RATIO * start else cuts

    def _best(self, ears: Field, cuts: Cuts) -> tuple[str, Cut] | None:
        """The masker and the bell that free most now; None where none is worth it."""
        others, share = ears.others(self.target), masked_share(ears, self.target)
        best: tuple[str, Cut] | None = None
        for masker in self.maskers:
            for band in self._candidates(ears, masker, cuts.get(masker, ())):
                cut = self._tried(ears, masker, band, others, share)
                if cut.freed_ratio > (best[1].freed_ratio if best else WORTH_RATIO):
                    best = masker, cut
        return best

    def _candidates(self, field: Field, masker: str, cuts: tuple[Cut, ...]) -> list[int]:
        """Bands in which a masker covers the target, but for its own and those next to a cut; none where it has cuts enough."""
        if len(cuts) >= MOST_BELLS:
            return []
        covered = masked(field, self.target) > 0.0
        over = (
            field.excitations[masker] * 10.0 ** (OFFSET_DB / 10.0) > 0.25 * field.excitations[self.target]
        ) & covered
        taken = {cut.band + near for cut in cuts for near in (-1, 0, 1)} | self.essential[masker]
        return [band for band in self.bands if band not in taken and over[:, band].any()]

    def _tried(self, field: Field, masker: str, band: int, others: tuple[Floats, Floats], share: float) -> Cut:
        """What a bell in a masker would free."""
        active = field.active[self.target][:, 0] > 0.0
        means = [field.excitations[each][active, band].mean() for each in (masker, self.target)]
        over_db = float(10.0 * np.log10(max(means[0], 1e-14) / max(means[1], 1e-14)))
        if over_db < LEAST_OVER_DB:
            return Cut(band, 0.0, self.target, 0.0, over_db)
        cut_db = round(held(max(1.0, over_db - OFFSET_DB), self.maskers[masker], RANGES_DB["cut"]), 1)
        less = 1.0 - 10.0 ** (_bell_db(band, cut_db, self.rate_hz) / 10.0)
        taken = field.excitations[masker] * less * 10.0 ** (OFFSET_DB / 10.0)
        left, right = field.sides[masker]
        after = masked_share(field, self.target, (others[0] - taken * left, others[1] - taken * right))
        return Cut(band, cut_db, self.target, share - after, over_db)


def _bell(band: int, cut_db: float) -> Band:
    return Band(kind="bell", freq_hz=float(CENTRES_HZ[band]), gain_db=-cut_db, quality_ratio=QUALITY)


def _bell_db(band: int, cut_db: float, rate_hz: int) -> Floats:
    return tone_db(ParametricSettings(bands=(_bell(band, cut_db),)), rate_hz)


def _cut_field(field: Field, cuts: Cuts, rate_hz: int) -> Field:
    """The field with some bells in it; what a stem spreads is taken to fall as the band does that it is spread to."""
    excitations = dict(field.excitations)
    for masker, bells in cuts.items():
        gain_db = sum((_bell_db(cut.band, cut.cut_db, rate_hz) for cut in bells), np.zeros(len(CENTRES_HZ)))
        excitations[masker] = excitations[masker] * 10.0 ** (gain_db / 10.0)
    return field._replace(excitations=excitations)


def _kept(session: Session, settings: MixSettings, cuts: Cuts, before: Mapping[str, float]) -> MixSettings:
    """The settings with those cuts for which no other stem has to suffer."""
    for last in (*[False] * TRIES, True):
        made = _with(settings, cuts, before)
        after = masked_ratios(session, made) if cuts else before
        suffering = {stem_id for stem_id in cuts if after[stem_id] - before[stem_id] > MOST_RISE_RATIO}
        if not suffering:
            return made
        kept = {
            stem_id: bells if stem_id not in suffering else () if last else _halved(bells)
            for stem_id, bells in cuts.items()
        }
        cuts = {stem_id: bells for stem_id, bells in kept.items() if bells}
    return _with(settings, cuts, before)


def _halved(cuts: tuple[Cut, ...]) -> tuple[Cut, ...]:
    halves = (cut._replace(cut_db=round(cut.cut_db / 2.0, 1)) for cut in cuts)
    return tuple(cut for cut in halves if cut.cut_db >= LEAST_CUT_DB)


def _with(settings: MixSettings, cuts: Cuts, before: Mapping[str, float]) -> MixSettings:
    strips = {strip.stem_id: strip for strip in settings.stems}
    return replaced(settings, {stem_id: _with_bells(strips[stem_id], bells, before) for stem_id, bells in cuts.items()})


def _with_bells(strip: Strip, cuts: tuple[Cut, ...], before: Mapping[str, float]) -> Strip:
    ordered = sorted(cuts)
    settings = ParametricSettings(bands=tuple(_bell(cut.band, cut.cut_db) for cut in ordered))
    evidence: dict[str, float | str] = {}
    for cut in ordered:
        hz = f"{CENTRES_HZ[cut.band]:.0f}_hz"
        evidence[f"for_{hz}"] = cut.target
        evidence[f"over_it_at_{hz}_db"] = round(cut.over_db, 1)
        evidence[f"frees_at_{hz}_ratio"] = round(cut.freed_ratio, 4)
    evidence["most_masked_ratio"] = round(max(before[cut.target] for cut in ordered), 3)
    names = " and ".join(dict.fromkeys(cut.target for cut in ordered))
    why = Why(
        text=f"it covers {names} there, beside the bands that make its own sound", evidence=evidence, confidence=0.7
    )
    return msgspec.structs.replace(strip, inserts=(*strip.inserts, Insert.of(settings, why)))
