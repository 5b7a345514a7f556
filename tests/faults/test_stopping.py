"""Being told to stop: what was begun is answered, and the process ends well and soon."""

import asyncio
import signal

import pytest

from tests.faults.population import Population, machine_request
from tests.support.fapi_client_http import ConnectionLost
from tests.support.service_process import Site

SOON = 12.0
"""Seconds, with connections open."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_is_no_fault_and_loses_no_answer(
    site: Site, population: Population, number: signal.Signals
) -> None:
    service = site.start()
    await service.ready()
    machine, http = population.machine, service.http
    await http.open(8)
    asked = [
        asyncio.create_task(machine.send_token_request(http, machine_request())) for _ in range(8)
    ]
    (await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED))
    service.signal(number)
    assert await service.ended(SOON) == 0, service.tail()
    assert "Traceback" not in service.tail()
    for answer in await asyncio.gather(*asked):
        answer.answer.expect(200)
    with pytest.raises(ConnectionLost):
        await http.get("/readyz")
    if site.engine == "sqlite":
        # The last one to close has brought everything into the file.
        assert not site.database_file.with_name("corpid.db-wal").exists()


async def test_what_was_issued_before_a_stop_is_there_after_it(
    site: Site, population: Population
) -> None:
    service = site.start()
    await service.ready()
    sent = await population.machine.send_token_request(service.http, machine_request())
    sent.answer.expect(200)
    assert await service.stop() == 0
    again = site.start()
    await again.ready()
    refused = await population.machine.send_token_request(
        again.http, machine_request(), assertion=sent.assertion
    )
    assert refused.answer.error == "invalid_client"
