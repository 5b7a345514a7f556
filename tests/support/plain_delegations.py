"""What a test's authorization server is told of agents, and of whom a hint means."""

from typing import Any

from oidc.errors import InvalidGrant, InvalidRequest, UnknownUserId
from oidc.ports import Delegated
from oidc.provider.backchannel import HintedUser
from oidc.records import Client, Grant


class PlainBackchannel:
    """Knows one person and one business; seals visibly."""

    async def identify(self, login_hint: str) -> HintedUser:
        if login_hint == "chan":
            return HintedUser(None, "person-1", login_hint)
        if login_hint == "brn:12345678":
            return HintedUser("org-1", None, login_hint)
        raise UnknownUserId("nobody")

    async def identify_by_id_token(self, id_token_hint: str, client: Client) -> HintedUser:
        if id_token_hint == f"an ID token of {client.client_id}":
            return HintedUser("org-1", "person-1", None)
        if id_token_hint == "of one who left":
            raise UnknownUserId("nobody")
        raise InvalidRequest("not ours")

    def seal(self, code_hash: bytes, told: bytes) -> bytes:
        return b"sealed:" + told[::-1]


class PlainDelegations:
    """Every firm may act under a mandate of its own, until somebody says otherwise."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.expires_at: int | None = None
        self.refusal: InvalidGrant | None = None
        self.changed = False

    async def delegate(self, subject: Grant, actor: Grant) -> Delegated:
        if self.refusal is not None:
            raise self.refusal
        prior = (f"user:{subject.actor}",)
        if subject.delegation is not None:
            prior += subject.delegation.prior_actors
        self._store.tables.standing["mandate-9"] = "other" if self.changed else "as it was"
        return Delegated("mandate-9", self.expires_at, prior, "as it was")
