"""The sd-jwt reference package verifies the credentials that the running service issues."""

import json
import time

import pytest
from jwcrypto.jwk import JWK
from sd_jwt.holder import SDJWTHolder
from sd_jwt.verifier import SDJWTVerifier

from tests.support.fapi_client import Key
from tests.support.fapi_client_http import Http
from tests.support.live_cast import TRANSACTION_CODE, Cast
from tests.support.live_service import Live
from tests.support.wallet import Wallet, credential_of

AUDIENCE, NONCE = "https://partner.example", "n-7"


class _HolderKey(Key):
    """The wallet's key, in the shape that the reference package wants."""

    @property
    def jwk(self) -> JWK:
        number = self._private.private_numbers().private_value
        from tests.support.fapi_client import b64

        return JWK(**self.public, d=b64(number.to_bytes(32, "big")))


@pytest.mark.parametrize("kind", ["company-identity", "representative", "company-certificate"])
async def test_the_reference_verifies_and_presents_what_was_issued(
    live: Live, http: Http, cast: Cast, kind: str
) -> None:
    organisation, human = await cast.acting()
    holder = _HolderKey()
    wallet = Wallet(live.issuer, holder=holder)
    code = await cast.offer(organisation, human, (kind,))
    credential = credential_of(await wallet.credential(http, code, TRANSACTION_CODE, kind))
    keys = (await http.get(live.inserted("jwt-vc-issuer"))).expect(200).json["jwks"]["keys"]

    def issuer_key(issuer: str, header: dict[str, str]) -> JWK:
        assert issuer == live.issuer
        assert header["typ"] == "dc+sd-jwt"
        (found,) = [key for key in keys if key["kid"] == header["kid"]]
        return JWK.from_json(json.dumps(found))

    whole = SDJWTVerifier(credential, issuer_key).get_verified_payload()
    assert whole["vct"] == f"{live.issuer}/vct/{kind}/1"
    assert whole["exp"] > time.time()
    names = json.dumps(whole, ensure_ascii=False)
    assert organisation.number in names

    presenting = SDJWTHolder(credential)
    presenting.create_presentation(
        {"full_name": True} if kind == "representative" else {"legal_person_name": True},
        NONCE,
        AUDIENCE,
        holder.jwk,
        "ES256",
    )
    shown = SDJWTVerifier(
        presenting.sd_jwt_presentation, issuer_key, AUDIENCE, NONCE
    ).get_verified_payload()
    assert set(shown) < set(whole)
