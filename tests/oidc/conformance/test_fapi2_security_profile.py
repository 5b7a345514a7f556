"""The modules of the FAPI 2.0 Security Profile plan, each by its name, over real HTTP.

The names leave out the prefix `fapi2-security-profile-final-`. What other files have already is
named in docs/conformance.md.
"""

import time
from typing import Any

import pytest

from tests.support.fapi_client import Key, b64, new_verifier, unique
from tests.support.fapi_suite import FapiSuite, ath, claims_of, query
from tests.support.raw_http import form


async def test_discovery_end_point_verification(suite: FapiSuite) -> None:
    path = f"{suite.live.path}/.well-known/openid-configuration"
    told = (await suite.http.get(path)).expect(200).json
    assert told["issuer"] == suite.live.issuer
    assert told["pushed_authorization_request_endpoint"].startswith(suite.live.issuer)
    assert told["authorization_response_iss_parameter_supported"] is True
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
    assert {"ES256", "PS256"} <= set(told["token_endpoint_auth_signing_alg_values_supported"])
    assert {"ES256", "PS256"} <= set(told["dpop_signing_alg_values_supported"])
    assert "none" not in told["id_token_signing_alg_values_supported"]
    assert set(told["response_types_supported"]) == {"code"}
    assert {"authorization_code", "refresh_token"} <= set(told["grant_types_supported"])
    assert told["claims_parameter_supported"] is True


async def test_user_rejects_authentication(suite: FapiSuite) -> None:
    answer = suite.finish(suite.visit(await suite.pushed(state="s")), "deny")
    assert (answer["error"], answer["state"]) == ("access_denied", "s")
    assert answer["iss"] == suite.live.issuer


async def test_ensure_authorization_request_without_state_success(suite: FapiSuite) -> None:
    answer = await suite.code(state=None)
    assert "state" not in answer
    (await suite.redeem(answer["code"])).expect(200)


async def test_ensure_authorization_request_without_nonce_success(suite: FapiSuite) -> None:
    assert "nonce" not in claims_of(await suite.tokens(nonce=None))


async def test_ensure_authorization_request_with_64_char_nonce_success(suite: FapiSuite) -> None:
    assert claims_of(await suite.tokens(nonce="n" * 64))["nonce"] == "n" * 64


async def test_ensure_authorization_request_with_long_nonce(suite: FapiSuite) -> None:
    """Whole or refused, never cut."""
    for length in (65, 200, 1000):
        pushed = await suite.push(nonce="n" * length)
        assert pushed.status in (201, 400)
        if pushed.status == 400:
            assert pushed.error == "invalid_request"
    assert claims_of(await suite.tokens(nonce="n" * 200))["nonce"] == "n" * 200


async def test_ensure_authorization_request_with_long_state(suite: FapiSuite) -> None:
    assert (await suite.code(state="s" * 384))["state"] == "s" * 384


async def test_ensure_other_scope_order_succeeds(suite: FapiSuite) -> None:
    backwards = " ".join(reversed(suite.client.scope.split()))
    tokens = await suite.tokens(scope=backwards)
    assert set(tokens.get("scope", backwards).split()) <= set(backwards.split())


async def test_test_claims_parameter_identity_claims(suite: FapiSuite) -> None:
    wanted = '{"id_token":{"email":{"essential":true}},"userinfo":{"email":null}}'
    tokens = await suite.tokens(claims=wanted, scope="openid email")
    assert claims_of(tokens)["email"].endswith("@example.com")


async def test_access_token_type_header_case_sensitivity(suite: FapiSuite) -> None:
    token = (await suite.tokens())["access_token"]
    for scheme in ("DPOP", "dpop", "dPoP"):
        proof = suite.proof("GET", "/userinfo", ath=ath(token))
        (await suite.userinfo(token, proof, scheme)).expect(200)


async def test_check_dpop_proof_nbf_exp(suite: FapiSuite) -> None:
    answer, now = await suite.code(), int(time.time())
    proof = suite.proof("POST", "/token", nbf=now + 3600, exp=now - 3600)
    (await suite.redeem(answer["code"], proof=proof)).expect(200)


@pytest.mark.parametrize("seconds", [-10, 10], ids=["before", "after"])
async def test_ensure_dpopproof_with_iat_10seconds_succeeds(suite: FapiSuite, seconds: int) -> None:
    answer = await suite.code()
    proof = suite.proof("POST", "/token", iat=int(time.time()) + seconds)
    (await suite.redeem(answer["code"], proof=proof)).expect(200)


async def test_ensure_mismatched_dpop_jkt_fails(suite: FapiSuite) -> None:
    proof = suite.proof("POST", "/par")
    pushed = await suite.push(proof=proof, dpop_jkt=Key().thumbprint)
    assert pushed.expect(400).error in {"invalid_request", "invalid_dpop_proof"}


async def test_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(
    suite: FapiSuite,
) -> None:
    answer = await suite.code(proof=suite.proof("POST", "/par"))
    refused = await suite.redeem(answer["code"], proof=suite.proof("POST", "/token", Key()))
    assert refused.expect(400).error in {"invalid_grant", "invalid_dpop_proof"}
    (await suite.redeem(answer["code"])).expect(200)


async def test_ensure_token_endpoint_fails_with_mismatched_dpop_jkt(suite: FapiSuite) -> None:
    answer = await suite.code(dpop_jkt=Key().thumbprint)
    refused = await suite.redeem(answer["code"])
    assert refused.expect(400).error in {"invalid_grant", "invalid_dpop_proof"}


async def test_ensure_dpopproof_at_par_endpoint_binding_success(suite: FapiSuite) -> None:
    answer = await suite.code(proof=suite.proof("POST", "/par"))
    assert (await suite.redeem(answer["code"])).expect(200).json["token_type"] == "DPoP"


async def test_ensure_dpop_auth_code_binding_success(suite: FapiSuite) -> None:
    answer = await suite.code(dpop_jkt=suite.client.dpop_key.thumbprint)
    assert (await suite.redeem(answer["code"])).expect(200).json["token_type"] == "DPoP"


async def test_ensure_different_nonce_inside_and_outside_request_object(suite: FapiSuite) -> None:
    answer = await suite.code({"nonce": "outside"}, nonce="inside")
    tokens = (await suite.redeem(answer["code"])).expect(200).json
    assert claims_of(tokens)["nonce"] == "inside"


async def test_ensure_different_state_inside_and_outside_request_object(suite: FapiSuite) -> None:
    assert (await suite.code({"state": "outside"}, state="inside"))["state"] == "inside"


async def test_state_only_outside_request_object_not_used(suite: FapiSuite) -> None:
    assert "state" not in await suite.code({"state": "outside"}, state=None)


async def test_ensure_request_object_without_redirect_uri_fails(suite: FapiSuite) -> None:
    assert (await suite.push(redirect_uri=None)).expect(400).error == "invalid_request"


async def test_ensure_registered_redirect_uri(suite: FapiSuite) -> None:
    for uri in (
        "https://evil.example/callback",
        f"{suite.client.redirect_uri}/more",
        f"{suite.client.redirect_uri}?a=b",
        suite.client.redirect_uri.upper(),
    ):
        assert (await suite.push(redirect_uri=uri)).expect(400).error == "invalid_request"


async def test_plain_fapi_tolerate_unregistered_redirect_uri(suite: FapiSuite) -> None:
    """A server may allow it to authenticated clients; this one does not."""
    pushed = await suite.push(redirect_uri="https://bank.example/another")
    assert pushed.expect(400).error == "invalid_request"


async def test_ensure_unsigned_authorization_request_without_using_par_fails(
    suite: FapiSuite,
) -> None:
    suite.visitor.authorize(client_id=suite.client.client_id, **suite.request())
    assert suite.page_shown


async def test_ensure_redirect_uri_in_authorization_request(suite: FapiSuite) -> None:
    assert (await suite.push(redirect_uri=None)).expect(400).error == "invalid_request"
    suite.visitor.authorize(client_id=suite.client.client_id, **suite.request(redirect_uri=None))
    assert suite.page_shown


@pytest.mark.parametrize("kind", ["code id_token", "token", "id_token", "code token", "none"])
async def test_ensure_response_type_fails(suite: FapiSuite, kind: str) -> None:
    pushed = await suite.push(response_type=kind)
    assert pushed.expect(400).error in {"unsupported_response_type", "invalid_request"}


async def test_ensure_client_id_in_token_endpoint(suite: FapiSuite) -> None:
    answer = await suite.code()
    refused = await suite.redeem(answer["code"], client_id="another")
    assert refused.status in (400, 401)
    assert refused.error in {"invalid_client", "invalid_request"}
    (await suite.redeem(answer["code"], client_id=None)).expect(200)


async def test_ensure_holder_of_key_required(suite: FapiSuite) -> None:
    answer = await suite.code()
    refused = await suite.redeem(answer["code"], bound=False)
    assert refused.expect(400).error in {"invalid_request", "invalid_dpop_proof", "invalid_grant"}


async def test_ensure_authorization_code_is_bound_to_client(suite: FapiSuite) -> None:
    answer, other = await suite.code(), await suite.cast.client()
    refused = await suite.redeem(answer["code"], client=other)
    assert refused.expect(400).error == "invalid_grant"


async def test_attempt_reuse_authorization_code_after_one_second(suite: FapiSuite) -> None:
    answer = await suite.code()
    token = (await suite.redeem(answer["code"])).expect(200).json["access_token"]
    assert (await suite.redeem(answer["code"])).expect(400).error == "invalid_grant"
    proof = suite.proof("GET", "/userinfo", ath=ath(token))
    (await suite.userinfo(token, proof)).expect(401)  # what was issued for it is over


async def test_ensure_token_endpoint_fails_with_expired_auth_code(suite: FapiSuite) -> None:
    answer = await suite.code()
    await suite.time_passes()
    assert (await suite.redeem(answer["code"])).expect(400).error == "invalid_grant"


async def test_ensure_client_assertion_in_token_endpoint(suite: FapiSuite) -> None:
    answer = await suite.code()
    nothing: dict[str, Any] = {"client_assertion": None, "client_assertion_type": None}
    refused = await suite.redeem(answer["code"], **nothing)
    assert refused.expect(401).error == "invalid_client"
    (await suite.redeem(answer["code"])).expect(200)


BAD_ASSERTIONS: dict[str, dict[str, Any]] = {
    "exp-is-5-minutes-in-past": {"exp": int(time.time()) - 300, "iat": int(time.time()) - 360},
    "wrong-aud": {"aud": "https://another.example"},
    "no-sub": {"sub": None},
    "no-iss": {"iss": None},
    "no-exp": {"exp": None},
    "no-jti": {"jti": None},
    "no-aud": {"aud": None},
    "another-sub": {"sub": "another"},
    "nbf-over-60-seconds-in-the-future": {"nbf": int(time.time()) + 3600},
    "iat-over-60-seconds-in-the-future": {"iat": int(time.time()) + 3600},
}


@pytest.mark.parametrize("changes", BAD_ASSERTIONS.values(), ids=BAD_ASSERTIONS)
async def test_ensure_invalid_client_assertions_fail(
    suite: FapiSuite, changes: dict[str, Any]
) -> None:
    """At the token endpoint and at PAR alike; neither uses up the code."""
    answer = await suite.code()
    refused = await suite.redeem(answer["code"], assertion=suite.assertion(**changes))
    assert refused.expect(401).error == "invalid_client"
    pushed = await suite.push(assertion=suite.assertion(**changes))
    assert pushed.expect(401).error == "invalid_client"
    (await suite.redeem(answer["code"])).expect(200)


async def test_par_client_assertion_with_iat_nbf_8_seconds_in_the_future_is_accepted(
    suite: FapiSuite,
) -> None:
    soon = int(time.time()) + 8
    (await suite.push(assertion=suite.assertion(iat=soon, nbf=soon, exp=soon + 60))).expect(201)


@pytest.mark.parametrize("endpoint", ["array", "/par", "/token"])
async def test_par_another_audience_than_the_issuer_as_a_string_fails(
    suite: FapiSuite, endpoint: str
) -> None:
    issuer = suite.live.issuer
    audience = [issuer, f"{issuer}/par"] if endpoint == "array" else issuer + endpoint
    pushed = await suite.push(assertion=suite.assertion(aud=audience))
    assert pushed.expect(401).error == "invalid_client"


BAD_PROOFS: dict[str, dict[str, Any]] = {
    "no-jti": {"jti": None},
    "no-htm": {"htm": None},
    "no-htu": {"htu": None},
    "no-iat": {"iat": None},
    "no-ath": {"ath": None},
    "wrong-ath": {"ath": b64(b"\0" * 32)},
    "wrong-htm": {"htm": "POST"},
    "wrong-htu": {"htu": "https://another.example/userinfo"},
    "iat-an-hour-ago": {"iat": int(time.time()) - 3600},
    "iat-in-an-hour": {"iat": int(time.time()) + 3600},
}


async def test_dpop_negative_tests(suite: FapiSuite) -> None:
    token = (await suite.tokens())["access_token"]

    async def refused(proof: str, what: str, scheme: str = "DPoP") -> None:
        answer = await suite.userinfo(token, proof, scheme)
        assert answer.status in (400, 401), what
        assert "www-authenticate" in answer.headers, what

    good = suite.proof("GET", "/userinfo", ath=ath(token))
    (await suite.userinfo(token, good)).expect(200)
    await refused(good, "a second use")
    for what, changes in BAD_PROOFS.items():
        await refused(suite.proof("GET", "/userinfo", **{"ath": ath(token), **changes}), what)
    await refused(suite.proof("GET", "/userinfo", Key(), ath=ath(token)), "another key")
    await refused("no JWT", "no JWT")
    await refused("", "no proof")
    await refused(suite.proof("GET", "/userinfo", ath=ath(token)), "a downgrade", "Bearer")
    broken = suite.proof("GET", "/userinfo", ath=ath(token))
    await refused(broken[:-8] + "A" * 8, "a bad signature")
    key = suite.client.dpop_key
    claims = {"jti": unique(), "htm": "GET", "htu": f"{suite.live.issuer}/userinfo"}
    whole = {**claims, "iat": int(time.time()), "ath": ath(token)}
    await refused(key.sign({"typ": "JWT", "jwk": key.public}, whole), "another typ")
    await refused(key.sign({"jwk": key.public}, whole), "no typ")
    await refused(key.sign({"typ": "dpop+jwt"}, whole), "no jwk")
    await refused(key.sign({"typ": "dpop+jwt", "jwk": key.public, "alg": "none"}, whole), "none")
    private = {**key.public, "d": b64(b"\1" * 32)}
    await refused(key.sign({"typ": "dpop+jwt", "jwk": private}, whole), "a private key")


async def test_refresh_token(suite: FapiSuite) -> None:
    tokens = await suite.tokens()
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    for _ in range(2):
        sent = await suite.client.send_token_request(suite.http, fields)
        again = sent.answer.expect(200).json
        assert again["access_token"] != tokens["access_token"]
        assert again.get("refresh_token", tokens["refresh_token"]) == tokens["refresh_token"]
    other = await suite.cast.client()
    stolen = await other.send_token_request(suite.http, fields)
    assert stolen.answer.expect(400).error == "invalid_grant"


async def test_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(
    suite: FapiSuite,
) -> None:
    request_uri = await suite.pushed()
    suite.visit(request_uri)
    assert "code" in suite.finish(suite.visit(request_uri))


async def test_par_attempt_reuse_request_uri(suite: FapiSuite) -> None:
    request_uri = await suite.pushed()
    assert "code" in suite.finish(suite.visit(request_uri))
    suite.visit(request_uri)
    assert suite.page_shown


async def test_par_attempt_to_use_expired_request_uri(suite: FapiSuite) -> None:
    request_uri = await suite.pushed()
    await suite.time_passes()
    suite.visit(request_uri)
    assert suite.page_shown


async def test_par_attempt_to_use_request_uri_for_different_client(suite: FapiSuite) -> None:
    suite.visit(await suite.pushed(), await suite.cast.client())
    assert suite.page_shown


async def test_par_authorization_request_containing_request_uri_form_param(
    suite: FapiSuite,
) -> None:
    pushed = await suite.push(request_uri="urn:ietf:params:oauth:request_uri:x")
    assert pushed.expect(400).error == "invalid_request"


async def test_par_attempt_invalid_http_method(suite: FapiSuite) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = await suite.http.request(method, f"{suite.live.path}/par", {"Content-Length": "0"})
        assert answer.expect(405).headers["allow"] == "POST"


async def test_par_ensure_pkce_required(suite: FapiSuite) -> None:
    pushed = await suite.push(code_challenge=None, code_challenge_method=None)
    assert pushed.expect(400).error == "invalid_request"


async def test_ensure_pkce_code_verifier_required(suite: FapiSuite) -> None:
    answer = await suite.code()
    refused = await suite.redeem(answer["code"], code_verifier=None)
    assert refused.expect(400).error in {"invalid_grant", "invalid_request"}


async def test_incorrect_pkce_code_verifier_rejected(suite: FapiSuite) -> None:
    answer = await suite.code()
    refused = await suite.redeem(answer["code"], code_verifier=new_verifier())
    assert refused.expect(400).error == "invalid_grant"
    (await suite.redeem(answer["code"])).expect(200)  # which has used nothing up


async def test_par_plain_pkce_rejected(suite: FapiSuite) -> None:
    for method in ("plain", None):
        pushed = await suite.push(code_challenge=suite.verifier, code_challenge_method=method)
        assert pushed.expect(400).error == "invalid_request"


async def test_par_without_duplicate_parameters(suite: FapiSuite) -> None:
    """At the authorization endpoint client_id and request_uri are all that is needed."""
    (await suite.redeem((await suite.code())["code"])).expect(200)
    fields = query({**suite.request(), **suite.client.authentication()})
    repeated = form(suite.live.port, f"{suite.live.path}/par", f"{fields}&scope=openid".encode())
    assert repeated.expect(400).error == "invalid_request"
