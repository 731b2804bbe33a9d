"""The review server: report, audio and decisions of one output, for people with names.

Nothing below OUTPUT is served by its path: the report and its data have fixed names, audio is named by track and side. Work that
may block is done in threads of a bounded number.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar

import msgspec
from anyio import CapacityLimiter, to_thread
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from media import store
from pipeline.run_records import run_record, seconds_of
from review import report
from review.desk import MAX_ASKED, Asked, Desk, ForbiddenError, RefusedError
from review.guard import (
    HEADERS,
    Door,
    NotLetInError,
    check_csrf,
    check_place,
    check_role,
    json_body,
    person_of,
)
from review.pages import asked_again, page
from review.patience import BODY_WITHIN_S, bounded_in_time
from review.playing import Player
from review.release import release, released_text
from review.state import TrackState
from review.tokens import Person, Role, Tokens
from schemas.errors import CatalogueError

T = TypeVar("T")
WORKERS = 16
"""Threads for decisions and the report."""
_DATA, _NUMBER = re.compile(r"[0-9a-f]{16}\.js"), re.compile(r"[0-9]{1,18}")
Answer: TypeAlias = Callable[[Request, Person], Awaitable[Response]]


class Undo(Struct, frozen=True, kw_only=True):
    """What `/api/undo` takes."""

    numbers: tuple[int, ...]


class Site:
    """What is served of one output."""

    def __init__(self, desk: Desk, door: Door, tokens: Tokens) -> None:
        self._desk, self._door, self._tokens = desk, door, tokens
        self._player = Player(desk)
        self._workers = CapacityLimiter(WORKERS)
        self._reporting, self._releasing = asyncio.Lock(), asyncio.Lock()

    def app(self) -> ASGIApp:
        """As an ASGI application."""
        app = Starlette(
            routes=[
                Route("/", self._for("viewer", self._report), methods=["GET"]),
                Route("/login", self._login, methods=["GET"]),
                Route("/tracks/{name}", self._for("viewer", self._data), methods=["GET"]),
                Route("/audio", self._for("viewer", self._audio), methods=["GET"]),
                Route("/api/session", self._for("viewer", self._session), methods=["GET"]),
                Route("/api/decisions", self._for("viewer", self._decisions), methods=["GET"]),
                Route("/api/decisions", self._for("reviewer", self._decide), methods=["POST"]),
                Route("/api/undo", self._for("reviewer", self._undo), methods=["POST"]),
                Route("/api/release", self._for("operator", self._release), methods=["POST"]),
            ],
        )
        return _with_headers(bounded_in_time(app, BODY_WITHIN_S))

    def _for(self, role: Role, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for those who may, with every refusal in words."""

        async def guarded(request: Request) -> Response:
            try:
                check_place(request, self._door)
                person, session = person_of(request, self._door, self._tokens)
                check_role(person, role)
                if request.method == "POST":
                    check_csrf(request, self._tokens.csrf(session))
                return await answer(request, person)
            except NotLetInError as error:
                return _refusal(request, error.status, error.text)
            except RefusedError as error:
                return _json({"error": str(error), "problems": error.found}, 409)
            except CatalogueError as error:
                return _refusal(request, _status(error), str(error))
            except OSError as error:
                return _refusal(
                    request, 503, f"the output cannot be read or written: {error.strerror or error}; try again later"
                )

        return guarded

    async def _login(self, request: Request) -> Response:
        try:
            check_place(request, self._door)
        except NotLetInError as error:
            return page("Not let in", error.text, error.status)
        person = self._tokens.invited(request.query_params.get("token", ""))
        if person is None or self._door.local is not None:
            return page("Not signed in", "This link is not valid, or has run out: ask for another one.", 403)
        # The browser sends no strict cookie where a link elsewhere leads, so this page leads on from here.
        answer = page("Signed in", f"You are {person.name}, {person.role}.", leads_to="/")
        answer.set_cookie(
            self._door.cookie,
            self._tokens.session(person),
            max_age=int(person.until_s - time.time()),
            httponly=True,
            samesite="strict",
            secure=self._door.secure,
        )
        return answer

    async def _report(self, request: Request, person: Person) -> Response:
        async with self._reporting:
            content = await self._in_thread(self._written_report)
        return Response(content, media_type="text/html", headers={"Cache-Control": "no-cache"})

    def _written_report(self) -> bytes:
        output, uri = self._desk.output, store.join(self._desk.output, "report", "index.html")
        try:
            made_s = store.size_and_change(uri)[1]
        except FileNotFoundError:
            made_s = 0.0
        record = run_record(output, self._desk.catalogue.run_id or "")
        if made_s < seconds_of(record["ended"]) if "ended" in record else not made_s:
            report.write_report(output)
        return store.read_bytes(uri)

    async def _data(self, request: Request, person: Person) -> Response:
        name = request.path_params["name"]
        if not _DATA.fullmatch(name):
            raise NotLetInError(404, "there is no such page")
        try:
            content = await self._in_thread(
                partial(store.read_bytes, store.join(self._desk.output, "report", "tracks", name))
            )
        except OSError:
            raise NotLetInError(404, "there is no such page") from None
        return Response(content, media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    async def _audio(self, request: Request, person: Person) -> Response:
        return await self._player.answer(request)

    async def _session(self, request: Request, person: Person) -> Response:
        session = "local" if self._door.local is not None else request.cookies[self._door.cookie]
        run_id = await self._in_thread(lambda: self._desk.catalogue.run_id)
        return _json(
            {
                "reviewer": person.name,
                "role": person.role,
                "csrf": self._tokens.csrf(session),
                "two_person": self._desk.two_person,
                "run": run_id,
            }
        )

    async def _decisions(self, request: Request, person: Person) -> Response:
        after = request.query_params.get("after", "0")
        if not _NUMBER.fullmatch(after):
            raise NotLetInError(400, "after must be the number of a decision")
        return await self._in_thread(partial(self._decisions_after, int(after)))

    def _decisions_after(self, number: int) -> Response:
        states = {track_id: one for track_id, one in self._desk.states().items() if one.state != "open"}
        decisions = self._desk.decisions.all()[number:]  # they are numbered from 1, without gaps
        return _json({"run": self._desk.catalogue.run_id, "decisions": decisions, "states": _told(states)})

    async def _decide(self, request: Request, person: Person) -> Response:
        asked: tuple[Asked, ...] = await json_body(request, tuple[Asked, ...])
        if len(asked) > MAX_ASKED:
            raise NotLetInError(413, f"at most {MAX_ASKED} decisions at once")
        added = await self._in_thread(partial(self._desk.decide, asked, person.name))
        return await self._in_thread(partial(self._changed, added))

    async def _undo(self, request: Request, person: Person) -> Response:
        asked: Undo = await json_body(request, Undo)
        undo = partial(self._desk.undo, asked.numbers, person.name, operator=person.may("operator"))
        return await self._in_thread(partial(self._changed, await self._in_thread(undo)))

    def _changed(self, added: list[Any]) -> Response:
        states = self._desk.states({one.track_id for one in added})
        return _json({"added": added, "states": _told(states)})

    async def _release(self, request: Request, person: Person) -> Response:
        await json_body(request, dict[str, Any])
        if self._releasing.locked():  # each would wait in a thread of its own
            raise NotLetInError(409, "a release is under way: wait until it is done")
        async with self._releasing:
            found = await self._in_thread(partial(release, self._desk))
        return _json({**msgspec.to_builtins(found), "text": released_text(found)})

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await to_thread.run_sync(work, limiter=self._workers)


def _told(states: dict[str, TrackState]) -> dict[str, dict[str, Any]]:
    """States without the whole of each decision: those are told once, with their numbers."""
    return {
        track_id: {
            "state": one.state,
            "last": one.last.number if one.last else None,
            "approvals": [approval.number for approval in one.approvals],
        }
        for track_id, one in states.items()
    }


def _status(error: CatalogueError) -> int:
    if isinstance(error, ForbiddenError):
        return 403
    return 503 if error.code == "DATABASE_UNUSABLE" else 409


def _refusal(request: Request, status: int, text: str) -> Response:
    if request.url.path == "/":
        title = "Not signed in" if status == 401 else "Not now"
        # Where a link elsewhere leads here, browsers keep the strict cookie back; asked for by a page of ours, they send it.
        kept_back = status == 401 and request.headers.get("sec-fetch-site") == "cross-site"
        return asked_again(title, text, status) if kept_back else page(title, text, status)
    return _json({"error": text}, status)


def _json(content: Any, status: int = 200) -> Response:
    return Response(
        msgspec.json.encode(content), status, media_type="application/json", headers={"Cache-Control": "no-store"}
    )


def _with_headers(app: ASGIApp) -> ASGIApp:
    """The same app, whose every answer has the headers of `guard`; one that has its own keeps it."""

    async def with_headers(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *(one for one in added if one[0] not in there)]
            await send(message)

        await app(scope, receive, sent)

    return with_headers
