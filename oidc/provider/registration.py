"""Dynamic client registration and its management (RFC 7591, RFC 7592, OpenID Connect
Registration 1.0): HTTP. What may be registered and how it is kept is the host's.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from oidc.errors import InvalidClientMetadata, InvalidRequest, InvalidToken, OAuthError
from oidc.provider.context import ProviderConfig
from oidc.provider.endpoints import REGISTRATION
from oidc.registration_ports import ClientInformation, ClientRegistry
from oidc.request import Receive, Scope, Send, header_values, read_json, require_method
from oidc.response import send_bytes, send_error, send_json

MAX_BYTES: Final = 32 * 1024
MAX_TOKEN: Final = 512
MAX_CLIENT_ID: Final = 100
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
_REFUSED: Final = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


class RegistrationEndpoint:
    """POST /register (RFC 7591 3)."""

    def __init__(self, config: ProviderConfig, registry: ClientRegistry) -> None:
        self._config = config
        self._registry = registry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            require_method(scope, "POST")
            token = _bearer(scope)
            await self._registry.check_initial_token(token)
            document = await _document(scope, receive)
            made = await self._registry.register(document, token)
        except OAuthError as error:
            await send_error(send, error)
        else:
            await send_json(send, _shown(self._config, made), 201)


class ClientConfigurationEndpoint:
    """GET, PUT and DELETE /register/{client_id} (RFC 7592 2), with the registration access token.

    The token is not rotated: the answer says the one that was sent.
    """

    def __init__(self, config: ProviderConfig, registry: ClientRegistry) -> None:
        self._config = config
        self._registry = registry
        self._base = urlsplit(config.url(REGISTRATION)).path + "/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            require_method(scope, "GET", "PUT", "DELETE")
            client_id = self._client_id(scope)
            token = _bearer(scope)
            if token is None:
                raise InvalidToken("send the registration access token", headers=_CHALLENGE)
            if scope["method"] == "DELETE":
                await self._registry.delete(client_id, token)
                await send_bytes(send, 204, [(b"cache-control", b"no-store")], b"")
                return
            if scope["method"] == "PUT":
                await self._registry.read(client_id, token)  # nothing is said to a stranger
                found = await self._replaced(client_id, token, await _document(scope, receive))
            else:
                found = await self._registry.read(client_id, token)
        except OAuthError as error:
            await send_error(send, error)
        else:
            await send_json(send, _shown(self._config, found))

    def _client_id(self, scope: Scope) -> str:
        client_id = str(scope["path"]).removeprefix(self._base)
        if not 0 < len(client_id) <= MAX_CLIENT_ID or "\0" in client_id:
            raise InvalidToken("the registration access token is not this client's")
        return client_id

    async def _replaced(
        self, client_id: str, token: str, document: Mapping[str, Any]
    ) -> ClientInformation:
        # RFC 7592 2.2: the whole record, with its client_id, and nothing that the server gave.
        if document.get("client_id") != client_id:
            raise InvalidClientMetadata("client_id must be there, and be this client's")
        return await self._registry.replace(client_id, token, document)


def _bearer(scope: Scope) -> str | None:
    """The token of the Authorization header (RFC 6750 2.1), and of nowhere else.

    Raises:
        InvalidToken: it is malformed.
    """
    values = header_values(scope, b"authorization")
    if not values:
        return None
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    wrong = len(values) > 1 or scheme.lower() != "bearer" or not 0 < len(token) <= MAX_TOKEN
    if wrong or not token.isascii():
        raise InvalidToken("send one token as Authorization: Bearer", headers=_REFUSED)
    return token.strip()


async def _document(scope: Scope, receive: Receive) -> dict[str, Any]:
    try:
        return await read_json(scope, receive, MAX_BYTES)
    except InvalidRequest as error:
        if type(error) is not InvalidRequest:
            raise
        raise InvalidClientMetadata(error.description) from None


def _shown(config: ProviderConfig, client: ClientInformation) -> dict[str, Any]:
    """RFC 7591 3.2.1 and RFC 7592 3: everything that is registered, and how it is managed."""
    shown: dict[str, Any] = {
        **client.metadata,
        "client_id": client.client_id,
        "client_id_issued_at": client.issued_at,
        "registration_access_token": client.registration_token,
        "registration_client_uri": (
            f"{config.url(REGISTRATION)}/{quote(client.client_id, safe='')}"
        ),
    }
    if client.secret is not None:
        shown["client_secret"] = client.secret
        shown["client_secret_expires_at"] = 0  # never: it is replaced, not outlived
    return shown
