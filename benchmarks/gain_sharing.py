"""Gain sharing and the removal of bleed, measured: figures 17 and 18 of mixing, and the pace with 64 microphones.

    python benchmarks/gain_sharing.py [FOLDER OF STEMS ...]

Without folders, figure 18 is measured on voices and music that are synthesised here.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from dsp.audio import Audio, Floats, to_gain
from dsp.mixing.ambience import Survey, floors_dbfs
from dsp.mixing.debleed import FRAME, HOP, OVERLAP, WINDOW, LeakMeter, band_of_bins, masks
from dsp.mixing.gain_sharing import GainSharing
from dsp.settings import DebleedSettings, GainSharingSettings, SharingChannel

RATE_HZ = 48_000
SETTLED = RATE_HZ // 2
AUTO = SharingChannel()
COMB = ((3.0, 15.3, 9.6), (6.0, 9.6, 4.5), (9.5, 6.0, 1.9), (12.0, 4.5, 1.1), (15.0, 3.1, 0.5), (20.0, 1.7, 0.2))
"""Bleed, ripple of the plain sum, ripple with gain sharing, in dB: 20 log10((1 + r) / (1 - r)), r and r^2."""
BLEED_DB = -12.0
EXCERPT_S = 20.0
MOST_STEMS = 6


class Row(NamedTuple):
    """A line of the table."""

    what: str
    expected: str
    measured: str
    holds: bool


def main(folders: Sequence[str]) -> None:
    """Prints all rows; ends with 1 if one does not hold."""
    rows = [*bench_test(), *equal_noises(), *others(), *ambience(), *limits(), *music_rows(), *comb_rows(), *pace()]
    rows += debleed_rows(folders)
    for row in rows:
        print(f"{'ok  ' if row.holds else 'FAIL'} {row.what:<58} {row.expected:<30} {row.measured}", flush=True)
    sys.exit(int(not all(row.holds for row in rows)))


def gains_of(controls: Audio, settings: GainSharingSettings) -> Audio:
    """The gains of a whole recording."""
    stage = GainSharing(settings, RATE_HZ)
    return np.concatenate([stage.push(controls), stage.finish()])


def sharing(count: int, **settings: Any) -> GainSharingSettings:
    """Settings of so many automatic microphones."""
    return GainSharingSettings(channels=(AUTO,) * count, **settings)


def level_db(signal: Floats) -> Floats:
    """10 log10 of the mean square of each column."""
    return np.asarray(10.0 * np.log10(np.square(signal).mean(axis=0)))


def noises(count: int, seconds: float = 6.0) -> Audio:
    """Equal, independent noises at -20 dBFS."""
    return np.random.default_rng(count).standard_normal((round(seconds * RATE_HZ), count)) * 0.1


def bench_test() -> Iterator[Row]:
    """Dugan's own: 1000 and 1002 Hz."""
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    tones = 0.1 * np.sin(2.0 * np.pi * np.array([1000.0, 1002.0]) * time_s[:, None])
    for name, floor, top in (("original", False, 0.0), ("with floor", True, -3.0)):
        gains_db = 20.0 * np.log10(gains_of(tones, sharing(2, floor=floor))[SETTLED:])
        low, high = gains_db.min(), gains_db.max()
        holds = abs(high - top) < 0.05 and -6.05 < low < -5.9
        yield Row(f"1000 + 1002 Hz, {name}: gains", f"{top:.2f} to -6.0 dB", f"{high:.2f} to {low:.2f} dB", holds)
    out = (gains_of(tones, sharing(2)) * tones).sum(axis=1)[SETTLED:]
    above = float(level_db(out[: len(out) // 480 * 480].reshape(-1, 480).T).max() - level_db(tones[:, 0]))
    yield Row("  loudest 10 ms against one alone", "<= +0.2 dB", f"{above:+.2f} dB", above <= 0.2)


def equal_noises() -> Iterator[Row]:
    """N microphones that hear noises of one level."""
    for count in (2, 4, 8, 16, 32):
        controls = noises(count)
        gains = gains_of(controls, sharing(count))[SETTLED:]
        off = 10.0 * np.log10(np.square(gains).mean()) + 10.0 * np.log10(count)
        power = np.square(gains).sum(axis=1).mean()
        out = level_db((gains * controls[SETTLED:]).sum(axis=1)) - level_db(controls).mean()
        measured = f"{off - 10.0 * np.log10(count):.2f} dB, sum g^2 {power:.3f}, output {out:+.2f} dB"
        expected = f"{-10.0 * np.log10(count):.2f} +0/-0.15; .98-1; +-.15"
        holds = -0.15 <= off <= 0.0 and 0.98 <= power <= 1.0 and abs(out) <= 0.15
        yield Row(f"{count} equal noises", expected, measured, holds)


def others() -> Iterator[Row]:
    """The same sound everywhere; 3 dB more on one; weight; groups; silence."""
    for count in (2, 8):
        gains = gains_of(np.repeat(noises(1), count, axis=1), sharing(count))[SETTLED:]
        found = float(20.0 * np.log10(gains).mean())
        wanted = -20.0 * np.log10(count)
        yield Row(f"{count} identical", f"{wanted:.2f} +-0.05 dB", f"{found:.2f} dB", abs(found - wanted) <= 0.05)
    louder = noises(2) * np.array([to_gain(3.0), 1.0])
    out_db = level_db((gains_of(louder, sharing(2)) * louder)[SETTLED:])
    apart = float(out_db[0] - out_db[1])
    yield Row("3 dB more on one of two", "6.0 +-0.1 dB apart", f"{apart:.2f} dB", abs(apart - 6.0) <= 0.1)
    plain, double = noises(3), noises(3) * np.array([2.0, 1.0, 1.0])
    weighted = GainSharingSettings(channels=(SharingChannel(weight_db=20.0 * np.log10(2.0)), AUTO, AUTO))
    off = float(np.abs(gains_of(double, sharing(3)) - gains_of(plain, weighted)).max())
    yield Row("weight of 2 against +6.02 dB in the control path", "equal", f"{off:.1e} apart", off < 1e-12)
    silent = gains_of(np.zeros((RATE_HZ, 4)), sharing(4, last_hold=True))
    yield Row("silence", "finite gains", f"{silent[-1].round(3).tolist()}", bool(np.isfinite(silent).all()))


def ambience() -> Iterator[Row]:
    """Noise floors under a talker who moves between four microphones."""
    for name, floors_db in (("equal", (-60.0,) * 4), ("unequal, trimmed", (-60.0, -58.0, -56.0, -62.0))):
        voices, who = _panel(4)
        room = noises(4, len(voices) / RATE_HZ) * 10.0 * 10.0 ** (np.array(floors_db) / 20.0)
        settings = sharing(4)
        if "trimmed" in name:
            survey = Survey(settings, RATE_HZ, 4)
            survey.push(voices + room)
            known = floors_dbfs(survey.powers())
            settings = GainSharingSettings(channels=tuple(SharingChannel(floor_dbfs=floor) for floor in known))
        out = (gains_of(voices + room, settings) * room).sum(axis=1)
        heard = np.array([level_db(out[SETTLED:][who[SETTLED:] == k]) for k in (-1, 0, 1, 2, 3)])
        spread, plain = float(np.ptp(heard)) / 2.0, float(level_db(room.sum(axis=1)) - level_db(room).max())
        measured = f"+-{spread:.2f} dB (plain sum: +{plain:.1f} dB)"
        yield Row(f"ambience, {name} floors: in gaps and under speech", "constant +-0.5 dB", measured, spread <= 0.5)


def limits() -> Iterator[Row]:
    """The limit of open microphones."""
    for count, limit, wanted in ((8, 1, -9.03), (4, 4, 0.0), (5, 4, -0.97)):
        settings = GainSharingSettings(channels=(SharingChannel(mode="manual"),) * count, open_limit=limit)
        found = float(20.0 * np.log10(gains_of(noises(count, 1.0), settings)[-1, 0]))
        yield Row(f"NOM {limit}, {count} open", f"{wanted:.2f} dB", f"{found:.2f} dB", abs(found - wanted) < 0.01)


def music_rows() -> Iterator[Row]:
    """Singers whose microphones hear the others 20 dB down."""
    crossed = np.full((4, 4), to_gain(-20.0)) + (1.0 - to_gain(-20.0)) * np.eye(4)
    for singers in (1, 2):
        heard = (noises(4) * (np.arange(4) < singers)) @ crossed + noises(4) * 1e-4
        gains_db = 20.0 * np.log10(gains_of(heard, sharing(4, kind="music"))[SETTLED:]).mean(axis=0)
        own, idle = gains_db[:singers], gains_db[singers:]
        holds = bool((np.abs(own) <= 0.2).all() and (np.abs(idle + 15.0) <= 0.5).all())
        measured = f"{own.round(2).tolist()}, idle {idle.mean():.2f} dB"
        yield Row(f"music: {singers} singing, {4 - singers} not", "0 +-0.2; -15 +-0.5 dB", measured, holds)


def comb_rows() -> Iterator[Row]:
    """One source in two microphones, 1 ms apart."""
    source, delay = noises(1, 8.0)[:, 0], RATE_HZ // 1000
    for bleed_db, plain, shared in COMB:
        later = np.concatenate([np.zeros(delay), source])[: len(source)] * to_gain(-bleed_db)
        both = np.stack([source, later], axis=1)
        found = [
            _ripple_db(source, out, delay)
            for out in (both.sum(axis=1), (both * gains_of(both, sharing(2))).sum(axis=1))
        ]
        holds = abs(found[0] - plain) <= 0.3 and abs(found[1] - shared) <= 0.3
        measured = f"{found[0]:.1f} -> {found[1]:.1f} dB p-p"
        yield Row(f"comb, {bleed_db:g} dB down", f"{plain} -> {shared} dB p-p +-0.3", measured, holds)


def pace() -> Iterator[Row]:
    """64 microphones on one core, all options at work."""
    block = noises(64, 0.35)[:16_384]
    for kind in ("speech", "music"):
        channels = (SharingChannel(floor_dbfs=-60.0),) * 64
        stage = GainSharing(GainSharingSettings(kind=kind, channels=channels, last_hold=True, open_limit=4), RATE_HZ)
        stage.push(block)
        start = time.process_time()
        for _ in range(20):
            stage.push(block)
        times = 20 * len(block) / RATE_HZ / (time.process_time() - start)
        yield Row(f"pace, 64 microphones, {kind}", ">= 20 x realtime a core", f"{times:.0f} x", times >= 20.0)


def debleed_rows(folders: Sequence[str]) -> Iterator[Row]:
    """Figure 18: stems of a song in each other's microphones, 12 dB down, 2 to 12 ms later; leaks found from the sound."""
    for name, own, rate_hz in map(_stems, folders) if folders else [_synthetic()]:
        yield _debleed_row(name, own, rate_hz)


def _debleed_row(name: str, own: Audio, rate_hz: int) -> Row:
    bleed = _bleed(own, rate_hz)
    meter = LeakMeter(rate_hz, own.shape[1])
    meter.push(own + bleed)
    settings = DebleedSettings(leaks_db=meter.leaks_db())
    kept, left = _apart(own + bleed, (own + bleed, bleed), settings, rate_hz)
    less = level_db(bleed) - level_db(left)
    before, after = level_db(own) - level_db(bleed), level_db(own) - level_db(kept - own)
    cut = f"bleed -{less.mean():.1f} (worst -{less.min():.1f})"
    measured = f"{cut}, SDR {before.mean():.1f} -> {after.mean():.1f} (worst {after.min():.1f}) dB"
    return Row(
        f"de-bleed, {own.shape[1]} of {name}"[:58], "bleed -10, SDR >= 12 dB", measured,
        bool(less.mean() >= 10.0 and after.min() >= 12.0),
    )  # fmt: skip


def _apart(heard: Audio, parts: Sequence[Audio], settings: DebleedSettings, rate_hz: int) -> list[Audio]:
    """What the masks of `heard` leave of each part of it."""
    leaks = (10.0 ** (np.array(settings.leaks_db) / 10.0))[:, :, band_of_bins(rate_hz)]
    edge = np.zeros((FRAME, heard.shape[1]))
    padded = [np.concatenate([edge, part, edge]) for part in (heard, *parts)]
    outs = [np.zeros_like(padded[0]) for _ in parts]
    for at in range(0, len(padded[0]) - FRAME + 1, HOP):
        spectra = [np.fft.rfft(part[at : at + FRAME].T * WINDOW) for part in padded]
        mask = masks(np.square(np.abs(spectra[0])), leaks, settings)
        for out, spectrum in zip(outs, spectra[1:], strict=True):
            out[at : at + FRAME] += (np.fft.irfft(spectrum * mask, FRAME) * WINDOW).T / OVERLAP
    return [out[FRAME:-FRAME] for out in outs]


def _bleed(own: Audio, rate_hz: int) -> Audio:
    draw, out = np.random.default_rng(5), np.zeros_like(own)
    for i in range(own.shape[1]):
        for j in (j for j in range(own.shape[1]) if j != i):
            delay = int(draw.uniform(0.002, 0.012) * rate_hz)
            out[delay:, i] += to_gain(BLEED_DB) * own[:-delay, j]
    return out


def _stems(folder: str) -> tuple[str, Audio, int]:
    """Up to six stems of a song that sound in its excerpt, at equal levels."""
    lines, rate_hz = [], 0
    for path in sorted(Path(folder).glob("*.wav")):
        rate_hz = soundfile.info(path).samplerate
        start = round(EXCERPT_S * rate_hz)
        sound, _ = soundfile.read(path, start=start, frames=start, always_2d=True)
        line = sound.mean(axis=1)
        if len(line) == start and np.square(line).mean() > 1e-6:
            lines.append(line * 0.1 / np.sqrt(np.square(line).mean()))
    return Path(folder).name, np.stack(lines[:MOST_STEMS], axis=1), rate_hz


def _synthetic() -> tuple[str, Audio, int]:
    from tests.dsp.speech import talk  # needs what tests need
    from tests.makers import music

    voices = [talk(10.0, seed=seed) for seed in range(3)]
    band = music(level_dbfs=-20.0, seconds=10.0, rate_hz=RATE_HZ, channels=1)[:, 0]
    return "voices and a band", np.stack([*voices, band], axis=1), RATE_HZ


def _panel(count: int) -> tuple[Audio, Floats]:
    """Voices in turn, with pauses, and who speaks in each frame (-1: nobody)."""
    from tests.dsp.speech import talk

    turn = 3 * RATE_HZ
    voices, who = np.zeros((2 * count * turn, count)), np.full(2 * count * turn, -1.0)
    for k in range(2 * count):
        frames = slice(k * turn, k * turn + 2 * RATE_HZ)
        voices[frames, k % count] = talk(2.0, seed=k)
        who[frames] = np.where(np.abs(voices[frames, k % count]) > 1e-3, k % count, -2)
        who[k * turn + 2 * RATE_HZ : k * turn + 2 * RATE_HZ + SETTLED] = -2  # levels still fall
    return voices, who


def _ripple_db(source: Floats, out: Floats, delay: int) -> float:
    """Peak to peak, between the mean gains at the teeth and in the gaps of the comb up to 6 kHz."""
    segment = 32_768
    window = np.hanning(segment)
    starts = range(SETTLED, len(source) - segment, segment // 2)
    before, after = (
        np.array([np.fft.rfft(line[at : at + segment] * window) for at in starts]) for line in (source, out)
    )
    gain = np.abs((after * before.conj()).mean(axis=0)) / np.square(np.abs(before)).mean(axis=0)
    freqs_hz = np.fft.rfftfreq(segment, 1.0 / RATE_HZ)
    step_hz = RATE_HZ / delay / 2.0
    means = [gain[np.abs(freqs_hz - k * step_hz) <= 12.0].mean() for k in range(1, int(6000.0 / step_hz) + 1)]
    return float(20.0 * np.log10(np.mean(means[1::2]) / np.mean(means[0::2])))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main(sys.argv[1:])
