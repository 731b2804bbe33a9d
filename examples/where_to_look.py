"""Says where to look in the output of `make demo`; prints what a newcomer wants to see first."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


def main() -> None:
    """Prints albums, rejected tracks, and the next commands to try."""
    output = Path(sys.argv[1])
    run_id = max(path.stem for path in (output / "runs").glob("*.json") if _finished(path))
    print("\nAlbums                     source      master      gain     verdict")
    for row in sorted(_rows(output, "albums", run_id), key=lambda row: str(row["album_id"])):
        before, after = _level(row["source_integrated_lufs"]), _level(row["master_integrated_lufs"])
        gain = f"{row['gain_db']:+5.1f} dB" if row["gain_db"] is not None else "by track"
        print(f"  {row['album_id']:<22} {before} LUFS {after} LUFS  {gain}  {row['verdict']}")
    print("\nStyles and references")
    for row in _firsts(_rows(output, "tracks", run_id)):
        plan = json.loads(row["plan"])
        tone = next(decision for decision in plan["decisions"] if decision["what"] == "tone")
        print(f"  {row['album_id']:<16} {plan['style']:<12} {row['title']}: {tone['how_much']}, {tone['why']}")
    for row in _rows(output, "mixes", run_id):
        print("\n" + "\n".join([*mix_lines(row), *mix_hints(row, output)]))
    print("\nRejected, as the demo means them to be")
    for row in sorted(_rows(output, "rejected", run_id), key=lambda row: int(row["row"])):
        print(f"  row {row['row']:>2}  {row['code']}: {row['text']}")
    print(f"\nOpen the report: {(output / 'report' / 'index.html').resolve()}")
    print(f"With audio and sign-off: .venv/bin/lathe review {output}. Try next:")
    print(f"  .venv/bin/lathe explain 'Red Light' --output {output}")
    print(f"  .venv/bin/lathe measure {output}/masters/cd/*/*.wav")
    print("  .venv/bin/lathe run YOUR_MANIFEST.csv YOUR_OUTPUT --style warm")


def mix_lines(row: dict[str, Any]) -> list[str]:
    """What became of the stems of a song: level as delivered and in the mix, fader, place; or why one is not heard."""
    versions = [file["name"] for file in row["files"] if file["kind"] == "version"]
    beside = f", with {' and '.join(versions)}" if versions else ""
    told = [finding["text"] for finding in row["findings"]]
    lines = [f"Mixed from {len(row['stems'])} stems: {row['title']}{beside}"]
    lines.append("  stem            role               delivered   in the mix     fader  place")
    for stem in row["stems"]:
        head = f"  {stem['stem_id']:<15} {stem['role']:<16}"
        if stem["state"] == "used":
            levels = f"{_level(stem['source_lufs'])} LUFS  {_level(stem['mix_lufs'])} LUFS"
            lines.append(f"{head} {levels}  {stem['gain_db']:+5.1f} dB  {_place(stem['pan_ratio'])}")
        else:
            of_it = (text.partition(": ")[2] for text in told if text.startswith(f"{stem['stem_id']}: "))
            why = next(of_it, stem["state"])
            lines.append(f"{head} {stem['code'] or 'not used'}: {why}")
    return lines


def mix_hints(row: dict[str, Any], output: Path) -> list[str]:
    """Where the settings of a mix are, and how one that was edited becomes a mix and its masters."""
    manifest, edited = output.parent / "catalogue" / "manifest.csv", output.parent / f"{row['mix_id']}.json"
    versions = ",".join(file["name"] for file in row["files"] if file["kind"] == "version")
    beside = f" --versions {versions}" if versions else ""
    return [
        f"  Every setting with its reason: {row['settings_uri']}",
        "  Copy it, move a fader in the copy (gain_db of a stem), then mix and master that song again:",
        f"  cp '{row['settings_uri']}' {edited}",
        f"  .venv/bin/lathe mix {manifest} {output}{beside} --settings {edited}",
    ]


def _place(pan_ratio: float) -> str:
    if abs(pan_ratio) < 0.005:
        return "centre"
    return f"{abs(pan_ratio):.0%} {'left' if pan_ratio < 0 else 'right'}"


def _level(lufs: float | None) -> str:
    return f"{lufs:6.1f}" if lufs is not None else "     -"


def _finished(path: Path) -> bool:
    return bool(json.loads(path.read_text())["state"] == "finished")


def _firsts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first track of each album."""
    ordered = sorted(rows, key=lambda row: (str(row["album_id"]), row["sequence"]))
    return [next(row for row in ordered if row["album_id"] == album) for album in sorted({r["album_id"] for r in rows})]


def _rows(output: Path, table: str, run_id: str) -> list[dict[str, Any]]:
    folder = output / "qc" / table / f"run={run_id}"
    return [row for path in folder.glob("*.parquet") for row in pq.ParquetFile(path).read().to_pylist()]


if __name__ == "__main__":
    main()
