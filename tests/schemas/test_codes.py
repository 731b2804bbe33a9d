"""The table of codes: every code is explained, every code that the source names stands in it, and none stands there in vain."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from decisions.measures import MEASURES
from decisions.profile_files import load_profile
from schemas.codes import CODES, Severity, Words, codes_page
from schemas.finding_codes import FINDING_CODES

ROOT = Path(__file__).parents[2]
TABLES = {ROOT / "schemas" / name for name in ("codes.py", "error_codes.py", "finding_codes.py")}
SOURCES = [
    path
    for folder in ("decisions", "dsp", "media", "pipeline", "review", "schemas", "transforms")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path not in TABLES
]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
NAMED = set(re.findall(r'(?:TrackError|CatalogueError|_finding|code=|Shelf|super\(\).__init__)\(?\s*"([A-Z_]+)"', TEXT))
MEASURED = {code for one in MEASURES.values() for code in (one.above, one.below)}
ASKED_FOR = re.findall(
    "[A-Z_]+",
    """SOURCE_CLIPPED INTER_SAMPLE_OVERS CLICKS DROPOUTS NOISE_BURSTS ABRUPT_START ABRUPT_END LONG_SILENCE_HEAD
    LONG_SILENCE_TAIL LONG_SILENCE_INSIDE HUM DC_OFFSET DUAL_MONO CHANNEL_MISSING CHANNEL_WEAK POLARITY_INVERTED
    BASS_OUT_OF_PHASE MONO_LOSS UNUSED_BITS UPSAMPLED LOSSY_TRANSCODE HEAVILY_LIMITED SPEC_FAILED SPEC_RISK""",
)
"""Names that others rely on: benchmarks, reports, scripts of labels."""


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_words_in_every_field(code):
    words = CODES[code]
    assert [field for field in Words.__struct_fields__ if not getattr(words, field).strip()] == []
    assert words.severity in get_args(Severity)


@pytest.mark.parametrize("code", CODES)
def test_the_words_of_a_code_are_sentences(code):
    words = msgspec.structs.asdict(CODES[code])
    assert [text for name, text in words.items() if name not in ("severity", "title") and text[-1] != "."] == []
    assert not words["title"].endswith(".")


def test_the_source_names_codes():
    assert {"SOURCE_CORRUPT", "MANIFEST_INVALID", "DURATION_DIFFERS", "SPEC_FAILED"} <= NAMED


def test_every_code_that_the_source_names_is_explained():
    assert (NAMED | MEASURED) - set(CODES) == set()


def test_codes_that_others_rely_on_keep_their_names():
    assert set(ASKED_FOR) - set(CODES) == set()


def test_every_code_that_is_explained_is_used():
    assert [code for code in CODES if f'"{code}"' not in TEXT] == []


def test_no_two_codes_have_the_same_title():
    titles = [words.title for words in CODES.values()]
    assert len(set(titles)) == len(titles)


def test_every_code_of_a_measure_tells_which_measure_it_is():
    unnamed = [
        code
        for name, one in MEASURES.items()
        for code in (one.above, one.below)
        if code != "LIMIT_CROSSED" and not any(f"`{other}`" in CODES[code].measured for other in _measures_of(code))
        if name not in ("head_dbfs", "tail_dbfs")
    ]
    assert unnamed == ["MONO_SOURCE"]  # told by the file's header


def _measures_of(code):
    return [name for name, one in MEASURES.items() if code in (one.above, one.below)]


@pytest.mark.parametrize("code", sorted(MEASURED - {"LIMIT_CROSSED"}))
def test_the_usual_severity_of_a_finding_is_one_that_the_usual_profile_gives_it(code):
    limits = load_profile("streaming").limits
    sides = {"above", "below"}
    given = {
        bound.level
        for name in _measures_of(code)
        if name in limits
        for bound in limits[name].bounds()
        if bound.side in sides and getattr(MEASURES[name], bound.side) == code
    }
    assert FINDING_CODES[code].severity in given


def test_the_page_of_codes_is_what_the_table_says():
    page = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    assert page == codes_page(), "write it again: python -m schemas.codes > docs/codes.md"


def test_the_page_of_codes_has_every_code_and_every_word():
    page = codes_page()
    for code, words in CODES.items():
        texts = [text for name, text in msgspec.structs.asdict(words).items() if name != "severity"]
        assert page.count(f"### {code}\n") == 1 and [text for text in texts if text not in page] == []
