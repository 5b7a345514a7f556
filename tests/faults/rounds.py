"""One round of a kill test: requests that are ready, sent together, and kill -9 into them.

The point of a kill is the number of acknowledgements that came before it and a delay after the
last of them (or after the sending), both drawn from the seed and printed.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from corpid.domain.credential import StatusEntry
from corpid.wiring.foundation import Foundation
from tests.faults.admin_process import Admin
from tests.faults.journal import Asked, Held, Journal, Redeemed, Request
from tests.faults.population import (
    ACTOR,
    TRANSACTION_CODE,
    Population,
    machine_request,
    offer_codes,
)
from tests.support.fapi_client import new_verifier
from tests.support.fapi_client_http import ConnectionLost, Http
from tests.support.service_process import Process, Site
from tests.support.wallet import Wallet

FOCI = (
    "client_credentials",
    "code",
    "refresh",
    "pre_authorized_code",
    "credential",
    "notification",
    "revocation",
)
FOCUSED = 6
BESIDE = ("client_credentials", "client_credentials", "code", "credential", "refresh")
KINDS = ("company-identity", "representative")
LONGEST_DELAY = 0.006
"""Seconds: what one group of requests takes."""

Action = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Point:
    """Where a kill comes: after so many acknowledgements, and then a delay in seconds."""

    focus: str
    acknowledged: int
    delay: float

    @classmethod
    def draw(cls, rng: random.Random, focus: str) -> "Point":
        """A random point."""
        whole_group = FOCUSED if focus == "revocation" else FOCUSED + len(BESIDE)
        acknowledged = rng.choice((0, rng.randrange(whole_group), rng.randrange(whole_group)))
        delay = rng.choice((0.0, rng.uniform(0, 0.001), rng.uniform(0, LONGEST_DELAY)))
        return cls(focus, acknowledged, delay)


class Round:
    """Prepares requests against a running service, then sends them and kills."""

    def __init__(
        self, site: Site, population: Population, journal: Journal, http: Http, rng: random.Random
    ) -> None:
        self._site = site
        self._population = population
        self._journal = journal
        self._http = http
        self._rng = rng
        self._told = asyncio.Event()

    async def prepare(self, base: Foundation, focus: str, admin: Admin | None) -> list[Action]:
        """Everything up to the last step of each request."""
        actions: list[Action] = []
        for kind in (*(focus,) * FOCUSED, *BESIDE):
            if kind == "revocation":
                continue
            actions.append(await getattr(self, f"_{kind}")(base))
        if focus == "revocation":
            assert admin is not None
            actions.append(await self._revocations(base, admin))
        self._rng.shuffle(actions)
        return actions

    async def fire(
        self, actions: Sequence[Action], point: Point, victims: Sequence[Process]
    ) -> str:
        """Send all, kill at the point; what was going on, in words."""
        await self._http.open(len(actions))
        before = self._journal.acknowledged
        tasks = [asyncio.create_task(self._one(action)) for action in actions]
        await asyncio.sleep(0)  # every request is on its way now
        while self._journal.acknowledged - before < point.acknowledged:
            self._told.clear()
            if all(task.done() for task in tasks):
                break
            await self._told.wait()
        _stand_still(point.delay)
        for victim in victims:
            victim.kill()
        at_kill = self._journal.acknowledged - before
        lost = sum(await asyncio.gather(*tasks))
        acknowledged = self._journal.acknowledged - before
        return (
            f"{point.focus}, {at_kill} acknowledged + {point.delay * 1e3:.2f} ms: "
            f"of {len(actions)} requests {lost} lost, {acknowledged} acknowledgements"
        )

    async def _one(self, action: Action) -> bool:
        """Whether the answer was lost."""
        try:
            await action()
        except ConnectionLost:
            return True
        finally:
            self._told.set()
        return False

    async def _client_credentials(self, _base: Foundation) -> Action:
        bound = self._rng.random() < 0.5
        client = self._population.machine if bound else self._population.plain
        assertion = client.assertion()
        proof = client.proof("POST", "/token") if bound else None

        async def act() -> None:
            sent = await client.send_token_request(
                self._http, machine_request(), assertion=assertion, proof=proof, bound=bound
            )
            self._journal.token(sent, client)

        return act

    async def _code(self, _base: Foundation) -> Action:
        client, verifier = self._population.web, new_verifier()
        code = await client.code(self._http, self._population.cookie, verifier)
        fields = client.redemption(code, verifier)

        async def act() -> None:
            self._journal.unanswered_codes.append(fields)
            await redeem_code(self._http, self._population, self._journal, fields)

        return act

    async def _refresh(self, _base: Foundation) -> Action:
        client, journal = self._population.web, self._journal
        if not journal.refresh_tokens:
            verifier = new_verifier()
            code = await client.code(self._http, self._population.cookie, verifier)
            journal.token(
                await client.send_token_request(self._http, client.redemption(code, verifier)),
                client,
            )
        fields = {
            "grant_type": "refresh_token",
            "refresh_token": self._rng.choice(journal.refresh_tokens),
        }

        async def act() -> None:
            journal.token(await client.send_token_request(self._http, fields), client)

        return act

    async def _pre_authorized_code(self, base: Foundation) -> Action:
        (code,) = await offer_codes(base, self._population, 1)
        wallet = Wallet(self._site.issuer)

        async def act() -> None:
            await redeem_offer(self._http, self._journal, wallet, code)

        return act

    async def _credential(self, base: Foundation) -> Action:
        request = await self._credential_request(base)
        nonce = await request.wallet.nonce(self._http)

        async def act() -> None:
            self._journal.unanswered_requests.append(request)
            await ask_credential(self._http, self._journal, request, nonce)

        return act

    async def _credential_request(self, base: Foundation) -> Request:
        (code,) = await offer_codes(base, self._population, 1)
        wallet = Wallet(self._site.issuer)
        token = await redeem_offer(self._http, self._journal, wallet, code)
        return Request(wallet, token, self._rng.choice(KINDS))

    async def _held(self, base: Foundation) -> Held:
        request = await self._credential_request(base)
        answer = await request.wallet.ask(
            self._http, request.token, request.kind, await request.wallet.nonce(self._http)
        )
        return self._journal.credential(request, answer)

    async def _notification(self, base: Foundation) -> Action:
        held = await self._held(base)

        async def act() -> None:
            held.accepted = Asked.UNANSWERED
            answer = await held.wallet.notify(
                self._http, held.token, held.notification_id, "credential_accepted"
            )
            answer.expect(204)
            held.accepted = Asked.ACKNOWLEDGED
            self._journal.acknowledged += 1

        return act

    async def _revocations(self, base: Foundation, admin: Admin) -> Action:
        """The operator's process revokes one credential after another."""
        chosen = [await self._held(base) for _ in range(FOCUSED)]
        await find_ids(base, chosen)

        async def act() -> None:
            for held in chosen:
                held.revoked = Asked.UNANSWERED
                said = await admin.do(
                    "revoke_credential",
                    credential_id=held.credential_id,
                    actor=ACTOR,
                    reason="lost device",
                )
                if said is None:
                    raise ConnectionLost("the operator's process was killed")
                assert said["already"] is False, said
                held.revoked = Asked.ACKNOWLEDGED
                self._journal.acknowledged += 1
                self._told.set()

        return act


async def redeem_code(
    http: Http, population: Population, journal: Journal, fields: dict[str, str]
) -> None:
    """Redeem a code for the first time, as far as the client knows."""
    client = population.web
    sent = await client.send_token_request(http, fields)
    journal.unanswered_codes.remove(fields)
    journal.codes.append(Redeemed(sent, journal.token(sent, client)))


async def redeem_offer(http: Http, journal: Journal, wallet: Wallet, code: str) -> str:
    """Redeem an offer for the first time; the access token."""
    sent = await wallet.redeem(http, code, TRANSACTION_CODE)
    token = journal.token(sent, wallet=wallet)
    journal.offers.append(Redeemed(sent, token))
    return token.value


async def ask_credential(http: Http, journal: Journal, request: Request, nonce: str) -> None:
    """Ask for a credential that is in `unanswered_requests`."""
    answer = await request.wallet.ask(http, request.token, request.kind, nonce)
    journal.unanswered_requests.remove(request)
    journal.credential(request, answer)


async def find_ids(base: Foundation, credentials: Sequence[Held]) -> None:
    """Look up what an operator revokes by."""
    for held in credentials:
        found = await base.store.read.credentials.by_entry(StatusEntry(*held.entry))
        assert found is not None
        held.credential_id = found.credential_id


def _stand_still(seconds: float) -> None:
    """Wait exactly, while answers gather in the sockets unread."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass
