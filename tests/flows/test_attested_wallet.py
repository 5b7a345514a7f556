"""An attested wallet at the running service: challenge, token, attested key, credential."""

import time
from typing import Any

from keys.signer import LocalSigner, generate
from tests.support.attesting import WalletProvider, bare, proof_of_possession
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import TRANSACTION_CODE, Cast
from tests.support.live_service import Live
from tests.support.wallet import PRE_AUTHORIZED_CODE, Wallet, credential_of, unverified_payload


async def _redeem(
    live: Live, http: Http, wallet: Wallet, form: dict[str, str], instance: dict[str, Any]
) -> Answer:
    pop = await proof_of_possession(
        instance["key"], live.issuer, time.time(), challenge=instance["challenge"]
    )
    headers = {
        "DPoP": wallet.dpop_key.dpop("POST", live.issuer + "/token"),
        "OAuth-Client-Attestation": instance["attestation"],
        "OAuth-Client-Attestation-PoP": pop,
    }
    return await http.form(live.path + "/token", form, headers)


async def test_a_wallet_that_its_provider_attests_gets_a_credential_for_an_attested_key(
    live: Live, http: Http, cast: Cast
) -> None:
    provider = WalletProvider(time.time())
    client_id = await cast.attested_wallet(provider)
    organisation, human = await cast.acting()
    wallet = Wallet(live.issuer)
    key: LocalSigner = generate("ES256")
    instance: dict[str, Any] = {
        "key": key,
        "attestation": await provider.wallet_attestation(client_id, key),
        "challenge": "none was given",
    }
    form = {
        "grant_type": PRE_AUTHORIZED_CODE,
        "pre-authorized_code": await cast.offer(organisation, human),
        "tx_code": TRANSACTION_CODE,
    }
    # 1. Without a challenge there is one in the answer; it can also be asked for.
    demanded = await _redeem(live, http, wallet, form, instance)
    assert (demanded.status, demanded.error) == (400, "use_attestation_challenge")
    assert demanded.headers["oauth-client-attestation-challenge"]
    asked = await http.request("POST", live.path + "/challenge", {})
    instance["challenge"] = asked.expect(200).json["attestation_challenge"]
    # 2. Another provider's attestation makes nobody this wallet.
    impostor = WalletProvider(time.time())
    forged = {**instance, "attestation": await impostor.wallet_attestation(client_id, key)}
    assert (await _redeem(live, http, wallet, form, forged)).error == "invalid_client"
    # 3. The attested wallet gets its token, bound to its DPoP key.
    token = (await _redeem(live, http, wallet, form, instance)).expect(200).json["access_token"]
    # 4. A key that the provider attests gets the credential without signing anything itself.
    holder = generate("ES256")
    proof = await provider.key_attestation(holder, nonce=await wallet.nonce(http))
    wanted = {"credential_configuration_id": "representative"}
    answer = await wallet.post(
        http, "/credential", token, {**wanted, "proofs": {"attestation": [proof]}}
    )
    credential = credential_of(answer.expect(200))
    assert unverified_payload(credential.partition("~")[0])["cnf"]["jwk"] == bare(holder)
    # 5. Once nobody trusts the provider, neither of its words counts, at once.
    await cast.distrust(client_id)
    again = await provider.key_attestation(holder, nonce=await wallet.nonce(http))
    refused = await wallet.post(
        http, "/credential", token, {**wanted, "proofs": {"attestation": [again]}}
    )
    assert refused.error == "invalid_proof"
    assert (await _redeem(live, http, wallet, form, instance)).error == "invalid_client"
