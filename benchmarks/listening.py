#!/usr/bin/env python3
"""Prints how before and after are switched in the report, from disk and served: the gap, and how far apart the two sides are.

usage: listening.py [--switches N]

In Debian's Chromium without a screen, on a programme of 20 s. What is served is recorded as it goes to the loudspeakers: gaps are
looked for in the samples, and the distance of the two sides is where their correlation is largest. A page from disk cannot be
recorded: there the elements' own volumes and clocks are read; that these tell the truth is what the recorded elements show.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from browser import LOUDER_DB, NO_GESTURE_NEEDED, launched, served, write_listening_page, write_sounds
from whole_run import Row, print_row

SWITCHES = 50
WINDOW_S = 0.005  # more than two periods of the programme's tone
GAP_DB = -20.0  # of the median level: less is not heard as a gap
LARGEST_LAG_S = 0.05
UNIT = 1e6  # samples cross to Python as whole millionths

_OPEN = """async ([louder, decodes]) => {
  const side = (name, lufs) => ({ url: `../audio/${name}`, lufs });
  window.l = new Listening({ before: side("before.wav", -20), after: side("after.flac", -20 + louder), decodes });
  await l.opened;
  await l.play();
  await new Promise((later) => setTimeout(later, 500));
}"""
# One recorder of what is heard, one of each side before its level.
_TAP = """() => {
  const elements = l.means === "elements";
  const context = elements ? new AudioContext() : l.player.context;
  const recorder = () => new AnalyserNode(context, { fftSize: 32768 });
  window.taps = { heard: recorder(), rate: context.sampleRate };
  const sides = context.createScriptProcessor(16384, 2, 1); // both sides of one instant, which two analysers are not
  sides.onaudioprocess = ({ inputBuffer }) => {
    taps.sides = [0, 1].map((channel) => inputBuffer.getChannelData(channel).slice());
  };
  sides.connect(context.destination);
  taps.merger = context.createChannelMerger(2);
  taps.merger.connect(sides);
  if (!elements) l.player.output.connect(taps.heard);
  ["before", "after"].forEach((side, channel) => {
    const node = elements ? context.createMediaElementSource(l.player.audio[side]) : null;
    taps[side] = () => (node ?? l.player.voices[side].source).connect(taps.merger, 0, channel);
    if (!elements) return;
    taps[side]();
    node.connect(taps.heard);
    node.connect(context.destination);
  });
}"""
_SWITCH = """async () => {
  const elements = l.means === "elements" ? Object.values(l.player.audio) : [];
  const started = performance.now(), clocks = elements.map((audio) => audio.currentTime);
  await l.switchSide();
  const took = (performance.now() - started) / 1000;
  const apart = elements.length ? l.player.aheadS : 0;
  await new Promise((later) => setTimeout(later, 150 + 200 * Math.random()));
  const passed = (performance.now() - started) / 1000;
  const stood = Math.max(0, ...elements.map((audio, k) => passed - (audio.currentTime - clocks[k])));
  return { took, apart, stood };
}"""
_HEARD = """() => {
  const samples = new Float32Array(taps.heard.fftSize);
  taps.heard.getFloatTimeDomainData(samples);
  return Array.from(samples, (value) => Math.round(value * 1e6));
}"""
# Both at full volume for a moment: what an element sends on has its volume in it.
_SIDES = """async () => {
  l.seek(1 + 10 * Math.random());
  await new Promise((later) => setTimeout(later, 1000));
  if (l.means === "elements") for (const audio of Object.values(l.player.audio)) audio.volume = 1;
  else { taps.before(); taps.after(); }
  await new Promise((later) => setTimeout(later, 1000)); // two buffers of the recorder
  if (l.means === "elements") l.player.renewVolumes();
  return taps.sides.map((samples) => Array.from(samples, (value) => Math.round(value * 1e6)));
}"""
_LOOP = """async ([start, end]) => {
  l.loop(start, end);
  const until = performance.now() + 1000 * (end - start) + 350;
  let latest = 0;
  while (performance.now() < until) {
    latest = Math.max(latest, l.positionS);
    await new Promise((later) => setTimeout(later, 5));
  }
  return latest - end;
}"""


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--switches", type=int, default=SWITCHES)
    switches = parser.parse_args().switches
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launched(playwright, NO_GESTURE_NEEDED)
        for row in figures(browser, Path(folder), switches):
            print_row(row)
        browser.close()


def figures(browser: Browser, folder: Path, switches: int) -> Iterator[Row]:
    """All rows, as they are measured."""
    page = write_listening_page(folder)
    write_sounds(folder / "audio")
    yield Row("figure", "asked", "measured")
    yield from from_disk(browser, page.as_uri(), switches)
    with served(folder) as root:
        for decodes, means in ((False, "elements"), (True, "samples")):
            yield from recorded(browser, f"{root}page/index.html", decodes, means, switches)


def from_disk(browser: Browser, address: str, switches: int) -> Iterator[Row]:
    """What the two elements of a page from disk tell of themselves."""
    page = _opened(browser, address, decodes=False)
    seen = [page.evaluate(_SWITCH) for _ in range(switches)]
    yield _row("from disk: a switch takes", "under 30 ms", [one["took"] for one in seen])
    yield _row(
        "from disk: sides apart at a switch, by their clocks", "within 10 ms", [abs(one["apart"]) for one in seen]
    )
    yield _row("from disk: a clock stands still over a switch", "under 30 ms", [one["stood"] for one in seen])
    page.close()


def recorded(browser: Browser, address: str, decodes: bool, means: str, switches: int) -> Iterator[Row]:
    """What was recorded of a served page."""
    page = _opened(browser, address, decodes)
    page.evaluate(_TAP)
    page.wait_for_timeout(1000)  # until the recorders are full
    rate_hz = float(page.evaluate("taps.rate"))
    gaps = [_gap_at_switch_s(page, rate_hz) for _ in range(switches)]
    yield _row(f"served, {means}: gap at a switch, recorded", "under 30 ms", gaps)
    apart = [_apart_s(page, rate_hz) for _ in range(max(1, switches // 5))]
    yield _row(f"served, {means}: sides apart, by correlation", "within 10 ms", [abs(one) for one in apart])
    turns = [_turned(page, rate_hz, means) for _ in range(max(1, switches // 5))]
    yield _row(f"served, {means}: loop played past its end", "-", [max(0.0, past) for past, _ in turns])
    if means == "elements":
        yield _row(f"served, {means}: gap where a loop turns, recorded", "-", [gap for _, gap in turns])
    page.close()


def longest_gap_s(samples: np.ndarray[Any, Any], rate_hz: float) -> float:
    """The longest stretch that is 20 dB below the median level; 0 where there is none.

    >>> tone = np.sin(np.arange(16_000) * 0.06)
    >>> tone[5_000:7_000] = 0.0
    >>> round(longest_gap_s(tone, 48_000.0), 3)
    0.042
    """
    window = round(WINDOW_S * rate_hz)
    power = np.convolve(np.square(samples), np.ones(window) / window, mode="valid")
    quiet = np.concatenate([[False], power < np.median(power) * 10 ** (GAP_DB / 10.0), [False]])
    edges = np.flatnonzero(np.diff(quiet.astype(int)))
    runs = edges[1::2] - edges[::2]
    return float(runs.max() + window) / rate_hz if len(runs) else 0.0


def lag_s(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any], rate_hz: float) -> float:
    """How much later the other one has what the one has: by their differences, for a tone alone leads correlation astray.

    >>> noise = np.random.default_rng(1).standard_normal(9_000)
    >>> round(lag_s(noise[100:8_100], noise[52:8_052], 48_000.0), 6)
    0.001
    """
    a, b = np.diff(one), np.diff(other)
    spectrum = np.fft.rfft(b, 2 * len(b)) * np.conj(np.fft.rfft(a, 2 * len(a)))
    most = round(LARGEST_LAG_S * rate_hz)
    correlation = np.fft.irfft(spectrum)
    near = np.concatenate([correlation[-most:], correlation[: most + 1]])
    return float(np.argmax(near) - most) / rate_hz


def _opened(browser: Browser, address: str, decodes: bool) -> Page:
    page = browser.new_page()
    page.goto(address)
    page.evaluate(_OPEN, [LOUDER_DB, decodes])
    return page


def _gap_at_switch_s(page: Page, rate_hz: float) -> float:
    if page.evaluate("l.positionS") > 15.0:
        page.evaluate("async () => { l.seek(1); await new Promise((later) => setTimeout(later, 1000)); }")
    page.evaluate(_SWITCH)
    return longest_gap_s(_heard(page), rate_hz)


def _apart_s(page: Page, rate_hz: float) -> float:
    before, after = (np.asarray(samples) / UNIT for samples in page.evaluate(_SIDES))
    return lag_s(before, after, rate_hz)


def _turned(page: Page, rate_hz: float, means: str) -> tuple[float, float]:
    past = float(page.evaluate(_LOOP, [5.0, 6.0]))
    gap = longest_gap_s(_heard(page), rate_hz) if means == "elements" else 0.0
    page.evaluate("() => l.unloop()")
    return past, gap


def _heard(page: Page) -> np.ndarray[Any, Any]:
    return np.asarray(page.evaluate(_HEARD)) / UNIT


def _row(figure: str, asked: str, seconds: Sequence[float]) -> Row:
    told = f"{1000 * float(np.median(seconds)):.1f} ms, worst of {len(seconds)}: {1000 * max(seconds):.1f} ms"
    return Row(figure, asked, told)


if __name__ == "__main__":
    main()
