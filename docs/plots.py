#!/usr/bin/env python3
"""Draws the plots of the processors' pages with the processors themselves, into `processors/plots`.

usage: plots.py [NAME ...]    (all of them where none is named; needs the extra `docs`)
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
from drawing import (
    CD_HZ,
    GREY,
    LOWEST_DB,
    POINTS,
    RATE_HZ,
    STYLE,
    around_time,
    band_level_db,
    bands_of_a_click,
    chords,
    click,
    clipped_and_restored,
    converted,
    curve_of,
    drums,
    frequency_ticks,
    gain_db,
    harmonics_db,
    hiss,
    level_db,
    line,
    over_frequency,
    panels,
    radius_db,
    restored,
    spectrum_db,
    static_curve,
    tops,
    turned,
    turning,
    vowel,
)
from matplotlib import rc_context
from matplotlib.figure import Figure
from mix_plots import MIX_PLOTS
from scipy.signal import welch

from dsp.audio import to_gain
from dsp.chain import process
from dsp.gain_computer import CHARACTERS
from dsp.parametric import analogue
from dsp.quantiser import SHAPED_HZ, SHAPERS, Quantiser
from dsp.saturation import SHAPES
from dsp.settings import (
    Band,
    BandDynamics,
    CompressorSettings,
    DeEsserSettings,
    DynamicBand,
    DynamicEqualiserSettings,
    EqualiserSettings,
    ExpanderSettings,
    ImagerSettings,
    LimiterSettings,
    MultibandSettings,
    ParametricSettings,
    QuantiserSettings,
    SaturationSettings,
    SubsonicSettings,
    TransientSettings,
)

FOLDER = Path(__file__).parent / "processors" / "plots"
EDGES_HZ, NAMES = (120.0, 1000.0, 5000.0), ("to 120 Hz", "to 1 kHz", "to 5 kHz", "above")


def main(names: Sequence[str]) -> None:
    """Writes the plots of these names, the same bytes every time."""
    FOLDER.mkdir(exist_ok=True)
    for name in names or PLOTS:
        draw(name, FOLDER / f"{name}.svg")


def draw(name: str, path: Path) -> None:
    """One plot as an SVG file; digits that nobody sees are cut off, because they differ from machine to machine."""
    drawn = StringIO()
    with rc_context(STYLE):
        PLOTS[name]().savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    path.write_text(re.sub(r"(\.\d\d\d)\d+", r"\1", drawn.getvalue()), encoding="utf-8")


def splitter() -> Figure:
    """Gains of four bands, and how a low one rings."""
    figure, (gains, ringing) = panels("Four bands add up to the sound.", "A low-pass at 100 Hz, over time.")
    freqs_hz = np.geomspace(20.0, 20_000.0, POINTS)
    for band, name, middle_hz in zip(bands_of_a_click(EDGES_HZ), NAMES, (50.0, 350.0, 2200.0, 10_000.0), strict=True):
        line(gains, freqs_hz, spectrum_db(band, freqs_hz))
        gains.annotate(name, (middle_hz, 2.5), ha="center")
    over_frequency(gains, "gain of a band, dB", -80.0, 10.0)
    low = bands_of_a_click((100.0,))[0]
    around = np.arange(-1_440, 1_441)
    line(ringing, 1e3 * around / RATE_HZ, low[len(low) // 2 + around] / low.max())
    ringing.set(xlabel="after the click, ms", ylabel="of its peak")
    return figure


def equaliser() -> Figure:
    """A curve, and a click through both phases."""
    figure, (curves, clicks) = panels("The curve asked for is the curve made.", "A click through a curve of ±12 dB.")
    freqs_hz = np.geomspace(20.0, 20_000.0, POINTS)
    asked = EqualiserSettings(
        freqs_hz=(31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0),
        gains_db=(0.6, 1.0, 0.8, 0.3, 0.0, -0.2, -0.5, -0.2, 0.3, 0.8),
    )
    line(curves, freqs_hz, gain_db(asked, freqs_hz), "measured")
    curves.plot(asked.freqs_hz, asked.gains_db, "o", color="black", markersize=4, label="asked")
    over_frequency(curves, "gain, dB", -1.2, 1.2)
    curves.legend()
    steep = EqualiserSettings(freqs_hz=(100.0, 200.0, 400.0), gains_db=(12.0, -12.0, 12.0))
    for settings in (steep, replace(steep, phase="minimum")):
        out = np.abs(process(click(RATE_HZ), RATE_HZ, settings)[RATE_HZ // 2 - 2_400 :][:4_800, 0])
        heights = (out / out.max()).reshape(-1, 24).max(axis=1)
        line(clicks, np.arange(-50.0, 50.0, 0.5), level_db(heights), f"{settings.phase} phase")
    clicks.set(xlabel="after the click, ms", ylabel="of its peak, dB", ylim=(-100.0, 5.0))
    clicks.legend(loc="upper left")
    return figure


def parametric() -> Figure:
    """A bell near the top of the band, and all kinds."""
    figure, (bells, kinds) = panels("A bell of 6 dB at 16 kHz, at 44.1 kHz.", "All kinds of band at 1 kHz.")
    freqs_hz = np.geomspace(2_000.0, 22_000.0, POINTS)
    bell = Band(kind="bell", freq_hz=16_000.0, gain_db=6.0, quality_ratio=1.0)
    model = analogue("bell", bell.gain_db, bell.quality_ratio)
    warped = np.tan(np.pi * freqs_hz / CD_HZ) / np.tan(np.pi * bell.freq_hz / CD_HZ)
    line(bells, freqs_hz, 10.0 * np.log10(model.power(freqs_hz / bell.freq_hz)), "analogue", color="black", lw=3.0)
    line(bells, freqs_hz, gain_db(ParametricSettings(bands=(bell,)), freqs_hz, CD_HZ), "matched: as made here")
    line(bells, freqs_hz, 10.0 * np.log10(model.power(warped)), "bilinear transform", ls="--")
    bells.set(xlabel="frequency, Hz", ylabel="gain, dB", xscale="log")
    frequency_ticks(bells, (2_000, 4_000, 8_000, 16_000, 22_000))
    bells.legend(loc="upper left")
    freqs_hz = np.geomspace(20.0, 20_000.0, POINTS)
    for kind in ("bell", "low_shelf", "high_shelf", "highpass", "lowpass", "tilt"):
        band = Band(kind=kind, freq_hz=1000.0, gain_db=0.0 if "pass" in kind else 6.0)
        line(kinds, freqs_hz, gain_db(ParametricSettings(bands=(band,)), freqs_hz), kind.replace("_", " "))
    over_frequency(kinds, "gain, dB", -18.0, 8.0)
    kinds.legend(loc="lower left")
    return figure


def dynamic_equaliser() -> Figure:
    """A note with a resonance."""
    figure, (spectra, cuts) = panels("A note rings at 3 kHz.", "It is cut while it sticks out.")
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    strings = [np.sin(2.0 * np.pi * 200.0 * k * time_s) / k * np.exp(-3.0 * time_s) for k in range(1, 40)]
    ring = 0.8 * np.sin(2.0 * np.pi * 3000.0 * time_s) * np.exp(-4.0 * time_s)
    note = np.concatenate([np.zeros(RATE_HZ // 4), 0.3 * (np.sum(strings, axis=0) + ring)])[:, None]
    band = DynamicBand(freq_hz=3000.0, threshold_db=-16.0, relative=True)
    out = process(note, RATE_HZ, DynamicEqualiserSettings(bands=(band,)))
    for audio, name in ((note, "before"), (out, "after")):
        power = np.abs(np.fft.rfft(audio[RATE_HZ // 4 :][:RATE_HZ, 0] * np.hanning(RATE_HZ))) / (RATE_HZ / 4)
        line(spectra, *tops(level_db(power), 1_000, 6_000), name)
    over_frequency(spectra, "level, dBFS", -70.0, -20.0, low_hz=1_000, high_hz=6_000)
    spectra.legend()
    cut = band_level_db(out, 2_800.0, 3_200.0) - band_level_db(note, 2_800.0, 3_200.0)
    line(cuts, 0.01 * np.arange(len(cut)) - 0.25, cut)
    cuts.set(xlabel="after the stroke, s", ylabel="change around 3 kHz, dB", xlim=(-0.1, 1.2), ylim=(-7.0, 0.5))
    return figure


def de_esser() -> Figure:
    """A made voice: vowels, and an s three times."""
    figure, (levels, cuts) = panels("The hiss of a voice comes down.", "Only while it hisses.")
    voice = np.concatenate([vowel(), hiss(-20.0), vowel(), hiss(-14.0), vowel(), hiss(-26.0), vowel()])
    out = process(voice, RATE_HZ, DeEsserSettings())
    before, after = (band_level_db(audio, 4_000.0, 10_000.0) for audio in (voice, out))
    time_s = 0.01 * np.arange(len(before))
    line(levels, time_s, before, "before")
    line(levels, time_s, after, "after")
    levels.set(xlabel="time, s", ylabel="level of 4 to 10 kHz, dBFS", ylim=(-100.0, -5.0))
    levels.legend(loc="lower center", ncols=2)
    line(cuts, time_s, after - before)
    cuts.set(xlabel="time, s", ylabel="change of 4 to 10 kHz, dB", ylim=(-4.5, 0.5))
    for axes in (levels, cuts):
        for start_s in (0.2, 0.6, 1.0):
            axes.axvspan(start_s, start_s + 0.2, color="#eeeeee")
            axes.annotate("s", (start_s + 0.1, 0.97), xycoords=("data", "axes fraction"), ha="center", va="top")
    return figure


def expander() -> Figure:
    """Its curve, and a note over hiss."""
    figure, (static, note) = panels("What is soft becomes softer, to a limit.", "A note over hiss at -60 dBFS.")
    settings = ExpanderSettings(threshold_dbfs=-40.0, range_db=20.0)
    static_curve(static, settings, np.arange(-80.0, 0.1, 2.0))
    time_s = np.arange(-0.3, 1.5, 1.0 / RATE_HZ)
    levels_db = np.where(time_s < 0.0, -60.0, np.maximum(-60.0, -15.0 - 60.0 * time_s))
    around_time(note, time_s, levels_db, settings)
    note.set_xlabel("after the note begins, s")
    return figure


def compressor() -> Figure:
    """Its curve, and a loud passage."""
    figure, (static, passage) = panels("What is loud becomes less loud.", "A passage 12 dB louder, for half a second.")
    settings = CompressorSettings(threshold_dbfs=-20.0, compression_ratio=3.0)
    static_curve(static, settings, np.arange(-50.0, 0.1, 1.0))
    time_s = np.arange(-0.3, 1.5, 1.0 / RATE_HZ)
    levels_db = np.where((time_s > 0.0) & (time_s < 0.5), -10.0, -22.0)
    around_time(passage, time_s, levels_db, settings)
    passage.set_xlabel("after the passage begins, s")
    return figure


def multiband() -> Figure:
    """The curve of a band, and its release after short and long passages."""
    figure, (static, release) = panels(
        "A band: compressed above, lifted below.", "The release knows how long it was loud."
    )
    lifted = BandDynamics(threshold_dbfs=-20.0, compression_ratio=3.0, lift_ratio=2.0, max_lift_db=8.0)
    static_curve(static, one_band(lifted), np.arange(-80.0, 0.1, 2.0))
    dense = one_band(BandDynamics(threshold_dbfs=-30.0, compression_ratio=4.0))
    for loud_s, name in ((0.03, "after a hit of 30 ms"), (2.0, "after 2 s")):
        time_s = np.arange(-loud_s - 0.5, 1.0, 1.0 / RATE_HZ)
        tone = turning(np.where((time_s > -loud_s) & (time_s < 0.0), -10.0, -60.0))
        change = radius_db(process(tone, RATE_HZ, dense)) - radius_db(tone)
        shown = time_s > -0.1
        line(release, time_s[shown], change[shown], name)
    release.set(xlabel="after the end of the loud passage, s", ylabel="gain, dB")
    release.legend(loc="lower right")
    return figure


def transients() -> Figure:
    """A drum hit at two levels."""
    figure, (waves, gains) = panels(
        "A drum hit: more attack, less of the rest.", "The gain is the same at every level."
    )
    time_s = np.arange(-0.05, 0.4, 1.0 / RATE_HZ)
    levels_db = np.where(time_s < 0.0, LOWEST_DB, -8.686 * time_s / 0.1)
    settings = TransientSettings(attack_db=6.0, sustain_db=-6.0)
    for level_dbfs, style in ((0.0, "-"), (-30.0, "--")):
        hit = turning(levels_db + level_dbfs, 200.0)
        out = process(hit, RATE_HZ, settings)
        line(gains, 1e3 * time_s, radius_db(out) - radius_db(hit), f"peak at {level_dbfs:g} dBFS", ls=style)
        if level_dbfs == 0.0:
            start = slice(1_440, 9_600)
            line(waves, 1e3 * time_s[start], out[start, 0], "after")
            line(waves, 1e3 * time_s[start], hit[start, 0], "before")
    waves.set(xlabel="after the stroke, ms", ylabel="of full scale")
    gains.set(xlabel="after the stroke, ms", ylabel="gain, dB")
    waves.legend()
    gains.legend()
    return figure


def imager() -> Figure:
    """Three widths and a mono bass."""
    figure, (gains,) = panels("The side: half as wide to 200 Hz, wider by half from 2 kHz on, none below 80 Hz.")
    freqs_hz = np.geomspace(20.0, 20_000.0, POINTS)
    widths = (0.5, 1.0, 1.5)
    settings = ImagerSettings(edges_hz=(200.0, 2000.0), widths_ratio=widths, mono_below_hz=80.0)
    asked = np.where(freqs_hz < 80.0, 0.0, np.take(widths, np.searchsorted((200.0, 2000.0), freqs_hz)))
    line(gains, freqs_hz, level_db(asked), "asked", color=GREY, ls="--")
    line(gains, freqs_hz, gain_db(settings, freqs_hz, channels=(1.0, -1.0)), "measured")
    over_frequency(gains, "gain of the side, dB", -60.0, 6.0)
    gains.legend(loc="lower right")
    return figure


def saturation() -> Figure:
    """Harmonics against level, and the curves."""
    figure, every = panels(*(f"{name.capitalize()}, driven by 6 dB." for name in SHAPES))
    levels_dbfs = np.arange(-40.0, 0.1, 2.0)
    for axes, name in zip(every, SHAPES, strict=True):
        settings = SaturationSettings(character=name, drive_db=6.0)
        found = np.array([harmonics_db(settings, level) for level in levels_dbfs])
        for order in range(2, 8):
            axes.plot(levels_dbfs, found[:, order - 2], label=f"{order}")
        axes.set(xlabel="level of 1 kHz, dBFS", ylim=(-100.0, 10.0))
        inset = axes.inset_axes((0.11, 0.7, 0.24, 0.28))
        inset.plot(*curve_of(name), color="black")
        inset.set(xticks=[-2, 0, 2], yticks=[-1, 0, 1])
        inset.tick_params(labelsize=6)
    every[0].set_ylabel("harmonic over the tone, dB")
    figure.legend(*every[0].get_legend_handles_labels(), title="harmonic", loc="outside right center")
    return figure


def declipper() -> Figure:
    """The highest peak of something like music, and the error over drive."""
    figure, (peak, ratios) = panels("A peak cut off by 6 dB, and put back.", "Clipped samples over their error.")
    truth = chords() / np.abs(chords()).max()
    drives_db = np.arange(1.0, 10.1, 1.0)
    found = np.array([restored(truth, drive_db) for drive_db in drives_db])
    line(ratios, drives_db, found[:, 0], "clipped")
    line(ratios, drives_db, found[:, 1], "restored")
    ratios.set(xlabel="driven into clipping by, dB", ylabel="signal over error, dB")
    clipped, out = clipped_and_restored(truth, 6.0)
    centre = int(np.abs(truth).argmax())
    shown = slice(centre - 60, centre + 60)
    time_ms = 1e3 * np.arange(-60, 60) / CD_HZ
    sign = np.sign(truth[centre, 0])
    line(peak, time_ms, sign * to_gain(6.0) * truth[shown, 0], "as it was", color="black", lw=3.0, alpha=0.3)
    line(peak, time_ms, sign * out[shown, 0], "restored")
    line(peak, time_ms, sign * clipped[shown, 0], "clipped", ls="--")
    peak.set(xlabel="ms", ylabel="of full scale")
    for axes in (peak, ratios):
        axes.legend()
    return figure


def quantiser() -> Figure:
    """Spectra of the noise."""
    figure, (noise,) = panels("Noise of 16 bits at 44.1 kHz: shaping moves it to where the ear hears least.")
    audio = np.random.default_rng(1).uniform(-0.1, 0.1, (20 * SHAPED_HZ, 1))
    for shaping in SHAPERS:
        stage = Quantiser(QuantiserSettings(bits=16, seed=1, shaping=shaping), 1, SHAPED_HZ)  # type: ignore[arg-type]
        error = stage.push(audio)[:, 0] / 2.0**15 - audio[:, 0]
        freqs_hz, power = welch(error, SHAPED_HZ, nperseg=512)
        line(noise, freqs_hz[1:-1] / 1e3, 10.0 * np.log10(power[1:-1]), shaping)
    noise.set(xlabel="frequency, kHz", ylabel="noise in 1 Hz, dBFS", xlim=(0.0, 22.05))
    noise.legend(loc="upper left")
    return figure


def limiter() -> Figure:
    """The three characters on drums, and on a bass tone."""
    figure, (gains, spectrum) = panels("A loud passage driven by 9 dB.", "A tone of 50 Hz, 6 dB over the ceiling.")
    passage = turned(drums())
    time_s = np.arange(len(passage)) / RATE_HZ
    shown = (time_s > 0.98) & (time_s < 1.4)
    for name in reversed(CHARACTERS):
        out = process(passage, RATE_HZ, LimiterSettings(character=name))
        line(gains, time_s[shown] - 1.0, (radius_db(out) - radius_db(passage))[shown], name)
    gains.set(xlabel="after a hit, s", ylabel="gain, dB")
    gains.legend(loc="lower right")
    tone = to_gain(5.0) * np.sin(2.0 * np.pi * 50.0 * np.arange(3 * RATE_HZ) / RATE_HZ)[:, None]
    for name in reversed(CHARACTERS):
        out = process(tone, RATE_HZ, LimiterSettings(character=name))[RATE_HZ : 2 * RATE_HZ, 0]
        heights = np.abs(np.fft.rfft(out * np.blackman(RATE_HZ)))
        line(spectrum, *tops(level_db(heights / heights.max()), 20, 5_000), name)
    over_frequency(spectrum, "of the tone, dB", -180.0, 5.0, high_hz=5_000)
    spectrum.legend(loc="upper right")
    return figure


def subsonic() -> Figure:
    """Its gain, and what it makes of an offset."""
    figure, (gains, thumps) = panels("Nothing audible is touched.", "An offset of a tenth at the start of a file.")
    freqs_hz = np.geomspace(2.0, 1000.0, POINTS)
    line(gains, freqs_hz, gain_db(SubsonicSettings(), freqs_hz))
    gains.set(xlabel="frequency, Hz", ylabel="gain, dB", xscale="log", ylim=(-40.0, 2.0))
    frequency_ticks(gains, (2, 5, 10, 16, 32, 100, 1000))
    offset = np.full((RATE_HZ // 5, 1), 0.1)
    time_ms = 1e3 * np.arange(len(offset)) / RATE_HZ
    line(thumps, time_ms, offset[:, 0], "in", color=GREY, ls="--")
    line(thumps, time_ms, process(offset, RATE_HZ, SubsonicSettings())[:, 0], "out, offset unknown")
    line(thumps, time_ms, process(offset, RATE_HZ, SubsonicSettings(offset_ratio=(0.1,)))[:, 0], "out, offset told")
    thumps.set(xlabel="time, ms", ylabel="of full scale")
    thumps.legend()
    return figure


def resampler() -> Figure:
    """The edge of the band, and what is added to a tone."""
    figure, (edge, rest) = panels("From 96 to 44.1 kHz: what passes, what folds.", "A tone of 997 Hz afterwards.")
    freqs_hz = np.arange(19_000.0, 25_001.0, 100.0)
    passed = [converted(hz).std() * np.sqrt(2.0) for hz in freqs_hz]
    line(edge, freqs_hz / 1e3, level_db(np.array(passed)))
    edge.axvline(CD_HZ / 2e3, color=GREY, ls="--", lw=1.0)
    edge.annotate("half of 44.1 kHz", (CD_HZ / 2e3 + 0.1, -20.0))
    edge.set(xlabel="frequency of a tone, kHz", ylabel="level that comes out, dB", ylim=(-220.0, 10.0))
    heights = np.abs(np.fft.rfft(converted(997.0, seconds=2.0) * np.kaiser(CD_HZ, 30.0)))
    line(rest, *tops(level_db(heights / heights.max()), 20, 20_000))
    over_frequency(rest, "of the tone, dB", -260.0, 10.0)
    return figure


def one_band(dynamics: BandDynamics) -> MultibandSettings:
    """Dynamics for everything below 5 kHz."""
    return MultibandSettings(edges_hz=(5000.0,), bands=(dynamics, BandDynamics()))


PLOTS: dict[str, Callable[[], Figure]] = {
    "splitter": splitter,
    "declipper": declipper,
    "subsonic": subsonic,
    "equaliser": equaliser,
    "parametric": parametric,
    "dynamic-equaliser": dynamic_equaliser,
    "de-esser": de_esser,
    "expander": expander,
    "multiband": multiband,
    "compressor": compressor,
    "transients": transients,
    "saturation": saturation,
    "imager": imager,
    "resampler": resampler,
    "limiter": limiter,
    "quantiser": quantiser,
    **MIX_PLOTS,
}
"""By the name of the file."""


if __name__ == "__main__":
    main(sys.argv[1:])
