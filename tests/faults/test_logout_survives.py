"""Logout tokens and kill -9: what was acknowledged is told, by whichever process is there."""

import asyncio
from pathlib import Path

from examples.demo.browser import Browser
from oidc.provider.endpoints import JWKS
from tests.support.live_cast import Cast, Human, new_cast
from tests.support.live_sign_in import sign_in
from tests.support.live_visitor import Visitor
from tests.support.logout_receiver import receiver, verified
from tests.support.service_process import Site, free_port

SECONDS = 60.0
"""More than a claim holds (30 s), plus the first pause."""


async def _signed_in(
    site: Site, cast: Cast, uri: str, human: Human, visitor: Visitor
) -> tuple[str, str]:
    client = await cast.client(backchannel_logout_uri=uri)
    tokens = await sign_in(site.processes[0].http, client, visitor, human)  # type: ignore[attr-defined]
    return client.client_id, tokens.claims["sid"]


def _sign_out(visitor: Browser) -> None:
    visitor.open(f"{visitor.home}/sign-out")
    visitor.submit()


async def test_a_logout_outlives_kill_9_and_is_told_after_the_restart(site: Site) -> None:
    port = free_port()  # where nobody listens yet
    service = site.start()
    await service.ready()
    async with site.foundation() as base:
        cast = new_cast(base)
        _, human = await cast.acting()
        with Visitor(site.issuer) as visitor:
            client_id, sid = await _signed_in(
                site, cast, f"http://127.0.0.1:{port}/backchannel-logout", human, visitor
            )
            await asyncio.to_thread(_sign_out, visitor)
        cast.close()
    service.kill()
    async with receiver(port) as rp:
        again = site.start()
        await again.ready()
        token = await rp.token(within=SECONDS)
        jwks = (await again.http.get(JWKS)).json
    assert verified(token, jwks, site.issuer, client_id)["sid"] == sid


async def test_two_processes_tell_each_client_once(site: Site, tmp_path: Path) -> None:
    first = site.start()
    await first.ready()
    second = site.start(free_port(), "second")
    await second.ready()
    async with site.foundation() as base, receiver() as rp, receiver() as last:
        cast = new_cast(base)
        for _ in range(6):
            _, human = await cast.acting()
            with Visitor(site.issuer) as visitor:
                await _signed_in(site, cast, rp.uri, human, visitor)
                await asyncio.to_thread(_sign_out, visitor)
        await rp.token(6)
        _, human = await cast.acting()
        with Visitor(site.issuer) as visitor:
            await _signed_in(site, cast, last.uri, human, visitor)
            await asyncio.to_thread(_sign_out, visitor)
        await last.token()
        cast.close()
    assert len(rp.requests) == 6
