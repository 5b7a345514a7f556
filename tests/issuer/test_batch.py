"""Several credentials in one response (OpenID4VCI 1.0, 3.3.2): one decision, one transaction."""

from typing import Any

import pytest

from corpid.domain.credential import CredentialState, EntryStatus
from corpid.storage.database import Database
from corpid.storage.errors import UniqueViolation
from keys import base64url
from keys.signer import LocalSigner, generate
from oidc.issuer.issuing import stated_time
from oidc.issuer.metadata import issuer_metadata
from tests.support.asgi import Answer
from tests.support.issuer_world import (
    CLERK,
    MANDATE,
    ORGANISATION,
    World,
    entry_of,
    payload_of,
)

_HOLDERS = [generate("ES256") for _ in range(10)]
_DAY = 24 * 3600
SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def batch(
    world: World,
    token: str,
    holders: list[LocalSigner] = _HOLDERS,
    *,
    of: str = "representative",
    **proof: Any,
) -> Answer:
    """One request with a proof for each key, all with one c_nonce."""
    wallet = world.wallet()
    nonce = wallet.nonce()
    proofs = [await wallet.proof(signer=one, nonce=nonce, **proof) for one in holders]
    body = {"credential_configuration_id": of, "proofs": {"jwt": proofs}}
    return await wallet.ask(token, body)


def credentials_in(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.body
    return [one["credential"] for one in answer.json["credentials"]]


async def by_state(world: World) -> dict[CredentialState, int]:
    found = await world.store.read.credentials.find(organisation_id=ORGANISATION)
    states = [one.state for one in found]
    return {state: states.count(state) for state in set(states)}


async def test_8_3_one_credential_for_each_key_in_the_order_of_the_proofs(world: World) -> None:
    answer = await batch(world, await world.grant())
    bound = [payload_of(one)["cnf"]["jwk"] for one in credentials_in(answer)]
    assert [jwk["x"] for jwk in bound] == [one.public_jwk["x"] for one in _HOLDERS]
    assert set(answer.json) == {"credentials", "notification_id"}
    assert await by_state(world) == {CredentialState.ISSUED: 10}
    assert await world.wrote("replay") == 1, "one transaction, one burnt proof"
    (issued,) = await world.store.read.operations.audit_rows(10, "credential.issued")
    assert issued.count(b'"credential_id"') == 10


async def test_15_4_1_nothing_in_a_batch_links_its_members(world: World) -> None:
    issued = credentials_in(await batch(world, await world.grant(CLERK, MANDATE)))
    payloads = [payload_of(one) for one in issued]
    entries = {entry_of(one) for one in issued}
    assert len(entries) == len(issued), "a status entry of its own"
    disclosures = [text for one in issued for text in one.split("~")[1:-1]]
    salts = [base64url.decode(text)[2:24] for text in disclosures]
    assert len(set(salts)) == len(disclosures), "salts of its own"
    digests = [digest for payload in payloads for digest in payload["_sd"]]
    assert len(set(digests)) == len(digests)
    assert len({one.partition("~")[0].rpartition(".")[2] for one in issued}) == len(issued)
    for name in ("iat", "exp"):
        assert all(payload[name] % _DAY == 0 for payload in payloads), "the same for thousands"


@SQLITE
@pytest.mark.parametrize(
    ("lifetime", "grain"), [(30 * _DAY, _DAY), (_DAY, 3600), (3600, 60), (60, 1)]
)
def test_15_4_1_times_are_rounded_by_less_than_a_seventh_of_a_life(
    engine: str, lifetime: int, grain: int
) -> None:
    now = 1_800_012_345.6
    said = stated_time(now, lifetime)
    assert said % grain == 0
    assert 0 <= now - said < grain + 1


@SQLITE
async def test_12_2_4_batch_size_stands_in_the_metadata_where_it_is_two_or_more(
    database: Database,
) -> None:
    world = World(database, batch_size=2)
    offered = issuer_metadata(world.issuer)["batch_credential_issuance"]
    assert offered == {"batch_size": 2}
    assert "batch_credential_issuance" not in issuer_metadata(World(database, batch_size=1).issuer)


@SQLITE
@pytest.mark.parametrize("size", [1, 2])
async def test_more_proofs_than_batch_size_are_refused(database: Database, size: int) -> None:
    world = await World(database, batch_size=size).prepare()
    token = await world.grant()
    answer = await batch(world, token, _HOLDERS[: size + 1])
    assert (answer.status, answer.error) == (400, "invalid_credential_request")
    assert await world.wrote("credential") == 0
    assert len(credentials_in(await batch(world, token, _HOLDERS[:size]))) == size


@SQLITE
async def test_two_proofs_of_one_key_are_refused(world: World) -> None:
    answer = await batch(world, await world.grant(), [_HOLDERS[0], _HOLDERS[1], _HOLDERS[0]])
    assert (answer.status, answer.error) == (400, "invalid_proof")


@SQLITE
async def test_one_bad_proof_spoils_the_whole_request(world: World) -> None:
    """8.3.1.2: one is invalid, one has no c_nonce, one has a stale one."""
    wallet, token = world.wallet(), await world.grant()
    good = [await wallet.proof(signer=one) for one in _HOLDERS[:2]]
    spoilt = {
        await wallet.proof(signer=_HOLDERS[2], aud="https://elsewhere"): "invalid_proof",
        await wallet.proof(signer=_HOLDERS[2], without=("nonce",)): "invalid_proof",
        await wallet.proof(signer=_HOLDERS[2], nonce="stale"): "invalid_nonce",
        good[0][:-4] + "AAAA": "invalid_proof",
    }
    for bad, error in spoilt.items():
        body = {"credential_configuration_id": "representative", "proofs": {"jwt": [*good, bad]}}
        answer = await wallet.ask(token, body)
        assert (answer.status, answer.error) == (400, error)
    assert await world.wrote("credential") == 0


@SQLITE
async def test_8_2_proofs_are_of_one_kind(world: World) -> None:
    wallet = world.wallet()
    proofs = {"jwt": [await wallet.proof()], "attestation": ["x.y.z"]}
    body = {"credential_configuration_id": "representative", "proofs": proofs}
    assert (await wallet.ask(await world.grant(), body)).error == "invalid_credential_request"


async def test_a_retry_of_a_batch_ends_the_unanswered_one_whole(world: World) -> None:
    token = await world.grant()
    first = credentials_in(await batch(world, token))
    await batch(world, token, [*_HOLDERS[:4], generate("ES256")])
    assert await by_state(world) == {CredentialState.ISSUED: 11, CredentialState.REPLACED: 4}
    for one in first[:4]:
        assert await status_of(world, one) is EntryStatus.INVALID
    assert await status_of(world, first[4]) is EntryStatus.VALID


async def test_11_a_notification_is_about_the_whole_batch(world: World) -> None:
    wallet, token = world.wallet(), await world.grant()
    answer = await batch(world, token)
    told = {"notification_id": answer.json["notification_id"], "event": "credential_accepted"}
    for _ in range(2):
        assert (await wallet.notify(token, told)).status == 204
    assert await by_state(world) == {CredentialState.ACCEPTED: 10}
    told["event"] = "credential_failure"  # one could not be stored: all have failed (11.1)
    assert (await wallet.notify(token, told)).status == 204
    assert await by_state(world) == {CredentialState.REVOKED: 10}
    for one in credentials_in(answer):
        assert await status_of(world, one) is EntryStatus.INVALID


@SQLITE
async def test_11_part_of_a_batch_has_no_notification_id(world: World) -> None:
    wallet, token = world.wallet(), await world.grant()
    answer = await batch(world, token)
    given = str(answer.json["notification_id"]).split(".")
    forged = ".".join([given[0], given[-1]])
    told = {"notification_id": forged, "event": "credential_deleted"}
    assert (await wallet.notify(token, told)).error == "invalid_notification_id"


@SQLITE
async def test_a_batch_is_all_or_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    token = await world.grant()
    await batch(world, token, _HOLDERS[:1])
    ((list_id, taken),) = [
        (one.entry.list_id, one.entry)
        for one in await world.store.read.credentials.find(organisation_id=ORGANISATION)
    ]
    entries = iter([*[await world.allocator.reserve() for _ in range(3)], taken])

    async def reserve() -> Any:
        return next(entries)

    monkeypatch.setattr(world.allocator, "reserve", reserve)
    with pytest.raises(UniqueViolation):
        await batch(world, token, _HOLDERS[1:5])
    assert await world.wrote("credential") == 1, list_id


async def status_of(world: World, credential: str) -> EntryStatus:
    list_id, index = entry_of(credential)
    found = await world.store.read.credentials.find(organisation_id=ORGANISATION)
    (entry,) = [
        one.entry for one in found if (one.entry.list_id, one.entry.index) == (list_id, index)
    ]
    return await world.store.read.status_lists.status_of(entry)
