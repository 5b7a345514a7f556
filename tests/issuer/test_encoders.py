"""The seam for formats: an encoder and a configuration are all that a new one needs."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from corpid.domain.credential import CredentialState
from keys.jwk import PublicKey
from keys.signer import Signer
from oidc.formats.sd_jwt import parse
from oidc.issuer.context import Issuer
from oidc.issuer.credential import CredentialEndpoint
from oidc.issuer.encoders import Encoded, by_format
from oidc.issuer.metadata import MetadataEndpoint
from oidc.issuer.ports import Issuance
from oidc.issuer.sd_jwt_vc import SdJwtVcEncoder
from oidc.issuer.type_description import ClaimPath, TypeDescription
from tests.support.asgi import call
from tests.support.issuer_world import ISSUER, ORGANISATION, World, credential_in, payload_of

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


class PlainEncoder:
    """A format of this test's own."""

    format = "plain"
    purpose = "credentials"
    alg = "ES256"

    def metadata(self, description: TypeDescription) -> Mapping[str, Any]:
        return {"plain_type": description.w3c_type}

    def path(self, description: TypeDescription, path: ClaimPath) -> ClaimPath:
        return path

    async def encode(
        self,
        signer: Signer,
        description: TypeDescription,
        issuance: Issuance,
        holder: PublicKey,
        now: float,
    ) -> Encoded:
        text = f"{description.doctype} of {issuance.claims['legal_person_name']}"
        return Encoded(text, hashlib.sha256(text.encode()).digest(), signer.kid)


def with_plain(world: World) -> World:
    """The same issuer, with the identity in a second format."""
    config = world.issuer.config
    first = config.configurations["company-identity"]
    second = replace(
        first,
        configuration_id="company-identity-plain",
        format="plain",
        binding_methods=("plain_key",),
    )
    configurations = {**config.configurations, second.configuration_id: second}
    world.issuer = replace(
        world.issuer,
        config=replace(config, configurations=configurations),
        encoders={**world.issuer.encoders, "plain": PlainEncoder()},
    )
    world.credential = CredentialEndpoint(world.issuer)
    return world


async def test_a_format_is_one_encoder_and_one_configuration(world: World) -> None:
    token = await with_plain(world).grant()
    credential = credential_in(await world.wallet().ask(token, of="company-identity-plain"))
    assert credential == ("hk.example.id.vct.company-identity.1 of Sample Kite Trading Limited"), (
        "fed by the same description and the same claims"
    )
    (kept,) = await world.store.read.credentials.find(organisation_id=ORGANISATION)
    assert (kept.credential_type, kept.type_version) == ("company-identity", "1")
    assert kept.credential_format == "plain"
    assert kept.payload_digest == hashlib.sha256(credential.encode()).digest()


async def test_each_format_describes_itself_in_the_metadata(world: World) -> None:
    metadata = (await call(MetadataEndpoint(with_plain(world).issuer))).json
    supported = metadata["credential_configurations_supported"]
    plain, sd_jwt = supported["company-identity-plain"], supported["company-identity"]
    assert plain["format"] == "plain"
    assert plain["plain_type"] == "CompanyIdentityCredential"
    assert plain["cryptographic_binding_methods_supported"] == ["plain_key"]
    assert "vct" not in plain
    assert sd_jwt["vct"] == f"{ISSUER}/vct/company-identity/1"
    assert plain["credential_metadata"] == sd_jwt["credential_metadata"]


async def test_the_same_type_in_another_format_is_no_retry(world: World) -> None:
    token = await with_plain(world).grant()
    wallet = world.wallet()
    await wallet.ask(token, of="company-identity")
    await wallet.ask(token, of="company-identity-plain")
    found = await world.store.read.credentials.find(organisation_id=ORGANISATION)
    assert [one.state for one in found] == [CredentialState.ISSUED] * 2
    await wallet.ask(token, of="company-identity-plain")
    found = await world.store.read.credentials.find(
        organisation_id=ORGANISATION, state=CredentialState.REPLACED
    )
    assert [one.credential_format for one in found] == ["plain"]


async def test_a_configuration_without_an_encoder_never_starts(world: World) -> None:
    issuer: Issuer = with_plain(world).issuer
    with pytest.raises(ValueError, match="plain"):
        replace(issuer, encoders=by_format(SdJwtVcEncoder(ISSUER, secrets.token_bytes)))
    with pytest.raises(ValueError, match="two encoders"):
        by_format(PlainEncoder(), PlainEncoder())


async def test_rfc_9901_4_2_5_decoys_hide_how_many_claims_there_are(world: World) -> None:
    config = world.issuer.config
    one = config.configurations["company-identity"]
    decoyed = replace(one, description=replace(one.description, decoys=3))
    configurations = {**config.configurations, "company-identity": decoyed}
    world.issuer = replace(world.issuer, config=replace(config, configurations=configurations))
    world.credential = CredentialEndpoint(world.issuer)
    answer = await world.wallet().ask(await world.grant(), of="company-identity")
    credential = credential_in(answer)
    disclosures = len(parse(credential).disclosures)
    assert len(payload_of(credential)["_sd"]) == disclosures + 3
