"""What must hold after every restart, of everything that was acknowledged before it."""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import func, select

from corpid.storage.constructs import table
from corpid.storage.statement import Statement
from corpid.wiring.foundation import Foundation
from oidc.formats.status_list import StatusList, read_claim
from tests.faults.admin_process import Admin
from tests.faults.journal import Asked, Held, Journal, Redeemed, Token
from tests.faults.population import ACTOR, Population
from tests.faults.rounds import ask_credential
from tests.support.fapi_client import introspect_with_secret
from tests.support.fapi_client_http import Http
from tests.support.service_process import Site
from tests.support.wallet import unverified_payload

T = TypeVar("T")
SAMPLE = 4
INVALID = 1

_credential = table("credential")
_entry = table("status_entry")
_mandate_status = table("mandate_status")
_audit = table("audit")
_outbox = table("outbox")
CREDENTIALS = Statement(
    select(
        _credential.c.list_id,
        _credential.c.list_index,
        _credential.c.state,
        _credential.c.payload_digest,
        _credential.c.holder_thumbprint,
    )
)
MANDATE_ENTRIES = Statement(select(_mandate_status.c.list_id, _mandate_status.c.list_index))
STATUSES = Statement(select(_entry.c.list_id, _entry.c.list_index, _entry.c.status))
EVENTS = Statement(select(_audit.c.event, func.count()).group_by(_audit.c.event))
MESSAGES = Statement(select(func.count()).where(_outbox.c.topic == "revocation"))


class Checks:
    """Checks a journal against the service and its database, again and again.

    What is new since the last check is checked whole; of what is older, a sample.
    """

    def __init__(
        self, site: Site, population: Population, journal: Journal, rng: random.Random
    ) -> None:
        self._site = site
        self._population = population
        self._journal = journal
        self._rng = rng
        self._seen: Counter[str] = Counter()

    async def all(self, base: Foundation, http: Http) -> None:
        """Every check.

        Raises AssertionError for what was lost, or done twice.
        """
        await self._tokens(http)
        await self._records(base, http)
        await self._used_once(http)
        await self._unanswered(http)
        if self._site.engine == "sqlite":
            integrity(self._site)

    def _new_and_some(self, name: str, things: list[T]) -> list[T]:
        """What came since the last call, and a sample of the rest."""
        old, new = things[: self._seen[name]], things[self._seen[name] :]
        self._seen[name] = len(things)
        return new + self._rng.sample(old, min(SAMPLE, len(old)))

    async def _tokens(self, http: Http) -> None:
        """Acknowledged access tokens are active; those of an ended family are not."""
        fresh = [token for token in self._journal.tokens if token.fresh]
        # The expired ones are the oldest, so they are among those that were seen.
        self._seen["tokens"] -= len(self._journal.tokens) - len(fresh)
        self._journal.tokens = fresh
        for token in self._new_and_some("tokens", self._journal.tokens):
            active = await self._is_active(http, token)
            assert active is not token.ended, f"an access token is {active=} but {token.ended=}"

    async def _is_active(self, http: Http, token: Token) -> bool:
        if token.client is self._population.web:
            return bool((await token.client.introspect(http, token.value))["active"])
        if token.client is not None:
            api = self._population.api
            return bool((await introspect_with_secret(http, *api, token.value))["active"])
        # An anonymous wallet's token is nobody's to introspect: the credential endpoint tells.
        assert token.wallet is not None
        answer = await token.wallet.post(http, "/credential", token.value, {})
        assert answer.error in ("invalid_credential_request", "invalid_token"), answer
        return answer.error == "invalid_credential_request"

    async def _records(self, base: Foundation, http: Http) -> None:
        """Credentials, their status entries, the served lists and the audit trail agree."""
        rows = await base.database.all(CREDENTIALS)
        own = {(row[0], row[1]): row for row in rows}
        entries = list(own) + [tuple(row) for row in await base.database.all(MANDATE_ENTRIES)]
        assert len(own) == len(rows), "two credentials share a status entry"
        twice = [entry for entry, count in Counter(entries).items() if count > 1]
        assert not twice, f"status entries used twice: {twice}"
        stored = {(row[0], row[1]): row[2] for row in await base.database.all(STATUSES)}
        served = await self._served(base, http)
        for entry, (_, _, state, digest, _) in own.items():
            dead = state in ("revoked", "replaced")
            status = stored.get(entry, "valid")
            assert status == ("invalid" if dead else "valid"), f"{entry}: {state} but {status}"
            bit = served[entry[0]].get(entry[1])
            assert bit == (INVALID if dead else 0), f"{entry}: {state}, but {bit} is served"
            held = self._journal.held.get(entry)
            if held is not None:
                self._compare(held, state, digest)
        lost = self._journal.held.keys() - own.keys()
        assert not lost, f"acknowledged credentials without a record: {lost}"
        await _audited(base, rows)

    def _compare(self, held: Held, state: str, digest: bytes) -> None:
        assert digest == held.digest, f"{held.entry} is another credential's"
        assert state in held.states, f"{held.entry}: {state}, not one of {held.states}"
        # What was done without an answer is known now, and must not change back.
        if held.revoked is Asked.UNANSWERED and state == "revoked":
            held.revoked = Asked.ACKNOWLEDGED
        if held.accepted is Asked.UNANSWERED and state == "accepted":
            held.accepted = Asked.ACKNOWLEDGED

    async def _served(self, base: Foundation, http: Http) -> dict[str, StatusList]:
        return {
            row.list_id: await served_list(http, row.list_id)
            for row in await base.store.read.status_lists.all()
        }

    async def _used_once(self, http: Http) -> None:
        """Acknowledged assertions, proofs, codes and offers are refused a second time."""
        for client, sent in self._latest("requests", self._journal.requests):
            bound = sent.proof is not None
            again = await client.send_token_request(
                http, sent.fields, assertion=sent.assertion, bound=bound
            )
            assert again.answer.error == "invalid_client", again.answer
            if bound:
                again = await client.send_token_request(http, sent.fields, proof=sent.proof)
                assert again.answer.error == "invalid_dpop_proof", again.answer
        web = self._population.web
        for redeemed in self._latest("codes", self._journal.codes):
            again = await web.send_token_request(http, redeemed.sent.fields)
            assert again.answer.error == "invalid_grant", again.answer
            self._journal.end_family(redeemed.token)
            assert not await self._is_active(http, redeemed.token), "the family goes on"
        for redeemed in self._latest("offers", self._journal.offers):
            fields = redeemed.sent.fields
            assert redeemed.token.wallet is not None
            again = await redeemed.token.wallet.redeem(
                http, fields["pre-authorized_code"], fields["tx_code"]
            )
            assert again.answer.error == "invalid_grant", again.answer

    def _latest(self, name: str, things: list[T]) -> Iterable[T]:
        """Some of those since the last call: the last ones, which were nearest to the kill."""
        new = things[self._seen[name] :][-SAMPLE:]
        self._seen[name] = len(things)
        return new

    async def _unanswered(self, http: Http) -> None:
        """What was never answered can be tried again, as a client would."""
        for request in list(self._journal.unanswered_requests):
            nonce = await request.wallet.nonce(http)
            await ask_credential(http, self._journal, request, nonce)
        for fields in list(self._journal.unanswered_codes):
            sent = await self._population.web.send_token_request(http, fields)
            if sent.answer.error != "invalid_grant":
                token = self._journal.token(sent, self._population.web)
                self._journal.codes.append(Redeemed(sent, token))
        self._journal.unanswered_codes.clear()

    async def revocations(self, admin: Admin) -> None:
        """A revocation whose process was killed can be done again."""
        for held in self._journal.held.values():
            if held.revoked is Asked.UNANSWERED:
                said = await admin.do(
                    "revoke_credential",
                    credential_id=held.credential_id,
                    actor=ACTOR,
                    reason="lost device",
                )
                assert said is not None
                assert "error" not in said, said
                held.revoked = Asked.ACKNOWLEDGED


async def served_list(http: Http, list_id: str) -> StatusList:
    """A status list as it is served now, unverified."""
    return read_list((await http.get(f"/status/{list_id}")).expect(200).body)


def read_list(token: bytes) -> StatusList:
    """The list of a status list token, unverified."""
    return read_claim(unverified_payload(token.decode())["status_list"])


async def _audited(base: Foundation, credentials: list[Any]) -> None:
    """The audit trail tells of every credential and revocation, each written with it."""
    events = {row[0]: row[1] for row in await base.database.all(EVENTS)}
    assert events.get("credential.issued", 0) == len(credentials)
    states = Counter(row[2] for row in credentials)
    assert events.get("credential.replaced", 0) == states["replaced"]
    assert events.get("revocation.revoke_credential", 0) == states["revoked"]
    messages = await base.database.one(MESSAGES)
    assert messages is not None
    assert messages[0] == states["revoked"], "the outbox does not tell of every revocation"


def integrity(site: Site) -> None:
    """SQLite's own checks of the file."""
    connection = sqlite3.connect(site.database_file)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()
