"""The published examples, restated in tests/vectors/jose.json with their sources."""

import json
from pathlib import Path

import pytest

from keys import jws, jwt
from keys.errors import InvalidClaim, InvalidSignature, TokenExpired
from keys.jwk import parse_public, thumbprint
from keys.signer import LocalSigner

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "jose.json").read_text())


@pytest.mark.parametrize("name", ["rfc7638_3_1", "rfc8037_a"])
def test_rfc7638_thumbprint(name):
    vector = VECTORS[name]
    assert thumbprint(vector["jwk"]) == vector["thumbprint"]
    assert parse_public(vector["jwk"], allow_private=True).thumbprint == vector["thumbprint"]


def test_rfc7515_a_3_verifies_and_a_changed_payload_does_not():
    vector = VECTORS["rfc7515_a_3"]
    key = parse_public(vector["jwk"], allow_private=True)
    token = jws.parse(vector["compact"])
    verified = jws.verify(token, key, algs=frozenset({"ES256"}), typ=None)
    assert jwt.parse_claims(verified.payload) == vector["claims"]
    header, payload, signature = vector["compact"].split(".")
    other = jws.parse(f"{header}.{payload[:-4]}AAAA.{signature}")
    with pytest.raises(InvalidSignature):
        jws.verify(other, key, algs=frozenset({"ES256"}), typ=None)


def test_rfc7515_a_3_claims_expire():
    vector = VECTORS["rfc7515_a_3"]
    key = parse_public(vector["jwk"], allow_private=True)

    def verify(now, require):
        return jwt.verify(
            vector["compact"],
            key,
            typ=None,
            algs=frozenset({"ES256"}),
            issuer="joe",
            audience=None,
            now=now,
            require=require,
        )

    assert verify(1300819300, ("exp",)) == vector["claims"]
    with pytest.raises(TokenExpired):
        verify(1300819390, ("exp",))
    with pytest.raises(InvalidClaim):
        verify(1300819300, ("exp", "iat"))


async def test_rfc8037_a_4_and_a_5_sign_and_verify():
    vector = VECTORS["rfc8037_a"]
    signer = LocalSigner.from_jwk(vector["jwk"], alg="EdDSA")
    payload = vector["payload"].encode()
    # Ed25519 is deterministic, so that our signing gives the example itself.
    assert await jws.sign(signer, payload, typ=None, header={"kid": None}) == vector["compact"]
    key = parse_public(vector["jwk"], allow_private=True)
    verified = jws.verify(jws.parse(vector["compact"]), key, algs=frozenset({"EdDSA"}), typ=None)
    assert verified.payload == payload
