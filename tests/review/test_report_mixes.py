"""The report of songs mixed from stems: every stem, how it stands, what was found and why; with a master, and without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from dsp.settings import CompressorSettings, ReverbSettings
from review.report import write_report
from schemas.figures import Figures
from schemas.mix import BusSettings, Input, Insert, MixSettings, RenderedFile, Return, Send, StemResult, Strip, Why
from schemas.mix_row import MixRow
from schemas.qc import Finding
from tests.review.outputs import HOSTILE, output_of, write_table
from tests.review.test_report_page import opened

WHY = Why(text="the kick was far too loud", evidence={"above_target_lu": 6.25}, confidence=0.8)


def settings(*names: str) -> MixSettings:
    """Settings of some stems; the last is left out."""
    strips = [
        Strip(
            stem_id=name,
            role="kick",
            use=name != names[-1],
            gain_db=-6.0,
            pan_ratio=-0.5,
            bus="drums",
            automation_db=tuple(0.01 * k for k in range(1_000)),
            inserts=(Insert.of(CompressorSettings(threshold_dbfs=-20.0), WHY),),
            sends=(Send(to="room", level_db=-20.0, why=WHY),),
            why={"gain_db": WHY, "use": Why(text="it sounds nowhere")},
        )
        for name in names
    ]
    return MixSettings(
        mix_id="S",
        rate_hz=48_000,
        inputs=tuple(Input(stem_id=name, sha256="0" * 64) for name in names),
        stems=tuple(strips),
        buses=(BusSettings(name="drums", why={"compressor": WHY}),),
        returns=(Return(name="room", of="music", reverb=ReverbSettings(), why={"gain_db": WHY}),),
        gain_db=-3.0,
        why={"gain_db": WHY},
    )


def mix(output: Path, mix_id: str = "T1", stems: tuple[str, ...] = ("Kick", "Silent"), **changes: Any) -> MixRow:
    """A row of `qc/mixes`."""
    held = settings(*stems)
    results = [
        StemResult(
            stem_id=strip.stem_id, uri="/s.wav", sha256="0" * 64, role="kick", role_source="name",
            state="used" if strip.use else "left out", code=None if strip.use else "STEM_SILENT",
            mix_lufs=-20.0 if strip.use else None, gain_db=-6.0, masked_before_ratio=0.5, masked_after_ratio=0.25,
        )
        for strip in held.stems
    ]  # fmt: skip
    path = str(output / "mixes" / mix_id / "mix.wav")
    values: dict[str, Any] = {
        "run_id": "R1", "mix_id": mix_id, "album_id": "album", "title": "From Stems", "artist": "The Makers",
        "outcome": "mixed", "reason": "never mixed into this output", "mastered": True, "edited": False,
        "rate_hz": 48_000, "duration_s": 10.0, "uri": path, "sha256": "0" * 64,
        "settings_uri": path.replace("mix.wav", "settings.json"),
        "figures": Figures(integrated_lufs=-20.0, true_peak_dbtp=-7.0), "stems": tuple(results),
        "files": (RenderedFile(name="mix", kind="mix", uri=path, sha256="0" * 64, frames=9, peak_dbfs=-7.0),),
        "findings": (Finding(code="HUM", severity="info", text="stem Kick hums"),),
        "settings": msgspec.json.encode(held).decode(),
    }  # fmt: skip
    return MixRow(**{**values, **changes})


def report_of(page, made, rows, view):
    write_table(made.path, "mixes", "R1", MixRow, rows)
    return opened(page, Path(write_report(str(made.path))).as_uri(), view)


def test_a_master_of_a_mix_shows_its_stems_and_why_they_stand_where_they_do(page, tmp_path):
    made = output_of(tmp_path, "T1")
    report_of(page, made, [mix(made.path)], "view=track&track=T1")
    table = page.locator("section:has-text('Mixed from 2 stems') tbody tr")
    assert 2 == table.count()
    kick = table.first.inner_text()
    assert all(told in kick for told in ("Kick", "−20.0", "−6.0", "50 % left", "50 %", "25 %", "compressor", "ridden"))
    assert "left out" in table.last.inner_text() and "it sounds nowhere" in table.last.inner_text()
    page.get_by_text("Why each stem is set as it is").click()
    assert page.get_by_text("the kick was far too loud (above_target_lu 6.25, 80 % sure)").first.is_visible()
    assert page.get_by_text("stem Kick hums").is_visible()


def test_a_song_that_was_only_mixed_has_a_view_of_its_own(page, tmp_path):
    made = output_of(tmp_path, "T9")
    report_of(page, made, [mix(made.path, "S", mastered=False)], "view=mixes")
    page.get_by_role("link", name="From Stems").click()
    page.wait_for_selector("main h2:has-text('From Stems')")
    assert page.get_by_text("Mixed from 2 stems").is_visible()


def test_a_report_without_mixes_does_not_speak_of_them(page, tmp_path):
    made = output_of(tmp_path, "T1")
    opened(page, Path(write_report(str(made.path))).as_uri(), "view=tracks")
    assert 0 == page.get_by_role("link", name="Mixes").count()


@pytest.mark.parametrize("view", ["view=mixes", "view=mix&track=S", "view=track&track=T1"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_rule_of_accessibility_is_broken(page, violations, tmp_path, view, theme):
    made = output_of(tmp_path, "T1")
    page.emulate_media(color_scheme=theme)
    report_of(page, made, [mix(made.path), mix(made.path, "S", mastered=False)], view)
    assert [] == violations(page)


def test_hostile_names_of_stems_and_songs_stay_text(page, tmp_path):
    made = output_of(tmp_path, "T1")
    rows = [
        mix(made.path, f"S{k}", stems=(name or "empty", f"{name}2"), title=name, artist=name, mastered=False)
        for k, name in enumerate(HOSTILE)
    ]
    report_of(page, made, rows, "view=mixes")
    assert len(HOSTILE) == page.locator("tbody tr").count()
    for k in range(len(HOSTILE)):
        page.evaluate("(hash) => { location.hash = hash; }", f"view=mix&track=S{k}")
        page.wait_for_selector("section:has-text('Mixed from 2 stems')")


def test_the_newest_row_of_a_song_is_told(tmp_path):
    made = output_of(tmp_path, "T1")
    write_table(made.path, "mixes", "R1", MixRow, [mix(made.path, reason="old")])
    write_table(made.path, "mixes", "R2", MixRow, [mix(made.path, run_id="R2", reason="new")])
    made.record("R2")
    from review.mixes import newest_mixes

    assert ["new"] == [row["reason"] for row in newest_mixes(str(made.path))]
