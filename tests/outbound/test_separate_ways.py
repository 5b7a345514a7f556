"""What is fetched at a stranger's word takes no turn from the keys of clients."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from corpid.settings import Settings
from corpid.web.app import application
from corpid.wiring import service as wiring
from oidc.ports import Fetched
from tests.support.provider_world import NOW, client, key
from tests.support.registration_world import ISSUER, MASTER, initialised

KEYS = "https://rp.sample-bank.example/jwks"
SLOW = "https://slow.sample-bank.example/request"


class OneTurn:
    """A way with one turn; one server never answers, the other at once."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._turns = asyncio.Semaphore(1)

    async def get(self, url: str, **_: Any) -> Fetched:
        async with self._turns:
            if url == SLOW:
                await asyncio.Event().wait()
            document = {"keys": [dict(key("first").public_jwk)]}
            return Fetched(json.dumps(document).encode(), "application/json", None)


@pytest.fixture(scope="session")
def schema() -> Callable[[str], Awaitable[None]]:
    return initialised


async def test_a_request_uri_that_does_not_answer_holds_up_no_keys(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "outbound_way", OneTurn)
    settings = Settings(
        issuer=ISSUER, database_url=database_url, master_key=MASTER.text(), argon2_memory_kib=64
    )
    async with application(settings, clock=lambda: NOW) as built:
        provider = built.service.provider
        stuck = asyncio.ensure_future(provider.outbound.get(SLOW, max_bytes=1))
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            keys = await provider.client_keys.of(client("service", jwks=None, jwks_uri=KEYS))
        assert keys is not None
        stuck.cancel()
