"""Token Status List: the signed token (sections 5.1 and 8.3)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import jws
from keys.errors import InvalidSignature, KeysError, UnknownKey, UnsupportedAlgorithm, WrongType
from keys.jwk import JwkSet, parse_public
from keys.signer import LocalSigner, generate
from oidc.formats import errors
from oidc.formats.status_list import StatusList
from oidc.formats.status_token import (
    MAX_TOKEN_BYTES,
    VerifiedStatusList,
    sign_token,
    token_claims,
    verify_token,
)

NOW = 1_800_000_000
URI = "https://status.example/lists/1"
VECTOR = json.loads(
    (Path(__file__).parents[1] / "vectors" / "status_list.json").read_text("utf-8")
)["token"]


def claims(**changes: Any) -> dict[str, Any]:
    statuses = StatusList.from_indices(1000, 2, [5])
    made = token_claims(URI, statuses, issued_at=NOW - 10, expires_at=NOW + 600, ttl=300)
    return {name: value for name, value in {**made, **changes}.items() if value is not ...}


def check(text: str, keys: JwkSet, **changes: Any) -> VerifiedStatusList:
    return verify_token(text, keys, **{"uri": URI, "now": NOW, **changes})


async def test_a_signed_token_is_read_back(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    text = await sign_token(issuer, claims(), header={"x5c": ["c"], "kid": issuer.kid})
    found = check(text, issuer_keys)
    assert (found.status(5), found.status(6)) == (1, 0)
    assert (found.issued_at, found.expires_at, found.ttl) == (NOW - 10, NOW + 600, 300)
    header = jws.parse(text).header
    assert (header["typ"], header["x5c"]) == ("statuslist+jwt", ["c"])


def test_section_5_1_example_verifies() -> None:
    keys = JwkSet([parse_public(VECTOR["key"])])
    found = verify_token(VECTOR["jwt"], keys, uri=VECTOR["uri"], now=NOW)
    assert (found.issued_at, found.expires_at, found.ttl) == (
        VECTOR["issued_at"],
        VECTOR["expires_at"],
        VECTOR["ttl"],
    )
    assert [found.status(n) for n in range(8)] == [1, 0, 0, 1, 1, 1, 0, 1]


def test_a_compressed_claim_made_beforehand_and_aggregation_are_taken_over() -> None:
    claim = StatusList(1, 8).claim()
    made = token_claims(
        URI, claim, issued_at=1, expires_at=2, ttl=3, aggregation_uri="https://a.example"
    )
    assert made["status_list"] == {**claim, "aggregation_uri": "https://a.example"}
    assert "aggregation_uri" not in claim


@pytest.mark.parametrize("typ", ["JWT", "statuslist+cwt", "at+jwt", None])
async def test_rejects_another_typ(
    issuer: LocalSigner, issuer_keys: JwkSet, typ: str | None
) -> None:
    with pytest.raises(WrongType):
        check(await jws.sign(issuer, claims(), typ=typ), issuer_keys)


@pytest.mark.parametrize("sub", ["https://status.example/lists/2", URI + "/", None, 1, ...])
async def test_rejects_another_list(issuer: LocalSigner, issuer_keys: JwkSet, sub: Any) -> None:
    with pytest.raises(errors.StatusSubjectMismatch):
        check(await sign_token(issuer, claims(sub=sub)), issuer_keys)


async def test_rejects_an_expired_token(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    text = await sign_token(issuer, claims(exp=NOW))
    assert check(text, issuer_keys, now=NOW + 9)
    with pytest.raises(errors.StatusTokenExpired):
        check(text, issuer_keys, now=NOW + 10)


async def test_rejects_a_token_of_the_future(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    with pytest.raises(errors.StatusTokenNotYetValid):
        check(await sign_token(issuer, claims(iat=NOW + 11)), issuer_keys)


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": ...},
        {"iat": True},
        {"exp": "x"},
        {"exp": None},
        {"ttl": 0},
        {"ttl": -5},
        {"ttl": "1"},
        {"status_list": ...},
        {"status_list": {"bits": 5, "lst": "eNrbuRgAAhcBXQ"}},
    ],
)
async def test_rejects_malformed_claims(
    issuer: LocalSigner, issuer_keys: JwkSet, changes: dict[str, Any]
) -> None:
    with pytest.raises(errors.MalformedStatusList):
        check(await sign_token(issuer, claims(**changes)), issuer_keys)


async def test_rejects_an_index_out_of_range(issuer: LocalSigner, issuer_keys: JwkSet) -> None:
    found = check(await sign_token(issuer, claims()), issuer_keys)
    assert found.status(999) == 0
    with pytest.raises(errors.StatusIndexOutOfRange):
        found.status(1000)


async def test_rejects_foreign_signatures_and_algorithms(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    stranger = generate("ES256")
    with pytest.raises(UnknownKey):
        check(await sign_token(stranger, claims()), issuer_keys)
    with pytest.raises(InvalidSignature):
        check(await sign_token(stranger, claims(), header={"kid": issuer.kid}), issuer_keys)
    with pytest.raises(UnsupportedAlgorithm):
        check(await sign_token(issuer, claims()), issuer_keys, algs=frozenset({"Ed25519"}))


async def test_rejects_a_token_or_list_beyond_the_bounds(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    with pytest.raises(errors.StatusListTooLarge):
        check("a" * (MAX_TOKEN_BYTES + 1), issuer_keys)
    with pytest.raises(errors.StatusListTooLarge):
        check(await sign_token(issuer, claims()), issuer_keys, max_bytes=249)


async def test_fresh_until_is_ttl_and_never_beyond_exp(
    issuer: LocalSigner, issuer_keys: JwkSet
) -> None:
    found = check(await sign_token(issuer, claims()), issuer_keys)
    assert found.fresh_until(NOW, 60) == NOW + 300
    assert found.fresh_until(NOW + 500, 60) == NOW + 600
    bare = check(await sign_token(issuer, claims(exp=..., ttl=...)), issuer_keys)
    assert bare.fresh_until(NOW, 60) == NOW + 60


@settings(max_examples=100, deadline=None)
@given(st.text() | st.text("abc.-_="))
def test_arbitrary_text_raises_only_our_errors(issuer_keys: JwkSet, text: str) -> None:
    with pytest.raises((KeysError, errors.FormatsError)):
        check(text, issuer_keys)
