"""Names that Lathe writes are legal anywhere; names that it reads lie inside the roots."""

from __future__ import annotations

import os.path
import unicodedata
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.safe_names import MAX_BYTES, Roots, distinct, name_masters, quoted, safe_name
from schemas.stems import Song
from schemas.track import Track

NASTY = st.sampled_from([*'./\\:*?"<>|-_ \0\n\t\x7f\x85con1aux', "\u200d", "\u202e", "\u0301", "\ud800", "\U0001f469"])
texts = st.text(st.characters() | NASTY, max_size=200)


@given(texts)
def test_any_text_becomes_one_legal_component_of_a_path(text):
    name = safe_name(text)
    assert 1 <= len(name.encode()) <= MAX_BYTES
    assert not set(name) & set('/\\:*?"<>|')
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name)
    assert name == name.strip() and name[0] not in ".-" and name[-1] not in ". "
    assert os.path.normpath(os.path.join("/root", name)) == f"/root/{name}"


@given(texts)
def test_a_safe_name_is_left_as_it_is(text):
    assert safe_name(safe_name(text)) == safe_name(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AC/DC: Live?", "AC_DC_ Live_"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("  two   spaces ", "two spaces"),
        ("line\nbreak", "line_break"),
        ("-rf", "_rf"),
        (".hidden", "hidden"),
        ("...", "untitled"),
        ("", "untitled"),
        ("con", "_con"),
        ("NUL.wav", "_NUL.wav"),
        ("Concerto", "Concerto"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("\u202eevil", "evil"),
        ("夜\U0001f319", "夜\U0001f319"),
    ],
)
def test_names_people_give_stay_readable(text, expected):
    assert safe_name(text) == expected


def test_a_long_name_is_cut_between_signs_not_within_one():
    family = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
    assert safe_name("x" * 110 + family) == "x" * 110
    assert safe_name("é" * 300) == "é" * 60
    assert safe_name("x" * 119 + "q\u0301") == "x" * 119


def test_accents_without_end_are_cut_all_the_same():
    assert 0 < len(safe_name("\u0301" * 300).encode()) <= MAX_BYTES


def test_a_message_cannot_move_the_cursor_of_a_terminal():
    assert quoted("a\x1b[2J\u202eb") == '"a\\x1b[2J\\u202eb"'
    assert len(quoted("x" * 500)) == 82


def track(track_id, title="", **others):
    given = {"album_id": "A", "uri": f"/label/{track_id}.wav"} | others
    return Track(row=1, track_id=track_id, title=title, album_folder="", file_stem="", **given)


def stems(*tracks):
    return [t.file_stem for t in name_masters(tracks)]


def test_no_track_takes_the_name_that_a_version_of_a_song_may_be_delivered_under():
    song = track("a", "Song", song=Song(stems=()))
    found = stems(song, track("b", title="song (TV)"), track("c", title="Song (live)"))
    assert found[0] == "Song"
    assert found[1].startswith("song (TV) ")
    assert found[2] == "Song (live)"


def test_a_master_is_named_by_its_place_and_title():
    assert stems(track("a", "Blue/Green", disc=2, sequence=3)) == ["2-03 Blue_Green"]
    assert stems(track("a", "Blue")) == ["Blue"]


def test_a_track_without_title_is_named_after_its_source():
    assert stems(track("a", uri="gs://bucket/take 7.final.wav"), track("b", "???", sequence=1)) == [
        "take 7.final",
        "1-01 ___",
    ]


def test_every_name_of_a_collision_gets_a_hash_and_no_other():
    found = stems(track("a", "Intro"), track("b", "INTRO"), track("c", "Outro"))
    assert [name[:7] for name in found] == ["Intro [", "INTRO [", "Outro"]
    assert found == stems(track("a", "Intro"), track("b", "INTRO"), track("c", "Outro"))


def test_the_order_of_the_rows_does_not_change_a_name():
    rows = [track("a", "Intro"), track("b", "intro"), track("c", "Caf\u00e9"), track("d", "CAFE\u0301")]
    assert sorted(stems(*rows)) == sorted(stems(*reversed(rows)))


def test_the_same_title_in_two_albums_is_no_collision():
    assert stems(track("a", "Intro"), track("b", "Intro", album_id="B")) == ["Intro", "Intro"]


def test_albums_whose_names_look_the_same_get_their_own_folders():
    tracks = name_masters([track("a", album_id="A/B"), track("b", album_id="a:b"), track("c", album_id="C")])
    assert len({t.album_folder.casefold() for t in tracks}) == 3
    assert tracks[2].album_folder == "C"


def file_system_key(name):
    return unicodedata.normalize("NFC", name).casefold()


@given(st.lists(texts | st.sampled_from(["Intro", "intro", "INTRO?", "Caf\u00e9", "CAFE\u0301"]), max_size=12))
def test_masters_of_one_folder_never_share_a_name(titles):
    found = stems(*(track(str(i), title) for i, title in enumerate(titles)))
    assert len({file_system_key(name) for name in found}) == len(titles)
    assert all(len(name.encode()) < 200 for name in found)


def test_even_the_longest_hash_cannot_be_imitated():
    hash_of_a = sha256(b"a").hexdigest()
    names = {"a": "Intro", "b": "Intro"} | {f"c{n}": f"Intro [{hash_of_a[:n]}]" for n in (8, 16, 64)}
    assert len(set(distinct(names).values())) == 5


LINKS = {"/label/link.wav": "/secret/key.wav", "/label/inner.wav": "/label/b.wav"}


def roots(folder="/label", *others):
    return Roots.of(folder, others, lambda path: LINKS.get(path, path))


@pytest.mark.parametrize(
    ("folder", "text", "expected"),
    [
        ("/label", "a.wav", "/label/a.wav"),
        ("/label", "./cd1/../a.wav", "/label/a.wav"),
        ("/label", "/label/a.wav", "/label/a.wav"),
        ("/label", "//label/a.wav", "/label/a.wav"),
        ("/label", "file:///label/a%20b.wav", "/label/a b.wav"),
        ("/label", "file://localhost/label/a.wav", "/label/a.wav"),
        ("/label", "inner.wav", "/label/inner.wav"),
        ("/label", "100% real?.wav", "/label/100% real?.wav"),
        ("/", "a.wav", "/a.wav"),
        ("gs://bucket/in", "a.wav", "gs://bucket/in/a.wav"),
        ("gs://bucket/in", "x/../a.wav", "gs://bucket/in/a.wav"),
        ("gs://bucket/in", "GS://bucket/in/x//a.wav", "gs://bucket/in/x//a.wav"),
        ("s3://bucket", "a.wav", "s3://bucket/a.wav"),
    ],
)
def test_a_source_inside_its_root_is_found(folder, text, expected):
    assert roots(folder).locate(text).uri == expected


@pytest.mark.parametrize(
    ("folder", "text", "message"),
    [
        ("/label", "../secret/key.wav", r'outside the allowed folders "/label"; .*: --root "/secret"'),
        ("/label", "/labels/a.wav", "outside the allowed folders"),
        ("/label", "cd1/../../secret.wav", "outside the allowed folders"),
        ("/label", "file:///label/%2e%2e/secret.wav", "outside the allowed folders"),
        ("/label", "link.wav", r'leads by a symbolic link to "/secret/key.wav", outside'),
        ("/label", "gs://bucket/a.wav", "outside the allowed folders"),
        ("gs://bucket/in", "../a.wav", r"outside the allowed folders"),
        ("gs://bucket/in", "gs://bucket/inner/a.wav", "outside the allowed folders"),
        ("gs://bucket/in", "../../../a.wav", "climbs out of its bucket gs://bucket"),
        ("gs://bucket/in", "/etc/passwd", "outside the allowed folders"),
        ("/label", "https://example.org/a.wav", "has the scheme https://, which is not read"),
        ("/label", "file://server/a.wav", "is not a file of this machine"),
        ("/label", "file:///label/%00.wav", "is not a file of this machine"),
        ("/label", "a\0.wav", "NUL character"),
        ("/label", "a\ud800.wav", "is not UTF-8 text"),
        ("/label", "cd1/", "names a folder"),
        ("/label", "cd1/..", "names a folder"),
        ("/label", "cd1\\a.wav", r"backslashes.*did you mean cd1/a.wav\?"),
        ("/label", "C:\\Music\\a.wav", r"backslashes: use / and a path relative to the manifest$"),
    ],
)
def test_a_source_outside_the_roots_is_refused(folder, text, message):
    with pytest.raises(ValueError, match=message):
        roots(folder).locate(text)


def test_a_further_root_lets_its_sources_in_and_names_them_from_there():
    place = roots("/label", "/archive/").locate("/archive/1971/a.wav")
    assert (place.uri, place.name) == ("/archive/1971/a.wav", "1971/a.wav")


@given(
    st.lists(st.sampled_from(["..", ".", "", "a", "label", "labels"]), max_size=8),
    st.sampled_from(["/label", "gs://b/label"]),
)
def test_no_spelling_of_a_path_leaves_the_root(parts, folder):
    try:
        place = roots(folder).locate("/".join([*parts, "a.wav"]))
    except ValueError:
        return
    assert place.uri.startswith(folder + "/") and "/../" not in place.uri
