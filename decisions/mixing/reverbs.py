"""Decides reverb: how much of each stem goes into a room, and what the room is like.

The manifest's wish holds always. Without one, only stems that are surely dry are sent, and none where any stem brought ambience
along or most come in stereo: then somebody has made a space already. Kick, bass and cymbals stay dry.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from decisions.mixing.dryness import Dryness, dryness
from decisions.mixing.pans import ARRIVED_RATIO, is_stereo
from decisions.mixing.prediction import LEAST_POWER, WEIGHTS, bands_in_mix, tone_db
from decisions.mixing.reasons import UNSURE
from decisions.mixing.session import HeardStem, Session
from decisions.mixing.strips import open_strips, replaced, used_strips
from dsp.audio import Floats
from dsp.mixing.trace import ONSETS_PER_S
from dsp.settings import Band, ParametricSettings, ReverbSettings
from schemas.mix import MixSettings, Return, Send, Strip, Why, kind_of
from schemas.stems import ReverbWish, Role

LEVELS_LU: dict[ReverbWish, float] = {"low": -22.0, "medium": -18.0, "high": -14.0}
"""Loudness of a stem's room re the stem (mixing by rule; mixes are judged too wet from about -14 LU on: De Man et al. 2017)."""
WHOLE_LU = -14.0
"""All rooms together re the mix."""
BY_ROLE: dict[Role, ReverbWish] = {
    "vocal": "medium",
    "backing_vocal": "medium",
    "snare": "low",
    "toms": "low",
    "percussion": "low",
    "electric_guitar": "low",
    "acoustic_guitar": "low",
    "keys": "low",
    "synth": "low",
    "strings": "medium",
    "brass": "low",
    "woodwind": "low",
}
"""What a dry stem gets that asks for nothing (our choice). Roles that are not here get none: lows and cymbals
blur, groups and rooms have their own."""
DRY_BY_THEMSELVES = ("kick", "bass", "cymbals", "fx", "room")
"""Of these nobody can tell whether a session is dry: they are left dry in wet ones, or ring in dry ones."""
FEWEST_JUDGED = 3
DECAYS_S = (2.2, 0.8)
DENSITIES_PER_S = (1.0, 8.0)
"""From so few onsets a second on the room is long, to so many short (Pestana and Reiss: it follows density; our numbers)."""
PREDELAYS_S = (0.03, 0.01)
LEAST_SEND_DB, MOST_SEND_DB = -60.0, 6.0
APART_TICKS = 8
"""Onsets nearer than this are one."""


def decide_reverbs(session: Session, settings: MixSettings) -> MixSettings:
    """A send for each stem that is to have a room, and a room for each kind of stem that has one."""
    dry = {one.stem.stem_id: dryness(one) for one in session.stems}
    raw = _raw(session, settings, dry)
    bands = bands_in_mix(session, settings)
    density_per_s = onset_density(session, settings)
    room = _room(density_per_s)
    made = {}
    for one, strip in open_strips(session, settings):
        if not strip.sends and (send := _send(one, strip, dry[strip.stem_id], raw, bands[strip.stem_id], room)):
            made[strip.stem_id] = msgspec.structs.replace(strip, sends=(send,))
    if not made:
        return settings
    settings = replaced(settings, made)
    return _with_returns(settings, bands, room, density_per_s)


def onset_density(session: Session, settings: MixSettings) -> float:
    """Onsets a second of all stems together, in their gains; between the first sound and the last."""
    ticks = max((len(one.trace.onsets) for one in session.stems), default=0)
    total = np.zeros(ticks)
    for one, strip in used_strips(session, settings):
        total[: len(one.trace.onsets)] += one.trace.onsets * 10.0 ** (strip.gain_db / 10.0)
    if not total.any():
        return 0.0
    strong = total > 0.1 * float(np.percentile(total[total > 0.0], 95))
    places, count, last = np.flatnonzero(strong), 0, -APART_TICKS
    for place in places.tolist():
        if place - last >= APART_TICKS:
            count, last = count + 1, place
    return count * ONSETS_PER_S / max(1, int(places[-1] - places[0]))


def _raw(session: Session, settings: MixSettings, dry: dict[str, Dryness]) -> bool:
    """Whether nobody has made the space of a session yet: whatever can be judged is dry, and most is mono."""
    used = [one for one, strip in used_strips(session, settings) if strip.role not in DRY_BY_THEMSELVES]
    judged = [dry[one.stem.stem_id] for one in used if dry[one.stem.stem_id].decay_s is not None]
    if len(judged) < FEWEST_JUDGED or sum(map(is_stereo, used)) >= ARRIVED_RATIO * len(used):
        return False
    return all(each.confidence >= UNSURE for each in judged)


def _send(one: HeardStem, strip: Strip, dry: Dryness, raw: bool, bands: Floats, room: ReverbSettings) -> Send | None:
    wish, asked = one.stem.reverb, one.stem.reverb is not None
    if not asked:
        sure = raw and dry.confidence >= UNSURE and one.role_confidence >= UNSURE
        wish = BY_ROLE.get(strip.role) if sure else None
    if wish is None or wish == "none":
        return None
    passed_db = _passed_db(bands, room)
    level_db = min(MOST_SEND_DB, max(LEAST_SEND_DB, LEVELS_LU[wish] - passed_db))
    evidence: dict[str, float | str] = {"room_re_stem_lu": LEVELS_LU[wish], "cuts_take_lu": round(-passed_db, 1)}
    if dry.decay_s is not None:
        evidence |= {"own_decay_s": round(dry.decay_s, 2), "stops_count": dry.stops}
    text = f"the manifest asks for {wish} reverb" if asked else f"it is dry: it dies away too fast for a room; {wish}"
    why = Why(text=text, evidence=evidence, confidence=1.0 if asked else min(dry.confidence, 0.7))
    return Send(to=f"reverb_{kind_of(strip.bus)}", level_db=round(level_db, 2), why=why)


def _room(density_per_s: float) -> ReverbSettings:
    decay_s = float(np.interp(density_per_s, DENSITIES_PER_S, DECAYS_S))
    predelay_s = float(np.interp(density_per_s, DENSITIES_PER_S, PREDELAYS_S))
    return ReverbSettings(decay_s=round(decay_s, 2), predelay_s=round(predelay_s, 3))


def _passed_db(bands: Floats, room: ReverbSettings) -> float:
    """How much of a stem's loudness gets through the cuts before a room."""
    cuts = ParametricSettings(
        bands=(Band(kind="highpass", freq_hz=room.low_cut_hz), Band(kind="lowpass", freq_hz=room.high_cut_hz))
    )
    heard = bands.sum(axis=0) * WEIGHTS
    passed = float((heard * 10.0 ** (tone_db(cuts, 48_000) / 10.0)).sum())
    return 10.0 * math.log10(max(passed, LEAST_POWER) / max(float(heard.sum()), LEAST_POWER))


def _with_returns(
    settings: MixSettings, bands: dict[str, Floats], room: ReverbSettings, density_per_s: float
) -> MixSettings:
    """A room for each kind that is sent to, turned down together where they would be too loud."""
    heard = {stem_id: float((each.sum(axis=0) * WEIGHTS).sum()) for stem_id, each in bands.items()}
    wet = sum(
        heard[strip.stem_id] * 10.0 ** ((send.level_db + _passed_db(bands[strip.stem_id], room)) / 10.0)
        for strip in settings.stems
        if strip.stem_id in heard
        for send in strip.sends
    )
    whole_lu = 10.0 * math.log10(max(wet, LEAST_POWER) / max(sum(heard.values()), LEAST_POWER))
    gain_db = round(min(0.0, WHOLE_LU - whole_lu), 2)
    measured: dict[str, float | str] = {"onsets_per_s": round(density_per_s, 2), "rooms_re_mix_lu": round(whole_lu, 1)}
    why = {"reverb": Why(text="the denser the music, the shorter its room", evidence=measured, confidence=0.6)}
    if gain_db:
        text = "all rooms together would be too loud"
        why["gain_db"] = Why(text=text, evidence={**measured, "most_re_mix_lu": WHOLE_LU}, confidence=0.8)
    kinds = sorted({kind_of(strip.bus) for strip in settings.stems if strip.sends})
    rooms = (Return(name=f"reverb_{kind}", of=kind, reverb=room, gain_db=gain_db, why=why) for kind in kinds)
    return msgspec.structs.replace(settings, returns=(*settings.returns, *rooms))
