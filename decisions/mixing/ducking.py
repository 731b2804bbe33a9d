"""Decides ducks: the bass gives way to the kick in the lows, accompaniment to the lead in the middle; for as long as they sound.

Both only where it is proven that one is in the other's way, at the same time and in the same band.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from decisions.mixing.excitation import field_of, masked
from decisions.mixing.prediction import bands_in_mix, key_level_dbfs, overlap_ratio, to_level, to_power
from decisions.mixing.reasons import RANGES_DB, held
from decisions.mixing.session import HeardStem, Session
from decisions.mixing.strips import leads, open_strips, replaced, used_strips
from dsp.audio import Floats
from schemas.mix import Duck, MixSettings, Strip, Why

LOWS_HZ = (40.0, 120.0)
SPEECH_HZ = (1_000.0, 4_000.0)
"""Where words are understood."""
NEAR_DB = 6.0
"""A bass that lies less than this below the kick, in the lows while it hits, is in its way (our choice)."""
KICK_MASKED_RATIO = 0.1
"""Where less of the kick's lows is masked, no bass gives way (our choice)."""
OFTEN_RATIO = 0.4
"""Of the kick's hits, so many must be met by the bass (our choice)."""
LEAD_MASKED_RATIO = 0.1
"""Where less of the lead's energy from 1 to 4 kHz is masked, nothing gives way to it (our choice)."""
MASKER_RATIO = 0.15
"""Of what covers the lead in its band, a stem must make so much to give way (our choice)."""
HIT_DB = 6.0
"""What lies within this of the kick's mean level while it sounds is a hit: its decay is not."""
BELOW_KEY_DB = 3.0
"""Ducks work in full from so far below the mean level of their key while it sounds (our choice)."""
MUSIC = ("music", "fx")


def decide_ducking(session: Session, settings: MixSettings) -> MixSettings:
    """Ducks of the basses by the kick, then of the accompaniment by the leads."""
    settings = _bass_by_kick(session, settings)
    return _music_by_lead(session, settings)


def _bass_by_kick(session: Session, settings: MixSettings) -> MixSettings:
    bands = bands_in_mix(session, settings)
    kicks = [(one, strip) for one, strip in used_strips(session, settings) if strip.role == "kick"]
    basses = [(one, strip) for one, strip in open_strips(session, settings) if strip.role == "bass" and not strip.ducks]
    if not kicks or not basses:
        return settings
    kick, _ = max(kicks, key=lambda each: float(_lows(bands[each[1].stem_id]).sum()))
    proof = _covered(session, settings, kick.stem.stem_id, LOWS_HZ)
    made = {}
    for one, strip in basses:
        if (duck := _for_kick(one, strip, kick, bands, settings, proof["masked_ratio"])) is not None:
            made[strip.stem_id] = msgspec.structs.replace(strip, ducks=(duck,))
    return replaced(settings, made)


def _for_kick(
    one: HeardStem, strip: Strip, kick: HeardStem, bands: dict[str, Floats], settings: MixSettings, masked_ratio: float
) -> Duck | None:
    kick_id = kick.stem.stem_id
    hits = np.pad(kick.trace.active, (0, len(bands[kick_id]) - kick.trace.steps))
    level_db = to_level(_lows(bands[kick_id]))
    hits &= level_db > float(to_level(np.array([_lows(bands[kick_id])[hits].mean()]))[0]) - HIT_DB
    over_db = to_level(_lows(bands[strip.stem_id]))[hits] - level_db[hits]
    met_ratio = float((over_db > -NEAR_DB).mean())
    if met_ratio < OFTEN_RATIO or masked_ratio < KICK_MASKED_RATIO:
        return None
    confidence = min(0.7, one.role_confidence, kick.role_confidence)
    depth_db = round(held(RANGES_DB["bass duck"] * met_ratio, confidence, RANGES_DB["bass duck"]), 1)
    why = Why(
        text=f"it meets {kick_id} in the lows: it gives way while that hits",
        evidence={
            "kick_masked_in_the_lows_ratio": round(masked_ratio, 3),
            "met_hits_ratio": round(met_ratio, 2),
            "re_kick_in_the_lows_db": round(float(np.median(over_db)), 1),
        },
        confidence=confidence,
    )
    return _duck(kick, _key_bands(kick, bands, settings), hits, depth_db, LOWS_HZ, why)


def _music_by_lead(session: Session, settings: MixSettings) -> MixSettings:
    bands, heard = bands_in_mix(session, settings), session.heard()
    strips = {strip.stem_id: strip for strip in settings.stems}
    for lead in leads(session, settings):
        proof = _covered(session, settings, lead, SPEECH_HZ)
        if proof["masked_ratio"] < LEAD_MASKED_RATIO:
            continue
        active = np.pad(heard[lead].trace.active, (0, len(bands[lead]) - heard[lead].trace.steps))
        for one, strip in open_strips(session, settings):
            share = proof.get(strip.stem_id, 0.0)
            if share >= MASKER_RATIO and strip.bus in MUSIC and strip.stem_id != lead:
                confidence = min(0.7, one.role_confidence)
                why = Why(
                    text=f"it covers {lead} where words are understood: it gives way while that sounds",
                    evidence={
                        "lead_masked_ratio": round(proof["masked_ratio"], 3),
                        "its_part_of_what_covers_ratio": round(share, 2),
                    },
                    confidence=confidence,
                )
                depth_db = held(RANGES_DB["lead duck"], confidence, RANGES_DB["lead duck"])
                key = _key_bands(heard[lead], bands, settings)
                duck = _duck(heard[lead], key, active, depth_db, SPEECH_HZ, why)
                strips[strip.stem_id] = msgspec.structs.replace(strip, ducks=(*strips[strip.stem_id].ducks, duck))
    return replaced(settings, strips)


def _covered(session: Session, settings: MixSettings, lead: str, hz: tuple[float, float]) -> dict[str, float]:
    """How much of a stem is covered between two frequencies (`masked_ratio`), and each other's part of what covers it there."""
    field = field_of(session, settings)
    band = overlap_ratio(*hz)
    own = field.excitations[lead] * field.active[lead] * band
    covered = masked(field, lead) * band
    found = {"masked_ratio": float(covered.sum()) / max(float(own.sum()), 1e-20)}
    at = covered > 0.0
    parts = {other: float(each[at].sum()) for other, each in field.excitations.items() if other != lead}
    whole = sum(parts.values())
    return {**found, **{other: part / whole for other, part in parts.items() if whole > 0.0}}


def _key_bands(key: HeardStem, bands: dict[str, Floats], settings: MixSettings) -> Floats:
    """The key as the ducker hears it: after its fader, before its bus."""
    strip = next(each for each in settings.stems if each.stem_id == key.stem.stem_id)
    bus_db = next((bus.gain_db for bus in settings.buses if bus.name == strip.bus), 0.0)
    return np.asarray(bands[key.stem.stem_id] * 10.0 ** (-bus_db / 10.0))


def _duck(
    key: HeardStem, bands: Floats, sounding: NDArray[np.bool_], depth_db: float, hz: tuple[float, float], why: Why
) -> Duck:
    level_dbfs = key_level_dbfs(bands, *hz, key.figures.format.channels)[sounding]
    mean_dbfs = float(to_level(np.array([to_power(level_dbfs).mean()]))[0])
    threshold_dbfs = mean_dbfs - BELOW_KEY_DB - depth_db
    return Duck(
        key=key.stem.stem_id,
        threshold_dbfs=round(min(0.0, max(-80.0, threshold_dbfs)), 1),
        depth_db=depth_db,
        low_hz=hz[0],
        high_hz=hz[1],
        why=why,
    )


def _lows(bands: Floats) -> Floats:
    return np.asarray(bands @ overlap_ratio(*LOWS_HZ))
