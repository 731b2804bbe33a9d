"""What docs/data.md shows to data people runs, and docs/schema.md tells what the records are."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from schemas.figures import Figures
from schemas.qc import SCHEMA_VERSION, Finding
from schemas.qc_page import TABLES, schema_page
from tests.review.outputs import output_of
from transforms.arrow import arrow_schema

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "data.md").read_text(encoding="utf-8")
DUCKDB, _, REST = PAGE.partition("## DuckDB")[2].partition("## pandas")
STATEMENTS = re.findall(r"```sql\n(.*?)```", DUCKDB, re.DOTALL)


TRACKS = 3


def written_output(place, first, *later):
    """An output in which every run had the same tracks, each with a finding."""
    found = {"findings": (Finding(code="HUM", severity="info", text="hum"),), "source": Figures(integrated_lufs=-20.0)}
    names = [f"T{k}" for k in range(TRACKS)]
    made = output_of(place, *names, run=first, **found)
    for run in later:
        for name in names:
            made.master(name, run=run, **found)
        made.finish(run)
    return made.path


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_statement_for_duckdb_finds_rows(statement, tmp_path):
    output = written_output(tmp_path, "R1")
    assert len(duckdb.sql(statement.replace("OUTPUT", str(output))).fetchall()) > 0


def test_how_things_stand_is_one_row_a_track(tmp_path):
    output = written_output(tmp_path, "R1", "R2")
    rows = duckdb.sql(STATEMENTS[0].replace("OUTPUT", str(output))).fetchall()
    assert len(rows) == min(10, TRACKS)


def test_the_lines_for_pandas_run(tmp_path, capsys):
    output = written_output(tmp_path, "R1", "R2")
    [lines] = re.findall(r"```python\n(.*?)```", REST, re.DOTALL)
    exec(lines.replace("OUTPUT", str(output)), {})
    assert capsys.readouterr().out.count("\n") == TRACKS + 1


def test_the_page_of_the_tables_is_that_of_the_records():
    assert (DOCS / "schema.md").read_text(encoding="utf-8") == schema_page()


@pytest.mark.parametrize("record", TABLES.values())
def test_every_table_tells_its_version(record):
    assert arrow_schema(record).metadata == {
        b"lathe_table": record.__name__.encode(),
        b"lathe_schema_version": str(SCHEMA_VERSION).encode(),
    }
