"""Metadata, type metadata, nonce, offers by reference, notifications."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from corpid.domain.credential import CredentialState, EntryStatus
from corpid.domain.errors import InvalidValue, NotAllowed
from corpid.services.credential_catalogue import configurations
from oidc.issuer.jwt_vc_issuer import WELL_KNOWN as JWT_VC_ISSUER
from oidc.issuer.jwt_vc_issuer import JwtVcIssuerEndpoint
from oidc.issuer.metadata import WELL_KNOWN, MetadataEndpoint, well_known_path
from oidc.issuer.offers import OfferEndpoint
from oidc.issuer.type_description import ClaimDescription, MalformedCredential, TypeDescription
from oidc.issuer.type_metadata import TypeMetadataEndpoint
from tests.support.asgi import call
from tests.support.issuer_world import CLERK, ISSUER, MANDATE, ORGANISATION, PERSON, World

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"


@pytest.mark.parametrize(
    ("issuer", "path"),
    [
        (ISSUER, "/.well-known/openid-credential-issuer"),
        (ISSUER + "/", "/.well-known/openid-credential-issuer"),
        (ISSUER + "/a/b", "/.well-known/openid-credential-issuer/a/b"),
    ],
)
async def test_12_2_2_well_known_is_inserted_before_the_issuers_path(
    issuer: str, path: str, engine: str
) -> None:
    assert well_known_path(issuer, WELL_KNOWN) == path
    assert well_known_path(issuer, JWT_VC_ISSUER).startswith("/.well-known/jwt-vc-issuer")


async def test_12_2_4_metadata_lists_what_works_and_nothing_else(world: World) -> None:
    answer = await call(MetadataEndpoint(world.issuer))
    metadata = answer.json
    assert set(metadata) == {
        "credential_issuer",
        "credential_endpoint",
        "nonce_endpoint",
        "notification_endpoint",
        "batch_credential_issuance",
        "display",
        "credential_configurations_supported",
    }
    assert metadata["credential_issuer"] == ISSUER
    for configuration in metadata["credential_configurations_supported"].values():
        assert configuration["format"] in {"dc+sd-jwt", "mso_mdoc", "vc+jwt"}
        method = "cose_key" if configuration["format"] == "mso_mdoc" else "jwk"
        assert configuration["cryptographic_binding_methods_supported"] == [method]
        assert configuration["proof_types_supported"] == {
            "jwt": {"proof_signing_alg_values_supported": ["ES256"]}
        }
        assert {"display", "claims"}.isdisjoint(configuration), "moved into credential_metadata"
        inside = configuration["credential_metadata"]
        paths = [tuple(claim["path"]) for claim in inside["claims"]]
        assert len(paths) == len(set(paths))
        for texts in (inside["display"], *(claim["display"] for claim in inside["claims"])):
            assert [text["locale"] for text in texts] == ["en", "zh-Hant", "zh-Hans"]


@pytest.mark.parametrize(
    ("header", "locale"),
    [("zh-HK,zh;q=0.9", "zh-Hant"), ("zh-CN", "zh-Hans"), ("en-GB", "en"), ("fr", "en")],
)
async def test_12_2_2_accept_language_is_honoured(world: World, header: str, locale: str) -> None:
    answer = await call(
        MetadataEndpoint(world.issuer), headers=[(b"accept-language", header.encode())]
    )
    assert answer.header("content-language") == locale
    assert [one["locale"] for one in answer.json["display"]] == [locale]
    assert answer.header("vary") == "Accept, Accept-Language"


async def test_unchanged_documents_are_304(world: World) -> None:
    endpoint = MetadataEndpoint(world.issuer)
    etag = (await call(endpoint)).header("etag")
    again = await call(endpoint, headers=[(b"if-none-match", str(etag).encode())])
    assert (again.status, again.body) == (304, b"")
    assert (await call(endpoint, "POST")).status == 405


async def test_sd_jwt_vc_4_jwt_vc_issuer_has_issuer_and_jwks_only(world: World) -> None:
    metadata = (await call(JwtVcIssuerEndpoint(world.issuer))).json
    assert set(metadata) == {"issuer", "jwks"}
    assert metadata["issuer"] == ISSUER
    kids = {key["kid"] for key in metadata["jwks"]["keys"]}
    assert kids == {key.kid for key in (*world.credential_keys().keys, *world.status_keys().keys)}
    assert all("d" not in key for key in metadata["jwks"]["keys"])


@pytest.mark.parametrize("name", ["company-identity", "representative"])
async def test_sd_jwt_vc_5_type_metadata_stands_at_its_vct(world: World, name: str) -> None:
    configuration = world.issuer.config.configurations[name]
    endpoint = TypeMetadataEndpoint(world.issuer)
    metadata = (await call(endpoint, path=urlsplit(configuration.description.vct).path)).json
    assert metadata["vct"] == configuration.description.vct
    rules = {
        tuple(claim["path"]): (claim["sd"], claim["mandatory"]) for claim in metadata["claims"]
    }
    assert rules[("legal_person_name",)] == ("always", True)
    assert rules[("attestation_legal_category",)] == ("never", True)
    assert all("label" in text for claim in metadata["claims"] for text in claim["display"])
    assert (await call(endpoint, path="/vct/unheard-of/1")).status == 404


async def test_sd_jwt_vc_5_an_earlier_version_keeps_its_type_metadata(world: World) -> None:
    now = world.issuer.config.configurations["representative"].description
    before = replace(now, version="0", vct=f"{ISSUER}/vct/representative/0")
    config = replace(world.issuer.config, earlier=(before,))
    endpoint = TypeMetadataEndpoint(replace(world.issuer, config=config))
    for version in ("0", "1"):
        answer = await call(endpoint, path=f"/vct/representative/{version}")
        assert answer.json["vct"] == f"{ISSUER}/vct/representative/{version}"


def described(*claims: ClaimDescription) -> TypeDescription:
    return TypeDescription("x", "1", "v", "d", "n", "W", {"en": "X"}, {"en": "X"}, claims, 60)


def test_what_is_signed_must_be_described(engine: str) -> None:
    one = ClaimDescription(("a",), {"en": "A"}, mandatory=True, disclosable=True)
    made = described(one)
    made.lint({"a": 1})
    for claims in ({}, {"a": 1, "b": 2}, {"a": 1, "iss": "x"}):
        with pytest.raises(MalformedCredential):
            made.lint(claims)
    with pytest.raises(ValueError, match="twice"):
        described(one, one)


def test_vct_base_may_have_a_path(engine: str) -> None:
    assert configurations("https://id.example.hk/a/vct/")["representative"].description.vct == (
        "https://id.example.hk/a/vct/representative/1"
    )


async def test_7_the_nonce_endpoint_needs_nothing_and_is_not_stored(world: World) -> None:
    answer = await call(world.nonce, "POST")
    assert set(answer.json) == {"c_nonce"}
    assert answer.header("cache-control") == "no-store"
    assert answer.header("dpop-nonce") is None
    nonce = answer.json["c_nonce"]
    assert world.issuer.credential_nonces.accepts(nonce, world.now + 299)
    assert not world.issuer.credential_nonces.accepts(nonce, world.now + 300)
    assert not world.issuer.dpop_nonces.accepts(nonce, world.now)
    assert (await call(world.nonce)).status == 405


# -- offers --------------------------------------------------------------------------------------


async def test_4_1_an_offer_by_value_and_by_reference_say_the_same(world: World) -> None:
    made = await world.offers.create(
        ORGANISATION, PERSON, ["representative"], actor="operator:test"
    )
    assert made.link.startswith("openid-credential-offer://?credential_offer=%7B")
    document = orjson.loads(parse_qs(urlsplit(made.link).query)["credential_offer"][0])
    assert document["credential_issuer"] == ISSUER
    assert document["credential_configuration_ids"] == ["representative"]
    code = document["grants"][GRANT]
    assert code["tx_code"]["input_mode"] == "numeric"
    assert code["tx_code"]["length"] == 6
    assert made.transaction_code is not None
    assert made.transaction_code.isdigit()
    assert made.transaction_code not in made.link
    reference = parse_qs(urlsplit(made.reference).query)["credential_offer_uri"][0]
    answer = await call(OfferEndpoint(world.issuer), path=urlsplit(reference).path)
    assert answer.header("cache-control") == "no-store"
    assert answer.header("content-type") == "application/json"
    assert answer.json == document


async def test_the_stored_offer_is_found_by_the_hash_of_its_code(world: World) -> None:
    made = await world.offers.create(
        ORGANISATION,
        CLERK,
        ["company-identity", "representative"],
        actor="operator:test",
        transaction_code="Abcd1234",
    )
    code = made.document["grants"][GRANT]["pre-authorized_code"]
    assert made.document["grants"][GRANT]["tx_code"]["input_mode"] == "text"
    offer = await world.store.read.provider_reads.offer(world.hasher.hash(code))
    assert offer is not None
    assert (offer.subject, offer.actor, offer.authority) == (ORGANISATION, CLERK, MANDATE)
    assert offer.transaction_code_hash == world.hasher.hash("Abcd1234")
    assert offer.expires_at == world.now_ms() + 600_000


async def test_an_offer_that_was_used_or_has_expired_is_404(world: World) -> None:
    endpoint = OfferEndpoint(world.issuer)
    types = ["company-identity"]
    used = await world.offers.create(ORGANISATION, PERSON, types, actor="operator:test")
    other = await world.offers.create(ORGANISATION, PERSON, types, actor="operator:test")
    await world.store.write(
        lambda uow: uow.provider_writes.claim_offer(used.offer_id, world.now_ms())
    )
    assert (await call(endpoint, path=f"/offers/{used.offer_id}")).status == 404
    assert (await call(endpoint, path=f"/offers/{other.offer_id}")).status == 200
    world.now += 600
    assert (await call(endpoint, path=f"/offers/{other.offer_id}")).status == 404
    assert (await call(endpoint, path="/offers/" + "x" * 100)).status == 404


@pytest.mark.parametrize("code", ["123", "12 34", "", "1234\n", "x" * 33, "密碼密碼"])
async def test_an_unusable_transaction_code_is_refused(world: World, code: str) -> None:
    with pytest.raises(InvalidValue):
        await world.offers.create(
            ORGANISATION,
            PERSON,
            ["representative"],
            actor="operator:test",
            transaction_code=code,
        )


@pytest.mark.parametrize("options", [{"lifetime": 0}, {"lifetime": 8 * 86400}])
async def test_an_unusable_lifetime_is_refused(world: World, options: dict[str, Any]) -> None:
    types = ["representative"]
    with pytest.raises(InvalidValue):
        await world.offers.create(ORGANISATION, PERSON, types, actor="operator:test", **options)
    with pytest.raises(InvalidValue):
        await world.offers.create(ORGANISATION, PERSON, [], actor="operator:test")


async def test_no_offer_without_authority(world: World) -> None:
    with pytest.raises(NotAllowed):
        await world.offers.create(
            "organisation-agent", CLERK, ["representative"], actor="operator:test"
        )
    assert await world.wrote("credential_offer") == 0


# -- notifications -------------------------------------------------------------------------------


async def issued(world: World) -> tuple[str, str]:
    token = await world.grant()
    return token, str((await world.wallet().ask(token)).json["notification_id"])


async def state_of_all(world: World) -> list[CredentialState]:
    found = await world.store.read.credentials.find(organisation_id=ORGANISATION)
    return [one.state for one in found]


async def test_11_accepted_is_idempotent(world: World) -> None:
    token, name = await issued(world)
    for _ in range(2):
        answer = await world.wallet().notify(
            token, {"notification_id": name, "event": "credential_accepted", "other": 1}
        )
        assert (answer.status, answer.body) == (204, b"")
    assert await state_of_all(world) == [CredentialState.ACCEPTED]


@pytest.mark.parametrize("event", ["credential_failure", "credential_deleted"])
async def test_11_failure_and_deletion_revoke(world: World, event: str) -> None:
    token, name = await issued(world)
    for _ in range(2):
        body = {"notification_id": name, "event": event, "event_description": "no room"}
        assert (await world.wallet().notify(token, body)).status == 204
    (credential,) = await world.store.read.credentials.find(organisation_id=ORGANISATION)
    assert credential.state is CredentialState.REVOKED
    status = await world.store.read.status_lists.status_of(credential.entry)
    assert status is EntryStatus.INVALID


async def test_accepted_does_not_bring_a_revoked_credential_back(world: World) -> None:
    token, name = await issued(world)
    wallet = world.wallet()
    await wallet.notify(token, {"notification_id": name, "event": "credential_deleted"})
    await wallet.notify(token, {"notification_id": name, "event": "credential_accepted"})
    assert await state_of_all(world) == [CredentialState.REVOKED]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid_notification_request"),
        ({"notification_id": 7, "event": "credential_accepted"}, "invalid_notification_request"),
        ({"notification_id": "x"}, "invalid_notification_request"),
        ({"notification_id": "x", "event": "credential_loved"}, "invalid_notification_request"),
        (
            {"notification_id": "x", "event": ["credential_accepted"]},
            "invalid_notification_request",
        ),
        ({"notification_id": "x", "event": "credential_accepted"}, "invalid_notification_id"),
    ],
)
async def test_11_3_names_the_fault(world: World, body: dict[str, Any], error: str) -> None:
    token = await world.grant()
    answer = await world.wallet().notify(token, body)
    assert (answer.status, answer.error) == (400, error)


async def test_11_another_holders_notification_id_is_unknown(world: World) -> None:
    _, name = await issued(world)
    other = await world.grant(CLERK, MANDATE)
    body = {"notification_id": name, "event": "credential_deleted"}
    assert (await world.wallet().notify(other, body)).error == "invalid_notification_id"
    assert await state_of_all(world) == [CredentialState.ISSUED]


async def test_a_notification_needs_its_access_token(world: World) -> None:
    answer = await call(world.notification, "POST", body=b"{}")
    assert answer.status == 401
