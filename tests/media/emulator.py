"""Google Cloud Storage on this machine, with faults: an emulator, and a proxy before it that fails as it is told to.

The proxy also holds the preconditions that the emulator ignores, so that a client that relies on them is tested in earnest.
"""

from __future__ import annotations

import json
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest

EVERY_KIND = ("503", "reset", "lost", "cut", "broken", "slow")
SLOW_S = 0.2
_REFUSED = b'{"error": {"code": 412, "message": "a precondition did not hold"}}'
_GONE = b'{"error": {"code": 404, "message": "no such generation"}}'
_ASKED_TO_WAIT = b'{"error": {"code": 503, "message": "try again"}}'


class Faults(NamedTuple):
    """Which requests fail, and how.

    503: refused. reset: the connection breaks before anything is done. lost: it breaks when all is done. cut: the answer
    ends half-way. broken: the connection breaks half-way. wrong: a bit of the answer is another. slow: it takes its time.
    """

    rate: float = 1.0
    kinds: tuple[str, ...] = EVERY_KIND
    only: str = ""
    """A pattern of `METHOD path?query bucket/o/name`; the others never fail."""
    at_most: int = 1_000_000
    seed: int = 0


class Asked(NamedTuple):
    """A request as it came in, and what became of it."""

    what: str
    range: str
    fault: str
    status: int = 0


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class FaultyStore:
    """The proxy; `asked` tells of every request, `before` is called with each."""

    def __init__(self, emulator_port: int) -> None:
        self._emulator_port = emulator_port
        self._lock = threading.RLock()
        self._uploads: dict[str, tuple[str, str]] = {}
        self._answered: dict[tuple[str, str], Answer] = {}
        self.heal()

    def heal(self) -> None:
        """No faults any more, and nothing asked so far."""
        self.asked: list[Asked] = []
        self.before: Callable[[str], None] = lambda what: None
        self.fail(Faults(rate=0.0))

    def fail(self, faults: Faults) -> None:
        self._faults, self._drawn, self._random = faults, 0, random.Random(faults.seed)

    def draw(self, what: str) -> str:
        """The fault of the next request; empty for none."""
        with self._lock:
            faults = self._faults
            if not re.search(faults.only, what) or self._drawn >= faults.at_most:
                return ""
            if self._random.random() >= faults.rate:
                return ""
            self._drawn += 1
            return self._random.choice(faults.kinds)

    def told(self, method: str, url: str, body: bytes) -> str:
        """A request in one line: what it asks, and of which object."""
        upload_id = _one(parse_qs(urlsplit(url).query), "upload_id")
        name, _ = self._uploads.get(upload_id) or (_object(method, url, body), "")
        return f"{method} {unquote(url)} {name}"

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the emulator says, once the preconditions hold."""
        with self._lock:
            upload_id = _one(parse_qs(urlsplit(url).query), "upload_id")
            piece = (upload_id, headers.get("content-range", ""))
            if upload_id and piece in self._answered:  # a client that missed an answer asks again
                return self._answered[piece]
            refusal = self._refusal(method, url, body, upload_id)
            if refusal is not None:
                return refusal
            answer = self._forward(method, url, headers, body)
            if upload_id and answer.status < 400:
                self._answered[piece] = answer
            if "uploadType=resumable" in url and not upload_id:
                began = _one(parse_qs(urlsplit(answer.headers["Location"]).query), "upload_id")
                self._uploads[began] = (_object(method, url, body), url)
            return answer

    def _refusal(self, method: str, url: str, body: bytes, upload_id: str) -> Answer | None:
        name, condition_url = self._uploads.get(upload_id) or (_object(method, url, body), url)
        query = parse_qs(urlsplit(condition_url).query)
        expected, generation = _one(query, "ifGenerationMatch"), _one(query, "generation")
        source = _one(query, "sourceGeneration")
        if source and source != self._generation(_split(url)[0]):
            return Answer(404, {}, _GONE)
        if generation and method == "GET" and generation != self._generation(name):
            return Answer(404, {}, _GONE)
        if expected and expected != self._generation(name):
            return Answer(412, {}, _REFUSED)
        return None

    def _generation(self, name: str) -> str:
        bucket, _, inside = name.partition("/o/")
        answer = self._forward("GET", f"/storage/v1/b/{bucket}/o/{quote(inside, safe='')}", {}, b"")
        return str(json.loads(answer.body)["generation"]) if answer.status == 200 else "0"

    def _forward(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        connection = HTTPConnection("127.0.0.1", self._emulator_port, timeout=30)
        connection.request(method, url, body, {k: v for k, v in headers.items() if k != "connection"})
        answer = connection.getresponse()
        found = Answer(answer.status, dict(answer.getheaders()), answer.read())
        connection.close()
        return found


def _object(method: str, url: str, body: bytes) -> str:
    """`bucket/o/name` of the object that a request would write or read."""
    _, name = _split(url)
    if not url.startswith("/upload/"):
        return name
    told = _one(parse_qs(urlsplit(url).query), "name")
    first = re.search(rb"\{.*?\}", body, re.DOTALL)
    if not told and first:
        told = str(json.loads(first[0]).get("name", ""))
    return f"{name.removesuffix('/o')}/o/{told}"


def _split(url: str) -> tuple[str, str]:
    """The source and the target of a request as `bucket/o/name`; both the same but for a rewrite."""
    path = unquote(urlsplit(url).path.partition("/b/")[2])
    source, _, target = path.partition("/rewriteTo/b/")
    return source, target or source


def _one(query: Mapping[str, list[str]], key: str) -> str:
    return query.get(key, [""])[0]


def _handler(store: FaultyStore) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            what = store.told(self.command, self.path, body)
            store.before(what)
            fault = store.draw(what)
            if fault == "reset":
                answer = None
            elif fault == "503":
                answer = Answer(503, {}, _ASKED_TO_WAIT)
            else:
                answer = store.answer(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            status = answer.status if answer else 0
            store.asked.append(Asked(what, self.headers.get("Range", ""), fault, status))
            if answer is None or fault == "lost":
                self._reset()
            else:
                self._say(answer, fault)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815

        def _say(self, answer: Answer, fault: str) -> None:
            body = answer.body
            if fault == "slow":
                time.sleep(SLOW_S)
            if fault == "wrong" and body:
                body = bytes([body[0] ^ 1]) + body[1:]
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in ("content-length", "server", "date"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if fault in ("cut", "broken") else body)
            if fault == "broken":
                self._reset()

        def _reset(self) -> None:
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

        def log_message(self, *words: Any) -> None:
            pass

    return Handler


@contextmanager
def running() -> Iterator[FaultyStore]:
    """An empty bucket `gs://music` for this process alone, behind a proxy without faults so far."""
    pytest.importorskip("gcp_storage_emulator")
    port = _free_port()
    where = ["--host", "127.0.0.1", "--port", str(port), "--in-memory", "--default-bucket", "music"]
    command = [sys.executable, "-m", "gcp_storage_emulator", "start", *where]
    emulator = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        store = FaultyStore(port)
        proxy = ThreadingHTTPServer(("127.0.0.1", 0), _handler(store))
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{proxy.server_address[1]}")
            patch.setenv("GOOGLE_CLOUD_PROJECT", "test")
            # Without this Beam looks for credentials for 25 s before it goes on without them.
            patch.setattr("apache_beam.internal.gcp.auth._Credentials._credentials_init", True)
            yield store
        proxy.shutdown()
        proxy.server_close()
    finally:
        emulator.terminate()
        emulator.wait(10)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the emulator does not answer")
