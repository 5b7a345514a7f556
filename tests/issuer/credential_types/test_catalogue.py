"""What holds for every type, those to come included."""

from dataclasses import replace

import pytest

from corpid.domain.languages import LANGUAGES
from corpid.services import credential_catalogue as catalogue
from corpid.services.claims import SCOPES
from corpid.services.credential_type import CredentialType
from oidc.issuer.type_description import ClaimDescription, TypeDescription
from oidc.issuer.type_metadata import TypeMetadataEndpoint
from tests.support.asgi import call
from tests.support.issued import JOINT, add_branch, add_joint, asked, issued, whole
from tests.support.issuer_world import CLERK, ISSUER, MANDATE, World, payload_of

BASE = f"{ISSUER}/vct"
TYPES = [pytest.param(one, id=one.type_id) for one in catalogue.TYPES.values()]
OF_AUTHORITY = {"representative", "mandate"}


def test_the_types_are_found_in_their_files(engine: str) -> None:
    assert set(catalogue.TYPES) == {
        "branch",
        "company-certificate",
        "company-identity",
        "mandate",
        "representative",
    }


@pytest.mark.parametrize("kind", TYPES)
def test_every_text_is_in_every_language(kind: CredentialType, engine: str) -> None:
    for texts in (kind.names, kind.descriptions, *(claim.labels for claim in kind.claims)):
        assert tuple(texts) == LANGUAGES
        assert all(texts.values())


@pytest.mark.parametrize("kind", TYPES)
def test_a_type_has_a_name_in_every_format_and_a_scope(kind: CredentialType, engine: str) -> None:
    described = kind.described(BASE)
    assert described.vct == f"{BASE}/{kind.type_id}/{kind.version}"
    assert described.doctype == f"hk.example.id.vct.{kind.type_id}.{kind.version}"
    assert kind.w3c_type.endswith("Credential")
    assert kind.scope in SCOPES
    assert catalogue.type_of_scope(kind.scope) is kind


@pytest.mark.parametrize("kind", TYPES)
async def test_it_says_exactly_what_it_describes(kind: CredentialType, world: World) -> None:
    await add_branch(world)
    says = whole(await issued(world, kind.type_id, CLERK, MANDATE))
    described = {claim.path[0] for claim in kind.claims}
    needed = {claim.path[0] for claim in kind.claims if claim.mandatory and len(claim.path) == 1}
    own = says.keys() - {"iss", "iat", "exp", "vct", "status", "cnf"}
    assert needed <= own <= described


@pytest.mark.parametrize("kind", TYPES)
async def test_sd_jwt_vc_5_its_type_metadata_is_the_same_description(
    kind: CredentialType, world: World
) -> None:
    endpoint = TypeMetadataEndpoint(world.issuer)
    said = (await call(endpoint, path=f"/vct/{kind.type_id}/{kind.version}")).json
    assert said["vct"] == f"{BASE}/{kind.type_id}/{kind.version}"
    assert [one["locale"] for one in said["display"]] == list(LANGUAGES)
    for claim, told in zip(kind.claims, said["claims"], strict=True):
        assert tuple(told["path"]) == claim.path
        assert told["sd"] == ("always" if claim.disclosable else "never")
        assert told["mandatory"] is claim.mandatory
        assert {one["locale"]: one["label"] for one in told["display"]} == dict(claim.labels)


@pytest.mark.parametrize("kind", TYPES)
async def test_what_is_disclosable_is_hidden_and_nothing_else(
    kind: CredentialType, world: World
) -> None:
    await add_branch(world)
    credential = await issued(world, kind.type_id, CLERK, MANDATE)
    says, payload = whole(credential), payload_of(credential)
    hidden = {claim.path[0] for claim in kind.claims if claim.disclosable and len(claim.path) == 1}
    assert hidden.isdisjoint(payload)
    assert says.keys() - hidden <= payload.keys()


@pytest.mark.parametrize("kind", TYPES)
async def test_none_but_those_that_say_so_is_given_for_a_joint_mandate(
    kind: CredentialType, world: World
) -> None:
    await add_branch(world)
    await add_joint(world, CLERK)
    answer = await asked(world, kind.type_id, CLERK, JOINT)
    if kind.type_id in OF_AUTHORITY:
        credential = answer.json["credentials"][0]["credential"]
        assert payload_of(credential)["person_role"]["representation_type"] == "JOINT"
    else:
        assert answer.error == "credential_request_denied"
        assert "2 signers must act together" in answer.json["error_description"]


def test_what_narrows_an_authority_is_never_selectively_disclosable(engine: str) -> None:
    one = ClaimDescription(("a", "b"), {"en": "B"}, True, disclosable=True, narrows=True)
    around = ClaimDescription(("a",), {"en": "A"}, True, disclosable=True)
    inside = replace(one, disclosable=False)
    for claims in ((one,), (around, inside)):
        with pytest.raises(ValueError, match="can be withheld"):
            TypeDescription("x", "1", "v", "d", "n", "W", {}, {}, claims, 60)
    for type_id in OF_AUTHORITY:
        narrow = {claim.path[-1] for claim in catalogue.TYPES[type_id].claims if claim.narrows}
        assert narrow == {
            "representation_type",
            "signing_rule",
            "scope_of_representation_services",
            "limit",
            "scope_of_representation_power_of_substitution",
            "validity_period_valid_from",
            "validity_period_valid_until",
        }


def test_the_newest_version_is_issued_and_the_earlier_ones_stay(engine: str) -> None:
    first = catalogue.TYPES["branch"]
    tenth, second = replace(first, version="10"), replace(first, version="2")
    assert catalogue.newest((tenth, first, second)) == {"branch": tenth}
    with pytest.raises(ValueError, match="branch/1 is described twice"):
        catalogue.newest((first, replace(first)))
    assert catalogue.earlier(BASE) == ()
