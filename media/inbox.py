"""Looks into a folder for manifests, and knows each by its content."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from hashlib import sha256

from media import store
from media.ledger import fingerprint
from media.manifest import KINDS


def manifests(folder: str) -> list[str]:
    """The manifests that lie in a folder itself, not below it, by name; hidden ones are still being written.

    A name that is no text is left out. A folder that cannot be read at the moment holds none.
    """
    try:
        if store.is_remote(folder):
            inside = [uri for uri in store.list_files(folder) if "/" not in uri[len(folder.rstrip("/")) + 1 :]]
        else:
            root = os.path.abspath(store.local_path(folder))
            inside = [entry.path for entry in os.scandir(root) if entry.is_file() and not entry.name.startswith(".")]
    except OSError as error:
        logging.getLogger(__name__).warning("%s cannot be looked into: %s", folder, error)
        return []
    return sorted(uri for uri in inside if uri.lower().endswith(KINDS) and uri.isprintable())


def ask_again(output: str, manifest: str, run_id: str) -> None:
    """Asks whoever looks into a folder to tell a manifest once more, though its content is what run `run_id` had."""
    store.write_bytes(store.join(output, "ledger", "again", fingerprint(manifest)), run_id.encode())


def asked_again(output: str) -> dict[str, str]:
    """The runs after which a manifest is asked for again, by the fingerprint of its URI."""
    asked = {}
    for uri in store.list_files(store.join(output, "ledger", "again")):
        with suppress(FileNotFoundError):
            asked[uri.rpartition("/")[2]] = store.read_bytes(uri).decode()
    return asked


def token_of(digest: str, changed_s: float, again: str = "") -> str:
    """Names an arrival: content, when it was written, and after which run it is asked for again."""
    return ":".join([digest, f"{changed_s:.6f}", *([again] if again else [])])


def digest_in(token: str) -> str:
    """The SHA-256 of the content that a token names."""
    return token.partition(":")[0]


def content_digest(uri: str) -> str | None:
    """The SHA-256 of a manifest; None where it is gone, or cannot be read at the moment."""
    try:
        return sha256(store.read_bytes(uri)).hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        logging.getLogger(__name__).warning("%s cannot be read: %s", uri, error)
        return None
