"""What a module of the FAPI 2.0 plans does, over real HTTP: one client, one person, one browser."""

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from corpid.storage.constructs import changing, given, table
from corpid.storage.interface import Transaction
from corpid.storage.statement import Statement
from tests.support.fapi_client import FapiClient, Key, b64, new_verifier, unique
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import Cast, Human
from tests.support.live_service import Live
from tests.support.live_visitor import Visitor, answer_in
from tests.support.wallet import unverified_payload

_pushed, _code, _grant = (
    table("pushed_request"),
    table("authorization_code"),
    table("authorization_grant"),
)
_LATER_MS = 120_000
_OLDER_REQUESTS = changing(
    _pushed, given(_pushed.c.client_id), expires_at=_pushed.c.expires_at - _LATER_MS
)
_OLDER_CODES = changing(
    _code,
    _code.c.grant_id.in_(select(_grant.c.grant_id).where(given(_grant.c.client_id))),
    expires_at=_code.c.expires_at - _LATER_MS,
)


@dataclass(slots=True)
class FapiSuite:
    """The steps of a module; each can be done otherwise than it should be."""

    live: Live
    http: Http
    visitor: Visitor
    cast: Cast
    human: Human
    client: FapiClient
    verifier: str = field(default_factory=new_verifier)

    def request(self, **changes: str | None) -> dict[str, str]:
        """The parameters of an authorization request; None takes one out."""
        usual = {
            "response_type": "code",
            "redirect_uri": self.client.redirect_uri,
            "scope": self.client.scope,
            "state": unique(),
            "nonce": unique(),
            "code_challenge": b64(hashlib.sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        merged = {**usual, **changes}
        return {name: value for name, value in merged.items() if value is not None}

    def assertion(self, **changes: Any) -> str:
        """A client assertion; None takes a claim out."""
        now = int(time.time())
        claims = {
            "iss": self.client.client_id,
            "sub": self.client.client_id,
            "aud": self.live.issuer,
            "jti": unique(),
            "iat": now,
            "exp": now + 60,
            **changes,
        }
        known = {name: value for name, value in claims.items() if value is not None}
        return self.client.key.sign({"kid": self.client.key.thumbprint}, known)

    async def push(
        self, *, assertion: str | None = None, proof: str | None = None, **changes: str | None
    ) -> Answer:
        """A pushed authorization request."""
        fields = {**self.request(**changes), **self.client.authentication(assertion)}
        return await self.http.form(f"{self.live.path}/par", fields, _dpop(proof))

    async def pushed(self, **changes: Any) -> str:
        """The request_uri of a request that must be accepted."""
        uri: str = (await self.push(**changes)).expect(201).json["request_uri"]
        return uri

    def visit(self, request_uri: str, client: FapiClient | None = None, **outside: str) -> str:
        """Open the authorization endpoint; where the browser is then."""
        who = (client or self.client).client_id
        return self.visitor.authorize(client_id=who, request_uri=request_uri, **outside)

    def finish(self, where: str, action: str = "approve") -> dict[str, str]:
        """The authorization response, after whatever pages there are."""
        if where.startswith(self.visitor.home):
            return self.visitor.through(self.human, action=action)
        return answer_in(where)

    async def code(self, outside: dict[str, str] | None = None, **changes: Any) -> dict[str, str]:
        """The authorization response to a request."""
        return self.finish(self.visit(await self.pushed(**changes), **(outside or {})))

    async def redeem(
        self,
        code: str,
        *,
        client: FapiClient | None = None,
        proof: str | None = None,
        bound: bool = True,
        assertion: str | None = None,
        **changes: str | None,
    ) -> Answer:
        """A token request for a code."""
        who = client or self.client
        fields = {**who.redemption(code, self.verifier), **who.authentication(assertion), **changes}
        known = {name: value for name, value in fields.items() if value is not None}
        if proof is None and bound:
            proof = who.proof("POST", "/token")
        return await self.http.form(f"{self.live.path}/token", known, _dpop(proof))

    async def tokens(self, **changes: Any) -> dict[str, Any]:
        """The tokens of a sign-in that must succeed."""
        answer = await self.code(**changes)
        assert "code" in answer, answer
        found: dict[str, Any] = (await self.redeem(answer["code"])).expect(200).json
        return found

    async def userinfo(self, token: str, proof: str, scheme: str = "DPoP") -> Answer:
        """UserInfo with this proof."""
        headers = {"Authorization": f"{scheme} {token}", "DPoP": proof}
        return await self.http.get(f"{self.live.path}/userinfo", headers)

    def proof(self, method: str, endpoint: str, key: Key | None = None, **changes: Any) -> str:
        """A DPoP proof; None takes a claim out."""
        signer = key or self.client.dpop_key
        claims = {
            "jti": unique(),
            "htm": method,
            "htu": self.live.issuer + endpoint,
            "iat": int(time.time()),
            **changes,
        }
        known = {name: value for name, value in claims.items() if value is not None}
        return signer.sign({"typ": "dpop+jwt", "jwk": signer.public}, known)

    async def time_passes(self) -> None:
        """Two minutes pass for this client's pushed requests and codes; no test has to wait."""
        await self._change(_OLDER_REQUESTS)
        await self._change(_OLDER_CODES)

    async def _change(self, statement: Statement) -> None:
        async def unit(transaction: Transaction) -> int:
            return await transaction.execute(statement, client_id=self.client.client_id)

        await self.cast.base.database.write(unit)

    @property
    def page_shown(self) -> bool:
        """Whether the browser was kept here, by a page without a form to go on with."""
        return self.visitor.address.startswith(self.live.issuer) and (
            self.visitor.form is None or "step" not in self.visitor.form.fields
        )


def claims_of(tokens: dict[str, Any]) -> dict[str, Any]:
    """The ID token's claims, unverified."""
    return unverified_payload(tokens["id_token"])


def ath(token: str) -> str:
    """RFC 9449 4.2."""
    return b64(hashlib.sha256(token.encode()).digest())


def query(fields: dict[str, str]) -> str:
    """Form encoding."""
    return urlencode(fields)


def _dpop(proof: str | None) -> dict[str, str]:
    return {"DPoP": proof} if proof else {}


@pytest.fixture
async def suite(live: Live, http: Http, cast: Cast, visitor: Visitor) -> FapiSuite:
    _, human = await cast.acting()
    return FapiSuite(live, http, visitor, cast, human, await cast.client())
