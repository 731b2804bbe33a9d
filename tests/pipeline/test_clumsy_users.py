"""What a clumsy or hostile user does: refused with a sentence, or survived without harm."""

from __future__ import annotations

import os
import subprocess
import sys

import msgspec
import numpy as np
import pytest
import soundfile

from pipeline.explain import explain
from pipeline.run import Request, contract, prepared, run_catalogue
from pipeline.runner import pipeline_options
from pipeline.words import summary_text
from schemas.errors import CatalogueError
from tests.makers import music, sine, write, write_manifest

KEYS = ["run_id", "mastered", "skipped", "rejected", "findings", "audio_s", "wall_s", "cpu_s", "output"]  # design.md 4


def catalogue(folder, *audio, **more):
    for number, one in enumerate(audio, 1):
        write(folder / f"{number}.wav", one)
    rows = [{"uri": f"{n}.wav", "album_id": "A", "sequence": n, **more} for n in range(1, len(audio) + 1)]
    return write_manifest(folder / "manifest.csv", rows)


def run(manifest, output, **more):
    options = ("--direct_num_workers=1",)
    return run_catalogue(
        Request(manifest=str(manifest), output=str(output), beam_options=options, **more), lambda d, t: None
    )


def lathe(*words):
    command = [sys.executable, "-c", "from review.cli import main; main()", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_file_that_holds_only_an_offset_is_silent(tmp_path):
    summary = run(catalogue(tmp_path, np.full((88_200, 2), 0.3), music()), tmp_path / "out")
    assert {"SOURCE_SILENT": 1} == summary.rejections


def test_a_master_of_music_that_begins_after_silence_begins_in_silence(tmp_path):
    late_offset = np.concatenate([np.zeros((44_100, 2)), music(seconds=3.0) + 0.2])
    run(catalogue(tmp_path, late_offset), tmp_path / "out")
    (path,) = (tmp_path / "out/masters/flac24").rglob("*.flac")
    assert np.abs(soundfile.read(path, frames=4_410)[0]).max() <= 1e-6


def test_a_master_is_never_mastered_again(tmp_path):
    run(catalogue(tmp_path, music()), tmp_path / "out")
    (path,) = (tmp_path / "out/masters/flac24").rglob("*.flac")
    again = write_manifest(tmp_path / "again.csv", [{"uri": str(path)}])
    with pytest.raises(CatalogueError, match="row 2, column uri: .* is below the output of this run"):
        run(again, tmp_path / "out")


def test_a_stem_below_the_output_is_refused_by_its_own_row_though_its_mix_stands_there(tmp_path):
    rows = [{"uri": "kick.wav", "mix_id": "S"}, {"uri": "out/masters/bass.wav", "mix_id": "S"}]
    manifest = write_manifest(tmp_path / "m.csv", rows)
    with pytest.raises(CatalogueError, match=r"row 3, column uri: .*bass.wav.* is below the output") as refused:
        prepared(Request(manifest=str(manifest), output=str(tmp_path / "out")))
    assert len(refused.value.problems) == 1


def test_a_rejected_track_tells_that_older_masters_stand(tmp_path):
    manifest = catalogue(tmp_path, music(), music(seed=2))
    first = run(manifest, tmp_path / "out")
    (tmp_path / "2.wav").unlink()
    run(manifest, tmp_path / "out")
    assert f"Its masters of run {first.run_id} still stand." in explain_hint(tmp_path / "out", "A/1/2")


def explain_hint(output, track_id):
    import pyarrow.parquet as pq

    rows = [r for path in (output / "qc/rejected").rglob("*.parquet") for r in pq.ParquetFile(path).read().to_pylist()]
    return next(row["hint"] for row in rows if row["track_id"] == track_id)


def test_a_track_of_an_earlier_run_can_still_be_explained(tmp_path):
    manifest = catalogue(tmp_path, music(), music(seed=2))
    run(manifest, tmp_path / "out")
    run(manifest, tmp_path / "out", only="A/1/1")
    assert "A/1/2" in explain("A/1/2", str(tmp_path / "out"))


def test_part_of_an_album_has_no_figures_of_the_whole(tmp_path):
    import pyarrow.parquet as pq

    run(catalogue(tmp_path, music(), music(seed=2)), tmp_path / "out", only="A/1/1")
    (path,) = (tmp_path / "out/qc/albums").rglob("*.parquet")
    (row,) = pq.ParquetFile(path).read().to_pylist()
    assert (None, None) == (row["source_integrated_lufs"], row["master_integrated_lufs"])


def test_one_cause_is_counted_once_for_each_track(tmp_path):
    profile = tmp_path / "delicate.toml"
    profile.write_text(
        'name = "delicate"\ndescription = "x"\nbased_on = "streaming"\n[limiter]\nmax_reduction_db = 0.0\n'
    )
    quiet = [music(level_dbfs=-40.0, seed=n) + 0.9 * (np.arange(176_400) == 9_000)[:, None] for n in (1, 2)]
    summary = run(catalogue(tmp_path, *quiet), tmp_path / "out", profile=str(profile))
    assert summary.findings["TARGET_LIMITED"] == 2


def test_the_json_of_a_run_has_the_keys_of_the_contract_and_no_others(tmp_path):
    summary = run(catalogue(tmp_path, music()), tmp_path / "out")
    assert list(contract(summary)) == KEYS


def test_masters_that_fail_a_check_are_told(tmp_path):
    summary = run(catalogue(tmp_path, music()), tmp_path / "out")
    assert "do not deliver" in summary_text(msgspec.structs.replace(summary, failed=1))
    assert "do not deliver" not in summary_text(summary)


def test_a_word_too_many_is_refused(tmp_path):
    done = lathe("run", catalogue(tmp_path, sine(440)), tmp_path / "out", "extra", "--dry-run")
    assert (done.returncode, '"extra" is one word too many' in done.stderr) == (2, True)


@pytest.mark.parametrize("form", [["--runner=PortableRunner"], ["--runner", "PortableRunner"]])
def test_another_runner_is_taken_in_either_form(form):
    assert pipeline_options(form, tracks=3).get_all_options()["runner"] == "PortableRunner"


def test_an_output_that_beam_would_take_for_a_pattern_is_refused_before_anything_is_done(tmp_path):
    with pytest.raises(CatalogueError, match=r"must not hold \["):
        run(catalogue(tmp_path, music()), tmp_path / "out [1]")
    assert not (tmp_path / "out [1]").exists()


def test_a_file_is_no_output_in_a_dry_run_either(tmp_path):
    manifest = catalogue(tmp_path, music())
    with pytest.raises(CatalogueError, match="is a file; give a folder"):
        prepared(Request(manifest=str(manifest), output=str(manifest)))


@pytest.mark.parametrize("words", [("run", "https://x.org/a.csv", "out"), ("run", "{manifest}", "ftp://x/out")])
def test_a_store_that_cannot_be_reached_is_told_without_a_traceback(tmp_path, words):
    manifest = str(catalogue(tmp_path, music()))
    done = lathe(*[word.format(manifest=manifest) for word in words])
    assert (done.returncode, "cannot be reached" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_a_remote_file_that_cannot_be_reached_is_not_measured_and_not_a_crash():
    done = lathe("measure", "https://x.org/a.wav")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)


def test_without_a_place_for_compiled_kernels_lathe_still_runs(tmp_path):
    code = "import numba.core.caching as c; c.CacheImpl._locator_classes = []\nimport dsp.loudness, numpy as np\n"
    code += "m = dsp.loudness.LoudnessMeter(48000, 1); m.push(np.ones((9, 1))); print('ran')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=False)
    assert done.stdout == "ran\n"


def test_figures_of_a_file_come_with_its_findings(tmp_path):
    done = lathe("measure", write(tmp_path / "a.wav", music(channels=1) + 0.1), "--json")
    found = msgspec.json.decode(done.stdout)
    assert {"DC_OFFSET", "MONO_SOURCE"} <= {finding["code"] for finding in found["findings"]}
