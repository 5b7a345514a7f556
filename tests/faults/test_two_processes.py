"""Two processes of the service on one database: what one has seen, both have seen."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from corpid.domain.languages import Names
from corpid.services.client_metadata import Registration
from corpid.services.clients import Clients
from tests.faults.population import (
    ACTOR,
    TRANSACTION_CODE,
    Population,
    machine_request,
    offer_codes,
    populate,
)
from tests.support.fapi_client import (
    FapiClient,
    introspect_with_secret,
    new_verifier,
    unique,
)
from tests.support.fapi_client_http import Http
from tests.support.service_process import RESOURCE, Service, Site, free_port, new_site
from tests.support.wallet import Wallet, credential_of, status_of

RACES = 8
Pair = tuple[Service, Service]


@dataclass(slots=True)
class Shared:
    """One site on each engine, whose two processes serve all tests of this file but one."""

    directory: Path
    made: dict[str, tuple[Site, Population, Pair]] = field(default_factory=dict)

    async def on(self, engine: str) -> tuple[Site, Population, Pair]:
        """The site of that engine, running."""
        if engine not in self.made:
            directory = self.directory / engine
            directory.mkdir()
            site = await new_site(engine, directory)
            async with site.foundation() as base:
                population = await populate(base)
            self.made[engine] = (site, population, await start_two(site))
        return self.made[engine]


async def start_two(site: Site) -> Pair:
    """Two processes of one issuer."""
    pair = (site.start(name="a"), site.start(free_port(), name="b"))
    for service in pair:
        await service.ready()
        await service.http.close()
    return pair


@pytest.fixture(scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    shared = Shared(tmp_path_factory.mktemp("two-processes"))
    yield shared
    for site, _, _ in shared.made.values():
        asyncio.run(site.close())


@pytest.fixture
async def site(_shared: Shared, engine: str) -> Site:
    return (await _shared.on(engine))[0]


@pytest.fixture
async def population(_shared: Shared, engine: str) -> Population:
    return (await _shared.on(engine))[1]


@pytest.fixture
async def pair(_shared: Shared, engine: str) -> AsyncIterator[Pair]:
    """The two processes, with connections of this test's own."""
    both = (await _shared.on(engine))[2]
    for service in both:
        service.http = Http(service.port)
    yield both
    for service in both:
        await service.http.close()


@pytest.fixture
async def wallet_codes(site: Site, population: Population) -> list[str]:
    """Pre-authorized codes of fresh offers."""
    async with site.foundation() as base:
        return await offer_codes(base, population, RACES)


async def _refused_at(
    http: Http, population: Population, assertion: str | None, proof: str | None
) -> str | None:
    """The error for a request with that assertion or that proof, the other part being fresh."""
    sent = await population.machine.send_token_request(
        http, machine_request(), assertion=assertion, proof=proof
    )
    return sent.answer.error


async def test_a_used_assertion_and_proof_are_refused_everywhere_and_after_a_restart(
    engine: str, tmp_path: Path
) -> None:
    site = await new_site(engine, tmp_path)
    try:
        async with site.foundation() as base:
            population = await populate(base)
        await _refused_everywhere(site, population)
    finally:
        await site.close()


async def _refused_everywhere(site: Site, population: Population) -> None:
    a, b = pair = await start_two(site)
    sent = await population.machine.send_token_request(a.http, machine_request())
    sent.answer.expect(200)
    for service in (b, a):
        assert await _refused_at(service.http, population, sent.assertion, None) == (
            "invalid_client"
        )
        assert await _refused_at(service.http, population, None, sent.proof) == (
            "invalid_dpop_proof"
        )
    for service in pair:
        service.kill()
    again = site.start(name="a")
    await again.ready()
    assert await _refused_at(again.http, population, sent.assertion, None) == "invalid_client"
    assert await _refused_at(again.http, population, None, sent.proof) == "invalid_dpop_proof"
    # What was refused above was refused for its replay: a fresh request is served.
    await population.machine.token(again.http, machine_request())


async def test_one_assertion_at_both_processes_at_once_counts_once(
    pair: Pair, population: Population
) -> None:
    machine = population.machine
    for _ in range(RACES):
        assertion = machine.assertion()
        both = await asyncio.gather(
            *(
                machine.send_token_request(one.http, machine_request(), assertion=assertion)
                for one in pair
            )
        )
        assert sorted(sent.answer.status for sent in both) == [200, 401]


async def test_one_proof_at_both_processes_at_once_counts_once(
    pair: Pair, population: Population
) -> None:
    machine = population.machine
    for _ in range(RACES):
        proof = machine.proof("POST", "/token")
        both = await asyncio.gather(
            *(machine.send_token_request(one.http, machine_request(), proof=proof) for one in pair)
        )
        assert sorted(sent.answer.status for sent in both) == [200, 400]


async def test_a_client_disabled_elsewhere_is_refused_at_the_next_request(
    pair: Pair, site: Site, population: Population
) -> None:
    machine, api = FapiClient(site.issuer, f"tests-{unique()}"), population.api
    async with site.foundation() as base:
        wanted = Registration(Names("Sample Partner"), resources=(RESOURCE,), jwks=machine.key.jwks)
        await Clients(base.store, base.clock, base.random).add(
            wanted, ACTOR, client_id=machine.client_id
        )
        tokens = [await machine.token(one.http, machine_request()) for one in pair]
        await base.revocation.disable_client(machine.client_id, ACTOR)
    for service, token in zip(pair, tokens, strict=True):
        sent = await machine.send_token_request(service.http, machine_request())
        assert (sent.answer.status, sent.answer.error) == (401, "invalid_client")
        told = await introspect_with_secret(service.http, *api, token["access_token"])
        assert told == {"active": False}


async def test_rfc6749_4_1_2_one_code_at_both_processes_at_once(
    pair: Pair, population: Population
) -> None:
    """One wins; the loser's was a second use, so the winner's whole family has ended."""
    web = population.web
    for _ in range(RACES):
        verifier = new_verifier()
        code = await web.code(pair[0].http, population.cookie, verifier)
        fields = web.redemption(code, verifier)
        both = await asyncio.gather(*(web.send_token_request(one.http, fields) for one in pair))
        assert sorted(sent.answer.status for sent in both) == [200, 400]
        assert {sent.answer.error for sent in both} == {None, "invalid_grant"}
        winner = next(sent.answer.json for sent in both if sent.answer.status == 200)
        for service in pair:
            told = await web.introspect(service.http, winner["access_token"])
            assert told == {"active": False}
            refresh = {"grant_type": "refresh_token", "refresh_token": winner["refresh_token"]}
            sent = await web.send_token_request(service.http, refresh)
            assert sent.answer.error == "invalid_grant"


async def test_one_offer_at_both_processes_at_once_is_redeemed_once(
    pair: Pair, site: Site, wallet_codes: list[str]
) -> None:
    for code in wallet_codes:
        wallets = [Wallet(site.issuer) for _ in pair]
        both = await asyncio.gather(
            *(
                wallet.redeem(service.http, code, TRANSACTION_CODE)
                for wallet, service in zip(wallets, pair, strict=True)
            )
        )
        assert sorted(sent.answer.status for sent in both) == [200, 400]
        assert {sent.answer.error for sent in both} == {None, "invalid_grant"}


async def test_wrong_transaction_codes_at_both_processes_are_counted_together(
    pair: Pair, site: Site, wallet_codes: list[str]
) -> None:
    for turn in range(3):
        sent = await Wallet(site.issuer).redeem(pair[turn % 2].http, wallet_codes[0], "000000")
        assert sent.answer.error == "invalid_grant"
    # The third one, at whichever process, makes everybody wait.
    for service in pair:
        sent = await Wallet(site.issuer).redeem(service.http, wallet_codes[0], TRANSACTION_CODE)
        assert sent.answer.status == 429


async def test_credentials_from_both_processes_have_entries_of_their_own(
    pair: Pair, site: Site, wallet_codes: list[str]
) -> None:
    answers = await asyncio.gather(
        *(
            Wallet(site.issuer).credential(
                pair[number % 2].http, code, TRANSACTION_CODE, "company-identity"
            )
            for number, code in enumerate(wallet_codes)
        )
    )
    entries = [status_of(credential_of(answer)) for answer in answers]
    assert len(set(entries)) == len(entries) == RACES
