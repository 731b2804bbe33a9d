"""Styles and norms are read whole or refused with the line of everything that is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from decisions.taste_files import NORMS, STYLES, load_norm, load_style, style_text
from schemas.errors import CatalogueError

STYLE = (STYLES.folder / "warm.toml").read_text()
NORM = (NORMS.folder / "popular.toml").read_text()
LONG = ", ".join(["0.0"] * 31)


def written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", STYLES.names())
def test_every_built_in_style_loads_under_its_own_name(name):
    assert load_style(name).name == name
    assert style_text(name).startswith("#")


@pytest.mark.parametrize("name", NORMS.names())
def test_every_built_in_norm_loads_under_its_own_name(name):
    assert load_norm(name).name == name


def test_the_styles_are_those_that_are_offered():
    assert STYLES.names() == ["balanced", "open", "punchy", "speech", "transparent", "warm"]


@pytest.mark.parametrize("shelf", [STYLES, NORMS], ids=["styles", "norms"])
def test_every_number_has_its_reason_beside_it(shelf):
    bare = []
    for name in shelf.names():
        lines = (shelf.folder / f"{name}.toml").read_text().splitlines()
        for above, line in zip(["", *lines], lines, strict=False):
            told = "#" in line or above.startswith("#")
            if re.match(r"\w+ = .*\d", line) and not line.startswith(("name", "description")) and not told:
                bare.append((name, line))
    assert bare == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("max_db = 2.0", "max_bd = 2.0", 'line 8: unknown key "max_bd" in [tone]; did you mean "max_db"?'),
        ("max_db = 2.0", "max_db = 20.0", "line 8: tone.max_db: "),
        ('character = "tape"', 'character = "valve"', "line 25: colour.character: "),
        ("lean_hz = [40, 120,", "lean_hz = [120,", "tone.lean_hz and tone.lean_db must be equally long"),
        ("lean_hz = [40, 120,", "lean_hz = [140, 120,", "tone.lean_hz must rise from above 0"),
        ("lean_db = [0.3,", "lean_db = [nan,", "tone.lean_db must lie in [-12, 12]"),
        ("amount_ratio = 0.25", "amount_ratio = 0.26", "width.amount_ratio: "),
    ],
)
def test_what_is_wrong_with_a_style_is_told(tmp_path, old, new, problem):
    assert old in STYLE
    with pytest.raises(CatalogueError) as caught:
        load_style(written(tmp_path, STYLE.replace(old, new)))
    assert problem in "\n".join(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (re.sub(r"mid_db = .*", f"mid_db = [{LONG}, 1.0]", NORM), "mid_db: "),
        (re.sub(r"mid_spread_db = .*", f"mid_spread_db = [{LONG}]", NORM), "mid_spread_db: "),
        (
            re.sub(r"side_db = .*", f"side_db = [{LONG.replace('0.0', 'nan', 1)}]", NORM, count=1),
            "side_db must be finite",
        ),
        (NORM + "\ncolour = 1\n", 'unknown key "colour"'),
    ],
)
def test_what_is_wrong_with_a_norm_is_told(tmp_path, text, problem):
    with pytest.raises(CatalogueError) as caught:
        load_norm(written(tmp_path, text))
    assert problem in "\n".join(caught.value.problems)
