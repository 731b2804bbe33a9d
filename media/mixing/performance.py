"""One pass over a song: its stems through the console, from the first frame to the last. Rendering and rehearsal share it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dsp.mixing.console import Console, Desk
from media.mixing.song_files import SongFiles, opened_song
from media.mixing.sound import sound_of, used_strips
from schemas.mix import MixSettings
from schemas.track import Track


class Performance:
    """A song that is open and may be played once."""

    def __init__(self, files: SongFiles, settings: MixSettings) -> None:
        self._files, self._settings = files, settings
        self.strips = used_strips(settings)
        self.frames = files.frames
        self.rate_hz = settings.rate_hz

    def desks(self) -> Iterator[Desk]:
        """All of it, block by block: `frames` frames together."""
        console = Console(sound_of(self._settings, self._files.channels), self.rate_hz)
        for blocks in self._files.blocks():
            yield console.push(blocks)
        yield console.finish()


@contextmanager
def opened_performance(track: Track, settings: MixSettings, more_files: int = 0) -> Iterator[Performance]:
    """Opens the stems that settings use; `more_files` will be written beside them. Raises TrackError where a stem fails."""
    if track.song is None:
        raise ValueError(f"track {track.track_id} has no stems")
    stems = {stem.stem_id: stem for stem in track.song.stems}
    heard = {one.stem_id: one.sha256 for one in settings.inputs}
    used = [stems[strip.stem_id] for strip in used_strips(settings)]
    with opened_song(used, heard, settings.rate_hz, more_files) as files:
        yield Performance(files, settings)
