"""The modules of the Basic OP plan that are about requests, each by its name in that plan.

A relying party of the profile ``oidc`` with client_secret_basic and without PKCE, as the plan has
it, over real HTTP; pages are read and filled in as a person would.
"""

from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from corpid.storage.constructs import changing, given, table
from corpid.storage.interface import Transaction
from keys import jws
from keys.jwk import JwkSet
from tests.support.fapi_client import new_verifier, unique
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import Cast, Human, PlainClient
from tests.support.live_service import Live
from tests.support.live_sign_in import basic, plain_request, plain_token, redemption
from tests.support.live_visitor import Visitor, answer_in
from tests.support.wallet import unverified_payload

_session = table("session")
EARLIER = changing(
    _session, given(_session.c.person_id), signed_in_at=_session.c.signed_in_at - 5000
)
SCOPES = ("openid", "profile", "email", "phone", "address", "offline_access")


@dataclass(slots=True)
class Suite:
    """One relying party, one person, one browser."""

    live: Live
    http: Http
    visitor: Visitor
    human: Human
    client: PlainClient
    verifier: str = ""

    def request(self, scope: str = "openid", **more: str | None) -> dict[str, str]:
        self.verifier = new_verifier()
        usual = {**plain_request(self.client, self.verifier, scope=scope)}
        del usual["code_challenge"], usual["code_challenge_method"]
        merged = {**usual, **more}
        return {name: value for name, value in merged.items() if value is not None}

    def answer(self, scope: str = "openid", **more: str | None) -> dict[str, str]:
        """The authorization response, after whatever pages there were."""
        where = self.visitor.authorize(**self.request(scope, **more))
        if not where.startswith(self.visitor.home):
            return answer_in(where)
        return self.visitor.through(self.human)

    async def redeem(self, answer: dict[str, str], **more: str) -> Answer:
        fields = redemption(self.client, answer["code"], self.verifier)
        if "code_verifier" not in more:
            del fields["code_verifier"]
        return await plain_token(self.http, self.live.path, self.client, {**fields, **more})

    async def tokens(self, scope: str = "openid", **more: str | None) -> dict[str, Any]:
        answer = self.answer(scope, **more)
        assert "code" in answer, answer
        found: dict[str, Any] = (await self.redeem(answer)).expect(200).json
        return found

    async def userinfo(self, tokens: dict[str, Any]) -> dict[str, Any]:
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        answer = await self.http.get(f"{self.live.path}/userinfo", bearer)
        found: dict[str, Any] = answer.expect(200).json
        return found


@pytest.fixture
async def suite(live: Live, http: Http, cast: Cast, visitor: Visitor) -> Suite:
    organisation = await cast.organisation()
    human = await cast.human(phone="+85255550000")
    await cast.director(organisation, human)
    client = await cast.plain_client(scopes=SCOPES, pkce_required=False)
    return Suite(live, http, visitor, human, client)


async def sign_in_was_earlier(cast: Cast, human: Human) -> None:
    """Time passes: the person's sign-in is put five seconds back, so that no test has to wait."""

    async def unit(transaction: Transaction) -> int:
        return await transaction.execute(EARLIER, person_id=human.person_id)

    assert await cast.base.database.write(unit) == 1


def claims_of(tokens: dict[str, Any]) -> dict[str, Any]:
    return unverified_payload(tokens["id_token"])


async def test_oidcc_server(suite: Suite) -> None:
    answer = suite.answer(state="af0ifjsldkj", nonce="n-0S6")
    assert answer["state"] == "af0ifjsldkj"
    tokens = (await suite.redeem(answer)).expect(200).json
    claims = claims_of(tokens)
    assert claims["iss"] == suite.live.issuer
    assert claims["aud"] == suite.client.client_id
    assert claims["nonce"] == "n-0S6"
    assert 0 < len(claims["sub"]) <= 255
    assert claims["exp"] > claims["iat"]


async def test_oidcc_response_type_missing(suite: Suite) -> None:
    answer = suite.answer(response_type=None)
    assert answer["error"] in {"invalid_request", "unsupported_response_type"}


async def test_oidcc_idtoken_signature(suite: Suite) -> None:
    tokens = await suite.tokens()
    published = (await suite.http.get(f"{suite.live.path}/jwks")).expect(200).json
    parsed = jws.parse(tokens["id_token"])
    jws.verify(parsed, JwkSet.parse(published), algs=frozenset({"ES256"}), typ=None)


async def test_oidcc_idtoken_unsigned_is_not_offered(suite: Suite) -> None:
    configuration = await suite.http.get(f"{suite.live.path}/.well-known/openid-configuration")
    assert "none" not in configuration.json["id_token_signing_alg_values_supported"]


async def test_oidcc_userinfo_get(suite: Suite) -> None:
    tokens = await suite.tokens()
    assert (await suite.userinfo(tokens))["sub"] == claims_of(tokens)["sub"]


async def test_oidcc_userinfo_post_header(suite: Suite) -> None:
    tokens = await suite.tokens()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = await suite.http.form(f"{suite.live.path}/userinfo", {}, bearer)
    assert answer.expect(200).json["sub"] == claims_of(tokens)["sub"]


async def test_oidcc_userinfo_post_body(suite: Suite) -> None:
    tokens = await suite.tokens()
    fields = {"access_token": tokens["access_token"]}
    answer = await suite.http.form(f"{suite.live.path}/userinfo", fields)
    assert answer.expect(200).json["sub"] == claims_of(tokens)["sub"]


async def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(suite: Suite) -> None:
    assert "nonce" not in claims_of(await suite.tokens(nonce=None))


@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("profile", {"name", "updated_at"}),
        ("email", {"email", "email_verified"}),
        ("address", {"address"}),
        ("phone", {"phone_number", "phone_number_verified"}),
    ],
)
async def test_oidcc_scope(suite: Suite, scope: str, claims: set[str]) -> None:
    told = await suite.userinfo(await suite.tokens(f"openid {scope}"))
    assert claims <= set(told)
    others = {"name", "email", "address", "phone_number"} - claims
    assert not others & set(told)


async def test_oidcc_scope_all(suite: Suite) -> None:
    tokens = await suite.tokens("openid profile email address phone")
    told = await suite.userinfo(tokens)
    assert {"name", "email", "address", "phone_number"} <= set(told)
    assert not {"name", "email", "address", "phone_number"} & set(claims_of(tokens))


@pytest.mark.parametrize("display", ["page", "popup"])
async def test_oidcc_display(suite: Suite, display: str) -> None:
    assert "code" in suite.answer(display=display)


async def test_oidcc_prompt_login(suite: Suite, cast: Cast) -> None:
    first = claims_of(await suite.tokens())
    await sign_in_was_earlier(cast, suite.human)
    where = suite.visitor.authorize(**suite.request(prompt="login"))
    assert where.startswith(suite.visitor.home)
    suite.visitor.submit(username=suite.human.username, password=suite.human.password)
    form = suite.visitor.form
    assert form is not None
    assert form.fields["step"] == "code"
    assert first["auth_time"] > 0  # the next one has moved: tests/web/test_sign_in_flow.py


async def test_oidcc_prompt_none_not_logged_in(suite: Suite) -> None:
    assert suite.answer(prompt="none")["error"] == "login_required"


async def test_oidcc_prompt_none_logged_in(suite: Suite) -> None:
    first = claims_of(await suite.tokens())
    second = claims_of(await suite.tokens(prompt="none"))
    assert suite.visitor.steps == []
    assert (second["sub"], second["auth_time"]) == (first["sub"], first["auth_time"])


async def test_oidcc_max_age_1(suite: Suite, cast: Cast) -> None:
    assert "auth_time" in claims_of(await suite.tokens())
    await sign_in_was_earlier(cast, suite.human)
    where = suite.visitor.authorize(**suite.request(max_age="1"))
    assert where.startswith(suite.visitor.home)
    assert suite.visitor.form is not None
    assert suite.visitor.form.fields["step"] == "sign-in"


async def test_oidcc_max_age_10000(suite: Suite) -> None:
    first = claims_of(await suite.tokens())
    second = claims_of(await suite.tokens(max_age="10000"))
    assert suite.visitor.steps == []
    assert second["auth_time"] == first["auth_time"]


async def test_oidcc_ensure_request_with_unknown_parameter_succeeds(suite: Suite) -> None:
    assert "code" in suite.answer(extra="foobar")


async def test_oidcc_id_token_hint(suite: Suite) -> None:
    first = await suite.tokens()
    second = await suite.tokens(prompt="none", id_token_hint=first["id_token"])
    assert claims_of(second)["sub"] == claims_of(first)["sub"]


async def test_oidcc_login_hint(suite: Suite) -> None:
    where = suite.visitor.authorize(**suite.request(login_hint=suite.human.username))
    assert where.startswith(suite.visitor.home)
    assert suite.visitor.form is not None
    assert suite.visitor.form.fields["username"] == suite.human.username
    assert "code" in suite.visitor.through(suite.human)


@pytest.mark.parametrize(
    ("locales", "title"), [("zh-HK", "登入"), ("zh-CN en", "登录"), ("se", "Sign in")]
)
async def test_oidcc_ui_locales(suite: Suite, locales: str, title: str) -> None:
    suite.visitor.authorize(**suite.request(ui_locales=locales))
    assert title in suite.visitor.title
    assert "code" in suite.visitor.through(suite.human)


async def test_oidcc_claims_locales(suite: Suite) -> None:
    told = await suite.userinfo(await suite.tokens("openid profile", claims_locales="zh-HK se"))
    assert told["name"] == "樣本人"


async def test_oidcc_ensure_request_with_acr_values_succeeds(suite: Suite) -> None:
    configuration = await suite.http.get(f"{suite.live.path}/.well-known/openid-configuration")
    values = " ".join(configuration.json["acr_values_supported"])
    claims = claims_of(await suite.tokens(acr_values=values))
    assert claims["acr"] in values
    assert "acr" in claims_of(await suite.tokens(acr_values="1 2"))


async def test_oidcc_claims_essential(suite: Suite) -> None:
    wanted = orjson.dumps({"userinfo": {"name": {"essential": True}}}).decode()
    told = await suite.userinfo(await suite.tokens(claims=wanted))
    assert told["name"] == "Sample Person"
    assert "updated_at" not in told


async def test_oidcc_codereuse(suite: Suite) -> None:
    answer = suite.answer()
    tokens = (await suite.redeem(answer)).expect(200).json
    assert (await suite.redeem(answer)).error == "invalid_grant"
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    # The 30 seconds of codereuse-30seconds are those of the clock in tests/oidc/token.
    assert (await suite.http.get(f"{suite.live.path}/userinfo", bearer)).status == 401


async def test_oidcc_ensure_registered_redirect_uri(suite: Suite) -> None:
    other = f"{suite.client.redirect_uri}/{unique()}"
    assert suite.visitor.authorize(**suite.request(redirect_uri=other)).startswith(
        suite.visitor.home
    )
    assert suite.visitor.form is None


async def test_oidcc_ensure_post_request_succeeds(suite: Suite) -> None:
    suite.answer()
    cookie = {"Cookie": suite.visitor.cookie_header}
    answer = await suite.http.form(f"{suite.live.path}/authorize", suite.request(), cookie)
    location = answer.expect(303).headers["location"]
    (await suite.redeem(answer_in(location))).expect(200)


async def test_oidcc_server_client_secret_post(suite: Suite, cast: Cast) -> None:
    suite.client = await cast.plain_client(
        scopes=SCOPES, pkce_required=False, method="client_secret_post"
    )
    fields = redemption(suite.client, suite.answer()["code"], "")
    del fields["code_verifier"]
    secret = {"client_id": suite.client.client_id, "client_secret": suite.client.secret}
    (await suite.http.form(f"{suite.live.path}/token", {**fields, **secret})).expect(200)


async def test_oidcc_unsigned_request_object_is_rejected(suite: Suite) -> None:
    assert suite.answer(request="eyJhbGciOiJub25lIn0.e30.")["error"] in {
        "request_not_supported",
        "invalid_request_object",
    }


async def test_oidcc_request_uri_unsigned_is_rejected(suite: Suite) -> None:
    answer = suite.answer(request_uri="https://rp.sample-bank.example/request.jwt")
    assert answer["error"] in {"request_uri_not_supported", "invalid_request_uri"}


async def test_oidcc_refresh_token(suite: Suite) -> None:
    first = await suite.tokens("openid offline_access", prompt="consent")
    fields = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = (await plain_token(suite.http, suite.live.path, suite.client, fields)).expect(200).json
    before, after = claims_of(first), claims_of(second)
    same = ("iss", "sub", "aud", "auth_time")
    assert [before[name] for name in same] == [after[name] for name in same]
    assert second["access_token"] != first["access_token"]
    assert await suite.userinfo(second)
    asked = {"token": second["access_token"]}
    path = f"{suite.live.path}/introspect"
    assert (await suite.http.form(path, asked, basic(suite.client))).json["active"] is True


async def test_oidcc_ensure_request_with_valid_pkce_succeeds(suite: Suite) -> None:
    verifier = new_verifier()
    asked = plain_request(suite.client, verifier, scope="openid")
    suite.visitor.authorize(**asked)
    answer = suite.visitor.through(suite.human)
    (await suite.redeem(answer, code_verifier=verifier)).expect(200)
