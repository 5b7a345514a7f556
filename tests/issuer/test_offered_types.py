"""What an offer may offer: by the same rules as when it is fetched, before anybody gets it."""

import pytest

from corpid.domain.errors import InvalidValue, NotAllowed
from corpid.domain.mandate import Side
from corpid.services.offers import CreatedOffer
from tests.support.issued import JOINT, add_branch, add_joint, whole
from tests.support.issuer_world import (
    CLERK,
    MANDATE,
    ORGANISATION,
    PERSON,
    REPRESENTATION,
    World,
    payload_of,
)

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def offered(
    world: World, *types: str, person: str = CLERK, **options: str | None
) -> CreatedOffer:
    return await world.offers.create(ORGANISATION, person, types, actor="operator:test", **options)


async def authority_of(world: World, made: CreatedOffer) -> str:
    kept = await world.store.read.credentials.offer(made.offer_id)
    assert kept is not None
    return kept.authority


async def test_a_joint_mandate_is_offered_as_what_says_so_and_as_nothing_else(
    world: World,
) -> None:
    await add_joint(world, PERSON)
    made = await offered(world, "mandate", person=PERSON)
    assert await authority_of(world, made) == JOINT
    with pytest.raises(NotAllowed, match="2 signers must act together"):
        await offered(world, "company-identity", person=PERSON, authority_id=JOINT)


async def test_authority_to_act_alone_goes_first_and_another_can_be_named(world: World) -> None:
    await add_joint(world, CLERK)
    first = await offered(world, "representative", "mandate")
    named = await offered(world, "representative", authority_id=JOINT)
    assert await authority_of(world, first) == MANDATE
    assert await authority_of(world, named) == JOINT


async def test_the_authority_is_one_that_every_type_in_it_can_rest_on(world: World) -> None:
    await add_joint(world, PERSON)
    made = await offered(world, "company-identity", "representative", person=PERSON)
    assert await authority_of(world, made) == REPRESENTATION
    with pytest.raises(NotAllowed):
        await offered(world, "company-identity", "mandate", person=PERSON)


async def test_no_mandate_is_offered_where_there_is_none(world: World) -> None:
    with pytest.raises(NotAllowed, match="by the register"):
        await offered(world, "mandate", person=PERSON)
    with pytest.raises(NotAllowed):
        await offered(world, "representative", authority_id=REPRESENTATION)  # another's


async def test_a_branch_is_named_and_is_there(world: World) -> None:
    await add_branch(world, "001")
    made = await offered(world, "branch")
    assert made.document["credential_configuration_ids"] == ["branch"]
    await add_branch(world, "002")
    for branch, why in ((None, "several branches"), ("003", "no branch 003")):
        with pytest.raises(InvalidValue, match=why):
            await offered(world, "branch", branch=branch)
    with pytest.raises(InvalidValue, match="about a branch"):
        await offered(world, "representative", branch="001")
    named = await offered(world, "branch", "company-identity", branch="002")
    assert named.document["credential_configuration_ids"] == ["branch", "company-identity"]
    kept = await world.store.read.credentials.offer(named.offer_id)
    assert kept is not None
    assert kept.credentials == ("branch/002", "company-identity")


async def test_what_a_sign_in_would_not_lead_to_is_not_offered_by_one(world: World) -> None:
    await add_branch(world, "001")
    await add_joint(world, PERSON)
    by_sign_in = ("authorization_code",)
    create = world.offers.create
    for types, of in ((("branch",), {"branch": "001"}), (("mandate",), {})):
        with pytest.raises(InvalidValue, match="redeemed by its code"):
            await create(ORGANISATION, PERSON, types, actor="test", grants=by_sign_in, **of)
    await create(ORGANISATION, PERSON, ("branch",), actor="test", grants=by_sign_in)


async def test_an_unknown_type_is_refused_with_those_that_there_are(world: World) -> None:
    with pytest.raises(InvalidValue, match="choose from branch, company-certificate"):
        await offered(world, "passport")


async def test_a_joint_mandate_that_ends_gets_nothing_any_more(world: World) -> None:
    await add_joint(world, CLERK)
    token = await world.grant(CLERK, JOINT, scope=("credential.mandate",))
    wallet = world.wallet()
    first = await wallet.ask(token, of="mandate")
    credential = first.json["credentials"][0]["credential"]
    assert payload_of(credential)["signing_rule"]["min_signers"] == 2
    assert "limit" in whole(credential)
    await world.revocation.end_mandate(JOINT, "operator:test", Side.GRANTOR, "over")
    assert (await wallet.ask(token, of="mandate")).error == "invalid_token"
