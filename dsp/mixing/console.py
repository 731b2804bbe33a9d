"""The console: every stem through its strip, buses and rooms, in one pass, block by block.

Order of the signal: delay and polarity, inserts, automation, fader, gain sharing, ducks, panner; from there times the gain of its
bus and of the mix to the mix, and over its sends into rooms. What comes out adds up to the mix, and nothing else is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dsp.audio import Audio, silence, to_gain
from dsp.mixing.bus import BusCompressor
from dsp.mixing.console_settings import ConsoleSettings
from dsp.mixing.panner import Panner
from dsp.mixing.reverb import Reverb
from dsp.mixing.sections import Ducks, Heads, Section, Sharing, scaled


class Desk(NamedTuple):
    """What came out of the console, equally many frames of each, in two channels."""

    stems: list[Audio]
    """As each strip adds to the mix, in the order of the strips."""
    returns: list[Audio]
    """As each room does."""

    @property
    def mix(self) -> Audio:
        """Their sum, one after the other: the same bits wherever it is added up."""
        return summed([*self.stems, *self.returns])


class Console:
    """Plays settings: as many frames come out as went in.

    >>> from dsp.mixing.console_settings import StripSound
    >>> two = ConsoleSettings(strips=(StripSound(channels=2), StripSound(channels=2, gain_db=6.0)))
    >>> console = Console(two, rate_hz=48_000)
    >>> blocks = [console.push([np.full((4, 2), 0.25)] * 2), console.finish()]
    >>> np.concatenate([desk.mix for desk in blocks])[:, 0].round(3).tolist()
    [0.749, 0.749, 0.749, 0.749]
    """

    def __init__(self, settings: ConsoleSettings, rate_hz: int) -> None:
        self._channels = [strip.channels for strip in settings.strips]
        self._sections = _sections(settings, rate_hz)
        self._panners = [Panner(strip.panner, strip.channels) for strip in settings.strips]
        self._rooms = [_Room(settings, place, rate_hz) for place in range(len(settings.returns))]
        self._faders = [_Fader(settings, place, rate_hz) for place in range(len(settings.buses))]
        self._mix_ratio = to_gain(settings.gain_db)
        self._bus = [strip.bus for strip in settings.strips]

    def push(self, blocks: Sequence[Audio]) -> Desk:
        """Takes a block (frames, channels) for each strip, all of one length."""
        shapes = [block.shape for block in blocks]
        if [channels for _, channels in shapes] != self._channels or len({frames for frames, _ in shapes}) > 1:
            raise ValueError(f"blocks must be of one length and of {self._channels} channels, got {shapes}")
        lines = list(blocks)
        for section in self._sections:
            lines = section.push(lines)
        return self._mixed(lines)

    def finish(self) -> Desk:
        """The rest of the song."""
        tail = [silence(0, channels) for channels in self._channels]
        for section in self._sections:
            ready = section.push(tail)
            tail = [np.concatenate(pair) for pair in zip(ready, section.finish(), strict=True)]
        return self._mixed(tail)

    def _mixed(self, lines: Sequence[Audio]) -> Desk:
        """Stems and rooms as they add to the mix: from here on nothing is held back."""
        panned = [panner.push(line) for panner, line in zip(self._panners, lines, strict=True)]
        stems = [
            scaled(line, self._mix_ratio) if bus is None else line for line, bus in zip(panned, self._bus, strict=True)
        ]
        for fader in self._faders:
            fader.apply(panned, stems)
        return Desk(stems, [scaled(room.push(panned), self._mix_ratio) for room in self._rooms])


def summed(blocks: Sequence[Audio]) -> Audio:
    """The sum of blocks, added one after the other."""
    out = blocks[0].copy()
    for block in blocks[1:]:
        out += block
    return out


class _Fader:
    """One gain for all strips of a bus, that of the mix in it: computed from their sum, and multiplied on each of them."""

    def __init__(self, settings: ConsoleSettings, place: int, rate_hz: int) -> None:
        bus = settings.buses[place]
        self._members = [at for at, strip in enumerate(settings.strips) if strip.bus == place]
        self._compressor = BusCompressor(bus.compressor, rate_hz) if bus.compressor and self._members else None
        self._ratio = to_gain(bus.gain_db + settings.gain_db)

    def apply(self, panned: Sequence[Audio], stems: list[Audio]) -> None:
        if self._compressor is None:
            for place in self._members:
                stems[place] = scaled(panned[place], self._ratio)
            return
        gains = self._compressor.push(summed([panned[place] for place in self._members])) * self._ratio
        for place in self._members:
            stems[place] = panned[place] * gains[:, None]


class _Room:
    """A reverb, and what is sent into it."""

    def __init__(self, settings: ConsoleSettings, place: int, rate_hz: int) -> None:
        own = settings.returns[place]
        sends = [(at, send) for at, strip in enumerate(settings.strips) for send in strip.sends if send.to == place]
        self._sends = [(at, to_gain(send.level_db)) for at, send in sends]
        self._reverb = Reverb(own.reverb, rate_hz) if sends else None
        self._ratio = to_gain(own.gain_db)

    def push(self, panned: Sequence[Audio]) -> Audio:
        if self._reverb is None:
            return np.zeros_like(panned[0])
        return scaled(self._reverb.push(summed([panned[at] * ratio for at, ratio in self._sends])), self._ratio)


def _sections(settings: ConsoleSettings, rate_hz: int) -> list[Section]:
    sections: list[Section] = [Heads(settings.strips, rate_hz)]
    if settings.groups:
        sections.append(Sharing(settings.groups, settings.strips, rate_hz))
    if any(strip.ducks for strip in settings.strips):
        sections.append(Ducks(settings.strips, rate_hz))
    return sections
