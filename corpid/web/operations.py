"""What the machine that keeps the service asks of it: alive, ready, how much.

Metrics tell strangers how much goes on and what fails; they are on a listener of their own, which
the settings open where nobody else comes.
"""

from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.responses import JSONResponse, Response

from corpid.storage.errors import StorageError
from corpid.web.metrics import Metrics
from corpid.wiring.service import Service

_LATE: Final = 14 * 86_400
"""Seconds before a certificate's end at which readiness says so: others renew it at 30 days."""


def health_router(running: Service) -> APIRouter:
    """Health and readiness, at the host's root: also for whoever distributes requests."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", summary="Alive")
    async def health() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz", summary="Ready to serve: the database answers")
    async def ready() -> Response:
        try:
            await running.foundation.store.read.operations.changes()
        except StorageError:
            return JSONResponse({"status": "the database does not answer"}, 503)
        now = running.foundation.clock()
        ends = running.foundation.rings.certificate_ends()
        late = sorted({purpose for purpose, _, at in ends if at < now + _LATE})
        return JSONResponse({"status": "ready"} | ({"renew_certificates": late} if late else {}))

    return router


def operations_app(running: Service, metrics: Metrics) -> FastAPI:
    """The application of the operators' listener."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.include_router(health_router(running))

    @app.get("/metrics")
    async def exposition() -> Response:
        return Response(metrics.exposition(), media_type="text/plain; version=0.0.4")

    return app
