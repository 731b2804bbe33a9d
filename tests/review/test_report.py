"""The report tells of each track what its newest row says, whole and the same each time, and loads nothing from elsewhere."""

from __future__ import annotations

import json
import os
import re
import socket
import zlib
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import store
from review.columns import columnar
from review.details import CHUNK
from review.drawings import LETTERS, LEVELS, NOTHING, POINTS, QUIETEST_LUFS, SLOW_POINTS, STEP_LU, courses, waveforms
from review.page_file import SCRIPTS, SHEETS
from review.report import write_report
from review.standing import standing_rows
from schemas.errors import CatalogueError
from schemas.figures import Overview
from schemas.qc import AlbumRow, Finding, Overviews, TrackRow
from tests.media import emulator
from tests.review.outputs import HOSTILE, album_row, output_of, track_row, write_table

PAGE = Path(__file__).parents[2] / "review" / "page"
OWN_CODE_BYTES = 300_000  # issue of the report


def report_of(made, **more):
    """The page's text and the catalogue in it."""
    text = Path(write_report(str(made.path), **more)).read_text(encoding="utf-8")
    return text, catalogue_in(text)


def catalogue_in(text):
    [told] = re.findall(r'<script type="application/json" id="catalogue">(.*?)</script>', text, re.DOTALL)
    return json.loads(told)


def details_in(path):
    """What a script below tracks/ carries."""
    [(name, packed)] = re.findall(r'latheTracks\("(\w+)","([^"]+)"\)', path.read_text())
    assert name == path.stem
    return json.loads(zlib.decompress(b64decode(packed), -zlib.MAX_WBITS))


def value_at(column, i):
    """A row put together again, as the page does it."""
    if isinstance(column, list):
        return column[i]
    if "lengths" not in column:
        return {name: value_at(inner, i) for name, inner in column.items()}
    first = sum(column["lengths"][:i])
    return [value_at(column["of"], first + k) for k in range(column["lengths"][i])]


# What it tells


def test_a_track_is_told_as_its_newest_run_left_it(tmp_path):
    made = output_of(tmp_path, "T1", "T2")
    made.master("T1", run="R2", verdict="listen", hz=900.0)
    made.finish("R2")
    _, told = report_of(made)
    verdicts = dict(zip(told["columns"]["track_id"], told["columns"]["verdict"], strict=True))
    assert {"T1": 1, "T2": 2} == verdicts


def test_a_track_that_was_rejected_since_has_no_master_any_more(tmp_path):
    made = output_of(tmp_path, "T1", "T2")
    made.finish("R2", rejected=["T1"])
    _, told = report_of(made)
    i = told["columns"]["track_id"].index("T1")
    assert (0, None, "silent") == (
        told["columns"]["verdict"][i],
        told["columns"]["key"][i],
        told["said"][str(i)]["text"],
    )


def test_of_a_finding_those_tracks_are_named_that_are_farthest_beyond_the_limit(tmp_path):
    made = output_of(tmp_path, "T0")
    made.rows["R1"] = [
        msgspec.structs.replace(made.rows["R1"][0], track_id=f"T{k}", findings=(_hum(measured),))
        for k, measured in enumerate([None, 1.0, 5.0, 2.0, 9.0, 3.0, 4.0, 0.5, *[0.0] * 9])
    ]
    made.finish()
    _, told = report_of(made)
    assert [4, 2, 6, 5, 3] == [track for track, _ in told["worst"]["HUM"]]


def _hum(measured):
    return Finding(code="HUM", severity="info", measured=measured, limit=0.0)


def test_a_run_that_did_not_finish_tells_nothing(tmp_path):
    made = output_of(tmp_path, "T1")
    made.master("T1", run="R2", verdict="rejected")
    made.finish("R2", state="failed")
    _, told = report_of(made)
    assert [2] == told["columns"]["verdict"]


def test_tracks_are_compared_with_what_they_were_before(tmp_path):
    made = output_of(tmp_path, "T1", "T2", findings=(Finding(code="HUM", severity="info"),))
    made.master("T1", run="R2", hz=900.0, gain_db=3.0)
    made.finish("R2")
    _, told = report_of(made)
    columns, i = told["columns"], told["columns"]["track_id"].index("T1")
    assert (0.0, 2, [told["codes"].index("HUM")]) == tuple(
        columns[f"was_{name}"][i] for name in ("gain_db", "verdict", "codes")
    )
    assert columns["was_key"][i] != columns["key"][i]
    assert columns["was_key"][1 - i] is None


def test_any_finished_run_can_be_compared_with(tmp_path):
    made = output_of(tmp_path, "T1", gain_db=1.0)
    for run, gain_db in (("R2", 2.0), ("R3", 3.0)):
        made.master("T1", run=run, gain_db=gain_db)
        made.finish(run)
    assert [2.0] == report_of(made)[1]["columns"]["was_gain_db"]
    assert [1.0] == report_of(made, against="R1")[1]["columns"]["was_gain_db"]


@pytest.mark.parametrize("against", [None, "R9"])
def test_where_there_is_nothing_to_report_on_that_is_said(tmp_path, against):
    made = output_of(tmp_path, "T1")
    if against is None:
        made.record("R1", "running")
    with pytest.raises(CatalogueError, match="no finished run"):
        write_report(str(made.path), against)


def test_every_row_is_whole_in_its_script(tmp_path):
    finding = Finding(code="HUM", severity="info", measured=1.23456789, at_s=(1.0, 2.5), text="hum of 50 Hz")
    ids = [f"T{k}" for k in range(CHUNK + 3)]
    made = output_of(tmp_path, *ids[:1])
    made.rows["R1"] = [
        track_row(track_id=name, masters=made.rows["R1"][0].masters, findings=(finding,) * (k % 3), plan=f'{{"k":{k}}}')
        for k, name in enumerate(ids)
    ]
    made.finish()
    _, told = report_of(made)
    assert (len(ids), 2) == (len(told["columns"]["track_id"]), len(told["pieces"]))
    for k in (0, 1, 2, CHUNK - 1, CHUNK, CHUNK + 2):
        row = value_at(details_in(made.path / "report" / "tracks" / f"{told['pieces'][k // CHUNK]}.js"), k % CHUNK)
        assert json.loads(row["plan"]) == {"k": k}
        assert [[1.0, 2.5]] * (k % 3) == [one["at_s"] for one in row["findings"]]
        assert all(one["measured"] == 1.2346 for one in row["findings"])
        assert [master.sha256 for master in made.rows["R1"][0].masters] == [one["sha256"] for one in row["masters"]]


@given(
    st.lists(
        st.one_of(
            st.none(), st.lists(st.fixed_dictionaries({"a": st.integers(0, 9), "b": st.lists(st.text(max_size=3))}))
        )
    )
)
def test_any_nesting_can_be_put_together_again(rows):
    kind = pa.list_(pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))]))
    told = columnar(pa.array(rows, kind))
    assert [row or [] for row in rows] == [value_at(told, i) for i in range(len(rows))]


def test_files_are_found_beside_the_report_wherever_the_output_lies(tmp_path):
    made = output_of(tmp_path, "T1")
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    made.path.rename(moved)
    page = Path(write_report(str(moved)))
    [script] = (moved / "report" / "tracks").iterdir()
    row = value_at(details_in(script), 0)
    for master in row["masters"]:
        path = page.parent / ".." / master["path"]
        assert sha256(path.read_bytes()).hexdigest() == master["sha256"]
    assert (page.parent / unquote(row["source_path"])).resolve() == next((tmp_path / "sources").iterdir())


def test_an_output_without_a_single_track_is_told_of_too(tmp_path):
    _, told = report_of(output_of(tmp_path))
    assert ([], [], {}) == (told["columns"]["track_id"], told["columns"]["verdict"], told["albums"])


def test_an_album_that_all_tracks_have_left_is_no_album_any_more(tmp_path):
    made = output_of(tmp_path, "T1", album_id="old")
    write_table(made.path, "albums", "R1", AlbumRow, [album_row(album_id="old")])
    made.master("T1", run="R2", album_id="new")
    made.finish("R2")
    write_table(made.path, "albums", "R2", AlbumRow, [album_row(album_id="new", album="New")])
    _, told = report_of(made)
    assert {"new": "New"} == {name: album["album"] for name, album in told["albums"].items()}


def test_an_album_without_a_row_is_told_by_its_tracks(tmp_path):
    made = output_of(tmp_path, "T1", "T2")
    made.finish("R2", rejected=["T1"])
    _, told = report_of(made)
    assert (2, "rejected", None) == tuple(
        told["albums"]["album"][name] for name in ("tracks", "verdict", "master_integrated_lufs")
    )


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_an_output_in_a_bucket_is_told_as_on_disk(tmp_path):
    made = output_of(tmp_path, "T1", "T2")
    _, expected = report_of(made)
    with emulator.running():
        for path in [path for name in ("qc", "runs") for path in (made.path / name).rglob("*.*") if path.is_file()]:
            store.replace(path, f"gs://music/out/{path.relative_to(made.path)}")
        told = catalogue_in(store.read_bytes(write_report("gs://music/out")).decode())
        scripts = {uri.rsplit("/", 1)[-1] for uri in store.list_files("gs://music/out/report/tracks")}
    assert {f"{name}.js" for name in told["pieces"]} == scripts
    for one in (expected, told):
        del one["pieces"]  # from disk they also name the sources
    assert expected == told


# How it is written


def test_the_same_rows_give_the_same_report(tmp_path):
    made = output_of(tmp_path, "T1", "T2")
    texts = [{path.name: path.read_bytes() for path in _written(made)} for _ in range(2)]
    assert texts[0] == texts[1]


def _written(made):
    write_report(str(made.path))
    return [path for path in (made.path / "report").rglob("*") if path.is_file()]


def test_a_report_that_is_written_anew_leaves_the_scripts_of_the_old_one_for_a_day(tmp_path):
    made = output_of(tmp_path, "T1")
    before = {path.name: path for path in _written(made)}
    made.master("T1", run="R2", gain_db=5.0)
    made.finish("R2")
    both = {path.name for path in _written(made)}
    assert (2, 3) == (len(before), len(both))  # a page that is open still finds its own
    [old] = [path for name, path in before.items() if name.endswith(".js")]
    os.utime(old, (1.0, 1.0))
    assert both - {old.name} == {path.name for path in _written(made)}


def test_a_script_that_holds_the_same_is_not_written_again(tmp_path):
    made = output_of(tmp_path, "T1")
    write_report(str(made.path))
    [script] = (made.path / "report" / "tracks").iterdir()
    before = script.stat().st_ino
    write_report(str(made.path))
    assert before == script.stat().st_ino


def test_nothing_is_left_in_the_making(tmp_path):
    made = output_of(tmp_path, "T1")
    write_report(str(made.path))
    assert not (made.path / ".parts").exists()


def test_what_a_killed_report_left_is_swept_by_the_next_one(tmp_path):
    made = output_of(tmp_path, "T1")
    gone = made.path / ".parts" / "report-1-1"
    gone.mkdir(parents=True)
    dead = {"host": socket.gethostname(), "pid": 2**22 + 1, "began_s": 1.0}
    (gone / "owner").write_text(json.dumps(dead))
    write_report(str(made.path))
    assert not (made.path / ".parts").exists()


# What it may do


def test_the_page_names_no_address_outside(tmp_path):
    text, _ = report_of(output_of(tmp_path, "T1"))
    own = "http://www.w3.org/2000/svg"  # the name of a language, which nothing is loaded from
    assert [] == [
        found for found in re.findall(r"(?:https?:)?//[a-z0-9][a-z0-9.-]+\.[a-z]{2,}[^\s\"'`]*", text) if found != own
    ]
    assert not re.search(r"<(?:link|iframe|object|embed|img|base)\b", text)


def test_the_policy_lets_run_what_stands_in_the_page_and_nothing_else(tmp_path):
    text, _ = report_of(output_of(tmp_path, "T1"))
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    [sheet] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'self' '{_hash(script)}'"
    assert rules["style-src"] == f"'{_hash(sheet)}'"
    assert not re.search(r"unsafe|\*|https?:", policy)


def _hash(text):
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def test_own_code_stays_small():
    names = [*SCRIPTS, *SHEETS, "index.html"]
    assert sum((PAGE / name).stat().st_size for name in names) < OWN_CODE_BYTES
    assert sorted(names) == sorted(path.name for path in PAGE.iterdir())


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_text_stays_a_text(tmp_path, hostile):
    made = output_of(
        tmp_path, "T1", title=hostile, artist=hostile, genre=hostile, reason=hostile, plan=json.dumps({"x": hostile})
    )
    text, told = report_of(made)
    assert text.count("</script>") == 2
    assert (hostile, hostile) == (told["columns"]["title"][0], told["columns"]["artist"][0])
    [script] = (made.path / "report" / "tracks").iterdir()
    assert hostile == value_at(details_in(script), 0)["reason"]


# Drawings


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=700))
def test_a_drawn_waveform_is_never_smaller_than_the_sound_and_at_most_a_level_larger(peaks):
    overview = pa.array([{"low": [-one for one in peaks], "high": peaks, "short_term_lufs": []}])
    drawn = waveforms(overview)
    assert drawn["high"] == drawn["low"]
    heights = [LETTERS.index(letter) / LEVELS for letter in drawn["high"][0]]
    assert len(heights) == min(len(peaks), POINTS)
    assert max(peaks) <= max(heights) + 1e-9 <= max(peaks) + 1 / LEVELS + 2e-9


@given(st.lists(st.one_of(st.none(), st.floats(QUIETEST_LUFS, -1.0)), max_size=SLOW_POINTS))
def test_drawn_loudness_is_that_of_the_row_and_silence_is_drawn_as_nothing(loudness):
    overview = pa.array([{"low": [0.0], "high": [0.0], "short_term_lufs": loudness}], OVERVIEW)
    [drawn] = waveforms(overview)["loudness"]
    found = [None if letter == NOTHING else QUIETEST_LUFS + STEP_LU * LETTERS.index(letter) for letter in drawn]
    assert [value is None for value in loudness] == [value is None for value in found]
    assert all(abs(a - b) <= STEP_LU / 2 + 1e-9 for a, b in zip(loudness, found, strict=True) if a is not None)


OVERVIEW = pa.struct(
    [("low", pa.list_(pa.float64())), ("high", pa.list_(pa.float64())), ("short_term_lufs", pa.list_(pa.float64()))]
)


def test_each_track_keeps_its_own_drawing():
    assert ["", LETTERS[4] * 3, LETTERS[8]] == courses(pa.array([[], [1.0, 1.0, 1.0], [2.0]], pa.list_(pa.float64())))


# Which rows stand


@given(st.lists(st.lists(st.sampled_from("ABCD"), unique=True, max_size=4), min_size=1, max_size=5))
def test_each_track_stands_in_one_row_and_that_is_its_newest(tmp_path_factory, runs):
    place = tmp_path_factory.mktemp("runs")
    made = output_of(place)
    for number, names in enumerate(runs, 1):
        write_table(
            made.path, "tracks", f"R{number}", TrackRow, [track_row(run_id=f"R{number}", track_id=one) for one in names]
        )
        made.record(f"R{number}")
    standing = standing_rows(str(made.path))
    newest = {name: f"R{number}" for number, names in enumerate(runs, 1) for name in names}
    names_of = {f"R{number}": names for number, names in enumerate(runs, 1)}
    found = [(names_of[part.run_id][row], part.run_id) for part in standing.now for row in part.rows]
    assert sorted(newest.items()) == sorted(found)


def test_rows_of_an_older_version_without_the_limiters_course_are_drawn_without_it(tmp_path):
    made = output_of(tmp_path, "T1", overview=HEARD)
    _without_course(made)
    write_report(str(made.path))
    assert "reduction" not in _rows(made)[0]["overview"]


def test_rows_of_an_older_version_stand_beside_those_of_this_one(tmp_path):
    made = output_of(tmp_path, "T1", "T2", overview=HEARD)
    _without_course(made)
    made.master("T1", run="R2", overview=msgspec.structs.replace(HEARD, limiter_db=(1.0, 2.0)))
    made.finish("R2")
    write_report(str(made.path))
    assert [LETTERS[4] + LETTERS[8], ""] == [row["overview"]["reduction"] for row in _rows(made)]


HEARD = Overviews(source=Overview(low=(0.0,), high=(0.5,)), master=Overview())


def _rows(made):
    [script] = (made.path / "report" / "tracks").iterdir()
    told = details_in(script)
    return [value_at(told, i) for i in range(len(told["reason"]))]


def _without_course(made):
    """Rewrites the one table of an output as versions wrote it that did not keep the limiter's course."""
    [path] = (made.path / "qc" / "tracks").rglob("*.parquet")
    table = pq.read_table(path, partitioning=None)
    old = pa.array(
        [{name: value for name, value in row.items() if name != "limiter_db"} for row in table["overview"].to_pylist()]
    )
    pq.write_table(table.set_column(table.schema.get_field_index("overview"), "overview", old), path)
