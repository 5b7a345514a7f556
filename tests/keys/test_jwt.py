import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import jws, jwt
from keys.errors import (
    InvalidClaim,
    InvalidSignature,
    KeysError,
    MalformedJws,
    TokenExpired,
    TokenNotYetValid,
    WrongType,
)
from keys.jwk import JwkSet
from keys.signer import generate

NOW = 1_800_000_000
ISSUER = "https://id.example"
AUDIENCE = "https://rp.example"
SIGNER = generate("ES256")
KEYS = JwkSet.parse({"keys": [dict(SIGNER.public_jwk)]})
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "s", "iat": NOW, "exp": NOW + 300}
ES256 = frozenset({"ES256"})


def check(claims, **changed):
    arguments = {"issuer": ISSUER, "audience": AUDIENCE, "now": NOW} | changed
    jwt.check_claims(claims, **arguments)


def without(*names):
    return {name: value for name, value in CLAIMS.items() if name not in names}


async def verify(payload, **changed):
    compact = await jws.sign(SIGNER, payload, typ="at+jwt")
    arguments = {
        "typ": "at+jwt",
        "algs": ES256,
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "now": NOW,
    } | changed
    return jwt.verify(compact, KEYS, **arguments)


async def test_verify_returns_the_claims():
    assert await verify(CLAIMS) == CLAIMS


async def test_verify_checks_typ_signature_and_claims():
    with pytest.raises(WrongType):
        await verify(CLAIMS, typ="dpop+jwt")
    with pytest.raises(InvalidClaim):
        await verify(CLAIMS, issuer="https://other.example")
    stranger = generate("ES256")
    compact = await jws.sign(stranger, CLAIMS, typ="at+jwt", header={"kid": SIGNER.kid})
    with pytest.raises(InvalidSignature):
        jwt.verify(compact, KEYS, typ="at+jwt", algs=ES256, issuer=None, audience=None, now=NOW)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"text",
        b'{"exp":1,"exp":2}',
        b'{"iss":"a", "iss":"a"}',
        b'{"cnf":{"jkt":"a","jkt":"b"}}',
        b'{"exp":NaN}',
        b"\xff",
    ],
)
async def test_rfc7519_4_the_payload_is_an_object_with_unique_names(payload):
    with pytest.raises(MalformedJws):
        await verify(payload)
    with pytest.raises(MalformedJws):
        jwt.unverified_claims(await jws.sign(SIGNER, payload, typ=None))


async def test_unverified_claims_need_no_key():
    compact = await jws.sign(generate("ES256"), CLAIMS, typ="any")
    assert jwt.unverified_claims(compact) == CLAIMS


async def test_max_bytes_binds():
    with pytest.raises(MalformedJws):
        await verify(CLAIMS, max_bytes=100)


@pytest.mark.parametrize("leeway", [0, 10])
def test_rfc7519_4_1_4_exp_to_the_second(leeway):
    check(CLAIMS, now=NOW + 300 + leeway - 1, leeway=leeway)
    check(CLAIMS, now=NOW + 300 + leeway - 0.001, leeway=leeway)
    with pytest.raises(TokenExpired) as raised:
        check(CLAIMS, now=NOW + 300 + leeway, leeway=leeway)
    assert raised.value.claim == "exp"


@pytest.mark.parametrize("name", ["iat", "nbf"])
@pytest.mark.parametrize("leeway", [0, 10])
def test_rfc7519_4_1_5_nbf_and_iat_to_the_second(name, leeway):
    claims = CLAIMS | {name: NOW + leeway}
    check(claims, leeway=leeway)
    with pytest.raises(TokenNotYetValid) as raised:
        check(claims | {name: NOW + leeway + 1}, leeway=leeway)
    assert raised.value.claim == name


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [True, False, "1800000000", None, [], {}])
def test_rfc7519_2_instants_are_numbers(name, value):
    with pytest.raises(InvalidClaim) as raised:
        check(CLAIMS | {name: value})
    assert raised.value.claim == name
    assert raised.value.code == "invalid_claim"


@pytest.mark.parametrize("name", ["iss", "sub", "jti"])
@pytest.mark.parametrize("value", [5, True, None, ["x"]])
def test_rfc7519_4_1_names_are_strings(name, value):
    with pytest.raises(InvalidClaim) as raised:
        check(CLAIMS | {name: value}, issuer=None)
    assert raised.value.claim == name


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["https://x.example", AUDIENCE]])
def test_rfc7519_4_1_3_aud_contains_the_audience(audience):
    check(CLAIMS | {"aud": audience})


@pytest.mark.parametrize(
    "audience", [None, "", [], 5, {AUDIENCE: 1}, [AUDIENCE, 5], AUDIENCE + "/", AUDIENCE[:-1]]
)
def test_rfc7519_4_1_3_rejects_another_aud(audience):
    with pytest.raises(InvalidClaim) as raised:
        check(CLAIMS | {"aud": audience})
    assert raised.value.claim == "aud"


def test_none_skips_issuer_and_audience():
    check(without("iss", "aud"), issuer=None, audience=None)
    with pytest.raises(InvalidClaim):
        check(without("iss"))
    with pytest.raises(InvalidClaim):
        check(without("aud"))


def test_required_claims():
    for name in ("exp", "iat"):
        with pytest.raises(InvalidClaim) as raised:
            check(without(name))
        assert raised.value.claim == name
    check(without("exp", "iat"), require=())
    with pytest.raises(InvalidClaim) as raised:
        check(CLAIMS, require=("jti",))
    assert raised.value.claim == "jti"


def test_max_lifetime_counts_from_iat_and_from_now():
    check(CLAIMS, max_lifetime=300)
    with pytest.raises(InvalidClaim):
        check(CLAIMS, max_lifetime=299)
    # without iat, and with an iat of its own making, exp is bounded from now
    check(without("iat"), max_lifetime=300, require=())
    with pytest.raises(InvalidClaim):
        check(without("iat"), max_lifetime=299, require=())
    with pytest.raises(InvalidClaim):
        check(CLAIMS, max_lifetime=300, leeway=10, now=NOW - 11)
    with pytest.raises(InvalidClaim):
        check(without("exp"), max_lifetime=300, require=())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["iss", "aud", "exp", "iat", "nbf", "jti", "x"]), JSON))
def test_arbitrary_claims_raise_only_our_errors(claims):
    with suppress(KeysError):
        check(claims, max_lifetime=5)
        raise AssertionError("nothing of this is valid")


@given(st.one_of(st.text(), st.binary()))
def test_arbitrary_input_raises_only_our_errors(compact):
    with pytest.raises(KeysError):
        jwt.verify(compact, KEYS, typ=None, algs=ES256, issuer=None, audience=None, now=NOW)
    with suppress(KeysError):
        jwt.unverified_claims(compact)
    with suppress(KeysError):
        jwt.parse_claims(compact if isinstance(compact, bytes) else json.dumps(compact).encode())
