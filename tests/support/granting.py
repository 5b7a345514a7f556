"""A client that manages its grants, and a person who agrees to whatever is asked."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from oidc.ports import Approval, AuthorizationRequest
from oidc.provider.grant_management import GrantManagementEndpoint
from tests.support.asgi import Answer, call
from tests.support.authorize_world import APPROVAL, AuthorizeWorld, Host, response
from tests.support.provider_world import client, without_none

MANAGER = "manager"
QUERY = "grant_management_query"
REVOKE = "grant_management_revoke"


class Agreeing(Host):
    """Approves what the request asks for, as ``who`` says."""

    who: Approval = APPROVAL

    async def decide(
        self, request: AuthorizationRequest, cookies: Mapping[str, str], accept_language: str
    ) -> Approval:
        self.requests.append(request)
        return replace(self.who, scope=request.scope)


class GrantingWorld(AuthorizeWorld):
    """The clients ``manager``, ``rival`` and ``guarded`` (FAPI 2.0) manage grants."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self.host = self.agreeing = Agreeing(self.provider.store)
        self.provider = replace(self.provider, interactions=self.host)
        self.authorize = type(self.authorize)(self.provider)
        self.grants_endpoint = GrantManagementEndpoint(self.provider)
        if "store" not in config:
            for client_id in (MANAGER, "rival"):
                self.tables.clients[client_id] = client(client_id, grant_management=True)
            self.tables.clients["guarded"] = client(
                "guarded", profile="fapi2", dpop_bound_access_tokens=True, grant_management=True
            )

    async def ask(self, client_id: str = MANAGER, /, **changes: Any) -> dict[str, str]:
        """What comes back of an authorization request: a code, or an error."""
        return response(await self.get(self.parameters(client_id, **changes)))

    async def tokens(self, client_id: str = MANAGER, /, **changes: Any) -> dict[str, Any]:
        """The token response of a whole round."""
        given = await self.ask(client_id, **changes)
        answer = await self.redeem(given["code"], client_id)
        assert answer.status == 200, answer.body
        return answer.json

    async def own_token(self, scope: str, client_id: str = MANAGER, **form: str) -> Answer:
        """The client asks for a token for the API."""
        return await self.token(
            client_id, {"grant_type": "client_credentials", "scope": scope, **form}
        )

    async def manage(
        self,
        method: str,
        handle: str,
        *,
        client_id: str = MANAGER,
        scope: str = f"{QUERY} {REVOKE}",
        headers: tuple[tuple[bytes, bytes], ...] | None = None,
    ) -> Answer:
        """GET or DELETE a grant."""
        if headers is None:
            token = (await self.own_token(scope, client_id)).json["access_token"]
            headers = ((b"authorization", f"Bearer {token}".encode()),)
        return await call(self.grants_endpoint, method, path=f"/grants/{handle}", headers=headers)

    async def is_good(self, access_token: str) -> bool:
        bearer = (b"authorization", f"Bearer {access_token}".encode())
        return (await self.userinfo("GET", bearer)).status == 200

    async def refresh(self, refresh_token: str, client_id: str = MANAGER, **form: str) -> Answer:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **form}
        return await self.token(client_id, without_none(form))


def error_of(given: Mapping[str, str]) -> str:
    assert "code" not in given
    return given["error"]
