#!/usr/bin/env python3
"""Prints faults that music truly has, measured without Lathe: the lines that `detectors.py --known` takes.

usage: known_faults.py AUDIO... > known.txt
Only what plain arithmetic settles; what needs an ear stays out. Where the fault is such a figure by definition (an offset,
the level of the first samples), a false alarm is a disagreement about the figure.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr
from scipy.signal import butter, sosfilt

sys.path.insert(0, str(Path(__file__).parent))
from pieces import Piece, pieces_in

from dsp.audio import Audio

OVERSAMPLING = 8
TOP_RATIO, TOP_SAMPLES = 0.999, 3  # standards.md, section 3: clip runs
OFFSET_DBFS, EDGE_DBFS = -60.0, -40.0  # the limits of the profile `streaming`
CRUSHED_PER_S = 10.0
SAME_RATIO = 2.0**-15  # one step of 16 bits
SILENT_DBFS, SILENT_S = -60.0, 10.0  # a stretch is silent below the first, and long above the second: the same limits
BASS_HZ = 150.0
JUMP_S, EDGE_S, PART_S = 0.00015, 0.005, 0.1


class Sound(NamedTuple):
    """A piece, and what several judges ask of it."""

    audio: Audio
    rate_hz: int
    peaks: Audio
    """The largest value of each tenth of a second, between the samples too."""
    clipped_runs: int


def main() -> None:
    """Measures every piece and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", type=Path, nargs="+")
    for piece in pieces_in(parser.parse_args().audio, never_coded=False):
        for code, why in faults_of(piece):
            print(f"{piece.name} {code} {why}", flush=True)


def faults_of(piece: Piece) -> Iterator[tuple[str, str]]:
    """The code of each fault and its evidence."""
    audio = piece.whole()
    sound = Sound(audio, piece.rate_hz, _peaks(audio, piece.rate_hz), _clipped_runs(audio))
    for code, judge in JUDGES.items():
        if why := judge(sound):
            yield code, why


def _peaks(audio: Audio, rate_hz: int) -> Audio:
    """The largest value of each tenth of a second, read at so many times the rate."""
    hop = round(PART_S * rate_hz)
    stream = soxr.ResampleStream(rate_hz, OVERSAMPLING * rate_hz, audio.shape[1], dtype="float64", quality="HQ")
    starts = range(0, len(audio), hop)
    parts = (stream.resample_chunk(audio[at : at + hop], last=at + hop >= len(audio)) for at in starts)
    between = np.array([np.abs(part).max(initial=0.0) for part in parts])
    samples = [np.abs(audio[at : at + hop]).max() for at in starts]
    return np.asarray(np.maximum(between, samples))


def _clipped(sound: Sound, more_than: float = 0.0) -> str | None:
    runs = sound.clipped_runs
    return f"{runs} runs of {TOP_SAMPLES} or more samples at its own full scale" if runs > more_than else None


def _clipped_runs(audio: Audio) -> int:
    rails = ((line, rail) for line in audio.T for rail in (line.max(), line.min()))
    return sum(_runs_at(line, rail) for line, rail in rails if abs(rail) > TOP_RATIO)


def _runs_at(line: Audio, rail: float) -> int:
    at_rail = np.concatenate([[0], np.abs(line - rail) < SAME_RATIO, [0]]).astype(int)
    starts, ends = np.flatnonzero(np.diff(at_rail) == 1), np.flatnonzero(np.diff(at_rail) == -1)
    return int(np.sum(ends - starts >= TOP_SAMPLES))


def _over(sound: Sound) -> str | None:
    peak_dbtp = 20.0 * np.log10(max(float(sound.peaks.max()), 1e-9))
    return f"true peak {peak_dbtp:+.2f} dBTP (soxr, {OVERSAMPLING} times the rate)" if peak_dbtp > 0.0 else None


def _offset(sound: Sound) -> str | None:
    level_dbfs = 20.0 * np.log10(max(float(np.abs(sound.audio.mean(axis=0)).max()), 1e-9))
    return f"mean of a channel {level_dbfs:.1f} dBFS" if level_dbfs > OFFSET_DBFS else None


def _starts_high(sound: Sound) -> str | None:
    audio, rate_hz = sound.audio, sound.rate_hz
    level_dbfs = _edge_dbfs(audio[: max(1, round(JUMP_S * rate_hz))], audio)
    return f"{level_dbfs:.1f} dBFS within {1000.0 * JUMP_S:g} ms" if level_dbfs > EDGE_DBFS else None


def _ends_high(sound: Sound) -> str | None:
    audio, rate_hz = sound.audio, sound.rate_hz
    level_dbfs = _edge_dbfs(audio[-round(EDGE_S * rate_hz) :], audio)
    return f"last 5 ms at {level_dbfs:.1f} dBFS" if level_dbfs > EDGE_DBFS else None


def _edge_dbfs(edge: Audio, audio: Audio) -> float:
    """The highest sample; against the zero line or the audio's own, whichever is nearer."""
    above = np.minimum(np.abs(edge), np.abs(edge - audio.mean(axis=0)))
    return float(20.0 * np.log10(max(float(above.max()), 1e-9)))


def _silent_first(sound: Sound) -> str | None:
    audio, rate_hz = sound.audio, sound.rate_hz
    sounds = np.abs(audio).max(axis=1) > 10.0 ** (SILENT_DBFS / 20.0)
    silent_s = float(sounds.argmax()) / rate_hz
    return f"{silent_s:.1f} s below {SILENT_DBFS:g} dBFS" if silent_s > SILENT_S else None


def _silent_last(sound: Sound) -> str | None:
    return _silent_first(sound._replace(audio=sound.audio[::-1]))


def _bass_against_bass(sound: Sound) -> str | None:
    audio, rate_hz = sound.audio, sound.rate_hz
    if audio.shape[1] != 2 or not audio.any(axis=0).all():
        return None
    bass = sosfilt(butter(4, (20.0, BASS_HZ), "bandpass", fs=rate_hz, output="sos"), audio, axis=0)
    correlation = float(np.corrcoef(bass.T)[0, 1])
    return f"correlation of {correlation:.2f} between 20 and {BASS_HZ:g} Hz" if correlation < 0.0 else None


def _same_twice(sound: Sound) -> str | None:
    audio = sound.audio
    if audio.shape[1] != 2 or not audio.any():
        return None
    apart = float(np.abs(audio[:, 0] - audio[:, 1]).max())
    return (
        f"left and right differ by {apart / SAME_RATIO:.1f} steps of 16 bits at most" if apart <= SAME_RATIO else None
    )


def _crushed(sound: Sound) -> str | None:
    """Clipped ten times a second: whatever pressed it so hard, it was pressed."""
    return _clipped(sound, CRUSHED_PER_S * len(sound.audio) / sound.rate_hz)


JUDGES: dict[str, Callable[[Sound], str | None]] = {
    "SOURCE_CLIPPED": _clipped,
    "INTER_SAMPLE_OVERS": _over,
    "DC_OFFSET": _offset,
    "ABRUPT_START": _starts_high,
    "ABRUPT_END": _ends_high,
    "LONG_SILENCE_HEAD": _silent_first,
    "LONG_SILENCE_TAIL": _silent_last,
    "BASS_OUT_OF_PHASE": _bass_against_bass,
    "DUAL_MONO": _same_twice,
    "HEAVILY_LIMITED": _crushed,
}


if __name__ == "__main__":
    main()
