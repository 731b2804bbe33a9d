"""Peers that make whole masters, each a program of its own; `folder` keeps their environments."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import soundfile
from environments import installed

TARGET_LUFS, CEILING_DBTP = -14, -1

_MATCH = """
import sys
import matchering
jobs = iter(sys.argv[1:])
for target, reference, result in zip(jobs, jobs, jobs):
    matchering.process(target, reference, [matchering.pcm24(result)])
"""


class Match(NamedTuple):
    """A track, the recording that it is to sound like, and where the master goes."""

    target: Path
    reference: Path
    result: Path


def matchering(folder: Path, matches: Sequence[Match]) -> None:
    """Masters in one process, at 44.1 kHz and 24 bits (it knows no other rate)."""
    named = [str(path) for match in matches for path in match]
    _run([str(installed(folder, "matchering") / "python"), "-c", _MATCH, *named])


def ffmpeg_normalize(folder: Path, sources: Sequence[Path], output: Path) -> None:
    """Two passes of ffmpeg's loudnorm to -14 LUFS and -1 dBTP; one call for all sources of a rate, which they keep."""
    for rate_hz in sorted({soundfile.info(path).samplerate for path in sources}):
        mine = [path for path in sources if soundfile.info(path).samplerate == rate_hz]
        results = [str(output / f"{path.parent.name}-{path.stem}.flac") for path in mine]
        options = ["-t", str(TARGET_LUFS), "-tp", str(CEILING_DBTP), "-c:a", "flac", "-ar", str(rate_hz)]
        options += ["--extra-output-options=-sample_fmt s32 -bits_per_raw_sample 24", "-f", "-q", "-o", *results]
        _run([str(installed(folder, "ffmpeg-normalize") / "ffmpeg-normalize"), *map(str, mine), *options])


def libsonare(folder: Path, source: Path, result: Path) -> None:
    """Its mastering assistant for streaming; it decides from the track alone, reads WAV only and writes WAV."""
    with tempfile.TemporaryDirectory(dir=result.parent) as scratch:
        decoded = Path(scratch) / "source.wav"
        audio, rate_hz = soundfile.read(source, dtype="int32", always_2d=True)
        soundfile.write(decoded, audio, rate_hz, subtype="PCM_24")
        program = installed(folder, "libsonare") / "sonare"
        _run([str(program), "mastering", "--assistant", "--bits", "24", "-o", str(result), str(decoded)])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{Path(command[0]).parts[-3]} ended with {done.returncode}:\n{done.stdout[-2000:]}")
