"""What travels between the steps of a run: a track, and all that is known of it so far.

A track is a `Member` of its album in one of seven states; at any step it can become `Rejected`, and stays so.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct, structs

from dsp.gating import GatingBlocks
from dsp.settings import LimiterSettings
from schemas.figures import Analysis, Figures
from schemas.plan import Decision, Head, Neighbour, Plan
from schemas.profile import Profile
from schemas.signoff import Asked
from schemas.track import Track

Version: TypeAlias = Literal["instrumental", "acappella", "tv"]
"""What a mix may be handed out as beside itself: without voices, voices alone, without the lead."""


class Spent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one step of a track took, wherever it ran. It decides nothing: no fingerprint and no record that is kept holds it."""

    stage: str
    """`hear`, `mix`, `analyse`, `rehearse` or `master`."""
    cpu_s: float = 0.0
    """Processor time of the thread that did it: steps use one thread."""
    wall_s: float = 0.0
    waited_s: float = 0.0
    """Time before the step in which a run with --priority went first; no part of `wall_s`."""
    queued_s: float = 0.0
    """Time before the step in which the worker process had as many tracks at work as its memory holds; no part of `wall_s`."""
    remembered: bool = False
    """The result was taken from the ledger, or stood already: what was taken is the cost of looking, not of the work."""
    bytes_read: int = 0
    """Size of the source, told by the step that reads it first; later steps read the same file again."""
    bytes_written: int = 0
    """Size of the masters that were made."""
    retries: int = 0
    """Requests to the store that failed and were made again."""
    samples: float = 0.0
    """Frames times channels of what was worked on, where that is not the track itself but the stems of a song; else 0."""
    repeated: bool = False
    """The same run had done this step before: its worker died, or its bundle was given out again."""


class Member(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=str.lower):
    """A track of a manifest on its way through a run, and what its steps took so far."""

    spent: tuple[Spent, ...] = ()


class Rejected(Member, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A track that left the run without a master, and why: a row of `qc/rejected`."""

    track_id: str
    album_id: str
    source_uri: str
    row: int
    stage: str
    code: str
    text: str
    hint: str = ""
    selected: bool = True

    @classmethod
    def of(cls, track: Track, stage: str, code: str, text: str, hint: str = "") -> Rejected:
        """A track as rejected."""
        return cls(
            track_id=track.track_id,
            album_id=track.album_id,
            source_uri=track.uri,
            row=track.row,
            stage=stage,
            code=code,
            text=text,
            hint=hint,
            selected=track.selected,
        )


class Listed(Member, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of a manifest whose source was not opened yet."""

    track: Track


class Heard(Member, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stem of a song that was heard: `track` names the song; its figures lie in the ledger."""

    track: Track
    stem_id: str
    sha256: str


class Reference(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recording that a track is to sound like, as measured; or why it could not be."""

    uri: str
    sha256: str = ""
    duration_s: float = 0.0
    figures: Figures | None = None
    trouble: str | None = None


class Analysed(Member, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source that was measured."""

    track: Track
    analysis: Analysis
    references: tuple[Reference, ...] = ()
    asked_references: tuple[Reference, ...] = ()
    """Those that reviewers named, to be used instead."""


class Unasked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What would be tried of a track if nobody had asked anything of it: the gain of its album rests on that."""

    head: Head
    gains_db: tuple[float, ...]


class Draft(Member, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was decided before the gain: the processors ahead of it, and the gains to be tried."""

    track: Track
    analysis: Analysis
    head: Head
    limiter: LimiterSettings
    gains_db: tuple[float, ...]
    """Gains to rehearse, rising; one alone where nothing after it can change the loudness."""
    before: tuple[Neighbour, ...] = ()
    after: tuple[Neighbour, ...] = ()
    position_frames: int = 0
    run: int = 0
    """Number of the run of joined tracks in the album: its tracks share every setting."""
    touch_ratio: float = 1.0
    """How much of what a profile allows this material may be given: 1 for a mix, less for what is finished or delicate."""
    references_refused: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    asked: Asked = Asked()
    unasked: Unasked | None = None
    """Of a track that is to differ from its album; None for all others."""

    @property
    def needs_rehearsal(self) -> bool:
        """Whether the gain can only be found by trying."""
        return len(self.gains_db) > 1

    def as_unasked(self) -> Draft:
        """As it would be if nobody had asked anything of this track."""
        if self.unasked is None:
            return self
        return structs.replace(self, head=self.unasked.head, gains_db=self.unasked.gains_db, unasked=None)


class Take(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one gain came out after the limiter."""

    gain_db: float
    gating: GatingBlocks
    max_reduction_db: float
    mean_reduction_db: float
    max_short_term_lufs: float | None = None


class Rehearsed(Member, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft with its takes; none where no rehearsal was needed."""

    draft: Draft
    takes: tuple[Take, ...] = ()
    unasked_takes: tuple[Take, ...] = ()

    def as_unasked(self) -> Rehearsed:
        """As it would be if nobody had asked anything of this track."""
        if self.draft.unasked is None:
            return self
        return structs.replace(self, draft=self.draft.as_unasked(), takes=self.unasked_takes, unasked_takes=())


class Planned(Member, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A track ready to be rendered."""

    track: Track
    analysis: Analysis
    plan: Plan


class Master(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One delivered file and what was measured on it, by decoding it again."""

    delivery: str
    uri: str
    proof: Analysis
    bits: int
    ceiling_dbtp: float
    target_lufs: float


class VersionMaster(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A master of a version of a mix, as delivered."""

    version: Version
    linked: bool
    """Whether gain and limiter are those of the full master, so that versions line up with it and add up to it."""
    why: str = ""
    """Why it is not linked; empty where it is."""
    own_reduction_db: float = 0.0
    """The deepest that a limiter of its own turned its peaks down: 0 where it is linked."""
    master: Master

    @property
    def subject(self) -> str:
        """How it is called beside the full master of its delivery."""
        return f"{self.master.delivery} ({self.version})"


class Mastered(Member, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A track whose masters stand in the output."""

    track: Track
    analysis: Analysis
    plan: Plan
    masters: tuple[Master, ...]
    limiter_max_reduction_db: float
    limiter_mean_reduction_db: float
    outcome: str
    """`mastered` or `skipped`."""
    reason: str
    """Why it was made again, or why not."""
    limiter_course_db: tuple[float, ...] = ()
    """For drawing; empty for masters of a version that did not keep it."""
    versions: tuple[VersionMaster, ...] = ()
    """Masters of the versions of a mix."""


Analysing: TypeAlias = Analysed | Rejected
Drafting: TypeAlias = Draft | Rejected
Rehearsing: TypeAlias = Rehearsed | Rejected
Planning: TypeAlias = Planned | Rejected
Mastering: TypeAlias = Mastered | Rejected
AnyMember: TypeAlias = Listed | Heard | Analysed | Draft | Rehearsed | Planned | Mastered | Rejected


def track_of(member: AnyMember) -> Track | None:
    """The track of a member; None for a rejected one, which keeps only its names."""
    if isinstance(member, Rejected):
        return None
    return member.draft.track if isinstance(member, Rehearsed) else member.track


def album_of(member: AnyMember) -> str:
    """The album that a member belongs to."""
    track = track_of(member)
    return track.album_id if track is not None else member.album_id  # type: ignore[union-attr]


def track_id_of(member: AnyMember) -> str:
    """The id of the track that a member is, rejected or not."""
    track = track_of(member)
    return track.track_id if track is not None else member.track_id  # type: ignore[union-attr]


class Speech(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a run speaks on stderr, in every process that works for it."""

    as_json: bool = False
    """One JSON object a line; else words."""
    level: str = ""
    """The least severe line about single tracks that is told, `debug` or `warning`; empty: `warning` as JSON, none as words."""


class MixWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked for of songs that come as stems."""

    settings: tuple[str, ...] = ()
    """Files of settings that a person edited; each holds for the song that it names."""
    stems: bool = False
    """Also the processed stems, which add up to the mix."""
    versions: tuple[Version, ...] = ()
    master: bool = True
    """False: the run ends with the mixes."""


class Job(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every step of a run knows: where it writes, under which name, and the profiles by name ("" is the run's)."""

    output: str
    run_id: str
    profiles: dict[str, Profile]
    force: bool = False
    priority: bool = False
    """Others wait for this run; it waits for none."""
    speech: Speech = Speech()
    mixing: MixWish = MixWish()
