"""Renders one track into every delivery: here the gain that was decided is applied.

The sound is decoded once and runs through the processors once; deliveries of one rate and one ceiling share a limiter, and
only rounding and encoding are done for each. Nothing longer than a block is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dsp.audio import Audio
from dsp.chain import Chain, start_chain, start_stage
from dsp.limiter import Limiter
from dsp.quantiser import Quantiser
from dsp.settings import GainSettings, ResamplerSettings
from media.encoder import TAG_NAMES, Encoder
from media.meters import OVERVIEW_POINTS
from media.passage import Window, passage_blocks
from media.source import in_blocks
from schemas.plan import DeliveryPlan
from schemas.steps import Planned
from schemas.track import Track


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


def render_track(planned: Planned, folder: Path) -> Rendering:
    """Renders all deliveries of a plan into `folder`; raises TrackError where the source fails."""
    rate_hz, channels = planned.analysis.format.rate_hz, planned.analysis.format.channels
    paths = {d.name: folder / f"{d.name}.{d.container}" for d in planned.plan.deliveries}
    tags = tags_of(planned.track, planned.analysis.tags)
    gain = GainSettings(gain_db=planned.plan.gain_db)
    head = start_chain([*planned.plan.head.settings(), gain], rate_hz, channels)
    with ExitStack() as open_files:
        branches = [_Branch(group, planned, paths, tags, open_files) for group in _branches(planned)]
        for block in passage_blocks(planned):
            ready = head.push(block)
            for branch in branches:
                branch.push(ready)
        tail = head.finish()
        for branch in branches:
            branch.finish(tail)
    deepest = max(branches, key=lambda b: b.limiter.max_reduction_db)
    frames = {name: branch.frames for branch in branches for name in branch.names}
    md5 = {name: digest for branch in branches for name, digest in branch.md5()}
    mean_db = max(b.limiter.mean_reduction_db for b in branches)
    return Rendering(paths, frames, md5, deepest.limiter.max_reduction_db, mean_db, deepest.course_db())


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


def _branches(planned: Planned) -> list[list[DeliveryPlan]]:
    """Deliveries that share rate and limiter."""
    groups: dict[object, list[DeliveryPlan]] = {}
    for delivery in planned.plan.deliveries:
        groups.setdefault((delivery.rate_hz, delivery.limiter), []).append(delivery)
    return list(groups.values())


class _Branch:
    """Resampler and limiter of some deliveries, and a quantiser and an open file for each."""

    def __init__(
        self,
        group: list[DeliveryPlan],
        planned: Planned,
        paths: Mapping[str, Path],
        tags: Mapping[str, str],
        open_files: ExitStack,
    ) -> None:
        rate_hz, source, channels = group[0].rate_hz, planned.analysis.format, planned.analysis.format.channels
        self.limiter = Limiter(group[0].limiter, rate_hz, channels)
        resampler = start_stage(ResamplerSettings(rate_hz=rate_hz), source.rate_hz, channels)
        self._rate_hz = rate_hz
        self._chain = Chain([resampler, self.limiter], channels)
        self._window = Window(planned, rate_hz)
        self.names, self.frames = [d.name for d in group], self._window.frames
        self._writers = [
            (
                Quantiser(d.quantiser, channels, rate_hz),
                open_files.enter_context(
                    Encoder(paths[d.name], d.container, d.quantiser.bits, rate_hz, channels, tags)
                ),
            )
            for d in group
        ]

    def push(self, ready: Audio) -> None:
        for block in in_blocks(ready):
            self._write(self._chain.push(block))

    def finish(self, tail: Audio) -> None:
        self.push(tail)
        self._write(self._chain.finish())

    def md5(self) -> Iterator[tuple[str, bytes]]:
        """Delivery, and the digest of what was written for it."""
        yield from zip(self.names, (encoder.md5 for _, encoder in self._writers), strict=True)

    def course_db(self) -> tuple[float, ...]:
        """What the limiter did to the track itself, without the neighbours that it heard."""
        first, rate_hz = self._window.first_frame, self._rate_hz
        tenths = np.asarray(self.limiter.course_db)[first * 10 // rate_hz : -(-(first + self.frames) * 10 // rate_hz)]
        starts = np.linspace(0, len(tenths), min(OVERVIEW_POINTS, len(tenths)), endpoint=False).astype(int)
        return tuple(np.maximum.reduceat(tenths, starts).round(2).tolist()) if len(tenths) else ()

    def _write(self, block: Audio) -> None:
        kept = self._window.cut(block)
        if len(kept):
            for quantiser, encoder in self._writers:
                encoder.write(quantiser.push(kept))
