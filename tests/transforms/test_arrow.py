"""The Parquet tables have the columns that the contract names, and take rows without a value."""

from __future__ import annotations

import msgspec
import pyarrow as pa
import pytest

from decisions.album import draft_album, settle_album
from decisions.rows import album_row, rejected_row, track_row
from schemas.qc import AlbumRow, RejectedRow, TrackRow
from tests.transforms.members import JOB, analysed, mastered, rehearsed, rejected
from transforms.arrow import arrow_schema

PROFILE = JOB.profiles[""]


def names(text):
    return text.split()


# As in design.md, section 5.
TRACK_COLUMNS = names("""run_id track_id album_id disc sequence isrc upc title artist genre profile source_uri
    source_sha256 duration_s rate_hz channels source_bits verdict outcome gain_db limiter_max_reduction_db
    limiter_mean_reduction_db source masters findings plan overview""")
FIGURES = names("""integrated_lufs loudness_range_lu max_momentary_lufs max_short_term_lufs true_peak_dbtp
    sample_peak_dbfs plr_lu crest_db correlation width_ratio dc_ratio spectrum_db""")
MASTER_FIGURES = [*FIGURES, *names("delivery uri sha256 rate_hz bits frames ceiling_dbtp target_lufs")]
FINDING_COLUMNS = names("code severity measured limit unit at_s text")
ALBUM_COLUMNS = names("""run_id album_id upc album artist tracks duration_s source_integrated_lufs
    master_integrated_lufs target_lufs gain_db verdict findings""")
REJECTED_COLUMNS = names("run_id track_id album_id source_uri row stage code text hint")


def missing(wanted, found):
    return set(wanted) - set(found)


@pytest.mark.parametrize(
    ("record", "columns"), [(TrackRow, TRACK_COLUMNS), (AlbumRow, ALBUM_COLUMNS), (RejectedRow, REJECTED_COLUMNS)]
)
def test_a_table_has_the_columns_of_the_contract(record, columns):
    assert missing(columns, arrow_schema(record).names) == set()


@pytest.mark.parametrize(
    ("column", "fields"), [("source", FIGURES), ("masters", MASTER_FIGURES), ("findings", FINDING_COLUMNS)]
)
def test_what_lies_in_a_column_has_the_fields_of_the_contract(column, fields):
    kind = arrow_schema(TrackRow).field(column).type
    struct = kind.value_type if pa.types.is_list(kind) else kind
    assert missing(fields, [field.name for field in struct]) == set()


def test_every_figure_of_a_source_may_be_null_but_its_offset():
    fields = {field.name: field.nullable for field in arrow_schema(TrackRow).field("source").type}
    assert {name for name, nullable in fields.items() if not nullable} == {
        "spectrum_db",
        "side_spectrum_db",
        "crest_bands_db",
        "correlation_bands",
    }


@pytest.mark.parametrize("name", ["track_id", "album_id", "verdict", "outcome", "plan", "gain_db"])
def test_what_every_track_has_is_never_null(name):
    assert arrow_schema(TrackRow).field(name).nullable is False


def rows():
    (draft,) = draft_album([analysed()], PROFILE)
    (planned,) = settle_album([rehearsed(draft)], PROFILE, "/nowhere/masters")
    member = mastered(planned)
    return [
        track_row(member, "r", PROFILE), album_row([member, rejected(2)], "r", PROFILE), album_row([rejected()], "r", PROFILE),
        rejected_row(rejected(), "r"),
    ]  # fmt: skip


@pytest.mark.parametrize("row", rows(), ids=["track", "album", "album without masters", "rejected"])
def test_a_row_goes_through_its_table_unchanged(row):
    plain = msgspec.to_builtins(row)
    table = pa.Table.from_pylist([plain], schema=arrow_schema(type(row)))
    table.validate(full=True)
    assert msgspec.convert(table.to_pylist()[0], type(row)) == row
