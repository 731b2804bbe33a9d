"""The plots of the processors that only a mix has, drawn with the processors themselves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from drawing import GREY, RATE_HZ, level_db, line, over_frequency, panels, radius_db, turning
from matplotlib.figure import Figure
from scipy.signal import butter, sosfilt

from dsp.audio import Audio, Floats
from dsp.chain import process
from dsp.mixing.ducker import Ducker
from dsp.mixing.panner import POWERS, pan_matrix
from dsp.mixing.reverb import Reverb, decay_s
from dsp.settings import DelaySettings, DuckerSettings, GateSettings, PannerSettings, ReverbSettings


def delay() -> Figure:
    """How late a click comes, and what the interpolator does to the top of the band."""
    figure, (clicks, gains) = panels("A click, later by 0 to 1 frames.", "Gain of a delay by half a frame.")
    audio = np.zeros((4_096, 1))
    audio[2_048] = 1.0
    for frames in (0.0, 0.25, 0.5, 1.0):
        out = process(audio, RATE_HZ, DelaySettings(delay_frames=frames))[2_038:2_060, 0]
        line(clicks, np.arange(-10.0, 12.0), out, f"{frames:g}", marker=".")
    clicks.set(xlabel="frames", ylabel="of the click")
    clicks.legend(title="later by", loc="upper right")
    response = process(audio, RATE_HZ, DelaySettings(delay_frames=0.5))[:, 0]
    share = np.fft.rfftfreq(len(response))
    line(gains, share[1:], level_db(np.abs(np.fft.rfft(response)))[1:])
    gains.set(xlabel="frequency, of the rate", ylabel="gain, dB", ylim=(-6.0, 0.5))
    return figure


def panner() -> Figure:
    """Gains of left and right by three laws, for a stem of one channel and for one of two."""
    figure, every = panels("A stem of one channel.", "A stem of two.")
    places = np.linspace(-1.0, 1.0, 101)
    for axes, channels in zip(every, (1, 2), strict=True):
        for law in POWERS:
            matrices = [pan_matrix(PannerSettings(pan_ratio=pan, law=law), channels) for pan in places]
            left, right = np.array([(one[0, 0], one[1, -1]) for one in matrices]).T
            [drawn] = axes.plot(places, level_db(left), label=law)
            axes.plot(places, level_db(right), color=drawn.get_color(), ls="--")
        axes.set(xlabel="place: left -1, right 1", ylabel="gain, dB", ylim=(-30.0, 8.0))
    every[0].annotate("left", (-0.95, 1.5))
    every[0].annotate("right", (0.75, 1.5))
    every[1].legend(title="law", loc="lower center")
    return figure


def gate() -> Figure:
    """What opens and shuts it, and how it looks ahead."""
    figure, (levels, onset) = panels("Opens at one level, shuts at another.", "It is open when the sound begins.")
    time_s = np.arange(-0.2, 1.6, 1.0 / RATE_HZ)
    hit_db = np.where(time_s < 0.0, -50.0, np.maximum(-50.0, -12.0 - 40.0 * time_s))
    settings = GateSettings(threshold_dbfs=-20.0, range_db=20.0, attack_s=0.004, low_hz=100.0)
    tone = turning(hit_db)
    gain_db = radius_db(process(tone, RATE_HZ, settings)) - hit_db
    line(levels, time_s, hit_db, "level in, dBFS", color=GREY, ls="--")
    line(levels, time_s, gain_db, "gain, dB")
    for name, level_dbfs in (("opens", -20.0), ("shuts", -24.0)):
        levels.axhline(level_dbfs, color=GREY, lw=0.6)
        levels.annotate(name, (1.35, level_dbfs + 0.6))
    levels.set(xlabel="after the hit, s", ylabel="dB")
    levels.legend(loc="lower left")
    near = np.abs(time_s) < 0.015
    for ahead_s in (0.0, 0.005):
        late = GateSettings(threshold_dbfs=-20.0, range_db=20.0, attack_s=0.004, lookahead_s=ahead_s, low_hz=100.0)
        gain_db = radius_db(process(tone, RATE_HZ, late)) - hit_db
        line(onset, 1e3 * time_s[near], gain_db[near], f"{1e3 * ahead_s:g} ms ahead")
    onset.set(xlabel="after the hit, ms", ylabel="gain, dB")
    onset.legend(loc="center right")
    return figure


def ducker() -> Figure:
    """The bell that it cuts, and a bass that gives way to a kick."""
    figure, (gains, ducks) = panels("From 40 to 120 Hz, by 6 dB.", "A bass of 70 Hz under two kicks.")
    settings = DuckerSettings(threshold_dbfs=-30.0, depth_db=6.0, low_hz=40.0, high_hz=120.0)
    freqs_hz = np.geomspace(20.0, 2_000.0, 60)
    steady = _kick_tone(np.zeros(RATE_HZ))
    settled = [
        _ducked(turning(np.full(RATE_HZ, -20.0), hz), steady, settings)[-4_800:].mean() + 20.0 for hz in freqs_hz
    ]
    line(gains, freqs_hz, np.array(settled))
    over_frequency(gains, "gain, dB", -7.0, 0.5, high_hz=2_000)
    time_s = np.arange(-0.1, 1.1, 1.0 / RATE_HZ)
    since_s = np.where(time_s < 0.6, time_s, time_s - 0.6)
    kick_db = np.where(time_s < 0.0, -100.0, -6.0 - 150.0 * since_s)
    after_db = _ducked(turning(np.full(len(time_s), -20.0), 70.0), _kick_tone(kick_db), settings)
    line(ducks, time_s, np.maximum(kick_db, -40.0), "level of the kick, dBFS", color=GREY, ls="--")
    line(ducks, time_s, after_db + 20.0, "gain of the bass, dB")
    ducks.set(xlabel="after the first kick, s", ylabel="dB", ylim=(-41.0, 2.0))
    ducks.legend(loc="center right")
    return figure


def _kick_tone(levels_db: Floats) -> Audio:
    return turning(levels_db, 70.0)


def _ducked(audio: Audio, key: Audio, settings: DuckerSettings) -> Floats:
    """Level over time of what comes out."""
    return radius_db(Ducker(settings, RATE_HZ, 2).push(audio, key))


def reverb() -> Figure:
    """How three octaves die away, and how long each takes."""
    figure, (falls, decays) = panels("A click in a room of 1.4 s.", "Time to fall by 60 dB.")
    settings = ReverbSettings(predelay_s=0.0, low_cut_hz=20.0, high_cut_hz=20_000.0)
    click = np.zeros((3 * RATE_HZ, 2))
    click[0] = 1.0
    wet = Reverb(settings, RATE_HZ).push(click)
    found = []
    octaves_hz = (125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0)
    for hz in octaves_hz:
        octave = butter(4, (hz / np.sqrt(2.0), hz * np.sqrt(2.0)), "bandpass", fs=RATE_HZ, output="sos")
        power = np.square(sosfilt(octave, wet, axis=0)).sum(axis=1)
        left_db = 0.5 * level_db(np.cumsum(power[::-1])[::-1] / power.sum())
        first, last = int(np.argmax(left_db < -5.0)), int(np.argmax(left_db < -35.0))
        found.append(-60.0 / np.polyfit(np.arange(first, last) / RATE_HZ, left_db[first:last], 1)[0])
        if hz in (250.0, 2_000.0, 8_000.0):
            line(falls, np.arange(len(power)) / RATE_HZ, left_db, f"{hz:g} Hz")
    falls.set(xlabel="after the click, s", ylabel="energy still to come, dB", xlim=(0.0, 1.6), ylim=(-70.0, 2.0))
    falls.legend()
    freqs_hz = np.geomspace(100.0, 12_000.0, 60)
    line(decays, freqs_hz, np.array([decay_s(settings, hz) for hz in freqs_hz]), "asked")
    decays.plot(octaves_hz, found, "o", color="black", markersize=4, label="T30 of octaves")
    over_frequency(decays, "seconds", 0.0, 1.6, low_hz=100)
    decays.legend(loc="lower left")
    return figure


MIX_PLOTS: dict[str, Callable[[], Figure]] = {
    "delay": delay,
    "panner": panner,
    "gate": gate,
    "ducker": ducker,
    "reverb": reverb,
}
"""By the name of the file."""
