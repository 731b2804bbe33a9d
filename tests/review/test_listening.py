"""Before and after are heard at the same instant and at equal loudness, from disk and served; a blind test is blind."""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from scipy.stats import binomtest

from tests.review.browsing import Watch, watched

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
browser: Any = importlib.import_module("browser")
independent: Any = importlib.import_module("independent")

LOUDNESS_TOLERANCE_LU = 0.1  # asked for in print
TOGETHER_S = 0.010
SWITCH_S = 0.030
pytestmark = pytest.mark.timeout(60)
SILENT = 1e-4  # 80 dB down
SECONDS = 20.0
PLACES = ("disk", "served")
OPEN = """async (sides) => {
  window.changes = 0;
  window.l = new Listening({ ...sides, onchange: () => { window.changes += 1; } });
  await l.opened;
  return [l.state, l.sentence];
}"""
VIEW = """async (track) => {
  window.view = listeningView(document.getElementById("room"), track);
  document.addEventListener("keydown", (event) => view.key(event));
  window.l = view.listening;
  await l.opened;
}"""
HEARD = """() => { // by the volumes, or by the gains
  const { player } = l;
  const level = (side) => player.means === "elements" ? player.audio[side].volume : player.voices[side].gain.gain.value;
  return { before: level("before"), after: level("after"), means: player.means };
}"""
LOUDNESS = """async () => { // of the last third of a second that was sent to the loudspeakers
  const analyser = new AnalyserNode(l.player.context, { fftSize: 16384 });
  l.player.output.connect(analyser);
  await new Promise((resolve) => setTimeout(resolve, 600));
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A bare page and the same programme before and after."""
    made = tmp_path_factory.mktemp("listening")
    browser.write_listening_page(made)
    browser.write_sounds(made / "audio", SECONDS)
    return made


@pytest.fixture(scope="module")
def addresses(folder) -> Iterator[dict[str, str]]:
    """Of the page, from disk and served."""
    with browser.served(folder) as root:
        yield {"disk": (folder / "page" / "index.html").as_uri(), "served": f"{root}page/index.html"}


def lufs(path: Path) -> float:
    """Integrated loudness by libebur128."""
    return float(independent.pooled_lufs([path]))


def both(folder: Path, after: str = "after.flac") -> dict[str, Any]:
    """What the engine is told of the two files."""
    names = {"before": "before.wav", "after": after}
    return {
        side: {"url": f"../audio/{name.replace(' ', '%20')}", "lufs": lufs(folder / "audio" / name)}
        for side, name in names.items()
    }


def track(folder: Path) -> dict[str, Any]:
    """What the controls are told."""
    sides = both(folder)
    labelled = {side: {**sides[side], "label": side.capitalize()} for side in sides}
    moments = [{"at_s": 8.0, "text": 'Mains hum </script><b>"'}]
    return {**labelled, "duration_s": SECONDS, "loudest_s": 3.0, "moments": moments}


@pytest.fixture(params=PLACES)
def playing(request, sounding_page, addresses, folder) -> Any:
    """A page that plays, from disk and served."""
    sounding_page.goto(addresses[request.param])
    assert sounding_page.evaluate(OPEN, both(folder)) == ["ready", ""]
    sounding_page.evaluate("() => l.play()")
    assert sounding_page.evaluate("l.means") == {"disk": "elements", "served": "samples"}[request.param]
    return sounding_page


def test_time_goes_on_while_it_plays_and_stands_while_it_is_paused(playing):
    first = playing.evaluate("l.positionS")
    playing.wait_for_timeout(1000)
    second = playing.evaluate("l.positionS")
    assert 0.7 < second - first < 1.6
    assert playing.evaluate("l.pause(), l.state") == "paused"
    third = playing.evaluate("l.positionS")
    playing.wait_for_timeout(300)
    assert third == pytest.approx(playing.evaluate("l.positionS"), abs=1e-3)


def test_the_two_sides_are_equally_loud(playing, folder):
    sides = both(folder)
    assert sides["after"]["lufs"] - sides["before"]["lufs"] == pytest.approx(browser.LOUDER_DB, abs=0.1)
    heard = {}
    for side in ("before", "after"):
        playing.evaluate("(side) => l.hear(side)", side)
        playing.wait_for_timeout(100)
        levels = playing.evaluate(HEARD)
        assert [one for one in ("before", "after") if levels[one] > SILENT] == [side]
        heard[side] = sides[side]["lufs"] + 20.0 * math.log10(levels[side])
    assert heard["before"] == pytest.approx(heard["after"], abs=LOUDNESS_TOLERANCE_LU)
    told = f"both at {sides['before']['lufs']:.1f} LUFS: after turned down by "
    assert playing.evaluate("l.levels.told").startswith(told)


def test_a_switch_keeps_the_position_and_is_done_at_once(playing):
    playing.wait_for_timeout(500)
    seen = playing.evaluate("""async () => {
        const seen = [];
        for (let k = 0; k < 9; k++) {
            const started = performance.now(), from = l.positionS;
            await l.switchSide();
            const took = (performance.now() - started) / 1000;
            const apart = l.means === "elements" ? Math.abs(l.player.aheadS) : 0;
            await new Promise((later) => setTimeout(later, 150));
            const stood = (performance.now() - started) / 1000 - (l.positionS - from);
            seen.push({ took, apart, stood: Math.abs(stood) });
        }
        return seen;
    }""")
    assert max(one["apart"] for one in seen) < TOGETHER_S
    assert median(one["took"] for one in seen) < SWITCH_S
    assert (
        median(one["stood"] for one in seen) < SWITCH_S
    )  # volume 0 would take the element off the sound card and back


def test_what_is_served_makes_sound_and_as_much_on_both_sides(sounding_page, addresses, folder):
    sounding_page.goto(addresses["served"])
    sounding_page.evaluate(OPEN, both(folder))
    sounding_page.evaluate("() => l.play()")
    loudness = []
    for side in ("before", "after"):
        sounding_page.evaluate("(side) => l.hear(side)", side)
        loudness.append(20.0 * math.log10(sounding_page.evaluate(LOUDNESS)))
    assert loudness[0] > -40.0
    assert loudness[0] == pytest.approx(loudness[1], abs=LOUDNESS_TOLERANCE_LU)
    sounding_page.evaluate("() => l.player.hush(true)")
    assert sounding_page.evaluate(LOUDNESS) == 0.0


def test_what_is_heard_from_disk_is_neither_muted_nor_paused(sounding_page, addresses, folder):
    sounding_page.goto(addresses["disk"])
    sounding_page.evaluate(OPEN, both(folder))
    sounding_page.evaluate("() => l.play()")
    states = "() => Object.values(l.player.audio).flatMap((audio) => [audio.muted, audio.paused])"
    assert sounding_page.evaluate(states) == [False] * 4


def test_the_silent_side_comes_back_beside_the_heard_one(sounding_page, addresses, folder):
    sounding_page.goto(addresses["disk"])
    sounding_page.evaluate(OPEN, both(folder))
    sounding_page.evaluate("() => l.play()")
    together = """async (away) => { // seconds until the two have stayed together for a while
        const heard = l.player.audio[l.player.heard], started = performance.now();
        l.player.silent.currentTime = heard.currentTime + away;
        let since = performance.now();
        while (performance.now() < since + 400 && performance.now() < started + 6000) {
            await new Promise((next) => setTimeout(next, 10));
            if (l.player.seeking() || Math.abs(l.player.aheadS) > 0.010) since = performance.now();
        }
        return [(since - started) / 1000, heard.playbackRate];
    }"""
    for away in (0.06, -0.06, 1.0):
        took_s, rate = sounding_page.evaluate(together, away)
        assert 0.0 < took_s < 4.0
        assert rate == 1


def test_a_loop_stays_inside(playing):
    start, end = 5.0, 5.6
    playing.evaluate("([start, end]) => l.loop(start, end)", [start, end])
    playing.wait_for_timeout(300)
    positions = playing.evaluate("""async () => {
        const seen = [];
        for (let k = 0; k < 200; k++) { seen.push(l.positionS); await new Promise((next) => setTimeout(next, 10)); }
        return seen;
    }""")
    assert start - 0.01 <= min(positions)
    assert max(positions) < end + 0.06  # elements turn by a timer
    turns = sum(later < earlier - 0.2 for earlier, later in pairwise(positions))
    assert turns >= 2
    playing.evaluate("() => l.seek(12)")
    assert playing.evaluate("l.span") is None
    assert playing.evaluate("l.positionS") == pytest.approx(12.0, abs=0.1)


def test_it_stops_at_the_end_and_begins_again(playing):
    playing.evaluate("(at) => l.seek(at)", SECONDS - 0.5)
    playing.wait_for_timeout(1200)
    assert playing.evaluate("l.state") == "paused"
    assert playing.evaluate("l.positionS") == pytest.approx(SECONDS, abs=0.05)
    playing.evaluate("() => l.play()")
    playing.wait_for_timeout(200)
    assert playing.evaluate("l.positionS") < 1.0


@pytest.mark.parametrize("place", PLACES)
def test_a_master_at_another_rate_is_heard_at_the_same_second(place, sounding_page, addresses, folder):
    sounding_page.goto(addresses[place])
    sounding_page.evaluate(OPEN, both(folder, "after 48.flac"))
    sounding_page.evaluate("() => l.play()")
    sounding_page.evaluate("() => l.seek(9)")
    sounding_page.wait_for_timeout(800)
    before = sounding_page.evaluate("l.positionS")
    sounding_page.evaluate("() => l.switchSide()")
    after = sounding_page.evaluate("l.positionS")
    assert 9.5 < before <= after + TOGETHER_S < before + 0.2
    assert sounding_page.evaluate("l.durationS") == pytest.approx(SECONDS, abs=0.01)


@pytest.mark.parametrize("place", PLACES)
def test_a_side_that_is_missing_is_named_and_the_other_one_plays(place, sounding_page, addresses, folder, watch):
    watch.allow("Failed to load resource")  # the browser's own word about a missing file
    sounding_page.goto(addresses[place])
    sides = both(folder)
    sides["before"]["url"] = "../audio/gone%20away.flac"
    state, sentence = sounding_page.evaluate(OPEN, sides)
    assert state == "ready"
    assert sentence.startswith('The before side cannot be played: there is no file "gone away.flac"')
    sounding_page.evaluate("() => l.play()")
    sounding_page.wait_for_timeout(300)
    assert (sounding_page.evaluate("l.side"), sounding_page.evaluate("l.state")) == ("after", "playing")
    sounding_page.evaluate("() => l.switchSide()")
    assert sounding_page.evaluate("l.side") == "after"


def test_a_format_that_no_browser_plays_is_named(sounding_page, addresses, folder, watch):
    (folder / "audio" / "source.aiff").write_bytes(b"FORM")
    sides = {"before": {"url": "../audio/source.aiff", "lufs": -20.0}, "after": {"url": None, "lufs": -14.0}}
    sounding_page.goto(addresses["disk"])
    state, sentence = sounding_page.evaluate(OPEN, sides)
    assert state == "error"
    assert "The before side cannot be played: browsers do not play AIFF." in sentence
    assert "The after side cannot be played: no file of it is within reach." in sentence


@pytest.mark.parametrize("place", PLACES)
def test_play_that_the_browser_refuses_is_told(place, page, addresses, folder):
    # From a script of the page itself: what Playwright evaluates counts as a gesture.
    sides = json.dumps(both(folder))
    page.add_init_script(f"addEventListener('load', async () => {{ await ({OPEN})({sides}); window.l.play(); }})")
    page.goto(addresses[place])
    page.wait_for_timeout(2500)
    assert page.evaluate("l.state") == "error"
    assert "press play again" in page.evaluate("l.sentence")


def test_too_long_a_track_is_played_by_elements_also_when_served(sounding_page, addresses, folder):
    sounding_page.goto(addresses["served"])
    sounding_page.evaluate(OPEN, both(folder))
    length = "Object.defineProperty(l.player, 'durationS', { get: () => 3600 })"
    sounding_page.evaluate(f"() => {{ {length}; return l.play(); }}")
    assert (sounding_page.evaluate("l.state"), sounding_page.evaluate("l.means")) == ("playing", "elements")


def test_a_silent_file_is_played_as_it_is(page, addresses):
    page.goto(addresses["disk"])
    told = page.evaluate("equalLevels(-14, null)")
    assert told == {"before": 1, "after": 1, "told": "levels as they are: the after side has no loudness"}


@pytest.mark.parametrize("place", PLACES)
def test_a_reviewer_hears_both_sides_with_the_keyboard(place, page, addresses, folder):
    page.goto(addresses[place])
    page.evaluate(VIEW, track(folder))
    page.locator("h1").click()
    page.keyboard.press("Space")
    page.get_by_role("status").filter(has_text="Playing: Before.").wait_for()
    page.keyboard.press("x")
    page.get_by_role("status").filter(has_text="Playing: After.").wait_for()
    pressed = page.get_by_role("button", name="After", exact=True).get_attribute("aria-pressed")
    assert pressed == "true"
    page.get_by_role("slider", name="Position").focus()
    page.keyboard.press("PageUp")
    page.wait_for_timeout(200)
    assert page.evaluate("l.positionS") > 14.0
    assert page.get_by_role("slider").get_attribute("aria-valuetext").endswith("of 0:20")
    page.get_by_role("button", name="Loop 0:08 Mains hum").click()
    page.wait_for_timeout(200)
    assert 6.0 <= page.evaluate("l.positionS") < 7.5
    page.keyboard.press("x")  # also while a button has the focus
    assert page.evaluate("l.side") == "before"


def test_a_click_into_the_drawing_goes_there_and_followers_are_told(page, addresses, folder):
    page.goto(addresses["disk"])
    page.evaluate(VIEW, track(folder))
    page.evaluate(
        "() => { window.told = []; view.onposition((seconds) => told.push(seconds)); view.seekFraction(0.5); }"
    )
    assert page.evaluate("told.at(-1)") == pytest.approx(SECONDS / 2, abs=0.05)
    page.get_by_role("slider").click(position={"x": 1, "y": 5})
    assert page.evaluate("told.at(-1)") < 1.0


@pytest.mark.parametrize("state", ["at rest", "in a blind test"])
def test_the_controls_break_no_rule_of_accessibility(state, page, addresses, folder, violations):
    page.goto(addresses["disk"])
    page.evaluate(VIEW, track(folder))
    page.get_by_text("Blind test (ABX)").click()
    if state == "in a blind test":
        page.get_by_role("button", name="Begin").click()
        page.get_by_role("button", name="X is A").wait_for()
    assert violations(page) == []


def test_the_checker_of_accessibility_finds_what_is_broken(page, addresses, violations):
    page.goto(addresses["disk"])
    page.evaluate("() => document.getElementById('room').append(document.createElement('button'))")
    assert any(told.startswith("button-name") for told in violations(page))


def test_nothing_on_the_page_tells_which_side_x_is(page, addresses, folder):
    page.goto(addresses["disk"])
    page.evaluate(VIEW, track(folder))
    page.get_by_text("Blind test (ABX)").click()
    page.get_by_role("button", name="Begin").click()
    moving = '/--listen-at:[^;]*;|aria-value\\w+="[^"]*"|[0-9]:[0-9]+ of 0:20/g'
    room = f'() => document.getElementById("room").outerHTML.replace({moving}, "")'
    seen: dict[str, set[str]] = {"before": set(), "after": set()}
    for _ in range(60):
        page.evaluate("() => view.blind.test.sideOf('X') === l.side || view.blind.play('X')")
        page.wait_for_timeout(120)
        side = page.evaluate("l.side")
        seen[side].add(page.evaluate(room))
        if seen["before"] and seen["after"]:
            break
        page.evaluate("() => { view.blind.test = new Abx(); view.blind.play('X'); }")
        page.wait_for_timeout(120)
    assert seen["before"] == seen["after"]
    assert "Playing: X." in seen["before"].pop()


def test_a_blind_test_ends_with_its_score_and_cannot_be_answered_again(page, addresses, folder):
    page.goto(addresses["disk"])
    page.evaluate(VIEW, track(folder))
    page.get_by_text("Blind test (ABX)").click()
    page.get_by_role("button", name="Begin").click()
    for trial in range(12):
        page.get_by_text(f"Trial {trial + 1} of 12.").wait_for()
        right = page.evaluate("view.blind.test.sideOf('X') === 'before' ? 'A' : 'B'")
        page.get_by_role("button", name=f"X is {right}").click()
    page.get_by_text("12 of 12 right, p < 0.001: you hear a difference.").wait_for()
    assert page.get_by_role("button", name="X is A").count() == 0
    again = "() => { try { view.blind.test.answer('A'); } catch (error) { return error.message; } }"
    assert page.evaluate(again) == "the test is over: its answers stand"
    changed = (
        "() => { 'use strict'; try { view.blind.test.trials[0].answer = 'B'; } catch (error) { return error.name; } }"
    )
    assert page.evaluate(changed) == "TypeError"


def test_a_blind_switch_is_as_silent_where_nothing_is_switched(sounding_page, addresses, folder):
    sounding_page.goto(addresses["disk"])
    sounding_page.evaluate(OPEN, both(folder))
    sounding_page.evaluate("() => l.play()")
    sounding_page.wait_for_timeout(1000)
    took = [
        sounding_page.evaluate(
            """async (side) => {
                const started = performance.now(), switching = l.hearBlindly(side);
                const volumes = Object.values(l.player.audio).map((audio) => audio.volume);
                await switching;
                return [...volumes, performance.now() - started];
            }""",
            side,
        )
        for side in ("before", "before", "after", "before")
    ]
    assert all(max(one[:2]) < SILENT for one in took)
    assert max(one[2] for one in took) - min(one[2] for one in took) < 30


def test_the_probability_of_guessing_is_the_binomial_one(page, addresses):
    page.goto(addresses["disk"])
    pairs = [
        (right, asked) for asked in (*range(1, 26), 100, 1000, 3000) for right in range(0, asked + 1, 1 + asked // 25)
    ]
    told = page.evaluate("(pairs) => pairs.map(([right, asked]) => guessedAtLeast(right, asked))", pairs)
    for (right, asked), p in zip(pairs, told, strict=True):
        assert binomtest(right, asked, 0.5, alternative="greater").pvalue == pytest.approx(p, rel=1e-9, abs=1e-300)


def test_x_is_drawn_without_a_lean(page, addresses):
    page.goto(addresses["disk"])
    drawn = page.evaluate(
        "() => { const test = new Abx(2000); while (!test.done) test.answer('A'); return test.trials.map(({ x }) => x); }"
    )
    assert len(drawn) == 2000
    assert binomtest(drawn.count("A"), 2000, 0.5).pvalue > 1e-6  # one in a million runs fails by chance
    assert binomtest(sum(a == b for a, b in pairwise(drawn)), 1999, 0.5).pvalue > 1e-6


def test_the_score_is_not_told_before_the_end(page, addresses):
    page.goto(addresses["disk"])
    told = page.evaluate("""() => {
        const test = new Abx(3, () => "after"), words = [];
        for (const answer of ["B", "A", "B"]) { words.push(test.told, test.trials.length); test.answer(answer); }
        return [...words, test.told];
    }""")
    expected = ["Trial 1 of 3.", 0, "Trial 2 of 3.", 0, "Trial 3 of 3.", 0]
    assert told == [*expected, "2 of 3 right, p = 0.5: no better than guessing could be."]


def test_a_test_that_is_stopped_says_so(page, addresses):
    page.goto(addresses["disk"])
    told = page.evaluate(
        "() => { const test = new Abx(12, () => 'before'); test.answer('A'); test.stop(); return test.told; }"
    )
    assert told == "1 of 1 right, p = 0.5: no better than guessing could be. Stopped after 1 of 12."


def test_a_page_that_errs_or_calls_outside_is_caught(sounding_chromium, folder):
    watch = Watch()
    pages = watched(sounding_chromium, watch)
    page = next(pages)
    copy = folder / "page" / "loose.html"
    copy.write_text(
        "<!doctype html><title>x</title><img src='http://192.0.2.1/x.png'><script>console.error('oh'); nothing()</script>"
    )
    page.goto(copy.as_uri(), wait_until="commit")
    page.wait_for_timeout(500)
    next(pages, None)
    assert {told.split(":")[0] for told in watch.faults} == {"console", "page", "outside"}
