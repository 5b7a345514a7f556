"""A wallet has so many live credentials of a type by one authorization, and not without end."""

import orjson
import pytest

from corpid.domain.credential import CredentialState
from corpid.services.renewals import Renewals
from corpid.storage.database import Database
from keys.signer import LocalSigner, generate
from tests.issuer.test_batch import batch, by_state, credentials_in
from tests.issuer.test_renewal import long_grant, refreshed
from tests.support.asgi import Answer
from tests.support.issuer_world import World

SIZE, MOST = 3, 7
ISSUED, REPLACED = CredentialState.ISSUED, CredentialState.REPLACED


@pytest.fixture
async def small(database: Database) -> World:
    return await World(database, batch_size=SIZE, most_live=MOST).prepare()


def fresh(count: int = SIZE) -> list[LocalSigner]:
    return [generate("ES256") for _ in range(count)]


def denied(answer: Answer) -> bool:
    return (answer.status, answer.error) == (400, "credential_request_denied")


async def test_more_than_may_live_are_refused_audited_and_counted_whole(small: World) -> None:
    token = await small.grant()
    for _ in range(2):
        credentials_in(await batch(small, token, fresh()))
    assert denied(await batch(small, token, fresh(2)))
    (told,) = await small.store.read.operations.audit_rows(9, "credential.refused")
    assert orjson.loads(told)["facts"]["reason"] == "too_many_live"
    assert len(credentials_in(await batch(small, token, fresh(1)))) == 1
    assert denied(await batch(small, token, fresh(1)))
    assert await by_state(small) == {ISSUED: MOST}
    assert len(credentials_in(await batch(small, await small.grant(), fresh()))) == SIZE


async def test_the_same_keys_again_are_no_more(small: World) -> None:
    """A batch that is retried, or renewed by a later token: what gives way does not count."""
    token, keys = await long_grant(small), fresh()
    for _ in range(2):
        credentials_in(await batch(small, token, fresh()))
    for _ in range(2):
        credentials_in(await batch(small, token, [keys[0]]))
    token = await refreshed(small, token)
    credentials_in(await batch(small, token, [keys[0]]))
    assert denied(await batch(small, token, [keys[0], keys[1]]))
    assert denied(await batch(small, token, [keys[1]]))
    small.now += 24 * 3600
    await Renewals(small.store, small.clock).end_due()
    assert await by_state(small) == {ISSUED: MOST, REPLACED: 2}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("way", ["deleted", "revoked", "expired"])
async def test_room_is_made_by_what_is_deleted_revoked_or_has_expired(
    small: World, way: str
) -> None:
    token, wallet = await long_grant(small), small.wallet()
    answers = [await batch(small, token, fresh()) for _ in range(2)]
    credentials_in(await batch(small, token, fresh(1)))
    assert denied(await batch(small, token, fresh(1)))
    if way == "deleted":
        told = {"notification_id": answers[0].json["notification_id"]}
        answer = await wallet.notify(token, {**told, "event": "credential_deleted"})
        assert answer.status == 204
    elif way == "revoked":
        one = (await small.store.read.credentials.find())[0]
        await small.revocation.revoke_credential(one.credential_id, "operator:test", "used")
    else:
        token = await refreshed(small, token, 29 * 24 * 3600)
        assert denied(await batch(small, token, fresh(1)))
        token = await refreshed(small, token, 23 * 3600)
    assert len(credentials_in(await batch(small, token, fresh(1)))) == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_each_type_has_its_own(small: World) -> None:
    token = await small.grant()
    for _ in range(2):
        credentials_in(await batch(small, token, fresh()))
    credentials_in(await batch(small, token, fresh(1)))
    assert (await small.wallet().ask(token, of="company-identity")).status == 200


async def test_the_same_keys_in_another_format_are_more(small: World) -> None:
    token, keys = await small.grant(), fresh()
    for holders in (keys, fresh()):
        credentials_in(await batch(small, token, holders))
    assert denied(await batch(small, token, keys, of="representative-vc-jwt"))
    assert len(credentials_in(await batch(small, token, keys[:1], of="representative-vc-jwt"))) == 1
