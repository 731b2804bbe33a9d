"""Answers with the sound of a track: whole, or the byte range that a player asks for; in blocks, each read in a thread."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from review.desk import Desk
from review.guard import NotLetInError
from review.ranges import UnsatisfiableError, byte_range
from review.sounds import AlteredError, Sound, Verified, uri_of

T = TypeVar("T")
READERS = 8
"""Threads that read audio: decisions have their own, and never wait for these."""


class Player:
    """The sounds of one output."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._verified = desk, Verified()
        self._readers = CapacityLimiter(READERS)

    async def answer(self, request: Request) -> Response:
        """The sound that a request names by `track` and `side`; a request never names a path."""
        sound = await self._in_thread(partial(self._opened, *_asked(request)))
        try:
            return self._answer(request, sound)
        except BaseException:
            sound.close()
            raise

    def _opened(self, track_id: str, side: str) -> Sound:
        track = self._desk.catalogue.standing().get(track_id)
        place = uri_of(self._desk.output, track, side) if track else None
        if place is None:
            raise NotLetInError(404, "there is no such track, or no such delivery of it")
        try:
            return Sound(*place, self._verified)
        except AlteredError:
            text = "this file was changed since the newest run, or a run is replacing it: load the report again later"
            raise NotLetInError(409, text) from None
        except OSError as error:
            raise NotLetInError(404, f"the file cannot be read: {error.strerror or 'its store failed'}") from None

    def _answer(self, request: Request, sound: Sound) -> Response:
        headers = {"ETag": sound.etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
        if sound.etag in request.headers.get("if-none-match", ""):
            sound.close()
            return Response(status_code=304, headers=headers)
        try:
            found = byte_range(_range_header(request, sound.etag), sound.size)
        except UnsatisfiableError:
            sound.close()
            return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{sound.size}"})
        start, end = found or (0, sound.size)
        if found:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{sound.size}"
        headers |= {"Content-Length": str(end - start), "Content-Type": sound.media_type}
        status = 206 if found else 200
        if request.method == "HEAD":
            sound.close()
            return Response(status_code=status, headers=headers)
        return _Playing(self._blocks(sound, start, end), sound, status, headers)

    async def _blocks(self, sound: Sound, start: int, end: int) -> AsyncIterator[bytes]:
        blocks: Iterator[bytes] = sound.blocks(start, end)
        while block := await self._in_thread(lambda: next(blocks, b"")):
            yield block

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await to_thread.run_sync(work, limiter=self._readers)


class _Playing(StreamingResponse):
    """Lets go of its file also where the client went away."""

    def __init__(self, blocks: AsyncIterator[bytes], sound: Sound, status: int, headers: dict[str, str]) -> None:
        super().__init__(blocks, status_code=status, headers=headers)
        self._sound = sound

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._sound.close()


def _asked(request: Request) -> tuple[str, str]:
    asked: Any = request.query_params
    if set(asked) - {"track", "side", "sha256"} or "track" not in asked or "side" not in asked:
        raise NotLetInError(400, "give track=ID and side=source or the name of a delivery")
    return asked["track"], asked["side"]


def _range_header(request: Request, etag: str) -> str | None:
    """The range that is asked for, unless it was asked of another version of the file."""
    condition = request.headers.get("if-range")
    return request.headers.get("range") if condition in (None, etag) else None
