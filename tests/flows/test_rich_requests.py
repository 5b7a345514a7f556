"""Authorization details over real HTTP: from the pushed request to a verifier and to a wallet."""

from typing import Any

import orjson

from tests.support.fapi_client_http import Http
from tests.support.live_cast import Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import sign_in
from tests.support.live_visitor import Visitor
from tests.support.service_process import RESOURCE
from tests.support.wallet import Wallet, credential_of, unverified_payload

TYPES = ("hk_corp_mandate", "openid_credential", "hk_corp_data_sharing")
NEED: dict[str, Any] = {
    "type": "hk_corp_mandate",
    "powers": ["open_account"],
    "limit": {"amount": "20000.00", "currency": "HKD"},
}


def asking(*details: Any) -> dict[str, str]:
    return {"authorization_details": orjson.dumps(details).decode()}


async def test_a_needed_authority_is_in_the_response_the_token_and_introspection(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.acting()
    await cast.mandate(organisation, human, "open_account", "sign_contract")
    client = await cast.client(with_resource=True, detail_types=TYPES)
    done = await sign_in(http, client, visitor, human, resource=RESOURCE, **asking(NEED))
    (told,) = done.tokens["authorization_details"]
    assert told["powers"] == ["open_account"]
    assert told["limit"] == NEED["limit"]
    assert told["mandate_id"] == done.claims["mandate"]["mandate_id"]
    (said,) = unverified_payload(done.access_token)["authorization_details"]
    assert (said["powers"], said["limit"]) == (told["powers"], told["limit"])
    introspected = await client.introspect(http, done.access_token)
    assert introspected["authorization_details"] == [said]


async def test_a_narrowed_token_stays_narrow_and_the_next_is_whole(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    organisation, human = await cast.acting()
    await cast.mandate(organisation, human, "open_account")
    client = await cast.client(with_resource=True, detail_types=TYPES)
    done = await sign_in(http, client, visitor, human, resource=RESOURCE, **asking(NEED))
    refresh = {"grant_type": "refresh_token", "refresh_token": done.tokens["refresh_token"]}
    less = {**NEED, "limit": {"amount": "5.00", "currency": "HKD"}}
    narrow = await client.token(http, {**refresh, **asking(less)})
    told = await client.introspect(http, narrow["access_token"])
    assert [one["limit"]["amount"] for one in told["authorization_details"]] == ["5.00"]
    more = {**NEED, "limit": {"amount": "20000.01", "currency": "HKD"}}
    refused = await client.send_token_request(http, {**refresh, **asking(more)})
    assert refused.answer.error == "invalid_authorization_details"
    whole = await client.token(http, refresh)
    assert whole["authorization_details"] == done.tokens["authorization_details"]


async def test_a_credential_is_authorised_by_name_and_fetched_by_its_identifier(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client(scopes=("openid",), detail_types=TYPES)
    asked = {"type": "openid_credential", "credential_configuration_id": "company-identity"}
    done = await sign_in(http, client, visitor, human, **asking(asked))
    (told,) = done.tokens["authorization_details"]
    (identifier,) = told["credential_identifiers"]

    wallet = Wallet(live.issuer, dpop_key=client.dpop_key)

    async def ask(**what: str) -> Any:
        proof = wallet.key_proof(await wallet.nonce(http))
        body = {**what, "proofs": {"jwt": [proof]}}
        return await wallet.post(http, "/credential", done.access_token, body)

    wrong = await ask(credential_configuration_id="company-identity")
    assert wrong.error == "invalid_credential_request"
    unknown = await ask(credential_identifier="representative/1")
    assert unknown.error == "unknown_credential_identifier"
    given = (await ask(credential_identifier=identifier)).expect(200)
    assert unverified_payload(credential_of(given).partition("~")[0])["vct"].endswith(
        "company-identity/1"
    )


async def test_a_narrowed_token_fetches_no_other_credential(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client(scopes=("openid", "offline_access"), detail_types=TYPES)
    both = [
        {"type": "openid_credential", "credential_configuration_id": name}
        for name in ("company-identity", "representative")
    ]
    done = await sign_in(http, client, visitor, human, **asking(*both))
    refresh = {"grant_type": "refresh_token", "refresh_token": done.tokens["refresh_token"]}
    narrow = await client.token(http, {**refresh, **asking(both[0])})
    wallet = Wallet(live.issuer, dpop_key=client.dpop_key)
    body = {
        "credential_identifier": "representative/1",
        "proofs": {"jwt": [wallet.key_proof(await wallet.nonce(http))]},
    }
    refused = await wallet.post(http, "/credential", narrow["access_token"], body)
    assert refused.error == "unknown_credential_identifier"


async def test_shared_facts_come_at_userinfo(http: Http, cast: Cast, visitor: Visitor) -> None:
    organisation, human = await cast.acting()
    client = await cast.client(scopes=("openid",), detail_types=TYPES)
    sharing = {
        "type": "hk_corp_data_sharing",
        "facts": ["entity_reg_number"],
        "purpose": "due_diligence",
        "until": cast.day(30),
    }
    done = await sign_in(http, client, visitor, human, **asking(sharing))
    told = (await client.userinfo(http, done.access_token)).expect(200).json
    (shared,) = told["shared_data"]
    assert shared["facts"] == {"entity_reg_number": organisation.number}


async def test_discovery_lists_the_types_and_an_unregistered_one_is_refused(
    live: Live, http: Http, cast: Cast
) -> None:
    configuration = await http.get(live.path + "/.well-known/openid-configuration")
    listed = configuration.expect(200).json["authorization_details_types_supported"]
    assert set(listed) == set(TYPES)
    client = await cast.client()
    form = {
        "response_type": "code",
        "redirect_uri": client.redirect_uri,
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        **asking(NEED),
        **client.authentication(),
    }
    answer = await http.form(live.path + "/par", form)
    assert answer.error == "invalid_authorization_details"
