"""Encryption to a public key: which key is taken, and that others can open it."""

import base64
import json
from typing import Any

import pytest
from joserfc import jwe as joserfc_jwe
from joserfc.jwk import import_key
from jwcrypto import jwe as jwcrypto_jwe
from jwcrypto import jwk as jwcrypto_jwk

from keys import jwe
from keys.errors import UnknownKey, UnsupportedAlgorithm
from keys.jwk import JwkSet
from keys.signer import LocalSigner, generate

EC, WIDE, RSA = generate("ES256"), generate("ES384"), generate("RS256")
TOKEN = "a.signed.token"


def public(signer: LocalSigner, **changes: Any) -> dict[str, Any]:
    members = {**signer.public_jwk, "use": "enc", **changes}
    del members["alg"]
    members.update(changes)
    return {name: value for name, value in members.items() if value is not None}


def keys(*members: dict[str, Any]) -> JwkSet:
    return JwkSet.parse({"keys": list(members)})


def private(signer: LocalSigner) -> dict[str, Any]:
    found = dict(signer.private_jwk())
    for name in ("alg", "use", "key_ops"):
        found.pop(name, None)
    return found


CASES = [
    (signer, alg, enc)
    for signer, algs in (
        (EC, ("ECDH-ES", "ECDH-ES+A256KW")),
        (WIDE, ("ECDH-ES", "ECDH-ES+A256KW")),
        (RSA, ("RSA-OAEP-256",)),
    )
    for alg in algs
    for enc in jwe.ENCS
]


@pytest.mark.parametrize(("signer", "alg", "enc"), CASES)
def test_joserfc_and_jwcrypto_open_it(signer: LocalSigner, alg: str, enc: str) -> None:
    key = jwe.choose_key(keys(public(signer, kid="k1")), alg)
    compact = jwe.encrypt(TOKEN, key, alg=alg, enc=enc)
    opened = joserfc_jwe.decrypt_compact(
        compact, import_key(private(signer)), algorithms=[alg, enc]
    )
    assert opened.plaintext == TOKEN.encode()
    other = jwcrypto_jwe.JWE(algs=[alg, enc])
    other.deserialize(compact, jwcrypto_jwk.JWK(**private(signer)))
    assert other.payload == TOKEN.encode()
    head = compact.split(".")[0]
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    assert header["cty"] == "JWT"
    assert (header["alg"], header["enc"], header["kid"]) == (alg, enc, "k1")
    assert "d" not in header.get("epk", {})


def test_rfc7518_4_6_every_encryption_has_a_key_of_its_own() -> None:
    key = jwe.choose_key(keys(public(EC)), "ECDH-ES")
    first, second = (jwe.encrypt(TOKEN, key, alg="ECDH-ES", enc="A256GCM") for _ in range(2))
    assert first.split(".")[0] != second.split(".")[0], "another ephemeral key"
    assert first.split(".")[3] != second.split(".")[3]


def test_rfc7517_4_2_a_key_for_signatures_is_not_encrypted_to() -> None:
    for jwk in (
        dict(EC.public_jwk),
        public(EC, use="sig"),
        public(EC, use=None),
        public(EC, alg="ECDH-ES+A256KW"),
        public(EC, use=None, alg="ES256"),
        public(EC, key_ops=["verify"]),
        public(RSA),
    ):
        with pytest.raises(UnknownKey):
            jwe.choose_key(keys(jwk), "ECDH-ES")
    with pytest.raises(UnknownKey):
        jwe.choose_key(keys(public(EC)), "RSA-OAEP-256")
    with pytest.raises(UnknownKey):
        jwe.choose_key(keys(), "ECDH-ES")


def test_a_key_that_names_the_algorithm_goes_first() -> None:
    first, second = public(EC, kid="any"), public(WIDE, kid="named", alg="ECDH-ES")
    assert jwe.choose_key(keys(first, second), "ECDH-ES").kid == "named"
    assert jwe.choose_key(keys(first, second), "ECDH-ES+A256KW").kid == "any"
    by_alg = public(EC, kid="by alg", use=None, alg="ECDH-ES")
    assert jwe.choose_key(keys(dict(EC.public_jwk), by_alg), "ECDH-ES").kid == "by alg"
    derives = public(EC, kid="derives", key_ops=["deriveKey"])
    assert jwe.choose_key(keys(derives), "ECDH-ES").kid == "derives"


@pytest.mark.parametrize(
    ("alg", "enc"),
    [
        ("RSA1_5", "A128GCM"),
        ("RSA-OAEP", "A128GCM"),
        ("dir", "A128GCM"),
        ("A256KW", "A128GCM"),
        ("none", "A128GCM"),
        ("ECDH-ES", "A192GCM"),
        ("ECDH-ES", "none"),
    ],
)
def test_other_algorithms_are_refused(alg: str, enc: str) -> None:
    key = jwe.choose_key(keys(public(EC)), "ECDH-ES")
    with pytest.raises(UnsupportedAlgorithm):
        jwe.encrypt(TOKEN, key, alg=alg, enc=enc)


def test_a_key_without_kid_is_not_named() -> None:
    key = jwe.choose_key(keys(public(EC, kid=None)), "ECDH-ES")
    head = jwe.encrypt(TOKEN, key, alg="ECDH-ES", enc="A128GCM").split(".")[0]
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    assert "kid" not in header
