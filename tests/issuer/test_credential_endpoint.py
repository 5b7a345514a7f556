"""The credential endpoint: every refusal by its code, and what an honest wallet gets."""

import re

import orjson
import pytest

from corpid.storage.database import Database
from keys.signer import generate
from oidc.formats.sd_jwt import parse, verify_credential
from tests.support.asgi import call
from tests.support.issuer_world import (
    CLERK,
    ISSUER,
    JSON,
    MANDATE,
    World,
    credential_in,
    payload_of,
)

ES256 = frozenset({"ES256"})
REPRESENTATIVE = {"credential_configuration_id": "representative"}


async def test_openid4vci_8_3_returns_one_credential_and_a_notification_id(world: World) -> None:
    wallet = world.wallet()
    answer = await wallet.ask(await world.grant())
    assert set(answer.json) == {"credentials", "notification_id"}
    assert answer.header("cache-control") == "no-store"
    verified = verify_credential(
        parse(credential_in(answer)), world.credential_keys(), now=world.now, algs=ES256
    )
    assert verified.issuer == ISSUER
    assert verified.vct == f"{ISSUER}/vct/representative/1"
    assert verified.holder is not None
    assert verified.holder.thumbprint == wallet.holder.kid
    assert verified.status is not None
    assert verified.header["typ"] == "dc+sd-jwt"
    assert set(verified.claims["cnf"]["jwk"]) == {"kty", "crv", "x", "y"}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("of", ["company-identity", "representative"])
async def test_about_ten_disclosures_and_nothing_that_narrows_can_be_hidden(
    world: World, of: str
) -> None:
    answer = await world.wallet().ask(await world.grant(CLERK, MANDATE), of=of)
    token = credential_in(answer)
    assert 9 <= token.count("~") - 1 <= 12
    bare = payload_of(token)
    assert bare["attestation_legal_category"] == "EAA"
    assert bare["registration_member_state"] == "HK"
    if of == "representative":
        assert bare["limit"] == {"amount": "50000.00", "currency": "HKD"}
        assert bare["scope_of_representation_services"] == ["banking"]
        assert bare["validity_period_valid_until"] == "2027-12-31"
        assert bare["person_role"]["representation_type"] == "SOLE"
        assert all(set(one) == {"..."} for one in bare["scope_of_representation_powers"])


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_the_sd_jwt_reference_package_verifies_what_is_issued(world: World) -> None:
    from jwcrypto.jwk import JWK
    from sd_jwt.verifier import SDJWTVerifier

    token = credential_in(await world.wallet().ask(await world.grant(CLERK, MANDATE)))
    (jwk,) = [key.jwk for key in world.credential_keys().keys]
    claims = SDJWTVerifier(
        token, lambda *_: JWK.from_json(orjson.dumps(jwk))
    ).get_verified_payload()
    assert claims["legal_person_name"] == "Sample Kite Trading Limited"
    assert claims["legal_person_id"] == {"scheme": "hk.brn", "value": "12345678"}
    assert claims["scope_of_representation_powers"] == ["open_account", "sign_contract"]
    assert claims["full_name"] == "Sample Person Two"


async def test_anonymous_access_is_bound_to_the_dpop_key(world: World) -> None:
    wallet = world.wallet()
    token = await world.grant()
    answer = await call(
        world.credential, "POST", headers=[(b"authorization", b"Bearer " + token.encode()), JSON]
    )
    assert (answer.status, answer.error) == (401, "invalid_token")
    wallet.dpop = generate("ES256")
    assert (await wallet.ask(token)).error == "invalid_token"


async def test_no_token_is_401_without_an_error_code_in_the_challenge(world: World) -> None:
    answer = await call(world.credential, "POST", headers=[JSON], body=b"{}")
    assert answer.status == 401
    assert "error=" not in str(answer.header("www-authenticate"))


async def test_rfc9449_11_1_refuses_a_replayed_proof(world: World) -> None:
    wallet = world.wallet()
    token = await world.grant()
    headers = await wallet.headers(token, "/credential")
    assert (await wallet.ask(token, headers=headers)).status == 200
    again = await wallet.ask(token, headers=headers)
    assert (again.status, again.error) == (401, "invalid_dpop_proof")
    assert await world.wrote("credential") == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_refused_request_does_not_burn_the_dpop_proof(world: World) -> None:
    wallet = world.wallet()
    token = await world.grant()
    headers = await wallet.headers(token, "/credential")
    assert (await wallet.ask(token, headers=headers, nonce="stale")).error == "invalid_nonce"
    assert (await wallet.ask(token, headers=headers)).status == 200


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_rfc9449_9_demands_a_nonce_then_accepts_the_retry(database: Database) -> None:
    world = await World(database, nonce_required=True).prepare()
    wallet = world.wallet()
    token = await world.grant()
    first = await wallet.ask(token)
    assert (first.status, first.error) == (401, "use_dpop_nonce")
    nonce = first.header("dpop-nonce")
    second = await wallet.ask(
        token, headers=await wallet.headers(token, "/credential", nonce=nonce)
    )
    assert second.status == 200
    assert second.header("dpop-nonce")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid_credential_request"),
        ({"format": "dc+sd-jwt", "vct": "x"}, "invalid_credential_request"),
        (
            {**REPRESENTATIVE, "credential_identifier": "x"},
            "invalid_credential_request",
        ),
        ({"credential_configuration_id": "unheard-of"}, "unknown_credential_configuration"),
        ({"credential_configuration_id": 7}, "unknown_credential_configuration"),
        ({"credential_identifier": "unheard-of"}, "unknown_credential_identifier"),
        (REPRESENTATIVE, "invalid_proof"),
        ({**REPRESENTATIVE, "proof": {"proof_type": "jwt", "jwt": "x"}}, "invalid_proof"),
        ({**REPRESENTATIVE, "proofs": {}}, "invalid_credential_request"),
        ({**REPRESENTATIVE, "proofs": "x"}, "invalid_credential_request"),
        ({**REPRESENTATIVE, "proofs": {"jwt": ["x"], "di_vp": []}}, "invalid_credential_request"),
        ({**REPRESENTATIVE, "proofs": {"attestation": ["x"]}}, "invalid_credential_request"),
        ({**REPRESENTATIVE, "proofs": {"jwt": []}}, "invalid_proof"),
        ({**REPRESENTATIVE, "proofs": {"jwt": "x"}}, "invalid_proof"),
        ({**REPRESENTATIVE, "proofs": {"jwt": ["not a jwt"]}}, "invalid_proof"),
        ({**REPRESENTATIVE, "proofs": {"jwt": ["a"] * 11}}, "invalid_credential_request"),
        (
            {**REPRESENTATIVE, "credential_response_encryption": {"enc": "A128GCM"}},
            "invalid_encryption_parameters",
        ),
    ],
)
async def test_openid4vci_8_3_1_2_names_the_fault(
    world: World, body: dict[str, object], error: str
) -> None:
    answer = await world.wallet().ask(await world.grant(), body)
    assert (answer.status, answer.error) == (400, error)
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", answer.json["error_description"])


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_unknown_parameters_are_ignored(world: World) -> None:
    wallet = world.wallet()
    body = {**REPRESENTATIVE, "proofs": {"jwt": [await wallet.proof()]}, "format": "x", "other": 1}
    assert (await wallet.ask(await world.grant(), body)).status == 200


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        (b"application/jwt", b"e.y.J", "invalid_encryption_parameters"),
        (b"text/plain", b"{}", "invalid_credential_request"),
        (b"application/json", b"{", "invalid_credential_request"),
        (b"application/json", b"[]", "invalid_credential_request"),
    ],
)
async def test_the_endpoints_own_code_is_preferred(
    world: World, content_type: bytes, body: bytes, error: str
) -> None:
    token = await world.grant()
    headers = (await world.wallet().headers(token, "/credential"))[:2]
    answer = await call(
        world.credential, "POST", headers=[*headers, (b"content-type", content_type)], body=body
    )
    assert (answer.status, answer.error) == (400, error)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_rfc6750_3_1_a_token_for_another_credential_has_insufficient_scope(
    world: World,
) -> None:
    token = await world.grant(scope=("credential.company_identity",))
    answer = await world.wallet().ask(token)
    assert (answer.status, answer.error) == (403, "insufficient_scope")
    assert "credential.representative" in str(answer.header("www-authenticate"))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_identifiers_given_with_the_token_must_be_used(world: World) -> None:
    detail = {
        "type": "openid_credential",
        "credential_configuration_id": "representative",
        "credential_identifiers": ["for-kite"],
    }
    wallet = world.wallet()
    token = await world.grant(scope=(), details=(detail,))
    assert (await wallet.ask(token)).error == "invalid_credential_request"
    body = {"credential_identifier": "for-kite", "proofs": {"jwt": [await wallet.proof()]}}
    assert (await wallet.ask(token, body)).status == 200


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_another_method_is_405(world: World) -> None:
    answer = await call(world.credential, "GET")
    assert (answer.status, answer.header("allow")) == (405, "POST")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_an_issuer_with_a_path_is_audience_and_address(database: Database) -> None:
    issuer = f"{ISSUER}/corp/id"
    world = await World(database, issuer=issuer).prepare()
    wallet, token = world.wallet(), await world.grant()
    payload = payload_of(credential_in(await wallet.ask(token)))
    assert (payload["iss"], payload["vct"]) == (issuer, f"{issuer}/vct/representative/1")
    assert (await wallet.ask(token, aud=ISSUER)).error == "invalid_proof"
    elsewhere = await wallet.headers(token, "/credential", htu=f"{ISSUER}/credential")
    assert (await wallet.ask(token, headers=elsewhere)).error == "invalid_dpop_proof"


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_request_for_another_resources_token_or_an_expired_one_is_401(world: World) -> None:
    wallet, token = world.wallet(), await world.grant()
    assert (await wallet.ask("cid_at_unknown")).error == "invalid_token"
    assert (await wallet.ask("eyJhbGciOiJFUzI1NiJ9.e30.AA")).error == "invalid_token"
    world.now += 300
    answer = await wallet.ask(token)
    assert (answer.status, answer.error) == (401, "invalid_token")
    assert str(answer.header("www-authenticate")).startswith("DPoP ")
