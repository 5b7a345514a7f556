"""``mandate``: one mandate with all its terms."""

from datetime import date

from corpid.domain.mandate import HolderKind
from corpid.relying_party.representatives import representative_mandate
from corpid.services.authorities import require_authority
from corpid.services.authority_claim import authority_claim
from tests.support.issued import JOINT, add_joint, add_mandate, asked, issued, shown, whole
from tests.support.issuer_facts import representation
from tests.support.issuer_world import (
    AGENT,
    CLERK,
    MANDATE,
    ORGANISATION,
    PERSON,
    REPRESENTATION,
    World,
)


async def test_it_states_the_terms_that_the_tokens_state(world: World) -> None:
    says = whole(await issued(world, "mandate", CLERK, MANDATE))
    held = await require_authority(world.store.read, CLERK, ORGANISATION, world.now_ms(), MANDATE)
    token = authority_claim(held, "pairwise", None)
    assert says["scope_of_representation_powers"] == token["powers"]
    assert says["scope_of_representation_services"] == token["services"] == ["banking"]
    assert says["limit"] == token["limit"] == {"amount": "50000.00", "currency": "HKD"}
    assert says["scope_of_representation_power_of_substitution"] == token["substitution"]
    assert says["validity_period_valid_from"] == token["valid_from"]
    assert says["validity_period_valid_until"] == token["valid_until"] == "2027-12-31"
    assert says["person_role"]["representation_type"] == token["representation_type"]
    assert says["full_name"] == "Sample Person Two"
    assert "mandate_id" not in says, "it would link what pairwise ids keep apart"


async def test_a_relying_party_reads_exactly_the_mandates_terms(world: World) -> None:
    sole = await world.store.read.authority.mandate(MANDATE)
    joint = await add_joint(world, CLERK)
    assert sole is not None
    for kept in (sole, joint):
        credential = await issued(world, "mandate", CLERK, kept.mandate_id)
        (read,) = representative_mandate(whole(credential), None)
        assert read.terms == kept.terms
        permission = read.permits("open_account", on_date=date(2027, 6, 1), amount="50000.00")
        assert permission.granted is (kept is sole)


async def test_a_joint_one_says_who_must_sign_together(world: World) -> None:
    await add_joint(world, CLERK)
    says = shown(await issued(world, "mandate", CLERK, JOINT))
    assert says["signing_rule"] == {"group": "directors", "min_signers": 2}
    assert says["person_role"]["representation_type"] == "JOINT"


async def test_one_that_a_firm_holds_names_the_firm_and_the_person_there(world: World) -> None:
    await add_mandate(
        world, "mandate-firm", AGENT, holder_kind=HolderKind.ORGANISATION, powers=("file_return",)
    )
    role = representation("representation-agent", AGENT, PERSON, world.now_ms())
    await world.store.write(lambda uow: uow.authority.add_representation(role))
    says = whole(await issued(world, "mandate", PERSON, "mandate-firm"))
    assert says["agent"]["legal_person_name"] == "Sample Secretarial Services Limited"
    assert says["full_name"] == "Sample Person One"
    assert says["legal_person_name"] == "Sample Kite Trading Limited"
    assert says["scope_of_representation_powers"] == ["file_return"]


async def test_there_is_none_for_an_authority_by_the_register(world: World) -> None:
    answer = await asked(world, "mandate", PERSON, REPRESENTATION)
    assert (answer.status, answer.error) == (400, "credential_request_denied")
    assert "by the register" in answer.json["error_description"]
