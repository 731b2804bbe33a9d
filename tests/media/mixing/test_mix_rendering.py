"""The files of a mix: they add up, they are the same every time, and an edit moves what it names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from msgspec import structs

from dsp.audio import Audio, to_gain
from media.mixing import rendering
from media.mixing.rehearsal import rehearse_mix
from media.mixing.rendering import MixRendering, render_mix
from media.source import sha256_of
from schemas.errors import TrackError
from schemas.mix import MixSettings
from schemas.steps import MixWish
from schemas.track import Track
from tests.dsp.signals import null_db
from tests.media.mixing.songs import (
    RATE_HZ,
    busy_settings,
    plain_settings,
    song_of,
    stem_files,
    stem_sound,
    with_strip,
)

EVERYTHING = MixWish(stems=True, versions=("instrumental", "acappella", "tv"))
SUM_DB = -120.0  # what is asked of sums of stems and of versions


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return stem_files(tmp_path_factory.mktemp("stems"))


@pytest.fixture(scope="module")
def busy(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> MixRendering:
    return render_mix(song_of(files), busy_settings(files), tmp_path_factory.mktemp("busy"), EVERYTHING)


def sound(rendered: MixRendering, name: str) -> Audio:
    path = next(file.path for file in rendered.files if file.name == name)
    return soundfile.read(path, always_2d=True)[0]


def sounds(rendered: MixRendering, *kinds: str) -> dict[str, Audio]:
    return {file.name: sound(rendered, file.name) for file in rendered.files if file.kind in kinds}


def digests(rendered: MixRendering) -> dict[str, str]:
    return {file.name: file.sha256 for file in rendered.files}


# Sums


def test_stems_and_rooms_add_up_to_the_mix(busy):
    parts = sounds(busy, "stem", "return")
    assert ["bass", "choir", "keys", "kick", "vocal", "room of music", "room of backing", "room of vocals"] == list(
        parts
    )
    assert null_db(sum(parts.values()), sound(busy, "mix")) <= SUM_DB


def test_an_instrumental_and_an_a_cappella_are_the_mix(busy):
    assert null_db(sound(busy, "instrumental") + sound(busy, "acappella"), sound(busy, "mix")) <= SUM_DB


def test_a_tv_version_lacks_the_lead_and_its_room_alone(busy):
    lead = sound(busy, "vocal") + sound(busy, "room of vocals")
    assert null_db(sound(busy, "tv") + lead, sound(busy, "mix")) <= SUM_DB


def test_a_song_without_voices_has_no_a_cappella(files, tmp_path):
    few = {name: files[name] for name in ("bass", "kick")}
    rendered = render_mix(song_of(few), plain_settings(few), tmp_path, EVERYTHING)
    assert ["mix", "instrumental", "tv", "bass", "kick"] == [file.name for file in rendered.files]


def test_stems_that_stay_as_they_are_add_up_to_their_sum(files, tmp_path):
    rendered = render_mix(song_of(files), plain_settings(files), tmp_path, MixWish())
    mono = stem_sound("kick") * np.sin(np.pi / 4)
    expected = mono + sum(stem_sound(name) for name in files if name != "kick")
    assert null_db(expected, sound(rendered, "mix")) <= SUM_DB


# Files


def test_every_file_lies_where_its_kind_belongs_and_is_as_long_as_the_mix(busy):
    places = {file.kind: file.path.parent.name for file in busy.files[1:]}
    assert {"version": "versions", "stem": "stems", "return": "returns"} == places
    assert {round(RATE_HZ * 1.0)} == {file.frames for file in busy.files}
    assert [sha256_of(file.path) for file in busy.files] == [file.sha256 for file in busy.files]


def test_the_mix_is_measured_on_its_file(busy):
    peak = np.abs(sound(busy, "mix")).max()
    assert 20 * np.log10(peak) == pytest.approx(busy.analysis.figures.sample_peak_dbfs, abs=1e-6)
    assert busy.files[0].peak_dbfs == pytest.approx(busy.analysis.figures.sample_peak_dbfs, abs=1e-6)


def test_only_what_is_wished_for_is_written(files, tmp_path):
    render_mix(song_of(files), busy_settings(files), tmp_path, MixWish())
    assert ["mix.wav"] == [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()]


def test_the_same_settings_give_the_same_bytes_in_whatever_order_stems_come(files, busy, tmp_path):
    shuffled = {name: files[name] for name in ("vocal", "kick", "bass", "keys", "choir")}
    settings = busy_settings(files)
    settings = structs.replace(settings, stems=settings.stems[::-1], inputs=settings.inputs[::-1])
    assert digests(busy) == digests(render_mix(song_of(shuffled), settings, tmp_path, EVERYTHING))


def test_a_mix_is_the_same_whatever_is_written_beside_it(files, busy, tmp_path):
    rendered = render_mix(song_of(files), busy_settings(files), tmp_path, MixWish())
    assert digests(busy)["mix"] == rendered.files[0].sha256


def test_a_name_that_is_no_file_name_becomes_one(files, tmp_path):
    settings = busy_settings(files)
    rooms = tuple(structs.replace(room, name=f"../{room.of}") for room in settings.returns)
    strips = tuple(structs.replace(strip, sends=()) for strip in settings.stems)
    render_mix(song_of(files), structs.replace(settings, returns=rooms, stems=strips), tmp_path / "in", EVERYTHING)
    assert {"in"} == {path.name for path in tmp_path.iterdir()}


# Edits


def changed_lines(before: MixRendering, after: MixRendering) -> set[str]:
    return {name for name, digest in digests(before).items() if digests(after)[name] != digest}


def test_a_fader_one_decibel_up_moves_its_stem_by_one_decibel_and_no_other(files, busy, tmp_path):
    settings = busy_settings(files)
    louder = with_strip(settings, "kick", gain_db=next(s.gain_db for s in settings.stems if s.stem_id == "kick") + 1.0)
    rendered = render_mix(song_of(files), louder, tmp_path, EVERYTHING)
    assert null_db(sound(busy, "kick") * to_gain(1.0), sound(rendered, "kick")) <= SUM_DB
    assert {"kick", "room of music", "mix", "instrumental", "tv"} == changed_lines(busy, rendered)


def test_a_fader_moves_what_its_bus_does_to_the_stems_beside_it(files, busy, tmp_path):
    few = {name: files[name] for name in ("bass", "keys", "kick", "vocal")}
    settings = structs.replace(busy_settings(few), returns=())
    strips = tuple(structs.replace(s, sends=(), bus="music" if s.stem_id == "bass" else s.bus) for s in settings.stems)
    settings = structs.replace(settings, stems=strips)
    before = render_mix(song_of(few), settings, tmp_path / "before", MixWish(stems=True))
    after = render_mix(song_of(few), with_strip(settings, "bass", gain_db=6.0), tmp_path / "after", MixWish(stems=True))
    assert {"mix", "bass", "keys"} == changed_lines(before, after)


def test_a_stem_that_is_not_used_is_not_opened(files, tmp_path):
    gone = {**files, "choir": tmp_path / "gone.wav"}
    settings = with_strip(busy_settings(files), "choir", use=False)
    rendered = render_mix(song_of(gone), settings, tmp_path / "out", EVERYTHING)
    assert "choir" not in digests(rendered)
    assert null_db(sum(sounds(rendered, "stem", "return").values()), sound(rendered, "mix")) <= SUM_DB


# Trouble


def rendered_in(track: Track, settings: MixSettings, folder: Path) -> MixRendering:
    return render_mix(track, settings, folder, EVERYTHING)


def test_a_stem_that_was_changed_since_it_was_heard_is_caught(tmp_path):
    files = stem_files(tmp_path / "stems")
    settings = plain_settings(files)
    stem_files(tmp_path / "stems", seconds=1.5, names=["keys"])
    with pytest.raises(TrackError, match="SOURCE_CHANGED: stem keys: .*keys.wav is not the file that was heard"):
        rendered_in(song_of(files), settings, tmp_path / "out")


def test_a_stem_that_is_gone_is_caught(tmp_path):
    files = stem_files(tmp_path / "stems")
    settings = plain_settings(files)
    files["keys"].unlink()
    with pytest.raises(TrackError, match="SOURCE_CHANGED: stem keys"):
        rendered_in(song_of(files), settings, tmp_path / "out")


def test_a_file_that_does_not_hold_what_was_rendered_is_caught(files, tmp_path, monkeypatch):
    def lying(path: Path) -> str:
        return "0" * 64 if path.name == "kick.wav" else sha256_of(path)

    monkeypatch.setattr(rendering, "sha256_of", lying)
    with pytest.raises(TrackError, match="MASTER_DAMAGED: the finished kick.wav does not hold what was rendered"):
        rendered_in(song_of(files), plain_settings(files), tmp_path)


# Rehearsal


def test_a_mix_that_is_turned_up_beyond_all_sense_says_what_to_turn_down(files, tmp_path):
    loud = structs.replace(plain_settings(files), gain_db=24.0)
    loud = structs.replace(loud, stems=tuple(structs.replace(strip, gain_db=24.0) for strip in loud.stems))
    with pytest.raises(TrackError, match="SOURCE_OUT_OF_RANGE: the mix is too loud") as refused:
        render_mix(song_of(files), loud, tmp_path, MixWish())
    assert "gain_db" in refused.value.hint


def test_a_rehearsal_tells_what_the_files_of_the_mix_will_hold(files, busy):
    settings = busy_settings(files)
    found = rehearse_mix(song_of(files), settings)
    assert sorted(files) == list(found.energies)
    assert found.true_peak_dbtp + settings.gain_db == pytest.approx(busy.analysis.figures.true_peak_dbtp, abs=0.01)
    assert found.integrated_lufs + settings.gain_db == pytest.approx(busy.analysis.figures.integrated_lufs, abs=0.01)


def test_a_rehearsal_follows_each_strip_as_it_adds_to_the_mix(files):
    settings = plain_settings(files)
    before, after = (
        rehearse_mix(song_of(files), one).energies for one in (settings, with_strip(settings, "bass", gain_db=6.0))
    )
    assert np.allclose(before["bass"] * to_gain(6.0) ** 2, after["bass"], rtol=1e-5)
    assert np.array_equal(before["keys"], after["keys"])


def test_the_gain_of_the_mix_is_none_of_a_rehearsal(files):
    settings = busy_settings(files)
    loud = rehearse_mix(song_of(files), structs.replace(settings, gain_db=20.0))
    assert loud.true_peak_dbtp == rehearse_mix(song_of(files), settings).true_peak_dbtp


def test_a_short_rehearsal_has_no_short_term_loudness(files):
    assert rehearse_mix(song_of(files), plain_settings(files)).max_short_term_lufs is None
