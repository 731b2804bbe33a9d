"""Songs on their way through a graph: what travels is small, and each song is mixed by itself."""

from __future__ import annotations

import msgspec

from media.mixing.steps import StemHeard
from schemas.stems import Song, Stem
from schemas.steps import Heard
from tests.transforms.members import JOB, track
from transforms import mixes

MOST_BYTES = 256 * 1024
"""Of an element in which a whole song meets: runners take some MB, and Lathe stays far below one."""


def test_a_song_of_300_stems_and_a_wordy_manifest_stays_small(monkeypatch):
    monkeypatch.setattr(
        mixes, "hear_stem", lambda stem, mix_id, job: StemHeard(mix_id=mix_id, stem_id=stem.stem_id, sha256="a" * 64)
    )
    folder = "gs://a-bucket-of-a-label/albums/An Album of Some Length/A Song of Some Length/stems"
    stems = tuple(
        Stem(row=n, uri=f"{folder}/{n} Close.wav", stem_id=f"{n} Close", role="kick", sha256="a" * 64)
        for n in range(300)
    )
    kept = {f"column {n}": "what a label keeps of its songs, and Lathe passes on" for n in range(30)}
    song = track(title="A Song", extra=kept, song=Song(stems=stems, style="rock", reference=f"{folder}/mix.wav"))
    heard = [mixes.hear(one, JOB) for one in mixes.stems_of(song)]
    assert 301 == len(heard) and all(isinstance(one, Heard) for one in heard)
    assert {stem.stem_id for stem in stems} < {one.stem_id for one in heard}
    assert sum(len(msgspec.msgpack.encode(one)) for one in [song, *heard]) < MOST_BYTES
