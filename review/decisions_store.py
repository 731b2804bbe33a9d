"""The decisions of an output, kept for ever: SQLite beside them, or PostgreSQL for reviewers on several machines.

Rows are only ever added; the database itself refuses to change or delete one. Several outputs may share one PostgreSQL, and
several processes one SQLite file on a local disk.
"""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import msgspec
import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from media import store
from schemas.decoding import json_decoder
from schemas.errors import CatalogueError
from schemas.signoff import SignOff

PATIENCE_S = 30.0
"""How long one writer waits for another: decisions are written in milliseconds."""
ASKED_EVERY_S = 0.2
Decide = Callable[[Sequence[SignOff]], Sequence[SignOff]]
"""All decisions so far -> those to add, without numbers; what it raises adds nothing."""

_TABLES = sql.MetaData()
_SIGNOFFS = sql.Table(
    "lathe_signoffs",
    _TABLES,
    sql.Column("catalogue", sql.String(64), primary_key=True),
    sql.Column("number", sql.BigInteger, primary_key=True, autoincrement=False),
    # For people who look into the database; what counts is the record.
    sql.Column("at", sql.Text, nullable=False),
    sql.Column("reviewer", sql.Text, nullable=False),
    sql.Column("track_id", sql.Text, nullable=False),
    sql.Column("word", sql.Text, nullable=False),
    sql.Column("record", sql.Text, nullable=False),
)
_REFUSAL = "sign-offs are only ever added, never changed or deleted"
_GUARDS = {
    "sqlite": [
        f"CREATE TRIGGER lathe_signoffs_no_{verb} BEFORE {verb} ON lathe_signoffs "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION lathe_signoffs_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
        "CREATE TRIGGER lathe_signoffs_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON lathe_signoffs "
        "FOR EACH STATEMENT EXECUTE FUNCTION lathe_signoffs_refuse()",
    ],
}


class Decisions:
    """The decisions of one output; many threads and processes may share them."""

    def __init__(self, output: str, database: str | None = None) -> None:
        self._output = output
        self._engine = _engine(output, database)
        self._known: list[SignOff] = []
        self._lock = threading.Lock()
        with _told(self._engine):
            self._made()
            self._catalogue = self._named()

    def all(self) -> list[SignOff]:
        """Every decision, the oldest first."""
        with _told(self._engine), self._engine.connect() as connection:
            return self._read(connection)

    def add(self, decide: Decide) -> list[SignOff]:
        """Adds what `decide` makes of the decisions so far, with numbers; no other writer comes between."""
        with self.alone() as (known, insert):
            return insert(decide(known))

    @contextmanager
    def alone(self) -> Iterator[tuple[Sequence[SignOff], Callable[[Sequence[SignOff]], list[SignOff]]]]:
        """All decisions, and a way to add some, while no other process adds any."""
        with _told(self._engine), self._writing() as connection:
            known = self._read(connection)
            yield known, lambda added: self._insert(connection, known, added)

    @contextmanager
    def exclusive(self, purpose: str) -> Iterator[None]:
        """Waits until no other process does the same with this output's decisions; one that dies lets go."""
        if self._engine.dialect.name == "sqlite":
            with Path(f"{self._engine.url.database}.{purpose}").open("a") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            return
        digest = sha256(f"{self._catalogue} {purpose}".encode()).digest()
        number = int.from_bytes(digest[:8], "big", signed=True)
        with _told(self._engine), self._engine.connect() as connection:
            # Asked for again and again: one long question would end with the patience of the connection.
            while not connection.scalar(sql.select(sql.func.pg_try_advisory_xact_lock(number))):
                time.sleep(ASKED_EVERY_S)
            yield

    @property
    def catalogue_id(self) -> str:
        """Names the output among others that share a database, wherever it is moved."""
        return self._catalogue

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def _read(self, connection: sql.Connection) -> list[SignOff]:
        # Only what is new is read: no decision ever changes, and numbers rise without gaps.
        with self._lock:
            known = self._known
            wanted = sql.select(_SIGNOFFS.c.record).where(
                _SIGNOFFS.c.catalogue == self._catalogue, _SIGNOFFS.c.number > len(known)
            )
            decode = json_decoder(SignOff).decode
            new = [decode(record) for record in connection.scalars(wanted.order_by(_SIGNOFFS.c.number))]
            self._known = [*known, *new] if new else known
            return self._known

    def _insert(self, connection: sql.Connection, known: Sequence[SignOff], added: Sequence[SignOff]) -> list[SignOff]:
        numbered = [
            msgspec.structs.replace(one, number=number) for number, one in enumerate(added, start=len(known) + 1)
        ]
        if numbered:
            connection.execute(sql.insert(_SIGNOFFS), [self._row(one) for one in numbered])
        return numbered

    def _row(self, one: SignOff) -> dict[str, object]:
        shown = {name: _shown(getattr(one, name)) for name in ("at", "reviewer", "track_id", "word")}
        return {
            "catalogue": self._catalogue,
            "number": one.number,
            "record": msgspec.json.encode(one).decode(),
            **shown,
        }

    def _made(self) -> None:
        """Makes the table and what guards it, in one transaction: who finds the table finds it guarded."""
        if sql.inspect(self._engine).has_table(_SIGNOFFS.name):
            return
        with self._engine.execution_options(writes=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('lathe_signoffs'))")
            if sql.inspect(connection).has_table(_SIGNOFFS.name):
                return
            _TABLES.create_all(connection, checkfirst=False)
            for statement in _GUARDS[connection.dialect.name]:
                connection.exec_driver_sql(statement)

    def _named(self) -> str:
        """The name of this output, which the first that asks gives it."""
        uri = store.join(self._output, "review", "catalogue_id")
        with suppress(FileNotFoundError):
            return store.read_bytes(uri).decode().strip()
        with self._writing():
            if not store.exists(uri):
                store.write_bytes(uri, uuid4().hex.encode())
            return store.read_bytes(uri).decode().strip()

    @contextmanager
    def _writing(self) -> Iterator[sql.Connection]:
        """A transaction with no other writer beside it."""
        with self._engine.execution_options(writes=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("LOCK TABLE lathe_signoffs IN SHARE ROW EXCLUSIVE MODE")
            yield connection


def _engine(output: str, database: str | None) -> sql.Engine:
    if database is None:
        return _sqlite(sql.URL.create("sqlite", database=str(_beside(output))))
    try:
        url = sql.make_url(database)
    except (ArgumentError, ValueError):
        raise _wrong("the text given") from None  # it may hold a password
    if url.drivername in ("postgresql", "postgres", "postgresql+pg8000"):
        url = url.set(drivername="postgresql+pg8000")
        return sql.create_engine(url, pool_pre_ping=True, connect_args={"timeout": PATIENCE_S})
    if url.drivername == "sqlite" and url.database:
        return _sqlite(url)
    raise _wrong(url.render_as_string(hide_password=True))


def _wrong(shown: str) -> CatalogueError:
    text = f"{shown} is no database for decisions: give postgresql://USER:PASSWORD@HOST/NAME, or sqlite:///FILE"
    return CatalogueError("DATABASE_UNUSABLE", text)


def _beside(output: str) -> Path:
    if store.is_remote(output):
        text = f"{output} is no folder of this machine, so SQLite cannot lie in it: give --database postgresql://..."
        raise CatalogueError("DATABASE_UNUSABLE", text)
    folder = store.local_path(output) / "review"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        text = f"{folder} cannot be made: {error.strerror}; give --database, or write access"
        raise CatalogueError("DATABASE_UNUSABLE", text) from error
    return folder / "decisions.sqlite"


def _sqlite(url: sql.URL) -> sql.Engine:
    engine = sql.create_engine(url, connect_args={"timeout": PATIENCE_S})

    def connected(connection: object, _: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # SQLAlchemy begins transactions, see below
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # a decision that was confirmed outlives a power cut
        cursor.close()

    def begun(connection: sql.Connection) -> None:
        # A writer takes its turn before it reads: what it decides by cannot change under it.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    sql.event.listen(engine, "connect", connected)
    sql.event.listen(engine, "begin", begun)
    return engine


def _shown(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL holds no NUL


@contextmanager
def _told(engine: sql.Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        where = engine.url.render_as_string(hide_password=True)
        text = f"the decisions in {where} cannot be reached: {getattr(error, 'orig', None) or error}"
        raise CatalogueError("DATABASE_UNUSABLE", text) from error
