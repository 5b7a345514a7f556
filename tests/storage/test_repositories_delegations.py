"""Grants that rest on other grants, and what an authority rests on."""

from dataclasses import replace

import pytest

from corpid.storage.store import SqlStore
from oidc.ports import ProviderWrites
from oidc.records import Delegation
from tests.support.stored import NOW, access_token, grant, populate


@pytest.mark.parametrize("ended", ["grant-1", "grant-2"])
async def test_a_token_of_two_grants_ends_with_either_of_them(store: SqlStore, ended: str) -> None:
    async def work(writes: ProviderWrites) -> None:
        for number in (1, 2):
            await writes.add_grant(replace(grant(), grant_id=f"grant-{number}"))
        rests_on = Delegation(("grant-1", "grant-2"), ("user:person-1",))
        await writes.add_grant(replace(grant(), grant_id="grant-3", delegation=rests_on))
        await writes.add_access_token(replace(access_token(), grant_id="grant-3"))

    await store.provider.write(work)
    found = await store.provider.read.access_token(access_token().token_hash)
    assert found is not None
    token, of = found
    assert of is not None
    assert of.delegation == Delegation(("grant-1", "grant-2"), ("user:person-1",))
    assert token.ended_at is None
    await store.provider.write(lambda writes: writes.end_grant(ended, NOW, "test"))
    found = await store.provider.read.access_token(access_token().token_hash)
    assert found is not None
    assert found[0].ended_at == NOW


async def test_what_an_authority_rests_on_is_read_inside_a_write(store: SqlStore) -> None:
    await populate(store)
    assert await store.provider.write(lambda writes: writes.standing("org-1", "x", "y")) is None
