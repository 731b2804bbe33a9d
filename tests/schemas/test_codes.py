"""The table of codes: every code is explained, every code that the source names stands in it, and none stands there in vain."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from schemas.codes import CODES, Severity, Words

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for folder in ("decisions", "dsp", "media", "pipeline", "schemas", "transforms")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path != ROOT / "schemas" / "codes.py"
]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
NAMED = set(re.findall(r'(?:TrackError|CatalogueError|_finding)\(\s*"([A-Z_]+)"', TEXT))


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
    assert {"SOURCE_CORRUPT", "MANIFEST_INVALID", "TRUE_PEAK_OVER"} <= NAMED


def test_every_code_that_the_source_names_is_explained():
    assert NAMED - set(CODES) == set()


def test_every_code_that_is_explained_is_used():
    assert [code for code in CODES if f'"{code}"' not in TEXT] == []


def test_no_two_codes_have_the_same_title():
    titles = [words.title for words in CODES.values()]
    assert len(set(titles)) == len(titles)
