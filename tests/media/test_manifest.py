"""The same catalogue gives the same tracks from every kind of manifest; a broken one is told by its line."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from media import manifest, store
from media.manifest import read_manifest
from schemas.errors import CatalogueError


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def failure(uri, **options):
    with pytest.raises(CatalogueError, match=r"\S") as caught:
        read_manifest(uri, **options)
    return caught.value.code, caught.value.problems


def csv_failure(tmp_path, content):
    return failure(write(tmp_path, "m.csv", content))


def as_csv(catalogue, delimiter=","):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(catalogue[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(catalogue)
    return text.getvalue()


def as_jsonl(catalogue):
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in catalogue)


def as_parquet(catalogue):
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(pa.Table.from_pylist(catalogue), sink)
    return sink.getvalue().to_pybytes()


CATALOGUE = [
    {"uri": "a.wav", "album_id": "A", "sequence": 1, "title": 'So "What", 1', "year": None, "mood": "blue"},
    {"uri": "b.wav", "album_id": "A", "sequence": 2, "title": "naïve\U0001f3b7", "year": 1959, "mood": None},
]


def test_rows_are_numbered_as_a_person_counts(tmp_path):
    assert [t.row for t in read_manifest(write(tmp_path, "m.csv", as_csv(CATALOGUE)))] == [2, 3]
    assert [t.row for t in read_manifest(write(tmp_path, "m.jsonl", "\n" + as_jsonl(CATALOGUE)))] == [2, 3]
    assert [t.row for t in read_manifest(write(tmp_path, "m.parquet", as_parquet(CATALOGUE)))] == [1, 2]
    several_lines = 'uri,title\na.wav,"one\ntwo"\n\n,\nb.wav,three\n'
    assert [t.row for t in read_manifest(write(tmp_path, "n.csv", several_lines))] == [2, 5]


words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
catalogues = st.lists(
    st.fixed_dictionaries({"title": words, "artist": words, "mood": words, "sequence": st.none() | st.integers(1, 9)}),
    min_size=1,
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(catalogues)
def test_the_kind_of_manifest_does_not_change_the_tracks(tmp_path, catalogue):
    catalogue = [row | {"uri": f"{i}.wav"} for i, row in enumerate(catalogue)]
    kinds = {
        "m.csv": as_csv(catalogue),
        "semicolon.csv": as_csv(catalogue, ";"),
        "m.jsonl": as_jsonl(catalogue),
        "m.parquet": as_parquet(catalogue),
    }
    found = [
        [replace(track, row=0) for track in read_manifest(write(tmp_path, name, content))]
        for name, content in kinds.items()
    ]
    assert found[0] == found[1] == found[2] == found[3]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_the_csv_of_any_spreadsheet_is_read(tmp_path, delimiter, newline):
    text = f"\ufeffuri{delimiter}Track No{delimiter}Title{newline}a.wav{delimiter}3{delimiter}Blue, green; red{newline}"
    text = text.replace("Blue, green; red", '"Blue, green; red"')
    (track,) = read_manifest(write(tmp_path, "M.CSV", text))
    assert (track.sequence, track.title) == (3, "Blue, green; red")


def test_the_delimiter_is_not_taken_from_inside_a_header(tmp_path):
    (track,) = read_manifest(write(tmp_path, "m.csv", 'uri;"notes, marks, hints, more"\na.wav;x\n'))
    assert track.extra == {"notes, marks, hints, more": "x"}


def test_columns_without_a_name_are_kept_by_number_and_empty_ones_dropped(tmp_path):
    (track,) = read_manifest(write(tmp_path, "m.csv", ",uri,,\n0,a.wav,,\n"))
    assert track.extra == {"column_1": "0"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("uri,title\na.wav\n", "line 2: has 1 fields, the header has 2: write empty cells too"),
        ("uri,title\na.wav,x,y\n", "line 2: has 3 fields, the header has 2: quote cells that hold the delimiter"),
        ('uri,title\n"a\nb",x\nc\n', "line 4: has 1 fields, the header has 2: write empty cells too"),
        ('uri,title\na.wav,"x\nb.wav,y\n', 'line 2: a quote (") opens here and is never closed'),
        ('uri,title\na.wav,"x\n' + "b.wav,y\n" * 20_000, 'line 2: a quote (") opens here and is never closed'),
        ('uri,title\na.wav,"x" y\n', "line 2: broken quoting"),
        ("uri,title\na.wav,x\nb\0.wav,y\n", "line 3: holds a NUL character"),
        ("uri,title\na.wav,naïve\n".encode("latin-1"), "line 2: byte 0xEF is not UTF-8"),
        ("uri,title\na.wav,x\n".encode("utf-16"), "line 1: the file is UTF-16"),
    ],
)
def test_a_broken_csv_is_told_by_its_line(tmp_path, content, problem):
    code, (found,) = csv_failure(tmp_path, content)
    assert (code, found[: len(problem)]) == ("MANIFEST_UNREADABLE", problem)


def test_all_miscounted_lines_are_told_at_once(tmp_path):
    _, problems = csv_failure(tmp_path, "uri,title\na.wav\nb.wav,x\nc.wav,x,y\n")
    assert [problem[:6] for problem in problems] == ["line 2", "line 4"]


@pytest.mark.parametrize("content", ["", "\ufeff", "uri,title\n", "\n\n", "uri,title\n,\n , \n"])
def test_a_csv_without_rows_is_refused(tmp_path, content):
    assert csv_failure(tmp_path, content)[0] == "MANIFEST_EMPTY"


def test_json_and_parquet_without_rows_are_refused(tmp_path):
    assert failure(write(tmp_path, "m.jsonl", "\n"))[0] == "MANIFEST_EMPTY"
    empty = as_parquet(CATALOGUE[:1])[:0]
    assert failure(write(tmp_path, "m.parquet", empty))[0] == "MANIFEST_UNREADABLE"
    pa.parquet.write_table(pa.table({"uri": pa.array([], pa.string())}), tmp_path / "n.parquet")
    assert failure(str(tmp_path / "n.parquet"))[0] == "MANIFEST_EMPTY"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"uri": "a.wav"', "line 2: is not JSON: Expecting ',' delimiter at character 16"),
        ('["a.wav"]', "line 2: is not an object: write"),
        ('{"uri": "a.wav", "duration_s": NaN}', "line 2: is not JSON that can be read: NaN is not a JSON number"),
        ("[" * 100_000, "line 2: is not JSON that can be read: "),
        ('{"year": ' + "1" * 10_000 + "}", "line 2: is not JSON that can be read: "),
    ],
)
def test_a_broken_json_line_is_told_by_its_number(tmp_path, line, problem):
    code, (found,) = failure(write(tmp_path, "m.jsonl", f'{{"uri": "x.wav"}}\n{line}\n'))
    assert (code, found[: len(problem)]) == ("MANIFEST_UNREADABLE", problem)


def test_a_json_name_that_comes_twice_is_refused(tmp_path):
    code, (problem,) = failure(write(tmp_path, "m.jsonl", '{"uri": "a.wav", "title": "x", "title": "y"}'))
    assert code == "MANIFEST_INVALID" and "both mean title" in problem


def test_json_objects_need_not_have_the_same_columns(tmp_path):
    lines = '{"uri": "a.wav", "tags": {"mood": ["b", 1]}}\r\n{"title": "one\u2028two", "uri": "b.wav"}\r\n'
    one, two = read_manifest(write(tmp_path, "m.jsonl", lines))
    assert one.extra == {"tags": '{"mood": ["b", 1]}'}
    assert two.title == "one\u2028two"


def test_parquet_types_are_read_as_a_spreadsheet_shows_them(tmp_path):
    table = pa.table(
        {
            "uri": pa.array([b"a.wav", b"b.wav"], pa.binary()),
            "upc": pa.array([4006381333931.0, None], pa.float64()),
            "title": pa.array(["x", "y"]).dictionary_encode(),
            "joins_next": pa.array([True, None]),
            "added": pa.array([1, 2], pa.timestamp("ns")),
        }
    )
    pa.parquet.write_table(table, tmp_path / "m.parquet")
    one, two = read_manifest(str(tmp_path / "m.parquet"))
    assert (one.upc, one.title, one.joins_next, two.upc) == ("4006381333931", "x", True, None)
    assert one.extra["added"].startswith("1970-01-01")


def test_what_is_not_parquet_is_refused(tmp_path):
    assert failure(write(tmp_path, "m.parquet", b"PAR1 no PAR1"))[0] == "MANIFEST_UNREADABLE"


@pytest.mark.parametrize("name", ["m.xlsx", "m.txt", "m", "m.csv.gz"])
def test_another_kind_of_file_is_refused_with_what_is_allowed(tmp_path, name):
    code, (problem,) = failure(write(tmp_path, name, "uri\na.wav\n"))
    assert code == "MANIFEST_FORMAT"
    assert ".csv, .jsonl, .parquet or a folder" in problem and ("workbook" in problem) == name.endswith("xlsx")


def test_a_manifest_that_does_not_exist_is_refused_with_what_was_meant(tmp_path):
    expected = write(tmp_path, "catalogue.csv", "uri\na.wav\n")
    code, (problem,) = failure(str(tmp_path / "catalog.csv"))
    assert code == "MANIFEST_MISSING" and problem.endswith(f"did you mean {expected}?")
    assert failure(str(tmp_path / "nowhere" / "m.csv"))[0] == "MANIFEST_MISSING"


def test_sources_start_from_the_folder_of_the_manifest(tmp_path, monkeypatch):
    write(tmp_path, "in/m.csv", "uri\nx/a.wav\n")
    monkeypatch.chdir(tmp_path)
    for uri in ("in/m.csv", str(tmp_path / "in/m.csv"), f"file://{tmp_path}/in/m.csv"):
        (track,) = read_manifest(uri)
        assert (track.uri, track.track_id) == (str(tmp_path / "in/x/a.wav"), "x/a.wav")


def test_a_symbolic_link_cannot_lead_out_of_the_roots(tmp_path):
    write(tmp_path, "secret/key.wav", "")
    uri = write(tmp_path, "in/m.csv", "uri\nfolder/key.wav\nlink.wav\nfine.wav\n")
    (tmp_path / "in/folder").symlink_to(tmp_path / "secret")
    (tmp_path / "in/link.wav").symlink_to("../secret/key.wav")
    (tmp_path / "in/fine.wav").symlink_to("other.wav")
    code, problems = failure(uri)
    assert code == "MANIFEST_INVALID" and [problem[:5] for problem in problems] == ["row 2", "row 3"]
    assert all("symbolic link" in problem and "--root" in problem for problem in problems)
    assert len(read_manifest(uri, roots=[str(tmp_path / "secret")])) == 3


def test_a_manifest_in_a_folder_reached_by_a_link_is_read(tmp_path):
    write(tmp_path, "real/m.csv", "uri\na.wav\n")
    (tmp_path / "link").symlink_to("real")
    (track,) = read_manifest(str(tmp_path / "link/m.csv"))
    assert track.uri == str(tmp_path / "link/a.wav")


def test_a_root_that_cannot_be_one_is_refused(tmp_path):
    code, (problem,) = failure(write(tmp_path, "m.csv", "uri\na.wav\n"), roots=["https://example.org/x"])
    assert code == "MANIFEST_INVALID" and "--root" in problem and "https://" in problem


def folder_of(tmp_path, *names):
    for name in names:
        write(tmp_path / "Label", name, "")
    return read_manifest(str(tmp_path / "Label"))


def places(tracks):
    return [(t.album_id, t.disc, t.sequence, t.title) for t in tracks]


def test_a_folder_of_audio_is_a_manifest(tmp_path):
    tracks = folder_of(
        tmp_path, "Blue/1-02 - B.WAV", "Blue/1-01 A.flac", "Blue/2-01. C.aiff", "Blue/cover.jpg", ".x.wav"
    )
    assert places(tracks) == [("Blue", 1, 1, "A"), ("Blue", 1, 2, "B"), ("Blue", 2, 1, "C")]
    assert [t.row for t in tracks] == [1, 2, 3]
    assert tracks[0].uri == str(tmp_path / "Label/Blue/1-01 A.flac")
    assert tracks[0].track_id == "Blue/1/1"


def test_files_directly_in_the_folder_are_one_album(tmp_path):
    assert places(folder_of(tmp_path, "b.wav", "a.wav")) == [("Label", 1, 1, "a"), ("Label", 1, 2, "b")]


def test_a_folder_inside_called_like_the_folder_is_its_own_album(tmp_path):
    tracks = folder_of(tmp_path, "a.wav", "Label/b.wav")
    assert {t.album_id for t in tracks} == {"Label", "Label (top folder)"}


def test_numbers_that_repeat_give_way_to_the_sorted_order(tmp_path):
    assert places(folder_of(tmp_path, "X/01 b.wav", "X/01 a.wav")) == [("X", 1, 1, "a"), ("X", 1, 2, "b")]
    assert [t.track_id for t in folder_of(tmp_path)] == ["X/01 a.wav", "X/01 b.wav"]


def test_a_track_zero_comes_first(tmp_path):
    assert places(folder_of(tmp_path, "X/00 Intro.wav", "X/01 A.wav")) == [("X", 1, 1, "Intro"), ("X", 1, 2, "A")]


def test_without_numbers_the_order_is_as_a_person_sorts(tmp_path):
    assert [t.title for t in folder_of(tmp_path, "Take 10.wav", "Take 2.wav")] == ["Take 2", "Take 10"]


def test_a_file_without_number_among_numbered_ones_has_no_place(tmp_path):
    assert places(folder_of(tmp_path, "X/01 a.wav", "X/1999 live.wav", "X/02.wav")) == [
        ("X", 1, 1, "a"),
        ("X", 1, 2, "02"),
        ("X", 1, None, "1999 live"),
    ]


def test_a_folder_without_audio_is_refused(tmp_path):
    write(tmp_path, "notes.txt", "")
    code, (problem,) = failure(str(tmp_path))
    assert code == "MANIFEST_EMPTY" and ".wav, .flac" in problem


def test_strange_file_names_in_a_folder_are_read_or_told(tmp_path):
    tracks = folder_of(tmp_path, "a\nb.wav", "back\\slash.wav", " 07  spaces .wav", "100%.wav", "x" * 240 + ".wav")
    assert len(tracks) == 5 and len({t.file_stem for t in tracks}) == 5
    (tmp_path / "Label" / b"\xff.wav".decode(errors="surrogateescape")).write_bytes(b"")
    code, (problem,) = failure(str(tmp_path / "Label"))
    assert code == "MANIFEST_INVALID" and "is not UTF-8 text: rename the file" in problem


@pytest.fixture
def bucket(monkeypatch):
    """A bucket of two files and a manifest, behind the calls that the reader makes of the store."""
    files = {"gs://b/in/m.csv": b"uri\nA/01 x.wav\n", "gs://b/in/A/01 x.wav": b"", "gs://b/in/A/02 y.wav": b""}

    def read_bytes(uri):
        if uri not in files:
            raise FileNotFoundError(uri)
        return files[uri]

    monkeypatch.setattr(manifest.store, "read_bytes", read_bytes)
    monkeypatch.setattr(store, "list_files", lambda folder: sorted(u for u in files if u.startswith(folder + "/")))
    return files


def test_a_manifest_in_a_bucket_is_read(bucket):
    (track,) = read_manifest("gs://b/in/m.csv")
    assert (track.uri, track.track_id) == ("gs://b/in/A/01 x.wav", "A/01 x.wav")


def test_a_folder_in_a_bucket_is_read(bucket):
    for folder in ("gs://b/in", "gs://b/in/"):
        assert [t.uri for t in read_manifest(folder)] == ["gs://b/in/A/01 x.wav", "gs://b/in/A/02 y.wav"]


def test_what_a_bucket_does_not_hold_is_missing(bucket):
    assert failure("gs://b/in/n.csv") == ("MANIFEST_MISSING", ['manifest "gs://b/in/n.csv" does not exist'])
    assert failure("gs://b/in/m.xlsx")[0] == "MANIFEST_FORMAT"


def test_a_bucket_manifest_cannot_leave_its_folder(bucket):
    bucket["gs://b/in/m.csv"] = b"uri\n../other/a.wav\ngs://b/inner/a.wav\ngs://c/a.wav\n/etc/a.wav\n"
    code, problems = failure("gs://b/in/m.csv")
    assert code == "MANIFEST_INVALID" and len(problems) == 4


def test_stems_of_a_song_are_read_from_any_format_and_mixed_into_the_output(tmp_path):
    cells = [
        {"uri": "kick.wav", "mix_id": "S", "role": "KICK_GROUP", "pan": "0"},
        {"uri": "vox.wav", "mix_id": "S", "role": "vocal", "pan": ""},
    ]
    contents = {"m.csv": as_csv(cells), "m.jsonl": as_jsonl(cells), "m.parquet": as_parquet(cells)}
    found = [read_manifest(write(tmp_path, name, text), output="/out") for name, text in contents.items()]
    assert [track.uri for (track,) in found] == ["/out/mixes/S/mix.wav"] * 3
    assert {tuple((one.stem_id, one.role) for one in track.song.stems) for (track,) in found} == {
        (("kick", "kick"), ("vox", "vocal"))
    }
