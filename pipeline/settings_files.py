"""Settings of mixes that a run is given, looked at before anything is mixed: a file that cannot be read is no song's fault."""

from __future__ import annotations

from collections.abc import Sequence

from decisions.mixing.edits import read_settings
from schemas.errors import CatalogueError, TrackError
from schemas.safe_names import quoted
from schemas.track import Track
from transforms.songs import settings_bytes


def check_settings_files(uris: Sequence[str], tracks: Sequence[Track], *, one_of_many: bool = False) -> None:
    """Raises CatalogueError for settings that cannot be read, or that are not clearly those of one song of the manifest.

    `tracks` are all that a manifest has. With `one_of_many`, settings may be for a song of another manifest.
    """
    songs = [track for track in tracks if track.song is not None]
    problems: dict[str, list[str]] = {"MIX_SETTINGS_INVALID": [], "MIX_SETTINGS_OTHER_SESSION": []}
    for uri in dict.fromkeys(uris):
        try:
            mix_id = read_settings(settings_bytes(uri)).mix_id
        except TrackError as error:
            about = "" if uri in error.text else f" {uri}"
            problems[error.code].append(f"--settings{about}: {error.text}")
        else:
            if not one_of_many:
                problems["MIX_SETTINGS_OTHER_SESSION"] += _strays(uri, mix_id, songs)
    for code, texts in problems.items():
        if texts:
            raise CatalogueError(code, texts)


def _strays(uri: str, mix_id: str | None, songs: Sequence[Track]) -> list[str]:
    if mix_id is None and sum(song.selected for song in songs) > 1:
        hint = 'write "mix_id" into it, choose one with --only, or name the file in the column settings of the manifest'
        return [f"--settings {uri} does not say which song it is for, and there are several: {hint}"]
    if mix_id is not None and mix_id not in {song.track_id for song in songs}:
        known = ", ".join(quoted(song.track_id) for song in songs[:5]) or "no song in stems"
        more = f" and {len(songs) - 5} more" if songs[5:] else ""
        return [f"--settings {uri} is for the song {quoted(mix_id)}, the manifest has {known}{more}"]
    return []
