"""The authorization endpoint with a host that decides what the test wants."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson

from oidc.ports import (
    Approval,
    AuthorizationRequest,
    Page,
    ProviderStore,
    ProviderWrites,
    Redirect,
)
from oidc.provider.authorize import AuthorizeEndpoint
from oidc.provider.endpoints import PUSHED_AUTHORIZATION
from tests.support.asgi import Answer, call, post_form
from tests.support.provider_world import ISSUER, NOW, REDIRECT, World, challenge, without_none

APPROVAL = Approval(
    subject="org-1",
    actor="person-1",
    authority="mandate-1",
    session_id="session-1",
    scope=("openid",),
    acr=f"{ISSUER}/acr/loa2",
    amr=("pwd", "otp"),
    auth_time=NOW - 10,
    expires_at=(NOW + 3600) * 1000,
)
FORM = (b"content-type", b"application/x-www-form-urlencoded")


class Host:
    """An ``Interactions`` port that says what the test wants."""

    def __init__(self, store: ProviderStore) -> None:
        self.store = store
        self.confirmation: Exception | None = None
        self.decision: Approval | Redirect | Exception = APPROVAL
        self.requests: list[AuthorizationRequest] = []
        self.cookies: list[Mapping[str, str]] = []

    async def decide(
        self, request: AuthorizationRequest, cookies: Mapping[str, str], accept_language: str
    ) -> Approval | Redirect:
        self.requests.append(request)
        self.cookies.append(cookies)
        if isinstance(self.decision, Exception):
            raise self.decision
        return self.decision

    async def confirm(
        self, approval: Approval, issue: Callable[[ProviderWrites], Awaitable[None]]
    ) -> None:
        if isinstance(self.confirmation, Exception):
            raise self.confirmation
        await self.store.write(issue)

    async def error_page(
        self, code: str, description: str, ui_locales: tuple[str, ...], accept_language: str
    ) -> bytes:
        return f"{code}|{' '.join(ui_locales)}|{accept_language}".encode()

    async def form_post_page(
        self,
        action: str,
        fields: Mapping[str, str],
        ui_locales: tuple[str, ...],
        accept_language: str,
    ) -> Page:
        return Page(orjson.dumps({"action": action, "fields": dict(fields)}), "default-src 'none'")


class AuthorizeWorld(World):
    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self.host = Host(self.provider.store)
        self.provider = replace(self.provider, interactions=self.host)
        self.authorize = AuthorizeEndpoint(self.provider)

    def parameters(self, client_id: str = "service", **changes: Any) -> dict[str, str]:
        usual = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": REDIRECT,
            "scope": "openid",
            "state": "af0ifjsldkj",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        }
        return without_none({**usual, **changes})

    async def get(
        self,
        parameters: Mapping[str, str] | Sequence[tuple[str, str]],
        *headers: tuple[bytes, bytes],
        method: str = "GET",
    ) -> Answer:
        path = f"/authorize?{urlencode(parameters)}"
        return await call(self.authorize, method, path=path, headers=headers)

    async def push(self, client_id: str = "bank", **changes: Any) -> str:
        form = {**self.parameters(client_id, **changes), **await self.proving(client_id)}
        proof = await self.proof(path=PUSHED_AUTHORIZATION)
        answer = await post_form(self.par_endpoint, form, headers=[proof])
        assert answer.status == 201, answer.body
        return str(answer.json["request_uri"])

    async def get_pushed(self, request_uri: str, client_id: str = "bank", **more: str) -> Answer:
        return await self.get({"client_id": client_id, "request_uri": request_uri, **more})


def response(answer: Answer) -> dict[str, str]:
    """The parameters that the browser carries to the client."""
    assert answer.status == 303, answer.body
    location = answer.header("location") or ""
    assert location.startswith(f"{REDIRECT}?"), location
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def shown(answer: Answer) -> str:
    """The error of a page that redirects nowhere."""
    assert answer.status >= 400
    assert answer.header("location") is None
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert answer.header("x-frame-options") == "DENY"
    return answer.body.decode().split("|")[0]
