"""What the example catalogue holds: three albums, their tracks in order, and the faults put in on purpose.

Every identifier has the right form and belongs to nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from catalogue import bands, songs
from catalogue.songs import Song
from catalogue.synthesiser import Audio


class Fault(Enum):
    """What a label's archive may hold."""

    CLIPPED = "driven 8 dB over full scale"
    DC_OFFSET = "+0.02 left, +0.01 right"
    SILENT = "nothing but digital zero"
    TRUNCATED = "the last 40 % of the file's bytes are gone"
    MISSING = "a row without a file"
    WRONG_SHA256 = "a good file, but the manifest describes another"


@dataclass(frozen=True, kw_only=True)
class Take:
    """One row of the manifest: a song as it was recorded."""

    title: str
    song: Song | None = None
    half: int | None = None
    """1 or 2: this half of a song that runs over two tracks without a gap."""
    rate_hz: int | None = None
    """If not the album's."""
    fault: Fault | None = None
    declares: tuple[str, ...] = ()
    """Which of `sha256` and `duration_s` the label knows."""


@dataclass(frozen=True, kw_only=True)
class Album:
    """An album and the format its label keeps it in."""

    album_id: str
    title: str
    artist: str
    genre: str
    upc: str
    """Begins with 4, as numbers for use inside one company do: never on sale elsewhere."""
    perform: Callable[[Song, int], Audio]
    rate_hz: int
    bits: int
    suffix: str
    takes: tuple[Take, ...]
    profile: str = ""
    """A profile of its own, as TOML; empty: that of the run."""
    reference: str = ""
    """A recording of the catalogue that it should sound like."""


PUNCHY = """\
name = "night-bus"
description = "As streaming, in the style for beats"
based_on = "streaming"
style = "punchy"
intensity = "high"
"""
BOTH = ("sha256", "duration_s")

HARBOUR_LIGHTS = Album(
    album_id="harbour-lights",
    title="Harbour Lights",
    artist="Ada Fjordholm",
    genre="Ambient",
    upc="400026000013",
    perform=bands.ambient,
    rate_hz=48_000,
    bits=24,
    suffix="flac",
    takes=(
        Take(title="Low Tide", song=songs.LOW_TIDE, declares=BOTH),
        Take(title="Between the Piers I", song=songs.BETWEEN_THE_PIERS, half=1, declares=BOTH),
        Take(title="Between the Piers II", song=songs.BETWEEN_THE_PIERS, half=2, declares=("sha256",)),
        Take(title="Fog Signal", song=songs.FOG_SIGNAL),
        Take(title="Slack Water", fault=Fault.SILENT),
        Take(title="Lamp Room", song=songs.LAMP_ROOM, declares=("duration_s",)),
        Take(title="Last Ferry", song=songs.LAST_FERRY, fault=Fault.WRONG_SHA256, declares=BOTH),
    ),
)
NIGHT_BUS = Album(
    album_id="night-bus",
    title="Night Bus",
    artist="Linie Elf",
    genre="Electronic",
    upc="400026000020",
    perform=bands.electronic,
    rate_hz=44_100,
    bits=16,
    suffix="wav",
    profile=PUNCHY,
    takes=(
        Take(title="Depot", song=songs.DEPOT, declares=("sha256",)),
        Take(title="Upper Deck", song=songs.UPPER_DECK, declares=BOTH),
        Take(title="Red Light", song=songs.RED_LIGHT, fault=Fault.CLIPPED),
        Take(title="Request Stop", fault=Fault.MISSING),
        Take(title="Night Fare", song=songs.NIGHT_FARE),
        Take(title="Terminus", song=songs.TERMINUS, declares=("duration_s",)),
    ),
)
PAPER_BOATS = Album(
    album_id="paper-boats",
    title="Paper Boats",
    artist="The Gutter Regatta",
    genre="Folk",
    upc="400026000037",
    perform=bands.acoustic,
    rate_hz=44_100,
    bits=24,
    suffix="flac",
    reference="harbour-lights/01 Low Tide.flac",
    takes=(
        Take(title="Folded", song=songs.FOLDED, declares=("sha256",)),
        Take(title="Upstream", song=songs.UPSTREAM, declares=BOTH),
        Take(title="Newsprint Sails", song=songs.NEWSPRINT_SAILS, rate_hz=96_000, declares=BOTH),
        Take(title="Rain Gauge", song=songs.RAIN_GAUGE, fault=Fault.DC_OFFSET),
        Take(title="Puddle Atlantic", song=songs.PUDDLE_ATLANTIC),
        Take(title="Half a Letter", song=songs.HALF_A_LETTER, fault=Fault.TRUNCATED),
        Take(title="Ink Running", song=songs.INK_RUNNING, declares=("duration_s",)),
    ),
)
ALBUMS = (HARBOUR_LIGHTS, NIGHT_BUS, PAPER_BOATS)
