"""``branch``: one branch of the business; which one, an offer says, or there is only one."""

import pytest

from corpid.domain.languages import Names
from corpid.domain.organisation import Branch
from tests.support.issued import add_branch, asked, issued, whole
from tests.support.issuer_world import ORGANISATION, World


def of(code: str) -> tuple[dict[str, object], ...]:
    """What the offer of a branch leaves in the grant."""
    return (
        {
            "type": "openid_credential",
            "credential_configuration_id": "branch",
            "credential_identifiers": [f"branch/{code}"],
        },
    )


async def test_it_names_the_branch_and_the_business(world: World) -> None:
    await add_branch(world)
    says = whole(await issued(world, "branch"))
    assert says["identifier"] == {"scheme": "hk.brn", "value": "12345678", "branch": "001"}
    assert says["name"] == "Sample Kite Branch 001"
    assert says["names"][1] == {"lang": "zh-Hant", "value": "樣本風箏分行"}
    assert says["address"] == {"full_address": "1 Sample Pier, Hong Kong"}
    assert says["legal_person_name"] == "Sample Kite Trading Limited"
    assert (says["source"], says["as_of"]) == ("sample register", "2026-10-15")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_source_that_was_not_kept_is_not_made_up(world: World) -> None:
    branch = Branch(ORGANISATION, "001", Names(en="Sample Kite Branch"), "")
    await world.store.write(lambda uow: uow.organisations.add_branch(branch, world.now_ms()))
    says = whole(await issued(world, "branch"))
    assert not {"source", "as_of"} & says.keys()


async def test_a_business_without_a_branch_gets_none(world: World) -> None:
    answer = await asked(world, "branch")
    assert (answer.status, answer.error) == (400, "credential_request_denied")
    assert answer.json["error_description"] == "this business has no branch"


async def test_the_head_office_is_no_branch(world: World) -> None:
    await add_branch(world, "000")
    answer = await asked(world, "branch")
    assert answer.json["error_description"] == "this business has no branch"


async def test_of_several_branches_one_must_be_named(world: World) -> None:
    await add_branch(world, "001")
    await add_branch(world, "002")
    answer = await asked(world, "branch")
    assert answer.error == "credential_request_denied"
    assert "several branches" in answer.json["error_description"]


@pytest.mark.parametrize(("code", "status"), [("002", 200), ("003", 400)])
async def test_the_one_that_is_named_must_be_there(world: World, code: str, status: int) -> None:
    await add_branch(world, "001")
    await add_branch(world, "002")
    token = await world.grant(scope=(), details=of(code))
    wallet = world.wallet()
    body = {
        "credential_identifier": f"branch/{code}",
        "proofs": {"jwt": [await wallet.proof()]},
    }
    answer = await wallet.ask(token, body)
    assert answer.status == status
    if status == 200:
        credential = answer.json["credentials"][0]["credential"]
        assert whole(credential)["identifier"]["branch"] == code
    else:
        assert "no branch 003" in answer.json["error_description"]


async def test_what_is_remembered_of_a_branch_never_decides(world: World) -> None:
    await add_branch(world, "001")
    token = await world.grant(scope=("credential.branch",))
    wallet = world.wallet()
    assert (await wallet.ask(token, of="branch")).status == 200
    await add_branch(world, "002")  # now nobody can tell which one is meant
    assert (await wallet.ask(token, of="branch")).error == "credential_request_denied"
