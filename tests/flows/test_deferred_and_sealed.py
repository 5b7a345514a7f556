"""A wallet whose credential waits for an operator's yes, and one that encrypts what it says."""

from collections.abc import AsyncIterator

import pytest

from corpid.relying_party import RelyingParty
from corpid.services.deferrals import Deferrals
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import ACTOR, TRANSACTION_CODE, Cast
from tests.support.live_service import Live
from tests.support.sealing_wallet import SealingWallet
from tests.support.wallet import Wallet, credential_of

WAITS, AT_ONCE = "representative", "company-identity"
COLLECT = "/deferred-credential"


@pytest.fixture
async def approving(live: Live) -> AsyncIterator[Http]:
    """Connections to a process that issues one type only after a yes."""
    connections = Http(live.another("approving", credential_approval=(WAITS,)))
    yield connections
    await connections.close()


async def _with_token(live: Live, http: Http, cast: Cast) -> tuple[Wallet, str]:
    """A wallet with an access token for both types, for the director of a fresh business."""
    organisation, human = await cast.acting()
    wallet = Wallet(live.issuer)
    sent = await wallet.redeem(http, await cast.offer(organisation, human), TRANSACTION_CODE)
    return wallet, sent.answer.expect(200).json["access_token"]


async def _sealing(live: Live, http: Http, wallet: Wallet) -> SealingWallet:
    answer = await http.get(live.inserted("openid-credential-issuer"))
    return SealingWallet(wallet, answer.expect(200).json)


async def _begun(http: Http, wallet: Wallet, token: str) -> str:
    answer = await wallet.ask(http, token, WAITS, await wallet.nonce(http))
    waiting: str = answer.expect(202).json["transaction_id"]
    return waiting


async def _collect(http: Http, wallet: Wallet, token: str, transaction_id: str) -> Answer:
    return await wallet.post(http, COLLECT, token, {"transaction_id": transaction_id})


async def _decide(cast: Cast, transaction_id: str, *, yes: bool) -> None:
    """As an operator, who sees what waits in a list."""
    deferrals = Deferrals(cast.base.store, cast.base.clock)
    found = await deferrals.find(everything=False, limit=1000)
    (one,) = [one for one in found if transaction_id.startswith(one.deferral_id)]
    act = deferrals.approve if yes else deferrals.deny
    await act(one.deferral_id, ACTOR, "a reason that is ours")


async def _is_good(live: Live, credential: str) -> None:
    party = RelyingParty(live.issuer)
    found = await party.verify_credential(credential, audience=None, nonce=None)
    assert found.status == "valid"


async def test_9_what_waits_is_collected_once_after_the_yes(
    live: Live, approving: Http, cast: Cast
) -> None:
    wallet, token = await _with_token(live, approving, cast)
    transaction_id = await _begun(approving, wallet, token)
    assert await _begun(approving, wallet, token) == transaction_id, "asked again, it is the same"
    pending = (await _collect(approving, wallet, token, transaction_id)).expect(202).json
    assert pending["transaction_id"] == transaction_id
    assert pending["interval"] > 0
    await _decide(cast, transaction_id, yes=True)
    answer = (await _collect(approving, wallet, token, transaction_id)).expect(200)
    await _is_good(live, credential_of(answer))
    told = await wallet.notify(
        approving, token, answer.json["notification_id"], "credential_accepted"
    )
    told.expect(204)
    again = await _collect(approving, wallet, token, transaction_id)
    assert again.expect(400).error == "invalid_transaction_id"


async def test_9_a_no_and_another_wallets_transaction(
    live: Live, approving: Http, cast: Cast
) -> None:
    wallet, token = await _with_token(live, approving, cast)
    transaction_id = await _begun(approving, wallet, token)
    thief, stolen = await _with_token(live, approving, cast)
    theirs = await _collect(approving, thief, stolen, transaction_id)
    assert theirs.expect(400).error == "invalid_transaction_id"
    await _decide(cast, transaction_id, yes=False)
    answer = await _collect(approving, wallet, token, transaction_id)
    assert answer.expect(400).error == "credential_request_denied"
    assert b"ours" not in answer.body
    # What another type needs no yes for, the same token still gets.
    (await wallet.ask(approving, token, AT_ONCE, await wallet.nonce(approving))).expect(200)


async def test_10_request_and_answer_are_encrypted(live: Live, http: Http, cast: Cast) -> None:
    wallet, token = await _with_token(live, http, cast)
    sealing = await _sealing(live, http, wallet)
    answer = await sealing.ask(http, token, AT_ONCE, await wallet.nonce(http))
    (issued,) = sealing.opened(answer.expect(200))["credentials"]
    await _is_good(live, issued["credential"])
    nonce = await wallet.nonce(http)
    plain = await sealing.ask(http, token, WAITS, nonce, answer_sealed=False)
    await _is_good(live, credential_of(plain.expect(200)))
    unheard = await sealing.ask(http, token, "unheard-of", await wallet.nonce(http))
    assert unheard.expect(400).error == "unknown_credential_configuration", "errors are readable"


async def test_9_1_what_waits_is_asked_for_and_answered_encrypted(
    live: Live, approving: Http, cast: Cast
) -> None:
    wallet, token = await _with_token(live, approving, cast)
    sealing = await _sealing(live, approving, wallet)
    answer = await sealing.ask(approving, token, WAITS, await wallet.nonce(approving))
    transaction_id = sealing.opened(answer.expect(202))["transaction_id"]
    pending = await sealing.collect(approving, token, transaction_id)
    assert sealing.opened(pending.expect(202))["transaction_id"] == transaction_id
    await _decide(cast, transaction_id, yes=True)
    answer = await sealing.collect(approving, token, transaction_id)
    (issued,) = sealing.opened(answer.expect(200))["credentials"]
    await _is_good(live, issued["credential"])


async def test_8_2_where_encryption_is_required_plain_requests_are_refused(
    live: Live, cast: Cast
) -> None:
    http = Http(live.another("sealed", credential_encryption="required"))
    wallet, token = await _with_token(live, http, cast)
    for sealed_request in (False, True):
        nonce = await wallet.nonce(http)
        if sealed_request:  # and yet a plain answer
            sealing = await _sealing(live, http, wallet)
            answer = await sealing.ask(http, token, AT_ONCE, nonce, answer_sealed=False)
        else:
            answer = await wallet.ask(http, token, AT_ONCE, nonce)
        assert answer.expect(400).error == "invalid_encryption_parameters"
    await http.close()
