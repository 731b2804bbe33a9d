"""Says in words how a song was mixed and why: every stem that was used or left out, each setting with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pipeline.run_records import is_finished, run_records
from pipeline.tables import table_rows

NEUTRAL: dict[str, Any] = {"gain_db": 0.0, "pan_ratio": 0.0, "width_ratio": 1.0, "delay_frames": 0.0, "invert": False}
"""What a setting is where nothing was done."""
UNITS = {"gain_db": "dB", "pan_ratio": "(-1 left, 1 right)", "delay_frames": "frames"}


def explain_mix(subject: str, output: str) -> list[str]:
    """The words for a song (by mix_id or title), or for a stem (by its id, or mix_id/stem_id); empty where there is none."""
    found = []
    for row in _newest(output):
        if subject in (row["mix_id"], row["title"]):
            found.append(_of_mix(row))
            continue
        named = {one["stem_id"] for one in row["stems"]} & {subject, subject.removeprefix(f"{row['mix_id']}/")}
        found += [_of_stem(row, stem_id) for stem_id in sorted(named)]
    return found


def _newest(output: str) -> list[dict[str, Any]]:
    """The newest row of each song."""
    newest: dict[str, dict[str, Any]] = {}
    for record in run_records(output):
        if is_finished(record):
            for row in table_rows(output, "mixes", record["run_id"]):
                newest.setdefault(row["mix_id"], row)
    return list(newest.values())


def _of_mix(row: dict[str, Any]) -> str:
    settings = json.loads(row["settings"])
    lines = [
        f"{row['mix_id']}  {row['title'] or ''}  mixed from {len(row['stems'])} stems",
        f"  {row['outcome']}: {row['reason']}",
        f"  settings  {row['settings_uri']}" + ("  (edited by a person)" if row["edited"] else ""),
        f"  mix       {_level(row['figures']['integrated_lufs'])} LUFS, {_level(row['figures']['true_peak_dbtp'])} dBTP",
        "Stems                         in mix   fader    pan  masked before, after",
        *(_stem_line(one) for one in row["stems"]),
        "Decided for the whole" + (", before what was set by hand" if row["edited"] else ""),
        *_whole(settings),
    ]
    if row["findings"]:
        lines += ["Found", *(f"  {one['severity']} {one['code']}: {one['text']}" for one in row["findings"])]
    return "\n".join(lines)


def _stem_line(one: dict[str, Any]) -> str:
    if one["state"] != "used":
        return f"  {one['stem_id']:<24} {one['state']}{': ' + one['code'] if one['code'] else ''}"
    name = f"{one['stem_id']} ({one['role']})"
    masked = f"{_share(one['masked_before_ratio'])} {_share(one['masked_after_ratio'])}"
    return f"  {name:<26} {_level(one['mix_lufs']):>7} {one['gain_db']:>+7.1f} {one['pan_ratio']:>+6.2f}  {masked}"


def _whole(settings: dict[str, Any]) -> Iterator[str]:
    for part in [*settings["buses"], *settings["returns"]]:
        yield from (f"  {part['name']}, {name}: {_why(why)}" for name, why in part.get("why", {}).items())
    for group in settings["groups"]:
        yield f"  gain sharing {group['name']}: {_why(group['why'])}"
    yield from (f"  mix, {name}: {_why(why)}" for name, why in settings.get("why", {}).items())


def _of_stem(row: dict[str, Any], stem_id: str) -> str:
    strip = next(one for one in json.loads(row["settings"])["stems"] if one["stem_id"] == stem_id)
    result = next(one for one in row["stems"] if one["stem_id"] == stem_id)
    lines = [f"{row['mix_id']}/{stem_id}  {strip['role']}, {result['state']}", f"  {result['uri']}"]
    for name, why in strip.get("why", {}).items():
        value = strip[name] if name in strip and strip[name] != NEUTRAL.get(name) else ""
        told = f"{value:+.2f} {UNITS.get(name, '')}".rstrip() if isinstance(value, float) else str(value)
        lines.append(f"  {name}{' ' + told if told and name != 'role' else ''}: {_why(why)}")
    for insert in strip["inserts"]:
        lines.append(f"  {insert['type']}: {_why(insert['why'])}")
    lines += [f"  gives way to {one['key']}: {_why(one['why'])}" for one in strip["ducks"]]
    lines += [f"  send to {one['to']} {one['level_db']:+.1f} dB: {_why(one['why'])}" for one in strip["sends"]]
    return "\n".join(lines)


def _why(why: dict[str, Any]) -> str:
    evidence = ", ".join(f"{name} {_number(value)}" for name, value in why.get("evidence", {}).items())
    sure = f"; {100 * why['confidence']:.0f} % sure" if why.get("confidence", 1.0) < 1.0 else ""
    return f"{why['text']}{' (' + evidence + ')' if evidence else ''}{sure}"


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _level(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return "   -" if value is None else f"{100 * value:3.0f} %"
