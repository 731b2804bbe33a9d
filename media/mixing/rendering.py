"""Renders a mix into files in one pass: the mix, its versions, and the stems and rooms that add up to it.

All are 32-bit float WAVs of the same length at the rate of the session, so that nothing clips and sums hold. The mix is as long
as the longest stem that is used: a room that rings on beyond it is cut.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Literal, NamedTuple

from dsp.mixing.console import Desk, summed
from media.analysis import analyse
from media.mixing.float_wav import FloatWav
from media.mixing.performance import Performance, opened_performance
from media.mixing.sound import used_strips
from media.source import sha256_of
from schemas.errors import TrackError
from schemas.figures import Analysis
from schemas.mix import MixSettings, kind_of
from schemas.safe_names import safe_name
from schemas.steps import MixWish, Version
from schemas.track import Track

KINDS_OF: dict[Version, tuple[str, ...]] = {
    "instrumental": ("music",),
    "acappella": ("backing", "vocals"),
    "tv": ("music", "backing"),
}
"""Whose stems and rooms a version holds; an instrumental and an a cappella are the whole mix together."""
_FOLDERS = {"mix": ".", "version": "versions", "stem": "stems", "return": "returns"}


class MixFile(NamedTuple):
    """A file of a mix, as it lies in the folder that it was rendered into."""

    name: str
    """`mix`, a version, a stem_id, or the name of a return."""
    kind: Literal["mix", "version", "stem", "return"]
    path: Path
    sha256: str
    frames: int
    peak_dbfs: float | None


class MixRendering(NamedTuple):
    """All files of a mix, the mix itself first, and what was measured when it was decoded again."""

    files: tuple[MixFile, ...]
    analysis: Analysis


def render_mix(track: Track, settings: MixSettings, folder: Path, wish: MixWish) -> MixRendering:
    """Renders what is wished for below `folder` and proves it; raises TrackError where a stem, the disk or the proof fails.

    A version that would hold nothing (an a cappella of a song without voices) is left out.
    """
    parts = _parts(settings, wish)
    with opened_performance(track, settings, more_files=len(parts)) as song, ExitStack() as opened:
        writers = [_Writer(part, song, folder, opened) for part in parts]
        for desk in song.desks():
            for writer in writers:
                writer.write(desk)
    files = tuple(writer.file() for writer in writers)
    for file in files[1:]:
        _prove(file, sha256_of(file.path))
    analysis = _decoded(files[0].path)
    _prove(files[0], analysis.sha256, analysis)
    return MixRendering(files, analysis)


class _Part(NamedTuple):
    """A file to be written, and what it is the sum of: places among the stems and returns of the desk."""

    name: str
    kind: Literal["mix", "version", "stem", "return"]
    places: tuple[int, ...]


class _Writer:
    """The open file of a part."""

    def __init__(self, part: _Part, song: Performance, folder: Path, opened: ExitStack) -> None:
        self._part = part
        path = folder / _FOLDERS[part.kind] / f"{safe_name(part.name)}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._wav = opened.enter_context(FloatWav(path, song.rate_hz, 2, song.frames))

    def write(self, desk: Desk) -> None:
        lines = [*desk.stems, *desk.returns]
        own = [lines[place] for place in self._part.places]
        self._wav.write(own[0] if len(own) == 1 else summed(own))

    def file(self) -> MixFile:
        wav = self._wav
        return MixFile(self._part.name, self._part.kind, wav.path, wav.sha256, wav.frames, wav.peak_dbfs)


def _parts(settings: MixSettings, wish: MixWish) -> list[_Part]:
    kinds = [kind_of(strip.bus) for strip in used_strips(settings)] + [one.of for one in settings.returns]
    parts = [_Part("mix", "mix", tuple(range(len(kinds))))]
    for version in dict.fromkeys(wish.versions):
        places = tuple(place for place, kind in enumerate(kinds) if kind in KINDS_OF[version])
        if any(place < len(used_strips(settings)) for place in places):
            parts.append(_Part(version, "version", places))
    if wish.stems:
        names = [strip.stem_id for strip in used_strips(settings)]
        parts += [_Part(name, "stem", (place,)) for place, name in enumerate(names)]
        parts += [_Part(one.name, "return", (len(names) + at,)) for at, one in enumerate(settings.returns)]
    return parts


def _decoded(path: Path) -> Analysis:
    try:
        return analyse(path)
    except TrackError as error:
        if error.code != "SOURCE_OUT_OF_RANGE":
            raise
        hint = "Turn gain_db of the mix or the faders down, in the settings of the mix or in the manifest."
        raise TrackError(error.code, f"the mix is too loud: {error.text}", hint) from error


def _prove(file: MixFile, sha256: str, analysis: Analysis | None = None) -> None:
    """What lies on the disk must be what was rendered, and a mix must decode to as many frames."""
    if sha256 != file.sha256:
        text = f"the finished {file.path.name} does not hold what was rendered"
        raise TrackError("MASTER_DAMAGED", text, "Check the disk, then run again.")
    if analysis is not None and analysis.format.frames != file.frames:
        text = f"the finished {file.path.name} has {analysis.format.frames} frames, {file.frames} were rendered"
        raise TrackError("MASTER_DAMAGED", text, "Check the disk, then run again.")
