"""Fixtures of the tests of review: a private PostgreSQL, and a browser (`browsing.py`)."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sql

from tests.review.browsing import chromium as chromium
from tests.review.browsing import page as page
from tests.review.browsing import playwright as playwright
from tests.review.browsing import sounding_chromium as sounding_chromium
from tests.review.browsing import sounding_page as sounding_page
from tests.review.browsing import violations as violations
from tests.review.browsing import watch as watch
from tests.review.mastered import mastered as mastered
from tests.review.mastered import mastered_once as mastered_once

UNPRIVILEGED = ("postgres", "nobody")
"""PostgreSQL refuses to run as root."""


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of an empty database on a PostgreSQL of our own, on the loopback address alone."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="lathe-postgresql-"))
    as_user = _as_unprivileged(folder)
    port = _free_port()
    data, log = folder / "data", folder / "log"
    try:
        _run(as_user, programs / "initdb", "-D", data, "-U", "lathe", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off -c max_connections=50"
        _run(as_user, programs / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
        yield f"postgresql://lathe@127.0.0.1:{port}/postgres"
    finally:
        if data.exists():
            _run(as_user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str | None:
    """Each of both databases: None for SQLite in the output, a URL for PostgreSQL."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgresql")
    return url


def raw(url: str) -> sql.Engine:
    """The database as anybody reaches it, past Lathe."""
    return sql.create_engine(url.replace("postgresql://", "postgresql+pg8000://"))


def _programs() -> Path:
    if found := shutil.which("initdb"):
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not versions:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    return versions[-1].parent


def _as_unprivileged(folder: Path) -> list[str]:
    if os.getuid():
        return []
    for name in UNPRIVILEGED:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return ["runuser", "-u", name, "--"]
    pytest.skip("PostgreSQL does not run as root, and there is no other user")


def _run(as_user: list[str], *words: object, check: bool = True) -> None:
    done = subprocess.run([*as_user, *map(str, words)], capture_output=True, text=True, cwd="/", timeout=120)
    assert not check or done.returncode == 0, done.stdout + done.stderr


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
