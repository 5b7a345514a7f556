"""Step-up (RFC 9470): a resource asks for a surer or more recent sign-in, and gets it."""

import re

import pytest

from corpid.domain.languages import Names
from corpid.relying_party import DpopRequest, RelyingParty, errors
from corpid.services.client_metadata import Registration
from corpid.services.clients import Clients
from tests.support.fapi_client import FapiClient
from tests.support.fapi_client_http import Http
from tests.support.live_cast import ACTOR, Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import answered, sign_in
from tests.support.live_visitor import Visitor
from tests.support.service_process import RESOURCE
from tests.support.wallet import Wallet, unverified_payload


def asked_by(challenge: str) -> dict[str, str]:
    """What a client takes from a challenge into its next request (RFC 9470 4)."""
    assert 'error="insufficient_user_authentication"' in challenge
    found = re.findall(r'(acr_values|max_age)="([^"]*)"', challenge)
    return dict(found)


def calling(client: FapiClient, token: str) -> DpopRequest:
    """A call of the API with that token."""
    url = f"{RESOURCE}/accounts"
    return DpopRequest(client.dpop_key.dpop("GET", url, token=token), "GET", url)


async def become_stricter(cast: Cast, client: FapiClient) -> None:
    """Register the client anew, with a higher least assurance."""
    wanted = Registration(
        names=Names("Sample Bank"),
        redirect_uris=(client.redirect_uri,),
        scopes=tuple(client.scope.split()),
        jwks=client.key.jwks,
        sector=f"{client.client_id}.example",
        min_acr="loa2",
    )
    clients = Clients(cast.base.store, cast.base.clock, cast.base.random)
    await clients.replace(client.client_id, wanted, ACTOR)


async def test_an_api_asks_for_a_surer_sign_in_and_gets_it(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client(with_resource=True, min_acr="loa1")
    weak = await sign_in(http, client, visitor, human, resource=RESOURCE)
    assert visitor.steps == ["sign-in", "consent"]
    api = RelyingParty(live.issuer, audience=RESOURCE)
    with pytest.raises(errors.AssuranceTooLow):
        await api.verify_access_token(
            weak.access_token, dpop=calling(client, weak.access_token), min_acr="loa2"
        )
    challenge = api.step_up_challenge(min_acr="loa2")

    visitor.steps.clear()
    strong = await sign_in(http, client, visitor, human, resource=RESOURCE, **asked_by(challenge))
    assert visitor.steps == ["code"]
    found = await api.verify_access_token(
        strong.access_token,
        dpop=calling(client, strong.access_token),
        min_acr="loa2",
        max_age=300,
    )
    claims = found.claims
    assert claims["auth_time"] >= unverified_payload(weak.access_token)["auth_time"]
    told = await client.introspect(http, strong.access_token)
    assert (told["acr"], told["auth_time"]) == (claims["acr"], claims["auth_time"])


async def test_rfc9470_5_what_the_person_cannot_reach_is_unmet(
    http: Http, cast: Cast, visitor: Visitor, live: Live
) -> None:
    organisation, human = await cast.organisation(), await cast.human(totp=False)
    await cast.director(organisation, human)
    client = await cast.client(min_acr="loa1")
    await sign_in(http, client, visitor, human)
    wanted = f"{live.issuer}/acr/loa2"
    _, answer = await answered(http, client, visitor, human, acr_values=wanted, prompt="none")
    assert answer["error"] == "unmet_authentication_requirements"
    # A value that does not exist here makes all of them wishes (OpenID Connect Core 3.1.2.1).
    _, answer = await answered(http, client, visitor, human, acr_values=f"urn:x {wanted}")
    assert "code" in answer


async def test_userinfo_asks_when_the_client_has_become_stricter(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client(min_acr="loa1")
    done = await sign_in(http, client, visitor, human)
    (await client.userinfo(http, done.access_token)).expect(200)
    await become_stricter(cast, client)
    refused = await client.userinfo(http, done.access_token)
    assert refused.status == 401
    asked = asked_by(refused.headers["www-authenticate"])
    assert asked == {"acr_values": f"{live.issuer}/acr/loa2"}
    visitor.steps.clear()
    again = await sign_in(http, client, visitor, human, **asked)
    assert "code" in visitor.steps
    (await client.userinfo(http, again.access_token)).expect(200)


async def test_a_credential_is_not_fetched_by_a_password_alone(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client(min_acr="loa1", scopes=("openid", "credential.representative"))
    wallet = Wallet(live.issuer, dpop_key=client.dpop_key)
    kind = "representative"
    weak = await sign_in(http, client, visitor, human)
    refused = await wallet.ask(http, weak.access_token, kind, await wallet.nonce(http))
    assert refused.status == 401
    asked = asked_by(refused.headers["www-authenticate"])
    strong = await sign_in(http, client, visitor, human, **asked)
    given = await wallet.ask(http, strong.access_token, kind, await wallet.nonce(http))
    given.expect(200)
