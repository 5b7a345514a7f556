"""The two methods by themselves: argon2id hashes and RFC 6238 codes."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpid.services import totp
from corpid.services.passwords import Passwords
from keys.errors import SealError
from keys.sealing import MasterKey
from oidc.errors import TemporarilyUnavailable

RFC6238_SECRET = b"12345678901234567890"


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(64)


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_rfc6238_appendix_b(now: int, code: str) -> None:
    assert totp.code_at(RFC6238_SECRET, totp.step_at(now)) == code
    assert totp.matching_step(RFC6238_SECRET, code, now) == totp.step_at(now)


@given(st.text(max_size=12), st.integers(0, 2**33))
def test_only_a_code_of_the_window_matches(text: str, now: int) -> None:
    present = totp.step_at(now)
    valid = {
        totp.code_at(RFC6238_SECRET, step): step
        for step in (present - 1, present, present + 1)
        if step >= 0
    }
    assert totp.matching_step(RFC6238_SECRET, text, now) == valid.get(text)


def test_the_provisioning_uri_says_everything_an_app_needs() -> None:
    uri = totp.provisioning_uri(RFC6238_SECRET, "chan@sample.example", "Corp ID")
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parts.path == "/Corp%20ID:chan%40sample.example"
    assert parse_qs(parts.query) == {
        "secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"],
        "issuer": ["Corp ID"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }


def test_a_sealed_secret_opens_for_its_person_only() -> None:
    secrets = totp.TotpSecrets(MasterKey(b"m" * 32))
    sealed = secrets.seal("per-1", RFC6238_SECRET)
    assert RFC6238_SECRET not in sealed
    assert secrets.open("per-1", sealed) == RFC6238_SECRET
    with pytest.raises(SealError):
        secrets.open("per-2", sealed)


async def test_only_the_password_verifies(passwords: Passwords) -> None:
    made = await passwords.hash("a sample password")
    assert made.startswith("$argon2id$v=19$m=64,t=2,p=1$")
    assert await passwords.verify(made, "a sample password")
    assert not await passwords.verify(made, "another password")
    assert not await passwords.verify("not a hash", "a sample password")


async def test_two_spellings_of_one_character_are_one_password(passwords: Passwords) -> None:
    made = await passwords.hash("caf\u00e9 sample")
    assert await passwords.verify(made, "cafe\u0301 sample")


async def test_an_unknown_user_never_verifies(passwords: Passwords) -> None:
    assert not await passwords.verify(None, "the password of nobody")


async def test_an_endless_password_is_refused(passwords: Passwords) -> None:
    made = await passwords.hash("x" * 1024)
    assert await passwords.verify(made, "x" * 1024)
    assert not await passwords.verify(made, "x" * 1025)


async def test_a_hash_with_other_parameters_is_outdated(passwords: Passwords) -> None:
    made = await passwords.hash("a sample password")
    assert not passwords.is_outdated(made)
    assert Passwords(128).is_outdated(made)
    assert await Passwords(128).verify(made, "a sample password")


async def test_the_queue_is_bounded() -> None:
    passwords = Passwords(64, threads=1, waiting=2)
    made = await passwords.hash("a sample password")
    tries = [passwords.verify(made, "a sample password") for _ in range(10)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, TemporarilyUnavailable) for one in outcomes) == 7
    assert await passwords.verify(made, "a sample password"), "the places are given back"
