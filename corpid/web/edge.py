"""The outer edge: hot routes by one dictionary look-up, errors, request ids, access log, metrics.

The hot endpoints are plain ASGI applications; everything else goes to the FastAPI application.
Nothing here reads the Host header, and forwarded headers are left alone: URLs come from settings.
"""

import logging
import secrets
import sys
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import structlog

from corpid.storage.errors import StorageBusy, StorageUnavailable
from corpid.web.metrics import Metrics
from oidc.errors import OAuthError, ServerError, TemporarilyUnavailable
from oidc.request import Receive, Scope, Send
from oidc.response import CORS, Endpoint, Headers, preflight, send_error

# RFC 6797: a browser that has been here by https comes by nothing else for a year.
_HTTPS_ONLY: Final = ((b"strict-transport-security", b"max-age=31536000"),)
logger = structlog.stdlib.get_logger("corpid.http")


@dataclass(frozen=True, slots=True)
class HotRoute:
    """One hot endpoint: ``path`` is exact, or a prefix when it ends in a slash.

    ``cors``: pages of any origin may read what it answers.
    """

    path: str
    methods: tuple[str, ...]
    endpoint: Endpoint
    summary: str
    cors: bool = True

    def served(self) -> Endpoint:
        """The endpoint with what its browsers' preflights need."""
        return preflight(self.endpoint, ", ".join(self.methods)) if self.cors else self.endpoint


class Edge:
    """The ASGI application that the server runs."""

    def __init__(
        self,
        routes: tuple[HotRoute, ...],
        fallback: Endpoint,
        metrics: Metrics,
        *,
        https: bool = False,
    ) -> None:
        every = list(_HTTPS_ONLY) if https else []
        found = {
            route.path: (route.served(), [*CORS, *every] if route.cors else every)
            for route in routes
        }
        self._exact = {path: served for path, served in found.items() if path[-1] != "/"}
        self._prefixes = tuple(one for one in found.items() if one[0][-1] == "/")
        self._fallback = (fallback, every)
        self._metrics = metrics
        self.routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._fallback[0](scope, receive, send)
            return
        path: str = scope["path"]
        endpoint, every = self._exact.get(path) or self._find(path)
        watch = _Watch(send, every)
        started = time.perf_counter()
        try:
            await endpoint(scope, receive, watch)
        except OAuthError as error:
            await _send_unless_started(watch, error)
        except (StorageBusy, StorageUnavailable) as error:
            logger.warning("storage is not available", path=path, reason=str(error))
            busy = TemporarilyUnavailable(
                "the service is busy, try again shortly", headers={"Retry-After": "1"}
            )
            await _send_unless_started(watch, busy)
        except Exception:
            # The edge: whatever is not understood becomes a 500 with a reference and no detail.
            reference = secrets.token_hex(8)
            logger.exception("unexpected error", path=path[:200], reference=reference)
            await _send_unless_started(
                watch, ServerError(f"unexpected error, reference {reference}")
            )
        finally:
            self._metrics.observe(path, watch.status, time.perf_counter() - started)

    def _find(self, path: str) -> tuple[Endpoint, Headers]:
        for prefix, served in self._prefixes:
            if path.startswith(prefix):
                return served
        return self._fallback


class _Watch:
    """Passes messages on and remembers whether, and with which status, a response began.

    ``every`` are headers that each response gets.
    """

    __slots__ = ("_every", "_send", "status")

    def __init__(self, send: Send, every: Headers) -> None:
        self._send = send
        self._every = every
        self.status = 0

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._every:
                message["headers"] = [*message["headers"], *self._every]
        await self._send(message)


async def _send_unless_started(watch: _Watch, error: OAuthError) -> None:
    if watch.status == 0:
        await send_error(watch, error)


def inserted(issuer: str, name: str) -> str:
    """A well-known path that is inserted between host and path (RFC 8414 3)."""
    return f"/.well-known/{name}{urlsplit(issuer).path.rstrip('/')}"


def appended(issuer: str, path: str) -> str:
    """A path under the issuer's own path (OpenID Connect Discovery 4, and our endpoints)."""
    return f"{urlsplit(issuer).path.rstrip('/')}{path}"


def configure_logging(log_format: str) -> None:
    """Structured log lines on standard error; libraries that would print tokens stay quiet."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _redact,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Authlib writes whole tokens at DEBUG.
    logging.getLogger("authlib").setLevel(logging.INFO)


_SECRET_NAMES: Final = frozenset(
    {"password", "otp", "code", "token", "access_token", "refresh_token", "client_secret"}
    | {"client_assertion", "authorization", "cookie", "dpop", "tx_code", "code_verifier"}
)


def _redact(_logger: Any, _method: str, event: Any) -> Any:
    for name in event:
        if name.lower() in _SECRET_NAMES:
            event[name] = "[removed]"
    return event
