"""Tokens: nobody makes one without the secret, and none is good for ever or for anything else."""

from __future__ import annotations

import base64
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from review.tokens import Person, Tokens, load_secret, parsed_invitation
from schemas.errors import CatalogueError

ANN = Person(name="Ann", role="reviewer", until_s=time.time() + 86_400)
TOKENS = Tokens(b"s" * 32)


def test_an_invitation_tells_who_it_is_for():
    assert TOKENS.invited(TOKENS.invitation(ANN)) == ANN
    assert TOKENS.in_session(TOKENS.session(ANN)) == ANN


def test_an_invitation_is_no_session_and_a_session_no_invitation():
    assert (None, None) == (TOKENS.in_session(TOKENS.invitation(ANN)), TOKENS.invited(TOKENS.session(ANN)))


def test_a_token_of_another_output_is_none():
    assert TOKENS.in_session(Tokens(b"t" * 32).session(ANN)) is None


def test_a_token_that_has_run_out_is_none():
    late = Person(name="Ann", role="reviewer", until_s=time.time() - 1)
    assert (None, None) == (TOKENS.in_session(TOKENS.session(late)), TOKENS.invited(TOKENS.invitation(late)))


def test_no_character_of_a_token_can_be_changed():
    token = TOKENS.session(ANN)
    # The last character of unpadded base64 may hold bits that mean nothing.
    for place in range(len(token) - 1):
        other = "A" if token[place] != "A" else "B"
        assert TOKENS.in_session(token[:place] + other + token[place + 1 :]) is None


@pytest.mark.parametrize("forged", ["", ".", "a.b", "null", "\0", "é", "x" * 100_000, "eyJuYW1lIjoiQW5uIn0.", "{}"])
def test_rubbish_is_no_token(forged):
    assert (None, None) == (TOKENS.in_session(forged), TOKENS.invited(forged))


def test_a_payload_without_its_signature_is_no_token():
    payload = base64.urlsafe_b64encode(b'{"name":"Ann","role":"operator","until_s":9e9}').decode().rstrip("=")
    assert TOKENS.in_session(f"{payload}.{TOKENS.session(ANN).rpartition('.')[2]}") is None


def test_each_session_has_its_own_token_against_foreign_posts():
    one, other = TOKENS.session(ANN), TOKENS.session(Person(name="Bob", role="viewer", until_s=ANN.until_s))
    assert (TOKENS.csrf(one) == TOKENS.csrf(one), TOKENS.csrf(one) == TOKENS.csrf(other)) == (True, False)


def test_a_role_may_do_what_those_before_it_may():
    may = {role: [ANN.may(role)] for role in ("viewer", "reviewer", "operator")}
    assert {"viewer": [True], "reviewer": [True], "operator": [False]} == may


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: load_secret(str(tmp_path)), range(16)))
    path = tmp_path / "review" / "secret"
    assert ([32], 0o600) == ([len(one) for one in found], stat.S_IMODE(path.stat().st_mode))
    assert ["secret"] == os.listdir(path.parent)


def test_a_secret_that_was_cut_short_is_refused(tmp_path):
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(CatalogueError, match="too short for a secret"):
        load_secret(str(tmp_path), str(tmp_path / "secret"))


def test_no_secret_lies_in_a_bucket():
    with pytest.raises(CatalogueError, match="give --secret FILE"):
        load_secret("gs://music/out")


@pytest.mark.parametrize("text", ["Ann", "Ann:king", ":viewer", "a\nb\0:viewer", "Ann:"])
def test_an_invitation_names_somebody_and_a_role(text):
    with pytest.raises(CatalogueError, match="must be NAME:ROLE|is no name"):
        parsed_invitation(text)


def test_a_name_may_hold_a_colon():
    assert "Ann: mastering" == parsed_invitation("Ann: mastering:viewer").name
