#!/usr/bin/env python3
"""Takes the pictures of the report for README and docs, into `pictures`, from a run of `make demo`.

usage: report_pictures.py OUTPUT    (the output of the demo; needs Chromium, and the extra `test`)
"""

from __future__ import annotations

import sys
from pathlib import Path
from shutil import which

from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
VIEWS = {
    "overview": "",
    "tracks": "view=tracks",
    "album": "view=albums&album=harbour-lights",
    "track": "view=track&track=QZLTH2600010",
    "mix": "view=track&track=first-take",
}
"""Name of a picture -> what the address says: Red Light is the demo's worst track with a master, First Take its mix."""
WIDTH, HEIGHT = 1280, 860


def main() -> None:
    """Takes all of them."""
    report = Path(sys.argv[1]).resolve() / "report" / "index.html"
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        for name, view in VIEWS.items():
            take(page, f"{report.as_uri()}#{view}", PICTURES / f"{name}.png")
        browser.close()


def take(page: Page, address: str, path: Path) -> None:
    """One picture, of what is seen without scrolling."""
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("html[data-ready]", state="attached")
    if "track=" in address:
        page.wait_for_selector(".listen-state:has-text('Ready')")
    page.screenshot(path=path, animations="disabled")


if __name__ == "__main__":
    main()
