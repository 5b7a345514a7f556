"""A wallet of the profile haip, from the pushed request to a credential (HAIP 1.0, 4)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keys.signer import LocalSigner, generate
from tests.support.attesting import WalletProvider, bare, proof_of_possession
from tests.support.fapi_client import FapiClient
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import answered
from tests.support.live_visitor import Visitor
from tests.support.wallet import Wallet, credential_of, unverified_payload

METHOD = "attest_jwt_client_auth"
SCOPES = ("openid", "offline_access", "credential.representative")


@dataclass(slots=True)
class HaipClient(FapiClient):
    """A client whose forms carry its attestation, and nothing that it has to keep secret."""

    def authentication(self, assertion: str | None = None) -> dict[str, str]:
        """Only its name: the proof is in the headers."""
        return {"client_id": self.client_id}


@dataclass(slots=True)
class AttestedHttp:
    """Adds the headers of an attested instance to every form, with a fresh challenge."""

    http: Http
    client: FapiClient
    provider: WalletProvider
    instance: LocalSigner = field(default_factory=lambda: generate("ES256"))

    async def form(
        self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Answer:
        """POST of a form."""
        asked = await self.http.request("POST", self.client.path + "/challenge", {})
        pop = await proof_of_possession(
            self.instance,
            self.client.issuer,
            time.time(),
            iss=self.client.client_id,
            challenge=asked.json["attestation_challenge"],
        )
        attestation = await self.provider.wallet_attestation(self.client.client_id, self.instance)
        own = {"OAuth-Client-Attestation": attestation, "OAuth-Client-Attestation-PoP": pop}
        return await self.http.form(path, fields, {**(headers or {}), **own})


async def _client(live: Live, cast: Cast, provider: WalletProvider) -> HaipClient:
    made = await cast.client(
        profile="haip",
        scopes=SCOPES,
        jwks=None,
        auth_method=METHOD,
        wallet_provider=await cast.trust(provider),
    )
    return HaipClient(made.issuer, made.client_id, made.redirect_uri, made.scope, made.path)


async def test_the_whole_way_of_a_wallet_of_the_profile(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    provider = WalletProvider(time.time())
    client = await _client(live, cast, provider)
    attested: Any = AttestedHttp(http, client, provider)
    _, human = await cast.acting()
    # 1. PAR with the attestation, PKCE, scope; the code comes with iss.
    verifier, answer = await answered(attested, client, visitor, human)
    assert answer["iss"] == live.issuer
    # 2. The token with the attestation and DPoP; by another instance it cannot be renewed.
    fields = client.redemption(answer["code"], verifier) | client.authentication()
    wallet = Wallet(live.issuer, dpop_key=client.dpop_key)
    unbound = await attested.form(live.path + "/token", fields)
    assert unbound.error == "invalid_dpop_proof"
    proof = {"DPoP": client.proof("POST", "/token")}
    tokens = (await attested.form(live.path + "/token", fields, proof)).expect(200).json
    assert tokens["token_type"] == "DPoP"
    other: Any = AttestedHttp(http, client, provider)
    renewal = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    proof = {"DPoP": client.proof("POST", "/token")}
    assert (await other.form(live.path + "/token", renewal, proof)).error == "invalid_grant"
    proof = {"DPoP": client.proof("POST", "/token")}
    assert (await attested.form(live.path + "/token", renewal, proof)).status == 200
    # 3. Two keys by one attestation: two credentials, and the wallet says that it has them.
    keys = [generate("ES256") for _ in range(2)]
    attestation = await provider.key_attestation(*keys, nonce=await wallet.nonce(http))
    wanted = {
        "credential_configuration_id": "representative",
        "proofs": {"attestation": [attestation]},
    }
    got = await wallet.post(http, "/credential", tokens["access_token"], wanted)
    found = [one["credential"] for one in got.expect(200).json["credentials"]]
    bound = [unverified_payload(one.partition("~")[0])["cnf"]["jwk"] for one in found]
    assert bound == [bare(key) for key in keys]
    assert credential_of(got) == found[0]
    told = await wallet.notify(
        http, tokens["access_token"], got.json["notification_id"], "credential_accepted"
    )
    assert told.status == 204


async def test_without_its_attestation_nothing_of_it_is_to_be_had(
    live: Live, http: Http, cast: Cast
) -> None:
    provider, other = WalletProvider(time.time()), WalletProvider(time.time(), "Other")
    client = await _client(live, cast, provider)
    form = {"client_id": client.client_id, "response_type": "code"}
    assert (await http.form(live.path + "/par", form)).error == "invalid_client"
    await cast.trust(other)
    impostor = AttestedHttp(http, client, other)
    assert (await impostor.form(live.path + "/par", form)).error == "invalid_client"
