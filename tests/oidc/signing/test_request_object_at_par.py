"""Signed request objects at PAR (RFC 9101, RFC 9126 3; FAPI 2.0 Message Signing 5.3.1).

The names of the conformance suite's modules, where a test stands for one, are in its docstring.
"""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import jws
from oidc.provider.request_object import MAX_REQUEST_OBJECT_BYTES
from tests.support.asgi import Answer, post_form
from tests.support.provider_world import (
    ISSUER,
    NOW,
    REDIRECT,
    World,
    challenge,
    client,
    key,
    without_none,
)
from tests.support.refusals import STANDARD
from tests.support.signed_requests import request_object, unsigned

REQUEST = {
    "response_type": "code",
    "response_mode": "jwt",
    "redirect_uri": REDIRECT,
    "scope": "openid mandate",
    "state": "inside",
    "nonce": "n-inside",
    "code_challenge": challenge(),
    "code_challenge_method": "S256",
}

_MORE = ("aud", "nbf", "exp", "iat", "iss", "sub", "jti", "max_age", "claims", "resource", "prompt")


async def push(
    world: World, compact: str | None = None, /, by: str = "signer", **outside: str
) -> Answer:
    given = {**await world.proving(by), **outside}
    if compact is not None:
        given["request"] = compact
    return await post_form(world.par_endpoint, given)


async def push_claims(world: World, **changes: Any) -> Answer:
    return await push(world, await request_object(world, "signer", REQUEST, **changes))


def refused(answer: Answer, error: str = "invalid_request_object") -> None:
    assert (answer.status, answer.error) == (400, error), answer.body


async def test_what_stands_inside_is_the_request() -> None:
    """par-without-duplicate-parameters: beside it stands the client's authentication alone."""
    world = World()
    answer = await push_claims(world, unknown="ignored")
    assert answer.status == 201, answer.body
    (pushed,) = world.tables.pushed.values()
    assert pushed.parameters == {**REQUEST, "client_id": "signer"}


async def test_rfc9101_6_3_what_stands_outside_does_not_count() -> None:
    """different-state- and different-nonce-inside-and-outside-request-object."""
    world = World()
    compact = await request_object(world, "signer", REQUEST)
    outside = {"state": "outside", "nonce": "n-outside", "prompt": "login", "client_id": "signer"}
    assert (await push(world, compact, **outside)).status == 201
    (pushed,) = world.tables.pushed.values()
    assert pushed.parameters == {**REQUEST, "client_id": "signer"}


async def test_a_state_that_stands_only_outside_is_not_used() -> None:
    """state-only-outside-request-object-not-used."""
    world = World()
    compact = await request_object(world, "signer", REQUEST, state=None)
    assert (await push(world, compact, state="outside")).status == 201
    (pushed,) = world.tables.pushed.values()
    assert "state" not in pushed.parameters


async def test_a_redirect_uri_must_stand_inside() -> None:
    """ensure-request-object-without-redirect-uri-fails."""
    world = World()
    compact = await request_object(world, "signer", REQUEST, redirect_uri=None)
    refused(await push(world, compact, redirect_uri=REDIRECT), "invalid_request")


async def test_pkce_must_stand_inside() -> None:
    compact = await request_object(
        World(), "signer", REQUEST, code_challenge=None, code_challenge_method=None
    )
    outside = {"code_challenge": challenge(), "code_challenge_method": "S256"}
    refused(await push(World(), compact, **outside), "invalid_request")


async def test_message_signing_5_3_1_an_unsigned_request_is_refused() -> None:
    """ensure-unsigned-request-at-par-endpoint-fails."""
    world = World()
    refused(await push(world, **REQUEST), "invalid_request")
    assert world.tables.pushed == {}


async def test_require_signed_request_object_is_per_client() -> None:
    world = World()
    plain = {**REQUEST, "response_mode": "query"}
    assert (await push(world, by="bank", **plain)).status == 201
    world.change_client("bank", require_signed_request_object=True)
    refused(await push(world, by="bank", **plain), "invalid_request")
    compact = await request_object(world, "bank", plain)
    assert (await push(world, compact, by="bank")).status == 201


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("aud", None),
        ("aud", "https://other.example"),
        ("aud", "https://id.example.hk/par"),
        ("aud", ["https://other.example"]),
        ("aud", []),
        ("aud", 5),
        ("nbf", None),
        ("nbf", NOW - 3660),
        ("nbf", NOW + 61),
        ("nbf", "soon"),
        ("exp", None),
        ("exp", NOW - 60),
        ("exp", NOW + 3601),
        ("exp", 1e300),
        ("iat", NOW + 61),
        ("iss", "bank"),
        ("client_id", None),
        ("client_id", "bank"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:x"),
        ("request", "a.b.c"),
        ("jti", "j" * 300),
        ("jti", 5),
        ("state", "s\x00"),
    ],
)
async def test_message_signing_5_3_1_rejects(name: str, value: Any) -> None:
    """request-object-without-exp-, -without-nbf-, expired-, with-bad-aud-, with-exp-over-60-,
    with-nbf-over-60-fails; par-authorization-request-containing-request_uri.
    """
    world = World()
    refused(await push_claims(world, **{name: value}))
    assert world.tables.pushed == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["https://other.example", "https://id.example.hk"]},
        {"aud": ["https://id.example.hk"]},
        {"nbf": NOW + 8},
        {"nbf": NOW - 3590, "exp": NOW + 10},
        {"exp": NOW + 3600},
        {"iss": None, "iat": None},
        {"typ": None},
        {"typ": "JWT"},
        {"typ": "application/oauth-authz-req+jwt"},
        {"jti": "once"},
    ],
)
async def test_message_signing_5_3_1_accepts(changes: dict[str, Any]) -> None:
    """request-object-with-multiple-aud-succeeds, -with-nbf-8-seconds-in-the-future-is-accepted."""
    assert (await push_claims(World(), **changes)).status == 201


@pytest.mark.parametrize("typ", ["client-authentication+jwt", "at+jwt", "dpop+jwt", "JOSE"])
async def test_rfc8725_3_11_another_kind_of_token_is_refused(typ: str) -> None:
    refused(await push_claims(World(), typ=typ))


async def test_rfc9101_10_8_a_client_assertion_is_no_request_object() -> None:
    world = World()
    refused(await push(world, await world.assertion("signer")))
    refused(await push_claims(world, sub="signer", typ=None))


async def test_rfc9101_10_8_a_request_object_is_no_client_assertion() -> None:
    world = World()
    for typ in ("oauth-authz-req+jwt", None):
        compact = await request_object(
            world, "signer", REQUEST, sub="signer", jti=f"j-{typ}", typ=typ
        )
        given = {**await world.proving("signer", compact), "request": compact}
        answer = await post_form(world.par_endpoint, given)
        assert (answer.status, answer.error) == (401, "invalid_client")


async def test_alg_none_is_refused() -> None:
    """ensure-request-object-signature-algorithm-is-not-none."""
    world = World()
    claims = {**REQUEST, "client_id": "signer", "aud": world.issuer, "nbf": NOW, "exp": NOW + 60}
    refused(await push(world, unsigned(claims)))
    refused(await push(world, unsigned(claims) + "AA"))


async def test_an_invalid_signature_is_refused() -> None:
    """ensure-request-object-with-invalid-signature-fails."""
    world = World()
    head, body, _ = (await request_object(world, "signer", REQUEST)).split(".")
    other = (await request_object(world, "signer", REQUEST, state="other")).split(".")[2]
    refused(await push(world, f"{head}.{body}.{other}"))


async def test_another_clients_key_is_refused() -> None:
    """ensure-matching-key-in-authorization-request."""
    world = World()
    refused(await push(world, await request_object(world, "signer", REQUEST, signer=key("bank"))))
    refused(await push(world, await request_object(world, "bank", REQUEST)))


async def test_fapi2_5_4_1_rs256_is_refused() -> None:
    """ensure-signed-request-object-with-RS256-fails."""
    world = World()
    keys = client("signer", jwks=None)
    from keys.jwk import JwkSet

    members = [dict(key("signer").public_jwk), dict(key("signer", "RS256").public_jwk)]
    del members[1]["alg"]
    world.change_client("signer", jwks=JwkSet.parse({"keys": members}))
    assert keys.jwks is None
    signer = key("signer", "RS256")
    refused(await push(world, await request_object(world, "signer", REQUEST, signer=signer)))


async def test_request_object_signing_alg_is_the_only_one() -> None:
    world = World()
    world.change_client("signer", request_object_signing_alg="PS256")
    refused(await push_claims(world))
    world.change_client("signer", request_object_signing_alg="ES256")
    assert (await push_claims(world)).status == 201


async def test_a_jti_is_pushed_once_and_a_refused_push_does_not_use_it_up() -> None:
    world = World()
    wrong = await request_object(world, "signer", REQUEST, jti="j1", response_type="token")
    refused(await push(world, wrong), "unsupported_response_type")
    compact = await request_object(world, "signer", REQUEST, jti="j1")
    assert (await push(world, compact)).status == 201
    refused(await push(world, compact))
    assert len(world.tables.pushed) == 1
    assert (await push_claims(world, jti="j2")).status == 201


async def test_the_assertion_is_used_up_by_a_refused_request_object() -> None:
    world = World()
    proving = await world.proving("signer")
    refused(await post_form(world.par_endpoint, {**proving, "request": "a.b.c"}))
    compact = await request_object(world, "signer", REQUEST)
    again = await post_form(world.par_endpoint, {**proving, "request": compact})
    assert (again.status, again.error) == (401, "invalid_client")


@pytest.mark.parametrize(
    "compact",
    ["x", "a.b", "a.b.c", "a.b.c.d.e", "....", "a" * (MAX_REQUEST_OBJECT_BYTES + 1), "é.é.é"],
)
async def test_what_is_no_jwt_is_refused(compact: str) -> None:
    refused(await push(World(), compact))


async def test_a_payload_that_is_no_claims_set_is_refused() -> None:
    for payload in (b"[]", b"x", b'{"client_id":"signer","client_id":"bank"}', b"{}"):
        compact = await jws.sign(key("signer"), payload, typ="oauth-authz-req+jwt")
        refused(await push(World(), compact))


async def test_rfc9101_4_json_members_become_parameters() -> None:
    world = World()
    claims = {"userinfo": {"email": {"essential": True}}}
    resource = ["https://api.sample-bank.example", "https://api.sample-insurer.example"]
    answer = await push_claims(
        world, max_age=300, claims=claims, resource=resource, login_hint="", prompt=None
    )
    assert answer.status == 201, answer.body
    (pushed,) = world.tables.pushed.values()
    assert pushed.parameters["max_age"] == "300"
    assert pushed.parameters["claims"] == '{"userinfo":{"email":{"essential":true}}}'
    assert pushed.parameters["resource"] == " ".join(resource)
    assert not {"login_hint", "prompt"} & pushed.parameters.keys()
    refused(await push_claims(world, max_age=-1), "invalid_request")
    refused(await push_claims(world, scope=["openid"]), "invalid_scope")


async def test_deep_json_inside_is_refused() -> None:
    text = orjson.dumps({**REQUEST, "client_id": "signer"}).decode()[:-1]
    for claims in ("[" * 600 + "]" * 600, "[" * 5000 + "]" * 5000, '{"a":' * 500 + "1" + "}" * 500):
        body = f'{text},"aud":"{ISSUER}","nbf":{NOW},"exp":{NOW + 60},"claims":{claims}}}'
        compact = await jws.sign(key("signer"), body.encode(), typ="oauth-authz-req+jwt")
        refused(await push(World(), compact))


async def test_rfc9449_10_dpop_jkt_inside_binds_and_outside_does_not() -> None:
    world = World()
    jkt = key("dpop").kid
    compact = await request_object(world, "signer", REQUEST, dpop_jkt=jkt)
    assert (await push(world, compact, dpop_jkt=key("other").kid)).status == 201
    (pushed,) = world.tables.pushed.values()
    assert pushed.dpop_jkt == jkt


async def test_a_client_without_keys_cannot_sign() -> None:
    world = World()
    from tests.support.provider_world import basic

    compact = await request_object(world, "legacy", without_none({**REQUEST}))
    answer = await post_form(world.par_endpoint, {"request": compact}, headers=[basic("legacy")])
    refused(answer, "request_not_supported")


_names = st.sampled_from([*REQUEST, *_MORE]) | st.text(max_size=8)
_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.dictionaries(_names, _values, max_size=4))
async def test_whatever_a_client_signs_is_kept_or_refused(claims: dict[str, Any]) -> None:
    world = World()
    now = int(world.now)
    whole = {
        **REQUEST,
        "client_id": "signer",
        "aud": world.issuer,
        "nbf": now,
        "exp": now + 60,
        **claims,
    }
    try:
        body = orjson.dumps(whole)
    except TypeError:
        return  # a lone surrogate, or an integer that JSON readers do not agree about
    compact = await jws.sign(key("signer"), body, typ="oauth-authz-req+jwt")
    answer = await push(world, compact)
    assert answer.status in {201, 400}, answer.body
    assert answer.status == 201 or answer.error in STANDARD
