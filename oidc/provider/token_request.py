"""What a token request is to a grant, and what a grant hands back."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from keys.record import record
from oidc.errors import InvalidRequest, OAuthError
from oidc.ports import ProviderWrites
from oidc.provider.context import Provider
from oidc.records import Client

Work = Callable[[ProviderWrites], Awaitable[OAuthError | None]]


@record
class TokenRequest:
    """A token request whose DPoP proof and client were checked; neither is burnt yet.

    ``client`` is None for anonymous access. ``jkt`` is the proof's key; ``x5t`` the
    certificate that this client's access tokens are bound to, if they are; ``now`` epoch seconds.
    ``instance_jkt`` is the key of the client instance, where one was attested.
    """

    provider: Provider
    form: Mapping[str, str]
    client: Client | None
    jkt: str | None
    x5t: str | None
    now: float
    instance_jkt: str | None = None

    @property
    def now_ms(self) -> int:
        """Now, in epoch milliseconds."""
        return int(self.now * 1000)

    @property
    def known_client(self) -> Client:
        """The client; only the grants of authenticated clients ask."""
        assert self.client is not None
        return self.client

    def required(self, name: str) -> str:
        """A parameter that must be there.

        Raises:
            InvalidRequest: it is not.
        """
        value = self.form.get(name)
        if value is None:
            raise InvalidRequest(f"the parameter {name} is missing")
        return value


@record
class Prepared:
    """A response, ready in memory, and the writes that make it true.

    ``work`` claims the one-time thing first and returns the error if it was taken; what it wrote
    then stays (the end of a token family, a counted try) and the response is never sent.
    """

    response: Mapping[str, Any]
    work: Work


GrantHandler = Callable[[TokenRequest], Awaitable[Prepared]]


def refuse(
    error: OAuthError, work: Callable[[ProviderWrites], Awaitable[None]] | None = None
) -> Prepared:
    """A refusal; what ``work`` writes stays written."""

    async def write_and_refuse(writes: ProviderWrites) -> OAuthError | None:
        if work is not None:
            await work(writes)
        return error

    return Prepared({}, write_and_refuse)


def token_response(
    value: str, jkt: str | None, expires_in: int, scope: tuple[str, ...]
) -> dict[str, Any]:
    """The members that every token response has (RFC 6749 5.1, RFC 9449 5)."""
    response: dict[str, Any] = {
        "access_token": value,
        "token_type": "Bearer" if jkt is None else "DPoP",
        "expires_in": expires_in,
    }
    if scope:
        response["scope"] = " ".join(scope)
    return response
