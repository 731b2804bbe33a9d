"""Who someone is: signed tokens with a name and a role, by a secret that never leaves the output.

An invitation is a link; opening it makes a session, a cookie that lasts as long as the invitation does. Whoever removes
`OUTPUT/review/secret` ends all of them.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
from itsdangerous import BadSignature, Signer, URLSafeSerializer
from msgspec import Struct

from media import store
from review.desk import checked_name
from schemas.errors import CatalogueError
from schemas.safe_names import quoted

Role: TypeAlias = Literal["viewer", "reviewer", "operator"]
ROLES: tuple[Role, ...] = ("viewer", "reviewer", "operator")
"""Each may do what those before it may: look and listen; decide; release, and take back what others decided."""
DAY_S = 86_400
DEFAULT_DAYS = 30
SECRET_BYTES = 32


class Person(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who may do something until a moment."""

    name: str
    role: Role
    until_s: float
    """Seconds since 1970."""

    def may(self, role: Role) -> bool:
        """Whether their role reaches as far as another."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Tokens:
    """Signs and reads tokens with one secret. An invitation is no session, and no session is an invitation."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def invitation(self, person: Person) -> str:
        """What stands in a login link."""
        return self._signed("invitation", person)

    def invited(self, token: str) -> Person | None:
        """Who a login link is for; None where it is forged, foreign or too old."""
        return self._person("invitation", token)

    def session(self, person: Person) -> str:
        """What stands in the cookie."""
        return self._signed("session", person)

    def in_session(self, token: str) -> Person | None:
        """Whose cookie it is; None where it is forged, foreign or too old."""
        return self._person("session", token)

    def csrf(self, session: str) -> str:
        """What a page of ours sends with every change, and no other page can know."""
        return Signer(self._secret, salt="csrf").get_signature(session).decode()

    def _signed(self, salt: str, person: Person) -> str:
        return str(URLSafeSerializer(self._secret, salt=salt).dumps(msgspec.to_builtins(person)))

    def _person(self, salt: str, token: str) -> Person | None:
        try:
            found = msgspec.convert(URLSafeSerializer(self._secret, salt=salt).loads(token), Person)
        except (BadSignature, msgspec.ValidationError):
            return None
        return found if found.until_s > time.time() else None


def load_secret(output: str, file: str | None = None) -> bytes:
    """The secret of an output, made by the first that asks, for its owner's eyes alone; in another file where one is named."""
    if file is None and store.is_remote(output):
        # In a bucket everyone who reads masters would read it too.
        text = f"{output} is no folder of this machine, and whoever reads it would read the secret: give --secret FILE"
        raise CatalogueError("SECRET_MISSING", text)
    path = Path(file) if file else store.local_path(output) / "review" / "secret"
    try:
        if not path.exists():
            _make(path)
        found = path.read_bytes()
    except OSError as error:
        raise CatalogueError("SECRET_MISSING", f"{path} cannot be made or read: {error.strerror}") from error
    if len(found) < SECRET_BYTES:
        raise CatalogueError(
            "SECRET_MISSING", f"{path} is too short for a secret: remove it, and invite everyone again"
        )
    return found


def parsed_invitation(text: str, days: float = DEFAULT_DAYS) -> Person:
    """Somebody as `--invite NAME:ROLE` names them; raises CatalogueError."""
    name, _, role = text.rpartition(":")
    if role not in ROLES:
        raise CatalogueError("REVIEWER_INVALID", f"{quoted(text)} must be NAME:ROLE, with a role of {', '.join(ROLES)}")
    return Person(name=checked_name(name), role=role, until_s=time.time() + days * DAY_S)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".secret.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(SECRET_BYTES))
        os.close(handle)
        with suppress(FileExistsError):  # another process was faster
            store.publish(part, str(path))
    finally:
        part.unlink(missing_ok=True)
