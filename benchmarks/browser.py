"""Debian's Chromium under Playwright, a server of byte ranges on the loopback address, a bare page with only the listening in it.

For benchmarks and tests of what people see and hear. Chromium without a screen and without a sound device plays to nowhere at the
true pace, in audio elements and in WebAudio alike (tried with 156: 1 s of media in 1 s): time that stands still there is a fault
of the page.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import numpy as np
import soundfile
from playwright.sync_api import Browser, Playwright

PAGE = Path(__file__).parents[1] / "review" / "page"
LISTENING_FILES = ("dom.js", "listening.js", "players.js", "abx.js", "listening_view.js")
EXPORTED = "Listening, ElementPlayer, BufferPlayer, Abx, equalLevels, guessedAtLeast, drawnSide, listeningView"
POLICY = "default-src 'none'; script-src '{script}'; style-src '{style}'; media-src 'self'; connect-src 'self'; img-src data:"
NO_GESTURE_NEEDED = "--autoplay-policy=no-user-gesture-required"
RATE_HZ = 44_100
LOUDER_DB = 6.0


def chromium_path() -> str | None:
    """Where the system's Chromium is; no browser is ever downloaded."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def launched(playwright: Playwright, *args: str) -> Browser:
    """Starts the system's Chromium without a window; root may not use its sandbox."""
    path = chromium_path()
    if path is None:
        raise SystemExit("no Chromium on this machine: apt-get install chromium")
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return playwright.chromium.launch(executable_path=path, args=[*sandbox, *args])


def is_outside(url: str) -> bool:
    """Whether a request leaves the machine, or the page itself."""
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ws", "wss"):
        return parts.hostname not in ("127.0.0.1", "localhost", "::1")
    return parts.scheme not in ("file", "data", "blob", "about")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serves a folder with byte ranges on the loopback address; yields the address of its root, with a slash at the end."""

    class Ranges(_Ranges):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, directory=str(folder), **more)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ranges)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


class _Ranges(SimpleHTTPRequestHandler):
    """Files with byte ranges, without which a browser cannot seek in audio."""

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def send_head(self) -> BytesIO | BinaryIO | None:
        path = Path(self.translate_path(self.path))
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not path.is_file() or asked is None:
            return super().send_head()
        whole = path.read_bytes()
        first, last = int(asked[1]), min(int(asked[2] or len(whole) - 1), len(whole) - 1)
        if first >= len(whole):
            self.send_error(416)
            return None
        self.send_response(206)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(whole)}")
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        return BytesIO(whole[first : last + 1])


def write_listening_page(folder: Path) -> Path:
    """A page of nothing but the listening, under a policy as strict as the report's; its names are put on `window`."""
    script = "\n".join((PAGE / name).read_text(encoding="utf-8") for name in LISTENING_FILES)
    script = script.replace("</script", "<\\/script")  # also in a comment it would end the script
    script = f'(() => {{ "use strict";\n{script}\nObject.assign(window, {{ {EXPORTED} }});\n}})();'
    style = _LOOK + (PAGE / "listening.css").read_text(encoding="utf-8")
    policy = POLICY.format(script=_digest(script), style=_digest(style))
    path = folder / "page" / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_HTML.format(policy=policy, style=style, script=script), encoding="utf-8")
    return path


def write_sounds(folder: Path, seconds: float = 20.0) -> dict[str, Path]:
    """The same programme twice: a tone, soft noise and a click each second; after is louder by 6 dB, once also at 48 kHz."""
    folder.mkdir(parents=True, exist_ok=True)
    quiet = _programme(seconds)
    loud = quiet * 10 ** (LOUDER_DB / 20.0)
    files = {"before": (quiet, RATE_HZ, "before.wav"), "after": (loud, RATE_HZ, "after.flac")}
    files["after_48"] = (_resampled(loud), 48_000, "after 48.flac")
    for audio, rate_hz, name in files.values():
        soundfile.write(folder / name, audio, rate_hz, subtype="PCM_24")
    return {side: folder / name for side, (_, _, name) in files.items()}


def _programme(seconds: float) -> np.ndarray[Any, Any]:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    mono = 0.05 * np.sin(2.0 * np.pi * 440.0 * time_s) + 0.01 * np.random.default_rng(1).standard_normal(len(time_s))
    mono[::RATE_HZ] = 0.4
    return np.repeat(mono[:, None], 2, axis=1)


def _resampled(audio: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import soxr

    return np.asarray(soxr.resample(audio, RATE_HZ, 48_000))


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_LOOK = """
:root { --paper: #fbfaf7; --raised: #fff; --ink: #1c1b19; --muted: #5c5953; --line: #d9d5cc;
  --accent: #1f5fa8; --on-accent: #fff; --fail: #a3221c;
  color: var(--ink); background: var(--paper); font: 15px system-ui; }
"""
_HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">
<link rel="icon" href="data:,"><title>Listening</title><style>{style}</style></head>
<body><main><h1>Listening</h1><div id="room"></div></main><script>{script}</script></body></html>
"""
