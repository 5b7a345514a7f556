"""Credential offers (OpenID4VCI 1.0, 4.1): both grants, and what they say of a transaction code."""

from typing import Any

import pytest

from corpid.domain.errors import InvalidValue, NotFound
from corpid.services.offers import GRANT_TYPE, CreatedOffer
from oidc.issuer.metadata import issuer_metadata
from oidc.issuer.offers import OfferEndpoint
from tests.support.asgi import call
from tests.support.issuer_world import ISSUER, ORGANISATION, PERSON, World

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
BOTH = ("pre-authorized_code", "authorization_code")


async def offer(world: World, **options: Any) -> CreatedOffer:
    types = ["representative", "company-identity"]
    return await world.offers.create(ORGANISATION, PERSON, types, actor="operator:test", **options)


async def test_4_1_1_an_offer_with_both_grants_leaves_the_choice_to_the_wallet(
    world: World,
) -> None:
    made = await offer(world, grants=BOTH)
    grants = made.document["grants"]
    assert set(grants) == {"authorization_code", GRANT_TYPE}
    assert set(grants["authorization_code"]) == {"issuer_state"}
    found = await world.offers.of_issuer_state(grants["authorization_code"]["issuer_state"])
    assert found is not None
    assert found.offer_id == made.offer_id
    answer = await call(OfferEndpoint(world.issuer), path=f"/offers/{made.offer_id}")
    assert answer.json == made.document


async def test_4_1_1_by_signing_in_alone_has_no_code_that_could_be_redeemed(world: World) -> None:
    made = await offer(world, grants=("authorization_code",))
    assert set(made.document["grants"]) == {"authorization_code"}
    assert made.transaction_code is None
    by_code = await offer(world)
    code = by_code.document["grants"][GRANT_TYPE]["pre-authorized_code"]
    assert await world.store.read.provider_reads.offer(world.hasher.hash(code)) is not None
    hidden = world.offers._code(made.offer_id)
    assert await world.store.read.provider_reads.offer(world.hasher.hash(hidden)) is None


async def test_4_1_1_authorization_server_is_named_nowhere_for_there_is_one(world: World) -> None:
    made = await offer(world, grants=BOTH)
    assert "authorization_servers" not in issuer_metadata(world.issuer)
    for grant in made.document["grants"].values():
        assert "authorization_server" not in grant


@pytest.mark.parametrize(
    ("code", "shape"),
    [
        ("493536", {"input_mode": "numeric", "length": 6}),
        ("Kite2026", {"input_mode": "text", "length": 8}),
    ],
)
async def test_4_1_1_tx_code_says_mode_length_and_where_to_find_it(
    world: World, code: str, shape: dict[str, Any]
) -> None:
    made = await offer(world, transaction_code=code, description="In the letter of 3 May")
    expected = {**shape, "description": "In the letter of 3 May"}
    assert made.document["grants"][GRANT_TYPE]["tx_code"] == expected
    assert await world.offers.document(made.offer_id) == made.document


@pytest.mark.parametrize(
    "options",
    [
        {"description": "x" * 301},
        {"description": ""},
        {"description": "two\nlines"},
        {"grants": ()},
        {"grants": ("implicit",)},
        {"grants": ("authorization_code", "authorization_code")},
        {"grants": ("authorization_code",), "transaction_code": "4711"},
    ],
)
async def test_what_an_offer_cannot_say_is_refused(world: World, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        await offer(world, **options)


async def test_5_1_3_a_state_that_is_not_ours_names_no_offer(world: World) -> None:
    made = await offer(world, grants=BOTH)
    state = made.document["grants"]["authorization_code"]["issuer_state"]
    by_code = await offer(world)
    forged = f"{by_code.offer_id}.{state.partition('.')[2]}"
    for foreign in ("", "x", f"{made.offer_id}.{'A' * 22}", forged, state + "A", ISSUER * 50):
        assert await world.offers.of_issuer_state(foreign) is None
    own = world.offers._issuer_state(by_code.offer_id)
    assert await world.offers.of_issuer_state(own) is None, "that offer is not redeemed so"


async def test_an_offer_that_nobody_took_is_withdrawn_once(world: World) -> None:
    made = await world.offers.create(ORGANISATION, PERSON, ["representative"], actor=PERSON)
    assert await world.offers.withdraw(made.offer_id, actor=PERSON)
    assert await world.offers.document(made.offer_id) is None
    assert not await world.offers.withdraw(made.offer_id, actor=PERSON)
    assert len(await world.store.read.operations.audit_rows(9, "offer.withdrawn")) == 1
    with pytest.raises(NotFound):
        await world.offers.withdraw("unknown", actor=PERSON)


async def test_an_offer_that_was_taken_is_not_withdrawn(world: World) -> None:
    made = await world.offers.create(ORGANISATION, PERSON, ["representative"], actor=PERSON)
    now_ms = world.now_ms()
    await world.store.write(lambda uow: uow.provider_writes.claim_offer(made.offer_id, now_ms))
    assert not await world.offers.withdraw(made.offer_id, actor=PERSON)
