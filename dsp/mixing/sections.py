"""Sections of the console: what happens to all strips at one place of the signal's way.

A section takes a block of each strip, all of one length, and hands out blocks of one length, some frames later perhaps; `finish`
gives what it still holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dsp.audio import Audio, Floats, silence, to_gain
from dsp.chain import Chain, start_chain
from dsp.mixing.console_settings import SharingSound, StripSound
from dsp.mixing.control_path import heard_of
from dsp.mixing.ducker import Ducker
from dsp.mixing.gain_sharing import GainSharing
from dsp.mixing.together import Together
from dsp.settings import AutomationSettings, DelaySettings, Settings


class Section(Protocol):
    """A place of the signal's way."""

    def push(self, lines: Sequence[Audio]) -> list[Audio]:
        """Takes a block of each strip; returns what is ready of all of them."""

    def finish(self) -> list[Audio]:
        """The rest of each strip."""


class Heads:
    """What each strip does by itself: polarity, delay, inserts, automation, fader."""

    def __init__(self, strips: Sequence[StripSound], rate_hz: int) -> None:
        self._signs = [-1.0 if strip.invert else 1.0 for strip in strips]
        self._chains = [_chain(strip, rate_hz) for strip in strips]
        self._faders = [to_gain(strip.gain_db) for strip in strips]
        self._together = Together([strip.channels for strip in strips])

    def push(self, lines: Sequence[Audio]) -> list[Audio]:
        """What is ready of all strips."""
        signed = map(scaled, lines, self._signs)
        return self._faded([chain.push(line) for chain, line in zip(self._chains, signed, strict=True)])

    def finish(self) -> list[Audio]:
        """What their inserts held back."""
        return self._faded([chain.finish() for chain in self._chains])

    def _faded(self, lines: Sequence[Audio]) -> list[Audio]:
        return self._together.push(list(map(scaled, lines, self._faders)))


class Sharing:
    """Gain sharing of some groups; a microphone of two channels is heard as their mean."""

    def __init__(self, groups: Sequence[SharingSound], strips: Sequence[StripSound], rate_hz: int) -> None:
        self._places = [group.strips for group in groups]
        self._groups = [GainSharing(group.sharing, rate_hz) for group in groups]
        self._together = Together([*(strip.channels for strip in strips), *map(len, self._places)])

    def push(self, lines: Sequence[Audio]) -> list[Audio]:
        """The strips as far as their gains are known."""
        heard = [heard_of([lines[place] for place in places]) for places in self._places]
        return self._shared(lines, [group.push(block) for group, block in zip(self._groups, heard, strict=True)])

    def finish(self) -> list[Audio]:
        """The frames whose gains look beyond the end."""
        nothing = [silence(0, channels) for channels in self._together.channels[: -len(self._groups)]]
        return self._shared(nothing, [group.finish() for group in self._groups])

    def _shared(self, lines: Sequence[Audio], gains: Sequence[Floats]) -> list[Audio]:
        ready = self._together.push([*lines, *gains])
        out = ready[: len(lines)]
        for places, shares in zip(self._places, ready[len(lines) :], strict=True):
            for column, place in enumerate(places):
                out[place] = out[place] * shares[:, column : column + 1]
        return out


class Ducks:
    """Strips that give way to others: each hears its key as it is ahead of any duck, so that no two hang on each other."""

    def __init__(self, strips: Sequence[StripSound], rate_hz: int) -> None:
        self._channels = [strip.channels for strip in strips]
        self._ways = [
            (place, [(duck.key, Ducker(duck.ducker, rate_hz, strip.channels)) for duck in strip.ducks])
            for place, strip in enumerate(strips)
            if strip.ducks
        ]

    def push(self, lines: Sequence[Audio]) -> list[Audio]:
        """The strips, turned down where they give way."""
        out = list(lines)
        for place, ducks in self._ways:
            for key, ducker in ducks:
                out[place] = ducker.push(out[place], lines[key])
        return out

    def finish(self) -> list[Audio]:
        """Nothing: a ducker holds nothing back."""
        return [silence(0, channels) for channels in self._channels]


def scaled(block: Audio, ratio: float) -> Audio:
    """The block times a gain; the block itself where that is 1."""
    return block if ratio == 1.0 else block * ratio


def _chain(strip: StripSound, rate_hz: int) -> Chain:
    settings: list[Settings] = [DelaySettings(delay_frames=strip.delay_frames)] if strip.delay_frames else []
    settings += strip.inserts
    if any(strip.automation_db):
        settings.append(AutomationSettings(gains_db=strip.automation_db))
    return start_chain(settings, rate_hz, strip.channels)
