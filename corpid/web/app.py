"""The application: hot endpoints, pages, and the little that operators ask of it."""

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from starlette.responses import JSONResponse

from corpid.settings import Settings
from corpid.version import __version__
from corpid.web.assembly import PageAssembly, assemble
from corpid.web.edge import Edge, appended
from corpid.web.http1 import Connection
from corpid.web.listening import Listening
from corpid.web.metrics import Metrics
from corpid.web.openapi import COMPONENTS, hot_paths
from corpid.web.operations import health_router, operations_app
from corpid.web.rendering import static_files
from corpid.web.routes import TABLE, hot_routes
from corpid.wiring.foundation import Foundation
from corpid.wiring.service import Service, service
from keys.clock import Clock, Random
from oidc.ports import Interactions, Outbound

KEEP_ALIVE_SECONDS: Final = 75
SHUTDOWN_SECONDS: Final = 10
_GC_THRESHOLDS: Final = (10_000, 20, 20)
_USUAL: Final[dict[str, Any]] = {
    "http": Connection,
    "ws": "none",
    "lifespan": "off",
    "access_log": False,
    "log_config": None,
    "server_header": False,
    "proxy_headers": False,
    "timeout_keep_alive": KEEP_ALIVE_SECONDS,
}

# FAPI 2.0 5.2.2: TLS 1.2 with the recommended suites of BCP 195 (RFC 9325 4.2) and no others.
# Those of TLS 1.3 are not chosen by this.
_TLS_1_2_CIPHERS: Final = "ECDHE+AESGCM"


@dataclass(frozen=True, slots=True)
class Application:
    """The running application: ``edge`` is what a server calls, ``operations`` what one on the
    operators' listener does.
    """

    edge: Edge
    pages: FastAPI
    operations: FastAPI
    service: Service


@asynccontextmanager
async def application(
    settings: Settings,
    *,
    clock: Clock | None = None,
    random: Random | None = None,
    outbound: Outbound | None = None,
) -> AsyncIterator[Application]:
    """Build the application, keep its background work going, and stop it at the end.

    ``outbound`` replaces the way to others' servers.

    Raises:
        ServiceError: it cannot start; the message says what to do.
    """
    assemblies: list[PageAssembly] = []

    def interactions(base: Foundation) -> Interactions:
        assemblies.append(assemble(base))
        return assemblies[0].interactions

    given = {
        name: value
        for name, value in (("clock", clock), ("random", random), ("outbound", outbound))
        if value is not None
    }
    async with service(settings, interactions, **given) as running:  # type: ignore[arg-type]
        try:
            yield _compose(running, assemblies[0])
        finally:
            assemblies[0].passwords.close()


def _compose(running: Service, assembly: PageAssembly) -> Application:
    settings = running.settings
    routes = hot_routes(running, assembly.logouts)
    metrics = Metrics(
        frozenset(route.path for route in routes), running.foundation.rings.certificate_ends
    )
    base = appended(settings.issuer, "")
    pages = FastAPI(
        title="Corp ID",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # it would redirect to whatever the Host header says, and by 307
    )
    pages.include_router(assembly.router(running.provider, running.issuer), prefix=base)
    pages.include_router(health_router(running))
    pages.mount(f"{base}/static", static_files(), name="static")
    # At the first question, for it takes a good part of the start; and in a thread, as what is no
    # coroutine runs in one, for then others are served.
    described = cache(partial(openapi_document, pages))

    @pages.get("/openapi.json", include_in_schema=False)
    def openapi() -> JSONResponse:
        return JSONResponse(described())

    edge = Edge(routes, pages, metrics, https=settings.is_https)
    return Application(edge, pages, operations_app(running, metrics), running)


def openapi_document(pages: FastAPI) -> dict[str, Any]:
    """Pages as the framework describes them, hot endpoints as they are described by hand."""
    document = pages.openapi()
    document["paths"] = {**document["paths"], **hot_paths()}
    components = document.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **COMPONENTS["schemas"]}
    return document


def describe() -> tuple[set[tuple[str, str]], dict[str, Any]]:
    """The (method, path) of every hot endpoint, and what the OpenAPI document says of them.

    Pages are described by the framework itself, so they cannot differ.
    """
    routed = {(method, spec.shown()) for spec in TABLE for method in spec.methods}
    return routed, {"paths": hot_paths()}


def _settle() -> None:
    """Take what was built at the start out of the garbage collector's sight.

    It lives as long as the process. With the default thresholds a collection begins every few
    requests, and a full one would walk all of it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


async def serve(settings: Settings, listening: Listening) -> None:
    """Serve on listening sockets until told to stop (SIGTERM, SIGINT).

    Raises:
        ServiceError: it cannot start; the message says what to do.
    """
    async with application(settings) as built:
        _settle()
        public = _Server(
            uvicorn.Config(
                built.edge,
                **_USUAL,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
                ssl_certfile=settings.tls_certificate,
                ssl_keyfile=settings.tls_key,
                ssl_ciphers=_TLS_1_2_CIPHERS,
            )
        )
        async with _beside(built.operations, listening.operations):
            await public.serve(sockets=[listening.public])


@asynccontextmanager
async def _beside(app: FastAPI, listening: socket.socket | None) -> AsyncIterator[None]:
    """Serve the operators, where they have a listener, for as long as the public is served."""
    if listening is None:
        yield
        return
    server = _Beside(uvicorn.Config(app, **_USUAL, timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Stops by SIGTERM or SIGINT and then returns, so that all that was opened is closed.

    uvicorn's own way raises the signal once more when it has stopped, which ends the process.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals while it serves."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


class _Beside(uvicorn.Server):
    """Stops when it is told to, and leaves the signals to the server that it stands beside."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle none."""
        yield
