"""Access tokens that are bound to a client certificate (RFC 8705 3; FAPI 2.0, 5.3.2.1)."""

import pytest

from keys import jwt
from keys.jwk import JwkSet, public_members
from oidc.client_certificate import thumbprint_of
from tests.support.asgi import Answer, call
from tests.support.certificates import der, self_signed, x5c
from tests.support.mtls_world import HEADER, ORIGIN, OUTSIDER, MtlsWorld
from tests.support.provider_world import (
    ALL_GRANTS,
    API,
    NOW,
    REDIRECT,
    TOKEN_EXCHANGE,
    VERIFIER,
    World,
    client,
    key,
)

REDEMPTION = {
    "grant_type": "authorization_code",
    "code": "cid_ac_1",
    "redirect_uri": REDIRECT,
    "code_verifier": VERIFIER,
    "client_id": "own-bank",
}
REFRESH = {"grant_type": "refresh_token", "refresh_token": "cid_rt_1", "client_id": "own-bank"}


def refused(answer: Answer, status: int, error: str) -> None:
    assert (answer.status, answer.error) == (status, error)


async def ready() -> MtlsWorld:
    world = MtlsWorld()
    await world.add_grant(client_id="own-bank")
    await world.add_code()
    return world


async def opaque_token(world: MtlsWorld) -> str:
    answer = await world.post(world.token_endpoint, REDEMPTION, world.own)
    assert answer.status == 200, answer.body
    assert answer.json["token_type"] == "Bearer"
    return str(answer.json["access_token"])


async def test_rfc8705_3_1_a_jwt_names_its_certificate() -> None:
    world = MtlsWorld()
    answer = await world.machine("own-bank", world.own)
    assert answer.json["token_type"] == "Bearer"
    claims = jwt.unverified_claims(answer.json["access_token"])
    assert claims["cnf"] == {"x5t#S256": thumbprint_of(der(world.own))}


async def test_rfc8705_3_2_introspection_names_it_too() -> None:
    world = MtlsWorld()
    world.change_client("api", serves=frozenset({API}))
    token = (await world.machine("own-bank", world.own)).json["access_token"]
    form = {**await world.proving("api"), "token": token}
    told = (await world.post(world.introspection_endpoint, form, None)).json
    assert told["cnf"] == {"x5t#S256": thumbprint_of(der(world.own))}
    assert told["token_type"] == "Bearer"


async def test_fapi2_5_3_2_1_the_certificate_is_constraint_enough_without_dpop() -> None:
    world = await ready()
    token = await opaque_token(world)
    assert (await world.userinfo_with(token, world.own)).status == 200


async def test_rfc8705_3_at_a_resource_only_with_the_same_certificate() -> None:
    world = await ready()
    token = await opaque_token(world)
    for certificate in (None, self_signed(NOW), world.issued):
        answer = await world.userinfo_with(token, certificate)
        refused(answer, 401, "invalid_token")
        assert 'Bearer error="invalid_token"' in (answer.header("www-authenticate") or "")


async def test_at_a_resource_too_the_header_counts_only_from_the_proxy() -> None:
    world = await ready()
    token = await opaque_token(world)
    refused(await world.userinfo_with(token, world.own, peer=OUTSIDER), 401, "invalid_token")
    twice = await world.userinfo_with(token, world.own, (HEADER, b":AAAA:"))
    refused(twice, 401, "invalid_token")
    refused(await world.userinfo_with(token, None, (HEADER, b"nothing")), 401, "invalid_token")


async def test_a_token_in_the_form_is_bound_as_well() -> None:
    world = await ready()
    token = await opaque_token(world)
    form = {"access_token": token}
    assert (await world.post(world.userinfo_endpoint, form, world.own)).status == 200
    refused(await world.post(world.userinfo_endpoint, form, None), 401, "invalid_token")


async def test_a_bound_token_is_worth_nothing_where_no_certificates_come() -> None:
    world = await ready()
    token = await opaque_token(world)
    without = World(store=world.store)
    answer = await call(
        without.userinfo_endpoint,
        path="/userinfo",
        headers=[(b"authorization", b"Bearer " + token.encode())],
    )
    refused(answer, 401, "invalid_token")


async def test_a_refresh_binds_to_the_certificate_of_that_request() -> None:
    world = await ready()
    await world.add_refresh_token()
    answer = await world.post(world.token_endpoint, REFRESH, world.own)
    assert "refresh_token" not in answer.json  # FAPI 2.0, 5.3.2.1: no rotation
    assert (await world.userinfo_with(answer.json["access_token"], world.own)).status == 200
    refused(await world.userinfo_with(answer.json["access_token"], None), 401, "invalid_token")


async def test_private_key_jwt_and_bound_tokens_go_together() -> None:
    """FAPI 2.0 lets the method of authentication and the kind of constraint differ."""
    world = await ready()
    world.change_client("service", profile="fapi2", tls_client_certificate_bound_access_tokens=True)
    form = {"grant_type": "client_credentials", "resource": API}
    bare = {**await world.proving("service"), **form}
    refused(await world.post(world.token_endpoint, bare, None), 400, "invalid_request")
    other = self_signed(NOW)  # any certificate: authentication is the assertion's affair
    bound = {**await world.proving("service"), **form}
    answer = await world.post(world.token_endpoint, bound, other)
    claims = jwt.unverified_claims(answer.json["access_token"])
    assert claims["cnf"] == {"x5t#S256": thumbprint_of(der(other))}
    forged = {**await world.proving("service"), **form}
    refused(
        await world.post(world.token_endpoint, forged, other, peer=OUTSIDER), 401, "invalid_client"
    )


async def test_fapi2_a_certificate_that_only_authenticates_leaves_dpop_required() -> None:
    world = await ready()
    world.change_client("own-bank", tls_client_certificate_bound_access_tokens=False)
    refused(await world.machine("own-bank", world.own), 400, "invalid_dpop_proof")
    answer = await world.machine("own-bank", world.own, await world.proof())
    claims = jwt.unverified_claims(answer.json["access_token"])
    assert claims["cnf"] == {"jkt": key("dpop").kid}


async def test_a_token_may_be_bound_to_both_and_then_needs_both() -> None:
    world = await ready()
    answer = await world.post(world.token_endpoint, REDEMPTION, world.own, await world.proof())
    assert answer.json["token_type"] == "DPoP"
    token = answer.json["access_token"]

    async def asked(certificate: object, *, proven: bool) -> Answer:
        proof = await world.proof(path="/userinfo", method="GET", token=token)
        return await world.userinfo_with(
            token,
            world.own if certificate else None,
            *([proof] if proven else []),
            scheme=b"DPoP" if proven else b"Bearer",
        )

    refused(await asked(None, proven=True), 401, "invalid_token")
    refused(await asked(world.own, proven=False), 401, "invalid_token")
    assert (await asked(world.own, proven=True)).status == 200


@pytest.mark.parametrize(
    ("base", "status"), [(ORIGIN, 200), (ORIGIN.upper() + ":443", 200), ("https://x.example", 400)]
)
async def test_rfc8705_5_a_proof_may_name_the_alias_of_the_endpoint(base: str, status: int) -> None:
    world = await ready()
    world.change_client("own-bank", tls_client_certificate_bound_access_tokens=False)
    scheme, _, host = base.partition("://")
    proof = await world.proof(htu=f"{scheme.lower()}://{host}/token")
    assert (await world.machine("own-bank", world.own, proof)).status == status
    other = await world.proof(htu=f"{scheme.lower()}://{host}/par")
    assert (await world.machine("own-bank", world.own, other)).status == 400


async def test_the_alias_counts_at_a_resource_too() -> None:
    world = await ready()
    answer = await world.post(world.token_endpoint, REDEMPTION, world.own, await world.proof())
    token = answer.json["access_token"]
    proof = await world.proof(method="GET", token=token, htu=f"{ORIGIN}/userinfo")
    told = await world.userinfo_with(token, world.own, proof, scheme=b"DPoP")
    assert told.status == 200


async def test_an_oidc_client_may_have_bound_tokens() -> None:
    world = MtlsWorld()
    world.add(
        client(
            "plain",
            tls_client_auth=("tls_client_auth_san_dns", "tls.bank.example"),
            token_endpoint_auth_method="tls_client_auth",
            jwks=None,
        )
    )
    answer = await world.machine("plain", world.issued)
    assert "cnf" not in jwt.unverified_claims(answer.json["access_token"])
    world.change_client("plain", tls_client_certificate_bound_access_tokens=True)
    answer = await world.machine("plain", world.issued)
    assert "cnf" in jwt.unverified_claims(answer.json["access_token"])


async def test_rfc8693_a_bound_token_is_exchanged_only_with_its_certificate() -> None:
    world = await ready()
    world.change_client("own-bank", grant_types=ALL_GRANTS | {TOKEN_EXCHANGE})
    form = {
        "grant_type": TOKEN_EXCHANGE,
        "client_id": "own-bank",
        "subject_token": await opaque_token(world),
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    renewed = self_signed(NOW)
    both = [
        x5c(one, public_members(one.public_key()))  # type: ignore[arg-type]
        for one in (world.own, renewed)
    ]
    world.change_client("own-bank", jwks=JwkSet.parse({"keys": both}))
    answer = await world.post(world.token_endpoint, form, renewed)
    refused(answer, 400, "invalid_request")
    assert "certificate" in answer.json["error_description"]
    exchanged = await world.post(world.token_endpoint, form, world.own)
    assert exchanged.status == 200, exchanged.body
    token = exchanged.json["access_token"]
    assert (await world.userinfo_with(token, world.own)).status == 200
    refused(await world.userinfo_with(token, renewed), 401, "invalid_token")
