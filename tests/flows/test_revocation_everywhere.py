"""One act ends an authority everywhere: each kind of revocation, seen by everybody that asks."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from corpid.domain.credential import StatusEntry
from corpid.domain.mandate import Mandate, Side
from corpid.domain.organisation import Organisation
from corpid.relying_party import Policy, RelyingParty, RelyingPartyError
from corpid.relying_party.errors import CredentialRevoked, CredentialSuspended, MandateRevoked
from oidc.formats.status_list import Status, read_claim
from tests.support.fapi_client import FapiClient
from tests.support.fapi_client_http import Http
from tests.support.live_cast import ACTOR, TRANSACTION_CODE, Cast, Human
from tests.support.live_service import Live
from tests.support.live_sign_in import SignedIn, authorize, sign_in
from tests.support.live_visitor import Visitor, answer_in
from tests.support.wallet import Wallet, credential_of, status_of, unverified_payload


@dataclass
class Stage:
    """A representative by mandate who is signed in at a bank and holds both credentials."""

    live: Live
    http: Http
    cast: Cast
    visitor: Visitor
    organisation: Organisation
    human: Human
    mandate: Mandate
    client: FapiClient
    done: SignedIn
    company: str
    representative: str
    party: RelyingParty

    async def refresh_error(self) -> str | None:
        """The error of a refresh, None where it works."""
        fields = {"grant_type": "refresh_token"}
        fields["refresh_token"] = self.done.tokens["refresh_token"]
        sent = await self.client.send_token_request(self.http, fields)
        return sent.answer.error

    async def silently(self) -> dict[str, str]:
        """What a silent sign-in answers."""
        _, where = await authorize(self.http, self.client, self.visitor, prompt="none")
        return answer_in(where)

    async def becomes(self, credential: str, error: type[RelyingPartyError]) -> None:
        """The published list says so, soon."""
        await soon(
            lambda: self.party.verify_credential(credential, audience=None, nonce=None), error
        )

    async def stands(self, credential: str) -> None:
        """The published list has nothing against it."""
        await self.party.verify_credential(credential, audience=None, nonce=None)

    async def mandate_of_the_id_token(self) -> Any:
        """The mandate as the bank verified it."""
        nonce = self.done.claims["nonce"]
        verified = await self.party.verify_id_token(
            self.done.tokens["id_token"], nonce=nonce, client_id=self.client.client_id
        )
        return verified.mandate


async def soon(check: Callable[[], Awaitable[object]], error: type[RelyingPartyError]) -> None:
    """Each list is signed and published on its own: one may show a change a moment later."""
    async with asyncio.timeout(5):
        while True:
            try:
                await check()
            except error:
                return
            await asyncio.sleep(0)


@pytest.fixture
async def stage(live: Live, http: Http, cast: Cast, visitor: Visitor) -> Stage:
    organisation, human = await cast.organisation(), await cast.human()
    mandate = await cast.mandate(organisation, human)
    client = await cast.client()
    done = await sign_in(http, client, visitor, human)
    wallet = Wallet(live.issuer)
    sent = await wallet.redeem(http, await cast.offer(organisation, human), TRANSACTION_CODE)
    token = sent.answer.expect(200).json["access_token"]
    got = []
    for kind in ("company-identity", "representative"):
        answer = await wallet.ask(http, token, kind, await wallet.nonce(http))
        notification = answer.expect(200).json["notification_id"]
        (await wallet.notify(http, token, notification, "credential_accepted")).expect(204)
        got.append(credential_of(answer))
    party = RelyingParty(live.issuer, policy=Policy(status_ttl=0))
    return Stage(live, http, cast, visitor, organisation, human, mandate, client, done, *got, party)


async def test_end_a_mandate(stage: Stage) -> None:
    mandate = await stage.mandate_of_the_id_token()
    assert await stage.party.check_mandate(mandate) == "valid"
    await stage.cast.base.revocation.end_mandate(
        stage.mandate.mandate_id, ACTOR, Side.GRANTOR, "test"
    )
    assert await stage.refresh_error() == "invalid_grant"
    (await stage.client.userinfo(stage.http, stage.done.access_token)).expect(401)
    assert "code" not in await stage.silently()
    await stage.becomes(stage.representative, CredentialRevoked)
    await soon(lambda: stage.party.check_mandate(mandate), MandateRevoked)


async def test_suspend_and_resume_a_mandate(stage: Stage) -> None:
    revocation = stage.cast.base.revocation
    await revocation.suspend_mandate(stage.mandate.mandate_id, ACTOR, "test")
    await stage.becomes(stage.representative, CredentialSuspended)
    assert await stage.refresh_error() == "invalid_grant"
    await revocation.resume_mandate(stage.mandate.mandate_id, ACTOR, "test")
    async with asyncio.timeout(2):
        while True:
            try:
                await stage.stands(stage.representative)
                break
            except CredentialSuspended:
                await asyncio.sleep(0)
    assert "code" in await stage.silently()


async def test_revoke_a_credential_leaves_the_authority(stage: Stage) -> None:
    list_id, index = status_of(stage.representative)
    entry = StatusEntry(list_id, index)
    found = await stage.cast.base.store.read.credentials.by_entry(entry)
    assert found is not None
    await stage.cast.base.revocation.revoke_credential(found.credential_id, ACTOR, "test")
    await stage.becomes(stage.representative, CredentialRevoked)
    await stage.stands(stage.company)
    assert await stage.refresh_error() is None


async def test_suspend_and_resume_an_organisation(stage: Stage) -> None:
    revocation, organisation_id = stage.cast.base.revocation, stage.organisation.organisation_id
    await revocation.suspend_organisation(organisation_id, ACTOR, "test")
    await stage.becomes(stage.company, CredentialSuspended)
    await stage.becomes(stage.representative, CredentialSuspended)
    assert await stage.refresh_error() == "invalid_grant"
    await revocation.resume_organisation(organisation_id, ACTOR, "test")
    async with asyncio.timeout(2):
        while True:
            try:
                await stage.stands(stage.company)
                await stage.stands(stage.representative)
                break
            except CredentialSuspended:
                await asyncio.sleep(0)


async def test_close_a_persons_account(stage: Stage) -> None:
    await stage.cast.base.revocation.close_person(stage.human.person_id, ACTOR, "test")
    assert await stage.refresh_error() == "invalid_grant"
    (await stage.client.userinfo(stage.http, stage.done.access_token)).expect(401)
    assert (await stage.silently())["error"] == "login_required"
    await stage.becomes(stage.representative, CredentialRevoked)
    await authorize(stage.http, stage.client, stage.visitor)
    stage.visitor.submit(username=stage.human.username, password=stage.human.password)
    assert stage.visitor.form is not None
    assert stage.visitor.form.fields["step"] == "sign-in"


async def test_end_a_representation(live: Live, http: Http, cast: Cast, visitor: Visitor) -> None:
    organisation, human = await cast.organisation(), await cast.human()
    representation = await cast.director(organisation, human)
    client = await cast.client()
    done = await sign_in(http, client, visitor, human)
    assert done.claims["mandate"]["basis"] == "register"
    wallet = Wallet(live.issuer)
    code = await cast.offer(organisation, human, ("representative",))
    answer = await wallet.credential(http, code, TRANSACTION_CODE, "representative")
    await cast.base.revocation.end_representation(representation.representation_id, ACTOR, "test")
    fields = {"grant_type": "refresh_token", "refresh_token": done.tokens["refresh_token"]}
    sent = await client.send_token_request(http, fields)
    assert sent.answer.expect(400).error == "invalid_grant"
    party = RelyingParty(live.issuer, policy=Policy(status_ttl=0))
    async with asyncio.timeout(2):
        while True:
            try:
                await party.verify_credential(credential_of(answer), audience=None, nonce=None)
            except CredentialRevoked:
                return
            await asyncio.sleep(0)


async def test_two_processes_serve_the_same_revocation(stage: Stage, strict: Http) -> None:
    list_id, index = status_of(stage.representative)
    await stage.cast.base.revocation.end_mandate(
        stage.mandate.mandate_id, ACTOR, Side.HOLDER, "test"
    )
    path = f"{stage.live.path}/status/{list_id}"
    async with asyncio.timeout(2):
        for process in (stage.http, strict):
            while True:
                answer = (await process.get(path)).expect(200)
                claims = unverified_payload(answer.body.decode())
                if read_claim(claims["status_list"]).get(index) == Status.INVALID:
                    break
    assert claims["sub"] == f"{stage.live.issuer}/status/{list_id}"
