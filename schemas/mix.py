"""What is measured of stems, and the settings of a mix: everything that its sound depends on, each setting with its reason.

`settings.json` of a mix is a `MixSettings`. It is accepted back: rendered as it is, it gives the same bytes.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from dsp.settings import (
    CompressorSettings,
    DeEsserSettings,
    DynamicEqualiserSettings,
    ExpanderSettings,
    GainSharingSettings,
    GateSettings,
    PanLaw,
    ParametricSettings,
    ReverbSettings,
    TransientSettings,
)
from schemas.figures import AudioFormat, Figures
from schemas.qc import Finding
from schemas.stems import Role

SETTINGS_VERSION = 1
Bus: TypeAlias = Literal["drums", "bass", "vocals", "backing", "music", "fx"]
BUS_OF: dict[str, Bus] = {
    **dict.fromkeys(("kick", "snare", "toms", "cymbals", "drums", "room", "percussion"), "drums"),
    "bass": "bass",
    "vocal": "vocals",
    "backing_vocal": "backing",
    **dict.fromkeys(("electric_guitar", "acoustic_guitar", "keys", "synth", "strings", "brass", "woodwind"), "music"),
    **dict.fromkeys(("other1", "other2", "other3", "other4", "other5", "backing_track"), "music"),
    "fx": "fx",
}
"""Role -> the bus that its stems go through."""
Kind: TypeAlias = Literal["music", "backing", "vocals"]
"""Of whom a room is: voices have their own, so that a version can do without them."""

REFERENCE = "*reference*"
"""Stands for the reference mix where a stem_id is named: no stem can have that name, for it is not safe as a file's."""


def kind_of(bus: Bus) -> Kind:
    """Of whom the room is that stems of a bus are sent into.

    >>> kind_of("vocals"), kind_of("drums")
    ('vocals', 'music')
    """
    return bus if bus == "vocals" or bus == "backing" else "music"


class StemFigures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was measured of one stem; what changes over time lies in its trace (`dsp.mixing.trace`)."""

    sha256: str
    format: AudioFormat
    integrated_lufs: float | None
    """Over its own active time: gated, BS.1770. None: silent."""
    loudness_range_lu: float | None
    sample_peak_dbfs: float | None
    crest_db: float | None
    """Sample peak less root mean square of the active time."""
    noise_floor_dbfs: float | None
    """Of its pauses; None where it has none."""
    active_ratio: float
    """Share of its length in which it sounds."""
    first_sound_s: float | None
    last_sound_s: float | None
    centroid_hz: float | None
    percussivity_ratio: float
    """0 for a pad, 1 for single hits: how much of its energy comes with onsets."""
    low_ratio: float
    """Share of its energy below 120 Hz."""
    bands_db: tuple[float | None, ...]
    """Level in each of the 24 Bark bands over its active time, dB re full-scale square."""
    correlation: float | None
    """Of left and right; None for mono."""
    balance_db: float | None
    """Level of left less right; None for mono."""
    offset_ratio: tuple[float, ...]
    flat_tops: int
    """Runs of equal samples at the top of its range: clipped."""
    hum_db: float | None = None
    hum_hz: float | None = None


PairMoments: TypeAlias = Literal["both", "bleed"]
"""Where two stems were read: where both are loud, or where the first hits and the second has least to say itself."""


class PairFigures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How two stems hang together, read from their sound."""

    first: str
    second: str
    """Their stem_id; the second may be `REFERENCE`."""
    of: PairMoments
    delay_frames: float | None
    """The second comes later by so much; None where nothing stable was found."""
    peak_ratio: float
    """Height of the peak of their cross-correlation over its median."""
    stable_ratio: float
    """Share of the frames that agree on the delay."""
    inverted: bool
    correlation: float
    """At that delay, -1 to 1."""
    gain_db: float | None
    """What the first must be raised by to fit the second best."""
    residual_db: float | None
    """What is left of the second after that, against it."""


class SumFigures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How well one recording is a sum of stems, read from excerpts of all of them."""

    target: str
    """A stem_id, or `REFERENCE`."""
    gains_ratio: dict[str, float]
    """Of each stem that was tried, as it fits best (least squares); 0: it is not in there, negative: in there inverted."""
    levels_db: dict[str, float]
    """Energy of each stem at that gain, against that of the target; stems that are not in there are left out."""
    delay_frames: float
    """The target comes later than the sum by so much; taken out before the rest was read."""
    residual_db: float | None
    """What is left of the target, against it; None: silent."""
    residual_bands_db: tuple[float | None, ...]
    """The same in third octaves from 20 Hz to 20 kHz, with gains of their own in each; None where the target has nothing."""


class PairWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two recordings to be held against each other, and the moments at which that tells most."""

    first: str
    second: str
    """A stem_id, or `REFERENCE`."""
    of: PairMoments
    at_s: tuple[float, ...]
    max_delay_s: float


class SumWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recording to be explained by stems, and the moments at which that tells most."""

    target: str
    parts: tuple[str, ...]
    at_s: tuple[float, ...]
    signed: bool = False
    """Stems may be in there inverted; else gains are not negative: a stem is no sum of what it would have to be taken from."""


class LinkWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be measured of a session in its sound, beyond what each stem tells by itself."""

    pairs: tuple[PairWish, ...] = ()
    sums: tuple[SumWish, ...] = ()


class Why(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Why something was set so: a sentence, what was measured (with units in the names), and how sure that is, 0 to 1."""

    text: str
    evidence: dict[str, float | str] = {}
    confidence: float = 1.0


InsertSettings: TypeAlias = (
    ParametricSettings
    | GateSettings
    | ExpanderSettings
    | CompressorSettings
    | DeEsserSettings
    | DynamicEqualiserSettings
    | TransientSettings
)
INSERTS: dict[str, type[InsertSettings]] = {
    "parametric": ParametricSettings,
    "gate": GateSettings,
    "expander": ExpanderSettings,
    "compressor": CompressorSettings,
    "de_esser": DeEsserSettings,
    "dynamic_equaliser": DynamicEqualiserSettings,
    "transients": TransientSettings,
}
"""The processors that a strip may hold, by the name that settings.json gives them."""


class Insert(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A processor of a strip: its kind, its settings by name, and why it is there."""

    type: str
    params: dict[str, Any]
    why: Why

    def settings(self) -> InsertSettings:
        """Its settings; raises ValueError for an unknown kind, an unknown name or a value out of range."""
        if self.type not in INSERTS:
            raise ValueError(f"type must be one of {', '.join(INSERTS)}, got {self.type!r}")
        try:
            found: InsertSettings = msgspec.convert(self.params, INSERTS[self.type])
        except msgspec.ValidationError as error:
            raise ValueError(f"{self.type}: {error}") from None
        return found

    @classmethod
    def of(cls, settings: InsertSettings, why: Why) -> Insert:
        """Some settings as an insert."""
        kind = next(name for name, record in INSERTS.items() if type(settings) is record)
        # By way of JSON: what is read again is equal to what was written, lists where a tuple was.
        return cls(type=kind, params=msgspec.json.decode(msgspec.json.encode(settings)), why=why)


class Duck(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A band gives way to another stem."""

    key: str
    """The stem_id that it gives way to."""
    threshold_dbfs: float
    depth_db: float
    low_hz: float
    high_hz: float
    why: Why


class Send(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of a strip, after its fader and panner, goes to a return."""

    to: str
    level_db: float
    why: Why


class Sharing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That a strip takes part in gain sharing."""

    group: str
    weight_db: float = 0.0


class Strip(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stem in the mix, in the order of the signal: delay and polarity, inserts, automation, fader, gain sharing, ducks,
    panner; then its bus, and its sends.
    """

    stem_id: str
    role: Role
    use: bool = True
    """False: it is not heard; `why["use"]` says why."""
    lock: bool = False
    """A person set it: nothing of it is decided."""
    invert: bool = False
    delay_frames: float = 0.0
    """At the rate of the session; negative: earlier."""
    inserts: tuple[Insert, ...] = ()
    automation_db: tuple[float, ...] = ()
    """Gain at points 0.1 s apart from the start on; empty: none."""
    gain_db: float = 0.0
    sharing: Sharing | None = None
    ducks: tuple[Duck, ...] = ()
    pan_ratio: float = 0.0
    width_ratio: float = 1.0
    bus: Bus = "music"
    sends: tuple[Send, ...] = ()
    why: dict[str, Why] = {}
    """Of every setting here that has no `why` of its own, by its name."""


class BusSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done to the stems of a bus together: one gain for all of them, so that they still add up."""

    name: Bus
    gain_db: float = 0.0
    compressor: CompressorSettings | None = None
    why: dict[str, Why] = {}


class Return(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reverb, whose stems are all of one kind: a version without voices leaves their room out, too."""

    name: str
    of: Kind
    reverb: ReverbSettings
    gain_db: float = 0.0
    why: dict[str, Why] = {}


class SharingGroup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of gain sharing in a group, but for its channels: those are the strips that name it."""

    name: str
    sharing: GainSharingSettings
    why: Why


class Input(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stem that settings were made for."""

    stem_id: str
    sha256: str


class MixSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a mix depends on beside the sound of its stems."""

    schema_version: int = SETTINGS_VERSION
    mix_id: str
    rate_hz: int
    """Of the session: stems of other rates are resampled."""
    inputs: tuple[Input, ...]
    stems: tuple[Strip, ...]
    """In the order of stem_id, as they are added up."""
    buses: tuple[BusSettings, ...] = ()
    returns: tuple[Return, ...] = ()
    groups: tuple[SharingGroup, ...] = ()
    pan_law: PanLaw = "-3 dB"
    gain_db: float = 0.0
    """Of the whole mix."""
    why: dict[str, Why] = {}


class StemHeard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a stem after its analysis, wherever that ran: its figures lie in the ledger under its bytes."""

    mix_id: str
    stem_id: str
    sha256: str = ""
    code: str = ""
    """Why it cannot be used; its song is rejected then."""
    text: str = ""
    hint: str = ""
    remembered: bool = False
    """It had been heard before."""
    bytes_read: int = 0
    samples: int = 0
    """Frames times channels."""


class StemResult(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of a stem of the manifest (law 9), and how it stands in the mix."""

    stem_id: str
    uri: str
    sha256: str
    role: Role
    role_source: str
    """`manifest`, `name`, `audio` or `unknown`."""
    state: str
    """`used`, `muted` or `left out`."""
    code: str | None = None
    """The finding that left it out."""
    source_lufs: float | None = None
    """Over its own active time, as delivered."""
    mix_lufs: float | None = None
    """The same, as it stands in the mix."""
    gain_db: float = 0.0
    pan_ratio: float = 0.0
    masked_before_ratio: float | None = None
    """Share of its energy that the others cover when all stems are only levelled; null where it never sounds."""
    masked_after_ratio: float | None = None
    stem_uri: str | None = None
    """Its processed file, where that was asked for."""
    stem_sha256: str | None = None


class RenderedFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of a mix: the mix itself, a version of it, a processed stem or a return."""

    name: str
    """`mix`, `instrumental`, `acappella`, `tv`, or a stem_id or the name of a return."""
    kind: Literal["mix", "version", "stem", "return"]
    uri: str
    sha256: str
    frames: int
    peak_dbfs: float | None


class MixRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mix as it stands in the output, and what it was made from (law 10)."""

    mix_id: str
    run_id: str
    parts: dict[str, str]
    """What it depends on, by the words in which a change is told."""
    reason: str
    """Why it was mixed."""
    settings: MixSettings
    edited: bool
    """A person's settings were used."""
    decided: MixSettings | None = None
    """What was decided here last, where a person's settings took its place: which of them were set by hand is told by it."""
    settings_uri: str
    files: tuple[RenderedFile, ...]
    stems: tuple[StemResult, ...]
    findings: tuple[Finding, ...]
    figures: Figures
    """Of the mix, measured on its file."""
    duration_s: float
