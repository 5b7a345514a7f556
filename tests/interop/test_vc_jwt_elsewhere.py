"""PyJWT and joserfc as independent witnesses of W3C credentials in a JWT, both ways."""

from typing import Any

import jwt as pyjwt
import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from keys.errors import InvalidSignature
from keys.jwk import JwkSet, parse_public
from keys.signer import generate
from oidc.formats import vc_jwt
from oidc.formats.status_reference import StatusReference
from tests.support.sd_jwt_forge import public
from tests.support.vc_forge import ISSUER, NOW, VC, check

ISSUED_BY, HELD_BY = generate("ES256"), generate("ES256")
KEYS = JwkSet([parse_public(ISSUED_BY.public_jwk)])
SUBJECT = {"legal_person_name": "Sample Kite Trading Limited", "limit": {"currency": "HKD"}}


async def issued() -> str:
    return await vc_jwt.issue(
        ISSUED_BY,
        SUBJECT,
        issuer=ISSUER,
        types=["SampleCredential"],
        issued_at=NOW,
        valid_until=4_000_000_000,
        holder_jwk=public(HELD_BY),
        status=StatusReference("https://id.example/status/1", 7),
    )


def by_pyjwt(text: str) -> dict[str, Any]:
    key = pyjwt.PyJWK(dict(ISSUED_BY.public_jwk))
    options: Any = {"verify_iat": False}  # signed in the future of the clock that it reads
    claims: dict[str, Any] = pyjwt.decode(
        text, key, algorithms=["ES256"], issuer=ISSUER, options=options
    )
    return claims


def by_joserfc(text: str) -> dict[str, Any]:
    token = joserfc_jwt.decode(text, ECKey.import_key(dict(ISSUED_BY.public_jwk)), ["ES256"])
    assert (token.header["typ"], token.header["cty"]) == ("vc+jwt", "vc")
    return dict(token.claims)


async def test_both_verify_what_we_issue() -> None:
    text = await issued()
    for claims in (by_pyjwt(text), by_joserfc(text)):
        assert claims["credentialSubject"] == SUBJECT
        assert claims["cnf"] == {"jwk": public(HELD_BY)}
        assert claims["status"]["status_list"]["idx"] == 7


async def test_all_refuse_what_is_broken() -> None:
    head, body, signature = (await issued()).split(".")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    for text in (f"{head}.{body}.{flipped}", f"{head}.{body[:-8]}{body[-4:]}.{signature}"):
        with pytest.raises(pyjwt.PyJWTError):
            by_pyjwt(text)
        with pytest.raises((JoseError, ValueError)):
            by_joserfc(text)
        with pytest.raises(InvalidSignature):
            check(text, KEYS)


def test_we_verify_what_both_issue() -> None:
    private = ISSUED_BY.private_jwk()
    header: dict[str, Any] = {"alg": "ES256", "typ": "vc+jwt", "cty": "vc", "kid": ISSUED_BY.kid}
    theirs = (
        pyjwt.encode(VC, pyjwt.PyJWK(private).key, "ES256", headers=header),
        joserfc_jwt.encode(header, VC, ECKey.import_key(private), ["ES256"]),
    )
    for text in theirs:
        assert check(text, KEYS).types == ("SampleCredential",)
