"""Every processor has a page, which tells the ranges that its settings enforce and shows pictures that can be drawn again."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest

from dsp.settings import DuckerSettings, PannerSettings, QuantiserSettings, ReverbSettings, Settings
from tests.dsp.stages import STAGES

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = DOCS / "processors"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
LARGEST_PLOT_BYTES = 60_000

sys.path.insert(0, str(DOCS))
plots: Any = importlib.import_module("plots")


def records(of: Any) -> Iterator[Any]:
    """The settings of a chain, and the records that they hold."""
    yield of
    for value in (getattr(of, field.name) for field in fields(of)):
        yield from (
            one for part in (value if isinstance(value, tuple) else ()) if is_dataclass(part) for one in records(part)
        )


EXAMPLES = [one for chain in STAGES.values() for settings in chain for one in records(settings)]
EXAMPLES += [QuantiserSettings(bits=16), PannerSettings(), ReverbSettings()]
EXAMPLES += [DuckerSettings(threshold_dbfs=-30.0, depth_db=3.0, low_hz=20.0, high_hz=20_000.0)]
RECORDS = sorted({type(one) for one in EXAMPLES}, key=lambda record: record.__name__)
EVERY_RECORD = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)


class Range(NamedTuple):
    """What a page says of a setting."""

    field: str
    low: float
    high: float


def page_of(record: type) -> str:
    """The page whose table has the record's name."""
    [page] = [text for text in PAGES.values() if re.search(rf"^.*\b{record.__name__}`.*$", tables(text), re.MULTILINE)]
    return page


def tables(page: str) -> str:
    """The lines of tables, and the headings that name a record."""
    return "\n".join(row for row in page.splitlines() if row.startswith(("|", "#")))


def ranges(page: str) -> Iterator[Range]:
    """Of rows like | `a`, `b` | 1..2, 3..4 |, where one range serves both or each has its own; none that is not plain numbers."""
    for row in page.splitlines():
        name, *cells = row.strip("|").split("|")
        names = re.findall(r"`(\w+)`", name)
        for cell in cells if row.startswith("| `") else ():
            found = re.findall(r"(-?[\d,.]*\d)(?:\.\.| to )(-?[\d,.]*\d)(?!\^)", cell)
            found *= len(names) if len(found) == 1 else 1
            if len(names) == len(found):
                for one, pair in zip(names, found, strict=True):
                    yield Range(one, *(float(end.replace(",", "")) for end in pair))
                break


def accepted(record: type, field: str, value: float, *, at: int) -> bool:
    """Whether any example of the record takes the value; in a tuple, as its first (0) or last (-1)."""
    return any(takes(example, field, value, at) for example in EXAMPLES if type(example) is record)


def takes(example: Any, field: str, value: float, at: int) -> bool:
    before = getattr(example, field)
    if isinstance(before, tuple):
        if not before:
            return False
        parts = list(before)
        parts[at] = value
    try:
        replace(example, **{field: tuple(parts) if isinstance(before, tuple) else value})
    except ValueError:
        return False
    return True


def test_every_settings_record_is_among_the_examples():
    assert {*get_args(Settings), QuantiserSettings} <= set(RECORDS)


@EVERY_RECORD
def test_a_page_names_every_setting(record):
    page = page_of(record)
    assert [] == [field.name for field in fields(record) if f"`{field.name}`" not in page]


@EVERY_RECORD
def test_a_page_tells_the_ranges_that_are_enforced(record):
    names = {field.name for field in fields(record)}
    for field, low, high in ranges(page_of(record)):
        if field in names:
            step = 0.001 * (high - low)
            assert accepted(record, field, low, at=0), f"{field}: {low} is refused"
            assert accepted(record, field, high, at=-1), f"{field}: {high} is refused"
            assert not accepted(record, field, low - step, at=0), f"{field}: {low - step} is not refused"
            assert not accepted(record, field, high + step, at=-1), f"{field}: {high + step} is not refused"


def test_ranges_are_read_from_tables():
    rows = (
        "| `a_s`, `b_s` | 0.5..1, 2..4,000 | |",
        "| `e`, `f` | 0..1 | |",
        "| `c` | -1.0 | -20 to 0 | `d` |",
        "| `g` | 0..2^63 |",
    )
    expected = [("a_s", 0.5, 1.0), ("b_s", 2.0, 4000.0), ("e", 0.0, 1.0), ("f", 0.0, 1.0), ("c", -20.0, 0.0)]
    assert expected == list(ranges("\n".join(rows)))


def test_most_settings_have_a_range_on_their_page():
    told = sum(
        1 for record in RECORDS for one in ranges(page_of(record)) if one.field in {f.name for f in fields(record)}
    )
    assert told > 60


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_picture_is_there_and_can_be_drawn_again(page):
    for picture in re.findall(r"!\[[^]]+\]\(([^)]+)\)", page):
        path = FOLDER / picture
        assert path.stem in plots.PLOTS
        assert path.parent == plots.FOLDER
        assert 0 < path.stat().st_size < LARGEST_PLOT_BYTES


def test_every_plot_is_shown():
    shown = {name for page in PAGES.values() for name in re.findall(r"\(plots/([\w-]+)\.svg\)", page)}
    assert shown == set(plots.PLOTS)
    assert shown == {path.stem for path in plots.FOLDER.iterdir()}


def test_every_page_is_in_the_index():
    assert set(PAGES) - {"README"} == set(re.findall(r"\(([\w-]+)\.md\)", PAGES["README"]))


def test_links_lead_somewhere():
    links = [link for page in PAGES.values() for link in re.findall(r"\]\(([^)]+)\)", page)]
    assert [] == [link for link in links if not (FOLDER / link).exists()]


@pytest.mark.slow
@pytest.mark.parametrize("name", plots.PLOTS)
def test_a_plot_is_drawn_the_same_twice(name, tmp_path):
    for number in range(2):
        plots.draw(name, tmp_path / f"{number}.svg")
    first, second = (tmp_path / f"{number}.svg" for number in range(2))
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < LARGEST_PLOT_BYTES
