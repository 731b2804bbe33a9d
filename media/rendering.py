"""Renders one track into every delivery: here the gain that was decided is applied.

The sound is decoded once and runs through the processors once; deliveries of one rate and one ceiling share a limiter, and
only rounding and encoding are done for each. Nothing longer than a block is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dsp.audio import Audio
from dsp.chain import Chain
from dsp.limiter import MARGIN_DB, Limiter
from dsp.linked import split_sounds, start_linked
from dsp.quantiser import Quantiser
from dsp.settings import GainSettings, ResamplerSettings
from media.encoder import TAG_NAMES, Encoder
from media.meters import OVERVIEW_POINTS
from media.passage import Window, passage_blocks
from media.source import in_blocks
from schemas.plan import DeliveryPlan
from schemas.steps import Planned
from schemas.track import Track

GUARD_MARGIN_DB = MARGIN_DB - 0.02
"""Of the limiter behind what follows another: where a version is the whole mix, it must find nothing left to do. A second limiter
of one ceiling finds up to 0.0002 dB in music, 0.001 dB in noise to 20 kHz."""


class Rendering(NamedTuple):
    """The files of one track, by delivery, and how hard the limiter worked at worst."""

    paths: dict[str, Path]
    frames: dict[str, int]
    md5: dict[str, bytes]
    """Of the frames that were encoded: what a file holds that lay on a disk in the meantime is held against it."""
    max_reduction_db: float
    mean_reduction_db: float
    course_db: tuple[float, ...]
    """The limiter's deepest reduction in each of about 400 stretches of equal length, for drawing."""
    followers: tuple[Rendering, ...] = ()
    """Versions that were rendered with it; their reductions are those of peaks of their own, which it has not."""


def render_track(planned: Planned, folder: Path, followers: Sequence[Planned] = ()) -> Rendering:
    """Renders all deliveries of a plan into `folder`; raises TrackError where the source fails.

    `followers` are versions of the track under its plan: every gain is decided by the track and applied to them too. They are
    written into folders of their own below, named by their place.
    """
    sounds = [planned, *followers]
    rate_hz, channels = planned.analysis.format.rate_hz, planned.analysis.format.channels
    gain = GainSettings(gain_db=planned.plan.gain_db)
    head = start_linked([[*one.plan.head.settings(), gain] for one in sounds], rate_hz, channels)
    with ExitStack() as open_files:
        branches = [_Branch(group, sounds, folder, open_files) for group in _branches(planned)]
        for block in _side_by_side(sounds):
            ready = head.push(block)
            for branch in branches:
                branch.push(ready)
        tail = head.finish()
        for branch in branches:
            branch.finish(tail)
    made = [_rendering([branch.outputs[number] for branch in branches]) for number in range(len(sounds))]
    return made[0]._replace(followers=tuple(made[1:]))


def tags_of(track: Track, source_tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of a master: the manifest's, and the source's where the manifest is silent."""
    own = {
        "title": track.title,
        "artist": track.artist,
        "album": track.album,
        "tracknumber": str(track.sequence) if track.sequence is not None else None,
        "date": str(track.year) if track.year is not None else None,
        "genre": track.genre,
    }
    return {name: own.get(name) or source_tags[name] for name in TAG_NAMES if own.get(name) or name in source_tags}


def _branches(planned: Planned) -> list[list[int]]:
    """Deliveries that share rate and limiter, by their places in the plan."""
    groups: dict[object, list[int]] = {}
    for place, delivery in enumerate(planned.plan.deliveries):
        groups.setdefault((delivery.rate_hz, delivery.limiter), []).append(place)
    return list(groups.values())


def _side_by_side(sounds: Sequence[Planned]) -> Iterator[Audio]:
    """Blocks of a track with those of its followers as further channels; they are cut alike, for they are as long."""
    for blocks in zip(*(passage_blocks(one) for one in sounds), strict=True):
        yield blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)


def _rendering(outputs: Sequence[_Output]) -> Rendering:
    deepest = max(outputs, key=lambda one: one.limiter.max_reduction_db)
    return Rendering(
        paths={name: path for one in outputs for name, path in one.paths.items()},
        frames={name: one.frames for one in outputs for name in one.paths},
        md5={name: digest for one in outputs for name, digest in one.md5()},
        max_reduction_db=deepest.limiter.max_reduction_db,
        mean_reduction_db=max(one.limiter.mean_reduction_db for one in outputs),
        course_db=deepest.course_db(),
    )


class _Branch:
    """Resampler and limiter of some deliveries, for a track and those that follow it; behind them an output for each."""

    def __init__(self, group: Sequence[int], sounds: Sequence[Planned], folder: Path, open_files: ExitStack) -> None:
        first, source = sounds[0].plan.deliveries[group[0]], sounds[0].analysis.format
        self._channels = source.channels
        resampler = start_linked(
            [[ResamplerSettings(rate_hz=first.rate_hz)]] * len(sounds), source.rate_hz, source.channels
        )
        limiter = Limiter(first.limiter, first.rate_hz, source.channels * len(sounds), heard=source.channels)
        self._chain = Chain([resampler, limiter], source.channels * len(sounds))
        self.outputs = [_Output(group, sounds[0], folder, limiter, open_files)]
        for number, follower in enumerate(sounds[1:]):
            own = Limiter(first.limiter, first.rate_hz, source.channels, margin_db=GUARD_MARGIN_DB)
            self.outputs.append(_Guarded(group, follower, folder / str(number), own, open_files))

    def push(self, ready: Audio) -> None:
        for block in in_blocks(ready):
            self._write(self._chain.push(block))

    def finish(self, tail: Audio) -> None:
        self.push(tail)
        self._write(self._chain.finish())
        for output in self.outputs:
            output.finish()

    def _write(self, block: Audio) -> None:
        for output, sound in zip(self.outputs, split_sounds(block, self._channels), strict=True):
            output.push(sound)


class _Output:
    """Cuts a track out of its passage; a quantiser and an open file for each of some deliveries that share a limiter."""

    def __init__(
        self, group: Sequence[int], planned: Planned, folder: Path, limiter: Limiter, open_files: ExitStack
    ) -> None:
        deliveries = [planned.plan.deliveries[place] for place in group]
        self._rate_hz, channels = deliveries[0].rate_hz, planned.analysis.format.channels
        self._window = Window(planned, self._rate_hz)
        self.limiter, self.frames = limiter, self._window.frames
        self.paths = {d.name: folder / f"{d.name}.{d.container}" for d in deliveries}
        tags = tags_of(planned.track, planned.analysis.tags)
        self._writers = [
            (Quantiser(d.quantiser, channels, d.rate_hz), open_files.enter_context(self._encoder(d, channels, tags)))
            for d in deliveries
        ]

    def push(self, block: Audio) -> None:
        """What comes next of the passage."""
        kept = self._window.cut(block)
        if len(kept):
            for quantiser, encoder in self._writers:
                encoder.write(quantiser.push(kept))

    def finish(self) -> None:
        """Nothing: all was written."""

    def md5(self) -> Iterator[tuple[str, bytes]]:
        """Delivery, and the digest of what was written for it."""
        yield from zip(self.paths, (encoder.md5 for _, encoder in self._writers), strict=True)

    def course_db(self) -> tuple[float, ...]:
        """What the limiter did to the track itself, without the neighbours that it heard."""
        first, rate_hz = self._window.first_frame, self._rate_hz
        tenths = np.asarray(self.limiter.course_db)[first * 10 // rate_hz : -(-(first + self.frames) * 10 // rate_hz)]
        starts = np.linspace(0, len(tenths), min(OVERVIEW_POINTS, len(tenths)), endpoint=False).astype(int)
        return tuple(np.maximum.reduceat(tenths, starts).round(2).tolist()) if len(tenths) else ()

    def _encoder(self, delivery: DeliveryPlan, channels: int, tags: Mapping[str, str]) -> Encoder:
        path = self.paths[delivery.name]
        path.parent.mkdir(exist_ok=True)
        return Encoder(path, delivery.container, delivery.quantiser.bits, self._rate_hz, channels, tags)


class _Guarded(_Output):
    """The output of a follower: the gain of another may leave it peaks over the ceiling, which its own limiter then catches.

    Where it has none, not a bit is changed.
    """

    def push(self, block: Audio) -> None:
        """What comes next of the passage."""
        super().push(self.limiter.push(block))

    def finish(self) -> None:
        """What the limiter holds back."""
        super().push(self.limiter.finish())
