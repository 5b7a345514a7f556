"""Status list tokens as CWTs: the draft's example, and each rule broken by itself."""

import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import InvalidSignature, KeysError, UnknownKey, UnsupportedAlgorithm, WrongType
from keys.jwk import JwkSet, parse_public
from keys.signer import generate
from oidc.formats import cbor, cose
from oidc.formats.errors import (
    FormatsError,
    MalformedStatusList,
    StatusIndexOutOfRange,
    StatusListTooLarge,
    StatusSubjectMismatch,
    StatusTokenExpired,
    StatusTokenNotYetValid,
)
from oidc.formats.status_cwt import CWT_TYP, parse_cwt, sign_cwt, verify_cwt
from oidc.formats.status_list import StatusList, inflate

NOW = 1_800_000_000
URI = "https://example.com/statuslists/1"
SIGNER = generate("ES256")
KEYS = JwkSet([parse_public(dict(SIGNER.public_jwk))])
LIST = StatusList.from_indices(64, 2, [3])
# Token Status List, section 5.2: the example in CWT form, restated.
EXAMPLE = bytes.fromhex(
    "d2845820a2012610781a6170706c69636174696f6e2f7374617475736c6973742b63"
    "7774a1044231325850a502782168747470733a2f2f6578616d706c652e636f6d2f73"
    "74617475736c697374732f31061a648c5bea041a8898dfea19fffe19a8c019fffda2"
    "646269747301636c73744a78dadbb918000217015d584093fa4d01032b18c35e2fe1"
    "101b77fd6cc9440022caa4694450c4e4e9feab4e99d1fa6d9772ce2bf3a12e0323de"
    "d7c982c5e101a5e67f0cbc1e2b6f57ce99c279"
)


async def token(**changes: Any) -> bytes:
    arguments: dict[str, Any] = {"issued_at": NOW, "expires_at": NOW + 900, "ttl": 60, **changes}
    signer = arguments.pop("signer", SIGNER)
    uri = arguments.pop("uri", URI)
    return await sign_cwt(signer, uri, LIST.bits, LIST.compress(), **arguments)


async def forged(claims: Any, header: dict[int, Any] | None = None, tag: bytes = b"\xd2") -> bytes:
    """A token with claims of the test's own, rightly signed."""
    signed = await cose.sign1(
        SIGNER,
        claims if isinstance(claims, bytes) else cbor.encode(claims),
        header={cose.TYP: CWT_TYP} if header is None else header,
        unprotected={cose.KID: SIGNER.kid.encode()},
    )
    return tag + cbor.encode(signed)


def claims(**changes: Any) -> dict[int, Any]:
    made: dict[int, Any] = {
        2: URI,
        4: NOW + 900,
        6: NOW,
        65534: 60,
        65533: {"bits": 2, "lst": LIST.compress()},
    }
    for name, value in changes.items():
        made[int(name[1:])] = value
    return {number: value for number, value in made.items() if value is not ...}


def verify(data: bytes, **changes: Any) -> Any:
    return verify_cwt(data, **{"keys": KEYS, "uri": URI, "now": NOW, **changes})


def test_section_5_2_the_example_is_read() -> None:
    signed = parse_cwt(EXAMPLE)
    assert signed.unverified_header == {cose.ALG: -7, cose.TYP: CWT_TYP}
    assert signed.unverified_payload is not None
    payload = cbor.decode(signed.unverified_payload)
    assert (payload[2], payload[6], payload[4], payload[65534]) == (
        URI,
        1686920170,
        2291720170,
        43200,
    )
    listed = payload[65533]
    assert list(inflate(listed["lst"])) == [0xB9, 0xA3]  # the list of section 4.1


async def test_section_5_2_what_is_signed_verifies() -> None:
    found = verify(await token(aggregation_uri="https://example.com/statuslists"))
    assert [found.status(n) for n in (2, 3, 4)] == [0, 1, 0]
    assert (found.uri, found.issued_at, found.expires_at, found.ttl) == (URI, NOW, NOW + 900, 60)
    key = parse_public(dict(SIGNER.public_jwk))
    assert verify(await token(), keys=key).status(3) == 1


async def test_section_5_2_tagged_as_sign1_and_not_as_cwt() -> None:
    data = await token()
    for other in (data[1:], b"\xd8\x3d" + data, b"\xd1" + data[1:], b""):
        with pytest.raises(MalformedStatusList):
            verify(other)


@pytest.mark.parametrize("typ", [None, "application/cwt", "statuslist+jwt", "statuslist+cwt", 61])
async def test_section_5_2_the_type_is_protected_and_exact(typ: object) -> None:
    header = {} if typ is None else {cose.TYP: typ}
    with pytest.raises(WrongType):
        verify(await forged(claims(), header))


async def test_another_key_is_refused() -> None:
    with pytest.raises(UnknownKey):
        verify(await token(signer=generate("ES256")))
    other = parse_public(dict(generate("ES256").public_jwk))
    with pytest.raises(InvalidSignature):
        verify(await token(), keys=other)
    with pytest.raises(UnsupportedAlgorithm):
        verify(await token(), algs=frozenset({"ES384"}))


async def test_section_8_3_sub_iat_exp_ttl() -> None:
    with pytest.raises(StatusSubjectMismatch):
        verify(await token(uri="https://example.com/statuslists/2"))
    with pytest.raises(StatusSubjectMismatch):
        verify(await forged(claims(_2=...)))
    with pytest.raises(MalformedStatusList):
        verify(await forged(claims(_6=...)))
    with pytest.raises(StatusTokenNotYetValid):
        verify(await token(issued_at=NOW + 60))
    with pytest.raises(StatusTokenExpired):
        verify(await token(), now=NOW + 1000)
    for odd in (0, -5):
        with pytest.raises(MalformedStatusList):
            verify(await forged(claims(_65534=odd)))
    without = verify(await forged(claims(_4=..., _65534=...)))
    assert (without.expires_at, without.ttl) == (None, None)


@pytest.mark.parametrize(
    "odd",
    [
        {"_6": "now"},
        {"_6": True},
        {"_65533": ...},
        {"_65533": []},
        {"_65533": {"bits": 3, "lst": b"x"}},
        {"_65533": {"bits": True, "lst": LIST.compress()}},
        {"_65533": {"bits": 2, "lst": "text"}},
        {"_65533": {"bits": 2, "lst": b"no zlib"}},
        {"_65533": {"bits": 2, "lst": LIST.compress() + b"more"}},
        {"_65533": {"bits": 2, "lst": LIST.compress()[:-1]}},
    ],
)
async def test_odd_claims_are_refused(odd: dict[str, Any]) -> None:
    with pytest.raises(MalformedStatusList):
        verify(await forged(claims(**odd)))


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x01", b"\x80"])
async def test_a_payload_that_is_no_map_is_refused(payload: bytes) -> None:
    with pytest.raises(MalformedStatusList):
        verify(await forged(payload))


async def test_an_index_beyond_the_list_and_a_bomb() -> None:
    found = verify(await token())
    with pytest.raises(StatusIndexOutOfRange):
        found.status(64)
    bomb = zlib.compress(bytes(1 << 20), 9)
    with pytest.raises(StatusListTooLarge):
        verify(await forged(claims(_65533={"bits": 2, "lst": bomb})), max_bytes=1 << 16)


@given(data=st.binary(max_size=200))
def test_no_bytes_raise_anything_but_our_own(data: bytes) -> None:
    for one in (data, b"\xd2" + data):
        with pytest.raises((FormatsError, KeysError)):
            verify(one)
