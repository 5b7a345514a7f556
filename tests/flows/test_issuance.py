"""A wallet at the running service: offer, credential, retry, renewal, notification, status."""

import asyncio
import hashlib
import time
from typing import Any

from corpid.relying_party import Policy, RelyingParty
from corpid.relying_party.errors import CredentialRevoked
from tests.support.fapi_client import Key, b64
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import TRANSACTION_CODE, Cast, Human
from tests.support.live_service import Live
from tests.support.wallet import Wallet, credential_of, status_of, unverified_payload

AUDIENCE, NONCE = "https://partner.example", "n-0S6_WzA2Mj"


async def _issued(
    live: Live, http: Http, cast: Cast, kind: str = "representative"
) -> tuple[Wallet, str, Answer]:
    """A wallet with a credential of a fresh business: the wallet, its token, the answer."""
    organisation, human = await cast.acting()
    wallet = Wallet(live.issuer)
    token = await _token(wallet, http, await cast.offer(organisation, human))
    answer = await wallet.ask(http, token, kind, await wallet.nonce(http))
    return wallet, token, answer.expect(200)


async def _token(wallet: Wallet, http: Http, code: str) -> str:
    sent = await wallet.redeem(http, code, TRANSACTION_CODE)
    answer = sent.answer.expect(200).json
    assert "c_nonce" not in answer, "OpenID4VCI 1.0 has moved it to the nonce endpoint"
    assert "refresh_token" not in answer
    token: str = answer["access_token"]
    return token


def _presented(credential: str, holder: Key, *disclosures: str) -> str:
    """A presentation with key binding, made by hand (RFC 9901 4.3)."""
    shown = "~".join((credential.partition("~")[0], *disclosures, ""))
    claims = {
        "iat": int(time.time()),
        "aud": AUDIENCE,
        "nonce": NONCE,
        "sd_hash": b64(hashlib.sha256(shown.encode()).digest()),
    }
    return shown + holder.sign({"typ": "kb+jwt"}, claims)


async def test_a_wallet_gets_both_credentials_and_a_bank_verifies_them(
    live: Live, http: Http, cast: Cast
) -> None:
    organisation, human = await cast.acting()
    wallet = Wallet(live.issuer)
    token = await _token(wallet, http, await cast.offer(organisation, human))
    party = RelyingParty(live.issuer, policy=Policy(status_ttl=0))
    entries: list[Any] = []
    for kind in ("company-identity", "representative"):
        answer = await wallet.ask(http, token, kind, await wallet.nonce(http))
        credential = credential_of(answer.expect(200))
        payload = unverified_payload(credential.partition("~")[0])
        assert payload["iss"] == live.issuer
        assert payload["vct"] == f"{live.issuer}/vct/{kind}/1"
        assert payload["cnf"]["jwk"] == wallet.holder.public
        entries.append(payload["status"]["status_list"])
        assert entries[-1]["uri"].startswith(f"{live.issuer}/status/")
        shown = _presented(credential, wallet.holder)
        verified = await party.verify_credential(shown, audience=AUDIENCE, nonce=NONCE)
        assert verified.holder_proven
        assert verified.status == "valid"
        assert (await http.get(payload["vct"].removeprefix(live.origin))).expect(200).json[
            "vct"
        ] == payload["vct"]
    assert entries[0] != entries[1], "an entry of its own for each"


async def test_a_retry_ends_the_unanswered_one(live: Live, http: Http, cast: Cast) -> None:
    wallet, token, first = await _issued(live, http, cast)
    again = await wallet.ask(http, token, "representative", await wallet.nonce(http))
    assert status_of(credential_of(again.expect(200))) != status_of(credential_of(first))
    party = RelyingParty(live.issuer, policy=Policy(status_ttl=0))
    await until_revoked(party, credential_of(first))
    await party.verify_credential(credential_of(again), audience=None, nonce=None)


async def test_an_accepted_credential_outlives_the_next_one_of_its_kind(
    live: Live, http: Http, cast: Cast
) -> None:
    """A second offer to the same key is no retry: both stand, each with an entry of its own."""
    organisation, human = await cast.acting()
    wallet = Wallet(live.issuer)
    party = RelyingParty(live.issuer, policy=Policy(status_ttl=0))
    first = await _accepted(wallet, http, cast, organisation, human)
    second = await _accepted(wallet, http, cast, organisation, human)
    assert status_of(first) != status_of(second)
    for credential in (first, second):
        await party.verify_credential(credential, audience=None, nonce=None)


async def _accepted(wallet: Wallet, http: Http, cast: Cast, organisation: Any, human: Human) -> str:
    token = await _token(wallet, http, await cast.offer(organisation, human))
    answer = await wallet.ask(http, token, "representative", await wallet.nonce(http))
    notification = answer.expect(200).json["notification_id"]
    (await wallet.notify(http, token, notification, "credential_accepted")).expect(204)
    return credential_of(answer)


async def test_a_notification_is_idempotent_and_a_deletion_revokes(
    live: Live, http: Http, cast: Cast
) -> None:
    wallet, token, answer = await _issued(live, http, cast)
    notification = answer.json["notification_id"]
    for _ in range(2):
        (await wallet.notify(http, token, notification, "credential_accepted")).expect(204)
    (await wallet.notify(http, token, notification, "credential_deleted")).expect(204)
    party = RelyingParty(live.issuer, policy=Policy(status_ttl=0))
    await until_revoked(party, credential_of(answer))


async def test_a_bank_that_asks_for_status_lists_as_cwt_sees_a_revocation(
    live: Live, http: Http, cast: Cast
) -> None:
    wallet, token, answer = await _issued(live, http, cast)
    credential = credential_of(answer)
    party = RelyingParty(live.issuer, policy=Policy(status_ttl=0, status_formats=("cwt",)))
    await party.verify_credential(credential, audience=None, nonce=None)
    notification = answer.json["notification_id"]
    (await wallet.notify(http, token, notification, "credential_deleted")).expect(204)
    await until_revoked(party, credential)


async def test_an_offer_counts_once_and_a_wrong_transaction_code_does_not_use_it_up(
    live: Live, http: Http, cast: Cast
) -> None:
    organisation, human = await cast.acting()
    wallet = Wallet(live.issuer)
    code = await cast.offer(organisation, human)
    wrong = await wallet.redeem(http, code, "000000")
    assert wrong.answer.expect(400).error == "invalid_grant"
    await _token(wallet, http, code)
    again = await wallet.redeem(http, code, TRANSACTION_CODE)
    assert again.answer.expect(400).error == "invalid_grant"


async def test_a_demanded_dpop_nonce_is_met_at_token_credential_and_notification(
    live: Live, strict: Http, cast: Cast
) -> None:
    organisation, human = await cast.acting()
    wallet = Wallet(live.issuer)
    code = await cast.offer(organisation, human)
    sent = await wallet.redeem(strict, code, TRANSACTION_CODE)
    token = sent.answer.expect(200).json["access_token"]
    nonce = (await strict.request("POST", f"{live.path}/nonce", {})).expect(200)
    assert nonce.headers["dpop-nonce"]
    assert nonce.headers["cache-control"] == "no-store"
    wanted = {
        "credential_configuration_id": "representative",
        "proofs": {"jwt": [wallet.key_proof(nonce.json["c_nonce"])]},
    }
    refused = (await wallet.post(strict, "/credential", token, wanted)).expect(401)
    assert 'error="use_dpop_nonce"' in refused.headers["www-authenticate"]
    fresh = refused.headers["dpop-nonce"]
    answer = await wallet.post(strict, "/credential", token, wanted, nonce=fresh)
    notification = answer.expect(200).json["notification_id"]
    told = {"notification_id": notification, "event": "credential_accepted"}
    refused = (await wallet.post(strict, "/notification", token, told)).expect(401)
    fresh = refused.headers["dpop-nonce"]
    (await wallet.post(strict, "/notification", token, told, nonce=fresh)).expect(204)


async def test_the_token_of_an_offer_is_for_its_credentials_only(
    live: Live, http: Http, cast: Cast
) -> None:
    organisation, human = await cast.acting()
    wallet = Wallet(live.issuer)
    code = await cast.offer(organisation, human, ("company-identity",))
    token = await _token(wallet, http, code)
    answer = await wallet.ask(http, token, "representative", await wallet.nonce(http))
    assert answer.expect(403).error == "insufficient_scope"


async def until_revoked(party: RelyingParty, credential: str) -> None:
    """Ask until the service has the new list: another process' change takes some milliseconds."""
    async with asyncio.timeout(2):
        while True:
            try:
                await party.verify_credential(credential, audience=None, nonce=None)
            except CredentialRevoked:
                return
            await asyncio.sleep(0)
