"""Settings of a mix that come back: the same bytes when nobody touched them, a person's word where somebody did."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from decisions.mixing.edits import applied, is_whole, read_settings, says, written
from dsp.settings import Band, CompressorSettings, GainSharingSettings, ParametricSettings, ReverbSettings
from schemas.errors import TrackError
from schemas.mix import (
    BusSettings,
    Duck,
    Input,
    Insert,
    MixSettings,
    Return,
    Send,
    Sharing,
    SharingGroup,
    Strip,
    Why,
)

WHY = Why(text="as it was [ 1.0, 2 ]", evidence={"level_lufs": -18.25, "key": "C"}, confidence=0.7)
INPUTS = tuple(Input(stem_id=stem_id, sha256=stem_id[0] * 64) for stem_id in ("bass", "kick", "vocal"))
STRIPS = (
    Strip(stem_id="bass", role="bass", bus="bass", gain_db=-2.1, why={"gain_db": WHY}),
    Strip(
        stem_id="kick",
        role="kick",
        bus="drums",
        invert=True,
        delay_frames=-12.5,
        inserts=(
            Insert.of(ParametricSettings(bands=(Band(kind="bell", freq_hz=60.0, gain_db=2.0),)), WHY),
            Insert.of(CompressorSettings(threshold_dbfs=-20.0), WHY),
        ),
        automation_db=(0.0, -1.5, 0.1),
        why={"gain_db": WHY},
    ),
    Strip(
        stem_id="vocal",
        role="vocal",
        bus="vocals",
        sharing=Sharing(group="a"),
        ducks=(Duck(key="kick", threshold_dbfs=-30.0, depth_db=3.0, low_hz=40.0, high_hz=120.0, why=WHY),),
        sends=(Send(to="room of vocals", level_db=-14.0, why=WHY),),
        pan_ratio=0.1,
    ),
)
DECIDED = MixSettings(
    mix_id="song",
    rate_hz=48_000,
    inputs=INPUTS,
    stems=STRIPS,
    buses=(BusSettings(name="drums", compressor=CompressorSettings(threshold_dbfs=-18.0)), BusSettings(name="bass")),
    returns=(Return(name="room of vocals", of="vocals", reverb=ReverbSettings(), why={"gain_db": WHY}),),
    groups=(SharingGroup(name="a", sharing=GainSharingSettings(), why=WHY),),
    gain_db=-3.3,
    why={"gain_db": WHY},
)


def file_of(change: Callable[[dict[str, Any]], object] = lambda said: None) -> bytes:
    """The decided settings as a file, after somebody changed something in it."""
    said = json.loads(written(DECIDED))
    change(said)
    return json.dumps(said).encode()


def applied_file(data: bytes, decided: MixSettings | None = DECIDED) -> MixSettings:
    return applied(read_settings(data), "song", INPUTS, decided)


def strip_of(settings: MixSettings, stem_id: str) -> Strip:
    return next(strip for strip in settings.stems if strip.stem_id == stem_id)


# As it was


def test_a_file_that_nobody_edited_comes_back_to_the_same_bytes():
    data = written(DECIDED)
    assert is_whole(read_settings(data), INPUTS)
    assert DECIDED == applied_file(data, decided=None)
    assert data == written(applied_file(data, decided=None))


def test_a_whole_file_is_not_touched_by_other_decisions():
    other = structs.replace(DECIDED, gain_db=-9.0, stems=tuple(structs.replace(s, gain_db=5.0) for s in STRIPS))
    assert DECIDED == applied_file(written(DECIDED), other)


def test_rows_of_numbers_stand_on_one_line_and_texts_stay_as_they_are():
    text = written(DECIDED).decode()
    assert '"automation_db": [0.0, -1.5, 0.1],' in text
    assert "as it was [ 1.0, 2 ]" in text


def test_a_file_says_the_settings_that_it_was_written_from_and_no_others():
    edits = read_settings(written(DECIDED))
    assert says(edits, DECIDED)
    assert not says(edits, structs.replace(DECIDED, gain_db=-9.0))
    assert not says(read_settings(file_of(lambda said: said["stems"][0].pop("why"))), DECIDED)
    assert not says(read_settings(file_of(lambda said: said.update(gain_db="loud"))), DECIDED)


# Edited


def test_an_edited_fader_wins_and_nothing_else_moves():
    found = applied_file(file_of(lambda said: said["stems"][0].update(gain_db=-1.1)))
    assert -1.1 == strip_of(found, "bass").gain_db
    assert DECIDED == structs.replace(found, stems=(structs.replace(found.stems[0], gain_db=-2.1), *found.stems[1:]))


def test_a_field_that_was_taken_out_is_decided_anew():
    def without(said: dict[str, Any]) -> None:
        del said["stems"][0]["gain_db"], said["pan_law"]
        said["stems"][0]["pan_ratio"] = 0.5

    other = structs.replace(DECIDED, pan_law="-6 dB", stems=(structs.replace(STRIPS[0], gain_db=7.0), *STRIPS[1:]))
    assert not is_whole(read_settings(file_of(without)), INPUTS)
    found = applied_file(file_of(without), other)
    bass = strip_of(found, "bass")
    assert (7.0, 0.5, "-6 dB") == (bass.gain_db, bass.pan_ratio, found.pan_law)


def test_a_reason_does_not_outlive_what_it_was_for():
    def edit(said: dict[str, Any]) -> None:
        del said["stems"][0]["width_ratio"]
        said["stems"][0]["gain_db"] = 0.5
        said["stems"][0]["pan_ratio"] = 0.25

    bass, kick, _ = applied_file(file_of(edit)).stems
    assert ["set by hand in the settings of the mix"] * 2 == [bass.why[name].text for name in ("gain_db", "pan_ratio")]
    assert STRIPS[1] == kick


def test_what_was_changed_in_a_whole_file_is_told_as_set_by_hand():
    def edit(said: dict[str, Any]) -> None:
        said["gain_db"] = -1.0
        said["stems"][0].update(gain_db=0.5, use=False)
        said["stems"][1]["inserts"][0]["params"]["bands"][0]["gain_db"] = -2.0
        said["stems"][2]["ducks"][0]["depth_db"] = 1.0
        said["groups"][0]["sharing"]["depth_db"] = 9.0

    edits = read_settings(file_of(edit))
    assert is_whole(edits, INPUTS)
    found = applied(edits, "song", INPUTS, before=DECIDED)
    bass, kick, vocal = found.stems
    by_hand = [found.why["gain_db"], bass.why["gain_db"], bass.why["use"], kick.inserts[0].why, vocal.ducks[0].why]
    assert {"set by hand in the settings of the mix"} == {why.text for why in [*by_hand, found.groups[0].why]}
    assert [WHY] * 3 == [kick.inserts[1].why, kick.why["gain_db"], vocal.sends[0].why]
    assert "inserts" not in kick.why
    assert DECIDED.returns == found.returns


def test_a_whole_file_that_nobody_edited_keeps_every_reason():
    data = written(DECIDED)
    assert data == written(applied(read_settings(data), "song", INPUTS, before=DECIDED))


def test_processors_sends_and_groups_need_no_reason_from_a_person():
    said = {
        "stems": [
            {
                "stem_id": "bass",
                "inserts": [{"type": "compressor", "params": {"threshold_dbfs": -20.0}}],
                "ducks": [{"key": "kick", "threshold_dbfs": -30, "depth_db": 2, "low_hz": 40, "high_hz": 120}],
                "sends": [{"to": "room", "level_db": -12}],
                "sharing": {"group": "b"},
            }
        ],
        "returns": [{"name": "room", "of": "music", "reverb": {}}],
        "groups": [{"name": "b", "sharing": {}}],
    }
    found = applied_file(json.dumps(said).encode())
    bass, group = strip_of(found, "bass"), next(one for one in found.groups if one.name == "b")
    reasons = [bass.inserts[0].why, bass.ducks[0].why, bass.sends[0].why, group.why]
    assert ["set by hand in the settings of the mix"] * 4 == [why.text for why in reasons]


def test_a_mark_that_an_editor_puts_in_front_of_a_file_changes_nothing():
    assert DECIDED == applied_file(b"\xef\xbb\xbf" + written(DECIDED))


@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"stems": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001])
def test_settings_that_are_nested_without_end_are_refused(data):
    with pytest.raises(TrackError, match="MIX_SETTINGS_INVALID: .*too deep"):
        read_settings(data)


def test_a_stem_that_was_taken_out_is_decided_anew():
    found = applied_file(file_of(lambda said: said["stems"].pop(1)), DECIDED)
    assert STRIPS[1] == strip_of(found, "kick")


def test_a_few_lines_are_enough():
    data = b'{"stems": [{"stem_id": "kick", "gain_db": 3, "use": false}], "buses": [{"name": "drums", "compressor": null}]}'
    found = applied_file(data)
    kick = strip_of(found, "kick")
    assert (3.0, False, None) == (kick.gain_db, kick.use, found.buses[0].compressor)
    assert STRIPS[1].inserts == kick.inserts


def test_a_part_of_a_processor_can_be_edited():
    found = applied_file(b'{"returns": [{"name": "room of vocals", "reverb": {"decay_s": 0.8}}]}')
    assert ReverbSettings(decay_s=0.8) == found.returns[0].reverb


def test_a_reason_that_a_person_gives_is_kept():
    said = {"stems": [{"stem_id": "bass", "gain_db": 0.0, "why": {"gain_db": {"text": "the producer wants it"}}}]}
    bass = strip_of(applied_file(json.dumps(said).encode()), "bass")
    assert "the producer wants it" == bass.why["gain_db"].text


def test_a_file_without_digests_may_be_used_for_other_recordings():
    found = applied_file(file_of(lambda said: [one.pop("sha256") for one in said["inputs"]]))
    assert INPUTS == found.inputs


# Refused


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[]", "must be a JSON object, got list"),
        (b'{"schema_version": 99}', "schema_version must be 1, got 99"),
        (b'{"schema_version": null}', "schema_version must be 1, got None"),
        (b'{"gian_db": 3}', 'there is no field "gian_db"; there are'),
        (b'{"stems": {}}', "stems must be a list, got dict"),
        (b'{"stems": [3]}', "must be an object with a stem_id"),
        (b'{"stems": [{"gain_db": 3}]}', "must be an object with a stem_id"),
        (b'{"stems": [{"stem_id": "kick", "gian_db": 3}]}', 'there is no field "gian_db" of stems "kick"; there are'),
        (b'{"stems": [{"stem_id": "kick"}, {"stem_id": "kick"}]}', 'stems names "kick" twice'),
        (b'{"buses": [{"name": "horns"}]}', "Invalid enum value 'horns'"),
        (
            b'{"stems": [{"stem_id": "kick", "gain_db": "loud"}]}',
            r'Expected `float`, got `str` - at `stems "kick".gain_db`',
        ),
        (b'{"stems": [{"stem_id": "kick", "gain_db": 90}]}', r"stem kick: gain_db must be in \[-80, 60\], got 90.0"),
        (
            b'{"stems": [{"stem_id": "kick", "gain_db": null}]}',
            r'Expected `float`, got `null` - at `stems "kick".gain_db`',
        ),
        (b'{"stems": [{"stem_id": "kick", "pan_ratio": 2}]}', r"stem kick: pan_ratio must be in \[-1, 1\], got 2.0"),
        (b'{"stems": [{"stem_id": "kick", "width_ratio": -1}]}', r"width_ratio must be in \[0, 2\]"),
        (b'{"stems": [{"stem_id": "kick", "delay_frames": 1e9}]}', "delay_frames must be in"),
        (
            b'{"stems": [{"stem_id": "kick", "automation_db": [0, 99]}]}',
            r"kick, automation_db: gains_db must be in \[-80, 24\]",
        ),
        (
            b'{"stems": [{"stem_id": "kick", "inserts": [{"type": "chorus", "params": {}, "why": {"text": "x"}}]}]}',
            r"stem kick, inserts\[0\]: type must be one of",
        ),
        (
            b'{"stems": [{"stem_id": "kick", "inserts": [{"type": "compressor", "params": {"threshold_dbfs": 9},'
            b' "why": {"text": "x"}}]}]}',
            r"inserts\[0\]: compressor: threshold_dbfs must be in \[-80, 0\]",
        ),
        (
            b'{"stems": [{"stem_id": "bass", "sends": [{"to": "hall", "level_db": 0, "why": {"text": "x"}}]}]}',
            'no return "hall"',
        ),
        (
            b'{"stems": [{"stem_id": "bass", "sends": [{"to": "room of vocals", "level_db": 0, "why": {"text": "x"}}]}]}',
            'return "room of vocals" is of vocals, a stem of bus bass needs one of music',
        ),
        (b'{"stems": [{"stem_id": "bass", "sharing": {"group": "b"}}]}', 'no group "b" among groups'),
        (b'{"returns": [{"name": "../x", "of": "music", "reverb": {}}]}', "its name becomes that of a file"),
        (b'{"returns": [{"name": "room of vocals", "reverb": {"decay_s": 99}}]}', r"decay_s must be in \[0.1, 10\]"),
        (b'{"rate_hz": 5}', r"rate_hz must be in \[8000, 384000\]"),
        (
            b'{"stems": [{"stem_id": "bass", "use": false}, {"stem_id": "kick", "use": false},'
            b' {"stem_id": "vocal", "use": false}]}',
            "nothing is left to be mixed",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_field(data, message):
    with pytest.raises(TrackError, match=f"(?s)MIX_SETTINGS_INVALID: .*{message}"):
        applied_file(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"mix_id": "other"}', 'the settings are those of "other", this is "song"'),
        (b'{"stems": [{"stem_id": "flute"}]}', 'name the stem "flute", the session has bass, kick, vocal'),
        (b'{"inputs": [{"stem_id": "flute"}]}', 'name the stem "flute"'),
        (b'{"inputs": [{"stem_id": "kick", "sha256": "abc"}]}', "stem kick: the settings were made for SHA-256 abc"),
    ],
)
def test_settings_of_another_session_are_refused(data, message):
    with pytest.raises(TrackError, match=f"MIX_SETTINGS_OTHER_SESSION: .*{message}"):
        applied_file(data)


def places_in(said: Any) -> list[tuple[str | int, ...]]:
    """The way to everything in a file."""
    inner = said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ()
    return [way for key, value in inner for way in [(key,), *((key, *rest) for rest in places_in(value))]]


PLACES = places_in(json.loads(written(DECIDED)))
ODD = st.sampled_from([None, 3, -1e9, True, "x", "", [], {}, [None], [3], {"text": 3}, {"name": "a"}])


@settings(max_examples=400)
@given(place=st.sampled_from(PLACES), odd=ODD, also=st.sampled_from([*PLACES, None]))
def test_whatever_stands_in_a_file_is_rendered_or_refused(place, odd, also):
    """Anything odd anywhere, and something else taken out, so that the file is not whole."""
    said = json.loads(written(DECIDED))
    for way, value in ((place, odd), (also, None)):
        part = said
        try:
            for key in way[:-1] if way else ():
                part = part[key]
            if way == place:
                part[way[-1]] = value
            elif way and isinstance(part, dict):
                del part[way[-1]]
        except (KeyError, IndexError, TypeError):
            continue
    try:
        found = applied_file(json.dumps(said).encode())
    except TrackError as error:
        assert error.code in ("MIX_SETTINGS_INVALID", "MIX_SETTINGS_OTHER_SESSION")
    else:
        assert found == applied_file(written(found), decided=None)


def test_settings_that_are_not_whole_need_decisions():
    with pytest.raises(ValueError, match="need decisions that complete them"):
        applied_file(b"{}", decided=None)
