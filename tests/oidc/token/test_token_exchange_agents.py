"""Token exchange (RFC 8693) with an actor token: an agent acts for its client's business."""

import pytest

from oidc.errors import InvalidGrant
from oidc.provider.grants.token_exchange import MAX_ACTORS
from oidc.records import Delegation
from tests.support.asgi import post_form
from tests.support.exchanging import (
    ACCESS_TOKEN,
    NOW_MS,
    actor_token,
    claims_of,
    delegated,
    exchange,
    introspected,
    subject_token,
)
from tests.support.provider_world import API, NOW, TOKEN_EXCHANGE, World


async def test_rfc8693_4_1_act_is_the_agents_person_and_nests_who_acted_before() -> None:
    world = World()
    answer = await delegated(world)
    assert answer.status == 200, answer.body
    claims = claims_of(answer)
    assert claims["sub"] == f"{API}:org-1"
    assert claims["act"] == {
        "sub": f"{API}:person-9",
        "act": {"sub": f"{API}:user:person-1"},
    }


async def test_act_survives_introspection() -> None:
    world = World()
    answer = await delegated(world)
    told = await introspected(world, str(answer.json["access_token"]))
    assert told["act"] == claims_of(answer)["act"]
    assert told["client_id"] == "service"


async def test_the_grant_rests_on_both_inputs_and_on_the_mandate() -> None:
    world = World()
    answer = await delegated(world, scope="mandate")
    row = world.tables.access_tokens[world.hash(str(answer.json["access_token"]))]
    grant = world.tables.grants[row.grant_id]
    assert (grant.subject, grant.actor, grant.authority) == ("org-1", "person-9", "mandate-9")
    assert grant.delegation == Delegation(("g1", "g9"), ("user:person-1",))
    assert (grant.grant_type, grant.scope) == (TOKEN_EXCHANGE, ("mandate",))


@pytest.mark.parametrize("input_grant", ["g1", "g9"])
async def test_the_agents_token_ends_with_either_input(input_grant: str) -> None:
    world = World()
    token = str((await delegated(world)).json["access_token"])
    assert (await introspected(world, token))["active"] is True
    await world.store.write(lambda writes: writes.end_grant(input_grant, NOW_MS, "test"))
    assert await introspected(world, token) == {"active": False}


async def test_an_agents_token_that_has_ended_is_not_exchanged_on() -> None:
    world = World()
    token = str((await delegated(world)).json["access_token"])
    await world.store.write(lambda writes: writes.end_grant("g9", NOW_MS, "test"))
    assert (await exchange(world, token)).error == "invalid_request"


async def test_a_second_hand_rests_on_everything_before_and_act_nests_further() -> None:
    world = World()
    first = str((await delegated(world)).json["access_token"])
    second = await exchange(
        world, first, actor_token=await actor_token(world), actor_token_type=ACCESS_TOKEN
    )
    act = claims_of(second)["act"]
    assert act["act"] == {
        "sub": f"{API}:user:person-9",
        "act": {"sub": f"{API}:user:person-1"},
    }
    row = world.tables.access_tokens[world.hash(str(second.json["access_token"]))]
    first_row = world.tables.access_tokens[world.hash(first)]
    assert world.tables.grants[row.grant_id].delegation.parents == (
        first_row.grant_id,
        "g1",
        "g9",
    )


async def test_the_chain_of_actors_is_bounded() -> None:
    world = World()
    prior = tuple(f"user:person-{number}" for number in range(MAX_ACTORS))
    await world.add_grant("g1", client_id="service", delegation=Delegation((), prior))
    answer = await delegated(world)
    assert answer.error == "invalid_request"


@pytest.mark.parametrize("which", ["subject", "actor", "mandate"])
async def test_the_agents_token_lives_no_longer_than_its_inputs_and_the_mandate(which: str) -> None:
    world = World()
    end = NOW_MS + 33_000
    subject = await subject_token(world, **({"expires_at": end} if which == "subject" else {}))
    actor = await actor_token(world, **({"expires_at": end} if which == "actor" else {}))
    world.delegations.expires_at = end if which == "mandate" else None
    acting = {"actor_token": actor, "actor_token_type": ACCESS_TOKEN}
    answer = await exchange(world, subject, **acting)
    assert answer.json["expires_in"] == 33
    assert claims_of(answer)["exp"] == NOW + 33


async def test_without_a_mandate_the_agent_gets_invalid_grant() -> None:
    world = World()
    world.delegations.refusal = InvalidGrant("no mandate")
    answer = await delegated(world)
    assert (answer.status, answer.error) == (400, "invalid_grant")


async def test_a_mandate_that_changes_meanwhile_gives_invalid_grant_and_no_grant() -> None:
    world = World()
    world.delegations.changed = True
    answer = await delegated(world)
    assert answer.error == "invalid_grant"
    assert set(world.tables.grants) == {"g1", "g9"}


async def test_an_actor_token_of_another_client_is_refused() -> None:
    world = World()
    acting = {
        "actor_token": await actor_token(world, client_id="legacy"),
        "actor_token_type": ACCESS_TOKEN,
    }
    assert (await delegated(world, **acting)).error == "invalid_request"


async def test_an_actor_token_of_another_client_is_refused_even_with_may_act() -> None:
    world = World()
    world.change_client("legacy", may_act="service")
    world.change_client("service", serves=frozenset({API}))
    acting = {
        "actor_token": await actor_token(world, client_id="legacy"),
        "actor_token_type": ACCESS_TOKEN,
    }
    assert (await delegated(world, **acting)).error == "invalid_request"


async def test_the_assertion_of_a_refused_exchange_is_used_up() -> None:
    world = World()
    form = {
        **await world.proving("service"),
        "grant_type": TOKEN_EXCHANGE,
        "subject_token": "cid_at_unknown",
        "subject_token_type": ACCESS_TOKEN,
    }
    assert (await post_form(world.token_endpoint, form)).error == "invalid_request"
    assert (await post_form(world.token_endpoint, form)).error == "invalid_client"
