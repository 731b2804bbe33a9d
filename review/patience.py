"""Clients that send or read a byte a second: each is cut off in time, and none holds up another.

uvicorn bounds how long a connection may be idle between requests, but not how long it may take over one; both are added here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_WITHIN_S = 10.0
"""All headers of a request."""
BODY_WITHIN_S = 20.0
"""All of a body: a megabyte at most."""
READ_WITHIN_S = 300.0
"""A piece of an answer: a player that pauses stops reading, and asks again from there on when its connection was closed."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose request does not come in time, or whose answer is not read."""

    head_within_s, read_within_s = HEAD_WITHIN_S, READ_WITHIN_S
    _request: asyncio.TimerHandle | None = None
    _answer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._request = self._stopped(self._request)
        elif not self.transport.is_closing():
            self._await_request()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._answer = self._later(self.read_within_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._answer = self._stopped(self._answer)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        # A closed connection stays open until the last bytes were taken: by some clients never.
        self._answer = self._later(self.head_within_s, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._request, self._answer = self._stopped(self._request), self._stopped(self._answer)

    def _await_request(self) -> None:
        if self._request is None:  # counts from the first byte, however many follow
            self._request = self._later(self.head_within_s, self.transport.abort)

    def _later(self, seconds: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        return self.loop.call_later(seconds, act)

    @staticmethod
    def _stopped(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
        if timer is not None:
            timer.cancel()
        return None


def bounded_in_time(app: ASGIApp, body_within_s: float) -> ASGIApp:
    """An app to which a client whose body does not come in time is gone."""

    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
        until_s, whole = asyncio.get_running_loop().time() + body_within_s, False

        async def received() -> Message:
            nonlocal whole
            if whole:
                return await receive()  # waits for the client to go
            left_s = until_s - asyncio.get_running_loop().time()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, left_s))
            except asyncio.TimeoutError:
                return {"type": "http.disconnect"}
            whole = not message.get("more_body", False)
            return message

        await app(scope, received, send)

    return bounded
