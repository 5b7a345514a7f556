"""``company-certificate``: every registered fact with its source and as-of time."""

from oidc.formats.sd_jwt import parse
from tests.support.issued import add_lei, issued, shown, whole
from tests.support.issuer_world import World, payload_of


async def test_every_fact_names_its_source_and_its_time(world: World) -> None:
    says = whole(await issued(world, "company-certificate"))
    provenance = says["provenance"]
    facts = {
        "legal_person_name",
        "legal_person_names",
        "legal_person_id",
        "legal_form_type",
        "legal_form_text",
        "legal_person_status",
        "registered_address",
        "registration_date",
        "place_of_incorporation",
    }
    assert provenance.keys() == facts
    assert facts < says.keys()
    assert provenance["registered_address"] == {"source": "sample register", "as_of": "2026-11-01"}
    assert says["registered_address"] == {"full_address": "1 Sample Street, Hong Kong"}


async def test_no_fact_is_shown_without_its_source(world: World) -> None:
    credential = await issued(world, "company-certificate")
    says = shown(credential, "registration_date")
    assert says["registration_date"] == "2020-01-02"
    assert says["provenance"]["registration_date"]["source"] == "sample register"
    assert "legal_person_name" not in says
    assert "provenance" in payload_of(credential), "it cannot be withheld"


async def test_a_number_has_the_source_that_the_number_came_from(world: World) -> None:
    says = whole(await issued(world, "company-certificate"))
    assert says["provenance"]["legal_person_id"]["source"] == "sample"
    assert says["provenance"]["legal_person_status"]["source"] == "sample register"


async def test_rfc_9901_4_2_2_one_number_of_several_is_shown(world: World) -> None:
    await add_lei(world)
    credential = await issued(world, "company-certificate")
    numbers = whole(credential)["legal_person_identifiers"]
    assert {one["scheme"] for one in numbers} == {"hk.brn", "lei"}
    lei = next(place for place, one in enumerate(numbers) if one["scheme"] == "lei")
    says = shown(credential, ("legal_person_identifiers", lei))
    assert says["legal_person_identifiers"] == [
        {
            "scheme": "lei",
            "value": "00000000000000SAMPLE",
            "source": "sample LEI register",
            "as_of": "2026-10-15",
        }
    ]
    assert "legal_person_id" not in says


async def test_rfc_9901_4_2_7_decoys_hide_how_many_facts_and_numbers_there_are(
    world: World,
) -> None:
    credential = await issued(world, "company-certificate")
    payload = payload_of(credential)
    at_top = [one for one in parse(credential).disclosures if one.name is not None]
    assert len(payload["_sd"]) == len(at_top) + 3
    assert len(payload["legal_person_identifiers"]) == 1 + 3
