"""Measures and masters sound that is already in memory: the same meters, decisions and chain as for a file, without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from decisions.album import draft_album, settle_album
from decisions.choices import Choices, chosen
from decisions.profile_files import load_profile
from dsp.audio import Audio, valid_audio
from dsp.chain import process
from dsp.settings import GainSettings
from dsp.windows import Lines, Windows
from media.analysis import check_measurable
from media.meters import measured
from media.references import check_references, measured_references
from media.rehearsal import rehearse
from media.steps import check_source
from schemas.figures import Analysis, AudioFormat
from schemas.plan import Plan
from schemas.profile import Profile
from schemas.steps import Analysed, Draft, Planned, Reference, Rehearsed
from schemas.track import Track

BLOCK_FRAMES = 1 << 16


class MasteredAudio(NamedTuple):
    """A master in memory: not rounded yet, at the rate of the source."""

    audio: Audio
    """(frames, channels), float64, as long as the source."""
    plan: Plan
    """Every setting of every processor, each decision with its reason."""
    before: Analysis
    after: Analysis
    """Measured on `audio`, never predicted."""


def measure(audio: Audio, rate_hz: int, *, dual_mono: bool = False) -> Analysis:
    """Every figure and detector of an array (frames, channels) of floats with full scale 1.0.

    Raises ValueError for what is no such array, TrackError for a rate or a number of channels that cannot be measured.

    >>> tone = 0.1 * np.sin(2 * np.pi * 997 / 48_000 * np.arange(96_000))[:, None].repeat(2, axis=1)
    >>> round(measure(tone, 48_000).figures.integrated_lufs, 2)
    -20.0
    """
    audio = valid_audio(audio)
    kind = AudioFormat(
        container="memory", codec="FLOAT", rate_hz=rate_hz, channels=audio.shape[1], frames=len(audio), bits=None,
        floating=True,
    )  # fmt: skip
    check_measurable(kind, "the array")
    return measured(_windows(audio), kind, dual_mono=dual_mono)


def master(
    audio: Audio,
    rate_hz: int,
    profile: Profile | str = "streaming",
    *,
    choices: Choices | None = None,
    references: Sequence[tuple[Audio, int]] = (),
) -> MasteredAudio:
    """Masters an array (frames, channels) as a track that stands alone; `references` are arrays with their rates.

    Raises ValueError for what is no such array, CatalogueError for a profile that is none, TrackError for sound that the
    profile does not take (silence, too short).

    >>> rng = np.random.default_rng(1)
    >>> quiet = 0.01 * rng.standard_normal((96_000, 2))
    >>> made = master(quiet, 48_000, "streaming", choices=Choices(target_lufs=-20.0))
    >>> round(made.after.figures.integrated_lufs, 1), len(made.audio)
    (-20.0, 96000)
    """
    audio = valid_audio(audio)
    whole = chosen(load_profile(profile) if isinstance(profile, str) else profile, choices or Choices())
    planned = _planned(audio, measure(audio, rate_hz, dual_mono=whole.loudness.dual_mono), whole, references)
    plan, (delivery, *_) = planned.plan, planned.plan.deliveries
    settings = [*plan.head.settings(), GainSettings(gain_db=plan.gain_db), delivery.limiter]
    made = process(audio, rate_hz, *settings)
    return MasteredAudio(made, plan, planned.analysis, measure(made, rate_hz, dual_mono=whole.loudness.dual_mono))


def _planned(audio: Audio, analysis: Analysis, profile: Profile, references: Sequence[tuple[Audio, int]]) -> Planned:
    track = Track(row=1, uri="memory", track_id="memory", album_id="memory", album_folder="memory", file_stem="memory")
    check_source(analysis, track, profile)
    check_references(profile.references)
    heard = tuple(_reference(number, *one) for number, one in enumerate(references, 1))
    heard += measured_references(profile.references)
    (draft,) = draft_album([Analysed(track=track, analysis=analysis, references=heard)], profile)
    assert isinstance(draft, Draft)
    takes = rehearse(draft, _blocks(audio)) if draft.needs_rehearsal else ()
    (planned,) = settle_album([Rehearsed(draft=draft, takes=takes)], profile, "")
    assert isinstance(planned, Planned)
    return planned


def _reference(number: int, audio: Audio, rate_hz: int) -> Reference:
    analysis = measure(audio, rate_hz)
    return Reference(
        uri=f"reference {number}",
        sha256=f"reference {number}",
        duration_s=analysis.format.duration_s,
        figures=analysis.figures,
    )


def _blocks(audio: Audio) -> Iterator[Audio]:
    return (audio[at : at + BLOCK_FRAMES] for at in range(0, len(audio), BLOCK_FRAMES))


def _windows(audio: Audio) -> Iterator[Lines]:
    windows = Windows(audio.shape[1])
    yield from windows.push(np.ascontiguousarray(audio))
    yield from windows.finish()
