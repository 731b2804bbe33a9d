"""Instruments and effects of the example catalogue: a pitch goes in, samples come out.

Everything is numpy, vectorised over a whole note, and takes its chance from a given generator: same seed, same
samples. It is made to be listened to and to be quick; it is no part of Lathe's own signal path.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]
"""One channel: (frames,)."""
Audio = NDArray[np.float64]
"""Two channels: (frames, 2)."""

TABLE_POINTS = 2048
STRING_POINTS = 256


@dataclass(frozen=True)
class Bus:
    """A stereo sum that sounds are added to."""

    audio: Audio
    rate_hz: int

    @classmethod
    def silent(cls, duration_s: float, rate_hz: int) -> Bus:
        """An empty bus of that length."""
        return cls(np.zeros((round(duration_s * rate_hz), 2)), rate_hz)

    def add(self, sound: Signal, start_s: float, level: float = 1.0, pan: float = 0.0) -> None:
        """Adds `sound` at equal power between left (-1) and right (1); what would pass the end is dropped."""
        start = max(0, round(start_s * self.rate_hz))
        room = self.audio[start : start + len(sound)]
        angle = (pan + 1) * np.pi / 4
        room[:, 0] += level * np.cos(angle) * sound[: len(room)]
        room[:, 1] += level * np.sin(angle) * sound[: len(room)]


def saw(pitch_hz: float, cutoff_hz: float) -> Signal:
    """One cycle of a saw behind a 12 dB/octave low-pass, with no harmonic above 15 kHz."""
    harmonic = np.arange(1, min(100, int(15_000 / pitch_hz)) + 1)
    return cycle(1 / (harmonic * np.sqrt(1 + (harmonic * pitch_hz / cutoff_hz) ** 4)))


def cycle(amplitudes: NDArray[np.float64]) -> Signal:
    """One cycle of a sum of sines, with its first point again at the end for the interpolation."""
    spectrum = np.zeros(TABLE_POINTS // 2 + 1, complex)
    spectrum[1 : len(amplitudes) + 1] = -0.5j * TABLE_POINTS * amplitudes
    wave = np.fft.irfft(spectrum)
    return np.append(wave, wave[0])


def oscillator(wave: Signal, pitch_hz: Signal, rate_hz: int) -> Signal:
    """Plays one cycle at a pitch that may move with every sample."""
    return _between(wave, _cycle_position(np.cumsum(pitch_hz) / rate_hz))


def opening(dark: Signal, bright: Signal, pitch_hz: float, rate_hz: int, openness: Signal, phase: float) -> Signal:
    """Plays two cycles of the same pitch at once and moves between them: a filter that opens, for little."""
    position = _cycle_position(phase + np.arange(len(openness), dtype=np.float64) * (pitch_hz / rate_hz))
    closed = _between(dark, position)
    return closed + openness * (_between(bright, position) - closed)


def swell(duration_s: float, rate_hz: int, attack_s: float, release_s: float) -> Signal:
    """Rises and falls as half a cosine; 1 in between."""
    envelope = np.ones(round(duration_s * rate_hz))
    for ramp, length_s in ((envelope, attack_s), (envelope[::-1], release_s)):
        frames = min(len(envelope), round(length_s * rate_hz))
        ramp[:frames] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(frames) / frames)
    return envelope


def decay(duration_s: float, rate_hz: int, time_s: float) -> Signal:
    """Falls to 1/e in every `time_s`, and to nothing at the end."""
    at_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return np.exp(-at_s / time_s) * np.clip((duration_s - at_s) / 0.01, 0, 1)


def pad(pitch_hz: float, envelope: Signal, rate_hz: int, rng: np.random.Generator) -> Signal:
    """Two detuned saws that open from dark to bright with the envelope, and a sine under them."""
    openness = envelope**2
    dark, bright = saw(pitch_hz, 350), saw(pitch_hz, 2800)
    sound = 0.5 * np.sin(2 * np.pi * pitch_hz * np.arange(len(envelope)) / rate_hz)
    for _ in range(2):
        detuned_hz = pitch_hz * 2 ** (rng.normal(0, 5) / 1200)
        sound += opening(dark, bright, detuned_hz, rate_hz, openness, rng.random())
    return sound * envelope


def bell(pitch_hz: float, duration_s: float, rate_hz: int) -> Signal:
    """A struck bar: its modes stand at 1, 2.76, 5.40 and 8.93 (free-free beam), the high ones die first."""
    at_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    modes = ((1.0, 1.0), (2.0, 0.15), (2.76, 0.35), (5.40, 0.16), (8.93, 0.06))
    audible = [(ratio, level) for ratio, level in modes if ratio * pitch_hz < 16_000]
    sound = sum(
        (level * np.exp(-at_s * ratio / (0.3 * duration_s)) * np.sin(2 * np.pi * ratio * pitch_hz * at_s))
        for ratio, level in audible
    )
    return np.asarray(sound * swell(duration_s, rate_hz, 0.002, 0.3 * duration_s))


def synth(pitch_hz: float, duration_s: float, rate_hz: int, cutoff_hz: float) -> Signal:
    """Two saws, 7 cents apart, whose filter closes as they decay: bass or arpeggio, after `cutoff_hz`."""
    falling = decay(duration_s, rate_hz, 0.4 * duration_s)
    dark, bright = saw(pitch_hz, 0.3 * cutoff_hz), saw(pitch_hz, cutoff_hz)
    sound = np.zeros(len(falling))
    for detune in (0.998, 1.002):
        sound += opening(dark, bright, detune * pitch_hz, rate_hz, falling**2, detune)
    return sound * falling * swell(duration_s, rate_hz, 0.004, 0.02)


def pluck(
    pitch_hz: float, duration_s: float, rate_hz: int, rng: np.random.Generator, brightness: float = 0.5
) -> Signal:
    """A plucked string after Karplus and Strong (1983): every period is the one before, a little duller.

    The periods are made from their harmonics, all at once, at 256 points each, then read at the pitch wanted: so
    the string is in tune at any rate, which a delay line of whole samples is not.
    """
    harmonic = np.arange(1, max(2, min(60, int(11_000 / pitch_hz))) + 1)
    shape = np.abs(np.sin(np.pi * harmonic * rng.uniform(0.17, 0.23))) * harmonic ** (-1.9 + brightness)
    life_s = 1.4 * (220 / pitch_hz) ** 0.4 / (1 + 0.012 * harmonic**1.6)
    periods = np.arange(int(duration_s * pitch_hz) + 3)[:, None]
    spectrum = np.zeros((len(periods), STRING_POINTS // 2 + 1), complex)
    phases = np.exp(1j * rng.uniform(-0.6, 0.6, len(harmonic)))
    spectrum[:, harmonic] = -0.5j * STRING_POINTS * shape * phases * np.exp(-periods / (pitch_hz * life_s))
    string = np.fft.irfft(spectrum, axis=1).ravel()
    envelope = swell(duration_s, rate_hz, 0.003, 0.25 * duration_s)
    position = np.arange(len(envelope), dtype=np.float64) * (pitch_hz * STRING_POINTS / rate_hz)
    return _between(string, position) * envelope


def whistle(pitch_hz: float, duration_s: float, rate_hz: int, rng: np.random.Generator) -> Signal:
    """A breathy lead whose vibrato arrives after a third of a second and whose pitch slides up into the note."""
    envelope = swell(duration_s, rate_hz, min(0.07, 0.3 * duration_s), min(0.15, 0.4 * duration_s))
    at_s = np.arange(len(envelope)) / rate_hz
    depth = 0.007 * np.clip((at_s - 0.2) / 0.4, 0, 1)
    bend = 1 + depth * np.sin(2 * np.pi * 5.3 * at_s) - 0.015 * np.exp(-at_s / 0.03)
    tone = oscillator(cycle(np.array([1.0, 0.32, 0.16, 0.05, 0.03])), pitch_hz * bend, rate_hz)
    breath = band(rng.normal(0, 0.05, len(envelope)), rate_hz, pitch_hz, 4 * pitch_hz)
    return (tone + breath) * envelope * (1 + 12 * depth * np.sin(2 * np.pi * 5.3 * at_s))


VOWELS = {
    "a": ((730, 1.0), (1090, 0.5), (2440, 0.06)),
    "e": ((530, 1.0), (1840, 0.14), (2480, 0.06)),
    "i": ((270, 1.0), (2290, 0.06), (3010, 0.04)),
    "o": ((570, 1.0), (840, 0.45), (2410, 0.02)),
}
"""Hz and amplitude of the first three formants: means of men by Peterson and Barney (1952), JASA 24(2)."""


def voice(pitch_hz: float, duration_s: float, rate_hz: int, rng: np.random.Generator, vowel: str) -> Signal:
    """Sings a note: a hiss of a consonant, then the harmonics of a throat behind the formants of a vowel, with vibrato."""
    envelope = swell(duration_s, rate_hz, min(0.05, 0.3 * duration_s), min(0.12, 0.4 * duration_s))
    at_s = np.arange(len(envelope)) / rate_hz
    depth = 0.009 * np.clip((at_s - 0.15) / 0.3, 0, 1)
    bend = 1 + depth * np.sin(2 * np.pi * 5.6 * at_s) - 0.03 * np.exp(-at_s / 0.04)
    harmonic = np.arange(1, min(100, int(9_000 / pitch_hz)) + 1)
    hz = harmonic * pitch_hz
    # Wider than those of a throat, lest single harmonics whistle.
    centres_hz, levels = np.array(VOWELS[vowel]).T[:, :, None]
    mouth = (levels / (1 + ((hz - centres_hz) / (60 + 0.07 * centres_hz)) ** 2)).sum(axis=0)
    sung = oscillator(cycle((mouth + 0.004) / harmonic**0.6), pitch_hz * bend, rate_hz)
    sung *= rng.uniform(0.85, 1.0) / np.sqrt(np.mean(sung**2))
    consonant = hiss(0.025, rate_hz, rng, 3500, 9000)[: len(envelope)]
    sung[: len(consonant)] += 0.25 * consonant
    return np.asarray(0.2 * sung * envelope)


def kick(rate_hz: int, punch: float = 1.0) -> Signal:
    """A drum skin: the pitch drops from 48 + 160 Hz to 48 Hz in a few hundredths of a second."""
    at_s = np.arange(round(0.38 * rate_hz)) / rate_hz
    sweep_hz = 48 + 160 * punch * np.exp(-at_s / 0.028)
    body = np.sin(2 * np.pi * np.cumsum(sweep_hz) / rate_hz) * decay(0.38, rate_hz, 0.13)
    return body * swell(0.38, rate_hz, 0.001, 0.05)


def snare(rate_hz: int, rng: np.random.Generator) -> Signal:
    """A drum skin at 185 Hz and the wires under it."""
    wires = hiss(0.07, rate_hz, rng, 1200, 9000)
    at_s = np.arange(len(wires)) / rate_hz
    skin = (
        np.sin(2 * np.pi * 185 * at_s)
        * np.exp(-at_s / 0.05)
        * swell(len(wires) / rate_hz, rate_hz, 0.001, 0.05)[: len(wires)]
    )
    return 0.35 * wires + 0.8 * skin


def hiss(decay_s: float, rate_hz: int, rng: np.random.Generator, low_hz: float, high_hz: float) -> Signal:
    """A burst of noise in a band: hats, claps, brushes."""
    duration_s = 5 * decay_s
    noise = band(rng.normal(0, 1, round(duration_s * rate_hz)), rate_hz, low_hz, high_hz)
    return decay(duration_s, rate_hz, decay_s) * noise / float(np.sqrt(np.mean(noise**2)))


def band(sound: Signal, rate_hz: int, low_hz: float, high_hz: float) -> Signal:
    """Keeps a band, 12 dB/octave outside it, without phase shift; channels, if any, side by side."""
    size = _fft_frames(len(sound))
    hz = np.fft.rfftfreq(size, 1 / rate_hz).reshape(-1, *[1] * (sound.ndim - 1))
    low_cut = 1 / np.sqrt(1 + (low_hz / np.maximum(hz, 1e-3)) ** 4)
    high_cut = 1 / np.sqrt(1 + (hz / high_hz) ** 4)
    return np.fft.irfft(np.fft.rfft(sound, size, axis=0) * low_cut * high_cut, size, axis=0)[: len(sound)]


def reverb(audio: Audio, rate_hz: int, rng: np.random.Generator, decay_s: float) -> Audio:
    """The room alone: convolution with noise that decays, different left and right, 15 ms after the sound."""
    tail = rng.normal(0, 1, (round(3 * decay_s * rate_hz), 2)) * decay(3 * decay_s, rate_hz, decay_s / 2)[:, None]
    room = np.concatenate([np.zeros((round(0.015 * rate_hz), 2)), band(tail, rate_hz, 180, 4500)])
    room /= np.sqrt(np.sum(room**2, axis=0))
    size = _fft_frames(len(audio) + len(room))
    wet = np.fft.irfft(np.fft.rfft(audio, size, axis=0) * np.fft.rfft(room, size, axis=0), size, axis=0)
    return wet[: len(audio)]


def echo(audio: Audio, rate_hz: int, time_s: float, feedback: float = 0.45) -> Audio:
    """Five repeats that change sides; without the sound itself."""
    wet = np.zeros_like(audio)
    for repeat in range(1, 6):
        late = round(repeat * time_s * rate_hz)
        wet[late:] += feedback**repeat * audio[: len(audio) - late, :: (-1 if repeat % 2 else 1)]
    return wet


def pump(frames: int, rate_hz: int, beat_s: float, depth: float) -> Signal:
    """Gain that ducks on every beat, in 5 ms lest it click, and comes back before the next."""
    since_beat_s = (np.arange(frames) / rate_hz) % beat_s
    attack = 0.5 - 0.5 * np.cos(np.pi * np.minimum(since_beat_s / 0.005, 1))
    return 1 - depth * attack * np.exp(-((since_beat_s / (0.35 * beat_s)) ** 2))


def soft_clip(audio: Audio, knee: float = 0.5, ceiling: float = 0.962) -> Audio:
    """Leaves all below the knee alone and bends what is above towards the ceiling (-0.34 dBFS).

    x / sqrt(1 + x^2) rather than tanh: it comes to its limit so slowly that even a loud kick has a round top.
    """
    over = np.maximum(np.abs(audio) - knee, 0) / (ceiling - knee)
    bent = knee + (ceiling - knee) * over / np.sqrt(1 + over**2)
    return np.where(over > 0, np.sign(audio) * bent, audio)


def _cycle_position(phase: Signal) -> Signal:
    return (phase - np.floor(phase)) * TABLE_POINTS


def _between(table: Signal, position: Signal) -> Signal:
    whole = position.astype(np.intp)
    return table[whole] + (position - whole) * (table[whole + 1] - table[whole])


def _fft_frames(frames: int) -> int:
    # A multiple of 8192 has only small factors left: a prime length would take many times longer.
    return -(-frames // 8192) * 8192
