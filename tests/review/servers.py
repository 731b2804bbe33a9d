"""A review server in this process, and clients of it: one line each in a test."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from review.desk import Desk
from review.serving import Serving, bound_socket, server_of
from review.tokens import Person, Tokens, load_secret


@dataclass
class Running:
    """A server that answers."""

    desk: Desk
    port: int
    url: str

    def client(self, **options: Any) -> httpx.Client:
        """Anybody on this machine."""
        return httpx.Client(base_url=self.url, timeout=20, **options)

    def local(self) -> httpx.Client:
        """The page of the one local user."""
        client = self.client()
        client.headers["x-lathe-csrf"] = client.get("/api/session").json()["csrf"]
        return client

    def invited(self, name: str, role: str, until_s: float | None = None) -> httpx.Client:
        """The page of somebody who opened an invitation."""
        person = Person(name=name, role=role, until_s=until_s or time.time() + 1000)  # type: ignore[arg-type]
        token = Tokens(load_secret(self.desk.output)).invitation(person)
        client = self.client()
        assert client.get("/login", params={"token": token}).status_code == 200
        client.headers["x-lathe-csrf"] = client.get("/api/session").json()["csrf"]
        return client

    def open(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def say(self, content: bytes) -> bytes:
        """What is answered to bare bytes until the connection ends."""
        with self.open() as connection:
            connection.sendall(content)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


@contextmanager
def served(desk: Desk, **asked: Any) -> Iterator[Running]:
    """A server for as long as the block."""
    with bound_socket(asked.get("host"), 0) as bound:
        server, _ = server_of(desk, Serving(browser=False, **asked), bound)
        port = int(bound.getsockname()[1])
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield Running(desk, port, f"http://127.0.0.1:{port}")
        finally:
            server.should_exit = True
            thread.join(15)
            assert not thread.is_alive()
