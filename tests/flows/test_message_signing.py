"""A `fapi2-message-signing` relying party end to end: what it asks and what it gets is signed."""

import asyncio
import hashlib
import time
from typing import Any
from urllib.parse import urlencode

import jwt as pyjwt
import pytest

from corpid.relying_party import DpopRequest, RelyingParty, VerifiedAccessToken, errors
from corpid.services.client_signing import Signing
from tests.support.fapi_client import FapiClient, b64, new_verifier
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import Cast, Human
from tests.support.live_service import Live
from tests.support.live_sign_in import answered
from tests.support.live_visitor import Visitor
from tests.support.logout_receiver import receiver

PROFILE = "fapi2-message-signing"
AFTER = "https://bank.example/signed-out"


async def _opened(http: Http, live: Live, client: FapiClient, compact: str) -> dict[str, Any]:
    """What PyJWT reads in a signed response, with the keys that the service publishes."""
    keys = pyjwt.PyJWKSet.from_dict((await http.get(f"{live.path}/jwks")).expect(200).json)
    key = keys[pyjwt.get_unverified_header(compact)["kid"]]
    found: dict[str, Any] = pyjwt.decode(
        compact, key, algorithms=["ES256"], audience=client.client_id, issuer=live.issuer
    )
    return found


def _request(client: FapiClient, verifier: str, **changes: Any) -> dict[str, Any]:
    return {
        "response_type": "code",
        "response_mode": "jwt",
        "redirect_uri": client.redirect_uri,
        "scope": client.scope,
        "code_challenge": b64(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
        **changes,
    }


async def _push(http: Http, client: FapiClient, compact: str | None, **outside: str) -> Answer:
    form = {**client.authentication(), **outside}
    if compact is not None:
        form["request"] = compact
    return await http.form(f"{client.path}/par", form)


async def test_the_whole_way_of_a_message_signing_client(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client(profile=PROFILE)
    verifier, answer = await answered(
        http, client, visitor, human, response_mode="jwt", state="kept", nonce="n-1"
    )
    assert answer.keys() == {"response"}, "iss stands inside (RFC 9207 2.4, JARM 4.1)"
    claims = await _opened(http, live, client, answer["response"])
    assert claims["state"] == "kept"
    assert claims["exp"] - time.time() <= 600
    tokens = await client.token(http, client.redemption(claims["code"], verifier))
    told = (await client.userinfo(http, tokens["access_token"])).expect(200).json
    assert told["sub_attributes"]

    silent, answer = await answered(http, client, visitor, None, response_mode="jwt")
    claims = await _opened(http, live, client, answer["response"])
    await client.token(http, client.redemption(claims["code"], silent))


async def test_from_a_signed_request_to_the_sign_out_everything_is_signed_and_verified(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    """Refresh, introspection, UserInfo and both logouts, read by the relying-party package."""
    organisation, human = await cast.acting()
    async with receiver() as told_of_logout:
        client = await cast.client(
            profile=PROFILE,
            signing=Signing(userinfo_signed_response_alg="ES256"),
            post_logout_redirect_uris=(AFTER,),
            backchannel_logout_uri=told_of_logout.uri,
        )
        party = RelyingParty(live.issuer, client_id=client.client_id, audience=live.issuer)
        verifier, answer = await answered(
            http, client, visitor, human, response_mode="jwt", state="kept", nonce="n-1"
        )
        response = await party.verify_authorization_response(answer["response"], state="kept")
        assert response.code is not None
        tokens = await client.token(http, client.redemption(response.code, verifier))
        signed_in = await party.verify_id_token(
            tokens["id_token"], nonce="n-1", access_token=tokens["access_token"], min_acr="loa2"
        )
        userinfo = (await client.userinfo(http, tokens["access_token"])).expect(200)
        facts = await party.verify_userinfo(userinfo.body.decode(), signed_in=signed_in)
        assert facts.organisation is not None
        assert facts.organisation.registration_number == organisation.number

        refreshing = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        fresh = await client.token(http, refreshing)
        again = await party.verify_id_token(fresh["id_token"], nonce=None)
        assert (again.subject, again.session_id) == (signed_in.subject, signed_in.session_id)
        known = await _introspected(http, party, client, fresh["access_token"])
        assert (known.subject, known.actor) == (signed_in.subject, signed_in.actor)

        asked = {"id_token_hint": fresh["id_token"], "post_logout_redirect_uri": AFTER}
        where = await asyncio.to_thread(
            visitor.open, f"{visitor.home}/end-session?{urlencode({**asked, 'state': 'bye'})}"
        )
        assert where == f"{AFTER}?state=bye"
        logout = await party.verify_logout_token(await told_of_logout.token())
        assert logout.session_id == signed_in.session_id
    with pytest.raises(errors.TokenInactive):
        await _introspected(http, party, client, fresh["access_token"])
    still = (await client.send_token_request(http, refreshing)).answer
    assert still.status == 200, "offline_access outlives the session"


async def _introspected(
    http: Http, party: RelyingParty, client: FapiClient, token: str
) -> VerifiedAccessToken:
    accept = {"Accept": "application/token-introspection+jwt"}
    fields = {"token": token, **client.authentication()}
    answer = (await http.form(f"{client.path}/introspect", fields, accept)).expect(200)
    proof = client.proof("GET", "/userinfo", token=token)
    return await party.verify_introspection(
        answer.body.decode(),
        access_token=token,
        dpop=DpopRequest(proof, "GET", f"{client.issuer}/userinfo"),
        require_binding=True,
    )


async def test_a_refusal_is_signed(live: Live, http: Http, cast: Cast, visitor: Visitor) -> None:
    """user-rejects-authentication."""
    _, human = await cast.acting()
    client = await cast.client(profile=PROFILE)
    _, answer = await answered(
        http, client, visitor, human, action="deny", response_mode="jwt", state="kept"
    )
    claims = await _opened(http, live, client, answer["response"])
    assert (claims["error"], claims["state"]) == ("access_denied", "kept")
    assert "code" not in claims


async def test_form_post_jwt_over_http(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client(profile=PROFILE)
    claims = await _by_form(live, http, client, visitor, human)
    assert claims["code"]


async def _by_form(
    live: Live, http: Http, client: FapiClient, visitor: Visitor, human: Human
) -> dict[str, Any]:
    request_uri = await client.push(http, new_verifier(), response_mode="form_post.jwt")
    visitor.authorize(client_id=client.client_id, request_uri=request_uri)
    while visitor.form is not None and visitor.form.action != client.redirect_uri:
        fields = visitor.form.fields
        if fields.get("step") == "consent":
            visitor.submit(action="approve")
        elif fields.get("step") == "code":
            from examples.demo.browser import one_time_code

            visitor.submit(otp=one_time_code(human.secret))
        else:
            visitor.submit(username=human.username, password=human.password)
    assert visitor.form is not None
    assert visitor.form.fields.keys() == {"response"}
    return await _opened(http, live, client, visitor.form.fields["response"])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"exp": None}, "invalid_request_object"),
        ({"nbf": None}, "invalid_request_object"),
        ({"aud": None}, "invalid_request_object"),
        ({"aud": "https://other.example"}, "invalid_request_object"),
        ({"exp": 1}, "invalid_request_object"),
        ({"nbf": 1}, "invalid_request_object"),
        ({"client_id": "somebody"}, "invalid_request_object"),
        ({"iss": "somebody"}, "invalid_request_object"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request_object"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://other.example/"}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"response_mode": None}, "invalid_request"),
        ({"response_mode": "query"}, "invalid_request"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
    ],
)
async def test_what_a_request_object_must_not_say(
    http: Http, cast: Cast, changes: dict[str, Any], error: str
) -> None:
    client = await cast.client(profile=PROFILE)
    compact = client.request_object(_request(client, new_verifier()), **changes)
    answer = await _push(http, client, compact)
    assert (answer.status, answer.error) == (400, error)


async def test_what_is_not_signed_by_this_client_is_refused(http: Http, cast: Cast) -> None:
    client, other = await cast.client(profile=PROFILE), await cast.client(profile=PROFILE)
    request = _request(client, new_verifier())
    other.client_id = client.client_id
    for compact in (other.request_object(request), client.assertion(), "x.y.z", "x"):
        answer = await _push(http, client, compact)
        assert (answer.status, answer.error) == (400, "invalid_request_object")
    unsigned = await _push(http, client, None, **request)
    assert (unsigned.status, unsigned.error) == (400, "invalid_request")
    good = client.request_object(request)
    assert (await _push(http, client, good, state="outside")).status == 201


async def test_a_plain_client_may_sign_its_request_by_value(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    """oidcc-ensure-request-object-with-redirect-uri, with a signed request object."""
    client = await cast.client(profile="oidc", scopes=("openid",))
    request = _request(client, new_verifier(), response_mode="query", prompt="none", state="in")
    visitor.authorize(
        client_id=client.client_id,
        request=client.request_object(request, nbf=None, exp=None),
        redirect_uri="https://other.example/",
        state="out",
    )
    assert visitor.address.startswith(f"{client.redirect_uri}?error=login_required&")
    assert "state=in&" in visitor.address
