"""Session checks: what spoils a session is named with its measure and mended where that is proven; a clean one is left alone."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from decisions.mixing.checks import candidates, check_session, hygiene
from decisions.mixing.session import HeardStem, Session, neutral_settings
from dsp.mixing.trace import Trace
from schemas.codes import CODES
from schemas.figures import AudioFormat
from schemas.mix import REFERENCE, PairFigures, StemFigures, Strip, SumFigures
from schemas.stems import Song, Stem

RATE_HZ = 48_000
STEPS = 600


def trace(seed: int, steps: int = STEPS, speed: float = 1.0) -> Trace:
    """Hits on a beat of its own in bands of its own; played faster by `speed`, with the same hits."""
    rng = np.random.default_rng(seed)
    beat = rng.random(40) < 0.5
    spectrum = rng.uniform(0.0, 1.0, 24) ** 4
    ticks = np.zeros(10 * steps)
    for hit in range(4 * steps):
        at = round(25 * hit / speed)
        if at < len(ticks) and beat[hit % 40]:
            ticks[at : at + 12] += 0.02 * np.exp(-np.arange(min(12, len(ticks) - at)) / 4.0)
    energies = ticks.reshape(steps, 10).mean(axis=1)
    bands = (energies[:, None] * spectrum).astype(np.float32)
    rises = np.maximum(np.diff(ticks, prepend=0.0), 0.0).astype(np.float32)
    return Trace(energies, bands, energies > 1e-6, rises)


def figures(name: str, seconds: float = STEPS / 10, **changes: Any) -> StemFigures:
    rate_hz = changes.pop("rate_hz", RATE_HZ)
    audio = AudioFormat(
        container="WAV", codec="PCM_24", rate_hz=rate_hz, channels=1, frames=round(seconds * rate_hz), bits=24
    )
    values: dict[str, Any] = {
        "sha256": name, "format": audio, "integrated_lufs": -20.0, "loudness_range_lu": 3.0, "sample_peak_dbfs": -6.0,
        "crest_db": 14.0, "noise_floor_dbfs": None, "active_ratio": 1.0, "first_sound_s": 0.0, "last_sound_s": seconds,
        "centroid_hz": 1_000.0, "percussivity_ratio": 0.5, "low_ratio": 0.1, "bands_db": (None,) * 24, "correlation": None,
        "balance_db": None, "offset_ratio": (0.0,), "flat_tops": 0,
    }  # fmt: skip
    return StemFigures(**values | changes)


def stem(
    name: str, seed: int, role: str = "other1", seconds: float = STEPS / 10, speed: float = 1.0, **changes: Any
) -> HeardStem:
    said = {key: changes.pop(key) for key in ("pair", "lock", "mute", "presence", "gain_db") if key in changes}
    row = Stem(row=1, uri=f"{name}.wav", stem_id=name, **said)
    found = trace(seed, round(seconds * 10), speed)
    return HeardStem(row, figures(name, seconds, **changes), found, role, "manifest", 1.0)  # type: ignore[arg-type]


def session(*stems: HeardStem, pairs=(), sums=()) -> Session:
    ordered = tuple(sorted(stems, key=lambda one: one.stem.stem_id))
    song = Song(stems=tuple(one.stem for one in ordered))
    return Session(mix_id="song", song=song, rate_hz=RATE_HZ, stems=ordered, pairs=pairs, sums=sums)


def pair(first: str, second: str, of: str = "both", **changes: Any) -> PairFigures:
    values: dict[str, Any] = {
        "first": first, "second": second, "of": of, "delay_frames": 96.0, "peak_ratio": 50.0, "stable_ratio": 1.0,
        "inverted": False, "correlation": 0.6, "gain_db": -6.0, "residual_db": -2.0,
    }  # fmt: skip
    return PairFigures(**values | changes)


def sums(
    target: str, residual_db: float, *parts: str, bands_db: tuple[float | None, ...] = (-60.0,) * 31, absent: str = ""
) -> SumFigures:
    gains = dict.fromkeys(parts, 1.0) | ({absent: 0.0} if absent else {})
    return SumFigures(
        target=target, gains_ratio=gains, levels_db=dict.fromkeys(parts, -6.0), delay_frames=0.0,
        residual_db=residual_db, residual_bands_db=bands_db,
    )  # fmt: skip


def codes(found: Session) -> list[str]:
    return [finding.code for finding in check_session(found)]


def strip(found: Session, name: str) -> Strip:
    settings = hygiene(found, neutral_settings(found))
    return next(one for one in settings.stems if one.stem_id == name)


def band() -> list[HeardStem]:
    return [stem(name, seed) for seed, name in enumerate(("bass", "guitar", "keys", "tambourine"))]


def test_a_clean_session_is_left_alone():
    clean = session(*band())
    assert codes(clean) == []
    assert hygiene(clean, neutral_settings(clean)) == neutral_settings(clean)


def test_a_silent_stem_is_left_out_with_its_reason():
    spoiled = session(*band(), stem("air", 9, sample_peak_dbfs=-92.0))
    (finding,) = check_session(spoiled)
    assert (finding.code, finding.measured, finding.limit) == ("STEM_SILENT", -92.0, -80.0)
    found = strip(spoiled, "air")
    assert not found.use and found.why["use"].evidence["code"] == "STEM_SILENT"


def test_the_same_bytes_are_used_once():
    spoiled = session(*band(), stem("bass copy", 0, sha256="bass"))
    assert codes(spoiled) == ["STEM_DUPLICATE"]
    assert strip(spoiled, "bass").use and not strip(spoiled, "bass copy").use


def test_of_two_copies_the_one_that_a_person_set_is_kept():
    spoiled = session(*band(), stem("bass copy", 0, sha256="bass", gain_db=-3.0))
    assert not strip(spoiled, "bass").use and strip(spoiled, "bass copy").use


def test_a_copy_is_known_by_its_sound():
    copies = (pair("bass", "bass copy", delay_frames=30.0, correlation=-1.0, residual_db=-70.0),)
    assert codes(session(*band(), stem("bass copy", 0), pairs=copies)) == ["STEM_DUPLICATE"]


def test_bleed_that_is_all_there_is_does_not_make_a_copy():
    heard = (pair("bass", "keys", of="bleed", residual_db=-70.0, correlation=1.0),)
    assert "STEM_DUPLICATE" not in codes(session(*band(), pairs=heard))


def test_copies_are_candidates_and_other_stems_are_not():
    wish = candidates(session(*band(), stem("zither", 0)))
    assert [(one.first, one.second) for one in wish.pairs if one.of == "both"] == [("bass", "zither")]


def test_a_bounce_is_left_out_and_its_parts_stay():
    parts = ("bass", "guitar", "keys", "tambourine")
    found = (sums("rough", -60.0, *parts), sums("bass", -25.0, "rough", "keys"))
    spoiled = session(*band(), stem("rough", 7), sums=found)
    assert codes(spoiled) == ["STEM_IS_MIX"]
    assert [one.use for one in hygiene(spoiled, neutral_settings(spoiled)).stems] == [True, True, True, False, True]


def test_a_stem_that_is_like_another_is_no_mix():
    assert codes(session(*band(), sums=(sums("bass", -30.0, "keys"),))) == []


@pytest.mark.parametrize(("header_hz", "made_hz"), [(44_100, 48_000), (48_000, 44_100), (48_000, 96_000)])
def test_a_rate_that_lies_rejects_the_song(header_hz, made_hz):
    slower = made_hz / header_hz
    liar = stem("guitar", 1, seconds=60.0 * slower, speed=1.0 / slower, rate_hz=header_hz)
    others = [stem(name, seed) for seed, name in ((0, "bass"), (1, "keys"), (2, "tambourine"))]
    spoiled = session(*others, liar)
    (finding,) = [one for one in check_session(spoiled) if one.code == "STEM_RATE_LIES"]
    assert finding.severity == "fail" and CODES[finding.code].severity == "rejected"
    assert f"made at {made_hz} Hz" in finding.text


def test_a_stem_of_another_length_is_told_and_not_rejected():
    spoiled = session(*band(), stem("shaker", 5, seconds=52.0))
    assert codes(spoiled) == ["STEM_LENGTH_DIFFERS"]


def test_rates_that_differ_are_told():
    assert codes(session(*band(), stem("shaker", 5, rate_hz=44_100))) == ["STEM_RATES_MIXED"]


def mics(**changes: Any) -> Session:
    return session(
        *band(), stem("di", 10, pair="gtr", integrated_lufs=-25.0), stem("mic", 11, pair="gtr"),
        pairs=(pair("di", "mic", **changes),),
    )  # fmt: skip


def test_the_softer_microphone_of_a_pair_is_brought_to_the_louder():
    found = strip(mics(), "di")
    assert (found.delay_frames, found.invert) == (96.0, False)
    (finding,) = check_session(mics())
    assert finding.code == "STEM_DELAYED" and finding.measured == pytest.approx(2.0)
    assert "ripple by 9.6 dB" in finding.text  # 20 log10((1 + r) / (1 - r)) at -6 dB
    assert strip(mics(), "mic") == Strip(stem_id="mic", role="other1", why=strip(mics(), "mic").why)


def test_the_louder_one_may_come_first_by_name():
    turned = session(
        *band(),
        stem("di", 10, pair="gtr"),
        stem("mic", 11, pair="gtr", integrated_lufs=-25.0),
        pairs=(pair("di", "mic"),),
    )
    assert strip(turned, "mic").delay_frames == -96.0 and strip(turned, "di").delay_frames == 0.0


@pytest.mark.parametrize(
    "changes",
    [
        {"delay_frames": None},
        {"delay_frames": 2.0},
        {"delay_frames": 1_000.0},
        {"correlation": 0.2},
    ],
)
def test_without_proof_nothing_is_moved(changes):
    assert strip(mics(**changes), "di").delay_frames == 0.0


def test_polarity_is_mended_inside_a_pair_alone():
    inverted = {"delay_frames": 0.0, "inverted": True, "correlation": -0.8}
    assert strip(mics(**inverted), "di").invert
    loose = session(*band(), pairs=(pair("bass", "keys", **inverted),))
    assert codes(loose) == ["STEM_TWICE"]
    assert not strip(loose, "bass").invert and not strip(loose, "keys").invert


def test_a_room_stays_late():
    late = session(
        stem("di", 10, pair="a"), stem("far", 11, role="room", pair="a"), stem("x", 3), pairs=(pair("di", "far"),)
    )
    assert strip(late, "di").delay_frames == 0.0 == strip(late, "far").delay_frames


def drums(**changes: Any) -> Session:
    kick = stem("kick", 1, role="kick", low_ratio=0.5, **changes)
    return session(
        kick, stem("over", 2, role="cymbals", centroid_hz=4_000.0), stem("room", 3, role="room"),
        pairs=(pair("kick", "over", of="bleed", inverted=True, correlation=-0.7), pair("kick", "room", of="bleed")),
    )  # fmt: skip


def test_a_spot_is_brought_to_the_overhead_that_hears_it():
    found = strip(drums(), "kick")
    assert (found.delay_frames, found.invert) == (96.0, True)
    assert strip(drums(), "over").delay_frames == 0.0


def test_a_locked_stem_is_told_of_and_stays():
    found = strip(drums(lock=True), "kick")
    assert (found.delay_frames, found.invert) == (0.0, False)
    assert any("locked" in finding.text for finding in check_session(drums(lock=True)))


def test_bleed_is_told_where_nobody_wants_it():
    heard = session(*band(), pairs=(pair("bass", "keys", of="bleed", gain_db=-15.0),))
    (finding,) = check_session(heard)
    assert (finding.code, finding.measured) == ("STEM_BLEED", -15.0)
    assert "STEM_BLEED" not in codes(drums())


def test_a_stem_off_against_the_reference_is_moved_to_where_the_others_are():
    names = ("bass", "guitar", "keys", "tambourine")
    delays = (500.0, 500.0, 20.0, 501.0)  # keys come 480 frames too late
    found = session(
        *band(), pairs=tuple(pair(name, REFERENCE, delay_frames=d) for name, d in zip(names, delays, strict=True))
    )
    assert codes(found) == ["STEM_SHIFTED"] and strip(found, "keys").delay_frames == -480.0


def test_two_stems_alone_do_not_prove_which_one_is_off():
    found = session(stem("a", 1), stem("b", 2), pairs=(pair("a", REFERENCE, delay_frames=0.0), pair("b", REFERENCE)))
    assert codes(found) == []


def test_what_the_reference_has_more_is_missing():
    bands = (-60.0,) * 10 + (-3.0,) * 4 + (-60.0,) * 17
    assert codes(session(*band(), sums=(sums(REFERENCE, -8.0, "bass", "keys", bands_db=bands),))) == ["STEM_MISSING"]


def test_a_processed_reference_proves_nothing():
    assert codes(session(*band(), sums=(sums(REFERENCE, -8.0, "bass", bands_db=(-9.0,) * 31),))) == [
        "REFERENCE_DIFFERS"
    ]


def test_a_stem_that_is_not_in_the_reference_is_told():
    found = session(*band(), sums=(sums(REFERENCE, -60.0, "bass", "keys", absent="guitar"),))
    assert codes(found) == ["STEM_NOT_IN_REFERENCE"] and strip(found, "guitar").use


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"flat_tops": 12}, "STEM_CLIPPED"),
        ({"offset_ratio": (0.01,)}, "STEM_OFFSET"),
        ({"hum_db": 20.0, "hum_hz": 50.0}, "STEM_HUM"),
        ({"noise_floor_dbfs": -55.0}, "STEM_NOISE"),
    ],
)
def test_faults_of_a_recording_are_told(changes, code):
    assert codes(session(*band(), stem("old", 8, **changes))) == [code]


def test_a_kick_that_hisses_is_doubted_and_obeyed():
    spoiled = session(*band(), stem("kick", 8, role="kick", centroid_hz=6_000.0, low_ratio=0.5))
    assert codes(spoiled) == ["STEM_ROLE_DOUBTFUL"] and strip(spoiled, "kick").role == "kick"
    assert "kick: centre of gravity at 6e+03 Hz, a kick has 0 to 3500" in check_session(spoiled)[0].text


def test_two_leads_at_once_and_a_missing_lead_are_told():
    assert codes(session(*band(), stem("v1", 8, presence="lead"), stem("v2", 8, presence="lead"))) == ["TWO_LEADS"]
    assert codes(session(*band(), stem("choir", 8, role="backing_vocal"))) == ["LEAD_MISSING"]


def test_one_stem_is_told_and_none_is_rejected():
    assert codes(session(stem("bass", 1))) == ["ONE_STEM"]
    silent = session(stem("a", 1, sample_peak_dbfs=None), stem("b", 2, mute=True))
    assert codes(silent) == ["STEM_SILENT", "NO_STEMS_LEFT"]
    assert "none of 2 stems can be used: a (STEM_SILENT), b (muted)" == check_session(silent)[-1].text


def test_a_song_of_many_stems_that_cannot_be_used_names_some():
    text = check_session(session(*(stem(f"s{n}", n, mute=True) for n in range(12))))[-1].text
    assert text.startswith("none of 12 stems") and text.endswith("and 4 more")


def test_every_finding_of_stems_has_words_and_its_severity():
    for finding in check_session(drums()):
        words = CODES[finding.code]
        assert finding.severity == ("fail" if words.severity == "rejected" else words.severity)
        assert finding.measured is not None and finding.limit is not None


def test_hygiene_twice_is_hygiene_once():
    found = mics()
    once = hygiene(found, neutral_settings(found))
    assert hygiene(found, once) == once and msgspec.json.encode(once)
