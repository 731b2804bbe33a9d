"""Decides where a stem gives way in tone to one that it covers: cuts in the masker, never boosts, after Hafezi and Reiss (2015).

The lead comes first, then bass, then kick. A masker is cut only beside its own essential bands, by 3 dB at most; each bell is
the one that the model (`decisions/mixing/excitation.py`) says frees most, and goes again where another stem would suffer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

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

LITTLE_RATIO = 0.1
"""Where less of a stem is masked than this, nothing gives way to it (our choice)."""
WORTH_RATIO = 0.003
"""A bell must free this much of the energy that it is there for (our choice)."""
MOST_BELLS = 3
QUALITY = 2.0
"""About as wide as two Bark bands in the middle of the range."""
LEAST_CUT_DB = 0.5
LEAST_OVER_DB = -3.0
"""A masker that lies further below what it covers is not the one to cut: two of these together lie as high as it."""
ESSENTIAL_BANDS = 6
"""So many of its loudest Bark bands make a stem what it is (our choice: a quarter of them)."""
BANDS = range(2, 22)
"""200 Hz to 9.5 kHz: what lies below is for levels and ducks, what lies above is air."""
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


def masked_ratios(session: Session, settings: MixSettings) -> dict[str, float]:
    """stem_id -> share of the stem's energy that the others cover, 0 to 1, for every strip that is used."""
    return shares(field_of(session, settings))


def decide_masking(session: Session, settings: MixSettings) -> MixSettings:
    """Cuts in stems that cover the lead, bass or kick; none where little is covered."""
    field = field_of(session, settings)
    before = shares(field)
    order = protected(session, settings)
    cuts: dict[str, list[Cut]] = {}
    for place, target in enumerate(order):
        if before[target] >= LITTLE_RATIO:
            maskers = _maskers(session, settings, order[: place + 1])
            _cut_for(target, maskers, _essential(session, settings), field, cuts, settings.rate_hz)
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


def _cut_for(
    target: str,
    maskers: Mapping[str, float],
    essential: Mapping[str, frozenset[int]],
    field: Field,
    cuts: dict[str, list[Cut]],
    rate_hz: int,
) -> None:
    """Adds the bells that free most of the target, one after the other."""
    ears = _cut_field(field, cuts, rate_hz)
    others, share = ears.others(target), masked_share(ears, target)
    while True:
        best: Cut | None = None
        of = ""
        for masker, confidence in maskers.items():
            if len(cuts.get(masker, ())) >= MOST_BELLS:
                continue
            for band in _candidates(ears, target, masker, essential[masker], cuts.get(masker, [])):
                cut = _tried(ears, target, masker, band, confidence, others, share, rate_hz)
                if cut.freed_ratio > (best.freed_ratio if best else WORTH_RATIO):
                    best, of = cut, masker
        if best is None:
            return
        cuts.setdefault(of, []).append(best)
        ears = _cut_field(field, cuts, rate_hz)
        others, share = ears.others(target), masked_share(ears, target)


def _candidates(field: Field, target: str, masker: str, essential: frozenset[int], cuts: list[Cut]) -> list[int]:
    """The bands in which a masker lies over the target where the target is covered, but for its own and those next to a cut."""
    covered = masked(field, target) > 0.0
    over = (field.excitations[masker] * 10.0 ** (OFFSET_DB / 10.0) > 0.25 * field.excitations[target]) & covered
    taken = {cut.band + near for cut in cuts for near in (-1, 0, 1)}
    return [band for band in BANDS if band not in essential and band not in taken and over[:, band].any()]


def _tried(
    field: Field,
    target: str,
    masker: str,
    band: int,
    confidence: float,
    others: tuple[Floats, Floats],
    share: float,
    rate_hz: int,
) -> Cut:
    """What a bell in a masker would free."""
    active = field.active[target][:, 0] > 0.0
    means = [field.excitations[each][active, band].mean() for each in (masker, target)]
    over_db = float(10.0 * np.log10(max(means[0], 1e-14) / max(means[1], 1e-14)))
    if over_db < LEAST_OVER_DB:
        return Cut(band, 0.0, target, 0.0, over_db)
    cut_db = round(held(max(1.0, over_db - OFFSET_DB), confidence, RANGES_DB["cut"]), 1)
    less = 1.0 - 10.0 ** (_bell_db(band, cut_db, rate_hz) / 10.0)
    taken = field.excitations[masker] * less * 10.0 ** (OFFSET_DB / 10.0)
    left, right = field.sides[masker]
    after = masked_share(field, target, (others[0] - taken * left, others[1] - taken * right))
    return Cut(band, cut_db, target, share - after, over_db)


def _bell(band: int, cut_db: float) -> Band:
    return Band(kind="bell", freq_hz=float(CENTRES_HZ[band]), gain_db=-cut_db, quality_ratio=QUALITY)


def _bell_db(band: int, cut_db: float, rate_hz: int) -> Floats:
    return tone_db(ParametricSettings(bands=(_bell(band, cut_db),)), rate_hz)


def _cut_field(field: Field, cuts: Mapping[str, list[Cut]], rate_hz: int) -> Field:
    """The field with some bells in it; what a stem spreads is taken to fall as the band does that it is spread to."""
    excitations = dict(field.excitations)
    for masker, bells in cuts.items():
        gain_db = sum((_bell_db(cut.band, cut.cut_db, rate_hz) for cut in bells), np.zeros(len(CENTRES_HZ)))
        excitations[masker] = excitations[masker] * 10.0 ** (gain_db / 10.0)
    return field._replace(excitations=excitations)


def _kept(
    session: Session, settings: MixSettings, cuts: dict[str, list[Cut]], before: Mapping[str, float]
) -> MixSettings:
    """The settings with those cuts for which no other stem has to suffer."""
    for _ in range(TRIES):
        made = _with(settings, cuts, before)
        after = masked_ratios(session, made) if cuts else before
        suffering = [stem_id for stem_id in cuts if after[stem_id] - before[stem_id] > MOST_RISE_RATIO]
        if not suffering:
            return made if cuts else settings
        for stem_id in suffering:
            halved = [cut._replace(cut_db=round(cut.cut_db / 2.0, 1)) for cut in cuts.pop(stem_id)]
            if kept := [cut for cut in halved if cut.cut_db >= LEAST_CUT_DB]:
                cuts[stem_id] = kept
    for stem_id in suffering:
        cuts.pop(stem_id, None)
    return _with(settings, cuts, before)


def _with(settings: MixSettings, cuts: Mapping[str, list[Cut]], before: Mapping[str, float]) -> MixSettings:
    strips = {strip.stem_id: strip for strip in settings.stems}
    return replaced(settings, {stem_id: _with_bells(strips[stem_id], bells, before) for stem_id, bells in cuts.items()})


def _with_bells(strip: Strip, cuts: list[Cut], before: Mapping[str, float]) -> Strip:
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
