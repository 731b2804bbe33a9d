"""The log of a run: words as ever, or one JSON object a line, with the ids of run and track; on stderr, in every process.

Field names are those of Cloud Logging. A line stays below what a pipe takes in one piece, so that processes which share a stderr
never cut into each other's lines.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any

from schemas.steps import Rejected, Speech

LATHE = logging.getLogger("lathe")
"""What Lathe itself says; a logger of its own, because each runner sets up the others as it likes."""
TRACKS = logging.getLogger("lathe.tracks")
LONGEST_BYTES = 4096
"""PIPE_BUF of Linux: what is written to a pipe in one piece."""
WORDS = "%(levelname)s %(name)s: %(message)s"
RELAYED = r'message: "{\"severity\"'
"""How a line of a worker looks that Beam's local runner brings to the driver: the worker has written it to stderr itself."""
SILENT = logging.CRITICAL + 1
_SETTING_UP = threading.Lock()
_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("about", default=MappingProxyType({}))


@contextmanager
def about(**ids: str) -> Iterator[None]:
    """Whatever this thread logs within the block is about this run, track, album, stage."""
    token = _ABOUT.set({**_ABOUT.get(), **ids})
    try:
        yield
    finally:
        _ABOUT.reset(token)


def speak(speech: Speech) -> None:
    """Makes this process speak as asked; a process that does so already is left as it is."""
    with _SETTING_UP:
        if _speaks(speech):
            return
        voice = _Voice(speech)
        LATHE.handlers, LATHE.propagate = [voice], False
        LATHE.setLevel(logging.INFO)
        TRACKS.setLevel(speech.level.upper() or (logging.WARNING if speech.as_json else SILENT))
        if speech.as_json:
            _speak_json_everywhere(speech)


def speaks_json() -> bool:
    """Whether this process was made to speak JSON."""
    return any(isinstance(voice, _Voice) and voice.speech.as_json for voice in LATHE.handlers)


class _Voice(logging.StreamHandler):
    """Speaks on stderr, and knows how it was asked to."""

    def __init__(self, speech: Speech) -> None:
        super().__init__(sys.stderr)
        self.speech = speech
        self.setFormatter(JsonLine() if speech.as_json else logging.Formatter(WORDS))


def _speaks(speech: Speech) -> bool:
    asked = any(isinstance(voice, _Voice) and voice.speech == speech for voice in LATHE.handlers)
    return asked and (not speech.as_json or all(_is_json(one) for one in logging.getLogger().handlers))


def _speak_json_everywhere(speech: Speech) -> None:
    """Also what libraries log; the handlers of a runner stay, and carry the same lines wherever they carry them."""
    logging.captureWarnings(True)
    root = logging.getLogger()
    for other in root.handlers:
        other.setFormatter(JsonLine())
        other.addFilter(is_news)
    if not any(isinstance(other, logging.StreamHandler) for other in root.handlers):
        voice = _Voice(speech)
        voice.setLevel(logging.WARNING)  # runners let their workers chat
        root.addHandler(voice)


def _is_json(handler: logging.Handler) -> bool:
    return isinstance(handler.formatter, JsonLine)


def is_news(record: logging.LogRecord) -> bool:
    """Whether a line was not written already by the worker that it comes from."""
    return RELAYED not in record.getMessage()


def tell_rejected(rejected: Rejected, run_id: str) -> None:
    """The one line about a track that is rejected."""
    ids = {"run_id": run_id, "track_id": rejected.track_id, "album_id": rejected.album_id}
    fields = {**ids, "stage": rejected.stage, "code": rejected.code}
    words = (rejected.track_id, rejected.stage, rejected.code, rejected.text)
    TRACKS.warning("track %s is rejected at %s: %s: %s", *words, extra={"fields": fields})


class JsonLine(logging.Formatter):
    """A record as one JSON object in ASCII: no title can break a line, or speak to a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        told = {"severity": record.levelname, "time": _time(record), "message": "", "logger": record.name}
        told |= {**_ABOUT.get(), **getattr(record, "fields", {})}
        return _fitted(told, self._message(record))

    def _message(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        return f"{message}\n{self.formatException(record.exc_info)}" if record.exc_info else message


def json_line(text: str, severity: str = "INFO") -> str:
    """Words that are no record of a log, as a line like the others."""
    now = datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return _fitted({"severity": severity, "time": now, "message": "", "logger": "lathe"}, text)


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, timezone.utc)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _fitted(told: dict[str, Any], message: str) -> str:
    """With as much of a message as fits: its beginning, and its end, where a trace tells the error."""
    line, kept = json.dumps(told | {"message": message}), len(message)
    while len(line) >= LONGEST_BYTES and kept:
        kept = 3 * kept // 4
        cut = f"{message[: kept - kept // 2]} [...] {message[len(message) - kept // 2 :]}"
        line = json.dumps(told | {"message": cut})
    return line
