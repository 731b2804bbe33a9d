"""The plan of a track: every setting of every processor, each decision with its reason. Resolved before rendering."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from dsp.settings import (
    CompressorSettings,
    DeclipperSettings,
    DeEsserSettings,
    DynamicEqualiserSettings,
    EqualiserSettings,
    ExpanderSettings,
    ImagerSettings,
    LimiterSettings,
    LowEndFocusSettings,
    MultibandSettings,
    ParametricSettings,
    QuantiserSettings,
    SaturationSettings,
    Settings,
    SubsonicSettings,
    TransientSettings,
)
from schemas.signoff import Revision


class Decision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that was decided: what, how much, and why; also what was left alone."""

    what: str
    how_much: str
    why: str


class Head(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The processors before the gain, in the order of the chain; None: not in use."""

    declipper: DeclipperSettings | None = None
    subsonic: SubsonicSettings | None = None
    ends: ParametricSettings | None = None
    """High-pass and low-pass that the carrier asks for."""
    equaliser: EqualiserSettings | None = None
    resonances: DynamicEqualiserSettings | None = None
    de_esser: DeEsserSettings | None = None
    expander: ExpanderSettings | None = None
    multiband: MultibandSettings | None = None
    compressor: CompressorSettings | None = None
    transients: TransientSettings | None = None
    low_end: LowEndFocusSettings | None = None
    saturation: SaturationSettings | None = None
    imager: ImagerSettings | None = None

    def settings(self) -> list[Settings]:
        """Those in use, in order."""
        return [one for name in self.__struct_fields__ if (one := getattr(self, name)) is not None]

    @property
    def dynamic(self) -> bool:
        """Whether the loudness after these processors cannot be told from the spectrum."""
        still = DeclipperSettings | SubsonicSettings | EqualiserSettings | ImagerSettings
        return any(not isinstance(one, still) for one in self.settings())


class Neighbour(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The track before or after, where the music runs on without a gap: its audio is run through the chain too."""

    uri: str
    """Empty: silence, for a version that holds nothing of a neighbour."""
    sha256: str
    first_frame: int
    frames: int
    """The stretch of it that the chain hears: its end before this track, or its start after it."""


class DeliveryPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One master to be made: where, in what format, limited and rounded how."""

    name: str
    uri: str
    container: str
    rate_hz: int
    limiter: LimiterSettings
    quantiser: QuantiserSettings


class Instructed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What reviewers asked for, and what follows from it for a track."""

    revision: Revision = Revision()
    """In force for the track and those it is joined with."""
    own_gain: bool = False
    """It has a gain of its own beside that of its album."""
    held_by: dict[str, int] = {}
    """Other tracks of which less limiting was asked, and the steps: they may hold the gain that all share down."""
    moved_lu: float = 0.0
    """How far the loudness of all that share the gain moves because some of them were asked to be louder or quieter."""


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the rendering of one track needs to know besides its audio."""

    profile: str
    style: str
    intensity: str
    target_lufs: float
    tolerance_lu: float
    mode: str
    head: Head
    gain_db: float
    shared_by: int
    """So many tracks share this gain: together they meet the target, one alone need not."""
    deliveries: tuple[DeliveryPlan, ...]
    before: tuple[Neighbour, ...] = ()
    after: tuple[Neighbour, ...] = ()
    """Stretches in the order in which they are heard; more than one where a track is shorter than the run-in."""
    position_frames: int = 0
    """Where the track begins in the run of tracks that join without a gap: keeps another rate's frames on one grid."""
    gain_group: int = 0
    """Number of that group in its album."""
    target_limited: str | None = None
    """Why the target was not pursued to the end; None where it was."""
    references_refused: tuple[str, ...] = ()
    """Reference recordings that could not serve, each with the reason."""
    decisions: tuple[Decision, ...] = ()
    asked: Instructed | UnsetType = UNSET
    """Absent where no reviewer asked for anything, so that such a plan keeps the fingerprint it always had."""

    @property
    def moved_lu(self) -> float:
        """How far reviewers moved the loudness of all that share the gain."""
        return self.asked.moved_lu if isinstance(self.asked, Instructed) else 0.0

    @property
    def own_gain(self) -> bool:
        """Whether a reviewer gave the track a gain of its own beside that of its album."""
        return isinstance(self.asked, Instructed) and self.asked.own_gain
