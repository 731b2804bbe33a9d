"""The place where masters are made is swept of what dead runs left, and of nothing else."""

from __future__ import annotations

import os
import time

from pipeline.workplace import OWNERLESS_S, workplace


def test_what_a_worker_left_that_outlived_its_run_is_swept_when_it_is_old(tmp_path):
    old, fresh = tmp_path / ".parts" / "old", tmp_path / ".parts" / "fresh"
    for folder in (old, fresh):
        folder.mkdir(parents=True)
        (folder / "half.flac").touch()
    an_hour_ago = time.time() - OWNERLESS_S - 1.0
    os.utime(old, (an_hour_ago, an_hour_ago))
    with workplace(str(tmp_path), "run"):
        assert not old.exists() and fresh.exists()
    assert fresh.exists()
