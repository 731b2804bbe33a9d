"""What the demo says of a mix: every stem, how it stands or why it does not, and what to try next."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
look: Any = importlib.import_module("where_to_look")


def stem(stem_id: str, **changes: Any) -> dict[str, Any]:
    known = {
        "stem_id": stem_id,
        "role": "kick",
        "state": "used",
        "code": None,
        "source_lufs": -27.04,
        "mix_lufs": -29.5,
    }
    return {**known, "gain_db": 2.34, "pan_ratio": 0.0, **changes}


def song(*stems: dict[str, Any], versions: tuple[str, ...] = (), findings: tuple[str, ...] = ()) -> dict[str, Any]:
    files = [{"name": "mix", "kind": "mix"}, *({"name": name, "kind": "version"} for name in versions)]
    told = [{"code": "STEM_SILENT", "text": text} for text in findings]
    return {
        "mix_id": "song", "title": "Song", "settings_uri": "out/mixes/song/settings.json",
        "stems": list(stems), "files": files, "findings": told,
    }  # fmt: skip


def test_a_stem_stands_with_its_levels_its_fader_and_its_place() -> None:
    first, _, one, other = look.mix_lines(song(stem("Kick"), stem("Gtr", pan_ratio=-0.26)))
    assert first == "Mixed from 2 stems: Song"
    assert one.split() == ["Kick", "kick", "-27.0", "LUFS", "-29.5", "LUFS", "+2.3", "dB", "centre"]
    assert other.endswith("26% left")


def test_a_stem_that_is_not_heard_says_why() -> None:
    silent = stem("Tamb", state="left out", code="STEM_SILENT")
    muted = stem("Room", state="muted")
    lines = look.mix_lines(song(silent, muted, findings=("Other: not this", "Tamb: digital silence")))
    assert lines[-2].endswith("STEM_SILENT: digital silence")
    assert lines[-1].endswith("not used: muted")


def test_the_next_command_asks_for_the_versions_that_stand() -> None:
    row = song(stem("Kick"), versions=("instrumental", "acappella"))
    assert look.mix_lines(row)[0] == "Mixed from 1 stems: Song, with instrumental and acappella"
    assert look.mix_hints(row, Path("demo/output"))[-1] == (
        "  .venv/bin/lathe mix demo/catalogue/manifest.csv demo/output"
        " --versions instrumental,acappella --settings demo/song.json"
    )
