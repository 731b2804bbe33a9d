"""Who is let in, and with what: every request passes here before anything is looked up.

Host and origin first (a page elsewhere, or a name that was rebound to us, gets nothing), then the session, then the role, then
for changes the token that only our own page knows, and last the body, which is bounded.
"""

from __future__ import annotations

import ipaddress
import socket
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request

from review.tokens import Person, Role, Tokens
from schemas.decoding import json_decoder

MAX_BODY = 1 << 20
CSRF = "x-lathe-csrf"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
}
"""The page's own strict content policy stands in the page; these hold for every answer."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
ANY_ADDRESS = ("0.0.0.0", "::", "")


class NotLetInError(Exception):
    """An answer that ends a request."""

    def __init__(self, status: int, text: str) -> None:
        self.status, self.text = status, text
        super().__init__(text)


class Door(Struct, frozen=True, kw_only=True):
    """Where the server answers, and to whom."""

    hosts: frozenset[str]
    """`name:port` as they may stand in Host."""
    any_address: bool = False
    """Whether any plain address is right too, with this port: it listens on all, and no name can be rebound to one."""
    port: int
    secure: bool = False
    """Whether browsers reach it by https, through a proxy."""
    local: Person | None = None
    """The one user of a server that only this machine reaches; None: everyone needs a session."""

    @property
    def cookie(self) -> str:
        """Name of the cookie: browsers send the cookies of one port to all ports of a machine."""
        return f"lathe_session_{self.port}"


def check_place(request: Request, door: Door) -> None:
    """Raises NotLetInError for a request that a page elsewhere caused, or that came by a name that is not ours."""
    host = request.headers.get("host", "").lower()
    if host not in door.hosts and not (door.any_address and _is_address(host, door.port)):
        raise NotLetInError(421, "this server does not answer to that name: use the address that it printed")
    if request.method in ("GET", "HEAD") and request.headers.get("sec-fetch-mode") == "navigate":
        return  # a link somewhere else may lead here; what it shows cannot be read there
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise NotLetInError(403, "requests from other sites are refused")
    origin = request.headers.get("origin")
    if origin is not None and origin.lower() != f"{'https' if door.secure else 'http'}://{host}":
        raise NotLetInError(403, "requests from other sites are refused")


def person_of(request: Request, door: Door, tokens: Tokens) -> tuple[Person, str]:
    """Who asks, and the session by which that is known; raises NotLetInError."""
    if door.local is not None:
        return door.local, "local"
    session = request.cookies.get(door.cookie, "")
    person = tokens.in_session(session)
    if person is None:
        raise NotLetInError(401, "open your invitation link to sign in; it may have run out")
    return person, session


def check_role(person: Person, role: Role) -> None:
    """Raises NotLetInError for somebody who may not."""
    if not person.may(role):
        raise NotLetInError(403, f"{person.name} is a {person.role} here: this takes a {role}")


def check_csrf(request: Request, expected: str) -> None:
    """Raises NotLetInError for a change that does not come from a page of ours."""
    if not compare_digest(request.headers.get(CSRF, "").encode(), expected.encode()):
        raise NotLetInError(403, f"the header {CSRF} is missing or wrong: load the page again")


async def json_body(request: Request, record: Any) -> Any:
    """The body as a record; raises NotLetInError where it is too long, of another type or wrong."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise NotLetInError(415, "send JSON, with content-type application/json")
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY:
                raise NotLetInError(413, f"a request holds at most {MAX_BODY} bytes")
    except ClientDisconnect:
        raise NotLetInError(408, "the request did not come in time") from None
    try:
        return json_decoder(record).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotLetInError(400, f"the request is not as it should be: {error}") from None


def door_of(host: str | None, port: int, address: str | None, local: Person | None) -> Door:
    """The door of a server that listens on a host (None: this machine alone), and is reached at an address by name."""
    names = set(LOOPBACK if host is None else _names(host))
    hosts = {f"{name}:{port}" for name in names} | (names if port == 80 else set())
    parts = urlsplit(address or "")
    if parts.netloc:
        hosts.add(parts.netloc.lower())
    return Door(
        hosts=frozenset(hosts),
        any_address=host in ANY_ADDRESS,
        port=port,
        secure=parts.scheme == "https",
        local=local if host is None else None,
    )


def _names(host: str) -> set[str]:
    if host in ANY_ADDRESS:
        return {socket.gethostname().lower(), socket.getfqdn().lower(), *LOOPBACK}
    return {f"[{host}]".lower() if ":" in host else host.lower()}


def _is_address(host: str, port: int) -> bool:
    name, _, told = host.rpartition(":")
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return told == str(port)
