"""Metrics are on a listener of the operators', and nothing else is there."""

import socket

import pytest

from corpid.errors import ConfigurationError
from corpid.settings import Settings
from corpid.web.listening import opened
from tests.support.fapi_client_http import Http
from tests.support.service_process import Site, free_port


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_metrics_are_on_a_listener_of_their_own(site: Site) -> None:
    service = site.start(fresh=True, operations_port=str(free := free_port()))
    await service.ready()
    operations = Http(free)
    try:
        (await service.http.get("/jwks")).expect(200)
        (await service.http.get("/metrics")).expect(404)
        shown = (await operations.get("/metrics")).expect(200)
        assert b'corpid_requests_total{endpoint="/jwks",status="200"} 1.0' in shown.body
        for path in ("/healthz", "/readyz"):
            (await operations.get(path)).expect(200)
        for path in ("/jwks", "/token", "/account", "/openapi.json", "/docs"):
            (await operations.get(path)).expect(404)
    finally:
        await operations.close()
    assert f"for operations on 127.0.0.1 port {free}" in service.tail()
    assert await service.stop() == 0, service.tail()
    assert "Traceback" not in service.tail()


def test_without_the_setting_there_is_none() -> None:
    with opened(Settings(port=0, master_key="x")) as listening:
        assert listening.operations is None


def test_a_port_in_use_is_said_with_its_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(port=0, operations_port=taken.getsockname()[1], master_key="x")
        with (
            pytest.raises(ConfigurationError, match="CORPID_OPERATIONS_PORT"),
            opened(settings),
        ):
            pass
