"""A host of the authorization server that is easy to see through: claims, authorization details."""

from collections.abc import Mapping
from typing import Any

from oidc.errors import InvalidAuthorizationDetails
from oidc.ports import Detail
from oidc.records import Client, Grant


def acting(grant: Grant, sector: str) -> dict[str, Any]:
    act: dict[str, Any] = {"sub": f"{sector}:{grant.actor}"}
    if grant.delegation is not None:
        inner: dict[str, Any] = {}
        for prior in reversed(grant.delegation.prior_actors):
            inner = {"sub": f"{sector}:{prior}", **({"act": inner} if inner else {})}
        act["act"] = inner
    return act


class PlainClaims:
    """Pairwise by sector, visibly."""

    async def id_token(self, grant: Grant, client: Client) -> Mapping[str, Any]:
        return {"sub": f"{client.sector}:{grant.subject}", "act": acting(grant, client.sector)}

    async def userinfo(self, grant: Grant, client: Client) -> Mapping[str, Any]:
        return {**await self.id_token(grant, client), "scopes": list(grant.scope)}

    async def access_token(self, grant: Grant, client: Client, resource: str) -> Mapping[str, Any]:
        return {"sub": f"{resource}:{grant.subject}", "act": acting(grant, resource)}

    async def introspection(self, grant: Grant, client: Client, audience: str) -> Mapping[str, Any]:
        sector = audience or client.sector
        return {
            "sub": f"{sector}:{grant.subject}",
            "act": acting(grant, sector),
            "mandate": {"powers": list(grant.scope)},
        }

    def authorization_details(self, grant: Grant, client: Client, audience: str) -> list[Detail]:
        reader = audience or client.sector
        return [{**detail, "read_by": reader} for detail in grant.authorization_details]


class PlainDetails:
    """A type of authorization details that is easy to see through: some of ``actions``."""

    def read(self, detail: Detail) -> Detail:
        actions = detail.get("actions")
        if set(detail) - {"granted"} != {"type", "actions"} or not isinstance(actions, list):
            raise InvalidAuthorizationDetails("this type has actions and nothing else")
        return {name: value for name, value in detail.items() if name != "granted"}

    def granted(self, detail: Detail) -> Detail:
        return {**detail, "granted": True}

    def covers(self, had: Detail, wanted: Detail) -> bool:
        return set(wanted["actions"]) <= set(had["actions"])
