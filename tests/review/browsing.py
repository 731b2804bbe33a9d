"""A real browser for the tests of what people see and hear: Debian's Chromium, driven by Playwright, never a downloaded one.

`page` is what a reviewer has; `sounding_page` may also play without a click, for tests that call the engine by themselves. Both
fail their test on an error in the console, an exception in the page, or a request that leaves the machine. The page's policy
holds for tests too: `page.wait_for_function` with a string is blocked by it, `page.evaluate` and waiting for selectors work; what
Playwright evaluates counts as a click.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
PATIENCE_MS = 15_000


@dataclass
class Watch:
    """What a page did that it should not; what a test provokes on purpose is allowed by a part of its text."""

    seen: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def allow(self, part: str) -> None:
        """Lets through what holds these words."""
        self.allowed.append(part)

    @property
    def faults(self) -> list[str]:
        """What was seen and not allowed."""
        return [told for told in self.seen if not any(part in told for part in self.allowed)]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    """Playwright's driver."""
    api: Any = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    with api.sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def chromium(playwright: Any) -> Iterator[Any]:
    """Chromium as a reviewer has it: nothing plays before a click."""
    yield from _launched(playwright)


@pytest.fixture(scope="module")
def sounding_chromium(playwright: Any) -> Iterator[Any]:
    """Chromium that plays without a click."""
    yield from _launched(playwright, "--autoplay-policy=no-user-gesture-required")


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fails the test if a page did what it should not."""
    kept = Watch()
    yield kept
    assert not kept.faults, "\n".join(kept.faults)


@pytest.fixture
def page(chromium: Any, watch: Watch) -> Iterator[Any]:
    """A fresh page, watched."""
    yield from watched(chromium, watch)


@pytest.fixture
def sounding_page(sounding_chromium: Any, watch: Watch) -> Iterator[Any]:
    """A fresh page that may play without a click, watched."""
    yield from watched(sounding_chromium, watch)


@pytest.fixture
def violations() -> Callable[[Any], list[str]]:
    """Asks axe-core about a page: each rule that is broken, with what breaks it."""
    axe: Any = pytest.importorskip("axe_playwright_python.base", reason="needs the package axe-playwright-python")

    def asked(page: Any) -> list[str]:
        page.evaluate(axe.AXE_SCRIPT)  # past the content policy, as a debugger's console is
        found = page.evaluate("() => axe.run().then((told) => told.violations)")
        return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]

    return asked


def _launched(playwright: Any, *args: str) -> Iterator[Any]:
    browser: Any = importlib.import_module("browser")
    if browser.chromium_path() is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    started = browser.launched(playwright, *args)
    yield started
    started.close()


def watched(browser: Any, watch: Watch) -> Iterator[Any]:
    """A fresh page whose faults are kept."""
    outside: Callable[[str], bool] = importlib.import_module("browser").is_outside
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    context.on("console", lambda said: said.type == "error" and watch.seen.append(f"console: {said.text}"))
    context.on("weberror", lambda told: watch.seen.append(f"page: {told.error}"))
    context.on("request", lambda made: outside(made.url) and watch.seen.append(f"outside: {made.url}"))
    yield context.new_page()
    context.close()
