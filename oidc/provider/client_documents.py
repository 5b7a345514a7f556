"""Clients whose ``client_id`` is the address of their metadata
(draft-ietf-oauth-client-id-metadata-document-03): the rules of the address and of the document.

How such a client is kept, and how often its document is asked for, is the host's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from keys.errors import KeysError
from keys.json_object import loads
from oidc.errors import InvalidClient
from oidc.ports import FetchFailed, Outbound
from oidc.provider.context import Provider
from oidc.records import NO_AUTHENTICATION, Client

SCHEME: Final = "https://"
MAX_ADDRESS: Final = 512
MAX_BYTES: Final = 5 * 1024
_ADDRESS: Final = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")  # RFC 3986, no fragment
_MEDIA_TYPE: Final = re.compile(r"application/(?:[a-z0-9!#$&^_.-]+\+)?json")
_METHOD: Final = "token_endpoint_auth_method"
_METHODS: Final = "token_endpoint_auth_methods_supported"
_WITHOUT_SECRET: Final = ("private_key_jwt", NO_AUTHENTICATION)
_SECRETS: Final = ("client_secret", "client_secret_expires_at")


@dataclass(frozen=True, slots=True)
class Address:
    """A client id that is an address; ``authority`` is its host in lower case, with a port that is
    not 443.
    """

    client_id: str
    host: str
    authority: str


async def find_client(provider: Provider, client_id: str) -> Client | None:
    """The client of this id, from its document where the id is an address.

    Raises:
        InvalidClient: the address or its document is not one of a client.
        TooManyRequests: its document cannot be asked for just now.
    """
    if client_id.startswith(SCHEME):
        documents = provider.client_documents
        return None if documents is None else await documents.client(client_id)
    return await provider.store.read.client(client_id)


def read_address(client_id: str) -> Address:
    """Section 2 of the draft.

    Raises:
        InvalidClient: it may not be a client's address.
    """
    if len(client_id) > MAX_ADDRESS or not _ADDRESS.fullmatch(client_id):
        raise InvalidClient(
            f"a client_id that is an address has no fragment and at most {MAX_ADDRESS} of the "
            "characters of RFC 3986"
        )
    try:
        parts = urlsplit(client_id)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidClient("this client_id is a malformed address") from None
    if parts.scheme != "https" or not host or "@" in parts.netloc:
        raise InvalidClient("a client_id that is an address is https and has no user")
    if not parts.path:
        raise InvalidClient("a client_id that is an address has a path")
    # The written-out form of a dot is the same to many a reader of addresses.
    segments = parts.path.lower().replace("%2e", ".").split("/")
    if "." in segments or ".." in segments:
        raise InvalidClient("a client_id that is an address has no . or .. in its path")
    return Address(client_id, host, host if port in (None, 443) else f"{host}:{port}")


async def fetch(address: Address, outbound: Outbound) -> tuple[Mapping[str, Any], int | None]:
    """The client's metadata, and for how many seconds the answer says that it stays fresh.

    Raises:
        InvalidClient: it cannot be had, or says what such a document must not (section 3).
    """
    try:
        fetched = await outbound.get(address.client_id, max_bytes=MAX_BYTES)
    except FetchFailed as error:
        raise InvalidClient(f"the client's metadata document cannot be read: {error}") from None
    if not _MEDIA_TYPE.fullmatch(fetched.media_type):
        raise InvalidClient("the client's metadata document is not application/json")
    try:
        document = loads(fetched.body)
    except (KeysError, ValueError):
        raise InvalidClient("the client's metadata document is not a JSON object") from None
    return _checked(document, address), fetched.max_age


def _checked(document: Mapping[str, Any], address: Address) -> dict[str, Any]:
    if document.get("client_id") != address.client_id:
        raise InvalidClient(
            "client_id of the metadata document is not its address, letter by letter"
        )
    secrets = [name for name in _SECRETS if name in document]
    if secrets:
        raise InvalidClient(f"a metadata document has no {secrets[0]}: everybody could read it")
    return {**document, **_methods(document)}


def _methods(document: Mapping[str, Any]) -> dict[str, Any]:
    """Section 3.1: nothing that rests on a shared secret. RFC 7591's default does; so without a
    word the client authenticates by its keys, and by nothing where it has none.
    """
    method, several = document.get(_METHOD), document.get(_METHODS)
    if method is not None and method not in _WITHOUT_SECRET:
        raise InvalidClient(
            f"{_METHOD} of a metadata document is one of {', '.join(_WITHOUT_SECRET)}"
        )
    if isinstance(several, list):
        possible = [one for one in several if one in _WITHOUT_SECRET]
        if not possible:
            raise InvalidClient(
                f"{_METHODS} of a metadata document has one of {', '.join(_WITHOUT_SECRET)}"
            )
        return {_METHODS: possible}
    if method is None and several is None:
        has_keys = document.get("jwks") is not None or document.get("jwks_uri") is not None
        return {_METHOD: _WITHOUT_SECRET[0] if has_keys else _WITHOUT_SECRET[1]}
    return {}
