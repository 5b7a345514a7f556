"""Attestations that were withdrawn (OpenID4VCI 1.0, D.1 and E; Token Status List, 8.3)."""

from typing import Any

import pytest

from keys.signer import LocalSigner
from oidc.attestation_status import MAX_LISTS, PAUSE, AttestationStatuses
from oidc.attesters import NotAttested
from oidc.errors import InvalidProof, TemporarilyUnavailable
from oidc.formats.status_list import StatusList
from oidc.formats.status_token import sign_token, token_claims
from oidc.issuer.key_attestation import check_key_attestation
from oidc.ports import FetchFailed
from oidc.secrets import Nonces
from tests.support.attested_world import INSTANCE, OTHER, PROVIDER, ask, attested, headers
from tests.support.attesting import TableAttesters
from tests.support.outbound import TableOutbound
from tests.support.provider_world import NOW

URI = "https://wallet-provider.example/status/1"
TRUSTED = PROVIDER.trusted()
VALID, WITHDRAWN, SUSPENDED = 0, 1, 2


class Lists:
    """A wallet provider's status list, and whoever reads it; ``now`` may be moved."""

    def __init__(self) -> None:
        self.now: float = NOW
        self.outbound = TableOutbound()
        self.statuses = AttestationStatuses(self.outbound, lambda: self.now)

    async def publish(
        self,
        *,
        signer: LocalSigner = PROVIDER.signer,
        header: Any = None,
        uri: str = URI,
        at: str = URI,
        expires: int = 3600,
    ) -> None:
        statuses = StatusList(2, 64)
        for index in (WITHDRAWN, SUSPENDED):
            statuses.set(index, index)
        claims = token_claims(
            uri, statuses, issued_at=int(self.now), expires_at=int(self.now) + expires, ttl=60
        )
        chosen = PROVIDER.header if header is None else header
        self.outbound.says(at, (await sign_token(signer, claims, header=chosen)).encode())

    async def check(self, index: object = VALID, uri: object = URI) -> None:
        claims = {"status": {"status_list": {"idx": index, "uri": uri}}}
        await self.statuses.check(claims, TRUSTED)


@pytest.fixture
def lists() -> Lists:
    return Lists()


async def test_without_a_status_nobody_is_asked(lists: Lists) -> None:
    await lists.statuses.check({}, TRUSTED)
    assert lists.outbound.asked == []


async def test_a_valid_entry_is_good_and_its_list_is_asked_for_once(lists: Lists) -> None:
    await lists.publish()
    await lists.check()
    await lists.check()
    assert lists.outbound.asked == [URI]
    lists.now += 61
    await lists.check()
    assert lists.outbound.asked == [URI, URI]


@pytest.mark.parametrize("index", [WITHDRAWN, SUSPENDED])
async def test_what_was_withdrawn_or_suspended_counts_no_more(lists: Lists, index: int) -> None:
    await lists.publish()
    with pytest.raises(NotAttested, match="withdrawn"):
        await lists.check(index)


async def test_an_entry_out_of_range_is_refused(lists: Lists) -> None:
    await lists.publish()
    with pytest.raises(NotAttested, match="no such entry"):
        await lists.check(100_000)


@pytest.mark.parametrize(
    "status",
    [
        "text",
        {},
        {"identifier_list": {"id": "1"}},
        {"status_list": "text"},
        {"status_list": {"idx": "1", "uri": URI}},
        {"status_list": {"idx": -1, "uri": URI}},
        {"status_list": {"idx": 1}},
    ],
)
async def test_a_status_that_is_not_understood_is_refused(lists: Lists, status: object) -> None:
    with pytest.raises(NotAttested, match="status"):
        await lists.statuses.check({"status": status}, TRUSTED)


@pytest.mark.parametrize(
    "how",
    [
        {"signer": OTHER.signer, "header": OTHER.header},
        {"signer": OTHER.signer},
        {"header": {}},
        {"uri": "https://wallet-provider.example/status/2"},
        {"expires": -60},
    ],
)
async def test_a_list_that_is_not_the_attesters_or_not_of_now_is_no_list(
    lists: Lists, how: dict[str, Any]
) -> None:
    await lists.publish(**how)
    with pytest.raises(TemporarilyUnavailable):
        await lists.check()


@pytest.mark.parametrize("body", [b"", b"text", b"\xff", b"a.b.c"])
async def test_foreign_text_is_no_list(lists: Lists, body: bytes) -> None:
    lists.outbound.says(URI, body)
    with pytest.raises(TemporarilyUnavailable):
        await lists.check()


async def test_a_list_that_cannot_be_had_is_asked_for_again_after_a_pause(lists: Lists) -> None:
    lists.outbound.documents[URI] = FetchFailed("the server does not answer")
    for _ in range(2):
        with pytest.raises(TemporarilyUnavailable):
            await lists.check()
    assert lists.outbound.asked == [URI]
    await lists.publish()
    lists.now += PAUSE
    await lists.check()


async def test_a_list_that_was_had_does_not_serve_when_it_is_stale(lists: Lists) -> None:
    await lists.publish()
    await lists.check()
    lists.outbound.documents.clear()
    lists.now += 61
    with pytest.raises(TemporarilyUnavailable):
        await lists.check()


async def test_lists_are_bounded(lists: Lists) -> None:
    for number in range(MAX_LISTS + 5):
        uri = f"{URI}/{number}"
        await lists.publish(uri=uri, at=uri)
        await lists.check(VALID, uri)
    assert len(lists.statuses.kept) == MAX_LISTS


async def test_a_withdrawn_wallet_attestation_authenticates_nobody(lists: Lists) -> None:
    await lists.publish()
    world = attested(statuses=lists.statuses)

    async def with_entry(index: int) -> Any:
        status = {"status_list": {"idx": index, "uri": URI}}
        return await ask(world, await headers(world, attestation={"status": status}))

    assert (await with_entry(VALID)).status == 200
    withdrawn = await with_entry(WITHDRAWN)
    assert (withdrawn.status, withdrawn.error) == (401, "invalid_client_attestation")
    lists.outbound.documents.clear()
    lists.now += 61
    assert (await with_entry(VALID)).status == 503


async def test_a_withdrawn_key_attestation_is_no_proof(lists: Lists) -> None:
    await lists.publish()
    nonces = Nonces(b"c" * 32, 300)

    async def with_entry(index: int) -> None:
        compact = await PROVIDER.key_attestation(
            INSTANCE,
            nonce=nonces.issue(NOW, bytes),
            status={"status_list": {"idx": index, "uri": URI}},
        )
        trusted = TableAttesters(TRUSTED, statuses=lists.statuses)
        await check_key_attestation(
            compact, trusted, nonces=nonces, now=NOW, need=None, expires=True
        )

    await with_entry(VALID)
    with pytest.raises(InvalidProof, match="withdrawn"):
        await with_entry(WITHDRAWN)
