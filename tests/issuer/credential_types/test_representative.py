"""``representative``: who may sign, alone or together, and how far."""

from tests.support.issued import JOINT, add_joint, issued, shown, whole
from tests.support.issuer_world import CLERK, MANDATE, PERSON, World, payload_of


async def test_a_director_acts_alone_without_limit(world: World) -> None:
    says = whole(await issued(world, "representative"))
    assert says["person_role"] == {"representation_type": "SOLE", "role": "director"}
    assert says["scope_of_representation_powers"] == ["represent_organisation"]
    assert says["full_name"] == "Sample Person One"
    assert {"limit", "signing_rule"}.isdisjoint(says)


async def test_who_must_sign_together_gets_one_that_says_so_and_with_whom(world: World) -> None:
    await add_joint(world, CLERK)
    says = shown(await issued(world, "representative", CLERK, JOINT))
    assert says["person_role"] == {"representation_type": "JOINT"}
    assert says["signing_rule"] == {"group": "directors", "min_signers": 2}


async def test_a_director_with_a_joint_mandate_too_gets_what_is_asked_for(world: World) -> None:
    await add_joint(world, PERSON)
    alone = shown(await issued(world, "representative"))
    together = shown(await issued(world, "representative", PERSON, JOINT))
    assert alone["person_role"]["representation_type"] == "SOLE"
    assert together["person_role"]["representation_type"] == "JOINT"


async def test_a_power_may_be_withheld_and_what_narrows_it_may_not(world: World) -> None:
    credential = await issued(world, "representative", CLERK, MANDATE)
    says = shown(credential, ("scope_of_representation_powers", 1))
    assert says["scope_of_representation_powers"] == ["sign_contract"]
    for name in (
        "limit",
        "scope_of_representation_services",
        "scope_of_representation_power_of_substitution",
        "validity_period_valid_from",
        "validity_period_valid_until",
    ):
        assert name in payload_of(credential)
