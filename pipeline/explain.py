"""Says in words what a code means, or why a track was treated as it was in the last run over an output."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Any

from pipeline.explain_mix import explain_mix
from pipeline.run_records import is_finished, run_records
from pipeline.tables import table_rows
from schemas.codes import CODES
from schemas.errors import CatalogueError


def explain(subject: str, output: str | None) -> str:
    """The words for a code, or for a track (by id, ISRC or title) of an output; raises CatalogueError if unknown."""
    code = subject.upper().replace("-", "_")
    if code in CODES:
        return _explain_code(code)
    if output is None:
        guess = get_close_matches(code, CODES, 1)
        meant = f"; did you mean {guess[0]}?" if guess else "."
        text = f'"{subject}" is no code{meant} To explain a track, add --output OUTPUT.'
        raise CatalogueError("UNKNOWN_SUBJECT", text)
    mixes = explain_mix(subject, output)
    rows = _rows(output)
    found = [row for row in rows if subject in (row["track_id"], row.get("isrc"), row.get("title"))]
    if not found and not mixes:
        guess = get_close_matches(subject, [str(row["track_id"]) for row in rows], 1)
        meant = f'; did you mean "{guess[0]}"?' if guess else ""
        raise CatalogueError(
            "UNKNOWN_SUBJECT", f'"{subject}" is neither a code nor a track, a mix or a stem of {output}{meant}'
        )
    return "\n\n".join([*mixes, *(_explain_rejected(row) if "stage" in row else _explain_track(row) for row in found)])


def _explain_code(code: str) -> str:
    words = CODES[code]
    return "\n".join(
        [
            f"{code} ({words.severity}): {words.title}",
            f"  What it means    {words.meaning}",
            f"  How it was seen  {words.measured}",
            f"  What to do       {words.mend}",
            f"  When to leave it {words.ignore}",
        ]
    )


def _explain_track(row: dict[str, Any]) -> str:
    plan = json.loads(row["plan"])
    lines = [
        f"{row['track_id']}  {row['title'] or ''}  ({row['album_id']})",
        f"  {row['outcome']}, {row['verdict']}: {row['reason']}",
        f"  profile {row['profile']}, style {plan['style']} ({plan['intensity']}), "
        f"{plan['mode']} loudness {plan['target_lufs']:g} LUFS",
        "Decided",
        *(f"  {d['what']}: {d['how_much']}. {d['why']}." for d in plan["decisions"]),
        "Measured           loudness       true peak      range",
        _measured("source", row["source"]),
        *(_measured(master["delivery"], master) for master in row["masters"]),
    ]
    held = [line for master in row["masters"] for line in _held(master)]
    lines += ["Held against", *held] if held else []
    if row["findings"]:
        lines += ["Found", *(f"  {f['severity']} {f['code']}: {f['text']}" for f in row["findings"])]
    return "\n".join(lines)


def _held(master: dict[str, Any]) -> list[str]:
    """How a master stands against the targets of its delivery; runs of older versions know of none."""
    lines = []
    for one in master.get("targets") or ():
        broken = "; ".join([*one["failed"], *one["risks"], *one["advice"]])
        state = "passed" if one["passed"] else "FAILED"
        lines.append(
            f"  {master['delivery']:<14} {one['target']} ({one['date']}) {state}{': ' if broken else ''}{broken}"
        )
    return lines


def _measured(name: str, figures: dict[str, Any]) -> str:
    def number(key: str, unit: str) -> str:
        value = figures[key]
        return f"{value:7.2f} {unit}" if value is not None else f"      - {unit}"

    loudness, peak = number("integrated_lufs", "LUFS"), number("true_peak_dbtp", "dBTP")
    return f"  {name:<14} {loudness}   {peak}   {number('loudness_range_lu', 'LU')}"


def _explain_rejected(row: dict[str, Any]) -> str:
    first = f"{row['track_id']}  row {row['row']} of the manifest  ({row['album_id']})"
    return f"{first}\n  rejected while Lathe would {row['stage']} it: {row['text']}\n{_explain_code(row['code'])}"


def _rows(output: str) -> list[dict[str, Any]]:
    """Tracks and rejected tracks of all runs that finished, each as the newest that had it left it."""
    run_ids = [record["run_id"] for record in run_records(output) if is_finished(record)]
    if not run_ids:
        raise CatalogueError("UNKNOWN_SUBJECT", f"there is no finished run below {output}")
    newest: dict[str, dict[str, Any]] = {}
    for run_id in run_ids:
        for row in [*table_rows(output, "tracks", run_id), *table_rows(output, "rejected", run_id)]:
            newest.setdefault(row["track_id"], row)
    return list(newest.values())
