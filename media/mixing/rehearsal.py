"""Plays a mix and writes nothing: what each strip and their sum came out as, before the gain of the mix."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import structs

from dsp.audio import Audio, Floats, to_db
from dsp.mixing.trace_meter import StepMeter, StepReading
from dsp.true_peak import TruePeakMeter
from dsp.windows import Windows
from media.mixing.performance import opened_performance
from schemas.mix import MixSettings
from schemas.track import Track


class RehearsedMix(NamedTuple):
    """How the settings of a mix came out."""

    energies: dict[str, Floats]
    """By stem_id, of each strip that is used: of each tenth of a second, as it adds to the mix."""
    integrated_lufs: float | None
    """This and the rest: of the sum, rooms and all."""
    max_short_term_lufs: float | None
    true_peak_dbtp: float | None


def rehearse_mix(track: Track, settings: MixSettings) -> RehearsedMix:
    """One pass over the song with the gain of the mix at 0 dB; raises TrackError where a stem fails."""
    with opened_performance(track, structs.replace(settings, gain_db=0.0)) as song:
        followers = {strip.stem_id: _Follower(song.rate_hz) for strip in song.strips}
        whole, peaks = _Follower(song.rate_hz), TruePeakMeter(song.rate_hz, 2)
        for desk in song.desks():
            for follower, stem in zip(followers.values(), desk.stems, strict=True):
                follower.push(stem)
            mix = desk.mix
            whole.push(mix)
            peaks.push(mix)
    found = whole.finish()
    return RehearsedMix(
        energies={stem_id: follower.finish().energies for stem_id, follower in followers.items()},
        integrated_lufs=found.integrated_lufs,
        max_short_term_lufs=found.max_short_term_lufs,
        true_peak_dbtp=to_db(float(peaks.finish().max())),
    )


class _Follower:
    """A meter on a line of the desk."""

    def __init__(self, rate_hz: int) -> None:
        self._windows, self._meter = Windows(2), StepMeter(rate_hz, 2)

    def push(self, block: Audio) -> None:
        for lines in self._windows.push(block):
            self._meter.push(lines)

    def finish(self) -> StepReading:
        for lines in self._windows.finish():
            self._meter.push(lines)
        return self._meter.finish()
