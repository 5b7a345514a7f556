"""``company-identity``: which business this is."""

from tests.support.issued import issued, shown, whole
from tests.support.issuer_world import CLERK, MANDATE, World


async def test_it_says_what_the_register_says_of_the_business(world: World) -> None:
    says = whole(await issued(world, "company-identity"))
    assert says["legal_person_id"] == {"scheme": "hk.brn", "value": "12345678"}
    assert says["legal_person_name"] == "Sample Kite Trading Limited"
    assert [one["lang"] for one in says["legal_person_names"]] == ["en", "zh-Hant", "zh-Hans"]
    assert says["legal_person_status"] == "live"
    assert (says["source"], says["as_of"]) == ("sample register", "2026-11-01")


async def test_without_disclosures_it_says_only_what_kind_of_attestation_it_is(
    world: World,
) -> None:
    says = shown(await issued(world, "company-identity"))
    envelope = {"iss", "iat", "exp", "vct", "status", "cnf"}
    assert says.keys() - envelope == {"registration_member_state", "attestation_legal_category"}
    assert says["attestation_legal_category"] == "EAA"


async def test_whoever_acts_alone_by_a_mandate_gets_it_too(world: World) -> None:
    says = whole(await issued(world, "company-identity", CLERK, MANDATE))
    assert says["legal_person_name"] == "Sample Kite Trading Limited"
    assert "scope_of_representation_powers" not in says, "it says nothing of an authority"
