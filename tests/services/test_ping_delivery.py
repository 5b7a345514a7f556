"""Pings (CIBA Core 1.0, 10.2): a few times at most, and never after the request has expired."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from corpid.services.backchannel import tell
from corpid.services.ping_delivery import TRIES, PingDelivery, Unreachable
from oidc.provider.grants.ciba import GRANT_TYPE as CIBA
from oidc.records import PolledRequest
from tests.support.pages_world import MASTER, PagesWorld, pages_world

ADDRESS = "https://rp.sample-bank.example/ciba"
CODE = "cid_ba_sample"
TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"


class Receiver:
    """The client's server."""

    def __init__(self) -> None:
        self.answers: list[int | Unreachable] = []
        self.received: list[tuple[str, str, bytes]] = []

    async def __call__(self, address: str, token: str, body: bytes) -> int:
        self.received.append((address, token, body))
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Unreachable):
            raise answer
        return answer


class Delivery:
    def __init__(self, world: PagesWorld) -> None:
        self.world = world
        self.receiver = Receiver()
        self.failures: list[Exception] = []
        self.worker = PingDelivery(
            world.store,
            MASTER,
            self.receiver,
            lambda: world.now,
            failed=self.failures.append,
        )

    async def answered(self) -> None:
        """A person has answered a request of the pinged client."""
        code_hash = self.world.provider.hasher.hash(CODE)
        now_ms = int(self.world.now * 1000)
        told = {"auth_req_id": CODE, "client_notification_token": TOKEN}
        row = PolledRequest(
            code_hash=code_hash,
            grant_type=CIBA,
            client_id="pinged",
            user_code_hash=None,
            subject=None,
            actor="per-chan",
            parameters={},
            sealed=self.world.provider.backchannel.seal(code_hash, orjson.dumps(told)),
            interval=5000,
            next_poll_at=now_ms,
            created_at=now_ms,
            expires_at=now_ms + 600_000,
        )
        random = self.world.provider.random
        await self.world.write(lambda uow: tell(uow, row, now_ms, random))


@pytest.fixture
async def delivery(tmp_path: Path, tmp_path_factory: Any) -> AsyncIterator[Delivery]:
    template = tmp_path_factory.getbasetemp() / "ping-template.db"
    async with pages_world(tmp_path, template) as world:
        await world.add_client("pinged", backchannel_client_notification_endpoint=ADDRESS)
        yield Delivery(world)


async def test_ciba_10_2_the_ping_has_the_token_and_names_the_request(delivery: Delivery) -> None:
    await delivery.answered()
    await delivery.worker.turn()
    body = orjson.dumps({"auth_req_id": CODE})
    assert delivery.receiver.received == [(ADDRESS, TOKEN, body)]
    await delivery.worker.turn()
    assert len(delivery.receiver.received) == 1, "told once"


@pytest.mark.parametrize("failure", [Unreachable("no answer"), 503, 429])
async def test_it_is_tried_again_a_few_times_and_then_given_up(
    delivery: Delivery, failure: int | Unreachable
) -> None:
    await delivery.answered()
    delivery.receiver.answers = [failure] * 10
    for _ in range(10):
        await delivery.worker.turn()
        delivery.world.wait(50)
    assert len(delivery.receiver.received) == TRIES
    assert await delivery.world.events("ping.given_up")


async def test_it_waits_between_two_tries(delivery: Delivery) -> None:
    await delivery.answered()
    delivery.receiver.answers = [503]
    await delivery.worker.turn()
    delivery.world.wait(4)
    await delivery.worker.turn()
    assert len(delivery.receiver.received) == 1
    delivery.world.wait(2)
    await delivery.worker.turn()
    assert len(delivery.receiver.received) == 2


@pytest.mark.parametrize("status", [302, 400, 401, 404])
async def test_a_redirect_or_refusal_is_the_end_of_it(delivery: Delivery, status: int) -> None:
    await delivery.answered()
    delivery.receiver.answers = [status]
    await delivery.worker.turn()
    delivery.world.wait(60)
    await delivery.worker.turn()
    assert len(delivery.receiver.received) == 1


async def test_nobody_is_told_after_the_request_has_expired(delivery: Delivery) -> None:
    await delivery.answered()
    delivery.world.wait(601)
    await delivery.worker.turn()
    assert delivery.receiver.received == []


async def test_a_disabled_client_is_not_told(delivery: Delivery) -> None:
    await delivery.answered()
    world = delivery.world
    await world.service.foundation.revocation.disable_client("pinged", "operator:tests")
    await delivery.worker.turn()
    assert delivery.receiver.received == []


async def test_no_token_stands_in_the_database_or_in_reports(delivery: Delivery) -> None:
    await delivery.answered()
    delivery.receiver.answers = [Unreachable("the server does not answer")]
    await delivery.worker.turn()
    assert delivery.failures
    assert TOKEN not in repr(delivery.failures)
    assert CODE not in repr(delivery.failures)
