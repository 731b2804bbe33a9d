"""What a watch remembers of manifests: which were mastered whole, with which content, for which request."""

from __future__ import annotations

import msgspec
from msgspec import Struct, structs

from decisions.choices import chosen
from decisions.profile_files import load_profile
from dsp import SOUND_VERSION
from media.analysis import ANALYSIS_VERSION
from media.ledger import Ledger, fingerprint
from pipeline.overrides import read_overrides
from pipeline.run import Request
from pipeline.workplace import checked_output
from schemas.steps import Speech


class Arrival(Struct, frozen=True, kw_only=True):
    """A manifest that was mastered whole: its content, and what was asked for."""

    digest: str
    asked: str
    run_id: str


def asked_of(request: Request) -> str:
    """Names what is asked of every manifest, with the profile and the words of reviewers as they stand now."""
    plain = structs.replace(request, manifest="", beam_options=(), force=False, metrics=None, speech=Speech())
    profile = chosen(load_profile(request.profile), request.choices)
    overrides = read_overrides(checked_output(request.output)).overrides
    # Where nobody asks for anything, a manifest that was done stays done.
    reviewed = (overrides,) if overrides else ()
    return fingerprint(SOUND_VERSION, ANALYSIS_VERSION, msgspec.to_builtins(plain), profile, *reviewed)


def is_done(ledger: Ledger, uri: str, digest: str, asked: str) -> bool:
    """Whether this content was mastered whole for this request."""
    known = ledger.get("arrivals", fingerprint(uri), Arrival)
    return known is not None and (known.digest, known.asked) == (digest, asked)


def remember(ledger: Ledger, uri: str, arrival: Arrival) -> None:
    """Keeps that a manifest was mastered whole."""
    ledger.put("arrivals", fingerprint(uri), arrival)
