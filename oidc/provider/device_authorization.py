"""The device authorization endpoint (RFC 8628 3.1, 3.2): a device without a browser of its own."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from oidc.errors import InvalidScope, OAuthError, TemporarilyUnavailable, UnauthorizedClient
from oidc.ports import ProviderWrites
from oidc.profiles import PROFILES
from oidc.provider.authorization_request import validate_without_redirect
from oidc.provider.client_authentication import authenticate
from oidc.provider.context import Provider
from oidc.provider.endpoints import DEVICE
from oidc.provider.grants.device_code import GRANT_TYPE
from oidc.provider.one_time import burn
from oidc.provider.polled import INTERVAL, begun, too_many
from oidc.provider.resources import REPEATABLE
from oidc.records import Client, PolledRequest
from oidc.request import Receive, Scope, Send, read_form, require_method
from oidc.response import send_error, send_json
from oidc.secrets import DEVICE_CODE, new_token

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""RFC 8628 6.1: twenty consonants, so that no word comes about and none is mistaken for another."""

LENGTH: Final = 8
_TRIES: Final = 5
_UNBIASED: Final = 256 - 256 % len(ALPHABET)


def new_user_code(random: Callable[[int], bytes]) -> str:
    """Eight letters out of twenty: 34.5 bits, for ten minutes."""
    letters = ""
    while len(letters) < LENGTH:
        for octet in random(LENGTH):
            if octet < _UNBIASED and len(letters) < LENGTH:
                letters += ALPHABET[octet % len(ALPHABET)]
    return letters


def shown_user_code(code: str) -> str:
    """A user code as people read it: WDJB-MJHT."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def typed_user_code(typed: str) -> str | None:
    """A user code as somebody typed it (RFC 8628 6.1): case, dashes and blanks do not count.

    None when it cannot be one.
    """
    letters = "".join(typed.split()).replace("-", "").upper()
    if len(letters) != LENGTH or not set(letters) <= set(ALPHABET):
        return None
    return letters


class DeviceAuthorizationEndpoint:
    """POST /device_authorization."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            response = await self._answer(scope, receive)
        except OAuthError as error:
            await send_error(send, error)
        else:
            await send_json(send, response)

    async def _answer(self, scope: Scope, receive: Receive) -> dict[str, Any]:
        provider = self._provider
        require_method(scope, "POST")
        form = await read_form(scope, receive, REPEATABLE)
        sender = await authenticate(scope, form, provider, public=True)
        refusal: OAuthError | None = None
        kept: dict[str, str] = {}
        try:
            kept = self._validated(form, sender.client)
        except OAuthError as error:
            refusal = error  # the assertion is used up all the same
        device_code = new_token(DEVICE_CODE, provider.random)
        drawn = [new_user_code(provider.random) for _ in range(_TRIES)]

        async def work(writes: ProviderWrites) -> str | OAuthError:
            replayed = await burn(writes, sender, None)
            if replayed is not None or refusal is not None:
                return replayed or refusal  # type: ignore[return-value]
            full = await too_many(writes, sender.client, provider)
            if full is not None:
                return full
            for user_code in drawn:
                row = self._row(sender.client, kept, device_code, user_code)
                if await writes.add_polled_request(row):
                    return user_code
            return TemporarilyUnavailable("no user code is free just now: try again")

        user_code = await provider.store.write(work)
        if isinstance(user_code, OAuthError):
            raise user_code
        return self._response(device_code, shown_user_code(user_code))

    def _validated(self, form: Mapping[str, str], client: Client) -> dict[str, str]:
        if not PROFILES[client.profile].device_grant:
            raise UnauthorizedClient(f"the profile {client.profile} has no device grant")
        if GRANT_TYPE not in client.grant_types:
            raise UnauthorizedClient("the client is not registered for the device grant")
        if "scope" not in form and "authorization_details" not in form:
            raise InvalidScope("name by scope what the device is for")
        request = validate_without_redirect(form, client, self._provider.config, signed=False)
        return dict(request.parameters)

    def _row(
        self, client: Client, kept: Mapping[str, str], device_code: str, user_code: str
    ) -> PolledRequest:
        provider = self._provider
        return begun(
            provider,
            client,
            GRANT_TYPE,
            device_code,
            kept,
            provider.config.lifetimes.device_code,
            user_code_hash=provider.hasher.hash(user_code),
        )

    def _response(self, device_code: str, user_code: str) -> dict[str, Any]:
        uri = self._provider.config.url(DEVICE)
        return {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": uri,
            "verification_uri_complete": f"{uri}?{urlencode({'user_code': user_code})}",
            "expires_in": self._provider.config.lifetimes.device_code,
            "interval": INTERVAL,
        }
