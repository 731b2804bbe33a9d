"""The last word: real, freely licensed albums, measured and mastered, judged by meters that are not Lathe's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pyloudnorm
import pytest
import soundfile

from benchmarks.independent import lag_frames, pooled_lufs, sample_peak_dbfs, true_peak_dbtp
from decisions.mix_report import mix_report
from decisions.profile_files import load_profile
from media.analysis import analyse, measure_loudness
from pipeline.run import Request, run_catalogue
from schemas.codes import CODES

GET_MUSIC = Path(__file__).parents[2] / "shared" / "music" / "get_music.py"
TRACKS_PER_ALBUM, MASTERED_PER_ALBUM = 6, 2
LOUDNESS_TOLERANCE_LU = 0.1  # what the loudness of an album is held to
TRUE_PEAK_TOLERANCE_DB = 0.05  # law 6
METER_LU = 0.02  # standards M3: libebur128 does not scale its filter at other rates than 48 kHz
RANGE_LU = 0.1  # standards M3b

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the albums and their manifest; every track is longer than a minute."""
    if not GET_MUSIC.exists():
        pytest.skip(f"{GET_MUSIC} is not there: it fetches the music")
    folder = tmp_path_factory.mktemp("music")
    subprocess.run([sys.executable, GET_MUSIC, folder, "--tracks", str(TRACKS_PER_ALBUM)], check=True)
    return folder


@pytest.fixture(scope="module")
def tracks(music: Path) -> list[dict[str, Any]]:
    head, *rows = (music / "manifest.csv").read_text().splitlines()
    few = [row for row in rows if int(row.split("/")[1][:2]) <= MASTERED_PER_ALBUM]  # ALBUM/NN.flac
    (music / "few.csv").write_text("\n".join([head, *few]) + "\n")
    summary = run_catalogue(Request(manifest=str(music / "few.csv"), output=str(music / "out")), lambda d, t: None)
    assert (3 * MASTERED_PER_ALBUM, 0) == (summary.mastered, summary.rejected)
    (path,) = (music / "out" / "qc" / "tracks").rglob("*.parquet")
    return list(pq.ParquetFile(path).read().to_pylist())


def test_a_real_track_is_as_loud_as_libebur128_says(music: Path) -> None:
    paths = sorted(music.glob("*/*.flac"))
    found = [measure_loudness(path).integrated_lufs for path in paths]
    assert len(paths) == 3 * TRACKS_PER_ALBUM
    assert found == pytest.approx([pooled_lufs([path]) for path in paths], abs=METER_LU)


def test_a_real_track_has_the_range_that_pyloudnorm_reads(music: Path) -> None:
    for path in sorted(music.glob("*/*.flac")):
        audio, rate_hz = soundfile.read(path, always_2d=True)
        expected = pyloudnorm.Meter(rate_hz, filter_class="DeMan").loudness_range(audio)
        assert measure_loudness(path).loudness_range_lu == pytest.approx(expected, abs=RANGE_LU), path


def _masters(tracks: list[dict[str, Any]], delivery: str) -> list[tuple[dict[str, Any], Path]]:
    return [(t, Path(m["uri"])) for t in tracks for m in t["masters"] if m["delivery"] == delivery]


@pytest.mark.parametrize("delivery", ["flac24", "cd"])
@pytest.mark.parametrize("album", ["supertux", "supertuxkart", "singularity"])
def test_an_album_meets_its_target_or_says_why_not(tracks: list[dict[str, Any]], album: str, delivery: str) -> None:
    mine = [(t, path) for t, path in _masters(tracks, delivery) if t["album_id"] == album]
    limited = all("TARGET_LIMITED" in {f["code"] for f in t["findings"]} for t, _ in mine)
    target_lufs = mine[0][0]["masters"][0]["target_lufs"]
    assert limited or pooled_lufs([path for _, path in mine]) == pytest.approx(target_lufs, abs=LOUDNESS_TOLERANCE_LU)


def test_no_master_exceeds_its_ceiling(tracks: list[dict[str, Any]]) -> None:
    files = [(Path(m["uri"]), m["ceiling_dbtp"]) for t in tracks for m in t["masters"]]
    assert [path for path, ceiling in files if sample_peak_dbfs(path) > ceiling] == []
    assert [path for path, ceiling in files if true_peak_dbtp(path) > ceiling + TRUE_PEAK_TOLERANCE_DB] == []


def test_masters_are_as_long_as_their_sources_and_aligned_to_the_sample(tracks: list[dict[str, Any]]) -> None:
    pairs = [(Path(t["source_uri"]), path) for t, path in _masters(tracks, "flac24")]
    assert [soundfile.info(a).frames for a, _ in pairs] == [soundfile.info(b).frames for _, b in pairs]
    assert [0] * len(pairs) == [lag_frames(a, b) for a, b in pairs]


def test_a_master_begins_as_its_source_does(tracks: list[dict[str, Any]]) -> None:
    for track, path in _masters(tracks, "flac24"):
        before, after = (soundfile.read(one, frames=441)[0] for one in (track["source_uri"], path))
        assert np.abs(after).max() <= 1.5 * 10 ** (track["gain_db"] / 20.0) * np.abs(before).max() + 0.003, path


def test_a_real_track_raises_no_alarm_as_a_mix_but_for_faults_of_its_file(music: Path) -> None:
    profile = load_profile("streaming")
    for path in sorted(music.glob("*/01.flac")):
        report = mix_report(analyse(path), profile)
        assert [one for one in report.advice if one.severity != "info" and one.about not in CODES] == []
