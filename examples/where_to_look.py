"""Says where to look in the output of `make demo`; prints what a newcomer wants to see first."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


def main() -> None:
    """Prints albums, rejected tracks, and the next commands to try."""
    output = Path(sys.argv[1])
    run_id = max(path.stem for path in (output / "runs").glob("*.json"))
    print("\nAlbums                     source      master      gain     verdict")
    for row in sorted(_rows(output, "albums", run_id), key=lambda row: str(row["album_id"])):
        print(
            f"  {row['album_id']:<22} {row['source_integrated_lufs']:6.1f} LUFS {row['master_integrated_lufs']:6.1f} LUFS"
            f"  {row['gain_db']:+5.1f} dB  {row['verdict']}"
        )
    print("\nRejected, as the demo means them to be")
    for row in sorted(_rows(output, "rejected", run_id), key=lambda row: int(row["row"])):
        print(f"  row {row['row']:>2}  {row['code']}: {row['text']}")
    print(f"\nListen: {output}/masters. Try next:")
    print(f"  .venv/bin/lathe explain 'Red Light' --output {output}")
    print(f"  .venv/bin/lathe measure {output}/masters/cd/*/*.wav")
    print("  .venv/bin/lathe run YOUR_MANIFEST.csv YOUR_OUTPUT")


def _rows(output: Path, table: str, run_id: str) -> list[dict[str, Any]]:
    folder = output / "qc" / table / f"run={run_id}"
    return [row for path in folder.glob("*.parquet") for row in pq.ParquetFile(path).read().to_pylist()]


if __name__ == "__main__":
    main()
