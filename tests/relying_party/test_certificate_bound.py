"""Access tokens that are bound to a client certificate, at an API (RFC 8705, 3)."""

import pytest

from corpid.relying_party import DpopRequest, errors
from keys.signer import generate
from oidc.client_certificate import thumbprint_of
from tests.relying_party.test_access_token import proof, refuses, request
from tests.support.certificates import der, pem, self_signed
from tests.support.relying_world import World

CERTIFICATE, OTHER = self_signed(1_800_000_000), self_signed(1_800_000_000)


async def bound(world: World, **cnf: str) -> str:
    return await world.access_token(cnf={"x5t#S256": thumbprint_of(der(CERTIFICATE)), **cnf})


@pytest.mark.parametrize("given", [der(CERTIFICATE), pem(CERTIFICATE)])
async def test_rfc8705_3_a_bound_token_with_its_certificate_is_accepted(
    world: World, given: bytes | str
) -> None:
    token = await bound(world)
    for required in (False, True):
        found = await world.party().verify_access_token(
            token, certificate=given, require_binding=required
        )
        assert found.certificate_thumbprint == thumbprint_of(der(CERTIFICATE))
        assert found.key_thumbprint is None


async def test_rfc8705_3_refuses_a_bound_token_without_its_certificate(world: World) -> None:
    token = await bound(world)
    await refuses(world, errors.CertificateMissing, token)
    for given in (der(OTHER), pem(OTHER), "", "no certificate", "風", b""):
        await refuses(world, errors.CertificateMismatch, token, certificate=given)


async def test_a_proof_is_no_substitute_for_the_certificate(world: World) -> None:
    token, key = await bound(world), generate("ES256")
    dpop: DpopRequest = request(await proof(world, key, token))
    await refuses(world, errors.CertificateMissing, token, dpop=dpop)
    await refuses(world, errors.TokenNotBound, token, dpop=dpop, certificate=der(CERTIFICATE))


async def test_a_token_that_is_bound_to_both_needs_both(world: World) -> None:
    key = generate("ES256")
    token = await bound(world, jkt=key.kid)
    await refuses(world, errors.DpopMissing, token, certificate=der(CERTIFICATE))
    dpop = request(await proof(world, key, token))
    await refuses(world, errors.CertificateMismatch, token, dpop=dpop, certificate=der(OTHER))
    found = await world.party().verify_access_token(token, dpop=dpop, certificate=der(CERTIFICATE))
    assert found.key_thumbprint == key.kid


async def test_a_certificate_does_not_bind_a_token_that_is_not(world: World) -> None:
    token = await world.access_token()
    given = der(CERTIFICATE)
    assert (
        await world.party().verify_access_token(token, certificate=given)
    ).certificate_thumbprint is None
    await refuses(world, errors.TokenNotBound, token, certificate=given, require_binding=True)
