"""mdoc and W3C credentials at the credential endpoint, verified by what a relying party has."""

import hashlib
import secrets
from typing import Any

import jwt as pyjwt
import pytest
from isomdoc import verify_device_response

from corpid.services.certificates import Certificates
from keys import base64url
from keys.certificates import read_chain
from keys.jwk import thumbprint
from keys.signer import generate
from oidc.formats import cbor, mdoc, vc_jwt
from oidc.formats.status_reference import StatusReference
from oidc.issuer.metadata import MetadataEndpoint
from tests.support.asgi import call
from tests.support.issuer_world import (
    CLERK,
    ISSUER,
    MANDATE,
    ORGANISATION,
    STATUS_URL,
    World,
    credential_in,
)
from tests.support.mdoc_world import shown, transcript

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
DAY = 86_400
ES256 = frozenset({"ES256"})
DOC_TYPE = "hk.example.id.vct.representative.1"
NARROWS = {
    "person_role",
    "scope_of_representation_powers",
    "limit",
    "scope_of_representation_power_of_substitution",
    "validity_period_valid_from",
}


async def certified(world: World) -> Certificates:
    made = Certificates(world.store, world.master, ISSUER, world.clock, secrets.token_bytes)
    await made.initialise("HK", "Sample Issuer", "operator:test")
    await world.keys.reload()
    return made


async def an_mdoc(world: World, of: str = "representative-mdoc") -> bytes:
    token = await world.grant(CLERK, MANDATE)
    return base64url.decode(credential_in(await world.wallet().ask(token, of=of)))


async def verified(world: World, data: bytes, made: Certificates) -> mdoc.VerifiedMdoc:
    iaca = (await made.roots())["iaca"]
    return mdoc.verify(mdoc.parse_issuer_signed(data), [iaca], now=world.now, doc_type=None)


async def test_openid4vci_a_2_an_mdoc_of_the_same_claims(world: World) -> None:
    made = await certified(world)
    data = await an_mdoc(world)
    found = await verified(world, data, made)
    assert found.doc_type == DOC_TYPE
    elements = found.namespaces[DOC_TYPE]
    assert elements["legal_person_name"] == "Sample Kite Trading Limited"
    assert elements["legal_person_id"] == {"scheme": "hk.brn", "value": "12345678"}
    assert found.device_key.thumbprint == thumbprint(world.wallet().holder.public_jwk)
    (kept,) = await world.store.read.credentials.find(organisation_id=ORGANISATION)
    assert kept.credential_format == "mso_mdoc"
    assert found.status == StatusReference(f"{STATUS_URL}/{kept.entry.list_id}", kept.entry.index)
    payload = mdoc.parse_issuer_signed(data).issuer_auth.unverified_payload
    assert payload is not None
    assert kept.payload_digest == hashlib.sha256(payload).digest()


async def test_what_narrows_an_authority_is_in_one_element(world: World) -> None:
    made = await certified(world)
    found = await verified(world, await an_mdoc(world), made)
    elements = found.namespaces[DOC_TYPE]
    assert elements["authority"].keys() >= NARROWS
    assert NARROWS.isdisjoint(elements)
    # A type that states no authority has nothing to hold together.
    identity = await verified(world, await an_mdoc(world, "company-identity-mdoc"), made)
    assert "authority" not in identity.namespaces[identity.doc_type]


async def test_an_mdoc_lives_no_longer_than_the_certificate_of_its_signer(world: World) -> None:
    made = await certified(world)
    leaf = read_chain(world.keys.signer("mdoc", "ES256").x5c)[0]
    end = leaf.not_valid_after_utc.timestamp()
    world.now = end - 5 * DAY
    found = await verified(world, await an_mdoc(world), made)
    assert found.validity.valid_until == end
    assert found.validity.signed <= world.now


async def test_a_new_certificate_is_not_older_than_what_it_signs(world: World) -> None:
    world.now += 12 * 3600  # credentials are dated to the beginning of the day
    made = await certified(world)
    found = await verified(world, await an_mdoc(world), made)
    assert found.signer.valid_from <= found.validity.signed <= world.now


async def test_without_a_certificate_no_mdoc_is_signed_and_none_recorded(world: World) -> None:
    answer = await world.wallet().ask(await world.grant(CLERK, MANDATE), of="representative-mdoc")
    assert (answer.status, answer.json["error"]) == (503, "temporarily_unavailable")
    assert await world.wrote("credential") == 0


async def test_openid4vci_a_2_the_metadata_of_an_mdoc(world: World) -> None:
    metadata = (await call(MetadataEndpoint(world.issuer))).json
    found = metadata["credential_configurations_supported"]["representative-mdoc"]
    assert found["format"] == "mso_mdoc"
    assert found["doctype"] == DOC_TYPE
    assert "vct" not in found
    assert found["credential_signing_alg_values_supported"] == [-7, -9]
    assert found["cryptographic_binding_methods_supported"] == ["cose_key"]
    paths = [tuple(claim["path"]) for claim in found["credential_metadata"]["claims"]]
    assert (DOC_TYPE, "legal_person_name") in paths
    assert (DOC_TYPE, "authority", "limit") in paths
    assert (DOC_TYPE, "authority", "scope_of_representation_powers", None) in paths
    assert len(set(paths)) == len(paths)


async def test_a_w3c_credential_of_the_same_claims(world: World) -> None:
    token = await world.grant(CLERK, MANDATE)
    text = credential_in(await world.wallet().ask(token, of="representative-vc-jwt"))
    found = vc_jwt.verify(vc_jwt.parse(text), world.credential_keys(), now=world.now, algs=ES256)
    assert (found.issuer, found.types) == (ISSUER, ("RepresentativeCredential",))
    (subject,) = found.subjects
    assert subject["legal_person_name"] == "Sample Kite Trading Limited"
    assert subject.keys() >= NARROWS
    assert found.holder is not None
    assert found.holder.thumbprint == thumbprint(world.wallet().holder.public_jwk)
    (kept,) = await world.store.read.credentials.find(organisation_id=ORGANISATION)
    assert kept.credential_format == "vc+jwt"
    assert found.status == StatusReference(f"{STATUS_URL}/{kept.entry.list_id}", kept.entry.index)
    assert kept.payload_digest == hashlib.sha256(text.encode()).digest()


async def test_the_metadata_of_a_w3c_credential(world: World) -> None:
    metadata = (await call(MetadataEndpoint(world.issuer))).json
    found = metadata["credential_configurations_supported"]["representative-vc-jwt"]
    assert found["format"] == "vc+jwt"
    assert found["credential_definition"] == {
        "type": ["VerifiableCredential", "RepresentativeCredential"]
    }
    assert found["credential_signing_alg_values_supported"] == ["ES256"]
    paths: list[Any] = [claim["path"] for claim in found["credential_metadata"]["claims"]]
    assert ["credentialSubject", "limit"] in paths


@pytest.mark.parametrize("of", ["representative-mdoc", "representative-vc-jwt"])
async def test_a_batch_has_nothing_in_common_but_what_it_says(world: World, of: str) -> None:
    await certified(world)
    wallet, token = world.wallet(), await world.grant(CLERK, MANDATE)
    nonce = wallet.nonce()
    proofs = [await wallet.proof(signer=generate("ES256"), nonce=nonce) for _ in range(3)]
    body = {"credential_configuration_id": of, "proofs": {"jwt": proofs}}
    answer = await wallet.ask(token, body)
    assert answer.status == 200, answer.body
    texts = [one["credential"] for one in answer.json["credentials"]]
    assert len(set(texts)) == 3
    if of.endswith("mdoc"):
        salts: list[bytes] = []
        for text in texts:
            items = mdoc.parse_issuer_signed(base64url.decode(text)).items[DOC_TYPE]
            salts += [one.encoded for one in items]
        assert len(set(salts)) == len(salts)


async def test_isomdoc_accepts_what_the_endpoint_gives_and_the_wallet_shows(world: World) -> None:
    await certified(world)
    session = transcript()
    response = await shown(await an_mdoc(world), world.wallet().holder, session, doc_type=DOC_TYPE)
    (document,) = verify_device_response(response, cbor.decode(session)).documents
    assert document.doctype == DOC_TYPE
    names = {one.element_identifier for one in document.issuer_signed.namespaces[DOC_TYPE]}
    assert {"legal_person_name", "authority"} <= names
    broken = response.replace(b"Sample Kite", b"Simple Kite")
    with pytest.raises(RuntimeError, match="Digest"):
        verify_device_response(broken, cbor.decode(session))


async def test_pyjwt_accepts_what_the_endpoint_gives(world: World) -> None:
    token = await world.grant(CLERK, MANDATE)
    text = credential_in(await world.wallet().ask(token, of="representative-vc-jwt"))
    key = pyjwt.PyJWK(dict(world.keys.signer("credentials", "ES256").public_jwk))
    options: Any = {"verify_iat": False}  # the world's clock is ahead of the one that it reads
    claims = pyjwt.decode(text, key, algorithms=["ES256"], issuer=ISSUER, options=options)
    assert claims["type"] == ["VerifiableCredential", "RepresentativeCredential"]
