import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import base64url, jws
from keys.errors import (
    CriticalHeader,
    InvalidSignature,
    KeysError,
    MalformedJws,
    UnknownKey,
    UnsupportedAlgorithm,
    WrongType,
)
from keys.jwk import JwkSet, parse_public, required_members
from keys.signer import LocalSigner, generate

ALGS = frozenset({"ES256", "ES384", "Ed25519", "EdDSA", "RS256", "PS256"})
SIGNERS = {alg: generate(alg) for alg in sorted(ALGS)}
SIGNER = SIGNERS["ES256"]
KEY = parse_public(SIGNER.public_jwk)
KEYS = JwkSet.parse({"keys": [dict(signer.public_jwk) for signer in SIGNERS.values()]})
PAYLOAD = {"sub": "sample"}


async def signed(header: dict | bytes, payload: bytes = b"{}", signer: LocalSigner = SIGNER) -> str:
    """Sign any header at all, also one that our own ``sign`` would refuse to make."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    signing_input = f"{base64url.encode(raw)}.{base64url.encode(payload)}"
    signature = await signer.sign(signing_input.encode())
    return f"{signing_input}.{base64url.encode(signature)}"


def verify(compact, keys=KEYS, algs=ALGS, typ=None):
    return jws.verify(jws.parse(compact), keys, algs=algs, typ=typ)


@pytest.mark.parametrize("alg", sorted(ALGS))
async def test_what_is_signed_verifies_and_names_its_key(alg):
    compact = await jws.sign(SIGNERS[alg], PAYLOAD, typ="at+jwt")
    verified = verify(compact, typ="at+jwt")
    assert verified.header == {"alg": alg, "typ": "at+jwt", "kid": SIGNERS[alg].kid}
    assert verified.payload == b'{"sub":"sample"}'
    assert verified.key.kid == SIGNERS[alg].kid


@pytest.mark.parametrize("alg", sorted(ALGS))
async def test_another_key_of_the_same_kind_does_not_verify(alg):
    compact = await jws.sign(SIGNERS[alg], PAYLOAD, typ=None)
    other = parse_public(required_members(generate(alg).public_jwk))
    with pytest.raises(InvalidSignature):
        verify(compact, other)


async def test_bytes_are_signed_as_they_are():
    compact = await jws.sign(SIGNER, b"\x00any", typ=None)
    assert verify(compact.encode()).payload == b"\x00any"
    assert "typ" not in jws.parse(compact).header


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, {"kid": SIGNER.kid}),
        ({"kid": None}, {}),
        ({"kid": "did:example:1#0"}, {"kid": "did:example:1#0"}),
        ({"x5c": ["AA=="]}, {"x5c": ["AA=="]}),
        ({"x5c": ["AA=="], "kid": "a"}, {"x5c": ["AA=="], "kid": "a"}),
        ({"jwk": {"kty": "EC"}}, {"jwk": {"kty": "EC"}}),
        ({"cty": "JWT"}, {"kid": SIGNER.kid, "cty": "JWT"}),
    ],
)
async def test_the_header_names_the_key_once(extra, expected):
    compact = await jws.sign(SIGNER, PAYLOAD, typ="x+jwt", header=extra)
    assert jws.parse(compact).header == {"alg": "ES256", "typ": "x+jwt", **expected}


@pytest.mark.parametrize("name", ["alg", "typ", "crit", "b64"])
async def test_sign_refuses_headers_that_are_not_the_callers(name):
    with pytest.raises(MalformedJws):
        await jws.sign(SIGNER, PAYLOAD, typ=None, header={name: "x"})


async def test_sign_refuses_a_number_that_is_not_finite():
    with pytest.raises(ValueError, match="finite"):
        await jws.sign(SIGNER, {"exp": float("nan")}, typ=None)


@pytest.mark.parametrize(
    "change",
    [
        lambda h, p, s: f"{h}.{p}",
        lambda h, p, s: f"{h}.{p}.",
        lambda h, p, s: f".{p}.{s}",
        lambda h, p, s: f"{h}.{p}.{s}.",
        lambda h, p, s: f"{h}.{p}.{s}.{s}",
        lambda h, p, s: f"{h}.{p}.{s}.{s}.{s}",
        lambda h, p, s: f"{h}.{p}.{s}=",
        lambda h, p, s: f"{h}=.{p}.{s}",
        lambda h, p, s: f"{h}.{p}.{s}\n",
        lambda h, p, s: f" {h}.{p}.{s}",
        lambda h, p, s: f"{h}.{p}.é",
        lambda h, p, s: f"{h}.{p}.{s}".encode("utf-16"),
        lambda h, p, s: "",
        lambda h, p, s: "..",
    ],
)
async def test_rfc7515_7_1_exactly_three_parts_in_canonical_base64url(change):
    header, payload, signature = (await jws.sign(SIGNER, PAYLOAD, typ=None)).split(".")
    with pytest.raises(MalformedJws):
        jws.parse(change(header, payload, signature))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b"{",
        b'"ES256"',
        b'{"alg":"ES256","alg":"ES256"}',
        b'{"alg":"ES256","jwk":{"x":1,"x":1}}',
        b'{"alg":"ES256","a":NaN}',
        b'{"alg":"ES256\xff"}',
        b'{"alg":5}',
        b'{"alg":"ES256","kid":5}',
        b'{"alg":"ES256","kid":null}',
        b'{"alg":"ES256","typ":5}',
        b'{"alg":"ES256","cty":5}',
        b'{"alg":"ES256","jwk":"x"}',
        b'{"alg":"ES256","x5c":"x"}',
        b'{"alg":"ES256","x5c":[5]}',
        b'{"alg":"ES256","x5t":5}',
        b'{"alg":"ES256","jku":"file:///keys"}',
    ],
    ids=repr,
)
async def test_rfc7515_4_the_header_is_an_object_with_unique_names_and_right_types(header):
    with pytest.raises(MalformedJws):
        jws.parse(await signed(header))


async def test_rfc7515_4_unknown_header_parameters_are_ignored():
    assert verify(await signed({"alg": "ES256", "kid": SIGNER.kid, "trace": 5})).payload == b"{}"


async def test_parse_is_bounded():
    compact = await jws.sign(SIGNER, b"x" * 100, typ=None)
    assert jws.parse(compact, max_bytes=len(compact))
    with pytest.raises(MalformedJws):
        jws.parse(compact, max_bytes=len(compact) - 1)
    with pytest.raises(MalformedJws):
        jws.parse(await jws.sign(SIGNER, b"x" * jws.MAX_BYTES, typ=None))


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"crit": []}, {"b64": False}, {"b64": True}])
async def test_rfc7515_4_1_11_refuses_every_extension(header):
    with pytest.raises(CriticalHeader):
        verify(await signed({"alg": "ES256", "kid": SIGNER.kid, **header}))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS256", "ES256K", "es256", "", None])
async def test_rfc8725_3_1_refuses_other_algorithms(alg):
    header = {"alg": alg} if alg is not None else {}
    with pytest.raises(UnsupportedAlgorithm):
        verify(await signed(header))
    # even when a caller lists it by mistake
    with pytest.raises((UnsupportedAlgorithm, UnknownKey)):
        verify(await signed(header), algs=ALGS | {str(alg)})
    with pytest.raises(UnsupportedAlgorithm):
        verify(await signed(header), keys=KEY, algs=ALGS | {str(alg)})


async def test_rfc8725_3_1_the_callers_algorithms_bind():
    compact = await jws.sign(SIGNER, PAYLOAD, typ=None)
    with pytest.raises(UnsupportedAlgorithm):
        verify(compact, algs=frozenset({"PS256"}))


async def test_rfc8725_3_1_a_key_serves_its_own_algorithm_only():
    signer = SIGNERS["RS256"]
    as_ps256 = LocalSigner.from_jwk(signer.private_jwk(), alg="PS256")
    compact = await jws.sign(as_ps256, PAYLOAD, typ=None)
    with pytest.raises(UnsupportedAlgorithm):
        verify(compact)
    with pytest.raises(UnsupportedAlgorithm):
        verify(compact, keys=parse_public(signer.public_jwk))
    assert verify(compact, keys=parse_public(required_members(signer.public_jwk)))


async def test_rfc9864_ed25519_and_eddsa_are_one_algorithm():
    signer = SIGNERS["Ed25519"]
    for name in ("Ed25519", "EdDSA"):
        compact = await signed({"alg": name, "kid": signer.kid}, signer=signer)
        assert verify(compact).key.kid == signer.kid
        with pytest.raises(UnsupportedAlgorithm):
            verify(compact, algs=frozenset({"Ed25519", "EdDSA"}) - {name})


@pytest.mark.parametrize(
    ("given_typ", "expected"),
    [
        ("at+jwt", "at+jwt"),
        ("AT+JWT", "at+jwt"),
        ("application/at+jwt", "at+jwt"),
        ("Application/AT+jwt", "at+jwt"),
        ("at+jwt", "application/at+jwt"),
        ("JWT", None),
        ("jwt", None),
        ("application/jwt", None),
        (None, None),
    ],
)
async def test_rfc7515_4_1_9_typ_without_case_and_prefix(given_typ, expected):
    verify(await jws.sign(SIGNER, PAYLOAD, typ=given_typ), typ=expected)


@pytest.mark.parametrize(
    ("given_typ", "expected"),
    [
        ("JWT", "at+jwt"),
        (None, "at+jwt"),
        ("", "at+jwt"),
        ("at+jwt ", "at+jwt"),
        ("at+jwt", None),
        ("", None),
        ("dpop+jwt", "at+jwt"),
        ("text/at+jwt", "at+jwt"),
        ("application/application/at+jwt", "at+jwt"),
    ],
)
async def test_rfc8725_3_11_rejects_another_typ(given_typ, expected):
    with pytest.raises(WrongType):
        verify(await jws.sign(SIGNER, PAYLOAD, typ=given_typ), typ=expected)


async def test_a_kid_that_is_not_in_the_set_is_an_unknown_key():
    with pytest.raises(UnknownKey):
        verify(await jws.sign(SIGNER, PAYLOAD, typ=None, header={"kid": "other"}))
    with pytest.raises(UnknownKey):
        verify(await jws.sign(SIGNER, PAYLOAD, typ=None), keys=JwkSet([]))


async def test_without_a_kid_every_fitting_key_is_tried():
    keys = JwkSet.parse({"keys": [dict(generate("ES256").public_jwk), dict(SIGNER.public_jwk)]})
    compact = await jws.sign(SIGNER, PAYLOAD, typ=None, header={"kid": None})
    assert verify(compact, keys).key.kid == SIGNER.kid
    stranger = await jws.sign(generate("ES256"), PAYLOAD, typ=None, header={"kid": None})
    with pytest.raises(InvalidSignature):
        verify(stranger, keys)


async def test_the_headers_own_key_is_ignored():
    attacker = generate("ES256")
    header = {"jwk": dict(attacker.public_jwk), "kid": SIGNER.kid, "jku": "https://evil.example/"}
    with pytest.raises(InvalidSignature):
        verify(await jws.sign(attacker, PAYLOAD, typ=None, header=header))


async def test_rfc7518_3_4_an_ecdsa_signature_has_64_bytes():
    header, payload, signature = (await jws.sign(SIGNER, PAYLOAD, typ=None)).split(".")
    raw = base64url.decode(signature)
    r, s = raw[:32], raw[32:]
    zero = bytes(32)
    order = bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
    for forged in (raw[:-1], raw + b"\0", b"\0" + r + b"\0" + s, zero + s, r + zero, zero + zero,
                   order + s, r + order):  # fmt: skip
        with pytest.raises(InvalidSignature):
            verify(f"{header}.{payload}.{base64url.encode(forged)}")


COMPACT_LIKE = st.builds(
    "{}.{}.{}".format,
    *[st.one_of(st.text(max_size=8), st.binary(max_size=40).map(base64url.encode))] * 3,
)
HEADERS = st.dictionaries(
    st.sampled_from(["alg", "typ", "kid", "crit", "jwk", "x5c", "b64", "other"]),
    st.sampled_from(["ES256", "none", "HS256", "JWT", KEY.kid, None, 5, ["exp"], {}, True]),
)


@given(st.one_of(st.text(), st.binary(), COMPACT_LIKE))
def test_arbitrary_input_raises_only_our_errors(compact):
    with suppress(KeysError):
        verify(compact)


@given(HEADERS, st.binary(max_size=100), st.binary(min_size=1, max_size=100))
def test_arbitrary_parts_raise_only_our_errors(header, payload, signature):
    parts = (json.dumps(header).encode(), payload, signature)
    with pytest.raises(KeysError):
        verify(".".join(map(base64url.encode, parts)))


async def test_rfc2045_5_1_typ_is_compared_without_case_in_ascii_only():
    kelvin = await jws.sign(SIGNER, b"{}", typ="\u212ab+jwt")  # its lower case is the letter k
    with pytest.raises(WrongType):
        jws.verify(jws.parse(kelvin), KEYS, algs=ALGS, typ="kb+jwt")


async def test_the_header_is_bounded_however_long_the_token_may_be():
    compact = await jws.sign(SIGNER, b"{}", typ=None, header={"x": "y" * jws.MAX_HEADER_BYTES})
    with pytest.raises(MalformedJws):
        jws.parse(compact, max_bytes=1_000_000)
