"""What a mix depends on: all that changes its sound, and nothing that does not."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from msgspec import structs

from schemas.stems import Song, Stem
from schemas.steps import Job, MixWish
from schemas.track import Track
from transforms.songs import foreseen_parts

PLAIN = Stem(row=2, uri="/label/song/01.wav", stem_id="01")
CHANGES: dict[str, Any] = {
    "stem_id": "02",
    "role": "bass",
    "presence": "lead",
    "pan_ratio": 0.0,
    "keep_pan": True,
    "reverb": "none",
    "pair": "p",
    "automix_group": "a",
    "automix_mode": "music",
    "weight_db": 1.0,
    "gain_db": 0.0,
    "mute": True,
    "lock": True,
}
WITHOUT_SOUND: dict[str, Any] = {"row": 9, "uri": "gs://elsewhere/takes/01.flac", "sha256": "0" * 64, "duration_s": 3.0}


def parts(stem: Stem = PLAIN, output: str = "out", mixing: MixWish = MixWish(), **of_song: Any) -> dict[str, str]:  # noqa: B008
    track = Track(
        row=stem.row,
        uri=f"{output}/mixes/song/mix.wav",
        track_id="song",
        album_id="song",
        album_folder="song",
        file_stem="song",
        song=Song(stems=(stem,), **of_song),
    )
    return foreseen_parts(track, Job(output=output, run_id="run", profiles={}, mixing=mixing))


def test_every_column_of_a_stem_is_known_to_change_its_mix_or_not():
    assert {*CHANGES, *WITHOUT_SOUND} == set(Stem.__struct_fields__)


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_said_of_a_stem_changes_its_mix(name):
    assert parts() != parts(structs.replace(PLAIN, **{name: CHANGES[name]}))


@pytest.mark.parametrize("name", WITHOUT_SOUND)
def test_rows_places_and_checks_of_a_file_change_no_mix(name):
    assert parts() == parts(structs.replace(PLAIN, **{name: WITHOUT_SOUND[name]}))


def test_a_place_whose_name_tells_another_role_changes_the_mix():
    assert parts() != parts(structs.replace(PLAIN, uri="/label/song/Snare/01.wav"))


@pytest.mark.parametrize("changed", [{"style": "metal"}, {"reference": "mix.wav"}, {"mixing": MixWish(stems=True)}])
def test_what_is_said_of_the_song_and_asked_of_the_run_changes_the_mix(changed):
    assert parts() != parts(**changed)


def test_a_stem_that_travelled_is_the_same_stem():
    assert parts() == parts(pickle.loads(pickle.dumps(structs.replace(PLAIN, presence="".join(["nor", "mal"])))))


def test_an_output_may_be_moved():
    assert parts() == parts(output="/mnt/out")
