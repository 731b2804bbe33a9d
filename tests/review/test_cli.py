"""The commands of review, as a person or a script gives them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest
from click.testing import CliRunner

from review.cli import _written_report, cli
from schemas.errors import CatalogueError
from schemas.signoff import Revision
from tests.pipeline.runs import environment
from tests.review.outputs import desk_of, output_of

COMMAND = [sys.executable, "-c", "from review.cli import main; main()"]


@pytest.fixture
def made(tmp_path):
    made = output_of(tmp_path, "T1", "T2")
    (made.path / "report").mkdir()
    (made.path / "report/index.html").write_text("<p>the report")
    return made


def lathe(*words, code=0, **env):
    done = CliRunner().invoke(cli, [str(word) for word in words], env=env, standalone_mode=False)
    if done.exception:
        raise done.exception
    assert code == (done.return_value or 0), done.output
    return done


def test_a_script_decides_lists_and_releases(made):
    out = made.path
    lathe("signoff", "decide", out, "T1", "approve", "--reviewer", "Ann")
    lathe("signoff", "decide", out, "T2", "reject", "--reviewer", "Ann", "--reason", "dense", "--less-limiting", 2)
    assert 'rejected      "T2" "Song", ready: "dense" ("Ann")' in lathe("signoff", "list", out).stdout
    counts = json.loads(lathe("signoff", "list", out, "--json").stdout)["counts"]
    assert (1, 1) == (counts["approved"], counts["rejected"])
    assert "2 released, 0 stand already, 0 withdrawn" in lathe("release", out).stderr
    assert (out / "released/SHA256SUMS").exists()
    lathe("signoff", "undo", out, 1, "--reviewer", "Bob")
    assert "0 stand already, 2 would be withdrawn" in lathe("release", out, "--dry-run").stderr


def test_a_release_that_refused_something_ends_with_1(made):
    lathe("signoff", "decide", made.path, "T1", "approve", "--reviewer", "Ann")
    (made.path / "masters/cd/album/1-01 song.flac").unlink()
    assert "not released" in lathe("release", made.path, code=1).stderr


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--brighter", "2"], Revision(tone_steps=2)),
        (["--darker", "1", "--quieter", "3"], Revision(tone_steps=-1, loudness_steps=-3)),
        (["--wider", "1"], Revision(width_steps=1)),
        (["--narrower", "1", "--louder", "1"], Revision(width_steps=-1, loudness_steps=1)),
        (["--less-limiting", "3"], Revision(limiting_steps=-3)),
        (["--tone-amount", "0"], Revision(tone_amount_ratio=0.0)),
        (["--leave-alone"], Revision(leave_alone=True)),
        (["--reference", "gs://a/b.wav"], Revision(reference="gs://a/b.wav")),
        (["--as-before"], Revision()),
        ([], None),
    ],
)
def test_every_wish_has_an_option(made, options, expected):
    lathe("signoff", "decide", made.path, "T1", "needs_work", "--reviewer", "Ann", *options)
    assert [expected] == [one.revision for one in desk_of(made).decisions.all()]


@pytest.mark.parametrize(
    "options", [["--brighter", 1, "--darker", 1], ["--as-before", "--wider", 1], ["--brighter", 4]]
)
def test_wishes_that_contradict_each_other_are_refused(made, options):
    import click

    with pytest.raises(click.UsageError):
        lathe("signoff", "decide", made.path, "T1", "reject", "--reviewer", "Ann", *options)


def test_an_unknown_track_is_told_in_words(made):
    with pytest.raises(CatalogueError, match='track "T9": has no masters in this output'):
        lathe("signoff", "decide", made.path, "T9", "approve", "--reviewer", "Ann")


def test_decisions_go_out_and_come_in_again(made, tmp_path):
    lathe("signoff", "decide", made.path, "T1", "approve", "--reviewer", "Ann")
    lathe("signoff", "export", made.path, tmp_path / "all.json")
    assert "0 decisions taken in, 1 were known" in lathe("signoff", "import", made.path, tmp_path / "all.json").stderr
    assert [1] == [one["number"] for one in json.loads(lathe("signoff", "export", made.path, "-").stdout)["decisions"]]


def test_the_database_may_stand_in_the_environment(made, postgresql):
    env = {"LATHE_REVIEW_DATABASE": postgresql}
    lathe("signoff", "decide", made.path, "T1", "approve", "--reviewer", "Ann", **env)
    found = [json.loads(lathe("signoff", "list", made.path, "--json", **e).stdout)["counts"] for e in (env, {})]
    assert [1, 0] == [one["approved"] for one in found]
    assert not desk_of(made).decisions.all()


def test_two_persons_may_be_asked_for_in_the_environment(made):
    lathe("signoff", "decide", made.path, "T1", "approve", "--reviewer", "Ann")
    assert "1  approved once" in lathe("signoff", "list", made.path, LATHE_REVIEW_TWO_PERSON="1").stdout


@pytest.mark.parametrize("words", [["signoff", "list"], ["release"], ["review"]])
def test_an_output_without_a_run_is_refused(tmp_path, words):
    with pytest.raises(CatalogueError, match="there is no finished run below"):
        lathe(*words, tmp_path / "nothing")


def test_an_invitation_is_printed_and_nothing_served(made):
    done = lathe("review", made.path, "--host", "studio.example", "--invite", "Ann:reviewer")
    assert re.fullmatch(r"http://studio\.example:8765/login\?token=[\w.-]+\n", done.stdout)
    done = lathe("review", made.path, "--address", "https://review.example", "--invite", "Ann:viewer", "--days", "1")
    assert done.stdout.startswith("https://review.example/login?token=")


def test_an_invitation_to_this_machine_alone_is_refused(made):
    import click

    with pytest.raises(click.UsageError, match="--invite needs --host"):
        lathe("review", made.path, "--invite", "Ann:reviewer")


def test_a_port_that_is_taken_is_told_where_it_was_asked_for(made):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CatalogueError, match="cannot listen on 127.0.0.1, port .*in use"):
            lathe("review", made.path, "--port", taken.getsockname()[1])


@contextmanager
def reviewing(*words):
    """`lathe review` in a process of its own, and where it says that it is."""
    process = subprocess.Popen(
        [*COMMAND, "review", *map(str, words)],
        env=environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        lines = [process.stderr.readline() for _ in range(3)]
        yield process, lines[1].strip()
    finally:
        process.kill()
        process.communicate(timeout=20)


def test_it_serves_until_ctrl_c_and_ends_well(made):
    with reviewing(made.path, "--no-browser", "--reviewer", "Ann") as (process, where):
        assert "the report" in httpx.get(where).text
        assert "Ann" == httpx.get(f"{where}api/session").json()["reviewer"]
        with httpx.stream("GET", f"{where}audio?track=T1&side=cd"):
            process.send_signal(signal.SIGINT)
            assert 0 == process.wait(15)
        assert "Traceback" not in process.stderr.read()


def test_two_servers_of_one_output_share_its_decisions_and_find_a_port_each(made):
    with reviewing(made.path, "--no-browser") as (_, one), reviewing(made.path, "--no-browser") as (_, other):
        key = desk_of(made).catalogue.standing()["T1"].key
        csrf = httpx.get(f"{one}api/session").json()["csrf"]
        body = [{"track_id": "T1", "masters_key": key, "word": "approve"}]
        assert 200 == httpx.post(f"{one}api/decisions", json=body, headers={"x-lathe-csrf": csrf}).status_code
        assert "approved" == httpx.get(f"{other}api/decisions").json()["states"]["T1"]["state"]


def test_an_invitation_opens_the_server_that_it_is_for(made):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = ["--host", "127.0.0.1", "--port", port]
    link = lathe("review", made.path, *address, "--invite", "Ann:reviewer").stdout.strip()
    with reviewing(made.path, *address, "--no-browser") as (_, where), httpx.Client() as client:
        assert 401 == client.get(where).status_code
        assert 200 == client.get(link).status_code
        assert ("Ann", "the report") == (
            client.get(f"{where}api/session").json()["reviewer"],
            client.get(where).text[3:],
        )


def test_help_answers_at_once_and_loads_no_server():
    code = "import sys; from review.cli import cli; cli(['release', '--help'], standalone_mode=False); print([*sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=60)
    heavy = {"starlette", "uvicorn", "sqlalchemy", "apache_beam", "pyarrow", "numpy", "soundfile"}
    assert ("click" in done.stdout, [name for name in heavy if f"'{name}'" in done.stdout]) == (True, [])


def test_what_lies_in_the_review_folder_is_its_owners_secret(made):
    lathe("review", made.path, "--host", "h", "--invite", "Ann:viewer")
    assert 0o600 == os.stat(made.path / "review/secret").st_mode & 0o777


@pytest.mark.parametrize("error", [OSError("disk full"), ValueError("a damaged table")])
def test_a_run_stays_well_where_its_report_cannot_be_written(monkeypatch, error):
    def fail(output):
        raise error

    monkeypatch.setattr("review.report.write_report", fail)
    told = _written_report("somewhere")
    assert str(error) in told
    assert "lathe report somewhere" in told
