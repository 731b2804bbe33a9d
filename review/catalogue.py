"""The catalogue as the report's page holds it: one list for each thing that is known of every track, in one order.

Tracks with masters come first, a hundred to a chunk of details, rejected ones last. Only what the table, the groups of findings
and the distributions need is here; what a track's own view shows beside it lies in the chunks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from review.columns import rounded
from schemas.signoff import masters_key

VERDICTS = ("rejected", "listen", "ready")
SEVERITIES = ("fail", "warn", "info")
WORST = 5
"""Tracks of a finding whose words stand in the overview."""
PLAIN = ("track_id", "title", "artist", "disc", "sequence", "isrc", "rate_hz", "channels", "source_bits")
NAMED = ("album_id", "genre", "profile", "outcome", "run_id")
"""Columns with few values: each value is kept once, and its number for each track."""
FIGURES = {
    "lufs": "integrated_lufs",
    "lra": "loudness_range_lu",
    "plr": "plr_lu",
    "slope": "slope_db_per_octave",
    "width": "width_ratio",
}
"""Of source and first master, by the short names of the page."""
OWN = ("gain_db", "limiter_max_reduction_db", "limiter_mean_reduction_db", "duration_s")
SILENCES = ("head_silence_s", "tail_silence_s")
"""Measures of the source that tell the gap between two tracks."""
ALWAYS = ("track_id", "title", "verdict", "codes", "album_id", "key")
"""Columns that the page has even where there is no track, or no master."""
DECIMALS = 2


class _Joins(Struct):
    """All that is read here of a plan: whether the track runs into the next."""

    after: list[msgspec.Raw] = []


class Catalogue:
    """Fills up row by row, in the order in which rows come."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = defaultdict(list)
        self.names: dict[str, dict[str, int]] = {name: {} for name in NAMED}
        self.codes: dict[str, int] = {}
        self.worst: dict[str, list[tuple[int, float, int, str]]] = defaultdict(list)
        """By code: how severe, how far inside the limit (so the least is the worst), which track, in which words."""
        self.said: dict[int, dict[str, Any]] = {}
        """Of rejected tracks: in which step, why, and what to do."""
        self._joins = msgspec.json.Decoder(_Joins)

    def __len__(self) -> int:
        return len(self.columns["track_id"])

    def add_masters(self, batch: pa.RecordBatch) -> None:
        """Rows of `qc/tracks`."""
        first = len(self)
        for name in PLAIN:
            self.columns[name] += batch.column(name).to_pylist()
        for name in NAMED:
            self.columns[name] += self._numbers(name, batch.column(name).to_pylist())
        self.columns["verdict"] += [VERDICTS.index(one) for one in batch.column("verdict").to_pylist()]
        for name in OWN:
            self.columns[name] += rounded(batch.column(name), DECIMALS)
        self._add_figures(batch)
        self._add_findings(batch.column("findings"), first)
        for name in SILENCES:
            self.columns[name] += _checked(batch.column("checks"), name)
        self.columns["joins"] += [
            int(bool(self._joins.decode(plan).after)) for plan in batch.column("plan").to_pylist()
        ]

    def add_rejected(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Rows of `qc/rejected`: everything that only a master has stays empty."""
        for row in rows:
            track = len(self)
            self.columns["track_id"].append(row["track_id"])
            self.columns["title"].append(_name_of(row))
            self.columns["verdict"].append(0)
            self.columns["codes"].append([self._code(row["code"])])
            for name in ("album_id", "run_id"):
                self.columns[name] += self._numbers(name, [row[name]])
            self.said[track] = {name: row[name] for name in ("row", "stage", "text", "hint", "source_uri")}
            self._note_worst(row["code"], "fail", 0.0, track, row["text"])
            for column in self.columns.values():
                column += [None] * (len(self) - len(column))

    def add_before(self, batch: pa.RecordBatch, places: Mapping[str, int]) -> None:
        """Rows of `qc/tracks` of an earlier run, which the tracks are compared with."""
        was = {
            name: self.columns[f"was_{name}"]
            for name in ("verdict", "lufs", "peak", "gain_db", "codes", "key", "run_id")
        }
        for column in was.values():
            column += [None] * (len(self) - len(column))
        masters = _Masters(batch.column("masters"))
        lufs, peaks, keys = masters.first("integrated_lufs"), masters.highest_peak(), masters.keys()
        gains, codes = rounded(batch.column("gain_db"), DECIMALS), self._codes(batch.column("findings"))
        runs = self._numbers("run_id", batch.column("run_id").to_pylist())
        for i, (name, verdict) in enumerate(
            zip(*(batch.column(c).to_pylist() for c in ("track_id", "verdict")), strict=True)
        ):
            told = (VERDICTS.index(verdict), lufs[i], peaks[i], gains[i], codes[i], keys[i], runs[i])
            for column, value in zip(was.values(), told, strict=True):
                column[places[name]] = value

    def told(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        columns = {name: [None] * len(self) for name in ALWAYS} | self.columns
        return {
            "columns": {name: values if name in ALWAYS else _dense(values) for name, values in columns.items()},
            "names": {name: list(numbers) for name, numbers in self.names.items()},
            "codes": list(self.codes),
            "worst": {code: [one[2:] for one in sorted(tracks)[:WORST]] for code, tracks in self.worst.items()},
            "said": self.said,
        }

    def _add_figures(self, batch: pa.RecordBatch) -> None:
        masters, source = _Masters(batch.column("masters")), batch.column("source")
        for short, name in FIGURES.items():
            self.columns[f"{short}_before"] += rounded(source.field(name), DECIMALS)
            self.columns[short] += masters.first(name)
        self.columns["peak_before"] += rounded(source.field("true_peak_dbtp"), DECIMALS)
        self.columns["peak"] += masters.highest_peak()
        self.columns["ceiling"] += masters.first("ceiling_dbtp")
        self.columns["target"] += masters.first("target_lufs")
        self.columns["key"] += masters.keys()

    def _add_findings(self, findings: pa.ListArray, first: int) -> None:
        self.columns["codes"] += self._codes(findings)
        flat = findings.flatten()
        owners = np.repeat(np.arange(len(findings)), findings.value_lengths().to_numpy(zero_copy_only=False))
        beyond = pc.fill_null(pc.abs(pc.subtract(flat.field("measured"), flat.field("limit"))), 0.0).to_pylist()
        fields = [flat.field(name).to_pylist() for name in ("code", "severity", "text")]
        for owner, far, code, severity, text in zip(owners.tolist(), beyond, *fields, strict=True):
            self._note_worst(code, severity, -far, first + owner, text)

    def _note_worst(self, code: str, severity: str, inside: float, track: int, text: str) -> None:
        noted = self.worst[code]
        noted.append((SEVERITIES.index(severity), inside, track, text))
        if len(noted) > 2 * WORST:
            noted[:] = sorted(noted)[:WORST]

    def _codes(self, findings: pa.ListArray) -> list[list[int]]:
        """The codes of each track, each once."""
        found = iter([self._code(code) for code in findings.flatten().field("code").to_pylist()])
        lengths = findings.value_lengths().to_pylist()
        return [sorted({next(found) for _ in range(length)}) for length in lengths]

    def _code(self, code: str) -> int:
        return self.codes.setdefault(code, len(self.codes))

    def _numbers(self, name: str, values: Sequence[str | None]) -> list[int | None]:
        known = self.names[name]
        return [None if value is None else known.setdefault(value, len(known)) for value in values]


def _name_of(row: Mapping[str, Any]) -> str:
    """What a rejected track is called: as its file, or as its song, which has none."""
    place = PurePosixPath(row["source_uri"])
    return str(row["track_id"]) if place.parts[-3:-2] == ("mixes",) and place.name == "mix.wav" else place.stem


class _Masters:
    """The masters of a batch of tracks: what the first says, or all of them together. Each track has at least one."""

    def __init__(self, array: pa.ListArray) -> None:
        self._flat = array.flatten()
        self._lengths = array.value_lengths().to_numpy(zero_copy_only=False)
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)[:-1]]).astype(int)

    def first(self, name: str) -> list[float]:
        return rounded(self._flat.field(name).take(pa.array(self._starts)), DECIMALS)

    def highest_peak(self) -> list[float]:
        peaks = self._flat.field("true_peak_dbtp").to_numpy(zero_copy_only=False).astype(float)
        return np.round(np.fmax.reduceat(peaks, self._starts), DECIMALS).tolist() if len(peaks) else []

    def keys(self) -> list[str]:
        names, digests = (self._flat.field(name).to_pylist() for name in ("delivery", "sha256"))
        pairs = list(zip(names, digests, strict=True))
        return [masters_key(dict(pairs[s : s + n])) for s, n in zip(self._starts.tolist(), self._lengths, strict=True)]


def _checked(checks: pa.ListArray, measure: str) -> list[float | None]:
    """The value of a measure of each source; None where it was not held against a limit."""
    flat = checks.flatten()
    owners = np.repeat(np.arange(len(checks)), checks.value_lengths().to_numpy(zero_copy_only=False))
    wanted = pc.and_(pc.equal(flat.field("measure"), measure), pc.equal(flat.field("subject"), "source"))
    found: list[float | None] = [None] * len(checks)
    places = owners[wanted.to_numpy(zero_copy_only=False)].tolist()
    for owner, value in zip(places, rounded(flat.field("value").filter(wanted), DECIMALS), strict=True):
        found[owner] = value
    return found


def _dense(values: Sequence[Any]) -> list[Any] | None:
    """A column, or None where it says nothing of any track."""
    return list(values) if any(value is not None for value in values) else None


def batches(rows: pa.Table | pa.RecordBatch, size: int) -> Iterator[pa.RecordBatch]:
    """Pieces of at most `size` rows."""
    for start in range(0, rows.num_rows, size):
        yield rows.slice(start, size)
