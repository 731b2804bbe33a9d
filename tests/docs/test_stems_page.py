"""What docs/mixing/manifest.md says of columns and roles is what the manifest reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from media.manifest import read_manifest
from schemas.stem_cells import STEM_COLUMNS
from schemas.stems import Role

PAGE = (Path(__file__).parents[2] / "docs/mixing/manifest.md").read_text(encoding="utf-8")


def test_every_column_and_every_role_of_stems_is_told():
    told = set(re.findall(r"`([a-z_0-9]+)`", PAGE))
    assert {*STEM_COLUMNS, *get_args(Role)} <= told


def test_the_example_is_a_manifest(tmp_path):
    (tmp_path / "m.csv").write_text(
        "\n".join(line.strip() for line in re.findall(r"(?m)^    .*,.*,.*,.*,.*,.*$", PAGE))
    )
    song, track = read_manifest(str(tmp_path / "m.csv"), output="/out")
    assert (song.track_id, song.title, song.sequence, len(song.song.stems)) == ("harbour", "Harbour Lights", 1, 6)
    assert (track.title, track.album_id, track.song) == ("Ferry", "hl", None)
