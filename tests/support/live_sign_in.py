"""Signing in at the running service as a relying party does, from the request to the tokens."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.support.fapi_client import FapiClient, b64, new_verifier, unique
from tests.support.fapi_client_http import Answer, Http
from tests.support.live_cast import Human, PlainClient
from tests.support.live_visitor import Visitor, answer_in
from tests.support.wallet import unverified_payload


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a relying party has after a sign-in; ``claims`` are the ID token's, unverified."""

    answer: dict[str, str]
    verifier: str
    tokens: dict[str, Any]

    @property
    def claims(self) -> dict[str, Any]:
        return unverified_payload(self.tokens["id_token"])

    @property
    def access_token(self) -> str:
        return str(self.tokens["access_token"])


async def authorize(
    http: Http, client: FapiClient, visitor: Visitor, **more: str
) -> tuple[str, str]:
    """Push a request and send the browser; the verifier, and where the browser is then."""
    verifier = new_verifier()
    request_uri = await client.push(http, verifier, **more)
    return verifier, visitor.authorize(client_id=client.client_id, request_uri=request_uri)


async def answered(
    http: Http,
    client: FapiClient,
    visitor: Visitor,
    human: Human | None,
    *,
    organisation: str | None = None,
    action: str = "approve",
    **more: str,
) -> tuple[str, dict[str, str]]:
    """The verifier, and the authorization response after whatever pages there were."""
    verifier, where = await authorize(http, client, visitor, **more)
    if not where.startswith(visitor.home):
        return verifier, answer_in(where)
    assert human is not None, f"a page came: {visitor.title}"
    return verifier, visitor.through(human, organisation=organisation, action=action)


async def sign_in(
    http: Http,
    client: FapiClient,
    visitor: Visitor,
    human: Human | None,
    *,
    organisation: str | None = None,
    **more: str,
) -> SignedIn:
    """The whole way to the tokens. ``human`` is None where no page may come."""
    verifier, answer = await answered(
        http, client, visitor, human, organisation=organisation, **more
    )
    assert "code" in answer, answer
    tokens = await client.token(http, client.redemption(answer["code"], verifier))
    return SignedIn(answer, verifier, tokens)


def basic(client: PlainClient) -> dict[str, str]:
    """client_secret_basic (RFC 6749 2.3.1)."""
    pair = f"{quote(client.client_id, safe='')}:{quote(client.secret, safe='')}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def plain_request(client: PlainClient, verifier: str, **more: str) -> dict[str, str]:
    """An authorization request by front channel."""
    return {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": "openid entity.identity mandate offline_access",
        "state": unique(),
        "nonce": unique(),
        "code_challenge": b64(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
        **more,
    }


async def plain_token(http: Http, path: str, client: PlainClient, fields: dict[str, str]) -> Answer:
    """A token request with client_secret_basic."""
    return await http.form(f"{path}/token", fields, basic(client))


def redemption(client: PlainClient, code: str, verifier: str) -> dict[str, str]:
    """The form fields that redeem a code."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
    }
