"""Tokens that name their end: the order of their rows, and that the name proves nothing."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import base64url
from oidc import dated
from oidc.secrets import ACCESS_TOKEN, AUTHORIZATION_CODE, REQUEST_URI, TokenHasher

ENDS = dated.instant(1_790_000_000_123)
HASHER = TokenHasher(b"k" * 32)


@pytest.mark.parametrize("prefix", [ACCESS_TOKEN, AUTHORIZATION_CODE, REQUEST_URI])
def test_the_key_of_an_opaque_token_begins_with_its_end(prefix: str) -> None:
    token = dated.new_token(prefix, ENDS, secrets.token_bytes)
    assert token.startswith(prefix)
    assert dated.end_of(token) == ENDS
    key = HASHER.key(token)
    assert (len(key), key[:6]) == (32, ENDS)
    assert key == HASHER.key(token, ENDS)


def test_the_key_of_a_jwt_begins_with_the_end_in_its_jti() -> None:
    payload = b'{"jti":"' + dated.new_jti(ENDS, secrets.token_bytes).encode() + b'"}'
    token = f"e30.{base64url.encode(payload)}.c2ln"
    assert HASHER.key(token)[:6] == ENDS
    assert HASHER.key(token) == HASHER.key(token, ENDS)


def test_keys_lie_in_the_order_of_their_ends() -> None:
    instants = [1_790_000_000_123, 1_790_000_000_124, 1_790_000_065_000, 4_000_000_000_000]
    keys = [
        HASHER.key(dated.new_token(ACCESS_TOKEN, dated.instant(at), secrets.token_bytes))
        for at in instants
    ]
    assert keys == sorted(keys)


def test_every_bit_of_a_token_counts() -> None:
    token = dated.new_token(ACCESS_TOKEN, ENDS, secrets.token_bytes)
    other = dated.new_token(ACCESS_TOKEN, dated.instant(1), lambda count: b"\0" * count)
    mixed = other[:-43] + token[-43:]
    assert len({HASHER.key(token)[6:], HASHER.key(other)[6:], HASHER.key(mixed)[6:]}) == 3


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x" * 51,
        "a.b.c",
        "e30.e30.c2ln",
        f"e30.{base64url.encode(b'[]')}.",
        f"e30.{base64url.encode(b'{')}.",
        "e30.eyJqdGkiOjd9.",
        ACCESS_TOKEN + "!" * 51,
        ACCESS_TOKEN + "A" * 43,
    ],
)
def test_what_names_no_end_is_kept_by_its_plain_hash(token: str) -> None:
    assert dated.end_of(token) is None
    assert HASHER.key(token) == HASHER.hash(token)


@given(st.text() | st.text(alphabet="ab_:-.", min_size=40, max_size=120))
def test_any_text_has_a_key(token: str) -> None:
    try:
        token.encode()
    except UnicodeEncodeError:
        return
    assert len(HASHER.key(token)) == 32
