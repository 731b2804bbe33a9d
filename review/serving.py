"""Starts the review server on a socket, says where it is, and ends it on Ctrl-C."""

from __future__ import annotations

import errno
import getpass
import os
import socket
import sys
import threading
import webbrowser

import uvicorn
from msgspec import Struct

from review.desk import Desk
from review.guard import ANY_ADDRESS, door_of
from review.patience import PatientProtocol
from review.server import Site
from review.tokens import Person, Tokens, load_secret
from schemas.errors import CatalogueError

PORT = 8765
"""Used where it is free and none is asked for: so that a bookmark stays right."""
BACKLOG = 512
CONNECTIONS = 1_000
"""Open at once; more are told to come again."""
KEEP_ALIVE_S = 15
LAST_WORDS_S = 2
"""How long answers may go on after Ctrl-C."""
HEAD_BYTES = 32_768


class Serving(Struct, frozen=True, kw_only=True):
    """How a server was asked for."""

    host: str | None = None
    """None: this machine alone."""
    port: int | None = None
    address: str | None = None
    """Where browsers reach it, if a proxy stands before it."""
    secret: str | None = None
    """File of what sessions are signed with, if not in the output."""
    reviewer: str | None = None
    browser: bool = True


def serve(desk: Desk, asked: Serving) -> int:
    """Serves until Ctrl-C; returns the exit code."""
    bound = bound_socket(asked.host, asked.port)
    server, where = server_of(desk, asked, bound)
    print(f"review of {desk.output}\n  {where}\n  ends with Ctrl-C", file=sys.stderr, flush=True)
    if asked.browser and asked.host is None and _has_screen():
        threading.Thread(target=webbrowser.open, args=(where,), daemon=True).start()
    try:
        server.run(sockets=[bound])
    except KeyboardInterrupt:
        pass  # asked for
    finally:
        bound.close()
    return 0


def server_of(desk: Desk, asked: Serving, bound: socket.socket) -> tuple[uvicorn.Server, str]:
    """A server on a socket, and where it is."""
    port = int(bound.getsockname()[1])
    local = Person(name=asked.reviewer or login_name(), role="operator", until_s=float("inf"))
    door = door_of(asked.host, port, asked.address, local)
    # A server that only this machine reaches forgets its secret when it ends: nobody signs in there.
    tokens = Tokens(os.urandom(32) if asked.host is None else load_secret(desk.output, asked.secret))
    config = uvicorn.Config(
        Site(desk, door, tokens).app(),
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # anyone could write them
        limit_concurrency=CONNECTIONS,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=LAST_WORDS_S,
        h11_max_incomplete_event_size=HEAD_BYTES,
    )
    return uvicorn.Server(config), reached_at(asked, port)


def reached_at(asked: Serving, port: int) -> str:
    """The address that a browser is given."""
    if asked.address:
        return asked.address.rstrip("/") + "/"
    host = "127.0.0.1" if asked.host is None else asked.host
    if host in ANY_ADDRESS:
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def bound_socket(host: str | None, port: int | None) -> socket.socket:
    """A socket that listens; the usual port where it is free, unless one is asked for. Raises CatalogueError."""
    try:
        return _bound(host, PORT if port is None else port)
    except OSError as error:
        if port is None and error.errno == errno.EADDRINUSE:
            return _bound(host, 0)
        text = f"cannot listen on {host or '127.0.0.1'}, port {port or PORT}: {error.strerror}; give another --host or --port"
        raise CatalogueError("ADDRESS_UNUSABLE", text) from error


def login_name() -> str:
    """The name of whoever started this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        return f"user {os.getuid()}"


def invitation_link(output: str, person: Person, asked: Serving) -> str:
    """A link that signs somebody in."""
    token = Tokens(load_secret(output, asked.secret)).invitation(person)
    return f"{reached_at(asked, asked.port or PORT)}login?token={token}"


def _bound(host: str | None, port: int) -> socket.socket:
    found = socket.getaddrinfo(host or "127.0.0.1", port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def _has_screen() -> bool:
    """Whether a browser can open a window; elsewhere one might take over the terminal."""
    if not sys.stderr.isatty():
        return False
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
