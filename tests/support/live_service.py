"""The real application on a real loopback port, in a thread with a loop of its own.

    live          the service as a test meets it: on SQLite under an issuer without a path, and on
                  PostgreSQL under an issuer with one; shared by the tests of a session
    strict        a second process' worth of the same service that demands DPoP nonces
    proxied       another that stands behind a proxy which hands over client certificates
    cast          makes businesses, people and relying parties that are this test's own
    http          connections to the service
    visitor       a browser, with nobody signed in

Tests share the service and nothing in it: whoever needs a business to suspend makes one.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
import uvloop

from corpid.settings import Settings
from corpid.web.app import application
from corpid.web.edge import configure_logging
from corpid.web.http1 import Connection
from corpid.web.listening import listen
from tests.support.fapi_client_http import Http
from tests.support.live_cast import Cast, new_cast
from tests.support.live_visitor import Visitor
from tests.support.service_process import Site, free_port, new_site

VARIANTS = {"sqlite-root": ("sqlite", ""), "postgresql-path": ("postgresql", "/corp/id")}
START_SECONDS = 60.0


class _Server:
    """One application that answers at one port, until it is stopped."""

    def __init__(self) -> None:
        self._ready: Future[Settings] = Future()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, settings: Coroutine[Any, Any, Settings]) -> Settings:
        """Begin to serve; `settings` gives them, in the loop that serves."""
        self._thread = threading.Thread(target=self._run, args=(settings,), daemon=True)
        self._thread.start()
        return self._ready.result(START_SECONDS)

    def stop(self) -> None:
        """Answer what is being asked, and end."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(START_SECONDS)

    def _run(self, settings: Coroutine[Any, Any, Settings]) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve(settings))
        except BaseException as error:
            # To whoever waits for the start; after it, to the thread's own report.
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self, making: Coroutine[Any, Any, Settings]) -> None:
        settings = await making
        # To standard error, as the service does: other tests of this process read what they print.
        configure_logging(settings.log_format)
        with listen(settings.host, settings.port) as listening:
            async with application(settings) as built:
                # As `corpid.web.app.serve` has it, without the signals of a main program.
                config = uvicorn.Config(
                    built.edge,
                    http=Connection,
                    ws="none",
                    lifespan="off",
                    access_log=False,
                    log_config=None,
                    server_header=False,
                    proxy_headers=False,
                    timeout_graceful_shutdown=2,
                    ssl_certfile=settings.tls_certificate,
                    ssl_keyfile=settings.tls_key,
                )
                self._server = uvicorn.Server(config)
                self._ready.set_result(settings)
                await self._server.serve(sockets=[listening])


@dataclass(slots=True)
class Live:
    """A running service. ``port`` is where its issuer's URL leads."""

    site: Site
    servers: list[_Server] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        """The issuer."""
        return self.site.issuer

    @property
    def path(self) -> str:
        """The issuer's path, "" for a root issuer."""
        return urlsplit(self.issuer).path

    @property
    def port(self) -> int:
        """The port of the issuer."""
        return self.site.port

    @property
    def origin(self) -> str:
        """Scheme, host and port of the issuer."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    def inserted(self, name: str) -> str:
        """The path of a well-known document whose name is inserted (RFC 8414 3)."""
        return f"/.well-known/{name}{self.path}"

    def strict(self) -> int:
        """The port of another process' worth of the service, one that demands DPoP nonces."""
        return self.another("strict", dpop_nonce="required")

    def another(self, name: str, **changed: Any) -> int:
        """The port of another process' worth of the service, with other settings."""
        if name not in self.ports:
            port = free_port()
            server = _Server()
            self.servers.append(server)
            settings = self.site.settings.model_copy(update={**changed, "port": port})
            server.start(_given(Settings(**settings.model_dump())))
            self.ports[name] = port
        return self.ports[name]


async def _given(settings: Settings) -> Settings:
    return settings


@asynccontextmanager
async def serving(site: Site) -> AsyncIterator[Live]:
    """The service for one test alone, with settings of its own."""
    server = _Server()
    try:
        await asyncio.to_thread(server.start, _given(site.settings))
        yield Live(site, [server])
    finally:
        await asyncio.to_thread(server.stop)
        await site.close()


class LiveServices:
    """The services of a session, each started when it is first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: dict[str, Live] = {}

    def get(self, variant: str) -> Live:
        """The service of that variant."""
        if variant not in self._running:
            self._running[variant] = self._start(variant)
        return self._running[variant]

    def close(self) -> None:
        """Stop all, and drop their databases."""
        for live in self._running.values():
            for server in live.servers:
                server.stop()
            asyncio.run(live.site.close())

    def _start(self, variant: str) -> Live:
        engine, path = VARIANTS[variant]
        directory = self._directory / variant
        directory.mkdir()
        sites: list[Site] = []

        async def making() -> Settings:
            site = await new_site(
                engine,
                directory,
                path=path,
                fsync=False,
                argon2_memory_kib=64,
                wallet_attestation="challenge",
                key_attestation="accepted",
            )
            sites.append(site)
            return site.settings

        server = _Server()
        server.start(making())
        return Live(sites[0], [server])


@pytest.fixture(scope="session")
def live_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServices]:
    services = LiveServices(tmp_path_factory.mktemp("live"))
    yield services
    services.close()


@pytest.fixture(params=VARIANTS)
def live(request: pytest.FixtureRequest, live_services: LiveServices) -> Live:
    """The running service."""
    return live_services.get(request.param)


@pytest.fixture
async def http(live: Live) -> AsyncIterator[Http]:
    """Connections to the service."""
    connections = Http(live.port)
    yield connections
    await connections.close()


@pytest.fixture
async def strict(live: Live) -> AsyncIterator[Http]:
    """Connections to the process that demands DPoP nonces."""
    connections = Http(live.strict())
    yield connections
    await connections.close()


@pytest.fixture
async def cast(live: Live) -> AsyncIterator[Cast]:
    """Makes who appears in a test, as another process of the same database."""
    async with live.site.foundation() as base:
        made = new_cast(base)
        yield made
        made.close()


@pytest.fixture
def visitor(live: Live) -> Iterator[Visitor]:
    """A browser."""
    with Visitor(live.issuer) as browser:
        yield browser
