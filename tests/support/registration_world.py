"""The whole application over ASGI, with a movable clock and others' servers as a table."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from corpid.services.bootstrap import initialise
from corpid.services.initial_tokens import InitialTokens
from corpid.services.registration_policy import RegistrationPolicy
from corpid.settings import Settings
from corpid.storage import migrations
from corpid.storage.database import open_database
from corpid.storage.store import SqlStore
from corpid.web.app import Application, application
from keys.sealing import MasterKey
from tests.support.asgi import FORM, Answer, call
from tests.support.outbound import TableOutbound
from tests.support.provider_world import ISSUER, NOW, key

CALLBACK = "https://rp.sample-bank.example/callback"
MASTER = MasterKey(b"m" * 32)
JSON = (b"content-type", b"application/json")
Document = dict[str, Any]


async def initialised(url: str) -> None:
    """A migrated database with its foundations, as a template of the tests."""
    import secrets

    await migrations.migrate(url)
    database = await open_database(url)
    try:
        store = SqlStore(database, lambda: NOW, secrets.token_bytes)
        await initialise(store, MASTER, ISSUER, lambda: NOW, secrets.token_bytes)
    finally:
        await database.close()


def jwks(name: str = "rp", alg: str = "ES256") -> Document:
    """A key set of one key, by its name."""
    return {"keys": [dict(key(name, alg).public_jwk)]}


def metadata(**changes: Any) -> Document:
    """What an honest fapi2 client registers; None leaves a member out."""
    usual: Document = {
        "redirect_uris": [CALLBACK],
        "client_name": "Sample Bank",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": jwks(),
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


class RegistrationWorld:
    """``outbound`` are others' servers; ``wait`` moves the clock."""

    def __init__(self, built: Application, outbound: TableOutbound, clock: list[float]) -> None:
        self.built = built
        self.outbound = outbound
        self._clock = clock
        self._counted = 0
        base = built.service.foundation
        self.store: Any = base.store
        self.database = base.database
        self.tokens = InitialTokens(base.store, base.hasher, base.clock, base.random)

    @property
    def now(self) -> float:
        return self._clock[0]

    def wait(self, seconds: float) -> None:
        self._clock[0] += seconds

    def count(self) -> int:
        """Another number each time."""
        self._counted += 1
        return self._counted

    async def initial_token(self, policy: RegistrationPolicy | None = None, **bounds: int) -> str:
        return (await self.tokens.create("operator:test", policy=policy, **bounds)).token

    async def ask(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        token: str | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        body: bytes | None = None,
    ) -> Answer:
        sent = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
        if document is not None:
            sent.append(JSON)
            body = json.dumps(document).encode()
        return await call(
            self.built.edge, method, path=path, headers=[*sent, *headers], body=body or b""
        )

    async def form(self, path: str, form: dict[str, str], *headers: tuple[bytes, bytes]) -> Answer:
        from urllib.parse import urlencode

        return await call(
            self.built.edge,
            "POST",
            path=path,
            headers=[FORM, *headers],
            body=urlencode(form).encode(),
        )

    async def register(self, document: Any = None, token: str | None = None) -> Answer:
        """POST /register, by a fresh initial access token where none is given."""
        return await self.ask(
            "POST",
            "/register",
            metadata() if document is None else document,
            token=token if token is not None else await self.initial_token(),
        )

    async def registered(self, **changes: Any) -> Document:
        answer = await self.register(metadata(**changes))
        assert answer.status == 201, answer.body
        return answer.json

    async def refused(self, **changes: Any) -> str:
        answer = await self.register(metadata(**changes))
        assert answer.status == 400, answer.body
        return answer.error

    async def manage(self, method: str, client: Document, document: Any = None) -> Answer:
        """A request to the client's registration_client_uri, with its token."""
        uri = str(client["registration_client_uri"])
        return await self.ask(
            method,
            uri.removeprefix(ISSUER),
            document,
            token=client["registration_access_token"],
        )

    async def events(self, name: str) -> list[bytes]:
        rows: list[bytes] = await self.store.read.operations.audit_rows(100, name)
        return rows


@asynccontextmanager
async def registration_world(url: str, **settings: Any) -> AsyncIterator[RegistrationWorld]:
    clock: list[float] = [NOW]
    outbound = TableOutbound()
    given = {"registration_profiles": ("fapi2", "oidc"), **settings}
    configured = Settings(
        issuer=ISSUER, database_url=url, master_key=MASTER.text(), argon2_memory_kib=64, **given
    )
    async with application(configured, clock=lambda: clock[0], outbound=outbound) as built:
        yield RegistrationWorld(built, outbound, clock)
