"""`lathe automix`: the microphones of an event, however they are given, into one folder with the mix and all gains."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from dsp.mixing.gain_sharing import trims_db
from dsp.settings import GainSharingSettings
from dsp.settings.gain_sharing import MAX_TRIM_DB, SharingKind
from media import store
from media.disk import made_folder
from media.manifest import AUDIO, KINDS, read_manifest
from media.mixing.automix import automix
from media.mixing.microphones import Recording, common_rate_hz, name_microphones, read_recordings
from media.source import sha256_of
from pipeline.words import say
from schemas.automix import AutomixRecord, AutomixWish, GainsFormat, Microphone
from schemas.errors import CatalogueError, TrackError
from schemas.safe_names import quoted
from schemas.stems import Stem

RECORD = "automix.json"
GROUP = "all"
"""What microphones belong to that are in no other group."""
TOLD_TRIM_DB = 1.0
"""About what is heard as a difference of level (our choice)."""
LATE_S = 1.0
"""Files that differ in length by more are told of (as for the stems of a song)."""


class Asked(NamedTuple):
    """What a user of `lathe automix` asked for."""

    inputs: Sequence[str]
    output: str
    mode: SharingKind = "speech"
    weights: Sequence[str] = ()
    """NAME=DB each."""
    faders: Sequence[str] = ()
    groups: Sequence[str] = ()
    """NAME=GROUP each."""
    depth_db: float | None = None
    open_limit: int | None = None
    last_hold: bool = False
    original: bool = False
    no_ambience_trim: bool = False
    split_stereo: bool = False
    stems: bool = False
    floating: bool = False
    gains: GainsFormat = "parquet"


class Given(NamedTuple):
    """A file of the event, and what a manifest says of it."""

    uri: str
    name: str
    stem: Stem | None = None


def automix_files(asked: Asked) -> AutomixRecord:
    """Mixes what was asked for and returns what was done; raises CatalogueError or TrackError."""
    _check_output(asked)
    given = _given(asked)
    recordings = read_recordings([one.uri for one in given])
    _check_promises(given, recordings)
    microphones = _microphones(asked, given, recordings)
    groups = _groups(asked, given, microphones)
    wish = AutomixWish(groups=groups, stems=asked.stems, floating=asked.floating, gains=asked.gains)
    with _workplace(asked.output) as folder:
        record = automix(microphones, recordings, common_rate_hz(recordings), wish, folder)
        record = msgspec.structs.replace(record, notes=tuple(_notes(record)))
        _publish(record, folder, asked.output)
    return record


@contextmanager
def _workplace(output: str) -> Iterator[Path]:
    """A folder for files in the making, of which nothing stays; nor does an output that nothing came of."""
    if store.is_remote(output):
        with TemporaryDirectory() as folder:
            yield Path(folder)
        return
    place = made_folder(store.local_path(output))
    try:
        with TemporaryDirectory(dir=place, prefix=".lathe-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    finally:
        with suppress(OSError):  # it holds something, as it should
            place.rmdir()


def _check_output(asked: Asked) -> None:
    if not asked.inputs:
        text = f"{quoted(asked.output)} is the only name given: name the microphones first, the folder for the mix last"
        raise CatalogueError("MICROPHONES_TOO_FEW", text)
    if asked.output.lower().endswith((*AUDIO, *KINDS)):
        text = f"the last name is the folder for the mix, but {quoted(asked.output)} is a file: name a folder after it"
        raise CatalogueError("OUTPUT_NOT_WRITABLE", text)
    if store.is_remote(asked.output):
        return
    path = store.local_path(asked.output)
    if path.exists() and not path.is_dir():
        raise CatalogueError("OUTPUT_NOT_WRITABLE", f"{quoted(asked.output)} is a file; name a folder for the mix")
    if any(not store.is_remote(one) and os.path.realpath(one) == os.path.realpath(path) for one in asked.inputs):
        text = f"folder {quoted(asked.output)} holds the microphones; name another for the mix, such as one inside it"
        raise CatalogueError("OUTPUT_NOT_WRITABLE", text)


def _given(asked: Asked) -> list[Given]:
    found = [one for uri in asked.inputs for one in _files_of(uri, asked.output)]
    if not found:
        raise CatalogueError("MICROPHONES_TOO_FEW", "no microphone was given")
    return found


def _files_of(uri: str, output: str) -> list[Given]:
    """The files that one word of the command line stands for: itself, all audio in a folder, or the rows of a manifest."""
    if uri.lower().endswith(KINDS):
        return _rows(uri, output)
    is_folder = uri.endswith("/") if store.is_remote(uri) else store.local_path(uri).is_dir()
    if not is_folder:
        return [Given(uri, _name_of(uri))]
    below = output if store.is_remote(output) else os.path.abspath(output)
    files = [one for one in store.list_files(uri) if one.lower().endswith(AUDIO)]
    inside = [one for one in files if not _absolute(one).startswith(f"{below.rstrip('/')}/")]
    if not inside:
        text = f"folder {quoted(uri)} holds no audio: looked for {', '.join(AUDIO)}"
        raise CatalogueError("MICROPHONES_TOO_FEW", text)
    return [Given(one, _name_of(one)) for one in inside]


def _rows(uri: str, output: str) -> list[Given]:
    tracks = read_manifest(uri, output=output)
    songs = [track for track in tracks if track.song is not None]
    if not songs:
        named = sorted(
            {name for track in tracks for name in track.extra} & {"weight_db", "automix_group", "gain_db", "mute"}
        )
        if named:
            text = f"column {named[0]} of {quoted(uri)} is said of microphones of one event: add a column mix_id that names it"
            raise CatalogueError("MANIFEST_INVALID", text)
        return [Given(track.uri, _name_of(track.uri)) for track in tracks]
    if len(songs) > 1 or len(tracks) > 1:
        text = f"manifest {quoted(uri)} has {len(tracks)} events (mix_id), one is mixed at a time; give a manifest for each"
        raise CatalogueError("MANIFEST_INVALID", text)
    song = songs[0].song
    assert song is not None
    return [Given(stem.uri, stem.stem_id, stem) for stem in song.stems]


def _check_promises(given: Sequence[Given], recordings: Sequence[Recording]) -> None:
    """What a manifest promises of its files: their bytes and how long they are."""
    for one, recording in zip(given, recordings, strict=True):
        if one.stem and one.stem.sha256:
            with store.fetched(one.uri) as path:
                found = sha256_of(path)
            if found != one.stem.sha256:
                text = f"{one.name} has SHA-256 {found}, the manifest says {one.stem.sha256}"
                raise TrackError("HASH_MISMATCH", text, "Copy it again, or correct the manifest.")
        if one.stem and one.stem.duration_s and abs(one.stem.duration_s - recording.format.duration_s) > LATE_S:
            text = (
                f"{one.name} lasts {recording.format.duration_s:.1f} s, the manifest says {one.stem.duration_s:.1f} s"
            )
            raise TrackError("DURATION_MISMATCH", text, "Copy it again, or correct the manifest.")


def _microphones(asked: Asked, given: Sequence[Given], recordings: Sequence[Recording]) -> list[Microphone]:
    stems = {one.uri: one.stem for one in given if one.stem}
    named = name_microphones(recordings, [one.name for one in given], split_stereo=asked.split_stereo)
    found = [_microphone(one.name, one.uri, one.columns, stems.get(one.uri)) for one in named]
    for pattern, weight_db in _numbers("--weight", asked.weights, -60.0, 60.0):
        found = _changed(found, "--weight", pattern, weight_db=weight_db)
    for pattern, gain_db in _numbers("--gain", asked.faders, -60.0, 40.0):
        found = _changed(found, "--gain", pattern, gain_db=gain_db)
    for pattern, group in _pairs("--group", asked.groups):
        found = _changed(found, "--group", pattern, group=group)
    heard = sum(not one.mute for one in found)
    if heard < 2:
        text = f"gain sharing needs two microphones or more, got {heard}: {', '.join(one.name for one in found)}"
        raise CatalogueError("MICROPHONES_TOO_FEW", text)
    return found


def _microphone(name: str, uri: str, columns: tuple[int, ...], stem: Stem | None) -> Microphone:
    if stem is None:
        return Microphone(name=name, uri=uri, columns=columns, group=GROUP)
    return Microphone(
        name=name,
        uri=uri,
        columns=columns,
        group=stem.automix_group or GROUP,
        weight_db=stem.weight_db,
        gain_db=stem.gain_db or 0.0,
        mute=stem.mute,
    )


def _changed(microphones: list[Microphone], option: str, pattern: str, **values: object) -> list[Microphone]:
    wanted = [fnmatchcase(one.name.casefold(), pattern.casefold()) for one in microphones]
    if not any(wanted):
        names = ", ".join(one.name for one in microphones)
        raise CatalogueError("CHOICE_INVALID", f"{option}: no microphone is named {quoted(pattern)}; there are {names}")
    return [
        msgspec.structs.replace(one, **values) if hit else one for one, hit in zip(microphones, wanted, strict=True)
    ]


def _pairs(option: str, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not (name and equals and value):
            raise CatalogueError("CHOICE_INVALID", f"{option} must be NAME=VALUE, got {quoted(text)}")
        yield name, value


def _numbers(option: str, texts: Sequence[str], low: float, high: float) -> Iterator[tuple[str, float]]:
    for name, text in _pairs(option, texts):
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            allowed = f"must be a number of dB in [{low:g}, {high:g}]"
            raise CatalogueError("CHOICE_INVALID", f"{option} of {quoted(name)} {allowed}, got {quoted(text)}")
        yield name, value


def _groups(asked: Asked, given: Sequence[Given], microphones: Sequence[Microphone]) -> dict[str, GainSharingSettings]:
    """The settings of each group that has a microphone; a manifest may say another mode for one."""
    modes: dict[str, SharingKind] = {
        one.stem.automix_group: one.stem.automix_mode for one in given if one.stem and one.stem.automix_group
    }
    return {name: _sharing(asked, modes.get(name, asked.mode)) for name in sorted({one.group for one in microphones})}


def _sharing(asked: Asked, kind: SharingKind) -> GainSharingSettings:
    return GainSharingSettings(
        kind=kind,
        depth_db=asked.depth_db,
        floor=not asked.original,
        open_limit=asked.open_limit,
        last_hold=asked.last_hold,
        ambience_trim_db=0.0 if asked.no_ambience_trim else MAX_TRIM_DB,
    )


def _publish(record: AutomixRecord, folder: Path, output: str) -> None:
    """The record last: whoever finds it finds all that it names."""
    (folder / RECORD).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2))
    stems = [one.stem for one in record.microphones if one.stem]
    for name in (*stems, record.gains, record.mix, RECORD):
        store.replace(folder / name, store.join(output, name))


def _notes(record: AutomixRecord) -> Iterator[str]:
    """What should be known before the mix is trusted."""
    longest_s = record.duration_s
    for one in record.microphones:
        if one.rate_hz != record.rate_hz:
            yield f"{one.name}: resampled from {one.rate_hz} to {record.rate_hz} Hz"
        if longest_s - one.duration_s > LATE_S:
            yield f"{one.name}: ends {longest_s - one.duration_s:.1f} s before the longest; silent from there"
        if one.floor_dbfs is None:
            yield f"{one.name}: has no pause with ambience in it, so nothing is trimmed for it"
    for group in record.groups:
        for name, trim_db in zip(group.microphones, trims_db(group.sharing), strict=True):
            if trim_db >= TOLD_TRIM_DB:
                yield f"{name}: turned down by {trim_db:.1f} dB while it is open, for its ambience is louder (--no-ambience-trim)"
    if record.gain_db:
        yield f"the whole mix was turned down by {-record.gain_db:.2f} dB, so that its true peak keeps to -1 dBTP"


def _name_of(uri: str) -> str:
    return os.path.splitext(uri.rstrip("/").rpartition("/")[2])[0]


def _absolute(uri: str) -> str:
    return uri if store.is_remote(uri) else os.path.abspath(store.local_path(uri))


def automix_text(record: AutomixRecord, output: str) -> str:
    """What was done, in lines."""
    width = max(len(one.name) for one in record.microphones)
    lines = [f"{'microphone':<{width}}  group  open  mean gain  ambience"]
    for one in record.microphones:
        floor = "unknown" if one.floor_dbfs is None else f"{one.floor_dbfs:.1f} dBFS"
        lines.append(f"{one.name:<{width}}  {one.group:<5}  {one.open_ratio:4.0%}  {one.mean_gain_db:6.1f} dB  {floor}")
    lines += record.notes
    lufs = "silent" if record.integrated_lufs is None else f"{record.integrated_lufs:.1f} LUFS"
    peak = "" if record.true_peak_dbtp is None else f", {record.true_peak_dbtp:.1f} dBTP"
    lines.append(f"{store.join(output, record.mix)}: {record.duration_s:.1f} s, {lufs}{peak}")
    return "\n".join(lines)


def tell(record: AutomixRecord, output: str) -> None:
    """Says what was done on stderr."""
    say(automix_text(record, output))
