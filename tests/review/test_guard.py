"""The door: by which names and addresses a server is reached, for every way to start it."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from review.guard import NotLetInError, check_place, door_of


def let_in(door, host, method="GET", **headers):
    told = {"host": host, **headers}
    scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "headers": [(k.encode(), v.encode()) for k, v in told.items()],
    }
    try:
        check_place(Request(scope), door)
    except NotLetInError:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "address", "reached", "refused"),
    [
        (None, None, ["127.0.0.1:80", "127.0.0.1", "localhost", "[::1]"], ["10.0.0.5", "evil.example", "0.0.0.0"]),
        ("10.0.0.5", None, ["10.0.0.5:80", "10.0.0.5"], ["10.0.0.6", "127.0.0.1", "evil.example:80"]),
        ("studio.example", None, ["studio.example", "STUDIO.example:80"], ["10.0.0.5", "x.studio.example"]),
        ("fd00::5", None, ["[fd00::5]:80", "[FD00::5]"], ["[fd00::6]:80", "fd00::5"]),
        ("0.0.0.0", None, ["10.9.8.7:80", "[fd00::5]:80", "localhost:80"], ["evil.example:80", "10.9.8.7:81", "10.9.8.7.x:80"]),
        ("10.0.0.5", "https://review.example", ["review.example", "10.0.0.5"], ["evil.example", "review.example:80"]),
    ],
)  # fmt: skip
def test_a_server_answers_by_its_own_names_alone(host, address, reached, refused):
    door = door_of(host, 80, address, None)
    assert ([True] * len(reached), [False] * len(refused)) == (
        [let_in(door, one) for one in reached], [let_in(door, one) for one in refused],
    )  # fmt: skip


def test_behind_a_proxy_the_page_is_of_its_https_address():
    door = door_of("127.0.0.1", 8765, "https://review.example/", None)
    assert let_in(door, "review.example", "POST", origin="https://review.example")
    assert not let_in(door, "review.example", "POST", origin="http://review.example")
    assert (door.secure, door.local) == (True, None)


def test_the_local_user_is_known_without_a_host_only():
    from review.tokens import Person

    ann = Person(name="Ann", role="operator", until_s=1.0)
    assert [ann, None, None] == [door_of(host, 1, None, ann).local for host in (None, "127.0.0.1", "0.0.0.0")]


def test_two_servers_on_one_machine_do_not_share_a_cookie():
    assert door_of(None, 1, None, None).cookie != door_of(None, 2, None, None).cookie
