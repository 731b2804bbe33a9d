"""A stem is heard once and remembered; what is wrong with it is told by its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from dsp.mixing.trace import Trace
from media.mixing import steps
from media.mixing.hearing import hear
from media.mixing.steps import hear_stem, recall
from media.mixing.traces import packed, unpacked
from schemas.errors import TrackError
from schemas.mix import REFERENCE
from schemas.stems import Stem
from schemas.steps import Job
from tests.makers import music, write


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(output=str(tmp_path / "out"), run_id="one", profiles={})


@pytest.fixture
def stem(tmp_path: Path) -> Stem:
    return Stem(row=1, uri=str(write(tmp_path / "kick.wav", music(seconds=2.0))), stem_id="kick")


def equal(one: Trace, other: Trace) -> bool:
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(one, other, strict=True))


def test_what_was_heard_is_recalled_to_the_bit(stem, job):
    figures, trace = hear(Path(stem.uri))
    heard = hear_stem(stem, "song", job)
    assert (heard.mix_id, heard.stem_id, heard.sha256, heard.code) == ("song", "kick", figures.sha256, "")
    recalled, kept = recall(heard.sha256, job)
    assert recalled == figures and equal(trace, kept)


def test_a_stem_is_heard_once(stem, job, monkeypatch):
    first = hear_stem(stem, "song", job)
    monkeypatch.setattr(steps, "hear", None)  # would fail if it were called
    assert not first.remembered and hear_stem(stem, "song", job) == structs.replace(first, remembered=True)


def test_an_altered_trace_is_heard_again(stem, job):
    heard = hear_stem(stem, "song", job)
    (path,) = Path(job.output).rglob("*.trace")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"x")
    with pytest.raises(TrackError, match="is gone from"):
        recall(heard.sha256, job)
    assert hear_stem(stem, "song", job) == heard
    assert path.read_bytes() == whole


def test_a_trace_that_is_none_is_refused():
    trace = Trace(np.ones(2), np.ones((2, 24), np.float32), np.ones(2, bool), np.ones(20, np.float32))
    assert equal(trace, unpacked(packed(trace)))
    with pytest.raises(ValueError, match="no trace of a stem"):
        unpacked(b"RIFF\nabc")
    with pytest.raises(ValueError, match="was altered"):
        unpacked(packed(trace)[:-8])


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"uri": "/nowhere/kick.wav"}, "SOURCE_MISSING", "stem kick: there is no file /nowhere/kick.wav"),
        ({"uri": "/"}, "SOURCE_NOT_A_FILE", "stem kick: / is a folder"),
        ({"sha256": "0" * 64}, "HASH_MISMATCH", "stem kick: SHA-256 is"),
        ({"duration_s": 9.0}, "DURATION_MISMATCH", "stem kick: 2.0 s long, the manifest says 9.0 s"),
    ],
)
def test_trouble_names_the_stem(stem, job, changes, code, text):
    fields = {"row": 1, "uri": stem.uri, "stem_id": "kick"} | changes
    found = hear_stem(Stem(**fields), "song", job)
    assert found.code == code and found.text.startswith(text) and found.hint


def test_trouble_with_the_reference_is_told_of_the_reference(tmp_path, job):
    reference = Stem(row=1, uri=str(tmp_path / "rough.wav"), stem_id=REFERENCE)
    assert hear_stem(reference, "song", job).text.startswith("the reference mix: there is no file")


def test_a_stem_of_more_than_two_channels_is_told(tmp_path, job):
    path = write(tmp_path / "all.wav", music(channels=6, seconds=1.0))
    found = hear_stem(Stem(row=1, uri=str(path), stem_id="all"), "song", job)
    assert (found.code, found.text) == (
        "CHANNELS_UNSUPPORTED",
        "stem all: all.wav has 6 channels; a stem is mono or stereo",
    )
