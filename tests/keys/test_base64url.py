import base64
import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import base64url
from keys.errors import MalformedEncoding

ALPHABET = string.ascii_letters + string.digits + "-_"


@given(st.binary(max_size=200))
def test_round_trip_agrees_with_the_standard_library(data):
    text = base64url.encode(data)
    assert text == base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    assert base64url.decode(text) == data
    assert base64url.decode(text.encode()) == data


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "AAAAA",
        "AA=",
        "AA==",
        "AAA=",
        "AA A",
        "AA\n",
        " AA",
        "+A",
        "/A",
        "AB",
        "AAB",
        "é",
        "A.A",
    ],
)
def test_rfc7515_2_refuses_what_is_not_canonical(text):
    with pytest.raises(MalformedEncoding):
        base64url.decode(text)


@given(st.text(alphabet=ALPHABET, max_size=12))
def test_every_accepted_text_is_the_only_encoding_of_its_bytes(text):
    try:
        data = base64url.decode(text)
    except MalformedEncoding:
        return
    assert base64url.encode(data) == text


@given(st.one_of(st.text(), st.binary()))
def test_arbitrary_input_raises_only_our_error(text):
    with suppress(MalformedEncoding):
        base64url.decode(text)
