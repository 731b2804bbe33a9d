"""Stems of a song that nobody wrote: hits, lines and chords with voices over them, each unlike the others, any length."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from dsp.audio import Audio
from schemas.stems import Song, Stem
from schemas.track import Track

RATE_HZ = 48_000
LOOP_S = 8.0
LEVEL = 0.05
"""Root mean square of each: -26 dBFS."""
_KINDS: dict[str, tuple[float, float, float, float]] = {
    "kick": (55.0, 2.0, 0.08, 0.05),
    "snare": (190.0, 1.0, 0.06, 0.9),
    "hi hat": (8_000.0, 4.0, 0.02, 1.0),
    "tom": (110.0, 0.25, 0.2, 0.2),
    "bass": (82.0, 2.0, 0.4, 0.0),
    "guitar left": (196.0, 1.0, 0.8, 0.05),
    "guitar right": (247.0, 1.0, 0.8, 0.05),
    "piano": (330.0, 2.0, 0.5, 0.02),
    "organ": (262.0, 0.125, 8.0, 0.0),
    "synth": (523.0, 0.5, 1.5, 0.1),
    "strings": (392.0, 0.25, 4.0, 0.05),
    "trumpet": (466.0, 0.5, 0.6, 0.05),
    "shaker": (6_000.0, 8.0, 0.03, 1.0),
    "lead vocal": (294.0, 0.75, 0.9, 0.15),
    "backing vocal 1": (349.0, 0.375, 1.5, 0.15),
    "backing vocal 2": (440.0, 0.375, 1.5, 0.15),
}
"""Name -> pitch in Hz, notes a second, decay in s, share of noise."""
STEMS = tuple(_KINDS)


def track_of(name: str, paths: Sequence[Path]) -> Track:
    """A song of these files."""
    stems = tuple(Stem(row=row, uri=str(path.resolve()), stem_id=path.stem) for row, path in enumerate(paths, 2))
    return Track(
        row=2, uri="mix.wav", track_id=name, album_id=name, album_folder=name, file_stem=name, song=Song(stems=stems)
    )


def write_stems(folder: Path, *, seconds: float, count: int = len(STEMS)) -> list[Path]:
    """Writes stems as stereo WAVs of 24 bits; those beyond the sixteenth are the first again, under other names."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for place in range(count):
        kind, again = STEMS[place % len(STEMS)], place // len(STEMS)
        paths.append(folder / f"{kind}{f' {again}' if again else ''}.wav")
        if not paths[-1].exists():
            _write(paths[-1], loop(kind, seed=place), seconds)
    return paths


def loop(kind: str, *, seed: int) -> Audio:
    """Eight seconds of a stem."""
    hz, notes_per_s, decay_s, noise = _KINDS[kind]
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(LOOP_S * RATE_HZ)) / RATE_HZ
    note = np.floor(time_s * notes_per_s).astype(int)
    pitch = 2.0 ** (rng.integers(-5, 6, note[-1] + 1) / 12.0)[note]
    phase = 2.0 * np.pi * np.cumsum(hz * pitch) / RATE_HZ
    tone = sum(np.sin(k * phase) / k for k in (1, 2, 3, 4, 5) if k * hz < 20_000.0)
    fall = np.exp(-(time_s % (1.0 / notes_per_s)) / decay_s)
    sides = [((1.0 - noise) * tone + noise * rng.standard_normal(len(time_s))) * fall for _ in range(2)]
    sound = np.stack(sides, axis=1)
    return np.asarray(sound * (LEVEL / np.sqrt(np.square(sound).mean())))


def _write(path: Path, one: Audio, seconds: float) -> None:
    frames = round(seconds * RATE_HZ)
    with soundfile.SoundFile(path, "w", RATE_HZ, one.shape[1], "PCM_24") as file:
        while frames > 0:
            file.write(one[:frames])
            frames -= len(one[:frames])
