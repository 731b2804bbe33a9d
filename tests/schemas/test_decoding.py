"""Threads that decode the same kind of record for the first time do not crash their process."""

from __future__ import annotations

import subprocess
import sys

import msgspec

from media.steps import MasterRecord
from schemas.decoding import json_decoder, msgpack_decoder
from schemas.track import Track
from tests.pipeline.runs import environment

MANY_AT_ONCE = """
import sys, threading
import msgspec
from decisions.album import draft_album, settle_album
from media.steps import MasterRecord
from schemas.decoding import json_decoder
from tests.transforms.members import JOB, analysed, mastered, rehearsed
drafts = draft_album([analysed(1)], JOB.profiles[""])
(planned,) = settle_album([rehearsed(one) for one in drafts], JOB.profiles[""], "/nowhere")
encoded = msgspec.json.encode(MasterRecord(parts={}, mastered=mastered(planned), run_id="r"))
sys.setswitchinterval(1e-6)
barrier = threading.Barrier(16)
def decode():
    barrier.wait()
    assert json_decoder(MasterRecord).decode(encoded).run_id == "r"
threads = [threading.Thread(target=decode) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_many_threads_may_decode_a_record_for_the_first_time():
    done = subprocess.run([sys.executable, "-c", MANY_AT_ONCE], env=environment(), check=False)
    assert done.returncode == 0  # -11 without the lock


def test_a_record_comes_back_as_it_was():
    row = Track(row=2, uri="a", track_id="a", album_id="a", album_folder="a", file_stem="a", extra={"x": "y"})
    assert json_decoder(Track).decode(msgspec.json.encode(row)) == row
    assert msgpack_decoder(Track).decode(msgspec.msgpack.encode(row)) == row


def test_a_decoder_is_built_once():
    assert json_decoder(MasterRecord) is json_decoder(MasterRecord)
