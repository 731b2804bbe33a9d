"""Rows become tracks, or every problem is told at once."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cells import as_text
from schemas.errors import CatalogueError
from schemas.manifest import COLUMNS, RawRow, canonical, check_manifest, select, short_id
from schemas.safe_names import Roots, quoted


def rows(*cells, first=2):
    return [RawRow(row=i, names=tuple(row), cells=list(row.values())) for i, row in enumerate(cells, start=first)]


def roots(folder="/label", *others):
    return Roots.of(folder, others, lambda path: path)


def check(*cells):
    return check_manifest(rows(*cells), roots())


def problems_of(*cells):
    with pytest.raises(CatalogueError, match=r"\S") as caught:
        check(*cells)
    assert caught.value.code == "MANIFEST_INVALID"
    return caught.value.problems


def only_problem_of(*cells):
    (problem,) = problems_of(*cells)
    return problem


FULL_ROW = """uri=cd1/03.wav|album_id=KOB|disc=1|sequence=03|isrc=us-sm1-59-00113|upc=036000291452|title= Blue in Green
|artist=Miles Davis|year=1959|duration_s=5:37|joins_next=No|profile=vinyl|reference=ref/a.wav|matrix=CO 62291"""


def test_a_full_row_becomes_a_track():
    (track,) = check(dict(cell.split("=") for cell in FULL_ROW.split("|")))
    assert (track.row, track.uri, track.reference) == (2, "/label/cd1/03.wav", "/label/ref/a.wav")
    assert (track.track_id, track.isrc, track.upc) == ("USSM15900113", "USSM15900113", "036000291452")
    assert (track.album_id, track.album_folder, track.file_stem) == ("KOB", "KOB", "1-03 Blue in Green")
    assert (track.disc, track.sequence, track.title, track.artist) == (1, 3, "Blue in Green", "Miles Davis")
    assert (track.year, track.duration_s, track.joins_next, track.profile) == (1959, 337.0, False, "vinyl")
    assert (track.album, track.genre, track.label, track.sha256) == (None, None, None, None)
    assert track.extra == {"matrix": "CO 62291"}


@pytest.mark.parametrize(("column", "aliases"), COLUMNS.items())
def test_every_alias_is_read_in_any_case_and_with_any_separator(column, aliases):
    for alias in [column, *aliases.split()]:
        assert canonical(alias) == column
        assert canonical(f" {alias.upper().replace('_', '-')} ") == column
        assert canonical(alias.title().replace("_", " ")) == column


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("sequence", "3", 3),
        ("sequence", "3.0", 3),
        ("sequence", "03", 3),
        ("sequence", "3/12", 3),
        ("sequence", 3.0, 3),
        ("year", 1971.0, 1971),
        ("duration_s", "225.4", 225.4),
        ("duration_s", "3:45", 225.0),
        ("duration_s", "3:45.5", 225.5),
        ("duration_s", "1:02:03", 3723.0),
        ("joins_next", "YES", True),
        ("joins_next", 1, True),
        ("upc", 4006381333931, "4006381333931"),
        ("upc", 4006381333931.0, "4006381333931"),
        ("title", "Cafe\u0301", "Caf\u00e9"),
        ("title", "one\ntwo\x07", "one two"),
        ("title", "  ", None),
        ("title", None, None),
        ("year", float("nan"), None),
        ("title", "broken \ud800", "broken \ufffd"),
        ("sha256", b"\xff" * 32, "ff" * 32),
        ("profile", "club", "club"),
        ("profile", "mine/club.toml", "/label/mine/club.toml"),
    ],
)
def test_a_cell_is_read_however_it_was_typed(column, cell, expected):
    (track,) = check({"uri": "a.wav", column: cell})
    assert getattr(track, column) == expected


@pytest.mark.parametrize("title", ["AC/DC", "..", "\U0001f3b7" * 20, "x" * 300, "CON", "a\\b", "../../../etc/passwd"])
def test_any_title_is_kept_and_its_file_name_made_safe(title):
    (track,) = check({"uri": "a.wav", "title": title})
    assert track.title == title
    assert "/" not in track.file_stem and track.file_stem not in ("", ".", "..")


WHOLE = "is not a whole number from 1 to 99999"
YEAR = "is not a year from 1860 to 2100"
DURATION = "is not a duration: seconds above 0, m:ss or h:mm:ss"
BOOLEAN = "is neither true, yes, 1 nor false, no, 0"


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        ("isrc", "USABC12345", "is not an ISRC: 2 letters, 3 letters or digits, 7 digits"),
        ("upc", "036000291453", "has the wrong check digit (the last one); did you mean 036000291452?"),
        ("sequence", "0", WHOLE),
        ("sequence", "A1", WHOLE),
        ("disc", True, WHOLE),
        ("year", "1859", YEAR),
        ("year", "1971-05-01", f"{YEAR}; did you mean 1971?"),
        ("duration_s", "inf", DURATION),
        ("duration_s", "1e999", DURATION),
        ("duration_s", "3:99", DURATION),
        ("duration_s", "225,4", f"{DURATION}; did you mean 225.4?"),
        ("joins_next", "treu", f"{BOOLEAN}; did you mean true?"),
        ("joins_next", "maybe", BOOLEAN),
        ("sha256", "ab", "is not a SHA-256: 64 hexadecimal digits"),
        ("track_id", "x" * 201, "has 201 characters: at most 200 are allowed"),
        ("track_id", "a\x07b", "holds a control character: remove it"),
        ("album_id", "a\ud800", "holds a control character: remove it"),
        ("title", ["a", "b"], "is a list or an object: a single value is allowed"),
    ],
)
def test_a_wrong_cell_is_told_with_its_place_value_and_rule(column, cell, rule):
    problem = only_problem_of({"uri": "a.wav", column: cell})
    assert problem == f"row 2, column {column}: {quoted(as_text(cell))} {rule}"


def test_the_header_of_the_label_is_named_not_ours():
    assert only_problem_of({"File Name": "a.wav", "Track No": "x"}).startswith("row 2, column Track No: ")


@pytest.mark.parametrize("column", ["uri", "reference"])
def test_a_file_outside_the_roots_is_told_with_the_option_that_allows_it(column):
    problem = only_problem_of({"uri": "a.wav", column: "/archive/a.wav"})
    assert problem == (
        f'row 2, column {column}: "/archive/a.wav" lies outside the allowed folders "/label"; '
        'to allow its folder too: --root "/archive"'
    )


def test_all_problems_are_told_at_once_in_the_order_of_the_rows():
    found = problems_of(
        {"uri": "a.wav", "isrc": "USABC1234567", "year": "12"},
        {"uri": "../b.wav", "isrc": "x", "year": "1971"},
        {"uri": "", "isrc": "USABC1234567", "year": "1971"},
    )
    assert [problem[:22] for problem in found] == [
        'row 2, column year: "1',
        'row 3, column uri: "..',
        'row 3, column isrc: "x',
        "row 4, column uri: is ",
        'row 4, column isrc: "U',
    ]


@pytest.mark.parametrize(
    ("header", "meant"), [("titel", "title"), ("sequnce", "sequence"), ("albumid", "album_id"), ("Lable", "label")]
)
def test_a_slip_in_a_header_is_noticed(header, meant):
    problem = only_problem_of({"uri": "a.wav", header: ""})
    assert problem == f"column {header}: is not a known column; did you mean {meant}?"


def test_a_slip_in_a_later_object_names_its_row():
    assert only_problem_of({"uri": "a.wav"}, {"uri": "b.wav", "titel": "B"}).startswith("row 3, column titel: ")


def test_a_column_that_looks_like_a_known_one_beside_it_is_kept():
    (track,) = check({"uri": "a.wav", "title": "A", "title2": "B"})
    assert track.extra == {"title2": "B"}


OTHER_COLUMNS = """stem_id role presence pan reverb pair automix_group automix_mode weight_db gain_db mute lock
style iswc release_date release_type duration_ms album_artist track_artist composer producer bpm key mood notes subtitle
catalog_number language track_count disc_count rights explicit version file_size bit_depth sample_rate"""


@pytest.mark.parametrize("column", OTHER_COLUMNS.split())
def test_columns_of_other_trades_are_kept_as_they_are(column):
    (track,) = check({"uri": "a.wav", column: " some\ttext "})
    assert track.extra == {column: "some text"}


def test_a_manifest_without_sources_is_told_once():
    problem = only_problem_of({"title": "A"}, {"title": "B"})
    assert problem.startswith("column uri is missing: one must be called uri, path, file, ")
    assert problem.endswith('found are "title"')


def test_two_columns_of_one_meaning_are_refused():
    assert only_problem_of({"uri": "a.wav", "Title": "A", "song": "B"}) == (
        'columns "Title" and "song" both mean title: remove or rename one'
    )
    assert "are the same" in only_problem_of({"uri": "a.wav", "notes": "A", "Notes": "B"})
    assert only_problem_of({"uri": "a.wav"}, {"uri": "b.wav", "ean": "", "upc": ""}).startswith("row 3, columns ")


@pytest.mark.parametrize(
    ("row", "other", "message"),
    [
        (
            {"isrc": "USABC1234567"},
            {"isrc": "US-ABC-12-34567"},
            'row 3, column isrc: "USABC1234567" is already in row 2: an ISRC names one recording',
        ),
        (
            {"album_id": "A", "sequence": "1", "isrc": ""},
            {"album_id": "A", "sequence": "01", "isrc": ""},
            'row 3, column sequence: disc 1, sequence 1 of album "A" is already row 2',
        ),
        (
            {"track_id": "T", "isrc": ""},
            {"track_id": "T", "isrc": ""},
            'row 3, column track_id: the track_id "T" is already that of row 2',
        ),
        (
            {"track_id": "", "isrc": "USABC1234567"},
            {"track_id": "USABC1234567", "isrc": ""},
            'row 3, column track_id: the track_id "USABC1234567" is already that of row 2',
        ),
        (
            {"album_id": "A", "upc": "036000291452"},
            {"album_id": "A", "upc": "4006381333931"},
            'row 3, column upc: "4006381333931" differs from "036000291452" in row 2: the album "A" can have only one ',
        ),
        (
            {"album_id": "A", "profile": "club"},
            {"album_id": "A", "profile": "vinyl"},
            'row 3, column profile: "vinyl" differs from "club" in row 2: the album "A" can have only one profile',
        ),
        (
            {"album_id": "A", "upc": "036000291452"},
            {"album_id": "", "upc": "0036000291452"},
            'row 3, column upc: "0036000291452" is the upc of album "A" (row 2), but this row has no album_id; '
            "did you mean A?",
        ),
        (
            {"album_id": "A", "track_id": "x"},
            {"album_id": "", "track_id": "A"},
            'row 3, column album_id: the track stands alone, but row 2 has an album called "A"',
        ),
    ],
)
def test_two_rows_that_contradict_each_other_are_both_named(row, other, message):
    assert only_problem_of({"uri": "a.wav"} | row, {"uri": "b.wav"} | other).startswith(message)


def test_a_source_may_serve_two_albums_but_not_one_album_twice():
    assert (
        len(check({"uri": "a.wav", "album_id": "A", "sequence": 1}, {"uri": "a.wav", "album_id": "B", "sequence": 1}))
        == 2
    )
    found = only_problem_of(
        {"uri": "a.wav", "album_id": "A", "sequence": 1}, {"uri": "./a.wav", "album_id": "A", "sequence": 2}
    )
    assert found.startswith('row 3, column uri: "a.wav" is already in row 2')


def test_a_source_in_two_albums_without_places_needs_track_ids():
    found = only_problem_of({"uri": "a.wav", "album_id": "A"}, {"uri": "a.wav", "album_id": "B"})
    assert found.endswith("give each row its own track_id")


def test_an_album_without_album_id_is_its_upc_however_padded():
    one, two = check({"uri": "a.wav", "upc": "036000291452"}, {"uri": "b.wav", "upc": "0036000291452"})
    assert one.album_id == two.album_id == "036000291452"
    assert two.upc == "0036000291452"


def test_a_track_without_album_stands_alone():
    one, two = check({"uri": "x/a.wav", "sequence": "1"}, {"uri": "/label/b.wav", "sequence": "1"})
    assert (one.track_id, one.album_id) == ("x/a.wav", "x/a.wav")
    assert (two.track_id, two.album_id) == ("b.wav", "b.wav")


def test_a_track_is_called_by_its_place_in_the_album():
    (track,) = check({"uri": "a.wav", "album_id": "A", "disc": "2", "sequence": "7"})
    assert track.track_id == "A/2/7"


def test_the_profile_of_one_row_is_that_of_its_album():
    tracks = check(
        {"uri": "a.wav", "album_id": "A"}, {"uri": "b.wav", "album_id": "A", "profile": "club"}, {"uri": "c.wav"}
    )
    assert [track.profile for track in tracks] == ["club", "club", ""]


def test_an_identity_made_of_a_long_path_is_shortened_but_distinct():
    one, two = short_id("a" * 300), short_id("b" + "a" * 299)
    assert len(one) == len(two) == 200 and one != two
    assert short_id("a\nb") == "a b"


CATALOGUE = check_manifest(
    rows(
        {"uri": "x/01 a.wav", "album_id": "A", "track_id": "t1", "title": "So What"},
        {"uri": "x/02 b.wav", "album_id": "A", "track_id": "t2", "title": "Blue [take 2]"},
        {"uri": "y/01 c.wav", "album_id": "B", "track_id": "t3"},
    ),
    roots(),
)


@pytest.mark.parametrize(
    ("only", "limit", "expected"),
    [
        (None, None, ["t1", "t2", "t3"]),
        (None, 2, ["t1", "t2"]),
        ("A", None, ["t1", "t2"]),
        ("A", 1, ["t1"]),
        ("t[13]", None, ["t1", "t3"]),
        ("So *", None, ["t1"]),
        ("so *", None, []),
        ("y/*", None, ["t3"]),
        ("01*.wav", None, ["t1", "t3"]),
        ("/label/x/*", None, ["t1", "t2"]),
        ("*", 0, []),
    ],
)
def test_a_glob_selects_by_identity_album_title_or_source(only, limit, expected):
    assert [track.track_id for track in select(CATALOGUE, only=only, limit=limit)] == expected


cells = st.fixed_dictionaries(
    {"uri": st.sampled_from(["a.wav", "b/c.wav", "../x.wav", ""])},
    optional={
        "Title": st.text(max_size=20),
        "disc number": st.sampled_from(["1", "2/3", "0"]),
        "track-no": st.sampled_from(["1", "2.0", "x"]),
        "album_id": st.sampled_from(["A", "B", ""]),
        "upc": st.sampled_from(["036000291452", "0036000291452", "1"]),
        "isrc": st.sampled_from(["USABC1234567", "us-abc-12-34567", "-"]),
        "mood": st.text(max_size=5),
    },
)


def outcome(raw):
    try:
        return check_manifest(raw, roots())
    except CatalogueError as error:
        return sorted(error.problems)


@given(st.lists(cells, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_the_columns_changes_nothing(manifest, random):
    shuffled = [dict(random.sample(list(row.items()), len(row))) for row in manifest]
    assert outcome(rows(*shuffled)) == outcome(rows(*manifest))


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.binary(max_size=30)


@given(
    st.lists(st.dictionaries(st.sampled_from(list(COLUMNS)) | st.text(max_size=12), anything), min_size=1, max_size=6)
)
def test_whatever_a_manifest_holds_it_is_tracks_or_problems(manifest):
    result = outcome(rows(*manifest))
    assert result
    if isinstance(result[0], str):
        return
    assert len(result) == len(manifest) == len({track.track_id for track in result})
    assert len({(track.album_folder, track.file_stem) for track in result}) == len(manifest)
    assert msgspec.json.encode(result)


def test_a_hundred_thousand_rows_take_seconds():
    names = ("uri", "album_id", "sequence", "isrc", "title", "artist", "duration_s", "mood")
    raw = [
        RawRow(
            row=i + 2,
            names=names,
            cells=[
                f"{i // 10}/{i}.wav",
                f"A{i // 10}",
                f"{i % 10 + 1}",
                f"USABC{i:07d}",
                "Same",
                "Artist",
                "3:45",
                "x",
            ],
        )
        for i in range(100_000)
    ]
    start = time.process_time()
    assert len(check_manifest(raw, roots())) == 100_000
    assert time.process_time() - start < 15  # a few seconds when nothing else runs


def in_parts(*sequences, total="3", **more):
    return [{"uri": f"{n}.wav", "album_id": "A", "sequence": n, "track_total": total, **more} for n in sequences]


def test_one_row_tells_the_tracks_of_its_whole_album():
    first, second = in_parts(1, 2)
    assert [3, 3] == [track.track_total for track in check(first, {**second, "track_total": ""})]


def test_an_album_has_one_number_of_tracks():
    assert '"4" differs from "3" in row 2' in only_problem_of(*in_parts(1), *in_parts(2, total="4"))


def test_an_album_has_no_more_rows_than_tracks():
    assert "1 is less than the 2 rows of album" in only_problem_of(*in_parts(1, 2, total="1"))


def test_a_number_of_tracks_needs_an_album():
    assert "the row has no album_id" in only_problem_of({"uri": "a.wav", "track_total": "2"})
