"""What reviewers ask of the next run: read from the output, kept under its content's name for the workers of a run."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import structs

from decisions.revisions import in_force
from media import store
from media.ledger import Ledger, fingerprint
from media.manifest import locator
from pipeline.selection import Selection
from schemas.decoding import json_decoder
from schemas.errors import CatalogueError
from schemas.signoff import InForce, Overrides
from schemas.track import Track

PLACE = ("review", "overrides.json")
KIND = "overrides"


def read_overrides(output: str) -> Overrides:
    """What reviewers ask of an output; nothing where nobody did. Raises CatalogueError for a file that cannot be trusted."""
    uri = store.join(output, *PLACE)
    try:
        found: Overrides = json_decoder(Overrides).decode(store.read_bytes(uri))
    except (FileNotFoundError, NotADirectoryError):
        return Overrides()
    except OSError as error:
        raise CatalogueError("REVIEW_UNREADABLE", f"{uri} cannot be read: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        mend = "correct it, or remove the file to ask for nothing"
        raise CatalogueError("REVIEW_UNREADABLE", f"{uri}: {error}; {mend}") from error
    return found


def overrides_for(tracks: Sequence[Track], manifest: str, output: str, roots: Sequence[str]) -> InForce:
    """What reviewers ask of the tracks of a manifest; the recordings that they name are meant as its own column means them."""
    overrides = read_overrides(output)
    return in_force(overrides, tracks, locator(manifest, roots)) if overrides.overrides else InForce()


def kept(selection: Selection, run_id: str) -> Selection:
    """A selection that names what reviewers ask instead of holding it: a graph stays small, however much that is."""
    if selection.asked == InForce():
        return selection
    name = fingerprint(selection.asked)
    Ledger(selection.output, run_id).put(KIND, name, selection.asked)
    return structs.replace(selection, asked=InForce(), asked_name=name)


def fetched(selection: Selection) -> Selection:
    """The selection as it was before `kept`, on a worker; raises CatalogueError where the ledger lost it meanwhile."""
    if not selection.asked_name:
        return selection
    found = Ledger(selection.output, "").get(KIND, selection.asked_name, InForce)
    if found is None:
        text = f"what reviewers ask of this run is no more in the ledger of {selection.output}; run again"
        raise CatalogueError("REVIEW_UNREADABLE", text)
    return structs.replace(selection, asked=found)
