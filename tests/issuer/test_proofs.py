"""The jwt key proof (OpenID4VCI 1.0, F.1): each rule, and the error that breaking it gives."""

from typing import Any

import pytest

from keys import base64url, jws
from keys.signer import LocalSigner, generate
from oidc.errors import InvalidNonce, InvalidProof
from oidc.issuer.proofs import check_proof
from oidc.secrets import Nonces

NOW = 1_800_000_000.0
ISSUER = "https://id.example.hk"
NONCES = Nonces(b"c" * 32, 300)
HOLDER = generate("ES256")
PUBLIC = {name: HOLDER.public_jwk[name] for name in ("kty", "crv", "x", "y")}


def nonce(now: float = NOW) -> str:
    return NONCES.issue(now, lambda count: b"r" * count)


async def proof(
    *,
    signer: LocalSigner = HOLDER,
    typ: str | None = "openid4vci-proof+jwt",
    header: dict[str, Any] | None = None,
    without: str = "",
    **claims: Any,
) -> str:
    body = {"aud": ISSUER, "iat": int(NOW), "nonce": nonce(), **claims}
    body.pop(without, None)
    return await jws.sign(signer, body, typ=typ, header=header or {"jwk": PUBLIC})


def check(compact: str, client_id: str = "") -> str:
    return check_proof(
        compact, issuer=ISSUER, client_id=client_id, nonces=NONCES, now=NOW
    ).key.thumbprint


async def test_an_honest_proof_gives_the_holders_key() -> None:
    assert check(await proof()) == HOLDER.kid


@pytest.mark.parametrize("iat", [NOW - 300, NOW + 30, NOW + 0.5])
async def test_iat_within_the_window_is_accepted(iat: float) -> None:
    assert check(await proof(iat=iat)) == HOLDER.kid


async def test_iss_is_the_client_id_or_absent() -> None:
    assert check(await proof(iss="wallet-1"), "wallet-1") == HOLDER.kid
    assert check(await proof(), "wallet-1") == HOLDER.kid


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"aud": "https://other.example"}, "aud"),
        ({"aud": [ISSUER]}, "aud"),
        ({"without": "aud"}, "aud"),
        ({"without": "iat"}, "iat"),
        ({"iat": True}, "iat"),
        ({"iat": "now"}, "iat"),
        ({"iat": int(NOW) - 301}, "iat"),
        ({"iat": int(NOW) + 31}, "iat"),
        ({"without": "nonce"}, "nonce"),
        ({"iss": "wallet-1"}, "anonymous"),
        ({"iss": ""}, "anonymous"),
        ({"typ": "JWT"}, "wrong_type"),
        ({"typ": None}, "wrong_type"),
        ({"typ": "dpop+jwt"}, "wrong_type"),
    ],
)
async def test_f_1_refuses_with_invalid_proof(changes: dict[str, Any], words: str) -> None:
    compact = await proof(**changes)
    with pytest.raises(InvalidProof, match=words):
        check(compact)


async def test_iss_of_another_client_is_refused() -> None:
    with pytest.raises(InvalidProof, match="client_id"):
        check(await proof(iss="wallet-2"), "wallet-1")


@pytest.mark.parametrize(
    "wrong", ["", "x", "A" * 43, 7, nonce(NOW - 301), Nonces(b"d" * 32, 300).issue(NOW, bytes)]
)
async def test_8_3_1_2_a_wrong_or_stale_nonce_is_invalid_nonce(wrong: object) -> None:
    compact = await proof(nonce=wrong)
    with pytest.raises(InvalidNonce):
        check(compact)


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "key-1"},
        {"x5c": ["MIIB"]},
        {"jwk": PUBLIC, "kid": "key-1"},
        {"jwk": PUBLIC, "x5c": ["MIIB"]},
        {"kid": None},
        {"jwk": "text"},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
    ],
)
async def test_exactly_one_key_and_that_as_jwk(header: dict[str, Any]) -> None:
    compact = await proof(header=header)
    with pytest.raises(InvalidProof):
        check(compact)


async def test_a_private_key_in_the_header_is_refused() -> None:
    compact = await proof(header={"jwk": HOLDER.private_jwk()})
    with pytest.raises(InvalidProof, match="malformed_key"):
        check(compact)


@pytest.mark.parametrize("alg", ["RS256", "Ed25519", "ES384"])
async def test_only_es256_is_advertised_and_accepted(alg: str) -> None:
    signer = generate(alg)
    bare = {k: v for k, v in signer.public_jwk.items() if k not in ("kid", "use", "alg")}
    compact = await proof(signer=signer, header={"jwk": bare})
    with pytest.raises(InvalidProof, match="unsupported_algorithm"):
        check(compact)


async def test_alg_none_and_a_symmetric_alg_are_refused() -> None:
    honest = await proof()
    _, payload, signature = honest.split(".")
    for alg in ("none", "HS256"):
        text = f'{{"alg":"{alg}","typ":"openid4vci-proof+jwt","jwk":{{"kty":"oct","k":"AA"}}}}'
        with pytest.raises(InvalidProof):
            check(f"{base64url.encode(text.encode())}.{payload}.{signature}")


async def test_a_forged_signature_is_refused() -> None:
    other = generate("ES256")
    compact = await proof(signer=other)
    with pytest.raises(InvalidProof, match="invalid_signature"):
        check(compact)


async def test_a_duplicate_claim_is_refused() -> None:
    payload = b'{"aud":"x","aud":"%s","iat":1,"nonce":"n"}' % ISSUER.encode()
    compact = await jws.sign(HOLDER, payload, typ="openid4vci-proof+jwt", header={"jwk": PUBLIC})
    with pytest.raises(InvalidProof):
        check(compact)
