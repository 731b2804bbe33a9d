"""Rows of stems become songs, or every problem is told at once."""

from __future__ import annotations

import time
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import CatalogueError
from schemas.manifest import RawRow, check_manifest
from schemas.safe_names import Roots, as_seen, safe_name
from schemas.stem_cells import STEM_COLUMNS
from schemas.stems import Role, Song

OUTPUT = "/out"
# The enumerations of RoEx's Automix, as its public client spells them.
ROEX_ROLES = {
    "BASS_GROUP": "bass",
    "DRUMS_GROUP": "drums",
    "KICK_GROUP": "kick",
    "SNARE_GROUP": "snare",
    "CYMBALS_GROUP": "cymbals",
    "VOCAL_GROUP": "vocal",
    "BACKING_VOX_GROUP": "backing_vocal",
    "BACKING_VOCALS_GROUP": "backing_vocal",
    "PERCS_GROUP": "percussion",
    "STRINGS_GROUP": "strings",
    "SYNTH_GROUP": "synth",
    "FX_GROUP": "fx",
    "KEYS_GROUP": "keys",
    "BRASS_GROUP": "brass",
    "E_GUITAR_GROUP": "electric_guitar",
    "ACOUSTIC_GUITAR_GROUP": "acoustic_guitar",
    "A_GUITAR_GROUP": "acoustic_guitar",
    "BACKING_TRACK_GROUP": "backing_track",
    **{f"OTHER_GROUP{n}": f"other{n}" for n in range(1, 6)},
    **{f"OTHER_GROUP_{n}": f"other{n}" for n in range(1, 6)},
    "UNKNOWN_GROUP": None,
}


def rows(*cells, first=2):
    return [RawRow(row=i, names=tuple(row), cells=list(row.values())) for i, row in enumerate(cells, start=first)]


def roots(folder="/label"):
    return Roots.of(folder, (), lambda path: path)


def check(*cells):
    return check_manifest(rows(*cells), roots(), OUTPUT)


def problems_of(*cells):
    with pytest.raises(CatalogueError, match=r"\S") as caught:
        check(*cells)
    assert caught.value.code == "MANIFEST_INVALID"
    return caught.value.problems


def only_problem_of(*cells):
    (problem,) = problems_of(*cells)
    return problem


def stem(uri="kick.wav", **more):
    return {"uri": uri, "mix_id": "S"} | more


def only_stem(**more):
    (track,) = check(stem(**more))
    (found,) = track.song.stems
    return found


def test_rows_of_a_song_are_one_track_which_stands_in_the_output():
    (track,) = check(stem(), stem("vox.wav", title="Blue", album_id="A", sequence=3), stem("bass.wav"))
    assert (track.row, track.track_id, track.uri) == (2, "S", "/out/mixes/S/mix.wav")
    assert (track.title, track.album_id, track.sequence, track.file_stem) == ("Blue", "A", 3, "1-03 Blue")
    assert [one.stem_id for one in track.song.stems] == ["bass", "kick", "vox"]
    assert [(one.row, one.uri) for one in track.song.stems][:2] == [(4, "/label/bass.wav"), (2, "/label/kick.wav")]


def test_a_song_without_a_title_has_none_and_its_master_is_called_after_it():
    (track,) = check(stem(mix_id="Opus no. 5"))
    assert (track.title, track.file_stem, track.album_id) == (None, "Opus no. 5", "Opus no. 5")


def test_a_full_row_of_a_stem_is_read():
    cells = """stem_id=Sn Top|role=snare|presence=lead|pan=-0.25|reverb=low|pair=snare|automix_group=a|automix_mode=music
|weight_db=-3|gain_db=+1.5 dB|mute=no|lock=yes|reference=ref/rough.wav|style=rock|settings=mine/settings.json
|duration_s=1:00"""
    (track,) = check(stem("drums/sn.wav") | dict(cell.strip().split("=") for cell in cells.split("|")))
    song, one = track.song, track.song.stems[0]
    assert (one.stem_id, one.role, one.presence, one.pan_ratio, one.reverb) == ("Sn Top", "snare", "lead", -0.25, "low")
    assert (one.pair, one.automix_group, one.automix_mode, one.weight_db) == ("snare", "a", "music", -3.0)
    assert (one.gain_db, one.mute, one.lock, one.keep_pan, one.duration_s) == (1.5, False, True, False, 60.0)
    assert (song.reference, song.style, song.settings) == ("/label/ref/rough.wav", "rock", "/label/mine/settings.json")
    assert (track.reference, track.duration_s, track.sha256) == (None, None, None)


def test_songs_and_tracks_stand_in_one_manifest_in_the_order_of_their_first_rows():
    tracks = check(
        stem(),
        {"uri": "a.wav", "mix_id": "", "style": "Bebop"},
        stem("b.wav", mix_id="T"),
        stem("vox.wav"),
    )
    assert [(track.row, track.track_id) for track in tracks] == [(2, "S"), (3, "a.wav"), (4, "T")]
    assert [len(track.song.stems) if track.song else 0 for track in tracks] == [2, 0, 1]
    assert tracks[1].extra == {"style": "Bebop"}


def test_without_a_mix_id_columns_of_stems_mean_nothing():
    cells = dict.fromkeys(STEM_COLUMNS, "as it is")
    del cells["mix_id"]
    (track,) = check({"uri": "a.wav"} | cells)
    assert (track.song, track.extra) == (None, cells)


@pytest.mark.parametrize(("spelling", "role"), ROEX_ROLES.items())
def test_roles_are_read_as_roex_spells_them(spelling, role):
    (track,) = check({"trackURL": "a.wav", "mix_id": "S", "instrumentGroup": spelling})
    assert track.song.stems[0].role == role


@pytest.mark.parametrize("role", get_args(Role))
def test_every_role_is_read_in_any_case_and_with_any_separator(role):
    assert only_stem(role=role.upper().replace("_", "-")).role == role


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"presenceSetting": "LEAD"}, {"presence": "lead"}),
        ({"presenceSetting": "NORMAL"}, {"presence": "normal"}),
        ({"presenceSetting": "BACKGROUND"}, {"presence": "background"}),
        ({"panPreference": "NO_PREFERENCE"}, {"pan_ratio": None, "keep_pan": False}),
        ({"panPreference": "LEFT"}, {"pan_ratio": -1.0}),
        ({"panPreference": "CENTRE"}, {"pan_ratio": 0.0}),
        ({"panPreference": "RIGHT"}, {"pan_ratio": 1.0}),
        ({"reverbPreference": "NONE"}, {"reverb": "none"}),
        ({"reverbPreference": "LOW"}, {"reverb": "low"}),
        ({"reverbPreference": "MEDIUM"}, {"reverb": "medium"}),
        ({"reverbPreference": "HIGH"}, {"reverb": "high"}),
        ({"gainDb": -60}, {"gain_db": -60.0}),
        ({"gainDb": 12}, {"gain_db": 12.0}),
        ({"pan": "keep"}, {"keep_pan": True, "pan_ratio": None}),
        ({"pan": "\u22120.5"}, {"pan_ratio": -0.5}),
        ({"pan": "1"}, {"pan_ratio": 1.0}),
        ({"pan": -1.0}, {"pan_ratio": -1.0}),
        ({"pan": ""}, {"pan_ratio": None}),
    ],
)
def test_wishes_are_read_in_lathes_words_and_in_those_of_roex(cells, expected):
    found = only_stem(**cells)
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        ("role", "kcik", '"kcik" is not allowed: kick, snare, toms, '),
        ("role", "kcik", "; did you mean kick?"),
        ("role", "OTHER_GROUP6", '"OTHER_GROUP6" is not allowed: '),
        ("presence", "led", '"led" is not allowed: lead, normal, background; did you mean lead?'),
        (
            "pan",
            "1.5",
            '"1.5" is not allowed: none, left, centre, right, keep, or a number from -1 (left) to 1 (right)',
        ),
        ("pan", "nan", '"nan" is not allowed: '),
        ("pan", "centr", "; did you mean centre?"),
        ("reverb", "hall", '"hall" is not allowed: none, low, medium, high'),
        ("automix_mode", "talk", '"talk" is not allowed: speech, music'),
        ("gain_db", "41", '"41" is not a number of decibels from -60 to 40'),
        ("gain_db", "1,5", '"1,5" is not a number of decibels from -60 to 40; did you mean 1.5?'),
        ("gain_db", "inf", '"inf" is not a number of decibels'),
        ("weight_db", "61", '"61" is not a number of decibels from -60 to 60'),
        ("mute", "ture", "; did you mean true?"),
        ("lock", "perhaps", "is neither true, yes, 1 nor false, no, 0"),
        ("stem_id", "Gtr/L", '"Gtr/L" cannot be the name of a file; did you mean Gtr_L?'),
        ("mix_id", "x" * 201, "has 201 characters: at most 200 are allowed"),
        ("settings", "../settings.json", "lies outside the allowed folders"),
        ("reference", "../ref.wav", "lies outside the allowed folders"),
        ("reference", "a.wav|b.wav", "names several files: the mix of a song has one reference"),
    ],
)
def test_a_wrong_cell_is_told_with_its_place_value_and_rule(column, cell, rule):
    problem = only_problem_of(stem(**{column: cell}))
    assert problem.startswith(f"row 2, column {column}: ")
    assert rule in problem


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [
        ("title", "A", "B"),
        ("album_id", "A", "B"),
        ("isrc", "USABC1234567", "USABC1234568"),
        ("sequence", "1", "2"),
        ("profile", "club", "vinyl"),
        ("style", "rock", "pop"),
        ("reference", "a.wav", "b.wav"),
        ("settings", "a.json", "b.json"),
        ("joins_next", "yes", "no"),
    ],
)
def test_rows_of_a_song_agree_on_what_they_say_of_it(column, one, other):
    problem = only_problem_of(stem(**{column: one}), stem("b.wav", **{column: ""}), stem("c.wav", **{column: other}))
    assert problem.startswith(f"row 4, column {column}: ")
    assert problem.endswith(f'in row 2: the song "S" can have only one {column}')


def test_a_upc_agrees_with_itself_however_padded():
    (track,) = check(stem(upc="036000291452"), stem("b.wav", upc="0036000291452"))
    assert track.album_id == "036000291452"


def test_what_is_only_kept_is_kept_where_the_rows_agree():
    (track,) = check(stem(mood="dark", mic="D112"), stem("b.wav", mood="dark", mic="SM57"), stem("c.wav", mood=""))
    assert track.extra == {"mood": "dark"}


def test_a_song_is_called_by_its_mix_id():
    assert check(stem(track_id="S"))[0].track_id == "S"
    problem = only_problem_of(stem(track_id="kick"))
    assert problem.startswith('row 2, column track_id: "kick" differs from the mix_id "S"')


def test_a_role_without_a_song_is_a_forgotten_mix_id():
    problem = only_problem_of(stem(role="kick"), {"uri": "b.wav", "mix_id": "", "role": "snare"})
    assert problem.startswith("row 3, column role: is said of a stem, but the row has no mix_id")


def test_a_slip_in_mix_id_is_noticed_beside_columns_of_stems_only():
    assert only_problem_of({"uri": "a.wav", "mixid": "S", "role": "kick"}).endswith("did you mean mix_id?")
    assert check({"uri": "a.wav", "mixid": "S"})[0].extra == {"mixid": "S"}
    assert only_problem_of(stem(presense="lead")).endswith("did you mean presence?")


def test_tracks_and_songs_do_not_share_an_identity():
    plain = {"uri": "a.wav", "mix_id": "", "track_id": "S"}
    assert only_problem_of(stem(track_id=""), plain).startswith('row 3, column track_id: the track_id "S" is already')
    assert only_problem_of(plain, stem(track_id="")).startswith('row 3, column mix_id: the track_id "S" is already')


def test_a_recording_is_one_song_and_a_place_has_one_song():
    one = {"isrc": "USABC1234567"}
    problem = only_problem_of(stem(isrc=""), stem("b.wav", **one), stem("c.wav", mix_id="T", **one))
    assert problem.startswith('row 4, column isrc: "USABC1234567" is already in row 2')
    place = {"album_id": "A", "sequence": 1}
    assert "sequence 1 of album" in only_problem_of(stem(**place), stem("b.wav", mix_id="T", **place))


def test_stems_of_one_song_share_recording_place_and_album():
    same = {"isrc": "USABC1234567", "album_id": "A", "sequence": 1, "track_total": 1, "title": "Blue"}
    (track,) = check(*(stem(f"{n}.wav", **same) for n in range(5)))
    assert (track.isrc, len(track.song.stems)) == ("USABC1234567", 5)


def test_a_stem_is_called_after_its_file_and_files_of_one_name_are_told_apart():
    (track,) = check(stem("a/Kick.wav"), stem("b/kick.wav"), stem("c/Sn:Top.wav"), stem("d.wav", stem_id="Sn_Top"))
    names = [one.stem_id for one in track.song.stems]
    assert all(safe_name(name) == name for name in names)
    assert "Sn_Top" in names
    assert len({as_seen(name) for name in names}) == 4


def test_one_file_may_stand_twice_in_a_song():
    assert len({one.stem_id for one in check(stem(), stem())[0].song.stems}) == 2
    assert [one.stem_id for one in check(stem(stem_id="a"), stem(stem_id="b"))[0].song.stems] == ["a", "b"]


def test_two_stems_of_one_name_are_told():
    problem = only_problem_of(stem(stem_id="Kick"), stem("b.wav", stem_id="kick"))
    assert (
        problem
        == 'row 3, column stem_id: the stem_id "kick" is already that of row 2: give each stem of a song its own'
    )


def test_a_name_made_to_meet_another_is_told():
    (track,) = check(stem("a/x.wav"), stem("b/x.wav"))
    meant = track.song.stems[0].stem_id
    found = outcome(rows(stem("a/x.wav"), stem("b/x.wav"), stem("c.wav", stem_id=meant)))
    assert len({one.stem_id for one in found[0].song.stems}) == 3


def test_one_row_tells_the_mode_of_its_whole_group():
    group = {"automix_group": "a"}
    (track,) = check(stem(automix_mode="music", **group), stem("b.wav", **group), stem("c.wav"))
    assert [one.automix_mode for one in track.song.stems] == ["music", "speech", "music"]
    problem = only_problem_of(stem(automix_mode="music", **group), stem("b.wav", automix_mode="speech", **group))
    assert problem.endswith('"speech" differs from "music" in row 2: the group "a" can have only one')


def test_mixes_whose_names_a_file_system_confuses_have_folders_of_their_own():
    tracks = check(stem(mix_id="A/B"), stem(mix_id="a_b"), stem(mix_id="A_B"))
    assert len({as_seen(track.uri) for track in tracks}) == 3
    assert all(track.uri.count("/") == 4 for track in tracks)


def test_a_thousand_stems_make_a_song_in_no_time():
    start = time.process_time()
    (track,) = check(*(stem(f"{n}.wav", title="Blue", role="strings") for n in range(1000)))
    assert len(track.song.stems) == 1000
    assert time.process_time() - start < 2


names = st.sampled_from(["kick.wav", "b/kick.wav", "KICK.wav", "vox.wav", "gtr L.wav"])
stems = st.fixed_dictionaries(
    {"uri": names, "mix_id": st.sampled_from(["S", "s", "T"])},
    optional={
        "stem_id": st.sampled_from(["", "a", "kick", "A"]),
        "role": st.sampled_from(["kick", "VOCAL_GROUP", "", "gong"]),
        "pan": st.sampled_from(["left", "0.3", "keep", "2"]),
        "gain_db": st.sampled_from(["1", "-3.5", ""]),
        "title": st.sampled_from(["", "Blue"]),
        "isrc": st.sampled_from(["", "USABC1234567"]),
        "automix_group": st.sampled_from(["a", ""]),
        "automix_mode": st.sampled_from(["music", ""]),
        "mood": st.sampled_from(["dark", "light"]),
    },
)


def outcome(raw):
    try:
        return check_manifest(raw, roots(), OUTPUT)
    except CatalogueError as error:
        return error.problems


def without_rows(track):
    parts = [msgspec.structs.replace(one, row=0) for one in track.song.stems]
    return msgspec.structs.replace(track, row=0, song=msgspec.structs.replace(track.song, stems=tuple(parts)))


@given(st.lists(stems, min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing_in_a_song(manifest, random):
    result = outcome(rows(*manifest))
    shuffled = outcome(rows(*random.sample(manifest, len(manifest))))
    if isinstance(result[0], str):
        assert isinstance(shuffled[0], str)
        return
    by_id = {track.track_id: without_rows(track) for track in shuffled}
    assert {track.track_id: without_rows(track) for track in result} == by_id


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.binary(max_size=30)
columns = st.sampled_from([*STEM_COLUMNS, "uri", "title", "isrc", "album_id", "track_id", "reference"])


@given(st.lists(st.dictionaries(columns | st.text(max_size=9), anything), min_size=1, max_size=6))
def test_whatever_a_manifest_of_stems_holds_no_row_is_lost_without_a_problem(manifest):
    result = outcome(rows(*({"mix_id": "S", "uri": "a.wav"} | row for row in manifest)))
    assert result
    if isinstance(result[0], str):
        return
    assert len(manifest) == sum(len(track.song.stems) if track.song else 1 for track in result)
    for track in result:
        assert msgspec.json.decode(msgspec.json.encode(track.song), type=Song | None) == track.song
    songs = [track.song for track in result if track.song]
    assert all(len({as_seen(one.stem_id) for one in song.stems}) == len(song.stems) for song in songs)
    assert all(list(song.stems) == sorted(song.stems, key=lambda one: one.stem_id) for song in songs)
