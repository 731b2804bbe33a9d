"""ISRC, GTIN and checksums, as people and spreadsheets write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.identifiers import GTIN_LENGTHS, check_digit, gtin14, read_gtin, read_isrc, read_sha256


@pytest.mark.parametrize("text", ["USABC1234567", "us-abc-12-34567", "US ABC 12 34567", "ISRC US-ABC-12-34567"])
def test_an_isrc_is_read_however_it_is_hyphenated(text):
    assert read_isrc(text) == "USABC1234567"


def test_an_isrc_typed_with_the_hyphens_of_a_word_processor_is_read():
    assert read_isrc("US\u2010ABC\u201312\u201334567") == "USABC1234567"


@pytest.mark.parametrize("text", ["QMABC1234567", "QZABC1234567", "UKABC1234567", "XKA1B2134567", "GB-A1B-99-00001"])
def test_the_extra_country_codes_of_isrc_are_accepted(text):
    assert len(read_isrc(text)) == 12


@pytest.mark.parametrize(
    "text", ["USABC12345", "1SABC1234567", "USABC12345678", "USABC123456\u0667", "n/a", "\u0131sabc1234567"]
)
def test_what_is_no_isrc_is_refused_with_the_rule(text):
    with pytest.raises(ValueError, match="is not an ISRC: 2 letters, 3 letters or digits, 7 digits"):
        read_isrc(text)


def test_a_letter_o_typed_for_a_zero_is_noticed():
    with pytest.raises(ValueError, match=r"did you mean USABC1200567\?"):
        read_isrc("USABC12OO567")


@pytest.mark.parametrize("text", ["036000291452", "4006381333931", "96385074", "00036000291452", "0 36000-29145 2"])
def test_a_gtin_of_every_length_is_read(text):
    assert read_gtin(text) == text.replace(" ", "").replace("-", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("036000291453", r"wrong check digit \(the last one\); did you mean 036000291452\?"),
        ("36000291452", r"has 11 digits: a UPC or EAN has 8, 12, 13 or 14; did you mean 036000291452\?"),
        ("36000291453", r"has 11 digits: a UPC or EAN has 8, 12, 13 or 14$"),
        ("5.09975E+12", "was rounded by a spreadsheet"),
        ("5,09975E+12", "was rounded by a spreadsheet"),
        ("000000000000", "is no release's number"),
        ("CAT-001", "only digits are allowed"),
        ("\u0660\u0663\u0666\u0660\u0660\u0660\u0662\u0669\u0661\u0664\u0665\u0662", "only digits are allowed"),
    ],
)
def test_a_wrong_gtin_is_refused_with_what_was_meant(text, message):
    with pytest.raises(ValueError, match=message):
        read_gtin(text)


bodies = st.sampled_from(GTIN_LENGTHS).flatmap(lambda n: st.text("0123456789", min_size=n - 1, max_size=n - 1))
bodies = bodies.filter(lambda body: body.strip("0"))


@given(bodies)
def test_leading_zeros_never_change_a_check_digit(body):
    assert check_digit(body) == check_digit(body.zfill(13))
    assert gtin14(body + "1") == gtin14("0" + body + "1") or len(body) == 13


@given(bodies, st.integers(0, 99), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(body, place, difference):
    gtin = body + str(check_digit(body))
    assert read_gtin(gtin) == gtin
    place %= len(gtin)
    wrong = f"{gtin[:place]}{(int(gtin[place]) + difference) % 10}{gtin[place + 1 :]}"
    with pytest.raises(ValueError, match=r"did you mean|no release"):
        read_gtin(wrong)


def test_a_checksum_is_kept_in_lower_case():
    assert read_sha256("AB" * 32) == "ab" * 32


@pytest.mark.parametrize(
    ("text", "message"),
    [("ab" * 16, "this is an MD5"), ("ab" * 20, "this is a SHA-1"), ("ab" * 31 + "xy", "64 hexadecimal digits$")],
)
def test_another_checksum_than_sha256_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        read_sha256(text)
