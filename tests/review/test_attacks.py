"""The review server under attack: from the network, from other pages in a reviewer's browser, and from clients that are slow."""

from __future__ import annotations

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest

from review import report
from review.patience import PatientProtocol
from review.tokens import Person, Tokens
from tests.makers import noise, write
from tests.review.outputs import desk_of, digest, output_of
from tests.review.servers import served

SECRETS = ("root:", "BEGIN", "SQLite", "lathe_signoffs")
PATHS = (
    "/../review/secret", "/..%2freview%2fsecret", "/tracks/../../review/secret", "/tracks/..%2f..%2freview%2fsecret",
    "/tracks/%2e%2e/%2e%2e/review/decisions.sqlite", "/tracks/....//....//review/secret", "/tracks/00000000000000a1.js%00.html",
    "/tracks/..\\..\\review\\secret", "//etc/passwd", "/%2fetc/passwd", "/tracks//etc/passwd", "/tracks/%252e%252e%252fsecret",
    "/review/secret", "/masters/cd/album/1-01 song.flac", "/qc/tracks", "/runs/R1.json", "/tracks/٣.js", "/.parts", "/static/x",
)  # fmt: skip
SIDES = (
    "../../review/secret",
    "cd/../../review/secret",
    "/etc/passwd",
    "file:///etc/passwd",
    "cd\0",
    "",
    "SOURCE",
    "..",
)


@pytest.fixture(autouse=True)
def page(monkeypatch):
    def write_report(output):
        os.makedirs(f"{output}/report/tracks", exist_ok=True)
        with open(f"{output}/report/index.html", "w") as handle:
            handle.write("<p>report")

    monkeypatch.setattr(report, "write_report", write_report)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return output_of(tmp_path_factory.mktemp("attacked"), "T1", "T2")


@pytest.fixture(scope="module")
def local(made):
    """A server that only this machine reaches."""
    with served(desk_of(made)) as running:
        yield running


@pytest.fixture(scope="module")
def open_one(made):
    """A server with a host: everyone needs a session."""
    with served(desk_of(made), host="127.0.0.1") as running:
        yield running


def ask(server, word="approve"):
    return [{"track_id": "T1", "masters_key": server.desk.catalogue.standing()["T1"].key, "word": word}]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out_of_the_report(local, path):
    answer = local.say(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{local.port}\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"404", b"400")
    assert not any(word.encode() in answer for word in SECRETS)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("track", ["T1", "../T1", "/etc/passwd", "\0"])
def test_no_parameter_of_audio_leads_to_another_file(local, track, side):
    assert 404 == local.client().get("/audio", params={"track": track, "side": side}).status_code


@pytest.mark.parametrize("query", ["", "track=T1", "side=cd", "track=T1&side=cd&path=/etc/passwd", "uri=/etc/passwd"])
def test_audio_takes_no_other_parameters(local, query):
    assert 400 == local.client().get(f"/audio?{query}").status_code


@pytest.mark.parametrize(
    "path", ["/", "/audio?track=T1&side=cd", "/api/session", "/api/decisions", "/tracks/00000000000000a1.js"]
)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_no_other_verb_is_understood(local, path, method):
    assert local.client().request(method, path).status_code in (404, 405)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}", "", "a b"],
)
def test_a_name_that_was_rebound_to_us_gets_nothing(local, host):
    for path in ("/", "/api/session", "/audio?track=T1&side=cd", "/login?token=x"):
        assert 421 == local.client().get(path, headers={"host": host.format(port=local.port)}).status_code


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_the_loopback_address_answers_by_its_names(local, host):
    assert 200 == local.client().get("/api/session", headers={"host": f"{host}:{local.port}"}).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": "https://127.0.0.1:{port}"},
        {"origin": "http://127.0.0.1:1"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
        {"sec-fetch-mode": "navigate", "sec-fetch-site": "cross-site"},
    ],
)  # fmt: skip
def test_a_post_from_another_site_is_refused_though_it_had_the_token(local, headers):
    headers = {name: value.format(port=local.port) for name, value in headers.items()}
    client, before = local.local(), len(local.desk.decisions.all())
    for path, body in (("/api/decisions", ask(local)), ("/api/undo", {"numbers": [1]}), ("/api/release", {})):
        assert 403 == client.post(path, json=body, headers=headers).status_code
    assert before == len(local.desk.decisions.all())


def test_another_site_embeds_no_audio_and_reads_no_session(local):
    for path in ("/audio?track=T1&side=cd", "/api/session", "/api/decisions", "/tracks/00000000000000a1.js"):
        headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
        assert 403 == local.client().get(path, headers=headers).status_code


def test_a_link_elsewhere_may_lead_to_the_report(local):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert 200 == local.client().get("/", headers=headers).status_code


@pytest.mark.parametrize("token", [None, "", "x", "é".encode(), "0" * 10_000])
def test_a_post_without_the_token_of_the_page_is_refused(local, token):
    headers = {} if token is None else {"x-lathe-csrf": token}
    assert 403 == local.client().post("/api/decisions", json=ask(local), headers=headers).status_code


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_is_no_decision(local, kind):
    answer = local.local().post("/api/decisions", content=b"[]", headers={"content-type": kind})
    assert 415 == answer.status_code


def test_a_body_that_is_too_long_is_refused_whether_it_tells_its_length_or_not(local):
    client, headers = local.local(), {"content-type": "application/json"}
    assert 413 == client.post("/api/decisions", content=b" " * ((1 << 20) + 1), headers=headers).status_code

    def endless():
        for _ in range(100):
            yield b" " * 65_536

    with suppress(httpx.WriteError):  # it may be answered and closed while we still send
        assert 413 == client.post("/api/decisions", content=endless(), headers=headers).status_code


@pytest.mark.parametrize("length", ["-1", "9" * 400, "1e9", "0x10", "\u0663"])
def test_a_length_that_is_none_is_refused(local, length):
    head = f"POST /api/decisions HTTP/1.1\r\nHost: 127.0.0.1:{local.port}\r\nContent-Length: {length}\r\n"
    answer = local.say(f"{head}Content-Type: application/json\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] in (b"400", b"403", b"413")


def test_headers_without_end_are_refused(local):
    head = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{local.port}\r\nX: ".encode()
    with suppress(ConnectionError):  # it may be closed while we still send
        assert b" 400 " in local.say(head + b"x" * 200_000)


def test_every_answer_has_the_headers_that_keep_browsers_from_guessing_and_framing(local):
    for path in ("/", "/api/session", "/audio?track=T1&side=cd", "/nothing", "/login", "/audio", "/tracks/x"):
        headers = local.client().get(path).headers
        assert ("nosniff", "no-referrer", "same-origin") == (
            headers["x-content-type-options"], headers["referrer-policy"], headers["cross-origin-resource-policy"],
        )  # fmt: skip
        assert ("frame-ancestors 'none'" in headers["content-security-policy"], "server" in headers) == (True, False)


PRIVATE = ("/api/session", "/api/decisions", "/audio?track=T1&side=cd", "/tracks/00000000000000a1.js", "/")


@pytest.mark.parametrize("path", PRIVATE)
def test_over_a_network_nobody_gets_anything_without_a_session(open_one, path):
    answer = open_one.client().get(path)
    assert (401, True) == (answer.status_code, "invitation" in answer.text)


def test_a_page_asks_again_for_the_cookie_that_a_browser_kept_back_and_never_twice(open_one):
    for site, again in (("cross-site", True), ("same-origin", False), ("none", False)):
        answer = open_one.client().get("/", headers={"sec-fetch-site": site, "sec-fetch-mode": "navigate"})
        assert (401, again) == (answer.status_code, "<script>" in answer.text)


@pytest.mark.parametrize(
    "make",
    [
        lambda tokens, person: "",
        lambda tokens, person: "rubbish",
        lambda tokens, person: tokens.invitation(person),
        lambda tokens, person: Tokens(b"f" * 32).session(person),
        lambda tokens, person: tokens.session(Person(name="Eve", role="operator", until_s=time.time() - 1)),
        lambda tokens, person: tokens.session(person)[:-4] + "AAAA",
        lambda tokens, person: tokens.session(person).swapcase(),
    ],
)
def test_a_cookie_that_is_forged_foreign_or_too_old_is_none(open_one, make):
    from review.tokens import load_secret

    person = Person(name="Eve", role="operator", until_s=time.time() + 1000)
    cookie = make(Tokens(load_secret(open_one.desk.output)), person)
    for path in PRIVATE:
        assert 401 == open_one.client(cookies={f"lathe_session_{open_one.port}": cookie}).get(path).status_code
    assert (
        401
        == open_one.client(cookies={f"lathe_session_{open_one.port}": cookie})
        .post("/api/decisions", json=ask(open_one))
        .status_code
    )


@pytest.mark.parametrize("token", ["", "x", "é", "\0", "../..", "x" * 5_000])
def test_a_login_link_that_is_none_sets_no_cookie(open_one, token):
    answer = open_one.client().get("/login", params={"token": token})
    assert (403, False) == (answer.status_code, "set-cookie" in answer.headers)


def test_the_cookie_is_for_this_site_and_no_script(open_one):
    from review.tokens import load_secret

    person = Person(name="<b>Ann</b>", role="viewer", until_s=time.time() + 1000)
    answer = open_one.client().get(
        "/login", params={"token": Tokens(load_secret(open_one.desk.output)).invitation(person)}
    )
    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= flags
    assert ("&lt;b&gt;Ann" in answer.text, "<b>Ann" in answer.text, "no-store") == (
        True,
        False,
        answer.headers["cache-control"],
    )


def test_a_viewer_looks_and_listens_and_decides_nothing(open_one):
    client = open_one.invited("Vic", "viewer")
    assert [200] * 4 == [client.get(path).status_code for path in PRIVATE if "tracks" not in path]
    for path, body in (("/api/decisions", ask(open_one)), ("/api/undo", {"numbers": [1]}), ("/api/release", {})):
        answer = client.post(path, json=body)
        assert (403, True) == (answer.status_code, "Vic is a viewer here" in answer.json()["error"])


def test_a_reviewer_decides_and_releases_nothing(open_one):
    client = open_one.invited("Rae", "reviewer")
    assert [200, 403] == [
        client.post("/api/decisions", json=ask(open_one)).status_code, client.post("/api/release", json={}).status_code,
    ]  # fmt: skip


def test_the_token_of_one_session_is_none_in_another(open_one):
    ann, bob = open_one.invited("Ann", "reviewer"), open_one.invited("Bob", "reviewer")
    bob.headers["x-lathe-csrf"] = ann.headers["x-lathe-csrf"]
    assert 403 == bob.post("/api/decisions", json=ask(open_one)).status_code


def test_nobody_signs_in_to_a_server_that_only_this_machine_reaches(local):
    person = Person(name="Eve", role="operator", until_s=time.time() + 1000)
    assert 403 == local.client().get("/login", params={"token": Tokens(b"x" * 32).invitation(person)}).status_code


def test_without_a_host_only_the_loopback_address_answers(local):
    others = {
        info[4][0]
        for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        if info[4][0][:4] != "127."
    }
    for address in others:
        with pytest.raises(OSError):
            socket.create_connection((address, local.port), timeout=2).close()


def test_two_hundred_requests_at_once_are_all_answered(local):
    with (
        ThreadPoolExecutor(200) as pool,
        httpx.Client(base_url=local.url, timeout=60, limits=httpx.Limits(max_connections=200)) as client,
    ):
        paths = ["/", "/api/session", "/api/decisions", "/audio?track=T1&side=cd"] * 50
        assert {200} == {answer.status_code for answer in pool.map(client.get, paths)}


def test_two_hundred_decisions_at_once_are_all_kept(made):
    with served(desk_of(made)) as server:
        client, before = server.local(), len(server.desk.decisions.all())
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda _: client.post("/api/decisions", json=ask(server)), range(200)))
        assert {200} == {answer.status_code for answer in answers}
        numbers = sorted(answer.json()["added"][0]["number"] for answer in answers)
        assert list(range(before + 1, before + 201)) == numbers


def drip(connection, content, stop):
    """Sends a byte a second, as long as anybody listens."""
    for byte in content:
        try:
            connection.send(bytes([byte]))
        except OSError:
            return
        if stop.wait(1.0):
            return


HEAD = b"GET /api/session HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"x" * 1000
BODY = b"POST /api/undo HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"


@pytest.mark.parametrize("kind", ["head", "body"])
def test_twenty_clients_that_send_a_byte_a_second_hold_up_nobody(local, kind):
    stop, token = threading.Event(), local.local().headers["x-lathe-csrf"]
    first = b"" if kind == "head" else BODY % local.port + f"X-Lathe-CSRF: {token}\r\n\r\n".encode()
    connections = [local.open() for _ in range(20)]
    for connection in connections:
        connection.sendall(first)
        threading.Thread(target=drip, args=(connection, HEAD, stop), daemon=True).start()
    try:
        began_s = time.monotonic()
        answers = [local.client().get("/audio?track=T1&side=cd").status_code for _ in range(30)]
        assert ({200}, True) == (set(answers), time.monotonic() - began_s < 10.0)
    finally:
        stop.set()
        for connection in connections:
            connection.close()


def closed_within(connection, seconds):
    """Whether the server ends a connection in time, whatever it says before."""
    connection.settimeout(seconds)
    try:
        while connection.recv(65_536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def test_a_client_whose_headers_do_not_come_is_cut_off(made, monkeypatch):
    monkeypatch.setattr(PatientProtocol, "head_within_s", 1.5)
    with served(desk_of(made)) as server:
        stop = threading.Event()
        silent, slow, again = server.open(), server.open(), server.open()
        threading.Thread(target=drip, args=(slow, HEAD, stop), daemon=True).start()
        # One whole request does not buy another that never ends.
        again.sendall(f"GET /api/session HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        assert b" 200 " in again.recv(65_536)
        threading.Thread(target=drip, args=(again, HEAD, stop), daemon=True).start()
        assert [True] * 3 == [closed_within(one, 6.0) for one in (silent, slow, again)]
        stop.set()


def test_a_client_whose_body_does_not_come_is_cut_off(made, monkeypatch):
    monkeypatch.setattr("review.server.BODY_WITHIN_S", 1.0)
    with served(desk_of(made)) as server:
        token = server.local().headers["x-lathe-csrf"]
        with server.open() as slow:
            slow.sendall(BODY % server.port + f"X-Lathe-CSRF: {token}\r\nConnection: close\r\n\r\n ".encode())
            slow.settimeout(8)
            assert b" 408 " in slow.recv(65_536)


def test_a_client_that_does_not_read_is_cut_off_and_its_file_is_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(PatientProtocol, "read_within_s", 1.0)
    made = output_of(tmp_path, "T1")
    path = write(tmp_path / "sources/long.wav", noise(seconds=60.0))
    from msgspec.structs import replace

    made.rows["R1"] = [replace(made.rows["R1"][0], source_uri=str(path), source_sha256=digest(path))]
    made.finish("R1")
    with served(desk_of(made)) as server, server.open() as deaf:
        deaf.sendall(f"GET /audio?track=T1&side=source HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        deadline_s = time.monotonic() + 15
        while not _holds(path) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        while _holds(path) and time.monotonic() < deadline_s:
            time.sleep(0.1)
        assert not _holds(path)


def _holds(path):
    """Whether this process has a file open."""
    for number in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{number}") == str(path):
                return True
        except OSError:
            continue
    return False
