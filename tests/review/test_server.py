"""The review server: what it serves, to whom, and what it keeps of what they say."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from review import report
from review.release import release
from tests.makers import noise
from tests.review.outputs import HOSTILE, asked, desk_of, digest, look_again, output_of
from tests.review.servers import served

DATA = "/tracks/00000000000000a1.js"


@pytest.fixture(autouse=True)
def written(monkeypatch):
    """Reports that were written: each a page that says which run it is of."""
    found = []

    def write_report(output):
        found.append(output)
        os.makedirs(f"{output}/report/tracks", exist_ok=True)
        for name, text in (
            ("index.html", f"<p>report {len(found)}"),
            ("tracks/00000000000000a1.js", "track(1)"),
            ("secret", "no"),
        ):
            with open(f"{output}/report/{name}", "w") as handle:
                handle.write(text)
        return f"{output}/report/index.html"

    monkeypatch.setattr(report, "write_report", write_report)
    return found


@pytest.fixture
def made(tmp_path):
    return output_of(tmp_path, "T1", "T2")


@pytest.fixture
def server(made):
    with served(desk_of(made)) as running:
        yield running


def ask(server, track_id="T1", word="approve", **more):
    return {"track_id": track_id, "masters_key": server.desk.catalogue.standing()[track_id].key, "word": word, **more}


def test_the_page_is_made_where_there_is_none_and_again_after_a_new_run(server, made, written):
    client = server.client()
    assert "<p>report 1" == client.get("/").text == client.get("/").text
    made.master("T1", hz=999, run="R2")
    made.finish("R2")
    os.utime(made.path / "report/index.html", (0, 0))
    look_again(server.desk.catalogue)
    assert ("<p>report 2", 2) == (client.get("/").text, len(written))


def test_the_data_of_the_page_is_served_and_nothing_else_below_the_report(server):
    client = server.client()
    client.get("/")
    assert ("track(1)", "text/javascript") == (
        client.get(DATA).text, client.get(DATA).headers["content-type"].partition(";")[0],
    )  # fmt: skip
    for path in (
        "/secret",
        "/report/secret",
        "/index.html",
        "/tracks/",
        "/tracks/00000000000000a2.js",
        "/tracks/00000000000000a1.js.map",
    ):
        assert 404 == client.get(path).status_code


def test_a_session_tells_who_one_is(server):
    found = server.client().get("/api/session").json()
    assert ("operator", False, "R1") == (found["role"], found["two_person"], found["run"])
    assert found["reviewer"] and len(found["csrf"]) > 20


def test_the_local_user_may_go_by_another_name(made):
    with served(desk_of(made), reviewer="Ann Lee") as server:
        assert "Ann Lee" == server.client().get("/api/session").json()["reviewer"]


def test_a_decision_is_kept_with_what_only_the_server_knows(server):
    lie = {"number": 7, "reviewer": "Eve", "at": "1999-01-01T00:00:00Z", "masters": {"cd": "00"}, "album_id": "lie"}
    answer = server.local().post("/api/decisions", json=[ask(server, reason="fine", **lie)])
    (one,) = server.desk.decisions.all()
    assert (200, 1, "approved") == (answer.status_code, one.number, answer.json()["states"]["T1"]["state"])
    assert (server.client().get("/api/session").json()["reviewer"], "album") == (one.reviewer, one.album_id)
    assert (one.at > "2026", server.desk.catalogue.standing()["T1"].digests) == (True, one.masters)


def test_what_was_decided_is_told_with_how_the_tracks_stand(server):
    client = server.local()
    client.post("/api/decisions", json=[ask(server, word="reject", revision={"limiting_steps": -1})])
    found = client.get("/api/decisions").json()
    assert (["T1"], "rejected", "R1") == (list(found["states"]), found["states"]["T1"]["state"], found["run"])
    assert [{"limiting_steps": -1}] == [one["revision"] for one in found["decisions"]]


def test_what_was_decided_since_a_number_is_told_alone(server):
    client = server.local()
    for track_id in ("T1", "T2", "T1"):
        client.post("/api/decisions", json=[ask(server, track_id)])
    told = {
        after: client.get("/api/decisions", params={"after": after}).json()["decisions"] for after in (0, 2, 3, 10**17)
    }
    assert {0: [1, 2, 3], 2: [3], 3: [], 10**17: []} == {
        key: [one["number"] for one in found] for key, found in told.items()
    }
    for wrong in ("-1", "x", "9" * 40, "", "٣"):
        assert 400 == client.get("/api/decisions", params={"after": wrong}).status_code


def test_decisions_about_other_masters_are_refused_with_words_and_none_is_kept(server):
    answer = server.local().post("/api/decisions", json=[ask(server), ask(server, "T2") | {"masters_key": "f" * 16}])
    assert (409, [1], 0) == (
        answer.status_code, [one["index"] for one in answer.json()["problems"]], len(server.desk.decisions.all()),
    )  # fmt: skip
    assert "listen to these" in answer.json()["problems"][0]["text"]


def test_a_run_that_finished_meanwhile_voids_and_is_seen_without_a_restart(server, made):
    client = server.local()
    before = ask(server)
    client.post("/api/decisions", json=[before])
    made.master("T1", hz=999, run="R2")
    made.finish("R2")
    look_again(server.desk.catalogue)
    assert "void" == client.get("/api/decisions").json()["states"]["T1"]["state"]
    assert 409 == client.post("/api/decisions", json=[before]).status_code


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"null", b"[1]", b"[{}]", b"\xff", b'[{"track_id":1,"masters_key":"","word":"approve"}]',
        b'[{"track_id":"T1","masters_key":"","word":"love"}]', b'[{"track_id":"T1"}]', b"[" * 500_000,
        b'[{"x":' * 100_000, b'[{"track_id":"\\ud800","masters_key":"","word":"approve"}]',
        b'[{"track_id":"T1","masters_key":"k","word":"approve","revision":{"tone_steps":99}}]',
        b'[{"track_id":"T1","masters_key":"k","word":"approve","revision":{"bass":1}}]',
        b'[{"track_id":"T1","masters_key":"k","word":"approve","reason":"' + b"x" * 501 + b'"}]',
    ],
)  # fmt: skip
def test_a_post_of_another_form_is_refused_in_words(server, body):
    answer = server.local().post("/api/decisions", content=body, headers={"content-type": "application/json"})
    assert (400, True) == (answer.status_code, bool(answer.json()["error"]))
    assert [] == server.desk.decisions.all()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_ids_and_notes_are_data(tmp_path, text):
    made = output_of(tmp_path, "T1", title=text, artist=text, album_id=text, isrc=text, folder="album")
    made.master(text, hz=700.0, name="1-09 other", folder="album")
    made.finish("R1")
    with served(desk_of(made)) as server:
        client = server.local()
        answer = client.post("/api/decisions", json=[ask(server, text, "reject", note=text[:5000], reason=text[:500])])
        assert (200, text) == (answer.status_code, answer.json()["added"][0]["track_id"])
        assert text in client.get("/api/decisions").json()["states"]
        assert 200 == client.get("/audio", params={"track": text, "side": "cd"}).status_code


def test_one_takes_back_what_one_decided_and_an_operator_what_others_did(made):
    with served(desk_of(made), host="127.0.0.1") as server:
        ann, bob, boss = (server.invited(*one) for one in (("Ann", "reviewer"), ("Bob", "reviewer"), ("C", "operator")))
        ann.post("/api/decisions", json=[ask(server), ask(server, "T2")])
        refused = bob.post("/api/undo", json={"numbers": [1]})
        assert (403, True) == (refused.status_code, '"Ann"' in refused.json()["error"])
        assert ["open", "open"] == [
            client.post("/api/undo", json={"numbers": [number]}).json()["states"][f"T{number}"]["state"]
            for number, client in ((1, ann), (2, boss))
        ]
        assert 409 == ann.post("/api/undo", json={"numbers": [1]}).status_code


def test_an_operator_releases(server, made):
    client = server.local()
    client.post("/api/decisions", json=[ask(server)])
    found = client.post("/api/release", json={}).json()
    assert (2, []) == (len(found["copied"]), found["problems"])
    assert found["text"].startswith("2 released")
    assert (made.path / "released/cd/album/1-01 song.flac").exists()


def test_one_release_at_a_time_is_asked_for(server, monkeypatch):
    began, goes = threading.Event(), threading.Event()

    def slow(desk):
        began.set()
        goes.wait(10)
        return release(desk)

    monkeypatch.setattr("review.server.release", slow)
    client = server.local()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, "/api/release", json={})
        assert began.wait(10)
        second = client.post("/api/release", json={})
        goes.set()
        assert (409, "a release is under way" in second.text, 200) == (
            second.status_code,
            True,
            first.result().status_code,
        )


def test_a_database_that_went_away_is_told_in_words(server, monkeypatch):
    from schemas.errors import CatalogueError

    def gone():
        raise CatalogueError("DATABASE_UNUSABLE", "the decisions cannot be reached")

    monkeypatch.setattr(server.desk.decisions, "all", gone)
    answer = server.client().get("/api/decisions")
    assert (503, "the decisions cannot be reached") == (answer.status_code, answer.json()["error"])


def sound(client, track="T1", side="cd", method="GET", **headers):
    return client.request(method, "/audio", params={"track": track, "side": side}, headers=headers)


def test_masters_and_sources_are_served_as_they_lie(server, made):
    client, row = server.client(), made.rows["R1"][0]
    for side, path in (("source", row.source_uri), ("flac24", row.masters[0].uri), ("cd", row.masters[1].uri)):
        with open(path, "rb") as handle:
            expected = handle.read()
        answer = sound(client, side=side)
        assert (200, expected, str(len(expected))) == (
            answer.status_code, answer.content, answer.headers["content-length"],
        )  # fmt: skip
        assert ("bytes", "audio") == (answer.headers["accept-ranges"], answer.headers["content-type"].partition("/")[0])


@pytest.mark.parametrize(
    ("header", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)), ("bytes=10-", 206, slice(10, None)), ("bytes=-7", 206, slice(-7, None)),
        ("bytes=5-99999999999", 206, slice(5, None)), ("bytes=-99999999", 206, slice(None)),
        ("bytes=99999999-", 416, None), ("bytes=-0", 416, None), ("bytes=9-5", 200, slice(None)),
        ("bytes=0-1,3-4", 200, slice(None)), ("bytes=" + "9" * 3000 + "-", 200, slice(None)), ("x", 200, slice(None)),
    ],
)  # fmt: skip
def test_a_range_of_bytes_is_served_as_rfc_9110_says(server, made, header, status, part):
    with open(made.rows["R1"][0].masters[1].uri, "rb") as handle:
        whole = handle.read()
    answer = sound(server.client(), range=header)
    assert answer.status_code == status
    if part is None:
        assert (f"bytes */{len(whole)}", b"") == (answer.headers["content-range"], answer.content)
    else:
        assert answer.content == whole[part]
    if status == 206:
        first, last = range(len(whole))[part][0], range(len(whole))[part][-1]
        assert f"bytes {first}-{last}/{len(whole)}" == answer.headers["content-range"]


def test_a_range_of_an_older_version_gets_the_whole_of_the_new_one(server):
    client = server.client()
    etag = sound(client).headers["etag"]
    assert 206 == sound(client, range="bytes=0-1", **{"if-range": etag}).status_code
    for other in ('"0"', f"W/{etag}", "Fri, 27 Nov 2026 08:00:00 GMT", ""):
        assert 200 == sound(client, range="bytes=0-1", **{"if-range": other}).status_code


def test_the_etag_is_the_hash_that_the_row_tells(server, made):
    client, expected = server.client(), made.rows["R1"][0].masters[1].sha256
    assert f'"{expected}"' == sound(client).headers["etag"]
    assert 304 == sound(client, **{"if-none-match": f'"{expected}"'}).status_code


def test_head_tells_the_length_and_sends_nothing(server):
    client = server.client()
    answer = sound(client, method="HEAD")
    assert (200, b"", sound(client).headers["content-length"]) == (
        answer.status_code, answer.content, answer.headers["content-length"],
    )  # fmt: skip
    assert 206 == sound(client, method="HEAD", range="bytes=0-1").status_code


def test_a_source_that_browsers_do_not_play_is_served_as_wav_in_ranges(tmp_path):
    from msgspec.structs import replace

    made = output_of(tmp_path, "T1")
    path, audio = tmp_path / "sources/a.aiff", noise(seconds=2.0)
    soundfile.write(path, audio, 44_100, subtype="PCM_24")
    made.rows["R1"] = [replace(made.rows["R1"][0], source_uri=str(path), source_sha256=digest(path))]
    made.finish("R1")
    with served(desk_of(made)) as server:
        client = server.client()
        whole = sound(client, side="source")
        assert ("audio/wav", 44 + 2 * 3 * len(audio)) == (whole.headers["content-type"], len(whole.content))
        part = sound(client, side="source", range="bytes=100001-200000")
        assert (206, whole.content[100_001:200_001]) == (part.status_code, part.content)
        samples = np.frombuffer(b"\0".join([b"", *(whole.content[i : i + 3] for i in range(44, 344, 3))]), "<i4")
        expected = soundfile.read(path, frames=50, dtype="int32")[0].ravel()
        assert np.array_equal(samples, expected)


def test_nobody_hears_a_file_that_the_row_does_not_tell_of(server, made):
    with open(made.rows["R1"][0].masters[1].uri, "ab") as handle:
        handle.write(b"more")
    answer = sound(server.client())
    assert (409, True) == (answer.status_code, "a run is replacing it" in answer.json()["error"])


def test_a_source_that_is_gone_is_told(server, made):
    os.unlink(made.rows["R1"][0].source_uri)
    assert 404 == sound(server.client(), side="source").status_code


def test_asked_in_the_desk_and_over_the_network_is_the_same(server):
    server.desk.decide([asked(server.desk, "T2", "needs_work")], "Ann")
    assert "needs_work" == server.client().get("/api/decisions").json()["states"]["T2"]["state"]


def test_a_full_disk_is_told_in_a_sentence(server, monkeypatch):
    def full(output):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("review.report.write_report", full)
    answer = server.local().get("/")
    assert (503, True) == (answer.status_code, "cannot be read or written: No space left on device" in answer.text)
