#!/usr/bin/env python3
"""Prints how often every detector is right: seeded faults found in clean music, and false alarms on the music itself.

usage: detectors.py AUDIO... [--lossless FOLDER] [--seconds 60] [--pieces 28] [--only CODE] [--known FILE] [--markdown FILE]
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from faults import FAULTS, Fault, Part, UnsuitableError, as_stored
from pieces import SPOILT_MAX_HZ, Piece, catalogue_pieces, chosen, pieces_in, without_doubles

from decisions.findings import source_findings
from decisions.measures import MEASURES
from decisions.profile_files import load_profile
from dsp.audio import Audio
from dsp.windows import Lines, Windows
from media.meters import measured
from schemas.figures import AudioFormat
from schemas.profile import Profile
from schemas.qc import Finding

PROFILE = "streaming"
BLOCK_FRAMES = 32_768
CODES = tuple(dict.fromkeys(fault.code for fault in FAULTS.values()))
AT_INFO = {fault.code for fault in FAULTS.values() if fault.at_info}
ONLY_NEVER_CODED = {fault.code for fault in FAULTS.values() if fault.never_coded}
NO_CATALOGUE = Path("none")
PARTS: tuple[Part, ...] = ("anywhere", "start", "end")
MAY_BE_CODED = "may have been coded with loss"
"""What the codes above say of such a piece may be true: it counts as known."""
LEAST_RECALL, MOST_ALARMS_PER_H = 0.95, 1.0


class Job(NamedTuple):
    """A piece to be measured: as it is and whole, or a part of it with each of some faults."""

    piece: Piece
    seconds: float
    part: Part | None = None
    """None: whole and clean."""
    faults: tuple[str, ...] = ()


class Tried(NamedTuple):
    """A fault that was put into a piece: how many places, and how many were found (1 for the whole piece)."""

    fault: str
    size: float
    held_out: bool
    name: str
    put: int
    found: int


class Alarm(NamedTuple):
    """A finding on clean music."""

    code: str
    name: str
    held_out: bool
    text: str
    known: str = ""
    """Why it is right: the music truly has the fault."""


class Result(NamedTuple):
    """What came of one job."""

    job: Job
    tried: tuple[Tried, ...] = ()
    alarms: tuple[Alarm, ...] = ()


class Score(NamedTuple):
    """How many were put in and found."""

    put: int
    found: int

    @property
    def recall(self) -> float:
        """NaN where nothing was put in."""
        return self.found / self.put if self.put else float("nan")

    def __str__(self) -> str:
        return f"{self.recall:.3f} ({self.found}/{self.put})" if self.put else "–"


class Alarms(NamedTuple):
    """False alarms of a code on so many hours of music."""

    alarms: int
    hours: float

    @property
    def per_h(self) -> float:
        """NaN where there was no music."""
        return self.alarms / self.hours if self.hours else float("nan")

    def __str__(self) -> str:
        return f"{self.per_h:.2f} ({self.alarms} in {self.hours:.2f} h)" if self.hours else "–"


class Results:
    """Everything that was measured."""

    def __init__(self, results: Iterable[Result], known: Sequence[Alarm]) -> None:
        kept = list(results)
        self.tried = [tried for result in kept for tried in result.tried]
        self.clean = [result.job.piece for result in kept if result.job.part is None]
        self.alarms = [_if_known(alarm, known) for result in kept for alarm in result.alarms]

    def score(self, fault: str, size: float, held_out: bool) -> Score:
        """Over all pieces of one half."""
        mine = [t for t in self.tried if (t.fault, t.size, t.held_out) == (fault, size, held_out)]
        return Score(sum(t.put for t in mine), sum(t.found for t in mine))

    def false_alarms(self, code: str, halves: Sequence[bool] = (False, True)) -> Alarms:
        """On the clean pieces of a half, or of both; known faults of the material do not count."""
        seconds = sum(p.seconds for p in self.clean if p.held_out in halves and _can_accuse(code, p))
        return Alarms(
            sum(a.held_out in halves for a in self.alarms if a.code == code and not a.known), seconds / 3600.0
        )

    def known_faults(self, code: str) -> int:
        """How many findings on clean pieces were known to be right."""
        return sum(a.code == code and bool(a.known) for a in self.alarms)


def main() -> None:
    """Measures and prints."""
    args = _arguments()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        never_coded = catalogue_pieces(args.catalogue or Path(folder)) if args.catalogue != NO_CATALOGUE else []
        never_coded += pieces_in(args.lossless, never_coded=True)
        pieces = without_doubles(never_coded + pieces_in(args.audio, never_coded=False))
        jobs = list(_jobs(pieces, args.pieces, args.seconds, args.only))
        results = Results(_run(jobs, args.jobs, started + 60.0 * args.minutes), _known(args.known))
    faults = {name: fault for name, fault in FAULTS.items() if args.only in (None, fault.code)}
    lines = [*_report(results, faults), "", f"{len(jobs)} jobs in {(time.monotonic() - started) / 60.0:.1f} minutes."]
    print("\n".join(lines))
    if args.markdown:
        args.markdown.write_text("\n".join(lines[:-2]) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", type=Path, nargs="*", help="FLAC and WAV files, or folders of them")
    parser.add_argument("--lossless", type=Path, action="append", default=[], help="the same, never coded with loss")
    parser.add_argument(
        "--catalogue",
        type=Path,
        help="where to keep the example catalogue's songs between runs; `none` for without them",
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="length of a spoilt excerpt (60)")
    parser.add_argument("--pieces", type=int, default=28, help="pieces to spoil, half of them held out (28)")
    parser.add_argument("--only", choices=CODES, help="one code alone")
    parser.add_argument("--known", type=Path, help="faults of the material: lines of NAME (* is allowed), CODE, reason")
    parser.add_argument("--markdown", type=Path, help="writes the report there too")
    parser.add_argument("--minutes", type=float, default=np.inf, help="stops then: what was not tried is not counted")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (all cores)")
    return parser.parse_args()


# Measuring.


def _jobs(pieces: Sequence[Piece], count: int, seconds: float, only: str | None) -> Iterator[Job]:
    """Every piece clean; then of some, in an order that only their names decide, an excerpt for each part that faults concern."""
    yield from sorted((Job(piece, seconds) for piece in pieces), key=lambda job: -job.piece.seconds)
    mine = {name: fault for name, fault in FAULTS.items() if only in (None, fault.code)}
    any_piece = chosen(pieces, count)
    never_coded = chosen([piece for piece in pieces if piece.never_coded], count)
    for piece in sorted(without_doubles(any_piece + never_coded), key=lambda p: zlib.crc32(f"{p.name} turn".encode())):
        for part in PARTS:
            among = {False: any_piece, True: never_coded}
            names = tuple(n for n, f in mine.items() if f.part == part and piece in among[f.never_coded])
            if names:
                yield Job(piece, seconds, part, names)


def _run(jobs: Sequence[Job], processes: int, until: float) -> Iterator[Result]:
    """The results of what is done by a time of the clock."""
    with ProcessPoolExecutor(processes) as pool:
        done = as_completed([pool.submit(_done, job) for job in jobs])
        for number, future in enumerate(done, start=1):
            print(f"\r{number} of {len(jobs)}", end="", file=sys.stderr, flush=True)
            yield future.result()
            if time.monotonic() > until:
                pool.shutdown(wait=False, cancel_futures=True)
                break
    print(file=sys.stderr)


def _done(job: Job) -> Result:
    if job.part is None:
        found = _findings(job.piece.whole(), job.piece.rate_hz, job.piece.bits)
        return Result(job, alarms=tuple(_alarm(f, job.piece) for f in found.values() if f.code in CODES))
    clean = job.piece.excerpt(job.seconds, job.part)
    already = _findings(clean, job.piece.rate_hz, job.piece.bits)
    return Result(job, tuple(t for name in job.faults for t in _tries(name, clean, job.piece, set(already))))


def _alarm(finding: Finding, piece: Piece) -> Alarm:
    known = "" if _can_accuse(finding.code, piece) else MAY_BE_CODED
    return Alarm(finding.code, piece.name, piece.held_out, finding.text, known)


def _tries(name: str, clean: Audio, piece: Piece, already: set[str]) -> Iterator[Tried]:
    """Each size of a fault, unless the piece cannot have it, or has it already and no place could tell the difference."""
    fault = FAULTS[name]
    if fault.code in already and fault.within_s is None:
        return
    for size in fault.sizes:
        rng = np.random.default_rng(zlib.crc32(f"{piece.name} {name} {size:g}".encode()))
        try:
            spoilt = fault.inject(clean, piece.rate_hz, size, rng)
        except UnsuitableError:
            continue
        found = _findings(as_stored(spoilt.audio), spoilt.rate_hz or piece.rate_hz, 24).get(fault.code)
        yield Tried(name, size, piece.held_out, piece.name, *_matched(fault, spoilt.at_s, found))


def _matched(fault: Fault, places_s: Sequence[float], found: Finding | None) -> Score:
    """How many places there are, and how many of them a finding names; without places the finding itself counts."""
    if fault.within_s is None:
        return Score(1, int(found is not None))
    named_s = found.at_s if found else ()
    return Score(len(places_s), sum(any(abs(at_s - s) <= fault.within_s for s in named_s) for at_s in places_s))


def _findings(audio: Audio, rate_hz: int, bits: int | None) -> dict[str, Finding]:
    """What is said of sound, by code."""
    shape = AudioFormat(
        container="flac",
        codec="PCM",
        rate_hz=rate_hz,
        channels=audio.shape[1],
        frames=len(audio),
        bits=bits,
        floating=bits is None,
    )
    found = source_findings(measured(_windows(audio), shape), _profile())
    return {f.code: f for f in found if f.severity != "info" or f.code not in _warned_of()}


def _windows(audio: Audio) -> Iterator[Lines]:
    windows = Windows(audio.shape[1])
    for start in range(0, len(audio), BLOCK_FRAMES):
        yield from windows.push(audio[start : start + BLOCK_FRAMES])
    yield from windows.finish()


@lru_cache(maxsize=1)
def _profile() -> Profile:
    return load_profile(PROFILE)


@lru_cache(maxsize=1)
def _warned_of() -> frozenset[str]:
    """Codes that the profile can warn of: at `info` they do not count. Codes that are never more than `info` do."""
    bounds = ((MEASURES[name], one) for name, limit in _profile().limits.items() for one in limit.bounds())
    codes = {m.above if one.side == "above" else m.below for m, one in bounds if one.level != "info"}
    return frozenset(codes - AT_INFO)


def _can_accuse(code: str, piece: Piece) -> bool:
    return piece.never_coded or code not in ONLY_NEVER_CODED


# Known faults of the material.

_KNOWN_LINE = re.compile(rf"(?P<name>.+?) (?P<code>{'|'.join(CODES)}) (?P<why>.+)")  # names may hold blanks


def _known(path: Path | None) -> list[Alarm]:
    lines = path.read_text(encoding="utf-8").splitlines() if path else []
    parts = [_KNOWN_LINE.fullmatch(line.strip()) for line in lines if line.strip() and not line.startswith("#")]
    if None in parts:
        raise SystemExit(f"{path}: each line must be NAME CODE reason; not so: {lines[parts.index(None)]!r}")
    return [Alarm(code=p["code"], name=p["name"], held_out=False, text="", known=p["why"]) for p in parts if p]


def _if_known(alarm: Alarm, known: Sequence[Alarm]) -> Alarm:
    why = next((k.known for k in known if k.code == alarm.code and fnmatch(alarm.name, k.name)), alarm.known)
    return alarm._replace(known=why)


# Reporting.


def _report(results: Results, faults: dict[str, Fault]) -> Iterator[str]:
    yield from _material(results)
    yield from _summary(results, faults)
    yield from _false_alarm_list(results)
    yield from _known_list(results)
    for name, fault in faults.items():
        yield from _fault_table(results, name, fault)


def _material(results: Results) -> Iterator[str]:
    tuning_h, held_out_h = (_hours(p for p in results.clean if p.held_out is half) for half in (False, True))
    never_coded_h = _hours(p for p in results.clean if p.never_coded)
    high_rate_h = _hours(p for p in results.clean if p.rate_hz > SPOILT_MAX_HZ)
    spoilt = Counter(held_out for _, held_out in {(t.name, t.held_out) for t in results.tried})
    yield from ("# How often the detectors are right", "")
    yield "Written by `python benchmarks/detectors.py`: seeded faults put into clean music, and the music itself."
    yield f"A finding counts as the profile `{PROFILE}` judges it. Nothing was tuned on the held-out half."
    yield ""
    yield f"Clean music: {len(results.clean)} pieces, {tuning_h:.2f} h for tuning and {held_out_h:.2f} h held out;"
    yield f"{never_coded_h:.2f} h of all were never coded with loss, {high_rate_h:.2f} h have a rate above 48 kHz."
    yield f"Spoilt were excerpts of {spoilt[False]} pieces for tuning and of {spoilt[True]} held out."


def _hours(pieces: Iterable[Piece]) -> float:
    return sum(piece.seconds for piece in pieces) / 3600.0


def _fault_table(results: Results, name: str, fault: Fault) -> Iterator[str]:
    tuning, held_out = (results.false_alarms(fault.code, [half]) for half in (False, True))
    yield from ("", f"## {name} ({fault.code})", "")
    names = {t.name for t in results.tried if t.fault == name}
    yield f"{' '.join((fault.inject.__doc__ or '').split())} Put into {len(names)} pieces."
    yield from ("", f"| {fault.unit} | recall, tuning | recall, held out |", "|---|---|---|")
    for size in fault.sizes:
        mark = " (stated)" if size == fault.stated else ""
        yield f"| {size:g}{mark} | {results.score(name, size, False)} | {results.score(name, size, True)} |"
    yield from ("", f"False alarms per hour of clean music: tuning {tuning}, held out {held_out}.")


def _false_alarm_list(results: Results) -> Iterator[str]:
    yield from ("", "## False alarms", "")
    for code, name, held_out, text, known in sorted(results.alarms):
        if not known:
            yield f"- {code} {name}{' (held out)' if held_out else ''}: {text}"


def _known_list(results: Results) -> Iterator[str]:
    yield from ("", "## Known faults of the material", "")
    yield "Found on clean music and right: measured without Lathe by `known_faults.py`, or the music was coded with loss."
    yield ""
    for code, count in sorted(Counter(alarm.code for alarm in results.alarms if alarm.known).items()):
        yield f"- {code}: {count} of {len(results.clean)} pieces"


def _summary(results: Results, faults: dict[str, Fault]) -> Iterator[str]:
    yield from ("", "## Summary", "")
    yield "| code | fault | stated size | recall, held out | false alarms/h, held out | all | known faults | meets the bar |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, fault in faults.items():
        score = results.score(name, fault.stated, True)
        held_out, both = results.false_alarms(fault.code, [True]), results.false_alarms(fault.code)
        meets = score.recall >= LEAST_RECALL and held_out.per_h <= MOST_ALARMS_PER_H
        cells = (
            fault.code,
            name,
            f"{fault.stated:g} {fault.unit}",
            score,
            held_out,
            both,
            results.known_faults(fault.code),
            "yes" if meets else "no",
        )
        yield f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
