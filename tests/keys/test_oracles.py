"""Other implementations as witnesses: we refuse what joserfc does, and others verify ours."""

import json

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from jose import jwt as python_jose
from joserfc import jws as joserfc_jws
from joserfc.jwk import KeySet, import_key

from keys import base64url, jws
from keys.errors import KeysError, UnsupportedAlgorithm
from keys.jwk import JwkSet, parse_public
from keys.signer import generate

ALGS = ["ES256", "ES384", "RS256", "PS256", "Ed25519"]
SIGNERS = {alg: generate(alg) for alg in ALGS}
CLAIMS = {"iss": "https://id.example", "sub": "sample", "iat": 1_700_000_000, "exp": 4_000_000_000}
KEYS = JwkSet.parse({"keys": [dict(signer.public_jwk) for signer in SIGNERS.values()]})
ORACLE_KEYS = KeySet.import_key_set(
    {"keys": [dict(signer.public_jwk) for signer in SIGNERS.values()]}
)
ORACLE = joserfc_jws.JWSRegistry(algorithms=ALGS, strict_check_header=False)


def ours_accepts(compact):
    try:
        token = jws.parse(compact)
        jws.verify(token, KEYS, algs=frozenset(ALGS), typ=token.header.get("typ"))
    except KeysError:
        return False
    return True


def oracle_accepts(compact):
    try:
        joserfc_jws.deserialize_compact(compact, ORACLE_KEYS, registry=ORACLE)
    except Exception:  # the oracle has many ways to say no
        return False
    return True


def signed(alg):
    """Return a token without an event loop: a local signer awaits nothing."""
    coroutine = jws.sign(SIGNERS[alg], CLAIMS, typ="JWT")
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("a local signer does not wait")


TOKENS = {alg: signed(alg) for alg in ALGS}
TOKEN = st.sampled_from(sorted(TOKENS)).map(TOKENS.__getitem__)


@pytest.mark.parametrize("alg", ALGS)
def test_joserfc_verifies_what_we_sign(alg):
    key = import_key(dict(SIGNERS[alg].public_jwk))
    token = joserfc_jws.deserialize_compact(TOKENS[alg], key, algorithms=[alg])
    assert json.loads(token.payload) == CLAIMS
    assert oracle_accepts(TOKENS[alg])
    assert ours_accepts(TOKENS[alg])


@pytest.mark.parametrize("alg", ["ES256", "ES384", "RS256", "PS256"])
def test_pyjwt_verifies_what_we_sign(alg):
    key = pyjwt.PyJWK(dict(SIGNERS[alg].public_jwk))
    assert pyjwt.decode(TOKENS[alg], key, algorithms=[alg]) == CLAIMS


def test_pyjwt_verifies_our_eddsa():
    signer = generate("EdDSA")
    coroutine = jws.sign(signer, CLAIMS, typ="JWT")
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    key = pyjwt.PyJWK(dict(signer.public_jwk))
    assert pyjwt.decode(stop.value.value, key, algorithms=["EdDSA"]) == CLAIMS


@pytest.mark.parametrize("alg", ["ES256", "ES384", "RS256"])
def test_python_jose_verifies_what_we_sign(alg):
    jwk = dict(SIGNERS[alg].public_jwk)
    assert python_jose.decode(TOKENS[alg], jwk, algorithms=[alg]) == CLAIMS


@pytest.mark.parametrize("alg", ALGS)
def test_we_verify_what_joserfc_signs(alg):
    key = import_key(SIGNERS[alg].private_jwk())
    header = {"alg": alg, "kid": SIGNERS[alg].kid}
    assert ours_accepts(
        joserfc_jws.serialize_compact(header, json.dumps(CLAIMS), key, algorithms=[alg])
    )


@pytest.mark.parametrize("alg", ["ES256", "ES384", "RS256", "PS256"])
def test_we_verify_what_pyjwt_signs(alg):
    key = pyjwt.PyJWK(SIGNERS[alg].private_jwk())
    assert ours_accepts(pyjwt.encode(CLAIMS, key, algorithm=alg, headers={"kid": SIGNERS[alg].kid}))


@settings(max_examples=300)
@given(TOKEN, st.data())
def test_a_flipped_bit_is_refused(token, data):
    raw = bytearray(token.encode())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    assert not ours_accepts(bytes(raw))


@settings(max_examples=300)
@given(TOKEN, st.data())
def test_a_replaced_inserted_or_removed_letter_is_refused(token, data):
    place = data.draw(st.integers(0, len(token)))
    letters = st.text(st.sampled_from("AQgw=.-_+/ \n\r\t%0"), max_size=3)
    changed = token[:place] + data.draw(letters) + token[place + data.draw(st.integers(0, 2)) :]
    assert ours_accepts(changed) == (changed == token)


@settings(max_examples=200)
@given(TOKEN, st.integers(0, 2), st.sampled_from(["=", "==", "===", "A", "\n", " ", "%3D"]))
def test_padding_and_other_tails_are_refused(token, part, tail):
    parts = token.split(".")
    parts[part] += tail
    assert not ours_accepts(".".join(parts))


@given(TOKEN, st.integers(0, 2), st.integers(1, 15))
def test_trailing_bits_are_refused(token, part, bits):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    parts = token.split(".")
    free = {0: 0, 2: 4, 3: 2}[len(parts[part]) % 4]
    changed = alphabet.index(parts[part][-1]) ^ (bits & ((1 << free) - 1))
    parts[part] = parts[part][:-1] + alphabet[changed]
    other = ".".join(parts)
    assert ours_accepts(other) == (other == token)


HEADER_VALUES = st.sampled_from(
    [*ALGS, "EdDSA", "none", "HS256", "ES512", "JWT", "", "a", 5, None, True, [], ["a"], {}]
) | st.sampled_from([signer.kid for signer in SIGNERS.values()])
HEADER_NAMES = st.sampled_from(
    ["alg", "kid", "typ", "cty", "crit", "b64", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "z"]
)


@settings(max_examples=400)
@given(st.sampled_from(ALGS), st.dictionaries(HEADER_NAMES, HEADER_VALUES, max_size=3))
def test_what_joserfc_refuses_in_a_signed_header_we_refuse(alg, extra):
    header = {"alg": alg, "kid": SIGNERS[alg].kid} | extra
    signing_input = base64url.encode(json.dumps(header).encode()) + ".e30"
    signature = SIGNERS[alg]._sign(signing_input.encode())
    compact = f"{signing_input}.{base64url.encode(signature)}"
    if not oracle_accepts(compact):
        assert not ours_accepts(compact)


@settings(max_examples=200)
@given(TOKEN, st.sampled_from([*ALGS, "none", "HS256", "HS512", "EdDSA", "RS512", "ES256K"]))
def test_a_swapped_alg_is_refused(token, alg):
    header, payload, signature = token.split(".")
    named = json.loads(base64url.decode(header))
    for swapped in (named | {"alg": alg}, {"alg": alg}):
        changed = base64url.encode(json.dumps(swapped).encode())
        for tail in (signature, ""):
            assert not ours_accepts(f"{changed}.{payload}.{tail}")


def public_forms(alg):
    """Return all byte forms of a public key that somebody might take for an HMAC secret."""
    jwk = dict(SIGNERS[alg].public_jwk)
    key = import_key(jwk).public_key
    spki = PublicFormat.SubjectPublicKeyInfo
    pem = key.public_bytes(Encoding.PEM, spki)
    forms = [pem, pem.strip(), key.public_bytes(Encoding.DER, spki), json.dumps(jwk).encode()]
    forms.append(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    if isinstance(key, ec.EllipticCurvePublicKey):
        forms.append(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    return forms


@pytest.mark.parametrize("alg", ALGS)
def test_rfc8725_2_1_hmac_with_the_public_key_is_refused(alg):
    key = parse_public(SIGNERS[alg].public_jwk)
    for secret in public_forms(alg):
        for header in ({"alg": "HS256"}, {"alg": "HS256", "kid": SIGNERS[alg].kid}):
            signing_input = base64url.encode(json.dumps(header).encode()) + ".e30"
            mac = HMAC(secret, SHA256())
            mac.update(signing_input.encode())
            forged = f"{signing_input}.{base64url.encode(mac.finalize())}"
            assert not ours_accepts(forged)
            with pytest.raises(UnsupportedAlgorithm):  # even if a caller would allow it
                jws.verify(jws.parse(forged), key, algs=frozenset({alg, "HS256"}), typ=None)
