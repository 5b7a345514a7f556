"""The credential endpoint for access tokens that are bound to a client certificate."""

from dataclasses import replace

import orjson

from oidc.client_certificate import thumbprint_of
from oidc.issuer.credential import CredentialEndpoint
from tests.support.asgi import Answer, call
from tests.support.certificates import der, rfc9440, self_signed
from tests.support.issuer_world import NOW, World, credential_in
from tests.support.mtls_world import HEADER, OUTSIDER, PROXY, mutual_tls

OWN, OTHER = self_signed(NOW), self_signed(NOW)


async def asked(world: World, token: str, *headers: tuple[bytes, bytes], peer: str) -> Answer:
    """A credential request to an issuer behind a proxy."""
    config = replace(world.issuer.config, mutual_tls=mutual_tls())
    endpoint = CredentialEndpoint(replace(world.issuer, config=config))
    wallet = world.wallet()
    proofs = {"jwt": [await wallet.proof()]}
    body = orjson.dumps({"credential_configuration_id": "representative", "proofs": proofs})
    sent = [*await wallet.headers(token, "/credential"), *headers]
    return await call(endpoint, "POST", path="/credential", headers=sent, body=body, peer=peer)


async def test_rfc8705_3_only_with_the_certificate_of_the_token(world: World) -> None:
    token = await world.grant(x5t=thumbprint_of(der(OWN)))
    own = (HEADER, rfc9440(OWN))
    for headers, peer in (
        ([], PROXY),
        ([(HEADER, rfc9440(OTHER))], PROXY),
        ([own], OUTSIDER),
        ([own, own], PROXY),
    ):
        answer = await asked(world, token, *headers, peer=peer)
        assert (answer.status, answer.error) == (401, "invalid_token")
        assert "invalid_token" in (answer.header("www-authenticate") or "")
    assert credential_in(await asked(world, token, own, peer=PROXY))
