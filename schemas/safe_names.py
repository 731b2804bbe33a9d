"""Names that cross Lathe's border: what it writes is legal on any file system, what it reads lies inside the roots.

`safe_name` and `name_masters` make names; `Roots` places a URI of the manifest; `quoted` shows a value in a message.
Pure: file systems are reached only through the `resolve` that the caller gives.
"""

from __future__ import annotations

import os.path
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace

from schemas.stems import VERSIONS
from schemas.track import Track

MAX_BYTES = 120
"""Most file systems allow 255 bytes: this leaves room for disc, sequence, hash, extension and a temporary name."""

REMOTE_SCHEMES = ("gs", "s3")

_FORBIDDEN = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]')
# Soft hyphen, zero-width space, marks and overrides of direction, byte order mark: they hide or disguise a name.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# Windows keeps these names for devices, with any extension.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE)
_EDGE = ". \u200c\u200d"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HASH_DIGITS = (0, 8, 16, 64)


def safe_name(text: str, fallback: str = "untitled") -> str:
    """One legal component of a path, never empty, hidden or an option; idempotent."""
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    text = _cut(" ".join(_FORBIDDEN.sub("_", text).split()).strip(_EDGE)).rstrip(_EDGE)
    if text.startswith("-") or _DEVICE.match(text):
        text = "_" + text.removeprefix("-")
    return _cut(text).rstrip(_EDGE) or fallback


def quoted(text: str, longest: int = 80) -> str:
    """A value as a message shows it: short, and nothing in it can move the cursor of a terminal."""
    short = text if len(text) <= longest else text[: longest - 3] + "..."
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short) + '"'


def name_masters(tracks: Sequence[Track]) -> list[Track]:
    """The tracks with `album_folder` and `file_stem`; a pure function of the manifest."""
    albums: defaultdict[str, list[Track]] = defaultdict(list)
    for track in tracks:
        albums[track.album_id].append(track)
    folders = distinct({album_id: safe_name(album_id) for album_id in albums})
    stems = {
        album_id: distinct({t.track_id: _stem(t) for t in album}, taken=_of_versions(album))
        for album_id, album in albums.items()
    }
    return [replace(t, album_folder=folders[t.album_id], file_stem=stems[t.album_id][t.track_id]) for t in tracks]


def version_stem(file_stem: str, version: str) -> str:
    """Name of the master of a version of a mix, beside that of the mix.

    >>> version_stem("1-01 Song", "tv")
    '1-01 Song (tv)'
    """
    return f"{file_stem} ({version})"


def distinct(names: dict[str, str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Identity -> name, with a hash of the identity wherever a file system could take two names for one.

    It keeps clear of names that are `taken`, unless one was made to be met.
    """
    levels = dict.fromkeys(names, 0)
    result = dict(names)
    stand = {as_seen(name) for name in taken}
    while crowded := [one for one in _crowded(result, stand) if levels[one] < len(_HASH_DIGITS) - 1]:
        # A hashed name may meet one that was written so: both then get a longer hash, the longest never meet.
        for identity in crowded:
            levels[identity] += 1
            result[identity] = _hashed(names[identity], identity, _HASH_DIGITS[levels[identity]])
    return result


def as_seen(name: str) -> str:
    """What the most forgetful file system makes of a name: those that give the same are one file there."""
    # Unicode D145, canonical caseless match: file systems that ignore case also ignore how accents are composed.
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


class Place(Struct, frozen=True, kw_only=True):
    """Where a file of the manifest lies: its full URI, and its name below the root that holds it."""

    uri: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Roots:
    """The folders that a manifest may read from; the first is its own, which relative names start from."""

    folders: tuple[str, ...]
    real_folders: tuple[str, ...]
    resolve: Callable[[str], str]
    """Full path -> full path without symbolic links."""

    @classmethod
    def of(cls, folder: str, others: Iterable[str], resolve: Callable[[str], str]) -> Roots:
        """Roots may be written relative to the working directory."""
        folders = tuple(_absolute(root, os.path.abspath(".")).rstrip("/") for root in (folder, *others))
        real = (resolve(root or "/") if _is_local(root) else root for root in folders)
        return cls(folders=folders, real_folders=tuple(root.rstrip("/") for root in real), resolve=resolve)

    def locate(self, text: str) -> Place:
        """The place of a URI as a manifest writes it; ValueError where it is none or lies outside."""
        _refuse_unnameable(text)
        uri = _absolute(text, self.folders[0] or "/")
        root = _holder(uri, self.folders)
        if root is None:
            raise ValueError(self._outside(uri, "lies outside"))
        if _is_local(uri) and _holder(real := self.resolve(uri), self.real_folders) is None:
            raise ValueError(self._outside(real, f"leads by a symbolic link to {_shown(real)}, outside"))
        return Place(uri=uri, name=unicodedata.normalize("NFC", uri[len(root) + 1 :]))

    def _outside(self, uri: str, verb: str) -> str:
        allowed = ", ".join(_shown(root) for root in self.folders)
        return f"{verb} the allowed folders {allowed}; to allow its folder too: --root {_shown(uri.rpartition('/')[0])}"


def _shown(folder: str) -> str:
    return quoted(folder or "/", longest=1000)


def _cut(text: str) -> str:
    if len(text.encode()) <= MAX_BYTES:
        return text
    short = text.encode()[:MAX_BYTES].decode(errors="ignore")
    end = len(short)
    # What is seen as one sign (a letter and its accents, a joined emoji) goes as a whole, unless it is all there is.
    while end and _joined(text[end - 1], text[end]):
        end -= 1
    return text[:end] or short


def _joined(before: str, after: str) -> bool:
    modifies = unicodedata.category(after).startswith("M") or "\U0001f3fb" <= after <= "\U0001f3ff"
    return modifies or "\u200d" in (before, after)


def _of_versions(album: Sequence[Track]) -> list[str]:
    """Names that the versions of songs may be delivered under: no other track of the album takes one."""
    return [version_stem(_stem(track), version) for track in album if track.song is not None for version in VERSIONS]


def _stem(track: Track) -> str:
    # The file of every mix is called the same.
    source = track.track_id if track.song else os.path.splitext(track.uri.rpartition("/")[2])[0]
    name = safe_name(track.title or "", fallback=safe_name(source))
    return name if track.sequence is None else f"{track.disc}-{track.sequence:02d} {name}"


def _hashed(name: str, identity: str, digits: int) -> str:
    return f"{name} [{sha256(identity.encode()).hexdigest()[:digits]}]"


def _crowded(names: dict[str, str], taken: set[str]) -> list[str]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for identity, name in names.items():
        groups[as_seen(name)].append(identity)
    return [identity for seen, group in groups.items() if len(group) > 1 or seen in taken for identity in group]


def _refuse_unnameable(text: str) -> None:
    if "\0" in text:
        raise ValueError("holds a NUL character, which no file name can hold")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("is not UTF-8 text: rename the file") from None
    if text.endswith("/") or text.rpartition("/")[2] in (".", ".."):
        raise ValueError("names a folder, not a file")
    if "\\" in text and "/" not in text:
        raise ValueError(f"is written with backslashes: use / and a path relative to the manifest{_forward(text)}")


def _forward(text: str) -> str:
    return "" if ":" in text else f"; did you mean {text.replace(chr(92), '/')}?"


def _absolute(text: str, folder: str) -> str:
    scheme = _SCHEME.match(text)
    if scheme is None:
        return _below(folder, text)
    name = scheme[1].lower()
    if name in REMOTE_SCHEMES:
        return _normal_remote(f"{name}://{text[scheme.end() :]}")
    if name != "file":
        raise ValueError(f"has the scheme {name}://, which is not read: give a path, file://, gs:// or s3://")
    path = unquote(text[scheme.end() :]).removeprefix("localhost")
    if not path.startswith("/") or "\0" in path:
        raise ValueError("is not a file of this machine: file:// must be followed by a path that starts with /")
    return _below("/", path)


def _below(folder: str, path: str) -> str:
    if not _is_local(folder) and not path.startswith("/"):
        return _normal_remote(f"{folder}/{path}")
    # POSIX lets normpath keep two leading slashes.
    return "/" + os.path.normpath(os.path.join(folder, path)).lstrip("/")


def _normal_remote(uri: str) -> str:
    """Resolves `.` and `..`; empty segments stay, because object names may hold them."""
    scheme, _, rest = uri.partition("://")
    bucket, *segments = rest.split("/")
    kept: list[str] = []
    for segment in segments:
        if segment == ".." and not kept:
            raise ValueError(f"climbs out of its bucket {scheme}://{bucket}: remove the ..")
        if segment == "..":
            kept.pop()
        elif segment != ".":
            kept.append(segment)
    return "/".join([f"{scheme}://{bucket}", *kept])


def _is_local(uri: str) -> bool:
    return _SCHEME.match(uri) is None


def _holder(uri: str, folders: Sequence[str]) -> str | None:
    return next((folder for folder in folders if uri.startswith(folder + "/")), None)
