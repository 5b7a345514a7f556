"""What the protocols read and write, clients and their cache, sessions, and what counts once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from corpid.services.ports import UnitOfWork
from corpid.storage.client_cache import ClientCache
from corpid.storage.constructs import table
from corpid.storage.database import Database
from corpid.storage.statement import Statement
from corpid.storage.store import SqlStore
from keys import jwk
from keys.signer import generate
from oidc.ports import ProviderWrites
from oidc.records import AuditEvent, Client, PreAuthorizedOffer
from tests.support.stored import (
    DAY,
    NOW,
    access_token,
    client,
    code,
    digest,
    grant,
    offer,
    populate,
    pushed_request,
    refresh_token,
)

Another = Callable[[], SqlStore]


async def add_tokens(store: SqlStore) -> None:
    async def work(writes: ProviderWrites) -> None:
        await writes.add_grant(grant())
        await writes.add_code(code())
        await writes.add_access_token(access_token())
        await writes.add_refresh_token(refresh_token())

    await store.provider.write(work)


async def test_a_client_is_read_as_it_is_registered(store: SqlStore) -> None:
    public = dict(generate("ES256").public_jwk)
    metadata = {
        "client_name": "Sample Bank",
        "client_name#zh-Hant": "樣本銀行",
        "client_name#zh-Hans": "样本银行",
        "redirect_uris": ["https://bank.example/a", "https://bank.example/b"],
        "scope": "openid mandate",
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [public]},
        "id_token_signed_response_alg": "RS256",
        "dpop_bound_access_tokens": True,
        "require_pushed_authorization_requests": True,
        "policy_uri": "https://bank.example/policy",
        "profile": "oidc",
        "subject": "representative",
        "min_acr": "loa3",
        "pkce_required": False,
        "resources": ["https://api.example"],
        "serves": ["https://served.example"],
    }
    record = client(metadata=metadata, secret_hash=b"hash")
    await store.write(lambda uow: uow.clients.add(record))
    found = await store.provider.read.client("client-1")
    assert found is not None
    assert found.jwks is not None
    assert [key.thumbprint for key in found.jwks.keys] == [jwk.thumbprint(public)]
    assert replace(found, jwks=None) == Client(
        client_id="client-1",
        profile="oidc",
        names={"en": "Sample Bank", "zh-Hant": "樣本銀行", "zh-Hans": "样本银行"},
        redirect_uris=("https://bank.example/a", "https://bank.example/b"),
        scopes=frozenset({"openid", "mandate"}),
        grant_types=frozenset({"authorization_code", "refresh_token"}),
        token_endpoint_auth_method="private_key_jwt",
        jwks=None,
        secret_hash=b"hash",
        sector="bank.example",
        subject="representative",
        min_acr="loa3",
        pkce_required=False,
        dpop_bound_access_tokens=True,
        require_pushed_authorization_requests=True,
        id_token_signed_response_alg="RS256",
        resources=frozenset({"https://api.example"}),
        serves=frozenset({"https://served.example"}),
        policy_uri="https://bank.example/policy",
    )
    assert await store.provider.read.client("client-1") is found  # from the cache
    assert await store.provider.read.client("client-2") is None


async def test_a_policy_that_says_little_gets_the_strict_defaults(store: SqlStore) -> None:
    await store.write(lambda uow: uow.clients.add(client(metadata={})))
    found = await store.provider.read.client("client-1")
    assert found is not None
    assert (found.profile, found.token_endpoint_auth_method) == ("fapi2", "private_key_jwt")
    assert found.pkce_required
    assert (found.scopes, found.redirect_uris, found.jwks) == (frozenset(), (), None)


async def test_a_client_disabled_in_one_process_is_refused_by_the_next_read_of_another(
    store: SqlStore, another_store: Another
) -> None:
    await populate(store)
    other = another_store()
    assert await store.provider.read.client("client-1") is not None
    assert await other.provider.read.client("client-1") is not None
    assert await other.write(lambda uow: uow.clients.disable("client-1", NOW + 1))
    assert await store.provider.read.client("client-1") is None
    assert not await other.write(lambda uow: uow.clients.disable("client-1", NOW + 2))


async def test_a_policy_changed_in_one_process_holds_at_once_in_another(
    store: SqlStore, another_store: Another
) -> None:
    await populate(store)
    await store.provider.read.client("client-1")
    changed = client(metadata={"scope": "openid"}, recorded_at=NOW + 5)
    await another_store().write(lambda uow: uow.clients.replace_policy(changed))
    found = await store.provider.read.client("client-1")
    assert found is not None
    assert found.scopes == {"openid"}


async def test_a_change_that_is_rolled_back_is_never_remembered(store: SqlStore) -> None:
    await populate(store)
    changed = client(metadata={"scope": "openid payment"}, recorded_at=NOW + 5)

    async def work(uow: UnitOfWork) -> None:
        await uow.clients.replace_policy(changed)
        inside = await uow.provider_reads.client("client-1")
        assert inside is not None
        assert inside.scopes == {"openid", "payment"}
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(work)
    await store.write(lambda uow: uow.operations.bump("clients"))  # the counter it would have had
    found = await store.provider.read.client("client-1")
    assert found is not None
    assert found.scopes == {"openid", "mandate"}


def test_the_client_cache_is_bounded() -> None:
    cache = ClientCache(limit=2)
    clients = [
        Client(str(n), "oidc", {}, (), frozenset(), frozenset(), "none", None, None, "s")
        for n in range(3)
    ]
    for one in clients:
        cache.put(one, 1)
    assert len(cache) == 2
    assert [cache.get(str(n), 1) for n in range(3)] == [None, *clients[1:]]
    assert cache.get("2", 2) is None


async def test_client_records_as_intervals(store: SqlStore) -> None:
    await populate(store)
    changed = client(metadata={"scope": "openid"}, recorded_at=NOW + 5, secret_hash=b"s")
    await store.write(lambda uow: uow.clients.replace_policy(changed))
    await store.write(lambda uow: uow.clients.add(client("client-2", created_at=NOW + 1)))
    await store.write(lambda uow: uow.clients.disable("client-1", NOW + 9))
    read = store.read.clients
    gone = replace(changed, disabled_at=NOW + 9)
    assert await read.by_id("client-1") == gone
    assert await read.by_id("client-3") is None
    assert await read.at("client-1", NOW - 1) is None
    assert await read.at("client-1", NOW + 4) == client()
    assert await read.at("client-1", NOW + 5) == changed
    assert await read.at("client-1", NOW + 9) == gone
    assert await read.all() == [gone, client("client-2", created_at=NOW + 1)]
    assert await read.all(1) == [gone]


async def test_rfc9126_a_pushed_request_is_kept_and_used_once(store: SqlStore) -> None:
    await store.provider.write(lambda writes: writes.add_pushed_request(pushed_request()))
    assert await store.provider.read.pushed_request(digest("par-1")) == pushed_request()
    assert await store.provider.read.pushed_request(digest("par-2")) is None
    claimed = [
        await store.provider.write(lambda w: w.claim_pushed_request(digest("par-1"), NOW + 3))
        for _ in range(2)
    ]
    assert claimed == [True, False]
    found = await store.provider.read.pushed_request(digest("par-1"))
    assert found == pushed_request(used_at=NOW + 3)


async def test_a_grant_is_read_with_everything_that_was_authorised(store: SqlStore) -> None:
    rich = grant(
        claims={"userinfo": {"email": {"essential": True}}},
        authorization_details=({"type": "hk_corp_mandate", "name": "風"},),
        nonce="n-0S6",
        jkt="thumb",
    )

    async def work(writes: ProviderWrites) -> None:
        await writes.add_grant(rich)
        await writes.add_code(code(dpop_jkt="thumb"))
        await writes.add_refresh_token(refresh_token(jkt="thumb"))
        await writes.add_access_token(
            access_token(jkt="thumb", x5t="certificate", scope=("openid", "mandate"))
        )

    await store.provider.write(work)
    read = store.provider.read
    assert await read.code(digest("code-1")) == (code(dpop_jkt="thumb"), rich)
    assert await read.refresh_token(digest("refresh-1")) == (refresh_token(jkt="thumb"), rich)
    assert await read.access_token(digest("access-1")) == (
        access_token(jkt="thumb", x5t="certificate", scope=("openid", "mandate")),
        rich,
    )
    for read_one in (read.code, read.refresh_token, read.access_token):
        assert await read_one(digest("unknown")) is None


async def test_a_token_of_client_credentials_has_no_grant(store: SqlStore) -> None:
    token = access_token(grant_id=None, audience="https://api.example")
    await store.provider.write(lambda writes: writes.add_access_token(token))
    assert await store.provider.read.access_token(digest("access-1")) == (token, None)


async def test_a_token_whose_grant_is_not_there_is_not_found(store: SqlStore) -> None:
    await store.provider.write(lambda writes: writes.add_access_token(access_token()))
    assert await store.provider.read.access_token(digest("access-1")) is None


async def test_ending_a_grant_ends_its_code_and_tokens_and_those_added_later(
    store: SqlStore,
) -> None:
    await add_tokens(store)

    async def work(writes: ProviderWrites) -> None:
        await writes.end_grant("grant-1", NOW + 1, "code used again")
        await writes.end_grant("grant-1", NOW + 2, "a second time changes nothing")
        await writes.add_access_token(access_token("access-2"))

    await store.provider.write(work)
    read = store.provider.read
    for name in ("access-1", "access-2"):
        found = await read.access_token(digest(name))
        assert found is not None
        token, of = found
        assert token.ended_at == NOW + 1
        assert not token.is_live(NOW + 2)
        assert of is not None
        assert not of.is_live(NOW + 2)
    for other in (
        await read.code(digest("code-1")),
        await read.refresh_token(digest("refresh-1")),
    ):
        assert other is not None
        assert not other[1].is_live(NOW + 2)


@pytest.mark.parametrize(
    ("method", "key"),
    [
        ("end_by_authority", "man-1"),
        ("end_by_actor", "per-1"),
        ("end_by_subject", "org-1"),
        ("end_by_session", "ses-1"),
        ("end_by_client", "client-1"),
    ],
)
async def test_grants_end_by_what_they_rest_on(store: SqlStore, method: str, key: str) -> None:
    other = grant(
        "grant-4",
        authority="man-4",
        actor="per-4",
        subject="org-4",
        session_id="ses-4",
        client_id="client-4",
    )

    async def work(writes: ProviderWrites) -> None:
        await writes.add_grant(grant("grant-1"))
        await writes.add_grant(grant("grant-2"))
        await writes.add_grant(grant("grant-3", expires_at=NOW))
        await writes.add_grant(other)
        await writes.add_access_token(access_token())
        await writes.add_access_token(access_token("access-4", grant_id="grant-4"))

    await store.provider.write(work)

    async def end(uow: UnitOfWork) -> int:
        count: int = await getattr(uow.grants, method)(key, NOW + 1, "revoked")
        return count

    assert await store.write(end) == 2  # the third had expired
    assert await store.write(end) == 0
    ended = await store.provider.read.access_token(digest("access-1"))
    kept = await store.provider.read.access_token(digest("access-4"))
    assert ended is not None
    assert kept is not None
    assert not ended[0].is_live(NOW + 1)
    assert kept == (access_token("access-4", grant_id="grant-4"), other)


async def race(count: int, attempt: Callable[[], Awaitable[Any]]) -> list[Any]:
    return list(await asyncio.gather(*(attempt() for _ in range(count))))


async def test_of_fifty_redemptions_of_a_code_exactly_one_wins(store: SqlStore) -> None:
    await add_tokens(store)
    outcome = await race(
        50, lambda: store.provider.write(lambda w: w.claim_code(digest("code-1"), NOW + 1))
    )
    assert sorted(outcome) == [False] * 49 + [True]
    found = await store.provider.read.code(digest("code-1"))
    assert found is not None
    assert found[0].used_at == NOW + 1


async def test_of_fifty_rotations_of_a_refresh_token_exactly_one_wins(store: SqlStore) -> None:
    await add_tokens(store)
    outcome = await race(
        50,
        lambda: store.provider.write(lambda w: w.claim_refresh_token(digest("refresh-1"), NOW + 1)),
    )
    assert sorted(outcome) == [False] * 49 + [True]


async def test_of_fifty_uses_of_a_one_time_value_exactly_one_counts(store: SqlStore) -> None:
    outcome = await race(
        50, lambda: store.provider.write(lambda w: w.use_once(digest("jti"), NOW + 1))
    )
    assert sorted(outcome) == [False] * 49 + [True]


async def test_of_fifty_uses_of_an_offer_exactly_one_wins(store: SqlStore) -> None:
    await populate(store)
    await store.write(lambda uow: uow.credentials.add_offer(offer()))
    outcome = await race(
        50, lambda: store.provider.write(lambda w: w.claim_offer("offer-1", NOW + 1))
    )
    assert sorted(outcome) == [False] * 49 + [True]


async def test_an_offer_is_read_by_its_code(store: SqlStore) -> None:
    await populate(store)
    await store.write(lambda uow: uow.credentials.add_offer(offer()))
    assert await store.provider.read.offer(digest("offer-1")) == PreAuthorizedOffer(
        offer_id="offer-1",
        code_hash=digest("offer-1"),
        transaction_code_hash=digest("1234"),
        wrong_tries=0,
        subject="org-1",
        actor="per-1",
        authority="man-1",
        configuration_ids=("company-identity", "representative"),
        expires_at=NOW + DAY,
        used_at=None,
        ended_at=None,
    )
    assert await store.provider.read.offer(digest("offer-2")) is None


async def test_a_wrong_transaction_code_too_many_ends_the_offer(store: SqlStore) -> None:
    await populate(store)
    await store.write(lambda uow: uow.credentials.add_offer(offer()))
    ended = [
        await store.provider.write(
            lambda w: w.count_wrong_transaction_code("offer-1", NOW + 1, 3, NOW + 2000)
        )
        for _ in range(4)
    ]
    assert ended == [False, False, True, True]
    found = await store.provider.read.offer(digest("offer-1"))
    assert found is not None
    assert (found.wrong_tries, found.ended_at) == (3, NOW + 1)
    assert found.next_try_at == NOW + 2000
    assert not await store.provider.write(lambda w: w.claim_offer("offer-1", NOW + 2))


async def test_a_refusal_that_is_returned_keeps_what_was_written(
    store: SqlStore, database: Database
) -> None:
    await add_tokens(store)

    async def work(writes: ProviderWrites) -> str:
        await writes.end_grant("grant-1", NOW, "code used again")
        await writes.audit(AuditEvent("code.reused", {"client_id": "client-1"}))
        return "invalid_grant"

    assert await store.provider.write(work) == "invalid_grant"
    rows = await store.read.operations.audit_rows(5)
    assert rows == [b'{"at":%d,"event":"code.reused","facts":{"client_id":"client-1"}}' % NOW]
    kept = table("authorization_grant")
    row = await database.one(Statement(select(kept.c.ended_at, kept.c.end_reason)))
    assert row == (NOW, "code used again")
