"""Rules that only a request over HTTP can show; docs/rules-and-tests.md lists all of them."""

import hashlib
import time
from urllib.parse import urlencode

import pytest

from corpid.domain.languages import Names
from corpid.services.client_metadata import Registration
from corpid.services.clients import Clients
from keys import jws
from keys.signer import generate
from tests.support.fapi_client import ASSERTION_TYPE, b64, new_verifier, unique
from tests.support.fapi_client_http import Http
from tests.support.live_cast import ACTOR, CALLBACK, TRANSACTION_CODE, Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import answered, plain_request, sign_in
from tests.support.live_visitor import Visitor
from tests.support.raw_http import form, send
from tests.support.service_process import RESOURCE
from tests.support.wallet import Wallet, credential_of, unverified_payload


def _header(compact: str) -> dict[str, object]:
    import jwt

    return jwt.get_unverified_header(compact)


async def test_rfc9449_4_1_the_name_of_the_dpop_header_has_no_case(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client()
    done = await sign_in(http, client, visitor, human)
    for name, scheme in ((b"DPOP", "dpop"), (b"dpop", "DPOP")):
        proof = client.proof("GET", "/userinfo", token=done.access_token)
        headers = [
            (name, proof.encode()),
            (b"AUTHORIZATION", f"{scheme} {done.access_token}".encode()),
        ]
        assert send(live.port, "GET", f"{live.path}/userinfo", headers).status == 200


@pytest.mark.parametrize(
    ("method", "endpoint"),
    [
        ("GET", "/userinfo"),
        ("POST", "/userinfo"),
        ("POST", "/credential"),
        ("POST", "/notification"),
    ],
)
async def test_fapi2_5_3_4_an_access_token_in_the_query_is_not_read(
    live: Live, http: Http, cast: Cast, visitor: Visitor, method: str, endpoint: str
) -> None:
    _, human = await cast.acting()
    client = await cast.client()
    token = (await sign_in(http, client, visitor, human)).access_token
    target = f"{live.path}{endpoint}?access_token={token}"
    answer = send(live.port, method, target, {"DPoP": client.proof(method, endpoint, token=token)})
    assert answer.status == 401
    assert "error=" not in answer.headers["www-authenticate"], "as if there were none"


@pytest.mark.parametrize("alg", ["ES256", "PS256", "Ed25519"])
async def test_fapi2_5_4_1_client_keys_of_each_algorithm(live: Live, cast: Cast, alg: str) -> None:
    key = generate(alg)
    client_id = f"sample-{alg.lower()}-{unique()[-8:]}"
    wanted = Registration(
        names=Names("Sample Bank"), redirect_uris=(CALLBACK,), jwks={"keys": [dict(key.public_jwk)]}
    )
    base = cast.base
    await Clients(base.store, base.clock, base.random).add(wanted, ACTOR, client_id=client_id)
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": live.issuer, "jti": unique()}
    assertion = await jws.sign(
        key, claims | {"iat": now, "exp": now + 60}, typ="client-authentication+jwt"
    )
    challenge = b64(hashlib.sha256(new_verifier().encode()).digest())
    fields = {
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    answer = form(live.port, f"{live.path}/par", urlencode(fields).encode())
    assert answer.status == 201, answer.body
    assert answer.json["expires_in"] < 600
    assert answer.headers["cache-control"] == "no-store"


async def test_rfc9700_4_12_after_the_password_comes_303_and_never_307(
    live: Live, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.plain_client()
    visitor.authorize(**plain_request(client, new_verifier()))
    assert visitor.form is not None
    fields = {**visitor.form.fields, "username": human.username, "password": human.password}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": visitor.cookie_header,
    }
    target = visitor.address.removeprefix(live.origin)
    answer = send(live.port, "POST", target, headers, urlencode(fields).encode())
    assert answer.status == 303
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_rfc9700_2_4_there_is_no_password_grant(live: Live, http: Http, cast: Cast) -> None:
    human = await cast.human()
    client = await cast.client()
    fields = {"grant_type": "password", "username": human.username, "password": human.password}
    sent = await client.send_token_request(http, fields)
    assert sent.answer.expect(400).error == "unsupported_grant_type"


async def test_rfc9207_2_iss_is_in_every_authorization_response(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    metadata = (await http.get(live.inserted("oauth-authorization-server"))).expect(200).json
    assert metadata["authorization_response_iss_parameter_supported"] is True
    client = await cast.plain_client()
    for changes, error in (
        ({"prompt": "none"}, "login_required"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"request_uri": "https://bank.example/r"}, "request_uri_not_supported"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"scope": "unheard-of"}, "invalid_scope"),
        ({"resource": "https://other.example"}, "invalid_target"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ):
        where = visitor.authorize(**{**plain_request(client, new_verifier()), **changes})
        assert where.startswith(client.redirect_uri), (changes, where)
        assert f"error={error}&" in where
        assert where.endswith(urlencode({"iss": live.issuer}))


async def test_jose_types_are_emitted_exactly(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    """RFC 8725 3.11: every kind of token says what it is."""
    organisation, human = await cast.acting()
    client = await cast.client(with_resource=True)
    done = await sign_in(http, client, visitor, human, resource=RESOURCE)
    assert _header(done.tokens["id_token"])["typ"] == "JWT"
    assert _header(done.access_token)["typ"] == "at+jwt"
    wallet = Wallet(live.issuer)
    code = await cast.offer(organisation, human)
    answer = await wallet.credential(http, code, TRANSACTION_CODE, "representative")
    credential = credential_of(answer)
    assert _header(credential.partition("~")[0])["typ"] == "dc+sd-jwt"
    status = unverified_payload(credential.partition("~")[0])["status"]["status_list"]
    published = await http.get(status["uri"].removeprefix(live.origin))
    assert published.headers["content-type"] == "application/statuslist+jwt"
    assert published.headers["access-control-allow-origin"] == "*"
    assert published.headers["x-content-type-options"] == "nosniff"
    assert _header(published.body.decode())["typ"] == "statuslist+jwt"
    claims = unverified_payload(published.body.decode())
    assert claims["sub"] == status["uri"]
    assert claims["exp"] > claims["iat"]
    assert claims["ttl"] > 0


async def test_openid4vci_8_a_credential_by_scope_after_a_sign_in(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    scopes = ("openid", "credential.representative")
    client = await cast.client(scopes=scopes)
    done = await sign_in(http, client, visitor, human)
    wallet = Wallet(live.issuer, dpop_key=client.dpop_key)
    token = done.access_token
    answer = await wallet.ask(http, token, "representative", await wallet.nonce(http))
    assert credential_of(answer.expect(200))
    other = await wallet.ask(http, token, "company-identity", await wallet.nonce(http))
    assert other.expect(403).error == "insufficient_scope"


async def test_rfc9449_10_a_code_is_bound_to_the_key_announced_at_par(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    from tests.support.fapi_client import Key

    _, human = await cast.acting()
    client = await cast.client()
    announced = client.dpop_key
    verifier, answer = await answered(http, client, visitor, human, dpop_jkt=announced.thumbprint)
    client.dpop_key = Key()
    sent = await client.send_token_request(http, client.redemption(answer["code"], verifier))
    assert sent.answer.expect(400).error == "invalid_grant"
    client.dpop_key = announced
    await client.token(http, client.redemption(answer["code"], verifier))


async def test_fapi2_5_3_2_2_64_characters_of_state_and_nonce_come_back_whole(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client()
    long = "n-" + "0123456789abcdef" * 3 + "0123456789abcd"
    assert len(long) == 64
    done = await sign_in(http, client, visitor, human, state=long, nonce=long)
    assert done.answer["state"] == long
    assert done.claims["nonce"] == long


async def test_core_5_3_2_sub_at_userinfo_is_the_id_tokens(
    http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    for subject in ("organisation", "representative"):
        client = await cast.client(subject=subject)
        done = await sign_in(http, client, visitor, human)
        told = (await client.userinfo(http, done.access_token)).expect(200).json
        assert told["sub"] == done.claims["sub"]
        assert len(told["sub"]) <= 255
        assert told["sub"].isascii()


async def test_rfc6749_5_1_what_holds_secrets_is_not_stored(
    live: Live, http: Http, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.client()
    verifier, answer = await answered(http, client, visitor, human)
    sent = await client.send_token_request(http, client.redemption(answer["code"], verifier))
    token = sent.answer.expect(200).json["access_token"]
    told = await client.userinfo(http, token)
    introspected = await http.form(
        f"{live.path}/introspect", {"token": token, **client.authentication()}
    )
    for one in (sent.answer, told, introspected.expect(200)):
        assert one.headers["cache-control"] == "no-store"
