from contextlib import suppress
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from keys import base64url
from keys.edwards import is_sound_point
from keys.errors import MalformedKey, UnsupportedAlgorithm, UnsupportedKey
from keys.jwk import (
    JwkSet,
    PublicKey,
    cached_public,
    parse_public,
    public_members,
    required_members,
    thumbprint,
)
from keys.signer import generate

SIGNERS = {alg: generate(alg) for alg in ("ES256", "ES384", "Ed25519", "EdDSA", "RS256", "PS256")}
EC = dict(SIGNERS["ES256"].public_jwk)
RSA = dict(SIGNERS["RS256"].public_jwk)
OKP = dict(SIGNERS["Ed25519"].public_jwk)


def bare(jwk):
    return required_members(jwk)


@pytest.mark.parametrize(
    ("alg", "algs"),
    [
        ("ES256", {"ES256"}),
        ("ES384", {"ES384"}),
        ("Ed25519", {"Ed25519", "EdDSA"}),
        ("EdDSA", {"Ed25519", "EdDSA"}),
        ("RS256", {"RS256"}),
        ("PS256", {"PS256"}),
    ],
)
def test_rfc7517_4_4_own_alg_narrows_the_algorithms(alg, algs):
    jwk = SIGNERS[alg].public_jwk
    assert parse_public(jwk).algs == algs
    wide = {"RS256", "PS256"} if alg in {"RS256", "PS256"} else algs
    assert parse_public(bare(jwk)).algs == wide


def test_rfc7517_4_2_an_encryption_key_verifies_nothing():
    key = parse_public(EC | {"use": "enc", "alg": "ECDH-ES"})
    assert key.algs == frozenset()
    with pytest.raises(UnsupportedAlgorithm):
        key.verify("ES256", b"", bytes(64))


@pytest.mark.parametrize(
    ("operations", "algs"),
    [(["verify"], {"ES256"}), (["verify", "sign"], {"ES256"}), (["sign"], set()), ([], set())],
)
def test_rfc7517_4_3_key_ops_must_include_verify(operations, algs):
    assert parse_public(EC | {"key_ops": operations}).algs == algs


@pytest.mark.parametrize("name", ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"])
@pytest.mark.parametrize("jwk", [EC, RSA, OKP], ids=["EC", "RSA", "OKP"])
def test_private_members_are_refused_or_dropped(jwk, name):
    with pytest.raises(MalformedKey):
        parse_public(jwk | {name: "AAAA"})
    with pytest.raises(MalformedKey):
        JwkSet.parse({"keys": [jwk | {name: "AAAA"}]})
    with pytest.raises(MalformedKey):
        cached_public(jwk | {name: "AAAA"})
    key = parse_public(jwk | {name: "AAAA"}, allow_private=True)
    assert name not in key.jwk


@pytest.mark.parametrize(
    "change",
    [
        {"x": EC["y"]},  # off the curve
        {"x": base64url.encode(bytes(32)), "y": base64url.encode(bytes(32))},
        {"x": EC["x"] + "="},
        {"x": base64url.encode(b"\0" + base64url.decode(EC["x"]))},
        {"x": ""},
        {"x": 5},
        {"crv": "P-384"},
        {"alg": "RS256"},
        {"alg": 5},
        {"kid": 5},
        {"kid": None},
        {"use": ["sig"]},
        {"key_ops": "verify"},
        {"key_ops": ["verify", "verify"]},
        {"key_ops": [1]},
    ],
)
def test_rfc7518_6_2_refuses_a_malformed_ec_key(change):
    with pytest.raises(MalformedKey):
        parse_public(EC | change)


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "oct"},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"},
        {"kty": ["EC"]},
        {},
        EC | {"crv": "secp256k1"},
        EC | {"crv": "P-521"},
        OKP | {"crv": "X25519"},
        OKP | {"crv": "Ed448"},
    ],
)
def test_rfc7517_5_a_set_skips_types_that_it_does_not_know(jwk):
    with pytest.raises(UnsupportedKey):
        parse_public(jwk)
    assert [key.jwk for key in JwkSet.parse({"keys": [jwk, RSA]}).keys] == [RSA]


def uint(value):
    return base64url.encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


N = int.from_bytes(base64url.decode(RSA["n"]), "big")


@pytest.mark.parametrize(
    "change",
    [
        {"n": uint(N >> 1 | 1)},  # 2047 bits
        {"n": uint(N + 1)},
        {"n": uint(1 << 8192 | 1)},
        {"n": base64url.encode(b"\0" + base64url.decode(RSA["n"]))},
        {"e": uint(3)},
        {"e": uint(65538)},
        {"e": uint((1 << 64) + 1)},
        {"e": ""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_rfc7518_6_3_refuses_a_weak_or_malformed_rsa_key(change):
    with pytest.raises(MalformedKey):
        parse_public(RSA | change)


def test_rsa_of_1024_bits_is_refused():
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with pytest.raises(MalformedKey):
        parse_public(public_members(small.public_key()))


def test_cve_2017_15361_a_modulus_with_the_flaw_is_refused():
    # The generator's form, with factors that need not be prime to bear the fingerprint.
    product = 2
    for p in range(3, 168, 2):
        product *= p if all(p % d for d in range(3, p, 2)) else 1
    factors = [(k << 820) * product + pow(65537, a, product) for k, a in ((3, 5), (5, 7))]
    modulus = factors[0] * factors[1]
    assert 2048 <= modulus.bit_length() <= 8192
    with pytest.raises(MalformedKey, match="flawed"):
        parse_public(RSA | {"n": uint(modulus)})


SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_an_ed25519_point_of_small_order_is_refused(point):
    with pytest.raises(MalformedKey):
        parse_public(OKP | {"x": base64url.encode(bytes.fromhex(point))})


@pytest.mark.parametrize(
    "encoded",
    [
        (2).to_bytes(32, "little"),  # no such x
        (2**255 - 19 + 3).to_bytes(32, "little"),  # 3 is on the curve, but not written so
        bytes(31),
        bytes(33),
    ],
)
def test_rfc8032_5_1_3_an_ed25519_point_must_decode(encoded):
    with pytest.raises(MalformedKey):
        parse_public(OKP | {"x": base64url.encode(encoded)})


def test_all_fresh_ed25519_keys_are_sound():
    for _ in range(50):
        assert is_sound_point(base64url.decode(generate("Ed25519").public_jwk["x"]))


def test_thumbprint_needs_only_the_required_members():
    assert thumbprint(EC) == thumbprint(bare(EC)) == SIGNERS["ES256"].kid
    assert thumbprint(SIGNERS["ES256"].private_jwk()) == thumbprint(EC)


def test_a_parsed_key_has_the_members_that_make_it_and_no_other():
    for one in (EC, RSA, OKP):
        assert parse_public(one).members == bare(one)


def test_cached_public_returns_one_object_for_one_key():
    first = cached_public(EC)
    assert cached_public(dict(reversed(EC.items()))) is first
    assert cached_public(MappingProxyType(EC)) is first
    assert cached_public(bare(EC)) is not first
    assert first == parse_public(EC)


def test_cached_public_takes_large_keys_without_keeping_them():
    large = EC | {"x5c": ["A" * 4000]}
    assert cached_public(large) == cached_public(large)
    assert cached_public(large) is not cached_public(large)


@pytest.mark.parametrize("jwk", [None, 5, "text", [], {"x": object()}, {1: 2}])
def test_cached_public_refuses_what_is_no_json_object(jwk):
    with pytest.raises(MalformedKey):
        cached_public(jwk)


def test_a_set_finds_by_kid_and_algorithm():
    keys = JwkSet.parse({"keys": [EC, RSA, bare(SIGNERS["ES384"].public_jwk)]})
    assert [key.kid for key in keys.find(EC["kid"], "ES256")] == [EC["kid"]]
    assert keys.find(EC["kid"], "RS256") == []
    assert keys.find("unknown", "ES256") == []
    assert [key.kid for key in keys.find(None, "RS256")] == [RSA["kid"]]
    assert [key.kid for key in keys.find(None, "ES384")] == [None]
    assert keys.has_kid(EC["kid"])
    assert not keys.has_kid("unknown")


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"keys": {}},
        {"keys": [5]},
        {"keys": [EC, EC]},
        {"keys": [EC, RSA | {"kid": EC["kid"]}]},
        {"keys": [bare(EC)] * 51},
        {"keys": [EC | {"x": "AA"}]},
    ],
    ids=["none", "array", "empty", "object", "number", "twice", "same-kid", "51", "malformed"],
)
def test_rfc7517_5_refuses_a_malformed_set(document):
    with pytest.raises(MalformedKey):
        JwkSet.parse(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    ["kty", "crv", "x", "y", "n", "e", "d", "kid", "use", "alg", "key_ops", "x5c"]
)
VALUES = st.sampled_from(["EC", "RSA", "OKP", "P-256", "Ed25519", "AQAB", EC["x"], OKP["x"]]) | JSON


@given(
    st.dictionaries(MEMBERS, VALUES) | st.builds(lambda d: EC | d, st.dictionaries(MEMBERS, JSON))
)
def test_arbitrary_jwk_gives_a_key_or_our_error(jwk):
    for parse in (parse_public, cached_public, lambda j: JwkSet.parse({"keys": [j]})):
        with suppress(MalformedKey):
            assert isinstance(parse(jwk), PublicKey | JwkSet)
