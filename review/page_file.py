"""Puts the one HTML file of the report together: markup, sheet and script of `page/`, and the catalogue as data.

The page may run its own script and those beside it, and load nothing from elsewhere: a policy in it says so, with the hashes
of its sheet and its script.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from string import Template
from typing import Any

import msgspec

SHEETS = ("style.css", "listening.css")
SCRIPTS = (
    "dom.js",
    "address.js",
    "figures.js",
    "data.js",
    "charts.js",
    "players.js",
    "listening.js",
    "abx.js",
    "listening_view.js",
    "signoff.js",
    "deciding.js",
    "overview.js",
    "table.js",
    "albums.js",
    "distributions.js",
    "changes.js",
    "over_time.js",
    "track_cards.js",
    "mix.js",
    "track.js",
    "main.js",
)
"""In this order: each uses those before it when the page begins."""


def page_of(told: dict[str, Any]) -> str:
    """The page with a catalogue in it."""
    sheet = "\n".join(_text(name) for name in SHEETS)
    script = '"use strict";\n(() => {\n' + "\n".join(_text(name) for name in SCRIPTS) + "\n})();"
    return Template(_text("index.html")).substitute(
        policy=_policy(sheet, script),
        title="Quality control – Lathe",
        style=sheet,
        script=script,
        catalogue=_data(told),
    )


def _policy(sheet: str, script: str) -> str:
    """What the page may do; `'self'` is the folder's own server, and on a disk the disk."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' '{_hash(script)}'",
            f"style-src '{_hash(sheet)}'",
            "media-src 'self' file: blob:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _data(told: dict[str, Any]) -> str:
    """JSON that cannot end the element it stands in."""
    return msgspec.json.encode(told).decode().replace("<", "\\u003c")


def _text(name: str) -> str:
    return (files("review") / "page" / name).read_text(encoding="utf-8")
